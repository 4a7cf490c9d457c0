//! What locks, semaphores, queues, looping calls and cooperative tasks refuse.

use std::error::Error;
use std::fmt;

use super::messages::messages;

/// Nothing was released, because no permit is [kept](crate::coordination::Permit::keep). A permit with a guard is
/// released by dropping the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OverRelease;

/// The queue is full: the error returns the item.
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
        f.write_str("the queue holds as many items as it may; this one is in the error's `item`")
    }
}

// Not derived: that would require `T: Debug`, and the error of an item without it could not be unwrapped or `?`ed.
impl<T> fmt::Debug for QueueOverflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueOverflow").finish_non_exhaustive()
    }
}

impl<T> Error for QueueOverflow<T> {}

/// The queue is empty, and the limit of waiting takers is reached.
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

/// A [`CooperativeTask`](crate::task::CooperativeTask) has ended, so that it cannot be paused or stopped. Those who
/// wait for its end also get this error, except for `Done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskFinished {
    /// Its iterator is exhausted.
    Done,
    /// It was stopped.
    Stopped,
    /// A step failed. The first who waited for its end got the error.
    Failed,
    /// Its cooperator was stopped.
    SchedulerStopped,
}

messages! {
    OverRelease {
        Self => "no permit was kept that could be released: one that has its guard is given back by dropping that",
    }
    QueueUnderflow {
        Self => "the queue is empty, and as many wait for its items as may",
    }
    LoopingCallError {
        Self::AlreadyRunning => "the looping call runs already, or is still in its last call",
        Self::NotRunning => "the looping call does not run",
    }
    TaskFinished {
        Self::Done => "the task is done",
        Self::Stopped => "the task was stopped",
        Self::Failed => "the task has failed; whoever asked for its end first has the error",
        Self::SchedulerStopped => "the cooperator of the task was stopped",
    }
}
