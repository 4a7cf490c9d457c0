//! Names for the tables: what a reader of SPEC.md tells apart.

use super::{Duty, Job, Row, Steps, Worker, Yard};
use crate::machine::pool::{
    Accepted, Backlog, Call, Crew, Intake, Left, Line, Next, Phase, Refused, Ring, StartFailed, Stop, Taken,
};

/// The states of the three tables.
pub(super) const INTAKE: &[&str] = &["Watched", "Unwatched", "Full", "Closed"];
pub(super) const WORKER: &[&str] =
    &["Starting", "Settling", "Busy", "Blocked", "Searching", "Idle", "Leaving", "Retired"];
pub(super) const CREW: &[&str] = &[
    "Unstarted",
    "Beacon up",
    "Idle worker",
    "Arriving",
    "Room",
    "Full",
    "Over target",
    "Draining: beacon up",
    "Draining: idle worker",
    "Draining: arriving",
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
        transition: impl FnOnce(&mut Crew<Line<Job>>, &mut Intake<Line<Job>>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let (crew, intake) = (self.crew_label(), self.intake_label());
        let outcome = transition(&mut self.crew, &mut self.intake);
        self.highest = self.highest.max(self.limit());
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
            _ if self.intake.places() == 0 => "Full",
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
        if self.staying() > self.limit() {
            return if running { "Over target" } else { "Draining: over target" };
        }
        let label = |name, draining| if running { name } else { draining };
        match (self.crew.has_beacon(), self.crew.idle() > 0, self.crew.arriving() > 0, self.room() > 0) {
            (true, ..) => label("Beacon up", "Draining: beacon up"),
            (_, true, ..) => label("Idle worker", "Draining: idle worker"),
            (_, _, true, _) => label("Arriving", "Draining: arriving"),
            (.., true) => label("Room", "Draining: room"),
            (.., false) => label("Full", "Draining: full"),
        }
    }
}

pub(super) fn call(call: &Call) -> &'static str {
    match (call.ring, call.start.count > 0, call.saturated) {
        (Ring::No, false, false) => "call nobody",
        (Ring::One, false, _) => "notify one",
        (Ring::All, false, _) => "notify all",
        (Ring::No, true, _) => "start threads",
        (_, true, _) => "notify all, start threads",
        (Ring::No, false, true) => "report that it is saturated",
    }
}

pub(super) fn submitted<T>(submitted: &Result<Accepted, Refused<T>>) -> &'static str {
    match submitted {
        Ok(accepted) if accepted.summon => "summon",
        Ok(_) => "nothing",
        Err(Refused::Closed(_)) => "hand the job back",
        Err(Refused::Full(_)) => "squeeze",
    }
}

pub(super) fn squeezed<T>(squeezed: &Result<(Accepted, Call), Refused<T>>) -> &'static str {
    match squeezed {
        Ok((_, outcome)) => call(outcome),
        Err(Refused::Closed(_)) => "hand the job back",
        Err(Refused::Full(_)) => "hand the job back, or wait",
    }
}

pub(super) fn cancelled((job, call): &(Option<Job>, Call)) -> &'static str {
    match (job, call.places) {
        (None, _) => "ask the job to end",
        (Some(_), Ring::No) => "drop the job",
        (Some(_), _) => "drop the job, tell of a place",
    }
}

pub(super) fn started(started: &Result<Call, ()>) -> &'static str {
    started.as_ref().map_or("refuse", call)
}

pub(super) fn stopped(stop: &Stop<Backlog<Line<Job>>>) -> &'static str {
    match (stop.cancelled.is_empty(), stop.stopped) {
        (true, false) => call(&stop.call),
        (true, true) => "say that it has stopped",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, say that it has stopped",
    }
}

pub(super) fn failed(failed: &StartFailed<Backlog<Line<Job>>>) -> &'static str {
    match (failed.orphans.is_empty(), failed.stopped) {
        (true, false) => call(&failed.call),
        (true, true) => "say that it has stopped",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, say that it has stopped",
    }
}

pub(super) fn told(stopped: &bool) -> &'static str {
    if *stopped { "say that it has stopped" } else { "nothing" }
}

pub(super) fn left(left: &Left) -> &'static str {
    if left.stopped { "say that it has stopped" } else { call(&left.call) }
}

fn runs(call: &Call) -> &'static str {
    match (call.ring, call.start.count > 0, call.places) {
        (Ring::No, false, Ring::No) => "run a job",
        (Ring::No, false, _) => "tell of a place, run a job",
        (Ring::No, true, _) => "start threads, run a job",
        (_, _, _) => "notify one, run a job",
    }
}

pub(super) fn next(next: &Option<(Taken<Line<Job>>, Call)>) -> &'static str {
    next.as_ref().map_or("look at the intake", |(_, call)| runs(call))
}

pub(super) fn looked(next: &Next<Taken<Line<Job>>>) -> &'static str {
    match next {
        Next::Run(_, call) => runs(call),
        Next::Search => "search",
        Next::Sleep { timed: false } => "sleep",
        Next::Sleep { timed: true } => "sleep for the keep-alive",
        Next::Leave(call) => match (call.ring, call.saturated) {
            (Ring::No, false) => "leave",
            (Ring::No, true) => "report that it is saturated, leave",
            (_, _) => "notify one, leave",
        },
    }
}

pub(super) fn duty(worker: &Worker) -> &'static str {
    match worker.duty {
        Duty::Arrives => "Starting",
        Duty::Settles(_) => "Settling",
        Duty::Takes(..) | Duty::Runs(_) if worker.blocked => "Blocked",
        Duty::Takes(..) | Duty::Runs(_) => "Busy",
        Duty::Searches => "Searching",
        Duty::Waits | Duty::Released => "Idle",
        Duty::Leaves(_) => "Leaving",
        Duty::Retires(_) | Duty::Ended => "Retired",
    }
}
