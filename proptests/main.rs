//! Properties: the whole system under random use, against a naive reference and against crossbeam-channel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check fails by panicking"
)]

mod codec;
mod coordination;
mod corpus;
mod deferred;
mod deferred_script;
mod histogram;
mod hooks;
mod inbox;
mod lists;
mod many_pools;
mod many_types;
mod nested;
mod platform;
mod pool;
mod pool_script;
mod reactor;
mod reactor_script;
mod regressions;
mod results;
mod single_step;
mod system;
mod system_script;
mod tasks;
mod worker_hooks;
mod written;
