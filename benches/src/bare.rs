//! The floor of pools made of locks: selvedge's two queues under two locks, of boxed jobs, and nothing else. It cannot be resized, stopped in time, cancelled
//! from or asked anything, and a job that panics takes its thread along. What a peer is faster than this, it is by not having locks, or boxes.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crossbeam_utils::CachePadded;

use crate::payload::{Job, Sink};
use crate::pools::Pool;

pub struct Bare {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Taken before `intake`.
    crew: CachePadded<Mutex<Crew>>,
    bell: Condvar,
    intake: CachePadded<Mutex<Intake>>,
}

#[derive(Default)]
struct Crew {
    queue: VecDeque<Job>,
    idle: usize,
}

#[derive(Default)]
struct Intake {
    queue: VecDeque<Job>,
    /// Somebody will look without being told.
    watched: bool,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no job runs under a lock")
}

impl Shared {
    fn work(&self) {
        let mut crew = lock(&self.crew);
        loop {
            let job = if crew.queue.len() > 1 { crew.queue.pop_front() } else { self.look(&mut crew) };
            if let Some(job) = job {
                let others_wait = crew.idle > 0 && !crew.queue.is_empty();
                drop(crew);
                if others_wait {
                    self.bell.notify_one();
                }
                job();
                crew = lock(&self.crew);
            } else if lock(&self.intake).closed {
                return;
            } else {
                crew.idle += 1;
                crew = self.bell.wait(crew).expect("no job runs under a lock");
                crew.idle -= 1;
            }
        }
    }

    fn look(&self, crew: &mut Crew) -> Option<Job> {
        let mut intake = lock(&self.intake);
        let mut exchange = |crew: &mut Crew| {
            if crew.queue.is_empty() {
                mem::swap(&mut crew.queue, &mut intake.queue);
            }
        };
        exchange(crew);
        let job = crew.queue.pop_front();
        exchange(crew);
        intake.watched = job.is_some() && (crew.idle == 0 || !crew.queue.is_empty());
        job
    }
}

impl Sink for Bare {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        let watched = {
            let mut intake = lock(&self.shared.intake);
            intake.queue.push_back(Box::new(job));
            mem::replace(&mut intake.watched, true)
        };
        if !watched {
            // Whoever is about to fall asleep has done so.
            drop(lock(&self.shared.crew));
            self.shared.bell.notify_one();
        }
    }
}

impl Pool for Bare {
    fn of(workers: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        };
        let threads = (0..workers).map(start).collect();
        Bare { shared, threads }
    }

    fn end(self) {
        lock(&self.shared.intake).closed = true;
        drop(lock(&self.shared.crew));
        self.shared.bell.notify_all();
        self.threads.into_iter().for_each(|thread| thread.join().expect("no job panics"));
    }
}
