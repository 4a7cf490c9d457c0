//! What a worker remembers while it runs a job or sleeps.

use super::super::deadline::Deadline;
use super::wake_ahead::ArrivalsAtStart;
use crate::machine::pool::{WorkerId, WorkerSlot};

/// One worker's own state. It lives on the worker's stack, or with the stepper.
pub(super) struct WorkerState {
    pub(super) id: WorkerId,
    /// Its slot in the machine, among the activities, and among the places to wait.
    pub(super) slot: WorkerSlot,
    /// It has searched (spun) since its last job, and must not do so again before the next.
    pub(super) searched: bool,
    /// It has just been woken. Only then can its keep-alive have passed.
    pub(super) was_asleep: bool,
    pub(super) arrivals_at_start: ArrivalsAtStart,
    /// When its keep-alive passes. Set when it first sleeps above the minimum, cleared when it has run a job.
    pub(super) keep_alive_end: Option<Deadline>,
}

impl WorkerState {
    pub(super) fn new(id: WorkerId) -> Self {
        Self {
            id,
            slot: 0,
            searched: false,
            was_asleep: false,
            arrivals_at_start: ArrivalsAtStart::default(),
            keep_alive_end: None,
        }
    }
}
