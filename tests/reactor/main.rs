//! The reactor: its life and turns, timers, triggers, values it owns, repeated tasks, and futures that run on it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod around_turns;
mod bad_hosts;
mod busy_hooks;
mod callers;
mod end;
mod futures;
mod hosted;
mod lifecycle;
mod own_thread;
mod owned;
mod quiet_end;
mod shown;
mod spans;
mod tasks;
mod test_reactor;
mod timers;
mod triggers;
mod virtual_time;
