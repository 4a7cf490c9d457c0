//! What runs: shells around the machines, and everything above them. Compiled over std, and with the feature `loom`
//! also over loom.
//!
//! A shell is a machine, its lock, and the code that carries out the machine's actions: `inbox`, `oneshot` and `pool`,
//! and in `reactor/` the small ones of a task (`spawn`) and of a result that is polled (`polled_oneshot`).

pub(crate) mod api;
mod cache_padded;
pub(crate) mod coordination;
pub(crate) mod deadline;
pub(crate) mod deferred;
pub(crate) mod inbox;
mod job_label;
pub(crate) mod oneshot;
pub(crate) mod pool;
pub(crate) mod reactor;
pub(crate) mod reactor_thread;
pub(crate) mod report;
mod segment_list;
pub mod task;
pub(crate) mod testing;
pub mod threads;
mod typed_queue;
mod wake_hook;

pub(crate) use super::sync;
