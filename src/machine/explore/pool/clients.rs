//! Those who call the pool: what they are in the midst of, and what they may do next.

use super::{Actor, Errand, Event, Job, Seed, Steps, Yard, labels};
use crate::machine::pool::{
    Call, Crew, Intake, Line, Phase, Refused, Ring, Stop, TicketId, cancel, resize, squeeze, start, stop,
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
                if !self.workers.is_empty() {
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
                let call = next.step(steps, "summon", |crew, _| crew.summon(), labels::call);
                let call = if self.has_seed(Seed::ForgetsToSummon) { Call::NOBODY } else { call };
                steps.certain(Event::Summons, next.carries(at, call));
            }
            Client::Squeezes => self.squeezes(steps, at, None),
            Client::AwaitsPlace => {
                let mut next = self.clone();
                next.clients[at] = Client::TriesAgain { late: true };
                if self.left.lapses > 0 {
                    next.left.lapses -= 1;
                    next.clients.sort();
                    steps.possible(Event::GivesUp, next);
                }
            }
            Client::TriesAgain { late } => {
                let mut next = self.clone();
                next.step(steps, "waited_for_place", |crew, _| crew.waited_for_place(), |()| "look for a place");
                next.squeezes(steps, at, Some(late));
            }
            Client::Awaits => {
                if self.left.lapses > 0 {
                    let mut next = self.clone();
                    next.left.lapses -= 1;
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.possible(Event::GivesUp, next);
                }
                let mut next = self.clone();
                if self.over && !self.roster_is_taken() {
                    if self.workers.iter().any(|worker| worker.duty.is_able()) {
                        next.blame("a worker is to be joined that can still run");
                    }
                    let join = self.workers.iter().fold(0, |bits, worker| bits | 1 << worker.id);
                    let errand = Errand { roster: true, join, ..Errand::default() };
                    next.clients[at] = Client::Joins(errand);
                    steps.certain(Event::TakesTheRoster, next.goes_on(Actor::Client(at), errand));
                }
            }
            Client::Carries(errand) | Client::Stops(errand) | Client::Joins(errand) => {
                self.errand_steps(steps, Actor::Client(at), errand);
            }
        }
    }

    fn carries(mut self, at: usize, call: Call) -> Self {
        let errand = self.errand(call);
        self.goes_on(Actor::Client(at), errand)
    }

    fn calls(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let left = self.left;
        if left.submits > 0 {
            let mut next = self.clone();
            next.left.submits -= 1;
            next.submits(steps, at);
            next.clients.sort();
            steps.possible(Event::Submits, next);
        }
        for (lazily, starts) in [(false, left.starts), (true, left.lazy_starts)] {
            if starts == 0 {
                continue;
            }
            let mut next = self.clone();
            *(if lazily { &mut next.left.lazy_starts } else { &mut next.left.starts }) -= 1;
            let name = if lazily { "start_lazily" } else { "start" };
            let call = next.step(steps, name, |crew, intake| start(crew, intake, lazily), labels::started);
            if call.is_err() == matches!(self.crew.phase(), Phase::Unstarted | Phase::Running) {
                next.blame("a pool is started unless it was stopped");
            }
            let event = if lazily { Event::StartsLazily } else { Event::Starts };
            steps.possible(event, next.carries(at, call.unwrap_or(Call::NOBODY)));
        }
        if left.resizes > 0 {
            for (number, target) in self.plan.0.targets.iter().enumerate() {
                let mut next = self.clone();
                next.left.resizes -= 1;
                let call = next.step(steps, "resize", |crew, intake| resize(crew, intake, *target), labels::call);
                steps.possible(Event::ResizesTo(number), next.carries(at, call));
            }
        }
        if left.stops > 0 {
            for (number, policy) in self.plan.0.policies.iter().enumerate() {
                let mut next = self.clone();
                next.left.stops -= 1;
                let Stop { cancelled, call, stopped, .. } =
                    next.step(steps, "stop", |crew, intake| stop(crew, intake, *policy), labels::stopped);
                next.over |= stopped;
                let tells = !cancelled.is_empty();
                for job in cancelled {
                    next.goes(job);
                    next.is_over(job);
                }
                let errand = Errand { tells, ..next.errand(call) };
                next.clients[at] = Client::Stops(errand);
                steps.possible(Event::Stops(number), next.goes_on(Actor::Client(at), errand));
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
        let (found, call) = next.step(steps, "cancel", |crew, intake| cancel(crew, intake, ticket), labels::cancelled);
        if found.is_some() != waits || found.is_some_and(|found| found != job) {
            next.blame("a job is cancelled that is not there, or one is not that is");
        }
        if waits && !self.has_seed(Seed::RunsWhatWasCancelled) {
            next.cancelled |= 1 << job;
            next.is_over(job);
        }
        steps.possible(Event::Cancels(job), next.carries(at, call));
    }

    /// With both locks: a place for the job, or a wait for one, or neither.
    fn squeezes(&self, steps: &mut Steps<'_, Self>, at: usize, waited: Option<bool>) {
        let mut next = self.clone();
        let job = self.submitted;
        let had_place = self.has_room_for_a_job();
        let squeezed = next.step(
            steps,
            "squeeze",
            |crew, intake| squeeze(crew, intake, job, self.plan.0.ticketed),
            labels::squeezed,
        );
        match squeezed {
            Ok((_, call)) => {
                next.submitted += 1;
                if !had_place {
                    next.blame("more jobs wait than may");
                }
                steps.certain(Event::LooksForAPlace, next.carries(at, call));
            }
            Err(Refused::Closed(_)) => {
                next.clients[at] = Client::Free;
                next.clients.sort();
                steps.certain(Event::LooksForAPlace, next);
            }
            Err(Refused::Full(_)) => {
                if had_place {
                    next.blame("a job is refused for which there is a place");
                }
                // One that has not waited yet may not want to.
                if waited != Some(false) {
                    let mut next = next.clone();
                    next.clients[at] = Client::Free;
                    next.clients.sort();
                    steps.certain(Event::LooksForAPlace, next);
                }
                if waited != Some(true) {
                    next.step(steps, "wait_for_place", |crew, _| crew.wait_for_place(), |()| "wait for a place");
                    next.clients[at] = Client::AwaitsPlace;
                    next.clients.sort();
                    steps.certain(Event::WaitsForAPlace, next);
                }
            }
        }
    }

    /// Those who wait for a place are rung.
    pub(super) fn place_steps(&self, steps: &mut Steps<'_, Self>, who: Actor, errand: Errand) {
        let rest = Errand { places: Ring::No, ..errand };
        let waiting: Vec<_> = (0..self.clients.len()).filter(|at| self.clients[*at] == Client::AwaitsPlace).collect();
        let released = |all: &[usize]| {
            let mut next = self.clone();
            all.iter().for_each(|at| next.clients[*at] = Client::TriesAgain { late: false });
            next.goes_on(who, rest)
        };
        // Clients are alike: it does not matter which.
        let least = if errand.places == Ring::All { waiting.len() } else { waiting.len().min(1) };
        for count in least..=waiting.len() {
            steps.certain(Event::RingsForPlaces, released(&waiting[..count]));
        }
    }

    /// The first half of a submission: with the intake's lock alone.
    fn submits(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let job = self.submitted;
        let was_open = self.intake.is_open();
        let had_place = self.has_room_for_a_job();
        let ticketed = self.plan.0.ticketed;
        let submit = |_: &mut Crew<_>, intake: &mut Intake<Line<Job>>| {
            if ticketed { intake.submit_ticketed(job) } else { intake.submit(job) }
        };
        match self.step(steps, "submit", submit, labels::submitted) {
            Ok(accepted) => {
                self.submitted += 1;
                self.clients[at] = if accepted.summon { Client::Owes } else { Client::Free };
                if !was_open {
                    self.blame("a closed intake takes a job");
                }
                if !had_place {
                    self.blame("more jobs wait than may");
                }
            }
            Err(Refused::Closed(_)) if was_open => self.blame("a job is handed back that is not"),
            Err(Refused::Closed(_)) => {}
            Err(Refused::Full(_)) => self.clients[at] = Client::Squeezes,
        }
    }
}
