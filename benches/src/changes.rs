//! Resizing a pool, and cancelling a job in a long queue.

use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Comparison, Contender, Setting};
use crate::pools::Pool;

pub fn resizes() -> Vec<Comparison> {
    vec![
        Comparison::new(
            "Resize: to other limits, no thread more or less",
            20_000,
            const { &[Contender::new("selvedge", limits), Contender::new("threadpool", threadpool_limits)] },
        ),
        Comparison::new(
            "Resize: 4 workers more, and 4 less",
            100,
            const { &[Contender::new("selvedge", threads), Contender::new("threadpool", threadpool_threads)] },
        ),
    ]
}

fn limits(_: Setting, operations: u64) -> Duration {
    let pool = selvedge::ThreadPool::of(4);
    let start = Instant::now();
    for n in 0..operations {
        pool.adjust_pool_size(4, 4 + n as usize % 4).expect("the sizes are valid");
    }
    let elapsed = start.elapsed();
    pool.end();
    elapsed
}

fn threadpool_limits(_: Setting, operations: u64) -> Duration {
    let mut pool = threadpool::ThreadPool::new(4);
    let start = Instant::now();
    (0..operations).for_each(|_| pool.set_num_threads(4));
    let elapsed = start.elapsed();
    pool.end();
    elapsed
}

/// From the first call until the surplus threads have ended.
fn threads(_: Setting, operations: u64) -> Duration {
    let pool = selvedge::ThreadPool::of(4);
    let start = Instant::now();
    for _ in 0..operations {
        pool.adjust_pool_size(8, 8).expect("the sizes are valid");
        pool.adjust_pool_size(4, 4).expect("the sizes are valid");
        while pool.stats().live > 4 {
            thread::yield_now();
        }
    }
    let elapsed = start.elapsed();
    pool.end();
    elapsed
}

/// Its surplus threads end after their next job, so each is given one.
fn threadpool_threads(_: Setting, operations: u64) -> Duration {
    let mut pool = threadpool::ThreadPool::new(4);
    let start = Instant::now();
    for _ in 0..operations {
        pool.set_num_threads(8);
        pool.set_num_threads(4);
        (0..8).for_each(|_| pool.execute(|| ()));
        pool.join();
    }
    let elapsed = start.elapsed();
    pool.end();
    elapsed
}

/// Length of the queue in which jobs are cancelled.
const DEPTH: usize = 1_000_000;

pub fn cancels() -> Vec<Comparison> {
    vec![Comparison::new(
        "Cancel one of a million queued jobs",
        10_000,
        const { &[Contender::new("selvedge", cancel), Contender::new("tokio", tokio_abort)] },
    )]
}

/// Evenly spaced over the queue.
fn spread<T>(all: Vec<T>, operations: u64) -> Vec<T> {
    let every = (all.len() / operations as usize).max(1);
    all.into_iter().step_by(every).take(operations as usize).collect()
}

fn cancel(_: Setting, operations: u64) -> Duration {
    let pool = selvedge::ThreadPool::of(0);
    let submit = |_| pool.call_in_thread_ticketed(|| ()).expect("the pool is not stopped");
    let tickets = spread((0..DEPTH.max(operations as usize)).map(submit).collect(), operations);
    let start = Instant::now();
    for ticket in &tickets {
        assert_eq!(ticket.cancel(), selvedge::pool::Cancellation::NeverRuns);
    }
    let elapsed = start.elapsed();
    pool.stop_with(selvedge::pool::StopPolicy::CancelQueued).expect("this is not a worker");
    elapsed
}

/// `abort` of a blocking task that has not begun: the task stays in the queue and does nothing when it is taken. The
/// only thread is occupied meanwhile.
fn tokio_abort(_: Setting, operations: u64) -> Duration {
    let runtime = tokio::runtime::Runtime::of(1);
    let (release, occupied) = crossbeam_channel::bounded::<()>(0);
    drop(runtime.spawn_blocking(move || occupied.recv()));
    let submit = |_| runtime.spawn_blocking(|| ());
    let tasks = spread((0..DEPTH.max(operations as usize)).map(submit).collect::<Vec<_>>(), operations);
    let start = Instant::now();
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let elapsed = start.elapsed();
    drop(release);
    runtime.end();
    elapsed
}
