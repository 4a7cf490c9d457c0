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
                Contender::new("park/unpark", |_, trips| blocking_park(trips)).no_peer(),
                Contender::new("crossbeam", |_, trips| blocking_crossbeam(trips)),
                Contender::new("kanal", |_, trips| blocking_kanal(trips)),
                Contender::new("tokio", |_, trips| blocking_tokio(trips)),
            ]
        },
    )
}

/// Trips before the measurement: contenders that start threads on demand have started them by then.
const WARM_UP: u64 = 100;

/// The default reactor. The callback of each result starts the next trip.
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

/// `spawn_blocking(…).await` on the `current_thread` runtime: the same two threads as the others, where the
/// multi-threaded runtime would add workers that have nothing to do here.
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

/// Makes the trips one by one on another thread, while `run` is the loop on this one. `trip` is dropped at the end, by
/// which a peer's loop ends.
fn make_trips<A: FnMut(u64) -> u64 + Send>(trips: u64, mut trip: A, run: impl FnOnce()) -> Duration {
    thread::scope(|scope| {
        let client = scope.spawn(move || {
            let mut make =
                |trips| (0..trips).for_each(|number| assert_eq!(trip(number), number, "another trip's result"));
            make(WARM_UP);
            let start = Instant::now();
            make(trips);
            start.elapsed()
        });
        run();
        client.join().expect("every trip came back")
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
    let stopper = StopOnDrop(reactor.handle());
    let trip = move |number| {
        let StopOnDrop(handle) = &stopper;
        blocking_call_from_thread(handle, move |_| number).expect("the reactor is running")
    };
    make_trips(trips, trip, || drop(reactor.run()))
}

/// The lower bound for two sleeping threads: no queue, no closure, no result but the number itself. It never spins, so
/// that it shows what sleeping costs.
fn blocking_park(trips: u64) -> Duration {
    const EMPTY: u64 = 0;
    const CLOSED: u64 = u64::MAX;
    /// The number plus one, on its way there and on its way back.
    #[derive(Default)]
    struct Slots {
        request: AtomicU64,
        response: AtomicU64,
    }
    struct Client {
        slots: Arc<Slots>,
        server: thread::Thread,
    }
    impl Client {
        fn send(&self, word: u64) {
            self.slots.request.store(word, Release);
            self.server.unpark();
        }
    }
    impl Drop for Client {
        fn drop(&mut self) {
            self.send(CLOSED);
        }
    }
    fn take(word: &AtomicU64) -> u64 {
        loop {
            match word.load(Acquire) {
                EMPTY => thread::park(),
                some => {
                    word.store(EMPTY, Release);
                    return some;
                }
            }
        }
    }
    let slots = Arc::new(Slots::default());
    let client = Client { slots: Arc::clone(&slots), server: thread::current() };
    let (introduce, client_thread) = std::sync::mpsc::sync_channel(1);
    let mut introduce = Some(introduce);
    let trip = move |number| {
        if let Some(introduce) = introduce.take() {
            introduce.send(thread::current()).expect("the server is waiting for it");
        }
        client.send(number + 1);
        take(&client.slots.response) - 1
    };
    make_trips(trips, trip, || {
        let client_thread = client_thread.recv().expect("the client runs");
        loop {
            match take(&slots.request) {
                CLOSED => break,
                number => {
                    slots.response.store(number, Release);
                    client_thread.unpark();
                }
            }
        }
    })
}

/// A boxed closure to the loop, and the result by a channel of capacity one. That channel is made once, where a general
/// `blocking_call_from_thread` over channels would make one for every call: the better case for the peer.
fn blocking_crossbeam(trips: u64) -> Duration {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    let (sender_back, result) = crossbeam_channel::bounded(1);
    let trip = move |number| {
        let sender_back = sender_back.clone();
        sender.send(Box::new(move || sender_back.send(number).expect("the client waits"))).expect("the loop is there");
        result.recv().expect("the loop sends the result")
    };
    make_trips(trips, trip, || receiver.into_iter().for_each(|job| job()))
}

/// As crossbeam's. kanal's locks spin before they sleep, which makes it the fastest peer while the loop is awake.
fn blocking_kanal(trips: u64) -> Duration {
    let (sender, receiver) = kanal::unbounded::<Job>();
    let (sender_back, result) = kanal::bounded(1);
    let trip = move |number| {
        let sender_back = sender_back.clone();
        sender.send(Box::new(move || sender_back.send(number).expect("the client waits"))).expect("the loop is there");
        result.recv().expect("the loop sends the result")
    };
    make_trips(trips, trip, || receiver.for_each(|job| job()))
}

/// A boxed closure to the `current_thread` runtime, and the result by `oneshot`, whose `blocking_recv` is for threads
/// outside of a runtime.
fn blocking_tokio(trips: u64) -> Duration {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
    let trip = move |number| {
        let (sender_back, result) = tokio::sync::oneshot::channel();
        let job: Job = Box::new(move || sender_back.send(number).expect("the client waits"));
        assert!(sender.send(job).is_ok(), "the loop is there");
        result.blocking_recv().expect("the loop sends the result")
    };
    make_trips(trips, trip, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        runtime.block_on(async {
            while let Some(job) = receiver.recv().await {
                job();
            }
        });
    })
}
