//! Pool dispatch: one thread hands short jobs to so many workers, and waits until the last has run.
//!
//! All pools have a fixed size and an unbounded queue, and box the job themselves. Each is started and warmed up before the
//! watch is, so that nobody is timed on starting threads.

use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Comparison, Contender};
use crate::payload::{self, Job, Ticket};

pub fn comparisons() -> Vec<Comparison> {
    [2, 4, 10]
        .map(|workers| Comparison {
            title: format!("Dispatch to a pool, {workers} workers"),
            parameter: workers,
            operations: 200_000,
            contenders: &CONTENDERS,
        })
        .into()
}

const CONTENDERS: [Contender; 6] = [
    Contender {
        name: "selvedge",
        round: selvedge,
    },
    Contender {
        name: "crossbeam pool",
        round: crossbeam,
    },
    Contender {
        name: "rayon",
        round: rayon,
    },
    Contender {
        name: "threadpool",
        round: threadpool,
    },
    Contender {
        name: "rusty_pool",
        round: rusty_pool,
    },
    Contender {
        name: "tokio",
        round: tokio,
    },
];

fn dispatch(operations: u64, submit: impl Fn(Ticket)) -> Duration {
    payload::submit_and_wait(operations / 10 + 1, &submit);
    let start = Instant::now();
    payload::submit_and_wait(operations, &submit);
    start.elapsed()
}

fn selvedge(workers: usize, operations: u64) -> Duration {
    let pool = selvedge::ThreadPool::new(workers, workers).expect("the size is a size");
    pool.start().expect("it is new");
    let elapsed = dispatch(operations, |ticket| {
        pool.call_in_thread(move || ticket.punch())
            .expect("it is running")
    });
    pool.stop().expect("this is no worker");
    elapsed
}

/// What one writes without a pool library: so many threads, all receiving from one channel.
fn crossbeam(workers: usize, operations: u64) -> Duration {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    thread::scope(|scope| {
        for _ in 0..workers {
            let receiver = receiver.clone();
            scope.spawn(move || receiver.into_iter().for_each(|job| job()));
        }
        let elapsed = dispatch(operations, |ticket| {
            sender
                .send(Box::new(move || ticket.punch()))
                .expect("the workers are there")
        });
        drop(sender);
        elapsed
    })
}

/// `spawn`, its entrance from a thread outside. A pool for computation, not for blocking, but the fastest entrance of its kind.
fn rayon(workers: usize, operations: u64) -> Duration {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .expect("threads start");
    dispatch(operations, |ticket| pool.spawn(move || ticket.punch()))
}

fn threadpool(workers: usize, operations: u64) -> Duration {
    let pool = threadpool::ThreadPool::new(workers);
    let elapsed = dispatch(operations, |ticket| pool.execute(move || ticket.punch()));
    pool.join();
    elapsed
}

/// Core size and greatest size the same, core threads started beforehand: the fixed pool that its documentation describes.
fn rusty_pool(workers: usize, operations: u64) -> Duration {
    let pool = rusty_pool::Builder::new()
        .core_size(workers)
        .max_size(workers)
        .build();
    pool.start_core_threads();
    let elapsed = dispatch(operations, |ticket| pool.execute(move || ticket.punch()));
    pool.shutdown_join();
    elapsed
}

/// `spawn_blocking`, which is for the same work as selvedge's pool. `max_blocking_threads` is its only size; its threads start
/// during the warm-up and stay for the ten seconds of its keep-alive, far longer than a round.
fn tokio(workers: usize, operations: u64) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(workers)
        .build()
        .expect("a runtime starts");
    dispatch(operations, |ticket| {
        drop(runtime.spawn_blocking(move || ticket.punch()))
    })
}
