//! The floor: what the closures themselves cost, on one thread, with nobody to hand them to.

use std::hint::black_box;
use std::time::{Duration, Instant};

use selvedge::{Reactor, Turn};

use crate::measure::{Comparison, Contender};
use crate::payload::{self, Job};

/// As many closures as are pushed before they are run: enough that the queue is one, few enough that all of it stays in the
/// nearest cache.
const BATCH: u64 = 64;

pub fn comparison() -> Comparison {
    Comparison {
        title: "The floor: box, push, run, drop, on one thread".to_owned(),
        parameter: 1,
        operations: 1_000_000,
        contenders: &[
            Contender {
                name: "selvedge",
                round: |_, operations| selvedge(operations),
            },
            Contender {
                name: "floor",
                round: |_, operations| floor(operations),
            },
        ],
    }
}

fn batches(operations: u64, mut batch: impl FnMut(std::ops::Range<u64>)) -> Duration {
    let start = Instant::now();
    for first in (0..operations).step_by(BATCH as usize) {
        batch(first..operations.min(first + BATCH));
    }
    let elapsed = start.elapsed();
    payload::assert_all_traced(operations);
    elapsed
}

/// A reactor that posts to itself and is turned by hand: its own cost over the floor, with no other thread about.
fn selvedge(operations: u64) -> Duration {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    batches(operations, |numbers| {
        for number in numbers {
            handle
                .call_from_thread(move |_| payload::trace(number))
                .expect("it has not stopped");
        }
        while let Turn::Again = reactor.turn().expect("this is no callback") {}
    })
}

fn floor(operations: u64) -> Duration {
    let mut queue: Vec<Job> = Vec::new();
    batches(operations, |numbers| {
        queue.extend(numbers.map(payload::job));
        // Otherwise the compiler may see through the box and call the closure where it was made.
        black_box(&mut queue).drain(..).for_each(|job| job());
    })
}
