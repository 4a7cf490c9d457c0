//! The steps of threads and callers: who moves from where to where, while which transition runs.

mod callers;
mod owed;
mod step;
mod workers;

pub use self::step::{Effect, Kind, Step};

/// All steps.
pub fn steps() -> impl Iterator<Item = &'static Step> {
    [workers::STEPS, owed::STEPS, callers::STEPS].into_iter().flatten()
}
