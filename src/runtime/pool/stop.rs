//! The types of a stop: what becomes of waiting jobs, and what is reported if the pool does not stop in time.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::super::job_label::JobLabel;
use crate::machine::pool::Policy;

/// What becomes of the jobs of a pool that is stopped. A later stop may be stricter than the first, and not laxer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopPolicy {
    /// Accepted jobs are run.
    Drain,
    /// Jobs that no worker has taken never run. Each is told so
    /// ([`NeverRan::CancelledByStop`](crate::error::NeverRan::CancelledByStop)) and dropped, on the thread that stops
    /// the pool. Running jobs are finished.
    CancelQueued,
    /// Waiting jobs never run, and running ones are asked to end: those that have a
    /// [ticket](crate::ThreadPool::call_in_thread_ticketed) or a [time limit](crate::Job::time_limit), or that
    /// [`defer_to_thread`](crate::threads::defer_to_thread) submitted, find their
    /// [token](crate::pool::CancelToken) set. Whether and when they end is up to them. Others cannot be asked.
    CancelAll,
}

impl From<StopPolicy> for Policy {
    fn from(policy: StopPolicy) -> Self {
        match policy {
            StopPolicy::Drain => Self::Drain,
            StopPolicy::CancelQueued | StopPolicy::CancelAll => Self::CancelQueued,
        }
    }
}

/// What a worker does that keeps its pool from stopping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerActivity {
    /// It runs a job, or a hook or context around it: the job's name, if it was given one, and where it was made.
    Job(JobLabel),
    /// It runs the pool's [start hooks](crate::pool::PoolBuilder::on_worker_start).
    StartHook,
    /// It runs the pool's [stop hooks](crate::pool::PoolBuilder::on_worker_stop).
    StopHook,
    /// It has exited, and its thread has not ended: destructors of thread-locals run there.
    Destructors,
}

/// A worker that was late when the time for a stop was over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Straggler {
    /// What it does.
    pub activity: WorkerActivity,
    /// Its number. Its thread is called `<pool>-<number>`.
    pub worker: usize,
    /// For how long. The start of a job is recorded if it has a name, a limit, a ticket, a Deferred, or something that
    /// travels with it; for others this is the time since the call to
    /// [`stop_within`](crate::ThreadPool::stop_within).
    pub running_for: Duration,
}

impl Straggler {
    /// The job that the worker runs, if it runs one.
    #[must_use]
    pub fn job(&self) -> Option<&JobLabel> {
        match &self.activity {
            WorkerActivity::Job(label) => Some(label),
            WorkerActivity::StartHook | WorkerActivity::StopHook | WorkerActivity::Destructors => None,
        }
    }
}

impl fmt::Display for Straggler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.activity {
            WorkerActivity::Job(label) => write!(f, "job {label}")?,
            WorkerActivity::StartHook => write!(f, "start hook of worker {}", self.worker)?,
            WorkerActivity::StopHook => write!(f, "stop hook of worker {}", self.worker)?,
            WorkerActivity::Destructors => write!(f, "destructors of thread-locals of worker {}", self.worker)?,
        }
        write!(f, " for {:?}", self.running_for)
    }
}

/// Why [`ThreadPool::stop_within`](crate::ThreadPool::stop_within) returned before the pool had stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopWithinError {
    /// The pool may wait for this thread: see [`WouldDeadlock`](crate::error::WouldDeadlock). Nothing has changed.
    WouldDeadlock,
    /// The time is over. The pool goes on stopping.
    #[non_exhaustive]
    Unfinished {
        /// The workers that are late, the one first that has been at it longest. None if the pool waits for something
        /// else: a thread that starts or exits, or one that tells a job that it never runs.
        stragglers: Vec<Straggler>,
        /// How many jobs still wait to be run.
        queued: usize,
    },
}

impl fmt::Display for StopWithinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldDeadlock => crate::error::WouldDeadlock.fmt(f),
            Self::Unfinished { stragglers, queued } => {
                write!(f, "the pool has not stopped in time: {} workers are late", stragglers.len())?;
                if *queued > 0 {
                    write!(f, ", and {queued} jobs wait")?;
                }
                for (n, straggler) in stragglers.iter().enumerate() {
                    let separator = if n == 0 { ": " } else { "; " };
                    write!(f, "{separator}{straggler}")?;
                }
                Ok(())
            }
        }
    }
}

impl Error for StopWithinError {}
