//! Names for the tables: what a reader of SPEC.md tells apart.

use super::{Duty, Job, Row, Steps, Yard};
use crate::machine::pool::{Call, Crew, Intake, Next, Phase, StartFailed, Stop, Submitted};

/// The states of the three tables.
pub(super) const INTAKE: &[&str] = &["Watched", "Unwatched", "Closed"];
pub(super) const WORKER: &[&str] = &["Starting", "Busy", "Searching", "Idle", "Retired"];
pub(super) const CREW: &[&str] = &[
    "Unstarted",
    "Beacon up",
    "Idle worker",
    "Room",
    "Full",
    "Over target",
    "Draining: beacon up",
    "Draining: idle worker",
    "Draining: room",
    "Draining: full",
    "Draining: over target",
    "Stopped",
];

impl Yard {
    /// One transition of the machine, and its rows: one as the crew sees it, one as the intake does.
    pub(super) fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Crew<Job>, &mut Intake<Job>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let (crew, intake) = (self.crew_label(), self.intake_label());
        let outcome = transition(&mut self.crew, &mut self.intake);
        let action = action(&outcome);
        if event != "submit" {
            steps.row(Row { from: crew, event, action, to: self.crew_label() });
        }
        if event == "submit" || intake != self.intake_label() {
            let action = if event == "submit" { action } else { "nothing" };
            steps.row(Row { from: intake, event, action, to: self.intake_label() });
        }
        outcome
    }

    fn intake_label(&self) -> &'static str {
        match (self.intake.is_open(), self.intake.is_watched()) {
            (false, _) => "Closed",
            (true, true) => "Watched",
            (true, false) => "Unwatched",
        }
    }

    /// The phase, and while it serves, who would come if a job came.
    fn crew_label(&self) -> &'static str {
        let running = match self.crew.phase() {
            Phase::Unstarted => return "Unstarted",
            Phase::Stopped => return "Stopped",
            Phase::Running => true,
            Phase::Draining => false,
        };
        if self.crew.live() > self.limit() {
            return if running { "Over target" } else { "Draining: over target" };
        }
        match (self.crew.has_beacon(), self.crew.idle() > 0, self.room() > 0) {
            (true, _, _) if running => "Beacon up",
            (true, _, _) => "Draining: beacon up",
            (false, true, _) if running => "Idle worker",
            (false, true, _) => "Draining: idle worker",
            (false, false, true) if running => "Room",
            (false, false, true) => "Draining: room",
            (false, false, false) if running => "Full",
            (false, false, false) => "Draining: full",
        }
    }
}

pub(super) fn call(call: &Call) -> &'static str {
    match call {
        Call::Nobody => "call nobody",
        Call::One => "notify one",
        Call::All => "notify all",
        Call::Start(_) => "start threads",
        Call::AllAndStart(_) => "notify all, start threads",
    }
}

pub(super) fn submitted(submitted: &Result<Submitted, Job>) -> &'static str {
    match submitted {
        Ok(Submitted::OweNothing) => "nothing",
        Ok(Submitted::Summon) => "summon",
        Err(_) => "hand the job back",
    }
}

pub(super) fn started(started: &Result<Call, ()>) -> &'static str {
    started.as_ref().map_or("refuse", call)
}

pub(super) fn stopped(stop: &Stop<Job>) -> &'static str {
    match (stop.cancelled.is_empty(), stop.stopped) {
        (true, false) => call(&stop.call),
        (true, true) => "say that it has stopped",
        (false, _) => "refuse the jobs, say that it has stopped",
    }
}

pub(super) fn failed(failed: &StartFailed<Job>) -> &'static str {
    match (failed.orphans.is_empty(), failed.stopped) {
        (true, false) => call(&failed.call),
        (true, true) => "say that it has stopped",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, say that it has stopped",
    }
}

pub(super) fn next(next: &Next<Job>) -> &'static str {
    match next {
        Next::Run(_, Call::Nobody) => "run a job",
        Next::Run(_, Call::One) => "notify one, run a job",
        Next::Run(_, Call::Start(_)) => "start threads, run a job",
        Next::Run(_, Call::All | Call::AllAndStart(_)) => "notify all, run a job",
        Next::Look => "look at the intake",
        Next::Search => "search",
        Next::Sleep => "sleep",
        Next::Retire(Call::Nobody) => "retire",
        Next::Retire(Call::One) => "notify one, retire",
        Next::Retire(Call::All | Call::Start(_) | Call::AllAndStart(_)) => "call more, retire",
        Next::RetireLast => "retire, say that it has stopped",
    }
}

pub(super) fn duty(duty: Duty) -> &'static str {
    match duty {
        Duty::Arrives => "Starting",
        Duty::Takes(..) | Duty::Runs(_) => "Busy",
        Duty::Searches => "Searching",
        Duty::Waits | Duty::Released => "Idle",
        Duty::Retires(_) | Duty::Ended => "Retired",
    }
}
