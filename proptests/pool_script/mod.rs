//! Random programs for a pool without threads, stepped on one thread and compared with a naive reference: shared by the
//! property and the fuzz target.

pub mod actual;
pub mod program;
pub mod reference;

pub use actual::run as check;
