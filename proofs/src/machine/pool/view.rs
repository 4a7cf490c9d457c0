//! Both halves of the machine together, made of given fields and read back.

use super::cancellable_queue::Jobs;
use super::sleepers::Sleepers;
use super::state::{Compensation, PoolState, Sizes};
use super::{SubmitQueue, Workers};
use crate::machine::count::Count;
use crate::symbol::{Condition, Int};

/// The machine.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) workers: Workers<Jobs>,
    pub(crate) submit_queue: SubmitQueue<Jobs>,
}

/// What the invariant speaks of, of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) state: PoolState,
    pub(crate) searching: bool,
    pub(crate) saturation_reported: bool,
    pub(crate) open: bool,
    pub(crate) wake_not_needed: bool,
    pub(crate) live: Int,
    pub(crate) starting: Int,
    pub(crate) busy: Int,
    pub(crate) idle: Int,
    pub(crate) blocked: Int,
    pub(crate) exiting: Int,
    pub(crate) waiting_submitters: Int,
    pub(crate) refusing: Int,
    pub(crate) asleep_untimed: Int,
    pub(crate) asleep_timed: Int,
    pub(crate) asleep_untimed_until: Int,
    pub(crate) min: Int,
    pub(crate) max: Int,
    pub(crate) workers_queue: Int,
    pub(crate) submit_queue: Int,
    pub(crate) free_slots: Int,
    /// Of the job that is watched, in each queue.
    pub(crate) workers_position: Int,
    pub(crate) submit_position: Int,
}

impl Machine {
    /// A machine with these fields. `bound` and `compensation` never change; nobody sees the start failures reported.
    pub(crate) fn new(fields: Fields, bound: Int, compensation: Compensation) -> Self {
        let target = Sizes { min: Count(fields.min), max: Count(fields.max) };
        let mut workers = Workers::<Jobs>::new(target, compensation);
        workers.state = fields.state;
        workers.searching = fields.searching;
        workers.saturation_reported = fields.saturation_reported;
        workers.live = Count(fields.live);
        workers.starting = Count(fields.starting);
        workers.busy = Count(fields.busy);
        workers.idle = Count(fields.idle);
        workers.blocked = Count(fields.blocked);
        workers.exiting = Count(fields.exiting);
        workers.waiting_submitters = Count(fields.waiting_submitters);
        workers.refusing = Count(fields.refusing);
        workers.sleepers.untimed = Count(fields.asleep_untimed);
        workers.sleepers.timed = Count(fields.asleep_timed);
        workers.sleepers.untimed_until = Count(fields.asleep_untimed_until);
        workers.queue.len = Count(fields.workers_queue);
        workers.queue.position = fields.workers_position;
        let mut submit_queue = SubmitQueue::<Jobs>::new(Count(bound));
        submit_queue.open = fields.open;
        submit_queue.wake_not_needed = fields.wake_not_needed;
        submit_queue.free_slots = Count(fields.free_slots);
        submit_queue.queue.len = Count(fields.submit_queue);
        submit_queue.queue.position = fields.submit_position;
        Self { workers, submit_queue }
    }

    /// A machine as a new pool has it.
    pub(crate) fn fresh(target: Sizes, compensation: Compensation, bound: Int) -> Self {
        Self { workers: Workers::new(target, compensation), submit_queue: SubmitQueue::new(Count(bound)) }
    }

    pub(crate) fn fields(&self) -> Fields {
        let Self { workers, submit_queue } = self;
        Fields {
            state: workers.state,
            searching: workers.searching,
            saturation_reported: workers.saturation_reported,
            open: submit_queue.open,
            wake_not_needed: submit_queue.wake_not_needed,
            live: workers.live.0,
            starting: workers.starting.0,
            busy: workers.busy.0,
            idle: workers.idle.0,
            blocked: workers.blocked.0,
            exiting: workers.exiting.0,
            waiting_submitters: workers.waiting_submitters.0,
            refusing: workers.refusing.0,
            asleep_untimed: workers.sleepers.untimed.0,
            asleep_timed: workers.sleepers.timed.0,
            asleep_untimed_until: workers.sleepers.untimed_until.0,
            min: workers.target.min.0,
            max: workers.target.max.0,
            workers_queue: workers.queue.len.0,
            submit_queue: submit_queue.queue.len.0,
            free_slots: submit_queue.free_slots.0,
            workers_position: workers.queue.position,
            submit_position: submit_queue.queue.position,
        }
    }

    /// Whether the list of sleepers can be as it is.
    pub(crate) fn has_a_list_of_sleepers(&self) -> Condition {
        let sleepers = &self.workers.sleepers;
        Sleepers::can_be(sleepers.untimed.0, sleepers.timed.0, sleepers.untimed_until.0)
    }

    /// Whether the watched job is in one queue at most, and can be where it is.
    pub(crate) fn has_positions(&self) -> Condition {
        let (first, rest) = (&self.workers.queue, &self.submit_queue.queue);
        first.has_position() & rest.has_position() & (first.position.is_zero() | rest.position.is_zero())
    }

    /// How many active workers there may be, as the machine computes it.
    pub(crate) fn limit(&self) -> Int {
        self.workers.limit().0
    }
}
