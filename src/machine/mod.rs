//! The explicit state machines: plain values, one method per event, no threads, no clock, no user code.

pub(crate) mod cooperative;
pub(crate) mod deferred;
pub(crate) mod gather;
pub(crate) mod inbox;
pub(crate) mod lifecycle;
pub(crate) mod line;
pub(crate) mod looping;
pub(crate) mod oneshot;
pub(crate) mod permits;
pub(crate) mod pool;
pub(crate) mod stock;
pub(crate) mod task;
pub(crate) mod ticket;

#[cfg(test)]
mod explore;
