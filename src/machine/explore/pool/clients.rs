//! The steps of the clients: submit, start, resize, cancel, stop, and the waits for a slot and for the end.

use super::super::Steps;
use super::super::events::pool::Event;
use super::labels;
use super::parts::{Actor, Client, Job, Owed};
use super::plain_store::PlainStore;
use super::plan::Bug;
use super::world::PoolWorld;
use crate::machine::pool::{
    PoolState, Stop, SubmitError, SubmitQueue, TicketId, Wakeups, Workers, cancel, report_saturation, resize, start,
    stop, submit_when_full,
};

impl PoolWorld {
    pub(super) fn client_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        match self.clients[at] {
            // Free clients are interchangeable: the first stands for all.
            Client::Free if at == 0 || self.clients[at - 1] != Client::Free => self.calls(steps, at),
            Client::Free => {}
            Client::OwesWake => {
                let mut next = self.clone();
                let wake = |workers: &mut Workers<_>, submit_queue: &mut SubmitQueue<_>| {
                    let wakeups = workers.wake_or_spawn();
                    if workers.may_report_saturation() { report_saturation(workers, submit_queue) } else { wakeups }
                };
                let wakeups = next.step(steps, "wake_or_spawn", wake, labels::wakeups);
                let wakeups = if self.has_bug(Bug::ForgetsWakeForSubmit) { Wakeups::NONE } else { wakeups };
                steps.fair(Event::WakesForSubmit, next.carries_out(at, wakeups));
            }
            Client::QueueFull => self.submits_when_full(steps, at, None),
            Client::AwaitsSlot => {
                let mut next = self.clone();
                next.clients[at] = Client::TriesAgain { timed_out: true };
                if self.budget.timeouts > 0 {
                    next.budget.timeouts -= 1;
                    next.clients.sort();
                    steps.unfair(Event::TimesOut, next);
                }
            }
            Client::TriesAgain { timed_out } => {
                let mut next = self.clone();
                next.step(steps, "end_slot_wait", |workers, _| workers.end_slot_wait(), |()| "try again");
                next.submits_when_full(steps, at, Some(timed_out));
            }
            Client::AwaitsStop => {
                if self.budget.timeouts > 0 {
                    let mut next = self.clone();
                    next.budget.timeouts -= 1;
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.unfair(Event::TimesOut, next);
                }
                if self.stop_announced {
                    let mut next = self.clone();
                    if self.threads.iter().any(|worker| worker.activity.is_live()) {
                        next.violate("stop returns, and a worker is live");
                    }
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.fair(Event::StopReturns, next);
                }
            }
            Client::CarriesOut(owed) | Client::Stops(owed) => {
                self.owed_steps(steps, Actor::Client(at), owed);
            }
        }
    }

    fn carries_out(mut self, at: usize, wakeups: Wakeups) -> Self {
        let owed = self.owe(wakeups);
        self.with_owed(Actor::Client(at), owed)
    }

    fn calls(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let budget = self.budget;
        if budget.submits > 0 {
            let mut next = self.clone();
            next.budget.submits -= 1;
            next.submits(steps, at);
            next.clients.sort();
            steps.unfair(Event::Submits, next);
        }
        for (lazily, starts) in [(false, budget.starts), (true, budget.lazy_starts)] {
            if starts == 0 {
                continue;
            }
            let mut next = self.clone();
            *(if lazily { &mut next.budget.lazy_starts } else { &mut next.budget.starts }) -= 1;
            let name = if lazily { "start_lazily" } else { "start" };
            let wakeups =
                next.step(steps, name, |workers, submit_queue| start(workers, submit_queue, lazily), labels::started);
            if wakeups.is_err() == matches!(self.workers.state(), PoolState::Unstarted | PoolState::Running) {
                next.violate("a pool is started unless it was stopped");
            }
            let event = if lazily { Event::StartsLazily } else { Event::Starts };
            steps.unfair(event, next.carries_out(at, wakeups.unwrap_or(Wakeups::NONE)));
        }
        if budget.wakes_ahead > 0 {
            let mut next = self.clone();
            next.budget.wakes_ahead -= 1;
            let wakeups = next.step(steps, "wake_ahead", |workers, _| workers.wake_ahead(), labels::wakeups);
            steps.unfair(Event::WakesAhead, next.carries_out(at, wakeups));
        }
        if budget.resizes > 0 {
            for (number, target) in self.plan.0.targets.iter().enumerate() {
                let mut next = self.clone();
                next.budget.resizes -= 1;
                let wakeups = next.step(
                    steps,
                    "resize",
                    |workers, submit_queue| resize(workers, submit_queue, *target),
                    labels::wakeups,
                );
                steps.unfair(Event::Resizes(number), next.carries_out(at, wakeups));
            }
        }
        if budget.stops > 0 {
            for (number, policy) in self.plan.0.policies.iter().enumerate() {
                let mut next = self.clone();
                next.budget.stops -= 1;
                let Stop { cancelled, wakeups, stopped, .. } = next.step(
                    steps,
                    "stop",
                    |workers, submit_queue| stop(workers, submit_queue, *policy),
                    labels::stopped,
                );
                next.stop_announced |= stopped;
                if next.is_stranded() && wakeups.spawn.count == 0 {
                    next.violate("a job is queued, and a stop does not try again to spawn a thread");
                }
                let refuses = !cancelled.is_empty();
                for job in cancelled {
                    next.dequeue(job);
                    next.job_ended(job);
                }
                let owed = Owed { refuses, ..next.owe(wakeups) };
                next.clients[at] = Client::Stops(owed);
                steps.unfair(Event::Stops(number), next.with_owed(Actor::Client(at), owed));
            }
        }
        if budget.cancels > 0 {
            (0..self.submitted).filter(|job| !self.was_cancelled(*job)).for_each(|job| self.cancels(steps, at, job));
        }
    }

    fn cancels(&self, steps: &mut Steps<'_, Self>, at: usize, job: Job) {
        let mut next = self.clone();
        next.budget.cancels -= 1;
        let ticket = TicketId::from(job);
        let waits = job >= self.dequeued;
        let (found, wakeups) = next.step(
            steps,
            "cancel",
            |workers, submit_queue| cancel(workers, submit_queue, ticket),
            labels::cancelled,
        );
        if found.is_some() != waits || found.is_some_and(|found| found != job) {
            next.violate("a queued job is not cancelled, or another is");
        }
        if waits && !self.has_bug(Bug::RunsCancelledJob) {
            next.cancelled |= 1 << job;
            next.job_ended(job);
        }
        steps.unfair(Event::Cancels(job), next.carries_out(at, wakeups));
    }

    /// With both locks: the job is accepted, or its client waits for a slot, or gives up. `timed_out`: `None` before
    /// the first wait, then whether the wait timed out.
    fn submits_when_full(&self, steps: &mut Steps<'_, Self>, at: usize, timed_out: Option<bool>) {
        let (may_give_up, may_wait) = (timed_out != Some(false), timed_out != Some(true));
        let mut next = self.clone();
        let job = self.submitted;
        let had_slot = self.has_free_slot();
        let submitted = next.step(
            steps,
            "submit_when_full",
            |workers, submit_queue| submit_when_full(workers, submit_queue, job, self.plan.0.ticketed),
            labels::submitted_when_full,
        );
        match submitted {
            Ok((_, wakeups)) => {
                next.submitted += 1;
                if !had_slot {
                    next.violate("more jobs are queued than the bound allows");
                }
                steps.fair(Event::SubmitsWhenFull, next.carries_out(at, wakeups));
            }
            Err(SubmitError::Closed(_)) => {
                next.clients[at] = Client::Free;
                next.clients.sort();
                steps.fair(Event::SubmitsWhenFull, next);
            }
            Err(SubmitError::Full(_)) => {
                if had_slot {
                    next.violate("a job is returned although there is a free slot");
                }
                if may_give_up {
                    let mut next = next.clone();
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.fair(Event::SubmitsWhenFull, next);
                }
                if may_wait {
                    next.step(steps, "begin_slot_wait", |workers, _| workers.begin_slot_wait(), |()| "wait for a slot");
                    next.clients[at] = Client::AwaitsSlot;
                    next.clients.sort();
                    steps.fair(Event::WaitsForSlot, next);
                }
            }
        }
    }

    /// The first half of a submission, under the submit queue's lock alone.
    fn submits(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let job = self.submitted;
        let was_open = self.submit_queue.open;
        let had_slot = self.has_free_slot();
        let ticketed = self.plan.0.ticketed;
        let submit = |_: &mut Workers<_>, submit_queue: &mut SubmitQueue<PlainStore<Job>>| {
            if ticketed { submit_queue.submit_ticketed(job) } else { submit_queue.submit(job) }
        };
        match self.step(steps, "submit", submit, labels::submitted) {
            Ok(accepted) => {
                self.submitted += 1;
                self.clients[at] = if accepted.must_wake { Client::OwesWake } else { Client::Free };
                if !was_open {
                    self.violate("a closed submit queue accepts a job");
                }
                if !had_slot {
                    self.violate("more jobs are queued than the bound allows");
                }
            }
            Err(SubmitError::Closed(_)) if was_open => self.violate("an open submit queue returns a job as closed"),
            Err(SubmitError::Closed(_)) => {}
            Err(SubmitError::Full(_)) => self.clients[at] = Client::QueueFull,
        }
    }
}
