//! Linearizability: whatever threads do to the pool or the inbox concurrently has the effect of some sequential order
//! that agrees with the clock.
//!
//! Histories of a few dozen operations each are recorded on real threads, many times over. `loom_tests/linearizable.rs`
//! records histories of small models in every interleaving. The same checker holds both to the same specifications.

mod checker;
mod history;
mod inbox;
mod planted;
mod pool;
mod sequential;

use std::sync::atomic::AtomicU64 as Clock;
