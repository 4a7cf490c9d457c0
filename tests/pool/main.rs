//! The thread pool: its life, hooks, statistics and waits, at scale and under stress.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
mod at_scale;
mod description;
mod endings;
mod failing_starts;
mod hooks;
mod idle_workers;
mod lifecycle;
mod limits;
mod many_pools;
mod nested;
mod offered_again;
mod on_cancel;
mod stats;
mod stepper;
mod stop_policies;
mod stress;
#[cfg(target_os = "linux")]
mod thread_start;
mod waits;
mod worker_hooks;
