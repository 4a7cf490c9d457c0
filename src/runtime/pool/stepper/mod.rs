//! A pool without threads, for tests and simulations: the program decides which worker does its next step, and when.

mod handle;
mod workers;

pub use self::handle::{Step, Stepper};
pub use self::workers::Stage;
pub(super) use self::workers::SteppedWorkers;
