//! The error that hands back a call or a job that was not accepted, with the reason.

use std::error::Error;
use std::fmt;

use super::messages::messages;
use crate::failure::Failure;

/// A call or a job that was not accepted, and why.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected<J> {
    /// What was not accepted, as it was: not run, and not dropped. Only in the failure of a Deferred, which is a
    /// `Rejected<()>`, is nothing here: the function was dropped where it was not accepted.
    pub job: J,
    /// Why it was not accepted.
    pub reason: Rejection,
}

/// Why a call or a job was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The reactor has stopped and runs no more calls.
    ReactorStopped,
    /// The pool has been stopped and takes no more jobs.
    PoolStopped,
    /// The pool's bounded queue is full.
    QueueFull,
    /// The reactor's bounded inbox is full.
    InboxFull,
    /// The queue or inbox was still full when the caller's timeout passed.
    TimedOut,
    /// The caller must not wait: it is one of the pool's own workers, or a reactor lives on its thread.
    WouldDeadlock,
}

messages! {
    Rejection {
        Self::ReactorStopped => "the reactor has stopped and runs no more calls",
        Self::PoolStopped => "the thread pool has been stopped and takes no more jobs",
        Self::QueueFull =>
            "the pool's queue is full: submit the job later, or as a `Job` that waits (`when_full`)",
        Self::InboxFull =>
            "the reactor's inbox is full: post the call later, or wait for a slot with `call_from_thread_waiting`",
        Self::TimedOut =>
            "the pool's queue or the reactor's inbox was full until the caller's timeout passed: try again later, or \
             with a longer timeout",
        Self::WouldDeadlock =>
            "this thread must not wait for a slot, because it could wait for itself: use `call_from_thread`, or \
             `defer_to_thread`, whose job waits without blocking, or a job that does not wait (`WhenFull::Return`)",
    }
}

impl Rejection {
    /// The reason in the failure of a Deferred whose job was not accepted; `None` if it has failed for another reason.
    ///
    /// ```
    /// use selvedge::{Reactor, error::Rejection, pool::StopPolicy, threads};
    ///
    /// let reactor = Reactor::new();
    /// reactor.thread_pool().ask_to_stop(StopPolicy::Drain);
    /// let refused = threads::defer_to_thread(&reactor, || ()).try_result().ok().unwrap().unwrap_err();
    /// assert_eq!(Rejection::of(&refused), Some(Rejection::PoolStopped));
    /// ```
    #[must_use]
    pub fn of(failure: &Failure) -> Option<Self> {
        failure.downcast_ref::<Rejected<()>>().map(|rejected| rejected.reason)
    }
}

impl<J> Rejected<J> {
    pub(crate) fn new(job: J, reason: Rejection) -> Self {
        Self { job, reason }
    }
}

impl<J> fmt::Display for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

// Not derived: that would require `J: Debug`, which no closure is, so a rejected closure could be neither unwrapped nor
// passed on with `?`.
impl<J> fmt::Debug for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<J> Error for Rejected<J> {}
