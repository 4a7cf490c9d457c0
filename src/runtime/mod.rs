//! Everything that runs. Compiled over std, and with the feature `loom` once more over loom.

mod cache_padded;
pub(crate) mod coordination;
pub(crate) mod deadline;
pub(crate) mod deferred;
pub(crate) mod inbox;
mod label;
pub(crate) mod oneshot;
pub(crate) mod pool;
pub(crate) mod reactor;
pub(crate) mod reactor_thread;
pub(crate) mod report;
pub mod task;
pub mod threads;
mod typed_queue;

pub(crate) use super::sync;

/// What a program sees of all this.
pub(crate) mod prelude {
    pub use super::coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit};
    pub use super::deferred::*;
    pub use super::label::JobLabel;
    pub use super::pool::{
        CancelToken, Cancellation, Job, PoolBuilder, PoolStats, PoolTimes, Stage, Step, Stepper, StopPolicy,
        StopWithinError, Straggler, ThreadPool, Ticket, Worker,
    };
    pub use super::reactor::{
        Address, Call, DelayedCall, Event, Handle, LocalHandle, Owned, Phase, Reactor, ReactorBuilder, SendFuture,
        TriggerId, Turn, VirtualClock,
    };
    pub use super::report::{Incident, Report};
}
