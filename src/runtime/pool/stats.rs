//! Snapshots of a pool: its counts, and the wait and run times of its jobs.

use std::time::Duration;

use crate::histogram::Histogram;

/// What a pool is doing at one instant.
///
/// The numbers are consistent: `blocked <= busy`, `busy + idle <= live`, `busy + idle <= peak`, and `started ==
/// completed + busy`; the number of accepted jobs is `started + queued + cancelled + failed`. All are counted under the
/// pool's locks, and none is an estimate. Cost: two short locks and a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The minimum number of threads, as set last.
    pub min: usize,
    /// The maximum number of threads, as set last.
    pub max: usize,
    /// Threads that exist or are being started. One whose worker has exited does not count, though destructors of
    /// thread-locals may still run on it.
    pub live: usize,
    /// Threads that wait for a job.
    pub idle: usize,
    /// Threads that run a job.
    pub busy: usize,
    /// Busy threads whose job has [declared](crate::threads::blocked) that it waits for something.
    pub blocked: usize,
    /// Jobs that wait for a thread. Cancelled ones are not counted.
    pub queued: usize,
    /// Threads that wait for a slot in a full queue, and reactors: each counts once, however many of its jobs wait.
    pub waiting: usize,
    /// Jobs wait, every thread is blocked, and no thread may be added: no job starts until one of them is unblocked.
    pub saturated: bool,
    /// The most threads that have run at a time. One that could not be started, or has not begun yet, is not counted.
    pub peak: usize,
    /// Jobs that a thread has taken.
    pub started: u64,
    /// Jobs that have ended, by returning, by a panic or because they had expired.
    pub completed: u64,
    /// Jobs that ended by a panic.
    pub panicked: u64,
    /// Jobs that a thread has taken when their [limit in the queue](crate::Job::queue_limit) had passed, and has not
    /// run. A job whose result is a Deferred is none of them: its reactor takes it out of the queue, so it is
    /// `cancelled`.
    pub expired: u64,
    /// Accepted jobs that never run because they were cancelled, by their ticket or by a stop, or whose result is a
    /// Deferred and whose [limit in the queue](crate::Job::queue_limit) has passed.
    pub cancelled: u64,
    /// Accepted jobs that never run because there was no thread and none could be started.
    pub failed: u64,
    /// How often a thread could not be started. Only the first of a series is
    /// [reported](crate::report::Incident::ThreadStart).
    pub start_failures: u64,
    /// Jobs that were not accepted. One that was to wait on a thread that must not is none of them.
    pub rejected: u64,
}

/// How long the jobs of a pool waited and ran, with its counts at the same instant.
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
    /// Time from the submission of a job to its start.
    pub wait: Histogram,
    /// Time from the start of a job to its end, including the hooks around it.
    pub run: Histogram,
}

/// How long one job waited and ran.
#[derive(Debug)]
pub(super) struct JobTimes {
    pub(super) wait: Duration,
    pub(super) run: Duration,
}

/// The times of all jobs that have ended, guarded by the workers' lock.
#[derive(Debug, Default)]
pub(super) struct JobHistograms {
    wait: Histogram,
    run: Histogram,
}

impl JobHistograms {
    pub(super) fn record(&mut self, times: &JobTimes) {
        self.wait.record(times.wait);
        self.run.record(times.run);
    }

    /// Copies `other` without allocating.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.wait.clone_from(&other.wait);
        self.run.clone_from(&other.run);
    }

    pub(super) fn with(self, stats: PoolStats) -> PoolTimes {
        PoolTimes { stats, wait: self.wait, run: self.run }
    }
}
