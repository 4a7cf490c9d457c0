//! Those who call the pool: what they are in the midst of, and what they may do next.

use super::{Actor, Bug, Errand, Event, Job, Steps, Yard, labels};
use crate::machine::pool::{
    Notify, PlainStore, PoolState, Stop, SubmitError, SubmitQueue, TicketId, Wakeups, Workers, cancel, resize, start,
    stop, submit_when_full,
};

/// What a client is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Client {
    /// May call anything.
    Free,
    /// Has submitted a job, released the intake, and owes a summons.
    Owes,
    /// Has a job, found no place for it, and looks closer.
    Squeezes,
    /// Waits for a place.
    AwaitsPlace,
    /// Was released from that wait, perhaps because its time is over, and has not locked the crew again.
    TriesAgain { late: bool },
    /// Carries out what a call came to.
    Carries(Errand),
    /// The same; then it waits for the pool to stop.
    Stops(Errand),
    /// Waits for the pool to stop.
    Awaits,
    /// Joins the last threads.
    Joins(Errand),
}

impl Client {
    pub(super) fn errand(self) -> Option<Errand> {
        match self {
            Self::Carries(errand) | Self::Stops(errand) | Self::Joins(errand) => Some(errand),
            _ => None,
        }
    }
}

impl Yard {
    pub(super) fn client_goes_on(&mut self, at: usize, errand: Errand) {
        let done = errand.is_done();
        self.clients[at] = match self.clients[at] {
            Client::Stops(_) if done => Client::Awaits,
            Client::Stops(_) => Client::Stops(errand),
            Client::Joins(_) if done => {
                if !self.threads.is_empty() {
                    self.blame("stop returns, and a thread is not joined");
                }
                Client::Free
            }
            Client::Joins(_) => Client::Joins(errand),
            _ if done => Client::Free,
            _ => Client::Carries(errand),
        };
    }

    pub(super) fn client_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        match self.clients[at] {
            // Free clients are alike: what the first may do is what any may do.
            Client::Free if at == 0 || self.clients[at - 1] != Client::Free => self.calls(steps, at),
            Client::Free => {}
            Client::Owes => {
                let mut next = self.clone();
                let wakeups =
                    next.step(steps, "wake_for_submit", |workers, _| workers.wake_for_submit(), labels::wakeups);
                let wakeups = if self.has_bug(Bug::ForgetsToSummon) { Wakeups::NONE } else { wakeups };
                steps.fair(Event::Summons, next.carries(at, wakeups));
            }
            Client::Squeezes => self.squeezes(steps, at, None),
            Client::AwaitsPlace => {
                let mut next = self.clone();
                next.clients[at] = Client::TriesAgain { late: true };
                if self.left.lapses > 0 {
                    next.left.lapses -= 1;
                    next.clients.sort();
                    steps.unfair(Event::GivesUp, next);
                }
            }
            Client::TriesAgain { late } => {
                let mut next = self.clone();
                next.step(steps, "end_slot_wait", |workers, _| workers.end_slot_wait(), |()| "look for a place");
                next.squeezes(steps, at, Some(late));
            }
            Client::Awaits => {
                if self.left.lapses > 0 {
                    let mut next = self.clone();
                    next.left.lapses -= 1;
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.unfair(Event::GivesUp, next);
                }
                let mut next = self.clone();
                if self.over && !self.roster_is_taken() {
                    if self.threads.iter().any(|worker| worker.duty.is_able()) {
                        next.blame("a worker is to be joined that can still run");
                    }
                    let join = self.threads.iter().fold(0, |bits, worker| bits | 1 << worker.id);
                    let errand = Errand { roster: true, join, ..Errand::default() };
                    next.clients[at] = Client::Joins(errand);
                    steps.fair(Event::TakesTheRoster, next.goes_on(Actor::Client(at), errand));
                }
            }
            Client::Carries(errand) | Client::Stops(errand) | Client::Joins(errand) => {
                self.errand_steps(steps, Actor::Client(at), errand);
            }
        }
    }

    fn carries(mut self, at: usize, wakeups: Wakeups) -> Self {
        let errand = self.errand(wakeups);
        self.goes_on(Actor::Client(at), errand)
    }

    fn calls(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let left = self.left;
        if left.submits > 0 {
            let mut next = self.clone();
            next.left.submits -= 1;
            next.submits(steps, at);
            next.clients.sort();
            steps.unfair(Event::Submits, next);
        }
        for (lazily, starts) in [(false, left.starts), (true, left.lazy_starts)] {
            if starts == 0 {
                continue;
            }
            let mut next = self.clone();
            *(if lazily { &mut next.left.lazy_starts } else { &mut next.left.starts }) -= 1;
            let name = if lazily { "start_lazily" } else { "start" };
            let wakeups =
                next.step(steps, name, |workers, submit_queue| start(workers, submit_queue, lazily), labels::started);
            if wakeups.is_err() == matches!(self.workers.state(), PoolState::Unstarted | PoolState::Running) {
                next.blame("a pool is started unless it was stopped");
            }
            let event = if lazily { Event::StartsLazily } else { Event::Starts };
            steps.unfair(event, next.carries(at, wakeups.unwrap_or(Wakeups::NONE)));
        }
        if left.resizes > 0 {
            for (number, target) in self.plan.0.targets.iter().enumerate() {
                let mut next = self.clone();
                next.left.resizes -= 1;
                let wakeups = next.step(
                    steps,
                    "resize",
                    |workers, submit_queue| resize(workers, submit_queue, *target),
                    labels::wakeups,
                );
                steps.unfair(Event::ResizesTo(number), next.carries(at, wakeups));
            }
        }
        if left.stops > 0 {
            for (number, policy) in self.plan.0.policies.iter().enumerate() {
                let mut next = self.clone();
                next.left.stops -= 1;
                let Stop { cancelled, wakeups, stopped, .. } = next.step(
                    steps,
                    "stop",
                    |workers, submit_queue| stop(workers, submit_queue, *policy),
                    labels::stopped,
                );
                next.over |= stopped;
                let tells = !cancelled.is_empty();
                for job in cancelled {
                    next.goes(job);
                    next.is_over(job);
                }
                let errand = Errand { tells, ..next.errand(wakeups) };
                next.clients[at] = Client::Stops(errand);
                steps.unfair(Event::Stops(number), next.goes_on(Actor::Client(at), errand));
            }
        }
        if left.cancels > 0 {
            (0..self.submitted).filter(|job| !self.was_cancelled(*job)).for_each(|job| self.cancels(steps, at, job));
        }
    }

    fn cancels(&self, steps: &mut Steps<'_, Self>, at: usize, job: Job) {
        let mut next = self.clone();
        next.left.cancels -= 1;
        let ticket = TicketId::from(job);
        let waits = job >= self.gone;
        let (found, wakeups) = next.step(
            steps,
            "cancel",
            |workers, submit_queue| cancel(workers, submit_queue, ticket),
            labels::cancelled,
        );
        if found.is_some() != waits || found.is_some_and(|found| found != job) {
            next.blame("a job is cancelled that is not there, or one is not that is");
        }
        if waits && !self.has_bug(Bug::RunsWhatWasCancelled) {
            next.cancelled |= 1 << job;
            next.is_over(job);
        }
        steps.unfair(Event::Cancels(job), next.carries(at, wakeups));
    }

    /// With both locks: a place for the job, or a wait for one, or neither.
    fn squeezes(&self, steps: &mut Steps<'_, Self>, at: usize, waited: Option<bool>) {
        let mut next = self.clone();
        let job = self.submitted;
        let had_place = self.has_room_for_a_job();
        let squeezed = next.step(
            steps,
            "submit_when_full",
            |workers, submit_queue| submit_when_full(workers, submit_queue, job, self.plan.0.ticketed),
            labels::squeezed,
        );
        match squeezed {
            Ok((_, wakeups)) => {
                next.submitted += 1;
                if !had_place {
                    next.blame("more jobs wait than may");
                }
                steps.fair(Event::LooksForAPlace, next.carries(at, wakeups));
            }
            Err(SubmitError::Closed(_)) => {
                next.clients[at] = Client::Free;
                next.clients.sort();
                steps.fair(Event::LooksForAPlace, next);
            }
            Err(SubmitError::Full(_)) => {
                if had_place {
                    next.blame("a job is refused for which there is a place");
                }
                // One that has not waited yet may not want to.
                if waited != Some(false) {
                    let mut next = next.clone();
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.fair(Event::LooksForAPlace, next);
                }
                if waited != Some(true) {
                    next.step(
                        steps,
                        "begin_slot_wait",
                        |workers, _| workers.begin_slot_wait(),
                        |()| "wait for a place",
                    );
                    next.clients[at] = Client::AwaitsPlace;
                    next.clients.sort();
                    steps.fair(Event::WaitsForAPlace, next);
                }
            }
        }
    }

    /// Those who wait for a place are rung.
    pub(super) fn place_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        let rest = Errand { places: Notify::Nobody, ..errand };
        let waiting: Vec<_> = (0..self.clients.len()).filter(|at| self.clients[*at] == Client::AwaitsPlace).collect();
        let released = |all: &[usize]| {
            let mut next = self.clone();
            all.iter().for_each(|at| next.clients[*at] = Client::TriesAgain { late: false });
            next.goes_on(who, rest)
        };
        // Clients are alike: it does not matter which.
        let least = if errand.places == Notify::All { waiting.len() } else { waiting.len().min(1) };
        for count in least..=waiting.len() {
            steps.fair(Event::RingsForPlaces, released(&waiting[..count]));
        }
    }

    /// The first half of a submission: with the intake's lock alone.
    fn submits(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let job = self.submitted;
        let was_open = self.submit_queue.is_open();
        let had_place = self.has_room_for_a_job();
        let ticketed = self.plan.0.ticketed;
        let submit = |_: &mut Workers<_>, submit_queue: &mut SubmitQueue<PlainStore<Job>>| {
            if ticketed { submit_queue.submit_ticketed(job) } else { submit_queue.submit(job) }
        };
        match self.step(steps, "submit", submit, labels::submitted) {
            Ok(accepted) => {
                self.submitted += 1;
                self.clients[at] = if accepted.must_wake { Client::Owes } else { Client::Free };
                if !was_open {
                    self.blame("a closed submit_queue takes a job");
                }
                if !had_place {
                    self.blame("more jobs wait than may");
                }
            }
            Err(SubmitError::Closed(_)) if was_open => self.blame("a job is handed back that is not"),
            Err(SubmitError::Closed(_)) => {}
            Err(SubmitError::Full(_)) => self.clients[at] = Client::Squeezes,
        }
    }
}
