//! Twisted's own tests, translated: one test for each of its names.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod defer;
mod defer_collections;
mod internet_threads;
mod task;
mod team;
mod threadpool;
mod threads;
mod trial;
