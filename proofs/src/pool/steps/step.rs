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

/// A step.
pub struct Step {
    pub name: &'static str,
    pub kind: Kind,
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
    events: &[],
    submits: false,
    not_for_one: false,
    enabled: |_| Condition::TRUE,
    run: |_| Some(()),
};
