//! Errors of locks, semaphores, queues, looping calls and cooperative tasks.

use std::error::Error;
use std::fmt;

use super::messages::messages;

/// Nothing was released, because no permit is [kept](crate::coordination::Permit::keep). A permit with a guard is
/// released by dropping the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OverRelease;

/// The queue is full: the item is handed back inside the error.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct QueueOverflow<T> {
    /// The item that was not put into the queue.
    pub item: T,
}

impl<T> QueueOverflow<T> {
    pub(crate) fn new(item: T) -> Self {
        Self { item }
    }
}

impl<T> fmt::Display for QueueOverflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is full; the item that did not fit is in the error's `item`")
    }
}

// Not derived: that would require `T: Debug`, and an error with an item that is not could be neither unwrapped nor
// passed on with `?`.
impl<T> fmt::Debug for QueueOverflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueOverflow").finish_non_exhaustive()
    }
}

impl<T> Error for QueueOverflow<T> {}

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
