//! The models: every interleaving of the shells, the pool and the bridge, as loom's scheduler sees them.
//!
//! `cargo test --features loom --test loom` runs them all. Each searches twice, with and without a chaos thread that wakes whoever
//! sleeps for no reason, with no bound on preemptions, and is held to the number of iterations in `LEDGER.md`: a change that makes
//! a search smaller is seen, not passed over. `tests/mutants/replay` breaks the code, line by line, and demands that a model fails.
//!
//! What loom itself cannot see, and why the shells are shaped as they are, is pinned in `calibrate.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is how models fail")]

mod bridge;
mod calibrate;
mod explore;
mod hooks;
mod inbox;
mod ledger;
mod linearizable;
mod oneshot;
mod pairs;
mod pool;
mod resize;
mod starts;
mod task;
mod waits;
mod witness;
