//! Posting to the loop: threads hand closures to one thread, which runs them.
//!
//! Every peer is an unbounded queue, because `call_from_thread` never waits, and carries the same closures, boxed. A
//! peer's loop is the one that its documentation shows; it ends when the last sender is dropped. A reactor does not, so
//! that the last poster posts a call that stops it.
//!
//! Each is measured twice, with closures of mixed types and of one type: a channel of boxes does not see the
//! difference, but a queue of values may.

use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::{Handle, Reactor};

use crate::measure::{Comparison, Contender, Setting};
use crate::payload::{self, Job, Mix, Sink};

pub fn comparisons() -> Vec<Comparison> {
    let mixes = [Mix::Mixed, Mix::Alike].into_iter();
    mixes.flat_map(|mix| [1, 2, 4, 16, 64].map(|posters| comparison(mix, posters))).collect()
}

pub fn comparison(mix: Mix, posters: usize) -> Comparison {
    let threads = if posters == 1 { "poster" } else { "posters" };
    let calls = match mix {
        Mix::Mixed => "mixed calls",
        Mix::Alike => "calls alike",
    };
    let title = format!("Post to the loop: {posters} {threads}, {calls}");
    Comparison {
        setting: Setting { threads: posters, mix, ..Setting::default() },
        ..Comparison::new(title, 400_000, &CONTENDERS)
    }
}

const CONTENDERS: [Contender; 7] = [
    Contender::new("selvedge", selvedge),
    Contender::new("crossbeam", crossbeam),
    Contender::new("flume", flume),
    Contender::new("kanal", kanal),
    Contender::new("std mpsc", std_mpsc),
    Contender::new("tokio", tokio),
    Contender::new("calloop", calloop),
];

/// The loop runs on the calling thread; the posters wait for it at a barrier. The time is from the start of the first
/// poster, which each measures itself (the loop's thread may be the last to get a core), to the end that `run` returns.
fn measure<S: Sink + Clone + Send>(
    setting: Setting,
    operations: u64,
    sender: S,
    run: impl FnOnce(Arc<Barrier>) -> Instant,
) -> Duration {
    let Setting { threads: posters, mix, .. } = setting;
    let barrier = Arc::new(Barrier::new(posters + 1));
    let elapsed = thread::scope(|scope| {
        let threads: Vec<_> = (0..posters)
            .map(|poster| {
                let (sender, barrier) = (sender.clone(), Arc::clone(&barrier));
                scope.spawn(move || {
                    barrier.wait();
                    let start = Instant::now();
                    for (turn, number) in (0..).zip((poster as u64..operations).step_by(posters)) {
                        mix.put(&sender, turn, move || payload::trace(number));
                    }
                    start
                })
            })
            .collect();
        drop(sender);
        let end = run(barrier);
        let starts = threads.into_iter().map(|thread| thread.join().expect("a poster only posts"));
        end - starts.min().expect("there is a poster")
    });
    payload::assert_all_traced(operations);
    elapsed
}

fn selvedge(setting: Setting, operations: u64) -> Duration {
    #[derive(Clone)]
    struct Poster {
        handle: Handle,
        _last: Arc<Last>,
    }
    impl Sink for Poster {
        fn put(&self, job: impl FnOnce() + Send + 'static) {
            self.handle.put(job);
        }
    }
    struct Last {
        handle: Handle,
        end: Arc<OnceLock<Instant>>,
    }
    // Dropped by the poster that ends last, so this call is behind all others.
    impl Drop for Last {
        fn drop(&mut self) {
            let end = Arc::clone(&self.end);
            let stop = move |reactor: &Reactor| {
                end.set(Instant::now()).expect("only one is the last");
                reactor.stop().expect("it is running this");
            };
            self.handle.call_from_thread(stop).expect("nobody else stops it");
        }
    }
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let end = Arc::new(OnceLock::new());
    let last = Arc::new(Last { handle: handle.clone(), end: Arc::clone(&end) });
    measure(setting, operations, Poster { handle, _last: last }, |barrier| {
        reactor.call_when_running(move |_| {
            barrier.wait();
        });
        reactor.run();
        *end.get().expect("the last call stopped it")
    })
}

fn crossbeam(setting: Setting, operations: u64) -> Duration {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    measure(setting, operations, sender, |barrier| {
        barrier.wait();
        receiver.into_iter().for_each(|job| job());
        Instant::now()
    })
}

impl Sink for flume::Sender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.send(Box::new(job)).expect("the loop is there");
    }
}

fn flume(setting: Setting, operations: u64) -> Duration {
    let (sender, receiver) = flume::unbounded::<Job>();
    measure(setting, operations, sender, |barrier| {
        barrier.wait();
        receiver.into_iter().for_each(|job| job());
        Instant::now()
    })
}

impl Sink for kanal::Sender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.send(Box::new(job)).expect("the loop is there");
    }
}

/// Its default features: the spinning lock that its documentation credits for its speed, not `std-mutex`.
fn kanal(setting: Setting, operations: u64) -> Duration {
    let (sender, receiver) = kanal::unbounded::<Job>();
    measure(setting, operations, sender, |barrier| {
        barrier.wait();
        receiver.for_each(|job| job());
        Instant::now()
    })
}

impl Sink for std::sync::mpsc::Sender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.send(Box::new(job)).expect("the loop is there");
    }
}

fn std_mpsc(setting: Setting, operations: u64) -> Duration {
    let (sender, receiver) = std::sync::mpsc::channel::<Job>();
    measure(setting, operations, sender, |barrier| {
        barrier.wait();
        receiver.into_iter().for_each(|job| job());
        Instant::now()
    })
}

impl Sink for tokio::sync::mpsc::UnboundedSender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        assert!(self.send(Box::new(job)).is_ok(), "the loop is there");
    }
}

/// The `current_thread` runtime, which is tokio's loop on one thread; senders need no runtime to send. `recv_many` in
/// place of `recv` was tried and made no difference here.
fn tokio(setting: Setting, operations: u64) -> Duration {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
    measure(setting, operations, sender, |barrier| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        runtime.block_on(async {
            barrier.wait();
            while let Some(job) = receiver.recv().await {
                job();
            }
            Instant::now()
        })
    })
}

impl Sink for calloop::channel::Sender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        assert!(self.send(Box::new(job)).is_ok(), "the loop is there");
    }
}

/// The only peer that is a whole event loop, as selvedge is: its channel is a source beside whatever else it waits for.
fn calloop(setting: Setting, operations: u64) -> Duration {
    use calloop::channel::{Event, channel};
    let (sender, source) = channel::<Job>();
    measure(setting, operations, sender, |barrier| {
        let mut event_loop = calloop::EventLoop::<Option<Instant>>::try_new().expect("a loop starts");
        let signal = event_loop.get_signal();
        let inserted = event_loop.handle().insert_source(source, move |event, (), end| match event {
            Event::Msg(job) => job(),
            Event::Closed => {
                *end = Some(Instant::now());
                signal.stop();
            }
        });
        assert!(inserted.is_ok(), "a channel is a source");
        barrier.wait();
        let mut end = None;
        event_loop.run(None, &mut end, |_| {}).expect("the loop runs");
        end.expect("the channel closed")
    })
}
