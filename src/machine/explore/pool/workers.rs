//! The workers' threads: a copy of the loop that they run, one hold of the crew's lock to a step.

use super::{Actor, Errand, Event, Job, Row, Seed, Steps, Yard, labels};
use crate::machine::pool::{Call, Next, WorkerId, look};

/// A thread of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) duty: Duty,
    /// Has searched since its last job.
    pub(super) searched: bool,
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Duty {
    /// Was started, and has not locked anything yet.
    Arrives,
    /// Has a job, and carries out a call before it runs it.
    Takes(Job, Errand),
    /// Runs a job, which ends or does not.
    Runs(Job),
    /// Spins.
    Searches,
    /// Waits to be notified.
    Waits,
    /// Was released from its wait, and has not locked the crew again.
    Released,
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

    pub(super) fn errand(self) -> Option<Errand> {
        match self {
            Self::Takes(_, errand) | Self::Retires(errand) => Some(errand),
            Self::Arrives | Self::Runs(_) | Self::Searches | Self::Waits | Self::Released | Self::Ended => None,
        }
    }

    pub(super) fn goes_on(self, errand: Errand) -> Self {
        match self {
            Self::Takes(job, _) if errand.is_done() => Self::Runs(job),
            Self::Takes(job, _) => Self::Takes(job, errand),
            Self::Retires(_) => Self::Retires(errand),
            other => other,
        }
    }
}

impl Yard {
    pub(super) fn worker_steps(&self, steps: &mut Steps<'_, Self>, worker: &Worker) {
        let id = worker.id;
        match worker.duty {
            Duty::Arrives => self.looks(steps, worker, "arrived", Event::Arrives(id), |yard, steps| {
                if !yard.has_seed(Seed::LeavesTheBeacon) {
                    yard.step(steps, "arrived", |crew, _| crew.arrived(), |()| "look");
                }
            }),
            Duty::Released => self.looks(steps, worker, "woken", Event::Looks(id), |yard, steps| {
                if !yard.has_seed(Seed::StaysIdle) {
                    yard.step(steps, "woken", |crew, _| crew.woken(), |()| "look");
                }
            }),
            Duty::Searches => self.looks(steps, worker, "searched", Event::Looks(id), |yard, steps| {
                yard.worker(id).unwrap().searched = true;
                yard.step(steps, "searched", |crew, _| crew.searched(), |()| "look");
            }),
            Duty::Runs(job) => self.looks(steps, worker, "finished", Event::FinishesItsJob(id), |yard, steps| {
                // Whether it panicked is counted, and decides nothing.
                yard.step(steps, "finished", |crew, _| crew.finished(job % 2 == 1), |()| "look");
            }),
            Duty::Waits => {
                if self.plan.0.spurious {
                    steps.possible(Event::WakesForNoReason(id), self.released(id));
                }
            }
            Duty::Retires(errand) if errand.is_done() => {
                let mut next = self.clone();
                next.worker(id).unwrap().duty = Duty::Ended;
                steps.certain(Event::ThreadEnds(id), next);
            }
            Duty::Takes(_, errand) | Duty::Retires(errand) => self.errand_steps(steps, Actor::Worker(id), errand),
            Duty::Ended => {}
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
            let to = next.worker(worker.id).unwrap().duty;
            steps.row(Row { from: labels::duty(worker.duty), event, action, to: labels::duty(to) });
            let name = if may_search { Event::LooksAndMaySearch(worker.id) } else { name };
            match worker.duty {
                Duty::Runs(_) => steps.hoped(name, next),
                _ => steps.certain(name, next),
            }
        }
    }

    fn decides(&mut self, steps: &mut Steps<'_, Self>, me: WorkerId, may_search: bool) -> &'static str {
        let mut next = self.step(steps, "next", |crew, _| crew.next(), labels::next);
        if next == Next::Look {
            next = self.step(steps, "look", |crew, intake| look(crew, intake, me, may_search), labels::next);
        }
        let action = labels::next(&next);
        let duty = match next {
            Next::Run(job, call) => {
                self.goes(job);
                let call = if call == Call::One && self.has_seed(Seed::CallsNobody) { Call::Nobody } else { call };
                self.worker(me).unwrap().searched = false;
                let errand = self.errand(call);
                Duty::Takes(job, Errand::default()).goes_on(errand)
            }
            Next::Search => Duty::Searches,
            Next::Sleep => {
                if self.queued() > 0 {
                    self.blame("a worker falls asleep beside a job");
                }
                Duty::Waits
            }
            Next::Retire(call) => {
                if matches!(call, Call::Start(_) | Call::AllAndStart(_)) {
                    self.blame("a worker that retires starts another");
                }
                Duty::Retires(self.errand(call))
            }
            Next::RetireLast => Duty::Retires(Errand::default()),
            Next::Look => {
                self.blame("a worker that has looked does not know what to do");
                Duty::Ended
            }
        };
        self.worker(me).unwrap().duty = duty;
        action
    }
}
