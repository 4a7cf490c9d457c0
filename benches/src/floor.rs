//! The lower bound: what boxed closures cost by themselves, on one thread.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use selvedge::{Reactor, reactor::Turn};

use crate::measure::{Comparison, Contender, Setting};
use crate::payload::{self, Job, Sink};

/// Closures that are pushed before they are run: enough to be a queue, and few enough for the first-level cache.
const BATCH: u64 = 64;

pub fn comparison() -> Comparison {
    Comparison::new(
        "The floor: box, push, run, drop; one thread",
        1_000_000,
        const { &[Contender::new("selvedge", selvedge), Contender::new("floor", floor).no_peer()] },
    )
}

fn batches(setting: Setting, operations: u64, sink: &impl Sink, run: impl Fn()) -> Duration {
    let start = Instant::now();
    for first in (0..operations).step_by(BATCH as usize) {
        for number in first..operations.min(first + BATCH) {
            setting.mix.put(sink, number, move || payload::trace(number));
        }
        run();
    }
    let elapsed = start.elapsed();
    payload::assert_all_traced(operations);
    elapsed
}

/// A reactor that posts to itself and is turned by hand: its cost without other threads.
fn selvedge(setting: Setting, operations: u64) -> Duration {
    let reactor = Reactor::new();
    batches(setting, operations, &reactor.handle(), || {
        while let Turn::Again = reactor.turn().expect("this is not inside a turn") {}
    })
}

impl Sink for RefCell<Vec<Job>> {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.borrow_mut().push(Box::new(job));
    }
}

fn floor(setting: Setting, operations: u64) -> Duration {
    let queue = RefCell::new(Vec::new());
    batches(setting, operations, &queue, || {
        // Keeps the compiler from calling the closure directly, without the box.
        black_box(&mut *queue.borrow_mut()).drain(..).for_each(|job| job());
    })
}
