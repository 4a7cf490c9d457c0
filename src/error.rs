//! What is refused, and why, as types: each says what the caller can do, and hands back what it was given.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::{Failure, Panic};

/// A call or a job that was not accepted, handed back with the reason.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected<J> {
    /// What was not accepted. Nothing of it was run or dropped.
    pub job: J,
    /// Why.
    pub reason: Rejection,
}

impl<J> Rejected<J> {
    pub(crate) fn new(job: J, reason: Rejection) -> Self {
        Self { job, reason }
    }
}

/// Why something was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The reactor has stopped: it runs no more calls.
    ReactorStopped,
    /// The pool has been stopped: it takes no more jobs.
    PoolStopped,
    /// As many jobs wait as the pool's bound allows.
    QueueFull,
    /// As many calls wait as the reactor's bound allows.
    InboxFull,
    /// There was no place in the time that the caller would wait.
    TimedOut,
    /// The caller must not wait: it is one of the pool's own workers, or a reactor lives on its thread.
    WouldDeadlock,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReactorStopped => "the reactor has stopped and runs no more calls; this one is in the error's `job`",
            Self::PoolStopped => {
                "the thread pool has been stopped and takes no more jobs; this one is in the error's `job`"
            }
            Self::QueueFull | Self::InboxFull => "the queue is full; what did not fit is in the error's `job`",
            Self::TimedOut => "the queue was full for as long as the caller would wait; what did not fit is in the error's `job`",
            Self::WouldDeadlock => {
                "this thread must not wait for a place in the queue: others wait for it; what did not fit is in the error's `job`"
            }
        })
    }
}

impl<J> fmt::Display for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

// By hand: a derive would ask `Debug` of the job, which a closure has not, and then no rejection could be unwrapped or `?`ed.
impl<J> fmt::Debug for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<J> Error for Rejected<J> {}

/// Defines an error that is one fact, and the sentence that tells it.
macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident => $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct $name;

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }

        impl Error for $name {}
    )*};
}

facts! {
    /// A turn was asked for inside a turn.
    Reentered => "the reactor is inside a turn already; a callback cannot run another one";
    /// An event trigger was to be removed that is not there: it was removed, it has run, or it belongs to another reactor.
    UnknownTrigger => "no such event trigger: it has run, or was removed, or belongs to another reactor";
    /// The pool has been stopped, and cannot be started again.
    PoolStopped => "the thread pool has been stopped; make a new one";
    /// Jobs wait in a pool, every thread of it is blocked, and no more may be added.
    Saturated => "jobs wait, every thread of the pool is blocked, and no more may be added: allow it more in place of blocked ones (`compensation`), or a higher maximum";
    /// A worker asked its own pool to stop and wait for all workers, itself among them.
    StopFromWorker => "a worker cannot wait for its own pool to stop: stop it from another thread, or drop the last handle";
}

/// Sizes that no pool can have: the minimum is above the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SizeError {
    /// The minimum that was asked for.
    pub min: usize,
    /// The maximum that was asked for.
    pub max: usize,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pool cannot have at least {} and at most {} threads", self.min, self.max)
    }
}

impl Error for SizeError {}

/// Why a reactor could not be built as it was described.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuildError {
    /// The sizes of one of its pools are in the wrong order.
    Size {
        /// The pool's name.
        pool: String,
        /// What was asked for.
        error: SizeError,
    },
    /// Two of its pools were given the same name. (Its own is called `reactor` unless it was named otherwise.)
    DuplicatePool {
        /// The name.
        name: String,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { pool, .. } => write!(f, "the reactor's pool {pool:?} has impossible sizes"),
            Self::DuplicatePool { name } => {
                write!(f, "the reactor cannot have two pools named {name:?}: give one of them another name")
            }
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Size { error, .. } => Some(error),
            Self::DuplicatePool { .. } => None,
        }
    }
}

/// A reactor was asked for a pool that it was not built with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UnknownPool {
    /// The name that was asked for.
    pub name: String,
    /// The names of the pools that there are.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reactor has no pool named {:?}; it has {:?}", self.name, self.known)
    }
}

impl Error for UnknownPool {}

/// Why [`Reactor::stop`](crate::Reactor::stop) did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopError {
    /// The reactor does not run yet, or not any more.
    NotRunning,
    /// It was asked to stop before.
    AlreadyStopping,
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRunning => "the reactor is not running, so it cannot be stopped",
            Self::AlreadyStopping => "the reactor is stopping already",
        })
    }
}

impl Error for StopError {}

/// Why a delayed call cannot be changed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelayedCallError {
    /// It was cancelled.
    AlreadyCancelled,
    /// It has run, or is running now.
    AlreadyCalled,
}

impl fmt::Display for DelayedCallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyCancelled => "the delayed call was cancelled already",
            Self::AlreadyCalled => "the delayed call was called already",
        })
    }
}

impl Error for DelayedCallError {}

/// Why a reactor-owned value could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OwnedError {
    /// It is gone: its owner was dropped, it was released, or the reactor has ended.
    Gone,
    /// It is in use further up the stack.
    Reentered,
}

impl fmt::Display for OwnedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "the reactor-owned value is gone",
            Self::Reentered => "the reactor-owned value is in use by a caller of this call",
        })
    }
}

impl Error for OwnedError {}

/// Why an accepted job never ran.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NeverRan {
    /// Its pool was stopped before it was ever started.
    PoolStopped,
    /// It waited when its pool was stopped with [`StopPolicy::CancelQueued`](crate::StopPolicy::CancelQueued).
    CancelledByStop,
    /// It was cancelled by its [`Ticket`](crate::Ticket) before a worker took it.
    Cancelled,
    /// No worker was alive, and none could be started.
    ThreadStart(Arc<io::Error>),
}

impl fmt::Display for NeverRan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolStopped => f.write_str("the job never ran: its pool was stopped before it was started"),
            Self::CancelledByStop => f.write_str("the job never ran: its pool was stopped, with all jobs that waited"),
            Self::Cancelled => f.write_str("the job never ran: it was cancelled"),
            Self::ThreadStart(_) => f.write_str("the job never ran: the pool has no worker and could not start one"),
        }
    }
}

impl Error for NeverRan {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::PoolStopped | Self::CancelledByStop | Self::Cancelled => None,
            Self::ThreadStart(error) => Some(&**error),
        }
    }
}

/// Why [`blocking_call_from_thread`](crate::threads::blocking_call_from_thread) has no value to return.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlockingCallError {
    /// The function failed, or the Deferred it returned did. The original error is inside.
    Failed(Failure),
    /// The function panicked, or a callback of its Deferred did.
    Panicked(Panic),
    /// The call was made on the reactor's own thread, which would have waited for itself.
    WouldDeadlock,
    /// The reactor has stopped, or stopped before there was an answer.
    ReactorStopped,
    /// There was no answer in this time. A function that had not begun never runs; the result of one that had is dropped.
    TimedOut(Duration),
}

impl fmt::Display for BlockingCallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Panicked(panic) => panic.fmt(f),
            Self::WouldDeadlock => f.write_str(
                "a blocking call on the reactor's own thread would wait for itself: call the function directly",
            ),
            Self::ReactorStopped => f.write_str("the reactor stopped before it answered the blocking call"),
            Self::TimedOut(after) => write!(f, "the reactor did not answer the blocking call within {after:?}"),
        }
    }
}

impl Error for BlockingCallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Shown by Display already, so what comes next is what lies behind it.
            Self::Failed(failure) => failure.source(),
            Self::Panicked(_) | Self::WouldDeadlock | Self::ReactorStopped | Self::TimedOut(_) => None,
        }
    }
}
