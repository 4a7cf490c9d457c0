//! The pools behind one trait: how each is started with a fixed size, given a job, and ended.
//!
//! All have an unbounded queue, and box the job themselves if they have to.

use std::thread::{self, JoinHandle};

use crate::payload::{Job, Sink};

/// A pool of a fixed size.
pub trait Pool: Sink + Sync {
    fn of(workers: usize) -> Self;

    /// Returns when all jobs have run and all threads have ended, where the pool can wait for that.
    fn end(self);
}

/// The same measurement for each pool. The first is selvedge.
macro_rules! contenders {
    ($new:ident, $measure:ident) => {
        const {
            &[
                Contender::$new("selvedge", $measure::<selvedge::ThreadPool>),
                Contender::$new("crossbeam pool", $measure::<pools::Crossbeam>),
                Contender::$new("rayon", $measure::<rayon::ThreadPool>),
                Contender::$new("threadpool", $measure::<threadpool::ThreadPool>),
                Contender::$new("rusty_pool", $measure::<rusty_pool::ThreadPool>),
                Contender::$new("tokio", $measure::<tokio::runtime::Runtime>),
                Contender::$new("two bare locks", $measure::<crate::two_locks::TwoLocks>).no_peer(),
            ]
        }
    };
}

pub(crate) use contenders;

impl Sink for selvedge::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.call_in_thread(job).expect("it is running");
    }
}

impl Pool for selvedge::ThreadPool {
    fn of(workers: usize) -> Self {
        let pool = selvedge::ThreadPool::new(workers, workers).expect("the sizes are valid");
        pool.start().expect("it is new");
        pool
    }

    fn end(self) {
        self.stop().expect("this is no worker");
    }
}

/// A pool without a pool library: threads that all receive from one channel.
pub struct Crossbeam {
    sender: crossbeam_channel::Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Sink for Crossbeam {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.sender.put(job);
    }
}

impl Pool for Crossbeam {
    fn of(workers: usize) -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
        let threads = (0..workers)
            .map(|_| {
                let receiver = receiver.clone();
                thread::spawn(move || receiver.into_iter().for_each(|job| job()))
            })
            .collect();
        Crossbeam { sender, threads }
    }

    fn end(self) {
        drop(self.sender);
        self.threads.into_iter().for_each(|thread| thread.join().expect("no job panics"));
    }
}

impl Sink for rayon::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn(job);
    }
}

/// By `spawn`, from outside of the pool. It is a pool for computation, not for blocking, but the fastest of its kind to
/// submit to.
impl Pool for rayon::ThreadPool {
    fn of(workers: usize) -> Self {
        rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("threads start")
    }

    fn end(self) {}
}

impl Sink for threadpool::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

impl Pool for threadpool::ThreadPool {
    fn of(workers: usize) -> Self {
        threadpool::ThreadPool::new(workers)
    }

    fn end(self) {
        self.join();
    }
}

impl Sink for rusty_pool::ThreadPool {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

/// Core size and maximum size are equal and the core threads are started beforehand: the fixed pool that its
/// documentation describes.
impl Pool for rusty_pool::ThreadPool {
    fn of(workers: usize) -> Self {
        let pool = rusty_pool::Builder::new().core_size(workers).max_size(workers).build();
        pool.start_core_threads();
        pool
    }

    fn end(self) {
        self.shutdown_join();
    }
}

impl Sink for tokio::runtime::Runtime {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        drop(self.spawn_blocking(job));
    }
}

/// By `spawn_blocking`, which is for the same work as selvedge's pool. `max_blocking_threads` is its only size; its
/// threads start when first needed and stay for the ten seconds of its keep-alive, far longer than a round.
impl Pool for tokio::runtime::Runtime {
    fn of(workers: usize) -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.max_blocking_threads(workers).build().expect("a runtime starts")
    }

    fn end(self) {}
}
