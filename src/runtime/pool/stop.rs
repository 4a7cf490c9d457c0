//! Stopping a pool: what becomes of jobs that wait, and what is told when the time is over.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::super::label::JobLabel;
use crate::machine::pool::Policy;

/// What stopping a pool does with jobs that no worker has taken yet. Those that run are finished in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopPolicy {
    /// They are run.
    Drain,
    /// They never run: each is told so ([`NeverRan::CancelledByStop`](crate::error::NeverRan::CancelledByStop)) and dropped, on the thread that stops the pool.
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

/// A job that still ran when the time for stopping was over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Straggler {
    /// Which job: its name, if it was given one, and where it was made.
    pub job: JobLabel,
    /// The number of the worker that runs it: its thread is called `<pool>-<number>`.
    pub worker: usize,
    /// How long it has been running. Of a job that has neither name nor ticket: since this was asked, so that long at least. No clock is read for what nobody watches.
    pub running_for: Duration,
}

/// Why [`ThreadPool::stop_within`](crate::ThreadPool::stop_within) did not see the pool's end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopWithinError {
    /// The caller is one of the pool's own workers, and would wait for itself. Nothing has changed.
    FromWorker,
    /// The time is over. The pool is stopping, and goes on with that.
    #[non_exhaustive]
    Unfinished {
        /// The jobs that still run, the longest first.
        stragglers: Vec<Straggler>,
        /// How many wait behind them, to be run.
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
