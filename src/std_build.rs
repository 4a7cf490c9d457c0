//! The runtime over std: what the crate's root re-exports.
//!
//! A module of its own, because the runtime finds `sync` in its parent: here that is std's, in [`loom`](crate::loom)
//! loom's.

#[path = "sync/std.rs"]
pub(crate) mod sync;

#[path = "runtime/mod.rs"]
pub(crate) mod runtime;
