//! What each worker does that may take long, for the report of a stop that runs out of time.

use super::super::job_label::{JobLabel, JobTrace};
use super::super::sync::Instant;
use super::cancel_token::CancelToken;
use super::slots::Slots;
use super::stop::{Straggler, WorkerActivity};
use crate::machine::pool::{WorkerId, WorkerSlot};

/// What a worker does, unless it looks for a job or sleeps.
pub(super) enum Activity {
    StartHooks(Instant),
    /// A job, with its token if it has a ticket.
    Job(JobTrace, Option<CancelToken>),
    StopHooks(Instant),
}

/// What the workers do, guarded by the workers' lock. A worker has a slot from its start until its last transition.
#[derive(Default)]
pub(super) struct Activities(Slots<(WorkerId, Activity)>);

impl Activities {
    /// The slot that the next worker will be given.
    pub(super) fn next_slot(&self) -> WorkerSlot {
        self.0.next_slot()
    }

    pub(super) fn take_slot(&mut self) -> WorkerSlot {
        self.0.take_slot()
    }

    pub(super) fn free_slot(&mut self, slot: WorkerSlot) {
        self.0.free_slot(slot);
    }

    #[inline]
    pub(super) fn set(&mut self, slot: WorkerSlot, worker: WorkerId, activity: Activity) {
        self.0.set(slot, (worker, activity));
    }

    /// The worker runs this job.
    #[inline]
    pub(super) fn set_job(&mut self, slot: WorkerSlot, worker: WorkerId, trace: JobTrace, token: Option<CancelToken>) {
        // The path of most jobs: after a job like it, by the same worker, one pointer is written and nothing dropped.
        if let (JobTrace::Origin(origin), None) = (&trace, &token)
            && let Some((_, Activity::Job(JobTrace::Origin(recorded), None))) = self.0.get_mut(slot)
        {
            *recorded = origin;
            return;
        }
        self.set(slot, worker, Activity::Job(trace, token));
    }

    #[inline]
    pub(super) fn clear(&mut self, slot: WorkerSlot) {
        self.0.clear(slot);
    }

    /// The token of the job in this slot, if there is one. `None` behind the last slot.
    pub(super) fn token(&self, slot: WorkerSlot) -> Option<Option<CancelToken>> {
        self.0.get(slot).map(|activity| match activity {
            Some((_, Activity::Job(_, token))) => token.clone(),
            _ => None,
        })
    }

    /// What the workers do now. A job whose start time is not recorded counts from `asked`, when the caller began to
    /// wait.
    pub(super) fn stragglers(&self, asked: Instant) -> Vec<Straggler> {
        let straggler = |(worker, activity): &(WorkerId, Activity)| {
            let (activity, since) = match activity {
                Activity::StartHooks(since) => (WorkerActivity::StartHook, *since),
                Activity::StopHooks(since) => (WorkerActivity::StopHook, *since),
                Activity::Job(JobTrace::Origin(origin), _) => (WorkerActivity::Job(JobLabel::unnamed(origin)), asked),
                Activity::Job(JobTrace::Started(label, since), _) => (WorkerActivity::Job(label.clone()), *since),
            };
            Straggler { activity, worker: *worker, running_for: since.elapsed() }
        };
        self.0.iter().map(straggler).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Activities, Activity, Instant};

    // Checks: P66
    #[test]
    fn a_slot_that_is_freed_is_given_again_and_records_nothing() {
        let mut activities = Activities::default();
        let slot = activities.take_slot();
        activities.set(slot, 0, Activity::StartHooks(Instant::now()));
        assert_eq!((activities.next_slot(), activities.stragglers(Instant::now()).len()), (slot + 1, 1));
        activities.free_slot(slot);
        assert_eq!((activities.next_slot(), activities.stragglers(Instant::now()).len()), (slot, 0));
    }
}
