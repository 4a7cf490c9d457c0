//! The models: loom explores every interleaving of the shells, the pool and the bridge.
//!
//! `cargo test --features loom --test loom` runs them all. Each is searched without and, if that is feasible, with a
//! chaos thread, which wakes sleeping threads spuriously; there is no bound on preemptions. The number of iterations
//! must be the one in `LEDGER.md`, and so must what the executions come to (`witness.rs`), so that a search that has
//! become smaller is seen. `tests/mutants/replay` breaks the
//! code in one place at a time and demands that the named model fails.
//!
//! What loom itself cannot see is pinned in `calibrate.rs` and `litmus.rs`; `brute_force.rs` compares it with every
//! interleaving.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "models fail by panicking")]

mod bridge;
mod brute_force;
mod calibrate;
mod cancel;
mod ends;
mod explore;
mod hooks;
mod hosted;
mod inbox;
mod ledger;
mod limits;
mod linearizable;
mod litmus;
mod oneshot;
mod pairs;
mod pool;
mod probes;
mod programs;
mod resize;
mod slots;
mod starts;
mod task;
mod waits;
mod witness;
