//! The programs of `examples/`: what they print, and that they end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod database;
mod example;
mod founding;
#[cfg(target_os = "linux")]
mod hash_tree;
#[cfg(target_os = "linux")]
mod hash_tree_check;
mod job_runner;
mod programs;
mod recorder;
mod retry;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod tree;
