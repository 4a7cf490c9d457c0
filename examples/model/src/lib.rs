//! A crate that model-checks itself: its own sources are compiled over `selvedge`, and in its tests once more over
//! `selvedge::loom`.
//!
//! `cache.rs` imports from `super::selvedge`. In this file that name is the crate itself, in `models.rs` it is
//! `selvedge::loom`. `cargo test -p selvedge-example-model` runs both.

pub mod cache;

// For programs, `super::selvedge` is the crate itself.
use ::selvedge;

#[cfg(test)]
mod bug;
#[cfg(test)]
mod models;
