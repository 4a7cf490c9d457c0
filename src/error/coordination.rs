//! Errors of locks, semaphores, queues, looping calls and cooperative tasks.

use std::error::Error;
use std::fmt;

use super::messages::messages;

/// Nothing was released, because no permit is [kept](crate::coordination::Permit::keep). A permit with a guard is
/// released by dropping the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OverRelease;

/// An item that a queue did not accept, and why.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PutError<T> {
    /// The item that was not put into the queue.
    pub item: T,
    /// Why it was not accepted.
    pub reason: PutRejection,
}

/// Why a queue did not accept an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PutRejection {
    /// The queue is full, and nobody waits for an item.
    Full,
    /// The queue was [closed](crate::coordination::DeferredQueue::close).
    Closed,
}

impl<T> PutError<T> {
    pub(crate) fn new(item: T, reason: PutRejection) -> Self {
        Self { item, reason }
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

// Not derived: that would require `T: Debug`, and an error with an item that is not could be neither unwrapped nor
// passed on with `?`.
impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutError").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<T> Error for PutError<T> {}

/// The queue was [closed](crate::coordination::DeferredQueue::close), and has no item for who asked: no more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueClosed;

/// The queue is empty, and as many callers wait for an item as its limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueUnderflow;

/// Why a [`LoopingCall`](crate::task::LoopingCall) could not be started, stopped or reset. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoopingCallError {
    /// It was started and has not ended: it runs, or is in its last call.
    AlreadyRunning,
    /// It was not started, or has been stopped.
    NotRunning,
}

/// A [`CooperativeTask`](crate::task::CooperativeTask) has ended, so it cannot be paused or stopped. Except for
/// `Done`, it is also the error that [`when_done`](crate::task::CooperativeTask::when_done) fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskFinished {
    /// Its iterator is exhausted.
    Done,
    /// It was stopped.
    Stopped,
    /// A step failed. The first caller of `when_done` got the error of the step.
    Failed,
    /// Its cooperator was stopped.
    SchedulerStopped,
}

messages! {
    OverRelease {
        Self => "there is no kept permit to release: a permit with a guard is released by dropping the guard",
    }
    PutRejection {
        Self::Full => "the queue is full; the item that did not fit is in the error's `item`",
        Self::Closed => "the queue is closed and takes no more items; this one is in the error's `item`",
    }
    QueueClosed {
        Self => "the queue is closed and empty: no more items will come",
    }
    QueueUnderflow {
        Self => "the queue is empty, and no more callers may wait for an item",
    }
    LoopingCallError {
        Self::AlreadyRunning => "the looping call is running already, or is in its last call",
        Self::NotRunning => "the looping call is not running",
    }
    TaskFinished {
        Self::Done => "the task is done",
        Self::Stopped => "the task was stopped",
        Self::Failed => "the task has failed; the first caller of `when_done` got the error",
        Self::SchedulerStopped => "the cooperator of the task was stopped",
    }
}
