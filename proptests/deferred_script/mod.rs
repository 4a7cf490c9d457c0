//! Random programs over Deferreds against a naive reference: shared by the properties, the fuzz target and the
//! comparison with Twisted.

pub mod actual;
mod check;
pub mod program;
pub mod reference;
pub mod trace;

pub use check::check;
