//! Deferreds: chains, cancellation, pauses, timeouts, lists, and the locks and queues that hand out Deferreds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod abandoned;
mod cancel;
mod chain;
mod coordination;
mod failure;
mod given_away;
mod given_up;
mod late_thread;
mod leaks;
mod lists;
mod nested;
mod pause;
mod said;
mod timeout;
mod unhandled;
