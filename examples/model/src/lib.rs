//! A crate that model-checks itself: its own sources are compiled over `selvedge`, and in its tests once more over
//! `selvedge::loom`.
//!
//! The sources say `super::selvedge`, and the module that holds them says which of the two that is: here the first, in
//! `models.rs` the second.

pub mod cache;

// What `super::selvedge` is for programs.
use ::selvedge;

#[cfg(test)]
mod bug;
#[cfg(test)]
mod models;
