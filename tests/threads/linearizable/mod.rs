//! Linearizability: what threads did to the pool and to the inbox at the same time comes to what one thread could have done, in some order that
//! agrees with the clock.
//!
//! Histories are recorded on real threads, a few dozen operations each and many times over; `loom_tests/linearizable.rs` records them in
//! every interleaving of small models. Both are held to the same specifications by the same checker, which can fail: see the planted histories.

mod checker;
mod history;
mod inbox;
mod planted;
mod pool;
mod sequential;

use std::sync::atomic::AtomicU64 as Clock;
