//! Names for the tables: the states of the machine's two halves and of one worker, and what a transition returned.

use super::parts::{Activity, Job, Worker};
use super::plain_store::PlainStore;
use crate::machine::pool::{
    Accepted, Exited, Notify, PoolState, Popped, RefusedJobs, SpawnFailed, SpawnNext, Stop, SubmitError, SubmitQueue,
    Wakeups, WorkerAction, Workers,
};

/// The states of the three tables, without what follows a colon. No name is in two of them.
pub(super) const SUBMIT_QUEUE: &[&str] = &["No wake needed", "Wake needed", "Full", "Closed"];
pub(super) const WORKER_LOOP: &[&str] =
    &["Starting", "Start hooks", "Busy", "Blocked", "Searching", "Idle", "Passing a wake on", "Exiting", "Exited"];
pub(super) const WORKERS: &[&str] = &[
    "Unstarted",
    "Wake pending",
    "Idle worker",
    "Thread starting",
    "Can spawn",
    "At limit",
    "Over limit",
    "Draining",
    "Stopped",
];

pub(super) fn submit_queue(submit_queue: &SubmitQueue<PlainStore<Job>>) -> &'static str {
    match (submit_queue.open, submit_queue.wake_not_needed) {
        (false, _) => "Closed",
        _ if submit_queue.free_slots == 0 => "Full",
        (true, true) => "No wake needed",
        (true, false) => "Wake needed",
    }
}

/// The state of the pool; while it serves, by what means a worker would come to a job that came now.
pub(super) fn workers(workers: &Workers<PlainStore<Job>>, limit: usize) -> &'static str {
    let running = match workers.state() {
        PoolState::Unstarted => return "Unstarted",
        PoolState::Stopped => return "Stopped",
        PoolState::Running => true,
        PoolState::Draining => false,
    };
    if workers.active() > limit {
        return if running { "Over limit" } else { "Draining: over limit" };
    }
    let label = |name, draining| if running { name } else { draining };
    match (workers.is_wake_pending(), workers.idle() > 0, workers.starting > 0, limit > workers.live()) {
        (true, ..) => label("Wake pending", "Draining: wake pending"),
        (_, true, ..) => label("Idle worker", "Draining: idle worker"),
        (_, _, true, _) => label("Thread starting", "Draining: thread starting"),
        (.., true) => label("Can spawn", "Draining: can spawn"),
        (.., false) => label("At limit", "Draining: at limit"),
    }
}

pub(super) fn wakeups(wakeups: &Wakeups) -> &'static str {
    match (wakeups.wake, wakeups.spawn.count > 0, wakeups.report_saturation) {
        (None, false, false) => "nothing",
        (Some(_), false, _) => "wake a worker",
        (None, true, _) => "spawn threads",
        (Some(_), true, _) => "wake a worker, spawn threads",
        (None, false, true) => "report saturation",
    }
}

pub(super) fn woken(outcome: &Wakeups) -> &'static str {
    if *outcome == Wakeups::NONE { "call next_action" } else { wakeups(outcome) }
}

pub(super) fn submitted<T>(submitted: &Result<Accepted, SubmitError<T>>) -> &'static str {
    match submitted {
        Ok(accepted) if accepted.must_wake => "call wake_or_spawn",
        Ok(_) => "nothing",
        Err(SubmitError::Closed(_)) => "return the job",
        Err(SubmitError::Full(_)) => "call submit_when_full",
    }
}

pub(super) fn submitted_when_full<T>(submitted: &Result<(Accepted, Wakeups), SubmitError<T>>) -> &'static str {
    match submitted {
        Ok((_, outcome)) => wakeups(outcome),
        Err(SubmitError::Closed(_)) => "return the job",
        Err(SubmitError::Full(_)) => "return the job, or wait",
    }
}

pub(super) fn cancelled((job, wakeups): &(Option<Job>, Wakeups)) -> &'static str {
    match (job, wakeups.submitters) {
        (None, _) => "nothing",
        (Some(_), Notify::Nobody) => "refuse the job",
        (Some(_), _) => "refuse the job, notify a submitter",
    }
}

pub(super) fn started(started: &Result<Wakeups, ()>) -> &'static str {
    started.as_ref().map_or("refuse", wakeups)
}

pub(super) fn stopped(stop: &Stop<RefusedJobs<PlainStore<Job>>>) -> &'static str {
    match (stop.cancelled.is_empty(), stop.stopped) {
        (true, false) => wakeups(&stop.wakeups),
        (true, true) => "announce the stop",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, announce the stop",
    }
}

pub(super) fn spawn_failed(failed: &SpawnFailed<RefusedJobs<PlainStore<Job>>>) -> &'static str {
    match (failed.refused.is_empty(), failed.stopped) {
        (true, false) => wakeups(&failed.wakeups),
        (true, true) => "announce the stop",
        (false, false) => "refuse the jobs",
        (false, true) => "refuse the jobs, announce the stop",
    }
}

pub(super) fn spawn_next(next: &SpawnNext) -> &'static str {
    match (next.given_up > 0, next.stopped, next.wakeups.report_saturation) {
        (false, ..) => "spawn a thread",
        (true, true, _) => "give threads up, announce the stop",
        (true, false, true) => "give threads up, report saturation",
        (true, false, false) => "give threads up",
    }
}

pub(super) fn refusals_done(stopped: &bool) -> &'static str {
    if *stopped { "announce the stop" } else { "nothing" }
}

pub(super) fn exited(exited: &Exited) -> &'static str {
    if exited.stopped { "announce the stop" } else { wakeups(&exited.wakeups) }
}

fn runs(wakeups: &Wakeups) -> &'static str {
    match (wakeups.wake, wakeups.spawn.count > 0, wakeups.submitters) {
        (None, false, Notify::Nobody) => "run a job",
        (None, false, _) => "notify a submitter, run a job",
        (None, true, _) => "spawn threads, run a job",
        (_, _, _) => "wake a worker, run a job",
    }
}

pub(super) fn next_job(next: &Option<(Popped<PlainStore<Job>>, Wakeups)>) -> &'static str {
    next.as_ref().map_or("call next_action", |(_, wakeups)| runs(wakeups))
}

pub(super) fn next_action(next: &WorkerAction<Popped<PlainStore<Job>>>) -> &'static str {
    match next {
        WorkerAction::Run(_, wakeups) => runs(wakeups),
        WorkerAction::Search => "search",
        WorkerAction::Sleep { timed: false } => "sleep",
        WorkerAction::Sleep { timed: true } => "sleep for the keep-alive",
        WorkerAction::Exit(wakeups) => match (wakeups.wake, wakeups.report_saturation) {
            (None, false) => "exit",
            (None, true) => "report saturation, exit",
            (_, _) => "wake a worker, exit",
        },
    }
}

pub(super) fn activity(worker: &Worker) -> &'static str {
    match worker.activity {
        Activity::Starting => "Starting",
        Activity::StartHooks(_) => "Start hooks",
        Activity::TookJob(..) | Activity::RunsJob(_) if worker.blocked => "Blocked",
        Activity::TookJob(..) | Activity::RunsJob(_) => "Busy",
        Activity::Searches => "Searching",
        Activity::PassesOn(_) => "Passing a wake on",
        Activity::Idle | Activity::Notified => "Idle",
        Activity::Exiting(_) => "Exiting",
        Activity::Exited(_) => "Exited",
    }
}
