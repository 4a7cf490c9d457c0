//! The steps of threads and callers: who moves from where to where, while which transition runs.

mod callers;
mod owed;
mod step;
mod workers;

pub use self::step::{Besides, Effect};
use super::world::World;
use crate::events::pool::Event;
use crate::induction::Step;

/// All steps.
pub const STEPS: &[&[Step<World>]] = &[workers::STEPS, owed::STEPS, callers::STEPS];

const _: () = assert!(Event::are_the_steps_of::<World>());
