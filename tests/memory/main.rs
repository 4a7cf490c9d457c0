//! What calls, jobs and callbacks cost in memory: in this program the global allocator counts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bursts;
mod deferred;
mod inbox;
mod pool;
mod worst_cases;
