//! What must compile and what must not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod errors;
mod misuse;
mod must_use;
mod types;
