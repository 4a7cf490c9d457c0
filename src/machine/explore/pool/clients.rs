//! Those who call the pool: what they are in the midst of, and what they may do next.

use super::{Actor, Errand, Event, Seed, Steps, Yard, labels};
use crate::machine::pool::{Call, Crew, Phase, Stop, Submitted, resize, start, stop};

/// What a client is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Client {
    /// May call anything.
    Free,
    /// Has submitted a job, released the intake, and owes a summons.
    Owes,
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
            Self::Free | Self::Owes | Self::Awaits => None,
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
                let call = if self.has_seed(Seed::ForgetsToSummon) { Call::Nobody } else { call };
                steps.certain(Event::Summons, next.carries(at, call));
            }
            Client::Awaits => {
                let mut next = self.clone();
                if self.crew.phase() == Phase::Stopped
                    && let Some(join) = next.takes_roster()
                {
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
            steps.possible(event, next.carries(at, call.unwrap_or(Call::Nobody)));
        }
        if left.resizes > 0 {
            for (number, target) in self.plan.0.targets.iter().enumerate() {
                let mut next = self.clone();
                next.left.resizes -= 1;
                let call = next.step(steps, "resize", |crew, intake| resize(crew, intake, *target), labels::call);
                next.highest = next.highest.max(next.limit());
                steps.possible(Event::ResizesTo(number), next.carries(at, call));
            }
        }
        if left.stops > 0 {
            let mut next = self.clone();
            next.left.stops -= 1;
            let Stop { cancelled, call, stopped } = next.step(steps, "stop", stop, labels::stopped);
            next.highest = next.highest.max(next.limit());
            if stopped && next.crew.phase() != Phase::Stopped {
                next.blame("a pool has stopped that has not");
            }
            cancelled.into_iter().for_each(|job| next.goes(job));
            let errand = next.errand(call);
            next.clients[at] = Client::Stops(errand);
            steps.possible(Event::Stops, next.goes_on(Actor::Client(at), errand));
        }
    }

    /// The first half of a submission: with the intake's lock alone.
    fn submits(&mut self, steps: &mut Steps<'_, Self>, at: usize) {
        let job = self.submitted;
        let was_open = self.intake.is_open();
        match self.step(steps, "submit", |_: &mut Crew<_>, intake| intake.submit(job), labels::submitted) {
            Ok(owed) => {
                self.submitted += 1;
                self.clients[at] = if owed == Submitted::Summon { Client::Owes } else { Client::Free };
                if !was_open {
                    self.blame("a closed intake takes a job");
                }
            }
            Err(back) if was_open || back != job => self.blame("a job is handed back that is not, or another one"),
            Err(_) => {}
        }
    }
}
