//! Reactor and pool together: the bridges between threads, hostile input, stress, and linearizable histories.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod abandoned;
mod bounds;
mod bridges;
mod conservation;
mod elsewhere;
mod founding;
mod hostile;
mod limits;
mod linearizable;
mod never_block;
mod orders;
mod promises;
mod reports;
mod slots;
mod stress;
