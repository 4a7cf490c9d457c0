//! What must hold in every state of the pool, and in those from which no thread goes on by itself.

use super::super::events::pool::Event;
use super::super::{Steps, World};
use super::parts::{Activity, Client, Worker};
use super::plain_store::jobs;
use super::world::PoolWorld;
use crate::machine::pool::{PoolState, Sizes, accepted, is_at_rest};

impl World for PoolWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        (0..self.clients.len()).for_each(|at| self.client_steps(steps, at));
        self.threads.iter().for_each(|worker| self.worker_steps(steps, worker));
    }

    fn violation(&self) -> Option<&'static str> {
        self.violation
            .or_else(|| self.counts_violation())
            .or_else(|| self.queue_violation())
            .or_else(|| self.rest_violation())
            .or_else(|| self.wake_violation())
    }

    /// Jobs may block for ever, and hooks may take for ever: whatever waits must wait for one of them.
    fn stuck(&self) -> Option<&'static str> {
        let hangs = |client: &Client| match client {
            Client::Free => false,
            Client::AwaitsStop => {
                self.workers.busy() == 0 && !self.threads.iter().any(|worker| worker.activity.is_in_hooks())
            }
            Client::AwaitsSlot => !self.submit_queue.open || self.has_free_slot(),
            _ => true,
        };
        if self.clients.iter().any(hangs) {
            return Some("a client hangs");
        }
        let may_rest =
            |activity: Activity| matches!(activity, Activity::RunsJob(_) | Activity::Idle) || activity.is_in_hooks();
        if self.threads.iter().any(|worker| !may_rest(worker.activity)) {
            return Some("a worker hangs");
        }
        if self.is_serving() && self.queued() > 0 {
            if self.workers.idle() > 0 {
                return Some("a job is queued, and a worker stays idle");
            }
            // After a failed spawn nobody has to come: the next submission tries again.
            if self.spawnable() > 0 && self.submit_queue.wake_not_needed {
                return Some("a job is queued, and a thread could be spawned");
            }
        }
        if self.workers.idle() > 0 && self.workers.active() > self.limit() {
            return Some("an idle worker above the limit stays");
        }
        if self.queued() > 0 && self.workers.is_saturated() && !self.workers.saturation_reported {
            return Some("the pool is saturated, and that is not reported");
        }
        None
    }

    /// All jobs and hooks have ended, and every keep-alive has passed.
    fn unfinished(&self) -> Option<&'static str> {
        let state = self.workers.state();
        if state == PoolState::Draining {
            return Some("a pool is stopped and never ends");
        }
        if self.threads.iter().any(|worker| worker.blocked) {
            return Some("jobs wait for each other for ever");
        }
        if self.queued() > 0 && state != PoolState::Unstarted && self.limit() > 0 {
            return Some("an accepted job is neither run nor refused");
        }
        let Sizes { min, max } = self.workers.target();
        let live = self.workers.live();
        let lazily = self.plan.0.budget.lazy_starts > 0;
        if state == PoolState::Running && (live > max || live < min && !lazily && !self.spawn_has_failed) {
            return Some("the pool does not reach its target");
        }
        if state == PoolState::Running && self.plan.0.keep_alive && live > min {
            return Some("when all is done there are more workers than the minimum");
        }
        None
    }
}

impl PoolWorld {
    /// The machine's counts must be those of the threads.
    fn counts_violation(&self) -> Option<&'static str> {
        let count = |is: fn(Activity) -> bool| self.threads.iter().filter(|worker| is(worker.activity)).count();
        let to_spawn: usize = self.all_owed().map(|owed| usize::from(owed.count)).sum();
        let live = count(Activity::is_live) + to_spawn;
        let starting = count(|activity| activity == Activity::Starting) + to_spawn;
        let idle = count(|activity| matches!(activity, Activity::Idle | Activity::Notified));
        let busy = count(|activity| matches!(activity, Activity::TookJob(..) | Activity::RunsJob(_)));
        let blocked = self.threads.iter().filter(|worker| worker.blocked).count();
        let exiting = count(|activity| matches!(activity, Activity::Exiting(_)));
        let waits = |client: &&Client| matches!(client, Client::AwaitsSlot | Client::TriesAgain { .. });
        let waiting = self.clients.iter().filter(waits).count();
        if (self.workers.blocked(), self.workers.live() - self.workers.active(), self.workers.waiting_submitters())
            != (blocked, exiting, waiting)
        {
            return Some("the counts of blocked, exiting and waiting are wrong");
        }
        let counts = self.workers.counts();
        if (self.workers.live(), self.workers.idle(), self.workers.busy()) != (live, idle, busy) {
            Some("the counts of live, idle and busy are wrong")
        } else if self.workers.starting != starting {
            Some("the count of starting threads is wrong")
        } else if counts.started - counts.completed != busy as u64 || counts.peak < live - starting {
            Some("the totals of started, completed and peak are wrong")
        } else if accepted(&self.workers, &self.submit_queue) != u64::from(self.submitted) {
            Some("a job that was accepted is in no total, or in two")
        } else if counts.start_failures != u64::from(self.plan.0.budget.spawn_failures - self.budget.spawn_failures) {
            Some("the total of failed spawns is wrong")
        } else {
            None
        }
    }

    /// Whether the pool is at rest, for somebody who waits until it is, must follow from what the threads do.
    fn rest_violation(&self) -> Option<&'static str> {
        let is_draining = self.workers.state() == PoolState::Draining;
        let waits = |worker: &Worker| match worker.activity {
            Activity::Idle | Activity::Notified => !is_draining,
            activity => !activity.is_live(),
        };
        let nobody_acts = self.threads.iter().all(waits) && !self.all_owed().any(|owed| owed.count > 0 || owed.refuses);
        let nobody_comes = self.threads.iter().all(|worker| !worker.activity.is_live()) && self.spawnable() == 0;
        let nothing_to_do = self.queued() == 0 || !self.is_serving() || nobody_comes;
        (is_at_rest(&self.workers, &self.submit_queue, 0) != (nobody_acts && nothing_to_do))
            .then_some("it is wrong whether the pool is at rest")
    }

    /// The queues must hold, in order, what was accepted and not taken, refused or cancelled; a stopped pool has
    /// nothing left.
    fn queue_violation(&self) -> Option<&'static str> {
        let queued = jobs(self.workers.queue()).chain(jobs(self.submit_queue.queue()));
        if !queued.eq((self.dequeued..self.submitted).filter(|job| !self.was_cancelled(*job))) {
            return Some("the queues do not hold what was accepted, in that order");
        }
        if self.queued() > self.plan.0.bound {
            return Some("more jobs are queued than the bound allows");
        }
        let refusing = self.all_owed().filter(|owed| owed.refuses).count();
        if self.workers.refusing != refusing {
            return Some("the count of refusing threads is wrong");
        }
        let nothing_left = self.workers.live() == 0 && refusing == 0;
        match self.workers.state() {
            state if self.stop_announced != (state == PoolState::Stopped) => {
                Some("a stop is announced too early, or not at all")
            }
            PoolState::Unstarted if !nothing_left => Some("a pool that was not started has threads"),
            PoolState::Draining if nothing_left => Some("nothing is left to do, and the pool has not stopped"),
            PoolState::Stopped if !nothing_left || self.queued() > 0 => {
                Some("a pool has stopped, and something is left")
            }
            _ => None,
        }
    }

    /// No wake is lost: the three facts of the machine's documentation, and that each woken worker is notified.
    fn wake_violation(&self) -> Option<&'static str> {
        let wake_pending = self.workers.is_wake_pending();
        let submitter_owes_wake = self.clients.contains(&Client::OwesWake);
        let wake_not_needed = self.submit_queue.wake_not_needed;
        let needs_wake = self.queued() > 0 && self.is_serving() && !wake_pending && !submitter_owes_wake;
        if needs_wake && self.workers.idle() > 0 {
            return Some("a job is queued, a worker is idle, and no wake is pending");
        }
        let tries_again = self.spawn_has_failed && !wake_not_needed;
        if needs_wake && self.spawnable() > 0 && self.workers.starting == 0 && !tries_again {
            return Some("a job is queued, a thread could be spawned, and no wake is pending");
        }
        // When the flag was cleared a worker could be woken or spawned. That may have changed since: a late
        // `wake_or_spawn` wakes or spawns one although its own job has been taken.
        if self.submit_queue.open
            && !wake_not_needed
            && !self.spawn_has_failed
            && (self.queued() > 0 || !self.is_serving())
        {
            return Some("a wake is marked as needed while jobs are queued");
        }
        let sleepers: Vec<_> = self.workers.sleepers().collect();
        for worker in self.threads.iter().filter(|worker| worker.activity == Activity::Idle) {
            let is_woken = worker.slot.is_some_and(|slot| !sleepers.contains(&slot));
            if is_woken && !self.all_owed().any(|owed| owed.wake == worker.slot) {
                return Some("a wake is pending, and no worker will come");
            }
        }
        let searching = self.threads.iter().filter(|worker| worker.activity == Activity::Searches).count();
        if usize::from(self.workers.searching) != searching {
            return Some("it is wrong whether a worker searches");
        }
        // The rest of an idle worker's wait is decided by who is there, so one that must not sleep on has to be told.
        let sleeps_untimed = |worker: &Worker| {
            worker.activity == Activity::Idle
                && !worker.timed
                && worker.slot.is_some_and(|slot| sleepers.contains(&slot))
        };
        let is_told = self.workers.idle() > sleepers.len()
            || self.threads.iter().any(|worker| matches!(worker.activity, Activity::PassesOn(_)));
        let must_not = self.workers.state() == PoolState::Draining
            || self.plan.0.keep_alive && self.is_serving() && self.workers.active() > self.workers.target().min;
        if must_not && !is_told && self.threads.iter().any(sleeps_untimed) {
            return Some("a worker sleeps without a timeout, and is not told that it is to exit or to have one");
        }
        None
    }
}
