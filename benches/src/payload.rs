//! The work that every contender carries: closures that leave a trace, so that no round can skip one or run one twice.

use std::hint::black_box;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Barrier, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use selvedge::Handle;

/// What peers that are channels carry. Those that take closures box them by themselves, or do better if they can.
pub type Job = Box<dyn FnOnce() + Send>;

/// Wherever a closure can be put, to be run on another thread.
pub trait Sink {
    fn put(&self, job: impl FnOnce() + Send + 'static);
}

impl Sink for Handle {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.call_from_thread(move |_| job()).expect("it has not stopped");
    }
}

/// The channel that two groups measure.
impl Sink for crossbeam_channel::Sender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.send(Box::new(job)).expect("the receiver is there");
    }
}

/// How the closures of one thread follow each other.
#[derive(Clone, Copy, PartialEq)]
pub enum Mix {
    /// All of one type, as when one place in a program posts in a loop.
    Alike,
    /// Of four types and sizes in turn, no two neighbours alike, as when a program posts from all over.
    Mixed,
}

impl Mix {
    /// Puts the closure that does `work`, the `turn`th of its thread.
    pub fn put(self, sink: &impl Sink, turn: u64, work: impl FnOnce() + Send + 'static) {
        match (self, turn % 4) {
            (Mix::Alike, _) | (Mix::Mixed, 0) => sink.put(work),
            (Mix::Mixed, 1) => sink.put(laden([turn; 1], work)),
            (Mix::Mixed, 2) => sink.put(laden([turn; 3], work)),
            (Mix::Mixed, _) => sink.put(laden([turn; 6], work)),
        }
    }
}

/// A closure that captures so much more.
fn laden<const N: usize>(load: [u64; N], work: impl FnOnce()) -> impl FnOnce() {
    move || {
        black_box(&load);
        work();
    }
}

static SUM: AtomicU64 = AtomicU64::new(0);

/// Run on one loop thread at a time, which is why a load and a store do: an atomic addition would cost as much as the fastest
/// contender.
pub fn trace(number: u64) {
    SUM.store(SUM.load(Relaxed).wrapping_add(number + 1), Relaxed);
}

/// Each of the numbers below `operations` has been traced, since the last time this was asked.
pub fn assert_all_traced(operations: u64) {
    let all = operations * (operations + 1) / 2;
    assert_eq!(SUM.swap(0, Relaxed), all, "a closure was lost, or ran twice");
}

const STRIPES: usize = 64;

/// Counts jobs that run on several threads at once.
///
/// A single counter would be the most contended thing in the measurement. Jobs that run at the same time are mostly
/// neighbours in number, and neighbours are on different cache lines here.
struct Board {
    stripes: [CachePadded<AtomicU64>; STRIPES],
    open: AtomicUsize,
    waiter: Mutex<Option<Thread>>,
}

static BOARD: Board = Board {
    stripes: [const { CachePadded::new(AtomicU64::new(0)) }; STRIPES],
    open: AtomicUsize::new(0),
    waiter: Mutex::new(None),
};

/// Must be punched once, on whichever thread.
struct Ticket(u64);

impl Ticket {
    fn punch(self) {
        let stripe = &BOARD.stripes[self.0 as usize % STRIPES];
        if stripe.fetch_sub(1, AcqRel) == 1 && BOARD.open.fetch_sub(1, AcqRel) == 1 {
            let waiter = BOARD.waiter.lock().expect("nothing panics under this lock").take();
            waiter.expect("one ticket is the last").unpark();
        }
    }
}

/// So many threads put so many jobs, of mixed types, and this one waits until all have run. How long that took, from when all were ready.
pub fn put_and_wait(submitters: usize, operations: u64, sink: &(impl Sink + Sync)) -> Duration {
    let stripes = operations.min(STRIPES as u64);
    *BOARD.waiter.lock().expect("nothing panics under this lock") = Some(thread::current());
    BOARD.open.store(stripes as usize, Release);
    for (index, stripe) in (0..stripes).zip(&BOARD.stripes) {
        stripe.store((operations - index).div_ceil(STRIPES as u64), Release);
    }
    let put = |submitter: usize| {
        for number in (submitter as u64..operations).step_by(submitters) {
            let ticket = Ticket(number);
            Mix::Mixed.put(sink, number, move || ticket.punch());
        }
    };
    let wait = |start: Instant| {
        while BOARD.open.load(Acquire) > 0 {
            thread::park();
        }
        start.elapsed()
    };
    if submitters == 1 {
        let start = Instant::now();
        put(0);
        return wait(start);
    }
    let line = Barrier::new(submitters);
    thread::scope(|scope| {
        let starts: Vec<_> = (0..submitters)
            .map(|submitter| {
                let (line, put) = (&line, &put);
                scope.spawn(move || {
                    line.wait();
                    // Each on its own watch: this one may be the last to get a core.
                    let start = Instant::now();
                    put(submitter);
                    start
                })
            })
            .collect();
        let starts = starts.into_iter().map(|submitter| submitter.join().expect("it only submits"));
        wait(starts.min().expect("there is one"))
    })
}
