//! Properties: the whole system under random use, against a naive reference and against crossbeam-channel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check fails by panicking"
)]

mod coordinate;
mod corpus;
mod deferred;
mod inbox;
mod known;
mod lists;
mod ordering;
mod pool;
mod regressions;
mod results;
mod script;
mod strategy;
mod tasks;
