//! The longest single operation, at a depth of so many that wait.
//!
//! The operations are done one after the other while the depth grows, or shrinks, in several runs. The time of the
//! n-th is the least of the n-th in all runs: what the scheduler does hits another one each time, and what a container
//! does as it grows hits the same. So does what glibc's allocator does: a large block that is freed makes it join all
//! small free ones, which takes 0.5 ms after the cancel of 100,000 jobs and 1.1 ms after a million; and it gives memory
//! back to the system. Without both the longest cancel takes 3 µs and 6: run with
//! `GLIBC_TUNABLES=glibc.malloc.mxfast=0:glibc.malloc.trim_threshold=8000000000:glibc.malloc.mmap_threshold=4000000000`.

use std::time::Instant;

use selvedge::Reactor;

use crate::payload::{Job, Sink};
use crate::pools::Pool;
use crate::timers::{self, Timers};

const RUNS: usize = 5;

/// An operation, and those who do it. The first is selvedge.
pub struct Operation {
    pub title: &'static str,
    pub contenders: &'static [(&'static str, fn(&mut Steps))],
}

pub const OPERATIONS: &[Operation] = &[
    Operation {
        title: "Post a call to a loop that does not run",
        contenders: &[
            ("selvedge", |steps| put(&Reactor::new().handle(), steps)),
            ("crossbeam", |steps| {
                let (sender, _receiver) = crossbeam_channel::unbounded::<Job>();
                put(&sender, steps);
            }),
            ("std mpsc", |steps| {
                let (sender, _receiver) = std::sync::mpsc::channel::<Job>();
                put(&sender, steps);
            }),
            ("tokio", |steps| {
                let (sender, _receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
                put(&sender, steps);
            }),
        ],
    },
    Operation {
        title: "Submit a job to a pool whose workers are busy",
        contenders: &[
            ("selvedge", |steps| put(&selvedge::ThreadPool::of(0), steps)),
            ("rayon", |steps| occupied(&rayon::ThreadPool::of(1), steps)),
            ("threadpool", |steps| occupied(&threadpool::ThreadPool::of(1), steps)),
            ("tokio", |steps| occupied(&tokio::runtime::Runtime::of(1), steps)),
        ],
    },
    Operation { title: "Cancel a queued job, the first one first", contenders: &[("selvedge", cancel)] },
    Operation {
        title: "Add a timer",
        contenders: &[("selvedge", add_timer::<timers::Selvedge>), ("tokio", add_timer::<timers::Tokio>)],
    },
    Operation {
        title: "Reset a timer",
        contenders: &[("selvedge", reset_timer::<timers::Selvedge>), ("tokio", reset_timer::<timers::Tokio>)],
    },
    Operation {
        title: "Cancel a timer",
        contenders: &[("selvedge", cancel_timer::<timers::Selvedge>), ("tokio", cancel_timer::<timers::Tokio>)],
    },
];

/// The times of the operations of one run.
pub struct Steps {
    depth: usize,
    nanoseconds: Vec<u32>,
}

impl Steps {
    fn time<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = operation();
        self.nanoseconds.push(start.elapsed().as_nanos().try_into().unwrap_or(u32::MAX));
        outcome
    }
}

/// The longest operation, in nanoseconds, of as many as `depth`.
pub fn longest(depth: usize, contender: fn(&mut Steps)) -> u32 {
    least(depth, contender).into_iter().max().unwrap_or(0)
}

/// The mean of the last tenth of them.
pub fn last(depth: usize, contender: fn(&mut Steps)) -> f64 {
    let (times, tenth) = (least(depth, contender), depth.div_ceil(10));
    times[depth - tenth..].iter().map(|time| f64::from(*time)).sum::<f64>() / tenth as f64
}

fn least(depth: usize, contender: fn(&mut Steps)) -> Vec<u32> {
    let run = || {
        let mut steps = Steps { depth, nanoseconds: Vec::with_capacity(depth) };
        contender(&mut steps);
        steps.nanoseconds
    };
    let mut least = run();
    for _ in 1..RUNS {
        least.iter_mut().zip(run()).for_each(|(least, time)| *least = time.min(*least));
    }
    least
}

fn put(sink: &impl Sink, steps: &mut Steps) {
    for number in 0..steps.depth {
        steps.time(|| sink.put(move || _ = std::hint::black_box(number)));
    }
}

/// The only worker waits until all have been submitted.
fn occupied(pool: &impl Pool, steps: &mut Steps) {
    let (release, occupied) = crossbeam_channel::bounded::<()>(0);
    pool.put(move || _ = occupied.recv());
    put(pool, steps);
    drop(release);
}

fn cancel(steps: &mut Steps) {
    let pool = selvedge::ThreadPool::of(0);
    let submit = |_| pool.call_in_thread_ticketed(|| ()).expect("the pool is not stopped");
    let tickets: Vec<_> = (0..steps.depth).map(submit).collect();
    for ticket in tickets {
        steps.time(|| ticket.cancel());
    }
}

fn add_timer<T: Timers>(steps: &mut Steps) {
    T::with(|timers| {
        let mut added = Vec::with_capacity(steps.depth);
        for delay in timers::delays().take(steps.depth) {
            added.push(steps.time(|| timers.add(delay)));
        }
    });
}

fn reset_timer<T: Timers>(steps: &mut Steps) {
    T::with(|timers| {
        let mut waiting = timers::waiting(timers, steps.depth as u64);
        for (timer, delay) in waiting.iter_mut().zip(timers::delays().skip(1)) {
            steps.time(|| timers.reset(timer, delay));
        }
    });
}

fn cancel_timer<T: Timers>(steps: &mut Steps) {
    T::with(|timers| {
        for timer in timers::waiting(timers, steps.depth as u64) {
            steps.time(|| timers.cancel(timer));
        }
    });
}
