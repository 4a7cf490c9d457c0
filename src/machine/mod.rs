//! The state machines: plain values with one method for each event; no threads, no clock, no user code.
//!
//! Each is guarded by a lock of the runtime, or lives on the reactor's thread. A transition returns what its caller
//! owes, which is carried out when the lock is released. Beside each source lies the machine's table (`.md`), generated
//! by the exhaustive search in `explore`, which is compiled for tests only.

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
pub(crate) mod wait_queue;

#[cfg(test)]
mod explore;
