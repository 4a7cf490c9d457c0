//! The error types of this crate, except for [`StopWithinError`](crate::pool::StopWithinError), which is in the
//! module `pool`.
//!
//! Each says what the caller can do. They are of three kinds:
//!
//! - **Errors that a method returns.** [`Rejected`] hands back the call or job that was not accepted, and its
//!   [`Rejection`] says why; [`PutError`] hands back the item of a queue. The others say which rule the caller broke:
//!   [`StopError`], [`DelayedCallError`], [`OwnedError`], [`BuildError`] and so on.
//! - **Failures** travel through Deferreds, as the original error of a [`Failure`](crate::Failure): [`Cancelled`],
//!   [`TimedOut`], [`Abandoned`], [`QueueClosed`], [`ReactorStopped`], a [`Panic`]; of several Deferreds together,
//!   [`FirstError`] and [`FailureGroup`].
//! - **[`NeverRan`]** says why a job that was accepted did not run; **[`BlockingCallError`]** says why a thread that
//!   waited for the reactor got no value.
//!
//! ```
//! use selvedge::Reactor;
//! use selvedge::error::{Rejection, StopError};
//!
//! let reactor = Reactor::new();
//! assert_eq!(reactor.stop(), Err(StopError::NotRunning));
//!
//! let handle = reactor.handle();
//! drop(reactor);
//! let rejected = handle.call_from_thread(|_| ()).unwrap_err();
//! assert_eq!(rejected.reason, Rejection::ReactorStopped);
//! // The call itself is handed back too.
//! let _call = rejected.job;
//! ```

mod coordination;
mod deferred;
mod messages;
mod pool;
mod reactor;
mod rejection;
#[cfg(test)]
mod tests;

pub use self::coordination::{
    LoopingCallError, OverRelease, PutError, PutRejection, QueueClosed, QueueUnderflow, TaskFinished,
};
pub use self::deferred::{Abandoned, Cancelled, NotPaused, TimedOut, WaitsForItself};
pub(crate) use self::deferred::{is_cancellation, is_cancelled, is_stop};
pub use self::pool::{NeverRan, PoolStopped, Saturated, SizeError, WouldDeadlock};
pub use self::reactor::{
    AdvanceError, BlockingCallError, BuildError, DelayedCallError, FireEventError, JoinError, OwnedError,
    ReactorStopped, Reentered, SpawnError, StopError, Unavailable, UnknownPool, UnknownTrigger,
};
pub use self::rejection::{Rejected, Rejection};
pub use crate::failure::{ErrorTypes, FailureError, FailureGroup, FirstError, Panic, SharedFailure};
