//! The explicit state machines: plain values, one method per event, no threads, no clock, no user code.

pub(crate) mod cooperator;
pub(crate) mod deferred;
pub(crate) mod gather;
pub(crate) mod inbox;
pub(crate) mod item_queue;
pub(crate) mod lifecycle;
pub(crate) mod looping_call;
pub(crate) mod oneshot;
pub(crate) mod pool;
pub(crate) mod semaphore;
pub(crate) mod task;
pub(crate) mod ticket;
pub(crate) mod wait_queue;

#[cfg(test)]
mod explore;
