//! What holds in every state of the pool, and what may not be owed where it comes to rest.

use super::{Actor, Client, Duty, Steps, World, Yard};
use crate::machine::pool::{Notify, PoolState, Sizes};

impl World for Yard {
    type Event = super::Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        (0..self.clients.len()).for_each(|at| self.client_steps(steps, at));
        self.threads.iter().for_each(|worker| self.worker_steps(steps, worker));
        for (at, errand) in self.starters.iter().enumerate() {
            self.errand_steps(steps, Actor::Starter(at), *errand);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        self.violation.or_else(|| self.miscounts()).or_else(|| self.mislays()).or_else(|| self.misleads())
    }

    /// Jobs may block for ever: whoever waits must do so for one of them.
    fn stuck(&self) -> Option<&'static str> {
        let hangs = |client: &Client| match client {
            Client::Free => false,
            Client::Awaits => self.workers.busy() == 0 && !self.threads.iter().any(|worker| worker.duty.is_in_hooks()),
            Client::AwaitsPlace => !self.submit_queue.is_open() || self.has_room_for_a_job(),
            _ => true,
        };
        if self.clients.iter().any(hangs) {
            return Some("a caller hangs");
        }
        let may_rest = |duty: Duty| matches!(duty, Duty::Runs(_) | Duty::Waits | Duty::Ended) || duty.is_in_hooks();
        if self.threads.iter().any(|worker| !may_rest(worker.duty)) || !self.starters.is_empty() {
            return Some("a worker hangs");
        }
        if self.is_serving() && self.queued() > 0 {
            if self.workers.idle() > 0 {
                return Some("a job waits, and so does a worker");
            }
            // When a thread could not be started, the next submission tries again.
            if self.room() > 0 && self.submit_queue.wake_not_needed() {
                return Some("a job waits, and a thread might be started");
            }
        }
        if self.workers.idle() > 0 && self.staying() > self.limit() {
            return Some("a worker above the target stays");
        }
        if self.queued() > 0 && self.workers.is_saturated() && !self.workers.is_saturation_reported() {
            return Some("a pool is saturated, and nobody is told");
        }
        None
    }

    /// All jobs have ended.
    fn unfinished(&self) -> Option<&'static str> {
        let phase = self.workers.state();
        if phase == PoolState::Draining {
            return Some("a pool that was told to stop does not");
        }
        if self.threads.iter().any(|worker| worker.blocked) {
            return Some("jobs wait for each other for ever");
        }
        if self.queued() > 0 && phase != PoolState::Unstarted && self.limit() > 0 {
            return Some("an accepted job is not resolved");
        }
        let Sizes { min, max } = self.workers.target();
        let live = self.workers.live();
        let lazily = self.plan.0.left.lazy_starts > 0;
        if phase == PoolState::Running && (live > max || live < min && !lazily && !self.failed) {
            return Some("the pool does not come to its target");
        }
        if phase == PoolState::Running && self.plan.0.keep_alive && live > min {
            return Some("after all is done there are more workers than the minimum");
        }
        None
    }
}

impl Yard {
    /// Counts say what threads really do.
    fn miscounts(&self) -> Option<&'static str> {
        let count = |is: fn(Duty) -> bool| self.threads.iter().filter(|worker| is(worker.duty)).count();
        let to_come: usize = self.errands().map(|errand| usize::from(errand.count)).sum();
        let live = count(Duty::is_able) + to_come;
        let arriving = count(|duty| duty == Duty::Arrives) + to_come;
        let idle = count(|duty| matches!(duty, Duty::Waits | Duty::Released));
        let busy = count(|duty| matches!(duty, Duty::Takes(..) | Duty::Runs(_)));
        let blocked = self.threads.iter().filter(|worker| worker.blocked).count();
        let leaving = count(|duty| matches!(duty, Duty::Leaves(_)));
        let waits = |client: &&Client| matches!(client, Client::AwaitsPlace | Client::TriesAgain { .. });
        let waiting = self.clients.iter().filter(waits).count();
        if (self.workers.blocked(), self.workers.live() - self.staying(), self.workers.waiting_submitters())
            != (blocked, leaving, waiting)
        {
            return Some("blocked, leaving and waiting are not what threads do");
        }
        let counts = self.workers.counts();
        if (self.workers.live(), self.workers.idle(), self.workers.busy()) != (live, idle, busy) {
            Some("live, idle and busy are not what threads do")
        } else if self.workers.starting() != arriving {
            Some("those that arrive are not those that were started")
        } else if counts.started - counts.completed != busy as u64 || counts.peak < live {
            Some("started, completed and peak are not what threads did")
        } else {
            None
        }
    }

    /// What was accepted and is not gone lies in the queues, in order; and what has stopped has nothing left.
    fn mislays(&self) -> Option<&'static str> {
        let queued = self.workers.queue().jobs().chain(self.submit_queue.queue().jobs());
        if !queued.copied().eq((self.gone..self.submitted).filter(|job| !self.was_cancelled(*job))) {
            return Some("the queues do not hold what was accepted, in that order");
        }
        if [self.workers.queue(), self.submit_queue.queue()].iter().any(|queue| queue.entries() > 2 * queue.len()) {
            return Some("what was cancelled takes more room than what waits");
        }
        if self.queued() > self.plan.0.bound {
            return Some("more jobs wait than may");
        }
        let refusing = self.errands().filter(|errand| errand.tells).count();
        if self.workers.refusing() != refusing {
            return Some("not as many tell jobs as the pool waits for");
        }
        let over = self.workers.live() == 0 && refusing == 0;
        match self.workers.state() {
            phase if self.over != (phase == PoolState::Stopped) => {
                Some("those who wait for the end are told of another")
            }
            PoolState::Unstarted if !over => Some("a pool has threads that was not started"),
            PoolState::Draining if over => Some("nothing is left to finish, and the pool has not stopped"),
            PoolState::Stopped if !over || self.queued() > 0 => Some("a pool has stopped, and something is left"),
            _ => None,
        }
    }

    /// The three facts of the machine, and that the beacon tells the truth.
    fn misleads(&self) -> Option<&'static str> {
        let wake_pending = self.workers.is_wake_pending();
        let summons = self.clients.contains(&Client::Owes);
        let watched = self.submit_queue.wake_not_needed();
        let waits = self.queued() > 0 && self.is_serving() && !wake_pending && !summons;
        if waits && self.workers.idle() > 0 {
            return Some("a job waits, so does a worker, and nobody is told");
        }
        let tries_again = self.failed && !watched;
        if waits && self.room() > 0 && self.workers.starting() == 0 && !tries_again {
            return Some("a job waits, a thread might be started, and nobody is told");
        }
        // Somebody could come when it was settled. A summons whose job was taken meanwhile may have called them since.
        if self.submit_queue.is_open() && !watched && !self.failed && (self.queued() > 0 || !self.is_serving()) {
            return Some("the submit_queue is unwatched though jobs wait");
        }
        let is_bound = |duty| matches!(duty, Duty::Searches | Duty::Released);
        let bound = self.threads.iter().any(|worker| is_bound(worker.duty))
            || self.errands().any(|errand| errand.ring != Notify::Nobody);
        if wake_pending && self.is_serving() && !bound {
            return Some("the wake_pending is up, and nobody is bound to look");
        }
        None
    }
}
