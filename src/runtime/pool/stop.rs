//! The types of a stop: what becomes of waiting jobs, and what is reported if the pool does not stop in time.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::super::job_label::JobLabel;
use crate::machine::pool::Policy;

/// What becomes of jobs that no worker has taken when the pool is stopped. Running jobs are finished in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopPolicy {
    /// They are run.
    Drain,
    /// They never run. Each is told so ([`NeverRan::CancelledByStop`](crate::error::NeverRan::CancelledByStop)) and
    /// dropped, on the thread that stops the pool.
    CancelQueued,
}

impl From<StopPolicy> for Policy {
    fn from(policy: StopPolicy) -> Self {
        match policy {
            StopPolicy::Drain => Self::Drain,
            StopPolicy::CancelQueued => Self::CancelQueued,
        }
    }
}

/// A job that was still running when the time for a stop was over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Straggler {
    /// The job's name, if it was given one, and where it was made.
    pub job: JobLabel,
    /// The number of the worker that runs it. Its thread is called `<pool>-<number>`.
    pub worker: usize,
    /// How long it has been running. Start times exist only for named or ticketed jobs; for others this is the time
    /// since the call to [`stop_within`](crate::ThreadPool::stop_within).
    pub running_for: Duration,
}

/// Why [`ThreadPool::stop_within`](crate::ThreadPool::stop_within) returned before the pool had stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopWithinError {
    /// The caller is one of the pool's own workers, or tells one of its jobs that it never runs, and would wait for
    /// itself. Nothing has changed.
    FromWorker,
    /// The time is over. The pool goes on stopping.
    #[non_exhaustive]
    Unfinished {
        /// The jobs that still run, the longest-running first.
        stragglers: Vec<Straggler>,
        /// How many jobs still wait to be run.
        queued: usize,
    },
}

impl fmt::Display for StopWithinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromWorker => crate::error::StopFromWorker.fmt(f),
            Self::Unfinished { stragglers, queued } => {
                write!(f, "the pool has not stopped in time: {} jobs run", stragglers.len())?;
                if *queued > 0 {
                    write!(f, " and {queued} wait")?;
                }
                for (n, straggler) in stragglers.iter().enumerate() {
                    let separator = if n == 0 { ": " } else { "; " };
                    write!(f, "{separator}{} for {:?}", straggler.job, straggler.running_for)?;
                }
                Ok(())
            }
        }
    }
}

impl Error for StopWithinError {}
