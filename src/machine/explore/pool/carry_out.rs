//! The steps of an actor that carries out what a transition returned.

use super::super::Steps;
use super::labels;
use super::parts::{Activity, Actor, Client, Event, Owed, Worker};
use super::plan::Bug;
use super::world::PoolWorld;
use crate::machine::pool::{Notify, WorkerId, spawn_failed};

impl PoolWorld {
    /// The next thing to carry out, with each result that it may have.
    pub(super) fn owed_steps(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        match owed {
            Owed { workers: Notify::One | Notify::All, .. } => self.notify_workers_steps(steps, actor, owed),
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

    /// Notifying idle workers. If workers may wake spuriously, a notify that releases two needs no step of its own.
    fn notify_workers_steps(&self, steps: &mut Steps<'_, Self>, actor: Actor, owed: Owed) {
        let rest = Owed { workers: Notify::Nobody, ..owed };
        if owed.workers == Notify::All {
            let next = self.waiters().fold(self.clone(), |next, id| next.released(id));
            steps.fair(Event::NotifiesAll, next.with_owed(actor, rest));
            return;
        }
        if self.waiters().next().is_none() {
            steps.fair(Event::NotifiesNobody, self.clone().with_owed(actor, rest));
        }
        for one in self.waiters() {
            let next = self.released(one);
            if !self.plan.0.spurious {
                for other in self.waiters().filter(|other| *other > one) {
                    let event = Event::NotifyReleasesTwo(one, other);
                    steps.fair(event, next.released(other).with_owed(actor, rest));
                }
            }
            steps.fair(Event::Notifies(one), next.with_owed(actor, rest));
        }
    }

    fn waiters(&self) -> impl Iterator<Item = WorkerId> + '_ {
        self.threads.iter().filter(|worker| worker.activity == Activity::Idle).map(|worker| worker.id)
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
        let id = WorkerId::from(owed.first);
        let mut next = self.clone();
        next.threads.push(Worker::new(id));
        next.threads.sort_by_key(|worker| worker.id);
        if next.threads.iter().filter(|worker| worker.activity.is_live()).count() > self.max_limit {
            next.violate("there are more workers than the target allows");
        }
        let rest = Owed { first: owed.first + 1, count: owed.count - 1, ..owed };
        steps.fair(Event::SpawnsThread(id), next.with_owed(actor, rest));

        self.spawn_failure_steps(steps, actor, owed);
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
        steps.fair(Event::SpawnFails(WorkerId::from(owed.first)), next.with_owed(actor, rest));
    }
}
