//! The lower bound of pools made of locks: selvedge's two queues of jobs under two locks, boxed, and nothing else. It
//! cannot be resized, stopped before its queue is empty, cancelled from or asked for statistics, and a job that panics
//! ends its thread. A peer that is faster than this is so by having no locks, or no boxes.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crossbeam_utils::CachePadded;

use crate::payload::{Job, Sink};
use crate::pools::Pool;

pub struct TwoLocks {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Locked before `submit_queue`.
    workers: CachePadded<Mutex<Workers>>,
    work_available: Condvar,
    submit_queue: CachePadded<Mutex<SubmitQueue>>,
}

#[derive(Default)]
struct Workers {
    queue: VecDeque<Job>,
    idle: usize,
}

#[derive(Default)]
struct SubmitQueue {
    queue: VecDeque<Job>,
    /// Some worker will check this queue before it sleeps.
    wake_not_needed: bool,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no job runs under a lock")
}

impl Shared {
    fn work(&self) {
        let mut workers = lock(&self.workers);
        loop {
            let job = if workers.queue.len() > 1 { workers.queue.pop_front() } else { self.next_job(&mut workers) };
            if let Some(job) = job {
                let others_wait = workers.idle > 0 && !workers.queue.is_empty();
                drop(workers);
                if others_wait {
                    self.work_available.notify_one();
                }
                job();
                workers = lock(&self.workers);
            } else if lock(&self.submit_queue).closed {
                return;
            } else {
                workers.idle += 1;
                workers = self.work_available.wait(workers).expect("no job runs under a lock");
                workers.idle -= 1;
            }
        }
    }

    fn next_job(&self, workers: &mut Workers) -> Option<Job> {
        let mut submit_queue = lock(&self.submit_queue);
        let mut swap_if_empty = |workers: &mut Workers| {
            if workers.queue.is_empty() {
                mem::swap(&mut workers.queue, &mut submit_queue.queue);
            }
        };
        swap_if_empty(workers);
        let job = workers.queue.pop_front();
        swap_if_empty(workers);
        submit_queue.wake_not_needed = job.is_some() && (workers.idle == 0 || !workers.queue.is_empty());
        job
    }
}

impl Sink for TwoLocks {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        let wake_not_needed = {
            let mut submit_queue = lock(&self.shared.submit_queue);
            submit_queue.queue.push_back(Box::new(job));
            mem::replace(&mut submit_queue.wake_not_needed, true)
        };
        if !wake_not_needed {
            // After this lock, a worker that was about to sleep is waiting on the condvar.
            drop(lock(&self.shared.workers));
            self.shared.work_available.notify_one();
        }
    }
}

impl Pool for TwoLocks {
    fn of(workers: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        };
        let threads = (0..workers).map(start).collect();
        TwoLocks { shared, threads }
    }

    fn end(self) {
        lock(&self.shared.submit_queue).closed = true;
        drop(lock(&self.shared.workers));
        self.shared.work_available.notify_all();
        self.threads.into_iter().for_each(|thread| thread.join().expect("no job panics"));
    }
}
