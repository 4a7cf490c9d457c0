//! Two real workers whose jobs end when they are told to, one at a time: a pool whose every step is the program's.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::ThreadPool;

/// How many jobs run at a time.
pub const WORKERS: usize = 2;

/// No step of a job takes anything like this: it hangs.
const LIMIT: Duration = Duration::from_secs(600);

thread_local! {
    /// Starting threads costs more than all the rest of a program's run, so programs run by one thread share their workers.
    static POOL: ThreadPool = {
        let pool = ThreadPool::new(WORKERS, WORKERS).expect("sizes in order");
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

/// What this side holds of a job.
struct JobControl {
    begun: Receiver<()>,
    end: Sender<()>,
    cancelled: bool,
}

/// What the job holds: it says that it has begun, and waits until it may end.
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

    /// Submits a job by `submit`, and comes back when it runs or is queued.
    pub fn submit<T>(&self, submit: impl FnOnce(&ThreadPool, ManualJob) -> T) -> T {
        let (say_begun, begun) = channel();
        let (end, wait_end) = channel();
        let submitted = submit(&self.pool, ManualJob { begun: say_begun, end: wait_end });
        let mut queue = self.queue.borrow_mut();
        let job = queue.jobs.len();
        queue.jobs.push(JobControl { begun, end, cancelled: false });
        queue.waiting.push_back(job);
        queue.fill();
        submitted
    }

    /// The job never runs, if it has not begun.
    pub fn cancel(&self, job: usize) {
        let mut queue = self.queue.borrow_mut();
        if queue.waiting.contains(&job) {
            queue.jobs[job].cancelled = true;
        }
    }

    pub fn running(&self) -> usize {
        self.queue.borrow().running.len()
    }

    /// Lets a running job go; comes back when its worker is through with it, and has begun with the next that waits.
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
    /// Free workers take what waits, first in first out. A cancelled job is out of the queue: nobody takes it.
    fn fill(&mut self) {
        while self.running.len() < WORKERS {
            let Some(job) = self.waiting.pop_front() else { return };
            if !self.jobs[job].cancelled {
                self.jobs[job]
                    .begun
                    .recv_timeout(LIMIT)
                    .expect("a job hangs that a free worker should have begun with");
                self.running.push(job);
            }
        }
    }
}
