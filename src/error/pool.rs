//! Errors of thread pools and their jobs.

use std::io;
use std::sync::Arc;

use super::messages::messages;

/// No pool can have these sizes: the minimum is above the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SizeError {
    /// The minimum that was asked for.
    pub min: usize,
    /// The maximum that was asked for.
    pub max: usize,
}

/// The pool has been stopped, and cannot be started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PoolStopped;

/// Jobs wait, every thread of the pool is blocked, and the pool may not add a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Saturated;

/// A worker asked its own pool to stop and wait for all workers, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StopFromWorker;

/// Why an accepted job never ran.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NeverRan {
    /// Its pool was stopped without ever having been started.
    PoolStopped,
    /// It was queued when its pool was stopped with
    /// [`StopPolicy::CancelQueued`](crate::pool::StopPolicy::CancelQueued).
    CancelledByStop,
    /// It was cancelled by its [`Ticket`](crate::pool::Ticket) before a worker took it.
    Cancelled,
    /// The pool had no worker and could not start one.
    ThreadStart(Arc<io::Error>),
}

messages! {
    SizeError {
        Self { min, max } => "the minimum of {min} threads is above the maximum of {max}",
    }
    PoolStopped {
        Self => "the thread pool has been stopped; make a new one",
    }
    Saturated {
        Self => "jobs wait, every thread of the pool is blocked, and no thread may be added: allow more threads in \
                 place of blocked ones (`compensation`), or raise the maximum",
    }
    StopFromWorker {
        Self => "a worker cannot wait for its own pool to stop: call `ask_to_stop`, which does not wait, or stop the \
                 pool from another thread",
    }
    NeverRan {
        Self::PoolStopped => "the job never ran: its pool was stopped before it was started",
        Self::CancelledByStop => "the job never ran: its pool was stopped, and the stop cancelled all queued jobs",
        Self::Cancelled => "the job never ran: it was cancelled",
        Self::ThreadStart(_) => "the job never ran: the pool has no worker and could not start one",
    } => source {
        Self::ThreadStart(error) => Some(&**error),
    }
}
