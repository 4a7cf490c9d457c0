//! Posting to the loop: so many threads hand closures to one, which runs them.
//!
//! Every peer is an unbounded queue, because `call_from_thread` never waits, and carries the same boxed closure. A peer's loop
//! is the one its documentation shows; it ends when the last sender is gone. selvedge has no such end, so its last poster
//! posts a call that stops the reactor.

use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::{Handle, Reactor};

use crate::measure::{Comparison, Contender};
use crate::payload::{self, Job};

pub fn comparisons() -> Vec<Comparison> {
    [(1, "1 poster"), (2, "2 posters"), (4, "4 posters")]
        .map(|(posters, title)| Comparison {
            title: format!("Post to the loop, {title}"),
            parameter: posters,
            operations: 400_000,
            contenders: &CONTENDERS,
        })
        .into()
}

const CONTENDERS: [Contender; 7] = [
    Contender {
        name: "selvedge",
        round: selvedge,
    },
    Contender {
        name: "crossbeam",
        round: crossbeam,
    },
    Contender {
        name: "flume",
        round: flume,
    },
    Contender {
        name: "kanal",
        round: kanal,
    },
    Contender {
        name: "std mpsc",
        round: std_mpsc,
    },
    Contender {
        name: "tokio",
        round: tokio,
    },
    Contender {
        name: "calloop",
        round: calloop,
    },
];

/// The loop runs on the calling thread, which is on the line with the posters. Time runs from the first poster's start, on its
/// own watch (the loop's thread may be the last to get a core), to the end that `run` returns.
fn race<S: Clone + Send>(
    posters: usize,
    operations: u64,
    sender: S,
    post: impl Fn(&S, u64) + Copy + Send,
    run: impl FnOnce(Arc<Barrier>) -> Instant,
) -> Duration {
    let line = Arc::new(Barrier::new(posters + 1));
    let elapsed = thread::scope(|scope| {
        let threads: Vec<_> = (0..posters)
            .map(|poster| {
                let (sender, line) = (sender.clone(), Arc::clone(&line));
                scope.spawn(move || {
                    line.wait();
                    let start = Instant::now();
                    (poster as u64..operations)
                        .step_by(posters)
                        .for_each(|number| post(&sender, number));
                    start
                })
            })
            .collect();
        drop(sender);
        let end = run(line);
        let starts = threads
            .into_iter()
            .map(|thread| thread.join().expect("a poster only posts"));
        end - starts.min().expect("there is a poster")
    });
    payload::assert_all_traced(operations);
    elapsed
}

fn selvedge(posters: usize, operations: u64) -> Duration {
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
            self.handle
                .call_from_thread(stop)
                .expect("nobody else stops it");
        }
    }
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let end = Arc::new(OnceLock::new());
    let last = Arc::new(Last {
        handle: handle.clone(),
        end: Arc::clone(&end),
    });
    race(
        posters,
        operations,
        (handle, last),
        |(handle, _), number| {
            handle
                .call_from_thread(move |_| payload::trace(number))
                .expect("it runs until the last")
        },
        |line| {
            reactor.call_when_running(move |_| {
                line.wait();
            });
            reactor.run();
            *end.get().expect("the last call stopped it")
        },
    )
}

fn crossbeam(posters: usize, operations: u64) -> Duration {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    race(
        posters,
        operations,
        sender,
        |sender, number| {
            sender
                .send(payload::job(number))
                .expect("the loop is there")
        },
        |line| {
            line.wait();
            receiver.into_iter().for_each(|job| job());
            Instant::now()
        },
    )
}

fn flume(posters: usize, operations: u64) -> Duration {
    let (sender, receiver) = flume::unbounded::<Job>();
    race(
        posters,
        operations,
        sender,
        |sender, number| {
            sender
                .send(payload::job(number))
                .expect("the loop is there")
        },
        |line| {
            line.wait();
            receiver.into_iter().for_each(|job| job());
            Instant::now()
        },
    )
}

/// Its default features: the spinning lock that its documentation credits for its speed, not `std-mutex`.
fn kanal(posters: usize, operations: u64) -> Duration {
    let (sender, receiver) = kanal::unbounded::<Job>();
    race(
        posters,
        operations,
        sender,
        |sender, number| {
            sender
                .send(payload::job(number))
                .expect("the loop is there")
        },
        |line| {
            line.wait();
            receiver.for_each(|job| job());
            Instant::now()
        },
    )
}

fn std_mpsc(posters: usize, operations: u64) -> Duration {
    let (sender, receiver) = std::sync::mpsc::channel::<Job>();
    race(
        posters,
        operations,
        sender,
        |sender, number| {
            sender
                .send(payload::job(number))
                .expect("the loop is there")
        },
        |line| {
            line.wait();
            receiver.into_iter().for_each(|job| job());
            Instant::now()
        },
    )
}

/// The `current_thread` runtime, which is tokio's loop on one thread; senders need no runtime to send.
fn tokio(posters: usize, operations: u64) -> Duration {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
    race(
        posters,
        operations,
        sender,
        |sender, number| {
            assert!(
                sender.send(payload::job(number)).is_ok(),
                "the loop is there"
            )
        },
        |line| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime starts");
            runtime.block_on(async {
                line.wait();
                while let Some(job) = receiver.recv().await {
                    job();
                }
                Instant::now()
            })
        },
    )
}

/// The only peer that is a whole event loop, as selvedge is: its channel is a source beside whatever else it waits for.
fn calloop(posters: usize, operations: u64) -> Duration {
    use calloop::channel::{Event, channel};
    let (sender, source) = channel::<Job>();
    race(
        posters,
        operations,
        sender,
        |sender, number| {
            assert!(
                sender.send(payload::job(number)).is_ok(),
                "the loop is there"
            )
        },
        |line| {
            let mut event_loop =
                calloop::EventLoop::<Option<Instant>>::try_new().expect("a loop starts");
            let signal = event_loop.get_signal();
            let inserted = event_loop
                .handle()
                .insert_source(source, move |event, (), end| match event {
                    Event::Msg(job) => job(),
                    Event::Closed => {
                        *end = Some(Instant::now());
                        signal.stop();
                    }
                });
            assert!(inserted.is_ok(), "a channel is a source");
            line.wait();
            let mut end = None;
            event_loop
                .run(None, &mut end, |_| {})
                .expect("the loop runs");
            end.expect("the channel closed")
        },
    )
}
