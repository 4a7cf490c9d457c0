//! The steps of an actor that carries out what a transition returned.

use super::super::Steps;
use super::super::events::pool::Event;
use super::labels;
use super::parts::{Activity, Actor, Client, Owed, Worker};
use super::plan::Bug;
use super::world::PoolWorld;
use crate::machine::pool::{Notify, SpawnNext, WorkerId, WorkerSlot, spawn_failed, spawn_next};

impl PoolWorld {
    /// The next thing to carry out, with each result that it may have.
    pub(super) fn owed_steps(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        match owed {
            Owed { wake: Some(slot), .. } => self.notify_worker_step(steps, actor, owed, slot),
            Owed { submitters: Notify::One | Notify::All, .. } => self.notify_submitters_steps(steps, actor, owed),
            Owed { count: 1.., .. } => self.spawn_steps(steps, actor, owed),
            Owed { refuses: true, .. } => {
                let mut next = self.clone();
                next.stop_announced |=
                    next.step(steps, "refusals_done", |workers, _| workers.refusals_done(), labels::refusals_done);
                steps.fair(Event::RefusesJobs, next.with_owed(actor, Owed { refuses: false, ..owed }));
            }
            Owed { .. } => {}
        }
    }

    /// Notifying the worker in this slot. It may have woken before, and even have left the slot to another.
    fn notify_worker_step(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed, slot: WorkerSlot) {
        let rest = Owed { wake: None, ..owed };
        let waits = |worker: &&Worker| worker.activity == Activity::Idle && worker.slot == Some(slot);
        match self.threads.iter().find(waits) {
            Some(worker) => steps.fair(Event::Notifies(worker.id), self.released(worker.id).with_owed(actor, rest)),
            None => steps.fair(Event::NotifiesNobody, self.clone().with_owed(actor, rest)),
        }
    }

    /// Notifying submitters that wait for a free slot.
    fn notify_submitters_steps(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        let rest = Owed { submitters: Notify::Nobody, ..owed };
        let waiting: Vec<_> = (0..self.clients.len()).filter(|at| self.clients[*at] == Client::AwaitsSlot).collect();
        let released = |all: &[usize]| {
            let mut next = self.clone();
            all.iter().for_each(|at| next.clients[*at] = Client::TriesAgain { timed_out: false });
            next.with_owed(actor, rest)
        };
        // Clients are interchangeable, so it does not matter which of them are released.
        let least = if owed.submitters == Notify::All { waiting.len() } else { waiting.len().min(1) };
        for count in least..=waiting.len() {
            steps.fair(Event::NotifiesSubmitters, released(&waiting[..count]));
        }
    }

    fn spawn_steps(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        let Some(first) = owed.first else {
            self.spawn_next_step(steps, actor, owed);
            return;
        };
        let id = WorkerId::from(first);
        let mut next = self.clone();
        next.threads.push(Worker::new(id));
        next.threads.sort_by_key(|worker| worker.id);
        if next.threads.iter().filter(|worker| worker.activity.is_live()).count() > self.max_limit {
            next.violate("there are more workers than the target allows");
        }
        let rest = Owed { first: None, count: owed.count - 1, ..owed };
        steps.fair(Event::SpawnsThread(id), next.with_owed(actor, rest));

        self.spawn_failure_steps(steps, actor, owed);
    }

    /// The next of several threads is numbered, or those that are left are given up.
    fn spawn_next_step(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        let mut next = self.clone();
        let left = usize::from(owed.count);
        let SpawnNext { given_up, worker, wakeups, stopped } = next.step(
            steps,
            "spawn_next",
            |workers, submit_queue| spawn_next(workers, submit_queue, left),
            labels::spawn_next,
        );
        next.stop_announced |= stopped;
        if next.owe(wakeups) != Owed::default() {
            next.violate("giving threads up wakes or spawns others");
        }
        let first = worker.map(|id| u8::try_from(id).unwrap());
        let rest = Owed { first, count: u8::try_from(left - given_up).unwrap(), ..owed };
        steps.fair(Event::NumbersThread, next.with_owed(actor, rest));
    }

    /// A thread cannot be spawned, nor can the rest of those that were asked for.
    fn spawn_failure_steps(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        if self.budget.spawn_failures == 0 {
            return;
        }
        let mut next = self.clone();
        next.budget.spawn_failures -= 1;
        next.spawn_has_failed = true;
        let rest = if self.has_bug(Bug::HidesSpawnFailure) {
            Owed::default()
        } else {
            let count = usize::from(owed.count);
            let failed = next.step(
                steps,
                "spawn_failed",
                |workers, submit_queue| spawn_failed(workers, submit_queue, count),
                labels::spawn_failed,
            );
            next.stop_announced |= failed.stopped;
            let refuses = !failed.refused.is_empty();
            for job in failed.refused {
                next.dequeue(job);
                next.job_ended(job);
            }
            if refuses && owed.refuses {
                next.violate("a thread that refuses jobs is given more of them");
            }
            Owed { refuses: refuses || owed.refuses, ..next.owe(failed.wakeups) }
        };
        steps.fair(Event::SpawnFails(owed.first), next.with_owed(actor, rest));
    }
}
