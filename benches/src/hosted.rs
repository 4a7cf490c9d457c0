//! A reactor inside a loop of mio, which sleeps in `poll` and is woken through the reactor's hook, beside what one does
//! with mio alone: a channel, and mio's waker after each send.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use selvedge::reactor::Turn;
use selvedge::{Handle, Reactor};

use crate::measure::{Comparison, Contender};
use crate::payload::{self, Job, Sink};

pub fn comparisons() -> Vec<Comparison> {
    vec![
        Comparison::new(
            "A loop of mio, woken, and its answer",
            10_000,
            const {
                &[
                    Contender::new("selvedge", |_, rounds| selvedge(|loop_| answers(loop_, rounds))),
                    Contender::new("mio alone", |_, rounds| mio_alone(|loop_| answers(loop_, rounds))),
                ]
            },
        ),
        Comparison::new(
            "A loop of mio: posts in a row",
            100_000,
            const {
                &[
                    Contender::new("selvedge", |_, posts| selvedge(|loop_| posted(loop_, posts))),
                    Contender::new("mio alone", |_, posts| mio_alone(|loop_| posted(loop_, posts))),
                ]
            },
        ),
    ]
}

/// One call at a time: the loop sleeps when it is posted, and so does who waits for the answer.
fn answers(sink: &impl Sink, rounds: u64) -> Duration {
    let start = Instant::now();
    (0..rounds).for_each(|_| answer(sink));
    start.elapsed()
}

fn answer(sink: &impl Sink) {
    let answered = Arc::new(AtomicBool::new(false));
    let (asker, answer) = (thread::current(), Arc::clone(&answered));
    sink.put(move || {
        answer.store(true, Release);
        asker.unpark();
    });
    while !answered.load(Acquire) {
        thread::park();
    }
}

fn posted(sink: &impl Sink, posts: u64) -> Duration {
    let start = Instant::now();
    (0..posts).for_each(|number| sink.put(move || payload::trace(number)));
    answer(sink);
    let elapsed = start.elapsed();
    payload::assert_all_traced(posts);
    elapsed
}

fn poll() -> (Poll, Arc<Waker>) {
    let poll = Poll::new().expect("the system can poll");
    let waker = Waker::new(poll.registry(), Token(0)).expect("it can be woken");
    (poll, Arc::new(waker))
}

/// A signal ends it early, too.
fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) {
    if let Err(error) = poll.poll(events, timeout) {
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    }
}

/// The loop runs on a thread of its own while `work` posts to it.
fn selvedge(work: impl FnOnce(&Handle) -> Duration) -> Duration {
    let (send_handle, handle) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut poll, waker) = poll();
            let mut events = Events::with_capacity(16);
            let builder = Reactor::builder().on_wake(move || waker.wake().expect("mio wakes"));
            let reactor = builder.build().expect("the usual configuration");
            send_handle.send(reactor.handle()).expect("somebody waits for it");
            loop {
                match reactor.turn().expect("this is not inside a turn") {
                    Turn::Ended => return,
                    turn => wait(&mut poll, &mut events, turn.timeout()),
                }
            }
        });
        let handle = handle.recv().expect("the loop starts");
        let elapsed = work(&handle);
        handle.stop();
        elapsed
    })
}

struct MioAlone {
    calls: mpsc::Sender<Job>,
    waker: Arc<Waker>,
}

impl Sink for MioAlone {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.calls.send(Box::new(job)).expect("the loop is there");
        self.waker.wake().expect("mio wakes");
    }
}

fn mio_alone(work: impl FnOnce(&MioAlone) -> Duration) -> Duration {
    // `waker` outlives the loop: the wake of one that is dropped at once can be lost.
    let ((mut poll, waker), (calls, called)) = (poll(), mpsc::channel::<Job>());
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut events = Events::with_capacity(16);
            loop {
                wait(&mut poll, &mut events, None);
                loop {
                    match called.try_recv() {
                        Ok(call) => call(),
                        Err(mpsc::TryRecvError::Empty) => break,
                        Err(mpsc::TryRecvError::Disconnected) => return,
                    }
                }
            }
        });
        let sink = MioAlone { calls, waker: Arc::clone(&waker) };
        let elapsed = work(&sink);
        drop(sink);
        waker.wake().expect("mio wakes");
        elapsed
    })
}
