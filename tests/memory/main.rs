//! What a million calls, jobs and callbacks cost in memory and on the stack: the global allocator counts here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod bursts;
mod deferred;
mod inbox;
mod pool;
mod stack;
mod timers;
mod worst_cases;
