//! The matrix: every place where a stranger's code runs, and everything that such code may do there.
//!
//! A *site* is such a place; `sites/` has one file for each kind. `behaviours.rs` has what the code does. `outcomes.rs`
//! says what comes of each pair, and `cell.rs` runs one pair and watches: the loop answers, a job runs, reports are
//! exact, everything ends, and everything is dropped. A pair may hang or abort, so `runner.rs` runs them in processes
//! of their own. `docs/matrix.md` is the table of all outcomes.
//!
//! Checks: P95

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod act;
mod behaviours;
mod cell;
#[path = "../support/converted.rs"]
mod converted;
mod outcomes;
mod runner;
mod scan;
mod sites;
mod table;
#[path = "../support/tokens.rs"]
mod tokens;
