//! The repository itself: clauses and their checks, links of the documents, words of the sources.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod architecture;
mod cancel_safety;
mod costs;
mod diagrams;
mod links;
mod must_use;
mod readme;
mod spec;
#[path = "../support/tokens.rs"]
mod tokens;
mod words;
