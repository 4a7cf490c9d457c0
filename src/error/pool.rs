//! Errors of thread pools and their jobs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

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

/// This thread must not wait for the pool to stop, because the pool may wait for this thread: it is one of the pool's
/// own workers, or it is inside another stop of the pool or a start of its threads (in a job that is told that it never
/// runs, a sink, or a function of [`on_cancel`](crate::pool::CancelToken::on_cancel)), or a reactor lives on it.
///
/// [`ask_to_stop`](crate::ThreadPool::ask_to_stop) does not wait, and [`stopped`](crate::ThreadPool::stopped) tells a
/// reactor when the pool has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct WouldDeadlock;

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
    /// It was still in the queue when its [limit there](crate::Job::queue_limit), this one, had passed.
    TimedOut(Duration),
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
    WouldDeadlock {
        Self => "the pool may wait for this thread, which is one of its workers, is inside another stop or start of \
                 it, or has a reactor: call `ask_to_stop` and wait with `stopped`, or stop it on another thread",
    }
    NeverRan {
        Self::PoolStopped => "the job never ran: its pool was stopped before it was started",
        Self::CancelledByStop => "the job never ran: its pool was stopped, and the stop cancelled all queued jobs",
        Self::Cancelled => "the job never ran: it was cancelled",
        Self::TimedOut(after) => "the job never ran: no worker had taken it after {after:?} in the queue",
        Self::ThreadStart(_) => "the job never ran: the pool has no worker and could not start one",
    } => source {
        Self::ThreadStart(error) => Some(&**error),
    }
}
