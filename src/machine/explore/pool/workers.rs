//! The steps of the pool's threads: the same loop as the runtime's workers, one hold of the workers' lock to a step.

use super::super::events::pool::Event;
use super::super::{Row, Steps};
use super::parts::{Activity, Actor, Job, Owed, Worker};
use super::plan::Bug;
use super::world::PoolWorld;
use super::{labels, plain_store};
use crate::machine::pool::{
    PoolState, Wakeups, WorkerAction, WorkerHint, WorkerId, begin_start_hooks, block, exited, next_action,
};

impl PoolWorld {
    pub(super) fn worker_steps(&self, steps: &mut Steps<'_, Self>, worker: &Worker) {
        let id = worker.id;
        match worker.activity {
            Activity::Starting if self.plan.0.hooks => {
                let mut next = self.clone();
                let slot = self.free_slot();
                let wakeups = next.step(
                    steps,
                    "begin_start_hooks",
                    |workers, submit_queue| begin_start_hooks(workers, submit_queue, slot),
                    labels::wakeups,
                );
                let owed = next.owe(wakeups);
                let started = next.worker(id).unwrap();
                (started.activity, started.slot) = (Activity::StartHooks(owed), Some(slot));
                let row = Row {
                    from: "Starting",
                    event: "begin_start_hooks",
                    action: labels::wakeups(&wakeups),
                    to: "Start hooks",
                };
                steps.row(row);
                steps.fair(Event::ThreadStarts(id), next.with_owed(Actor::Worker(id), owed));
            }
            Activity::StartHooks(owed) if owed.is_done() => {
                self.asks_next(steps, worker, "start hooks done", Event::AsksNext(id), |_, _| ());
            }
            Activity::Starting => {
                self.asks_next(steps, worker, "thread_started", Event::ThreadStarts(id), |world, steps| {
                    if !world.has_bug(Bug::NeverStarts) {
                        let slot = world.free_slot();
                        world.worker(id).unwrap().slot = Some(slot);
                        world.step(
                            steps,
                            "thread_started",
                            |workers, _| workers.thread_started(slot),
                            |()| "call next_action",
                        );
                    }
                })
            }
            Activity::Notified => {
                self.expires(steps, worker);
                self.wakes(steps, worker);
            }
            Activity::PassesOn(owed) if owed.is_done() => {
                self.asks_next(steps, worker, "wake passed on", Event::AsksNext(id), |_, _| ());
            }
            Activity::Searches => self.asks_next(steps, worker, "searched", Event::AsksNext(id), |world, steps| {
                world.worker(id).unwrap().searched = true;
                world.step(steps, "searched", |workers, _| workers.searched(), |()| "call next_action");
            }),
            Activity::RunsJob(job) => self.job_steps(steps, worker, job),
            Activity::Idle => {
                if self.plan.0.spurious {
                    steps.unfair(Event::WakesSpuriously(id), self.released(id));
                }
                self.expires(steps, worker);
            }
            Activity::Exiting(owed) if owed.is_done() => {
                let mut next = self.clone();
                let last = next.step(steps, "exited", exited, labels::exited);
                next.stop_announced |= last.stopped;
                let owed = next.owe(last.wakeups);
                next.worker(id).unwrap().activity = Activity::Exited(owed);
                steps.row(Row { from: "Exiting", event: "exited", action: labels::exited(&last), to: "Exited" });
                let next = next.with_owed(Actor::Worker(id), owed);
                if self.plan.0.hooks {
                    steps.user_fair(Event::Exits(id), next)
                } else {
                    steps.fair(Event::Exits(id), next)
                }
            }
            Activity::Exited(owed) if owed.is_done() => {
                let mut next = self.clone();
                next.threads.retain(|worker| worker.id != id);
                steps.fair(Event::IsForgotten(id), next);
            }
            Activity::StartHooks(owed)
            | Activity::PassesOn(owed)
            | Activity::TookJob(_, owed)
            | Activity::Exiting(owed)
            | Activity::Exited(owed) => {
                self.owed_steps(steps, Actor::Worker(id), owed);
            }
        }
    }

    /// What a job may do, and how it ends.
    fn job_steps(&self, steps: &mut Steps<'_, Self>, worker: &Worker, job: Job) {
        let id = worker.id;
        let waits_for = job + 1;
        if worker.blocked {
            // In a chain of jobs, each waits until the next has ended.
            if self.plan.0.chained && waits_for < self.submitted && self.ended & 1 << waits_for == 0 {
                return;
            }
            let mut next = self.clone();
            next.worker(id).unwrap().blocked = false;
            let wakeups = next.step(steps, "unblock", |workers, _| workers.unblock(), labels::wakeups);
            let wakeups = if self.has_bug(Bug::UnblockWakesNobody) { Wakeups::NONE } else { wakeups };
            steps.row(Row { from: "Blocked", event: "unblock", action: labels::wakeups(&wakeups), to: "Busy" });
            let owed = next.owe(wakeups);
            next.worker(id).unwrap().activity = Activity::TookJob(job, owed);
            steps.user_fair(Event::Unblocks(id), next.with_owed(Actor::Worker(id), owed));
            return;
        }
        if self.budget.blocks > 0 {
            let mut next = self.clone();
            next.budget.blocks -= 1;
            next.worker(id).unwrap().blocked = true;
            let wakeups = next.step(steps, "block", block, labels::wakeups);
            steps.row(Row { from: "Busy", event: "block", action: labels::wakeups(&wakeups), to: "Blocked" });
            let owed = next.owe(wakeups);
            next.worker(id).unwrap().activity = Activity::TookJob(job, owed);
            steps.unfair(Event::Blocks(id), next.with_owed(Actor::Worker(id), owed));
        }
        self.asks_next(steps, worker, "finished", Event::FinishesJob(id), |world, steps| {
            world.job_ended(job);
            // Panics are counted, and no transition reads the count.
            world.step(steps, "finished", |workers, _| workers.finished(job % 2 == 1), |()| "call next_action");
        });
    }

    /// A worker whose wait is over takes the workers' lock. If others have to be woken it does that, and then asks what
    /// to do next; otherwise it asks under the same hold of the lock.
    fn wakes(&self, steps: &mut Steps<'_, Self>, worker: &Worker) {
        let (id, slot) = (worker.id, worker.slot.unwrap());
        let woken = |world: &mut Self, steps: &mut Steps<'_, Self>| {
            world.step(steps, "woken", |workers, _| workers.woken(slot), labels::woken)
        };
        let mut next = self.clone();
        let wakeups = woken(&mut next, steps);
        if wakeups == Wakeups::NONE || self.has_bug(Bug::PassesNoWakeOn) || self.has_bug(Bug::KeepsIdleCount) {
            self.asks_next(steps, worker, "woken", Event::AsksNext(id), |world, steps| {
                if !world.has_bug(Bug::KeepsIdleCount) {
                    let _ = woken(world, steps);
                }
            });
            return;
        }
        let owed = next.owe(wakeups);
        next.worker(id).unwrap().activity = Activity::PassesOn(owed);
        let action = labels::wakeups(&wakeups);
        steps.row(Row { from: "Idle", event: "woken", action, to: "Passing a wake on" });
        steps.fair(Event::AsksNext(id), next.with_owed(Actor::Worker(id), owed));
    }

    /// The keep-alive passes for a worker that is idle, or that was notified and has not taken the workers' lock yet.
    fn expires(&self, steps: &mut Steps<'_, Self>, worker: &Worker) {
        if self.plan.0.keep_alive && worker.timed && !worker.expired {
            let mut next = self.released(worker.id);
            next.worker(worker.id).unwrap().expired = true;
            steps.user_fair(Event::KeepAlivePasses(worker.id), next);
        }
    }

    /// A worker takes the workers' lock, says where it comes from (`enter`), and asks what to do next, under one hold
    /// of the lock.
    fn asks_next(
        &self,
        steps: &mut Steps<'_, Self>,
        worker: &Worker,
        event: &'static str,
        step: Event,
        enter: impl Fn(&mut Self, &mut Steps<'_, Self>),
    ) {
        let mut entered = self.clone();
        enter(&mut entered, steps);
        let searched = entered.worker(worker.id).unwrap().searched;
        for may_search in [false, true] {
            if may_search && (searched || !self.plan.0.searches) {
                continue;
            }
            let mut next = entered.clone();
            let action = next.next_activity(steps, worker.id, may_search);
            let to = labels::activity(next.worker(worker.id).unwrap());
            steps.row(Row { from: labels::activity(worker), event, action, to });
            let step = if may_search { Event::AsksNextMaySearch(worker.id) } else { step };
            match worker.activity {
                Activity::RunsJob(_) | Activity::StartHooks(_) => steps.user_fair(step, next),
                _ => steps.fair(step, next),
            }
        }
    }

    fn next_activity(&mut self, steps: &mut Steps<'_, Self>, me: WorkerId, may_search: bool) -> &'static str {
        self.worker(me).unwrap().timed = false;
        let next = match self.step(steps, "next_job", |workers, _| workers.next_job(), labels::next_job) {
            Some((job, wakeups)) => WorkerAction::Run(job, wakeups),
            None => {
                let worker = self.worker(me).unwrap();
                let hint = WorkerHint { slot: worker.slot.unwrap_or(0), may_search, expired: worker.expired };
                self.step(
                    steps,
                    "next_action",
                    |workers, submit_queue| next_action(workers, submit_queue, hint),
                    labels::next_action,
                )
            }
        };
        let action = labels::next_action(&next);
        let activity = match next {
            WorkerAction::Run(job, mut wakeups) => {
                let job = plain_store::job(job);
                self.dequeue(job);
                if self.running_unblocked() > self.max_running() {
                    self.violate("a job begins although as many run as the maximum allows");
                }
                if self.has_bug(Bug::WakesNobodyForTheRest) {
                    wakeups.wake = None;
                }
                let worker = self.worker(me).unwrap();
                (worker.searched, worker.expired) = (false, false);
                let owed = self.owe(wakeups);
                Activity::TookJob(job, Owed::default()).with_owed(owed)
            }
            WorkerAction::Search => Activity::Searches,
            WorkerAction::Sleep { timed } => {
                let has_keep_alive = self.plan.0.keep_alive;
                self.worker(me).unwrap().timed = timed && has_keep_alive;
                if self.queued() > 0 {
                    self.violate("a worker becomes idle while a job is queued");
                }
                Activity::Idle
            }
            WorkerAction::Exit(wakeups) => {
                if self.workers.state() == PoolState::Running && self.workers.active() < self.workers.target().min {
                    self.violate("a worker exits that the minimum needs");
                }
                self.worker(me).unwrap().slot = None;
                Activity::Exiting(self.owe(wakeups))
            }
        };
        self.worker(me).unwrap().activity = activity;
        action
    }
}
