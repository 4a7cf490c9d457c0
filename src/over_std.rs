//! The runtime over std: the crate that everybody links.

#[path = "sync/over_std.rs"]
pub(crate) mod sync;

#[path = "runtime/mod.rs"]
pub(crate) mod runtime;
