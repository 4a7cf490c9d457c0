//! Properties: the whole system under random use, against a naive reference and against crossbeam-channel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check fails by panicking"
)]

mod corpus;
mod histogram;
mod hooks;
mod inbox;
mod known;
mod many_pools;
mod ordering;
mod pool;
mod pool_script;
mod regressions;
mod results;
mod script;
mod single_step;
mod strategy;
mod worker_hooks;
