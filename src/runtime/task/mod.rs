//! Calls made later, calls made at intervals, and long computations done in slices: Twisted's `task` module.
//!
//! - [`defer_later`]: a call after a delay, and a Deferred of its result;
//! - [`LoopingCall`]: a function that is called at every interval;
//! - [`Cooperator`]: iterators that share the reactor's turns, a slice of time in each.
//!
//! With a [`VirtualClock`](crate::testing::VirtualClock) all of it is deterministic: see
//! [`Reactor::advance`](crate::Reactor::advance).

mod cooperator;
mod defer_later;
mod looping_call;
mod outcome;
mod timer;

pub use self::cooperator::{CooperativeTask, Cooperator};
pub use self::defer_later::defer_later;
pub use self::looping_call::{LoopingCall, Tick};
