//! The jobs of every contender: closures that are counted, so that none is lost or runs twice.

use std::hint::black_box;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Barrier, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use selvedge::Handle;

/// The item of peers that are channels. Peers that take closures box them by themselves, if at all.
pub type Job = Box<dyn FnOnce() + Send>;

/// Something that takes closures and runs them on another thread.
pub trait Sink {
    fn put(&self, job: impl FnOnce() + Send + 'static);
}

impl Sink for Handle {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.call_from_thread(move |_| job()).expect("the reactor has not stopped");
    }
}

/// Here because two groups measure this channel.
impl Sink for crossbeam_channel::Sender<Job> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.send(Box::new(job)).expect("the receiver is there");
    }
}

/// The types of the closures that one thread puts.
#[derive(Clone, Copy, PartialEq)]
pub enum Mix {
    /// All of one type, as from one place in a program that posts in a loop.
    Alike,
    /// Four types and sizes in turn, as from several places of a program.
    Mixed,
}

impl Mix {
    /// Puts a closure that does `work`. `turn` counts the closures of its thread.
    pub fn put(self, sink: &impl Sink, turn: u64, work: impl FnOnce() + Send + 'static) {
        match (self, turn % 4) {
            (Mix::Alike, _) | (Mix::Mixed, 0) => sink.put(work),
            (Mix::Mixed, 1) => sink.put(with_load([turn; 1], work)),
            (Mix::Mixed, 2) => sink.put(with_load([turn; 3], work)),
            (Mix::Mixed, _) => sink.put(with_load([turn; 6], work)),
        }
    }
}

/// A closure that also captures `load`.
fn with_load<const N: usize>(load: [u64; N], work: impl FnOnce()) -> impl FnOnce() {
    move || {
        black_box(&load);
        work();
    }
}

static SUM: AtomicU64 = AtomicU64::new(0);

/// Counts a call. A load and a store are enough, because one thread at a time runs the calls; an atomic addition would
/// cost as much as the fastest contender.
pub fn trace(number: u64) {
    SUM.store(SUM.load(Relaxed).wrapping_add(number + 1), Relaxed);
}

/// Fails unless each number below `operations` was traced once since the last call.
pub fn assert_all_traced(operations: u64) {
    let all = operations * (operations + 1) / 2;
    assert_eq!(SUM.swap(0, Relaxed), all, "a closure was lost, or ran twice");
}

const STRIPES: usize = 64;

/// Counts down jobs that run on several threads at once.
///
/// A single counter would be the most contended memory of the measurement. Jobs that run at the same time mostly have
/// adjacent numbers, whose stripes lie on different cache lines.
struct Countdown {
    stripes: [CachePadded<AtomicU64>; STRIPES],
    /// Stripes that are not at zero.
    open: AtomicUsize,
    waiter: Mutex<Option<Thread>>,
}

static COUNTDOWN: Countdown = Countdown {
    stripes: [const { CachePadded::new(AtomicU64::new(0)) }; STRIPES],
    open: AtomicUsize::new(0),
    waiter: Mutex::new(None),
};

/// The obligation of one job to count down once, on any thread.
struct Completion(u64);

impl Completion {
    fn count_down(self) {
        let stripe = &COUNTDOWN.stripes[self.0 as usize % STRIPES];
        if stripe.fetch_sub(1, AcqRel) == 1 && COUNTDOWN.open.fetch_sub(1, AcqRel) == 1 {
            let waiter = COUNTDOWN.waiter.lock().expect("nothing panics under this lock").take();
            waiter.expect("one completion is the last").unpark();
        }
    }
}

/// Puts `operations` jobs of mixed types from `submitters` threads, and waits until all have run. Returns the time from
/// the first put.
pub fn put_and_wait(submitters: usize, operations: u64, sink: &(impl Sink + Sync)) -> Duration {
    let stripes = operations.min(STRIPES as u64);
    *COUNTDOWN.waiter.lock().expect("nothing panics under this lock") = Some(thread::current());
    COUNTDOWN.open.store(stripes as usize, Release);
    for (index, stripe) in (0..stripes).zip(&COUNTDOWN.stripes) {
        stripe.store((operations - index).div_ceil(STRIPES as u64), Release);
    }
    let put = |submitter: usize| {
        for number in (submitter as u64..operations).step_by(submitters) {
            let completion = Completion(number);
            Mix::Mixed.put(sink, number, move || completion.count_down());
        }
    };
    let wait = |start: Instant| {
        while COUNTDOWN.open.load(Acquire) > 0 {
            thread::park();
        }
        start.elapsed()
    };
    if submitters == 1 {
        let start = Instant::now();
        put(0);
        return wait(start);
    }
    let barrier = Barrier::new(submitters);
    thread::scope(|scope| {
        let starts: Vec<_> = (0..submitters)
            .map(|submitter| {
                let (barrier, put) = (&barrier, &put);
                scope.spawn(move || {
                    barrier.wait();
                    // Each submitter measures its own start: the waiting thread may be the last to get a core.
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
