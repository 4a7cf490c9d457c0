//! The workers' threads: a copy of the loop that they run, one hold of the crew's lock to a step.

use super::{Actor, Bug, Errand, Event, Job, Row, Steps, Yard, labels};
use crate::machine::pool::{
    Notify, PoolState, Wakeups, WorkerAction, WorkerHint, WorkerId, begin_start_hooks, block, exited, next_action,
};

/// A thread of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) duty: Duty,
    /// Has searched since its last job.
    pub(super) searched: bool,
    /// Has been without a job for the keep-alive.
    pub(super) expired: bool,
    /// Waits no longer than for the keep-alive.
    pub(super) timed: bool,
    /// Its job waits for something, and has said so.
    pub(super) blocked: bool,
}

impl Worker {
    pub(super) fn new(id: WorkerId) -> Self {
        Self { id, duty: Duty::Arrives, searched: false, expired: false, timed: false, blocked: false }
    }
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Duty {
    /// Was started, and has not locked anything yet.
    Arrives,
    /// Has arrived, carries out a call, and runs the hooks for its start.
    Settles(Errand),
    /// Has a job, and carries out a call before it goes on with it.
    Takes(Job, Errand),
    /// Runs a job, which ends or does not.
    Runs(Job),
    /// Spins.
    Searches,
    /// Waits to be notified.
    Waits,
    /// Was released from its wait, and has not locked the crew again.
    Released,
    /// Looks no more, carries out a call, and runs the hooks for its end.
    Leaves(Errand),
    /// Has made its last transition, and carries out a call before its thread ends.
    Retires(Errand),
    /// The thread has ended, and was not joined yet.
    Ended,
}

impl Duty {
    /// Whether it may still look for jobs: such a worker must not be joined.
    pub(super) fn is_able(self) -> bool {
        !matches!(self, Self::Retires(_) | Self::Ended)
    }

    /// Whether it runs what the program wants to be run at its start or its end, which may take its time.
    pub(super) fn is_in_hooks(self) -> bool {
        matches!(self, Self::Settles(errand) | Self::Leaves(errand) if errand.is_done())
    }

    pub(super) fn errand(self) -> Option<Errand> {
        match self {
            Self::Settles(errand) | Self::Takes(_, errand) | Self::Leaves(errand) | Self::Retires(errand) => {
                Some(errand)
            }
            _ => None,
        }
    }

    pub(super) fn goes_on(self, errand: Errand) -> Self {
        match self {
            Self::Takes(job, _) if errand.is_done() => Self::Runs(job),
            Self::Takes(job, _) => Self::Takes(job, errand),
            Self::Settles(_) => Self::Settles(errand),
            Self::Leaves(_) => Self::Leaves(errand),
            Self::Retires(_) => Self::Retires(errand),
            other => other,
        }
    }
}

impl Yard {
    pub(super) fn worker_steps(&self, steps: &mut Steps<'_, Self>, worker: &Worker) {
        let id = worker.id;
        match worker.duty {
            Duty::Arrives if self.plan.0.hooks => {
                let mut next = self.clone();
                let wakeups = next.step(steps, "begin_start_hooks", begin_start_hooks, labels::wakeups);
                let errand = next.errand(wakeups);
                next.worker(id).unwrap().duty = Duty::Settles(errand);
                let row = Row {
                    from: "Starting",
                    event: "begin_start_hooks",
                    action: labels::wakeups(&wakeups),
                    to: "Settling",
                };
                steps.row(row);
                steps.fair(Event::Arrives(id), next.goes_on(Actor::Worker(id), errand));
            }
            Duty::Settles(errand) if errand.is_done() => {
                self.looks(steps, worker, "settled", Event::Looks(id), |_, _| ());
            }
            Duty::Arrives => self.looks(steps, worker, "thread_started", Event::Arrives(id), |yard, steps| {
                if !yard.has_bug(Bug::NeverArrives) {
                    yard.step(
                        steps,
                        "thread_started",
                        |workers, _| workers.thread_started(),
                        |()| "wakeups next_action",
                    );
                }
            }),
            Duty::Released => {
                self.expires(steps, worker);
                self.looks(steps, worker, "woken", Event::Looks(id), |yard, steps| {
                    if !yard.has_bug(Bug::StaysIdle) {
                        yard.step(steps, "woken", |workers, _| workers.woken(), |()| "wakeups next_action");
                    }
                });
            }
            Duty::Searches => self.looks(steps, worker, "searched", Event::Looks(id), |yard, steps| {
                yard.worker(id).unwrap().searched = true;
                yard.step(steps, "searched", |workers, _| workers.searched(), |()| "wakeups next_action");
            }),
            Duty::Runs(job) => self.job_steps(steps, worker, job),
            Duty::Waits => {
                if self.plan.0.spurious {
                    steps.unfair(Event::WakesForNoReason(id), self.released(id));
                }
                self.expires(steps, worker);
            }
            Duty::Leaves(errand) if errand.is_done() => {
                let mut next = self.clone();
                let over = next.step(
                    steps,
                    "exited",
                    |workers, submit_queue| exited(workers, submit_queue, id),
                    labels::exited,
                );
                next.over |= over.stopped;
                let errand = Errand { follows: over.join_previous, ..next.errand(over.wakeups) };
                next.worker(id).unwrap().duty = Duty::Retires(errand);
                steps.row(Row { from: "Leaving", event: "exited", action: labels::exited(&over), to: "Retired" });
                let next = next.goes_on(Actor::Worker(id), errand);
                if self.plan.0.hooks {
                    steps.user_fair(Event::Leaves(id), next)
                } else {
                    steps.fair(Event::Leaves(id), next)
                }
            }
            Duty::Retires(errand) if errand.is_done() => {
                let mut next = self.clone();
                next.worker(id).unwrap().duty = Duty::Ended;
                steps.fair(Event::ThreadEnds(id), next);
            }
            // Whoever joins this thread has the roster: another one must wait for it, and start.
            Duty::Retires(errand)
                if errand.ring == Notify::Nobody && errand.places == Notify::Nobody && errand.count > 0 =>
            {
                let mut next = self.clone();
                next.starters.push(errand);
                next.starters.sort();
                steps.fair(Event::HandsOn(id), next.goes_on(Actor::Worker(id), Errand::default()));
                self.failure_steps(steps, Actor::Worker(id), errand);
            }
            Duty::Retires(
                errand @ Errand { ring: Notify::Nobody, places: Notify::Nobody, join: 0, follows: true, .. },
            ) => {
                let roster = errand.roster || !self.roster_is_taken();
                if !roster && self.has_bug(Bug::WaitsForTheRoster) {
                    return;
                }
                let mut next = self.clone();
                let retired = if roster { next.workers.take_unjoined_except(id) } else { Vec::new() };
                // It looks again, until there are none.
                let follows = !retired.is_empty();
                let errand = Errand { roster, join: next.bits_of(&retired), follows, ..errand };
                steps.fair(Event::LooksForThoseThatRetired(id), next.goes_on(Actor::Worker(id), errand));
            }
            Duty::Settles(errand) | Duty::Takes(_, errand) | Duty::Leaves(errand) | Duty::Retires(errand) => {
                self.errand_steps(steps, Actor::Worker(id), errand);
            }
            Duty::Ended => {}
        }
    }

    /// What a job may do, and how it ends.
    fn job_steps(&self, steps: &mut Steps<'_, Self>, worker: &Worker, job: Job) {
        let id = worker.id;
        let waits_for = job + 1;
        if worker.blocked {
            // In a chain of jobs, each waits until the next is over.
            if self.plan.0.chained && waits_for < self.submitted && self.ended & 1 << waits_for == 0 {
                return;
            }
            let mut next = self.clone();
            next.worker(id).unwrap().blocked = false;
            let wakeups = next.step(steps, "unblock", |workers, _| workers.unblock(), labels::wakeups);
            let wakeups = if self.has_bug(Bug::StaysInExcess) { Wakeups::NONE } else { wakeups };
            steps.row(Row { from: "Blocked", event: "unblock", action: labels::wakeups(&wakeups), to: "Busy" });
            let errand = next.errand(wakeups);
            next.worker(id).unwrap().duty = Duty::Takes(job, errand);
            steps.user_fair(Event::GoesOn(id), next.goes_on(Actor::Worker(id), errand));
            return;
        }
        if self.left.blocks > 0 {
            let mut next = self.clone();
            next.left.blocks -= 1;
            next.worker(id).unwrap().blocked = true;
            let wakeups = next.step(steps, "block", block, labels::wakeups);
            steps.row(Row { from: "Busy", event: "block", action: labels::wakeups(&wakeups), to: "Blocked" });
            let errand = next.errand(wakeups);
            next.worker(id).unwrap().duty = Duty::Takes(job, errand);
            steps.unfair(Event::Blocks(id), next.goes_on(Actor::Worker(id), errand));
        }
        self.looks(steps, worker, "finished", Event::FinishesItsJob(id), |yard, steps| {
            yard.is_over(job);
            // Whether it panicked is counted, and decides nothing.
            yard.step(steps, "finished", |workers, _| workers.finished(job % 2 == 1), |()| "wakeups next_action");
        });
    }

    /// The keep-alive passes for a worker that waits, or that was released and does not know yet.
    fn expires(&self, steps: &mut Steps<'_, Self>, worker: &Worker) {
        if self.plan.0.keep_alive && worker.timed && !worker.expired {
            let mut next = self.released(worker.id);
            next.worker(worker.id).unwrap().expired = true;
            steps.user_fair(Event::KeepAlivePasses(worker.id), next);
        }
    }

    /// A worker locks the crew, says why it is there, and looks what to do next: all under one hold of the lock.
    fn looks(
        &self,
        steps: &mut Steps<'_, Self>,
        worker: &Worker,
        event: &'static str,
        name: Event,
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
            let action = next.decides(steps, worker.id, may_search);
            let to = labels::duty(next.worker(worker.id).unwrap());
            steps.row(Row { from: labels::duty(worker), event, action, to });
            let name = if may_search { Event::LooksAndMaySearch(worker.id) } else { name };
            match worker.duty {
                Duty::Runs(_) | Duty::Settles(_) => steps.user_fair(name, next),
                _ => steps.fair(name, next),
            }
        }
    }

    fn decides(&mut self, steps: &mut Steps<'_, Self>, me: WorkerId, may_search: bool) -> &'static str {
        self.worker(me).unwrap().timed = false;
        let next = match self.step(steps, "next_job", |workers, _| workers.next_job(), labels::next) {
            Some((job, wakeups)) => WorkerAction::Run(job, wakeups),
            None => {
                let hint = WorkerHint { may_search, expired: self.worker(me).unwrap().expired };
                self.step(
                    steps,
                    "next_action",
                    |workers, submit_queue| next_action(workers, submit_queue, hint),
                    labels::looked,
                )
            }
        };
        let action = labels::looked(&next);
        let duty = match next {
            WorkerAction::Run(job, mut wakeups) => {
                let job = job.job();
                self.goes(job);
                if self.has_bug(Bug::CallsNobody) && wakeups.workers == Notify::One {
                    wakeups.workers = Notify::Nobody;
                }
                let worker = self.worker(me).unwrap();
                (worker.searched, worker.expired) = (false, false);
                let errand = self.errand(wakeups);
                Duty::Takes(job, Errand::default()).goes_on(errand)
            }
            WorkerAction::Search => Duty::Searches,
            WorkerAction::Sleep { timed } => {
                let keeps = self.plan.0.keep_alive;
                self.worker(me).unwrap().timed = timed && keeps;
                if self.queued() > 0 {
                    self.blame("a worker falls asleep beside a job");
                }
                Duty::Waits
            }
            WorkerAction::Exit(wakeups) => {
                if self.workers.state() == PoolState::Running && self.staying() < self.workers.target().min {
                    self.blame("a worker leaves that the minimum wants");
                }
                Duty::Leaves(self.errand(wakeups))
            }
        };
        self.worker(me).unwrap().duty = duty;
        action
    }
}
