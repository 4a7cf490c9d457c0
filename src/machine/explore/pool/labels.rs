//! Names for the tables: what a reader of SPEC.md tells apart.

use super::{Duty, Job, Row, Steps, Worker, Yard};
use crate::machine::pool::{
    Accepted, Exited, Notify, PlainStore, PoolState, Popped, RefusedJobs, SpawnFailed, Stop, SubmitError, SubmitQueue,
    Wakeups, WorkerAction, Workers,
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
    "Draining: wake_pending up",
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
        transition: impl FnOnce(&mut Workers<PlainStore<Job>>, &mut SubmitQueue<PlainStore<Job>>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let (workers, submit_queue) = (self.crew_label(), self.intake_label());
        let outcome = transition(&mut self.workers, &mut self.submit_queue);
        self.highest = self.highest.max(self.limit());
        let action = action(&outcome);
        if event != "submit" {
            steps.row(Row { from: workers, event, action, to: self.crew_label() });
        }
        if event == "submit" || submit_queue != self.intake_label() {
            let action = if event == "submit" { action } else { "nothing" };
            steps.row(Row { from: submit_queue, event, action, to: self.intake_label() });
        }
        outcome
    }

    fn intake_label(&self) -> &'static str {
        match (self.submit_queue.is_open(), self.submit_queue.wake_not_needed()) {
            (false, _) => "Closed",
            _ if self.submit_queue.free_slots() == 0 => "Full",
            (true, true) => "Watched",
            (true, false) => "Unwatched",
        }
    }

    /// The phase, and while it serves, who would come if a job came.
    fn crew_label(&self) -> &'static str {
        let running = match self.workers.state() {
            PoolState::Unstarted => return "Unstarted",
            PoolState::Stopped => return "Stopped",
            PoolState::Running => true,
            PoolState::Draining => false,
        };
        if self.staying() > self.limit() {
            return if running { "Over target" } else { "Draining: over target" };
        }
        let label = |name, draining| if running { name } else { draining };
        match (self.workers.is_wake_pending(), self.workers.idle() > 0, self.workers.starting() > 0, self.room() > 0) {
            (true, ..) => label("Beacon up", "Draining: wake_pending up"),
            (_, true, ..) => label("Idle worker", "Draining: idle worker"),
            (_, _, true, _) => label("Arriving", "Draining: arriving"),
            (.., true) => label("Room", "Draining: room"),
            (.., false) => label("Full", "Draining: full"),
        }
    }
}

pub(super) fn wakeups(wakeups: &Wakeups) -> &'static str {
    match (wakeups.workers, wakeups.spawn.count > 0, wakeups.report_saturation) {
        (Notify::Nobody, false, false) => "nothing",
        (Notify::One, false, _) => "notify one",
        (Notify::All, false, _) => "notify all",
        (Notify::Nobody, true, _) => "start threads",
        (_, true, _) => "notify all, start threads",
        (Notify::Nobody, false, true) => "report that it is saturated",
    }
}

pub(super) fn submitted<T>(submitted: &Result<Accepted, SubmitError<T>>) -> &'static str {
    match submitted {
        Ok(accepted) if accepted.must_wake => "wakeups wake_for_submit",
        Ok(_) => "nothing",
        Err(SubmitError::Closed(_)) => "hand the job back",
        Err(SubmitError::Full(_)) => "wakeups submit_when_full",
    }
}

pub(super) fn squeezed<T>(squeezed: &Result<(Accepted, Wakeups), SubmitError<T>>) -> &'static str {
    match squeezed {
        Ok((_, outcome)) => wakeups(outcome),
        Err(SubmitError::Closed(_)) => "hand the job back",
        Err(SubmitError::Full(_)) => "hand the job back, or wait",
    }
}

pub(super) fn cancelled((job, wakeups): &(Option<Job>, Wakeups)) -> &'static str {
    match (job, wakeups.submitters) {
        (None, _) => "ask the job to end",
        (Some(_), Notify::Nobody) => "drop the job",
        (Some(_), _) => "drop the job, tell of a place",
    }
}

pub(super) fn started(started: &Result<Wakeups, ()>) -> &'static str {
    started.as_ref().map_or("refuse", wakeups)
}

pub(super) fn stopped(stop: &Stop<RefusedJobs<PlainStore<Job>>>) -> &'static str {
    match (stop.cancelled.is_empty(), stop.stopped) {
        (true, false) => wakeups(&stop.wakeups),
        (true, true) => "say that it has stopped",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, say that it has stopped",
    }
}

pub(super) fn failed(failed: &SpawnFailed<RefusedJobs<PlainStore<Job>>>) -> &'static str {
    match (failed.refused.is_empty(), failed.stopped) {
        (true, false) => wakeups(&failed.wakeups),
        (true, true) => "say that it has stopped",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, say that it has stopped",
    }
}

pub(super) fn refusals_done(stopped: &bool) -> &'static str {
    if *stopped { "say that it has stopped" } else { "nothing" }
}

pub(super) fn exited(exited: &Exited) -> &'static str {
    if exited.stopped { "say that it has stopped" } else { wakeups(&exited.wakeups) }
}

fn runs(wakeups: &Wakeups) -> &'static str {
    match (wakeups.workers, wakeups.spawn.count > 0, wakeups.submitters) {
        (Notify::Nobody, false, Notify::Nobody) => "run a job",
        (Notify::Nobody, false, _) => "tell of a place, run a job",
        (Notify::Nobody, true, _) => "start threads, run a job",
        (_, _, _) => "notify one, run a job",
    }
}

pub(super) fn next(next: &Option<(Popped<PlainStore<Job>>, Wakeups)>) -> &'static str {
    next.as_ref().map_or("look at the submit queue", |(_, wakeups)| runs(wakeups))
}

pub(super) fn looked(next: &WorkerAction<Popped<PlainStore<Job>>>) -> &'static str {
    match next {
        WorkerAction::Run(_, wakeups) => runs(wakeups),
        WorkerAction::Search => "search",
        WorkerAction::Sleep { timed: false } => "sleep",
        WorkerAction::Sleep { timed: true } => "sleep for the keep-alive",
        WorkerAction::Exit(wakeups) => match (wakeups.workers, wakeups.report_saturation) {
            (Notify::Nobody, false) => "leave",
            (Notify::Nobody, true) => "report that it is saturated, leave",
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
