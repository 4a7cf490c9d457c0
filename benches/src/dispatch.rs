//! Pool dispatch: one thread hands short jobs to so many workers, and waits until the last has run.
//!
//! All pools have a fixed size and an unbounded queue, and box the job themselves. Each is started and warmed up before the
//! watch is, so that nobody is timed on starting threads.

use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Comparison, Contender, Setting};
use crate::payload::{Job, Mix, Sink, put_and_wait};

pub fn comparisons() -> Vec<Comparison> {
    [2, 4, 10]
        .map(|workers| Comparison {
            title: format!("Dispatch to a pool: {workers} workers"),
            setting: Setting { threads: workers, mix: Mix::Mixed },
            operations: 200_000,
            contenders: &CONTENDERS,
        })
        .into()
}

const CONTENDERS: [Contender; 6] = [
    Contender::new("selvedge", selvedge),
    Contender::new("crossbeam pool", crossbeam),
    Contender::new("rayon", rayon),
    Contender::new("threadpool", threadpool),
    Contender::new("rusty_pool", rusty_pool),
    Contender::new("tokio", tokio),
];

fn dispatch(operations: u64, pool: &impl Sink) -> Duration {
    put_and_wait(operations / 10 + 1, pool);
    let start = Instant::now();
    put_and_wait(operations, pool);
    start.elapsed()
}

impl Sink for selvedge::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.call_in_thread(job).expect("it is running");
    }
}

fn selvedge(setting: Setting, operations: u64) -> Duration {
    let pool = selvedge::ThreadPool::new(setting.threads, setting.threads).expect("the size is a size");
    pool.start().expect("it is new");
    let elapsed = dispatch(operations, &pool);
    pool.stop().expect("this is no worker");
    elapsed
}

/// What one writes without a pool library: so many threads, all receiving from one channel.
fn crossbeam(setting: Setting, operations: u64) -> Duration {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    thread::scope(|scope| {
        for _ in 0..setting.threads {
            let receiver = receiver.clone();
            scope.spawn(move || receiver.into_iter().for_each(|job| job()));
        }
        let elapsed = dispatch(operations, &sender);
        drop(sender);
        elapsed
    })
}

impl Sink for rayon::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn(job);
    }
}

/// `spawn`, its entrance from a thread outside. A pool for computation, not for blocking, but the fastest entrance of its kind.
fn rayon(setting: Setting, operations: u64) -> Duration {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(setting.threads).build().expect("threads start");
    dispatch(operations, &pool)
}

impl Sink for threadpool::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

fn threadpool(setting: Setting, operations: u64) -> Duration {
    let pool = threadpool::ThreadPool::new(setting.threads);
    let elapsed = dispatch(operations, &pool);
    pool.join();
    elapsed
}

impl Sink for rusty_pool::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

/// Core size and greatest size the same, core threads started beforehand: the fixed pool that its documentation describes.
fn rusty_pool(setting: Setting, operations: u64) -> Duration {
    let pool = rusty_pool::Builder::new().core_size(setting.threads).max_size(setting.threads).build();
    pool.start_core_threads();
    let elapsed = dispatch(operations, &pool);
    pool.shutdown_join();
    elapsed
}

impl Sink for tokio::runtime::Runtime {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        drop(self.spawn_blocking(job));
    }
}

/// `spawn_blocking`, which is for the same work as selvedge's pool. `max_blocking_threads` is its only size; its threads start
/// during the warm-up and stay for the ten seconds of its keep-alive, far longer than a round.
fn tokio(setting: Setting, operations: u64) -> Duration {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(setting.threads).build().expect("a runtime starts");
    dispatch(operations, &runtime)
}
