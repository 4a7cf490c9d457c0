//! What is said of a step of the pool besides what is said of any machine's.

use super::super::world::World;
use crate::induction::{Kind, Step};
use crate::symbol::Condition;

/// What a step does to a job that waits in a queue. None moves it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Brings the end of its wait nearer: it moves a worker.
    Nearer,
    /// Does not put the end of its wait off.
    None,
    /// May put it off: the pool is started, resized or stopped, a thread cannot be spawned, or a job begins to wait.
    Delay,
}

/// What is said of a step.
pub struct Besides {
    pub to_queued: Effect,
    /// It wakes or spawns a worker, if there is none that is certain to come.
    pub calls_for_help: bool,
    /// A job is submitted.
    pub submits: bool,
    /// Blocked workers are not compensated for while the maximum is one.
    pub not_for_one: bool,
}

pub const NO_EFFECT: Besides =
    Besides { to_queued: Effect::None, calls_for_help: false, submits: false, not_for_one: false };
pub const NEARER: Besides = Besides { to_queued: Effect::Nearer, ..NO_EFFECT };
pub const DELAY: Besides = Besides { to_queued: Effect::Delay, ..NO_EFFECT };

/// What most steps have in common.
pub const STEP: Step<World> = Step {
    name: "",
    kind: Kind::Own,
    events: &[],
    besides: NO_EFFECT,
    enabled: |_| Condition::TRUE,
    run: |_| Some(()),
};
