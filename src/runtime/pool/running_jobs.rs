//! Which job each busy worker runs, and since when: what a stop that runs out of time reports.

use std::cmp::Reverse;

use super::super::job_label::{JobLabel, JobTrace};
use super::super::sync::Instant;
use super::stop::Straggler;
use crate::machine::pool::WorkerId;

/// Index of a worker's slot in [`RunningJobs`]. A worker has one from its start until it begins to exit.
pub(super) type SlotIndex = usize;

/// The job that a worker runs.
struct RunningJob {
    worker: WorkerId,
    trace: JobTrace,
}

/// The running jobs, guarded by the workers' lock. Slots are reused, so there are as many as there ever were workers at
/// a time.
#[derive(Default)]
pub(super) struct RunningJobs {
    /// `None` while the worker runs no job.
    slots: Vec<Option<RunningJob>>,
    free: Vec<SlotIndex>,
}

impl RunningJobs {
    pub(super) fn take_slot(&mut self) -> SlotIndex {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        })
    }

    pub(super) fn free_slot(&mut self, slot: SlotIndex) {
        self.free.push(slot);
    }

    #[inline]
    pub(super) fn set(&mut self, slot: SlotIndex, worker: WorkerId, trace: JobTrace) {
        if let Some(running) = self.slots.get_mut(slot) {
            *running = Some(RunningJob { worker, trace });
        }
    }

    #[inline]
    pub(super) fn clear(&mut self, slot: SlotIndex) {
        if let Some(running) = self.slots.get_mut(slot) {
            *running = None;
        }
    }

    /// The running jobs, the longest-running first. A job whose start time is not recorded counts from `asked`, when
    /// the caller began to wait.
    pub(super) fn stragglers(&self, asked: Instant) -> Vec<Straggler> {
        let mut stragglers: Vec<_> = self
            .slots
            .iter()
            .flatten()
            .map(|running| {
                let (job, since) = match &running.trace {
                    JobTrace::Origin(origin) => (JobLabel::unnamed(origin), asked),
                    JobTrace::Started(label, since) => (label.clone(), *since),
                };
                Straggler { job, worker: running.worker, running_for: since.elapsed() }
            })
            .collect();
        stragglers.sort_by_key(|straggler| (Reverse(straggler.running_for), straggler.worker));
        stragglers
    }
}
