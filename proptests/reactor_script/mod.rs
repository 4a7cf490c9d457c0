//! Random programs against a naive reference: shared by the properties and the fuzz target.

pub mod actual;
mod check;
pub mod manual_workers;
pub mod program;
pub mod reference;
pub mod trace;

pub use check::check;
