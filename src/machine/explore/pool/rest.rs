//! What holds in every state of the pool, and what may not be owed where it comes to rest.

use super::{Client, Duty, Ring, Steps, World, Yard};
use crate::machine::pool::{Phase, Sizes};

impl World for Yard {
    type Event = super::Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        (0..self.clients.len()).for_each(|at| self.client_steps(steps, at));
        self.workers.iter().for_each(|worker| self.worker_steps(steps, worker));
    }

    fn wrong(&self) -> Option<&'static str> {
        self.fault.or_else(|| self.miscounts()).or_else(|| self.mislays()).or_else(|| self.misleads())
    }

    /// Jobs may block for ever: whoever waits must do so for one of them.
    fn stuck(&self) -> Option<&'static str> {
        let hangs = |client: &Client| match client {
            Client::Free => false,
            Client::Awaits => self.crew.busy() == 0,
            Client::Owes | Client::Carries(_) | Client::Stops(_) | Client::Joins(_) => true,
        };
        if self.clients.iter().any(hangs) {
            return Some("a caller hangs");
        }
        if self.workers.iter().any(|worker| !matches!(worker.duty, Duty::Runs(_) | Duty::Waits | Duty::Ended)) {
            return Some("a worker hangs");
        }
        if self.is_serving() && self.queued() > 0 {
            if self.crew.idle() > 0 {
                return Some("a job waits, and so does a worker");
            }
            // When a thread could not be started, the next submission tries again.
            if self.room() > 0 && self.intake.is_watched() {
                return Some("a job waits, and a thread might be started");
            }
        }
        if self.crew.idle() > 0 && self.crew.live() > self.limit() {
            return Some("a worker above the target stays");
        }
        None
    }

    /// All jobs have ended.
    fn done(&self) -> Option<&'static str> {
        let phase = self.crew.phase();
        if phase == Phase::Draining {
            return Some("a pool that was told to stop does not");
        }
        if self.queued() > 0 && phase != Phase::Unstarted && self.limit() > 0 {
            return Some("an accepted job is not resolved");
        }
        let Sizes { min, max } = self.crew.target();
        let live = self.crew.live();
        let lazily = self.plan.0.left.lazy_starts > 0;
        if phase == Phase::Running && (live > max || live < min && !lazily && !self.failed) {
            return Some("the pool does not come to its target");
        }
        None
    }
}

impl Yard {
    /// Counts say what threads really do.
    fn miscounts(&self) -> Option<&'static str> {
        let count = |is: fn(Duty) -> bool| self.workers.iter().filter(|worker| is(worker.duty)).count();
        let to_come: usize = self.errands().map(|errand| usize::from(errand.count)).sum();
        let live = count(Duty::is_able) + to_come;
        let idle = count(|duty| matches!(duty, Duty::Waits | Duty::Released));
        let busy = count(|duty| matches!(duty, Duty::Takes(..) | Duty::Runs(_)));
        let counts = self.crew.counts();
        if (self.crew.live(), self.crew.idle(), self.crew.busy()) != (live, idle, busy) {
            Some("live, idle and busy are not what threads do")
        } else if counts.started - counts.completed != busy as u64 || counts.peak < live {
            Some("started, completed and peak are not what threads did")
        } else {
            None
        }
    }

    /// What was accepted and is not gone lies in the queues, in order; and what has stopped has nothing left.
    fn mislays(&self) -> Option<&'static str> {
        let queued = self.crew.queue().iter().chain(self.intake.queue());
        if !queued.copied().eq(self.gone..self.submitted) {
            return Some("the queues do not hold what was accepted, in that order");
        }
        let over = self.crew.live() == 0;
        match self.crew.phase() {
            Phase::Unstarted if !over => Some("a pool has threads that was not started"),
            Phase::Draining if over => Some("nothing is left to finish, and the pool has not stopped"),
            Phase::Stopped if !over || self.queued() > 0 => Some("a pool has stopped, and something is left"),
            _ => None,
        }
    }

    /// The three facts of the machine, and that the beacon tells the truth.
    fn misleads(&self) -> Option<&'static str> {
        let beacon = self.crew.has_beacon();
        let summons = self.clients.contains(&Client::Owes);
        let spare = self.is_serving() && (self.crew.idle() > 0 || self.room() > 0);
        let watched = self.intake.is_watched();
        let tries_again = self.failed && !watched;
        if self.queued() > 0 && spare && !(beacon || summons || tries_again) {
            return Some("jobs wait, somebody could come, and nobody is told");
        }
        // Somebody could come when it was settled. A summons whose job was taken meanwhile may have called them since.
        if self.intake.is_open() && !watched && !self.failed && (self.queued() > 0 || !self.is_serving()) {
            return Some("the intake is unwatched though jobs wait");
        }
        let is_bound = |duty| matches!(duty, Duty::Arrives | Duty::Searches | Duty::Released);
        let bound = self.workers.iter().any(|worker| is_bound(worker.duty))
            || self.errands().any(|errand| errand.ring != Ring::No || errand.count > 0);
        if beacon && self.is_serving() && !bound {
            return Some("the beacon is up, and nobody is bound to look");
        }
        None
    }
}
