//! Round trips, one at a time: from the loop to a worker and back, and from a worker to the loop and back.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::Reactor;
use selvedge::threads::{blocking_call_from_thread, defer_to_thread};

use crate::measure::{Comparison, Contender};
use crate::payload::Job;

pub fn defer() -> Comparison {
    Comparison::new(
        "Loop to worker and back",
        10_000,
        const {
            &[
                Contender::new("selvedge", |_, trips| defer_selvedge(trips)),
                Contender::new("tokio", |_, trips| defer_tokio(trips)),
                Contender::new("blocking", |_, trips| defer_blocking(trips)),
            ]
        },
    )
}

pub fn blocking() -> Comparison {
    Comparison::new(
        "Worker to loop and back",
        10_000,
        const {
            &[
                Contender::new("selvedge", |_, trips| blocking_selvedge(trips)),
                Contender::new("park/unpark", |_, trips| blocking_park(trips)),
                Contender::new("crossbeam", |_, trips| blocking_crossbeam(trips)),
                Contender::new("kanal", |_, trips| blocking_kanal(trips)),
                Contender::new("tokio", |_, trips| blocking_tokio(trips)),
            ]
        },
    )
}

/// Trips made before the watch is started: whoever starts threads on demand has them then.
const WARM_UP: u64 = 100;

/// The default reactor. Each result's callback asks for the next, as a program's would.
fn defer_selvedge(trips: u64) -> Duration {
    let elapsed = Arc::new(OnceLock::new());
    let reactor = Reactor::new();
    let report = Arc::clone(&elapsed);
    reactor.call_when_running(move |reactor| {
        trip(reactor, WARM_UP, move |reactor| {
            let start = Instant::now();
            trip(reactor, trips, move |reactor| {
                report.set(start.elapsed()).expect("it ends once");
                reactor.stop().expect("it is running this");
            });
        });
    });
    reactor.run();
    *elapsed.get().expect("the last trip stopped it")
}

fn trip(reactor: &Reactor, left: u64, after: impl FnOnce(&Reactor) + 'static) {
    if left == 0 {
        return after(reactor);
    }
    let local = reactor.local();
    defer_to_thread(reactor, move || black_box(left))
        .add_callback(move |left| local.with(|reactor| trip(reactor, left - 1, after)))
        .log_error();
}

/// `spawn_blocking(…).await` on the `current_thread` runtime: the same two threads as the others, where the multi-threaded
/// runtime would add workers that have nothing to do here.
fn defer_tokio(trips: u64) -> Duration {
    async fn make(trips: u64) {
        for left in 0..trips {
            tokio::task::spawn_blocking(move || black_box(left)).await.expect("it returns");
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    runtime.block_on(async {
        make(WARM_UP).await;
        let start = Instant::now();
        make(trips).await;
        start.elapsed()
    })
}

/// `unblock(…).await` under futures-lite's `block_on`, the pair that its documentation shows.
fn defer_blocking(trips: u64) -> Duration {
    async fn make(trips: u64) {
        for left in 0..trips {
            blocking::unblock(move || black_box(left)).await;
        }
    }
    futures_lite::future::block_on(async {
        make(WARM_UP).await;
        let start = Instant::now();
        make(trips).await;
        start.elapsed()
    })
}

/// Starts a thread that makes the trips, one by one, while `run` is the loop on this one. `ask` is dropped at the end, which is
/// how a peer's loop learns of it.
fn ask<A: FnMut(u64) -> u64 + Send>(trips: u64, mut ask: A, run: impl FnOnce()) -> Duration {
    thread::scope(|scope| {
        let asker = scope.spawn(move || {
            let mut make =
                |trips| (0..trips).for_each(|number| assert_eq!(ask(number), number, "another trip's answer"));
            make(WARM_UP);
            let start = Instant::now();
            make(trips);
            start.elapsed()
        });
        run();
        asker.join().expect("every trip came back")
    })
}

fn blocking_selvedge(trips: u64) -> Duration {
    struct StopOnDrop(selvedge::Handle);
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            self.0.stop();
        }
    }
    let reactor = Reactor::new();
    let asker = StopOnDrop(reactor.handle());
    let trip = move |number| {
        let StopOnDrop(handle) = &asker;
        blocking_call_from_thread(handle, move |_| number).expect("the reactor is running")
    };
    ask(trips, trip, || reactor.run())
}

/// The least that two sleeping threads can do: no queue, no closure, no answer but the number itself. It never spins, so it also
/// says what it costs that both sleep.
fn blocking_park(trips: u64) -> Duration {
    const NOTHING: u64 = 0;
    const GONE: u64 = u64::MAX;
    /// Number plus one: asked on one, answered on the other.
    #[derive(Default)]
    struct Table {
        asked: AtomicU64,
        answered: AtomicU64,
    }
    struct Asker {
        table: Arc<Table>,
        answerer: thread::Thread,
    }
    impl Asker {
        fn leave(&self, word: u64) {
            self.table.asked.store(word, Release);
            self.answerer.unpark();
        }
    }
    impl Drop for Asker {
        fn drop(&mut self) {
            self.leave(GONE);
        }
    }
    fn take(word: &AtomicU64) -> u64 {
        loop {
            match word.load(Acquire) {
                NOTHING => thread::park(),
                some => {
                    word.store(NOTHING, Release);
                    return some;
                }
            }
        }
    }
    let table = Arc::new(Table::default());
    let asker = Asker { table: Arc::clone(&table), answerer: thread::current() };
    let (introduce, who) = std::sync::mpsc::sync_channel(1);
    let mut introduce = Some(introduce);
    let trip = move |number| {
        if let Some(introduce) = introduce.take() {
            introduce.send(thread::current()).expect("the answerer is waiting for it");
        }
        asker.leave(number + 1);
        take(&asker.table.answered) - 1
    };
    ask(trips, trip, || {
        let asker = who.recv().expect("somebody asks");
        loop {
            match take(&table.asked) {
                GONE => break,
                number => {
                    table.answered.store(number, Release);
                    asker.unpark();
                }
            }
        }
    })
}

/// A boxed closure to the loop, an answer by a channel of one. That channel is made once and kept, where a general
/// `blocking_call_from_thread` over channels would make one for every call: the better case for the peer.
fn blocking_crossbeam(trips: u64) -> Duration {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    let (reply, answer) = crossbeam_channel::bounded(1);
    let trip = move |number| {
        let reply = reply.clone();
        sender.send(Box::new(move || reply.send(number).expect("somebody asked"))).expect("the loop is there");
        answer.recv().expect("the loop answers")
    };
    ask(trips, trip, || receiver.into_iter().for_each(|job| job()))
}

/// As crossbeam's. kanal's locks spin before they sleep, so it is the peer to beat when the loop is awake.
fn blocking_kanal(trips: u64) -> Duration {
    let (sender, receiver) = kanal::unbounded::<Job>();
    let (reply, answer) = kanal::bounded(1);
    let trip = move |number| {
        let reply = reply.clone();
        sender.send(Box::new(move || reply.send(number).expect("somebody asked"))).expect("the loop is there");
        answer.recv().expect("the loop answers")
    };
    ask(trips, trip, || receiver.for_each(|job| job()))
}

/// A boxed closure to the `current_thread` runtime, an answer by `oneshot`, whose `blocking_recv` is there for threads outside.
fn blocking_tokio(trips: u64) -> Duration {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
    let trip = move |number| {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let job: Job = Box::new(move || reply.send(number).expect("somebody asked"));
        assert!(sender.send(job).is_ok(), "the loop is there");
        answer.blocking_recv().expect("the loop answers")
    };
    ask(trips, trip, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        runtime.block_on(async {
            while let Some(job) = receiver.recv().await {
                job();
            }
        });
    })
}
