//! What a pool is doing, as one consistent snapshot: counts always, times where it was built to take them.

use std::time::Duration;

use super::line::Line;
use crate::histogram::Histogram;
use crate::machine::pool::{Sizes, SubmitQueue, Workers};

/// What a pool is doing, at one instant.
///
/// The numbers fit together: `blocked <= busy`, `busy + idle <= live <= peak`, and `started == completed + busy`; what was
/// accepted is `started + queued + cancelled + failed`. All are counted under the pool's locks, by what its threads
/// really do, so a snapshot is true of one moment and none is an estimate. It costs two short locks and a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The target's lower end.
    pub min: usize,
    /// The target's upper end.
    pub max: usize,
    /// Threads that exist or are being started.
    pub live: usize,
    /// Threads that wait for a job.
    pub idle: usize,
    /// Threads that run a job.
    pub busy: usize,
    /// Threads among these whose job waits for something, and [says so](crate::threads::blocked).
    pub blocked: usize,
    /// Jobs that wait for a thread. One that was cancelled waits no more.
    pub queued: usize,
    /// Callers that wait for a place in a full queue.
    pub waiting: usize,
    /// Jobs wait, every thread is blocked, and none may be added: nothing goes on until one of those has what it waits for.
    pub saturated: bool,
    /// The most threads there ever were at a time.
    pub peak: usize,
    /// Jobs that a worker took.
    pub started: u64,
    /// Jobs that ended, well or by a panic.
    pub completed: u64,
    /// Jobs that ended by a panic.
    pub panicked: u64,
    /// Accepted jobs that never ran because that was wanted: cancelled by their ticket, or with the pool.
    pub cancelled: u64,
    /// Accepted jobs that never ran because there was no thread and none could be started.
    pub failed: u64,
    /// Jobs that were not accepted.
    pub rejected: u64,
}

impl PoolStats {
    /// Of both halves of the machine, locked.
    pub(super) fn of(workers: &Workers<Line>, submit_queue: &SubmitQueue<Line>) -> Self {
        let Sizes { min, max } = workers.target();
        let counts = workers.counts();
        let queued = workers.queue().len() + submit_queue.queue().len();
        Self {
            min,
            max,
            live: workers.live(),
            idle: workers.idle(),
            busy: workers.busy(),
            blocked: workers.blocked(),
            queued,
            waiting: workers.waiting_submitters(),
            saturated: queued > 0 && workers.is_saturated(),
            peak: counts.peak,
            started: counts.started,
            completed: counts.completed,
            panicked: counts.panicked,
            cancelled: counts.cancelled,
            failed: counts.failed,
            rejected: submit_queue.rejected(),
        }
    }
}

/// How long the jobs of a pool waited and ran, with its counts of the same instant.
///
/// Each job is recorded when it ends, so both histograms have as many entries as `stats.completed`.
///
/// ```
/// use selvedge::ThreadPool;
///
/// let pool = ThreadPool::builder().take_times().build()?;
/// pool.start()?;
/// for _ in 0..100 {
///     pool.call_in_thread(|| ())?;
/// }
/// pool.stop()?;
/// let times = pool.times().unwrap();
/// assert_eq!((times.wait.count(), times.run.count(), times.stats.completed), (100, 100, 100));
/// println!("99 of 100 jobs waited at most {:?}", times.wait.quantile(0.99));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PoolTimes {
    /// The counts.
    pub stats: PoolStats,
    /// From when a job was submitted until a worker began with it.
    pub wait: Histogram,
    /// From then until it was over, the hooks around it included.
    pub run: Histogram,
}

/// The times of one job.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) wait: Duration,
    pub(super) run: Duration,
}

/// The times of all jobs that have ended.
#[derive(Debug, Default)]
pub(super) struct Histograms {
    wait: Histogram,
    run: Histogram,
}

impl Histograms {
    pub(super) fn record(&mut self, times: &Times) {
        self.wait.record(times.wait);
        self.run.record(times.run);
    }

    /// Becomes a copy, in the memory that is there.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.wait.clone_from(&other.wait);
        self.run.clone_from(&other.run);
    }

    pub(super) fn with(self, stats: PoolStats) -> PoolTimes {
        PoolTimes { stats, wait: self.wait, run: self.run }
    }
}
