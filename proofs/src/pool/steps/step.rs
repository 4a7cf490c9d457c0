//! What a step is.

use super::super::world::World;
use crate::symbol::Condition;

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Threads and callers that are at work: they go on by themselves.
    Own,
    /// Jobs and hooks that end, which is the program's affair.
    OfUser,
    /// A call from outside, a spurious wake, an expired timeout, a failure, a job that begins to wait.
    Outside,
}

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

/// A step.
pub struct Step {
    pub name: &'static str,
    pub kind: Kind,
    pub to_queued: Effect,
    /// It wakes or spawns a worker, if there is none that is certain to come.
    pub calls_for_help: bool,
    /// The events of the exhaustive search, as `src/machine/explore/pool/parts.rs` names them, that this one is.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares them"))]
    pub events: &'static [&'static str],
    /// A job is submitted.
    pub submits: bool,
    /// Blocked workers are not compensated for while the maximum is one.
    pub not_for_one: bool,
    /// Whether it can be taken.
    pub enabled: fn(&World) -> Condition,
    pub run: fn(&mut World) -> Option<()>,
}

/// What most steps have in common.
pub const STEP: Step = Step {
    name: "",
    kind: Kind::Own,
    to_queued: Effect::None,
    calls_for_help: false,
    events: &[],
    submits: false,
    not_for_one: false,
    enabled: |_| Condition::TRUE,
    run: |_| Some(()),
};
