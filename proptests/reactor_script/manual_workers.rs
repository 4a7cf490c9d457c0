//! A pool of two real workers whose jobs begin and end only when the program says so.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::ThreadPool;

/// How many jobs run at a time.
pub const WORKERS: usize = 2;

/// A job that takes longer than this hangs.
const LIMIT: Duration = Duration::from_secs(600);

thread_local! {
    /// Starting threads costs more than all the rest of a program's run: all programs of one thread share the workers.
    static POOL: ThreadPool = {
        // What jobs fail with is planned.
        let pool = ThreadPool::builder().size(WORKERS, WORKERS).on_report(|_| ()).build().expect("sizes in order");
        pool.start().expect("a new pool starts");
        pool
    };
}

/// The workers of one program: which of its jobs run, and which wait, in order.
pub struct ManualWorkers {
    pool: ThreadPool,
    queue: RefCell<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<JobControl>,
    running: Vec<usize>,
    waiting: VecDeque<usize>,
    /// How many jobs the pool should have completed by now.
    completed: u64,
}

/// The program's side of a job.
struct JobControl {
    begun: Receiver<()>,
    /// It has been seen to begin.
    has_begun: bool,
    end: Sender<()>,
    cancelled: bool,
}

/// The job's side: it reports that it has begun, and waits until it may end.
pub struct ManualJob {
    begun: Sender<()>,
    end: Receiver<()>,
}

impl ManualJob {
    pub fn begun(&self) {
        let _ = self.begun.send(());
    }

    pub fn wait(&self) {
        let _ = self.end.recv();
    }
}

impl ManualWorkers {
    pub fn new() -> Self {
        let pool = POOL.with(ThreadPool::clone);
        let queue = RefCell::new(Queue { completed: pool.stats().completed, ..Queue::default() });
        Self { pool, queue }
    }

    /// Submits a job by `submit`; returns when it runs or is queued.
    pub fn submit<T>(&self, submit: impl FnOnce(&ThreadPool, ManualJob) -> T) -> T {
        let (say_begun, begun) = channel();
        let (end, wait_end) = channel();
        let submitted = submit(&self.pool, ManualJob { begun: say_begun, end: wait_end });
        let mut queue = self.queue.borrow_mut();
        let job = queue.jobs.len();
        let early = begun.try_recv();
        // What was not accepted is dropped already, with its side of the channel.
        let cancelled = early == Err(TryRecvError::Disconnected);
        queue.jobs.push(JobControl { begun, has_begun: early.is_ok(), end, cancelled });
        queue.waiting.push_back(job);
        queue.fill();
        submitted
    }

    /// Notes that the job was cancelled: it never runs, unless it has begun.
    pub fn cancel(&self, job: usize) {
        let mut queue = self.queue.borrow_mut();
        if queue.waiting.contains(&job) {
            queue.jobs[job].cancelled = true;
        }
    }

    pub fn running(&self) -> usize {
        self.queue.borrow().running.len()
    }

    /// Finishes a running job; returns when its worker has completed it and begun the next queued one.
    pub fn finish_job(&self, which: usize) {
        let mut queue = self.queue.borrow_mut();
        let job = queue.running.remove(which);
        queue.completed += 1;
        let _ = queue.jobs[job].end.send(());
        queue.fill();
        let since = Instant::now();
        while self.pool.stats().completed != queue.completed {
            assert!(since.elapsed() < LIMIT, "a job that was let go hangs: {:?}", self.pool.stats());
            thread::yield_now();
        }
    }
}

impl Queue {
    /// Free workers take queued jobs, first in, first out. Cancelled jobs are skipped: the pool has removed them.
    fn fill(&mut self) {
        while self.running.len() < WORKERS {
            let Some(job) = self.waiting.pop_front() else { return };
            let control = &self.jobs[job];
            if control.cancelled {
                continue;
            }
            if !control.has_begun {
                control.begun.recv_timeout(LIMIT).expect("a job hangs that a free worker should have begun with");
            }
            self.running.push(job);
        }
    }
}
