//! What calls, jobs and callbacks cost at a million, in memory and on the stack: in this program the global allocator counts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod bursts;
mod deferred;
mod inbox;
mod pool;
mod stack;
mod worst_cases;
