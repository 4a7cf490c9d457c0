//! The transitions of the pool that need both locks, in the order of a pool's life: start and resize; a worker's life;
//! a job's; stop.

use std::mem;

use super::super::count::{Count, ZERO, in_total};
use super::action::{Exited, SpawnFailed, SpawnNext, Stop, Wakeups, WorkerAction};
use super::cancellable_queue::{JobStore, Popped, PushJob, RefusedJobs, TicketId};
use super::sleepers::WorkerSlot;
use super::state::{Policy, PoolState, Sizes};
use super::submit_queue::{Accepted, SubmitError};
use super::{SubmitQueue, Workers};

/// What a worker says when it asks for its next action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct WorkerHint {
    pub(crate) slot: WorkerSlot,
    /// It may search once before it sleeps.
    pub(crate) may_search: bool,
    /// Its keep-alive has passed without a job.
    pub(crate) expired: bool,
}

// --- Start and resize ------------------------------------------------------------------------------------------------

/// The pool starts. `lazily`: threads are spawned when the first job comes.
///
/// # Errors
/// The pool has been stopped.
pub(crate) fn start<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    lazily: bool,
) -> Result<Wakeups, ()> {
    match workers.state {
        PoolState::Draining | PoolState::Stopped => return Err(()),
        PoolState::Running => {}
        PoolState::Unstarted => workers.state = PoolState::Running,
    }
    let queued = queued(workers, submit_queue);
    let wakeups = if lazily && queued == 0 { Wakeups::NONE } else { spawn_and_shrink(workers, queued) };
    workers.update_wake_flag(submit_queue);
    Ok(wakeups)
}

/// The target changes. Idle workers above it exit now, busy ones after their job; queued jobs are served at once if
/// workers may be spawned.
pub(crate) fn resize<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    target: Sizes,
) -> Wakeups {
    workers.set_target(target);
    if !workers.is_serving() {
        return Wakeups::NONE;
    }
    let wakeups = spawn_and_shrink(workers, queued(workers, submit_queue));
    workers.update_wake_flag(submit_queue);
    wakeups
}

/// Spawns the threads that the target and the queued jobs need, less those that are starting. If jobs are queued it
/// also wakes an idle worker, which will look sooner.
fn spawn_missing<S: JobStore>(workers: &mut Workers<S>, queued: Count) -> Wakeups {
    let below_min = workers.target.min.saturating_sub(workers.live);
    let for_jobs = queued.saturating_sub(workers.idle + workers.starting).min(workers.spawnable());
    let count = below_min.max(for_jobs);
    let wakeups = if count == 0 || workers.sleepers.len() > 0 { workers.wake_for(queued) } else { Wakeups::NONE };
    if count > 0 { Wakeups { spawn: workers.spawn(count), ..wakeups } } else { wakeups }
}

/// The same, and wakes idle workers if they are too many.
fn spawn_and_shrink<S: JobStore>(workers: &mut Workers<S>, queued: Count) -> Wakeups {
    let wakeups = spawn_missing(workers, queued);
    wake_surplus(workers, wakeups)
}

/// Idle workers above the maximum must exit now. Those above the minimum must sleep again, with a timeout: if the
/// minimum was higher when they fell asleep, they have none. A worker that `wakeups` wakes passes this on.
fn wake_surplus<S: JobStore>(workers: &mut Workers<S>, wakeups: Wakeups) -> Wakeups {
    let wake = wakeups.wake.or_else(|| workers.wake_surplus(ZERO).wake);
    Wakeups { wake, ..wakeups }
}

// --- A worker's life -------------------------------------------------------------------------------------------------

/// A worker's thread has started, and is about to run start hooks. They may take long, so another worker is woken or
/// spawned for jobs that are queued.
pub(crate) fn begin_start_hooks<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    slot: WorkerSlot,
) -> Wakeups {
    workers.thread_started(slot);
    let wakeups = workers.wake_for(queued(workers, submit_queue));
    workers.update_wake_flag(submit_queue);
    wakeups
}

/// The next of several threads that a [`Spawn`](super::Spawn) asked for is about to be spawned; `left` are left. Those
/// that are not wanted any more, because the pool shrinks or has nothing left to do before it stops, are given up.
pub(crate) fn spawn_next<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    left: Count,
) -> SpawnNext {
    let queued = queued(workers, submit_queue);
    let too_many = workers.active().saturating_sub(workers.limit());
    let given_up = if workers.state == PoolState::Draining && queued == 0 { left } else { left.min(too_many) };
    workers.live -= given_up;
    workers.starting -= given_up;
    let worker = if given_up < left { Some(workers.number_worker()) } else { None };
    let mut wakeups = Wakeups::NONE;
    if given_up > 0 {
        wakeups = workers.wake_for(queued);
        workers.update_wake_flag(submit_queue);
    }
    SpawnNext { given_up, worker, wakeups, stopped: workers.check_stopped() }
}

/// Threads could not be spawned: `count` of those that a [`Spawn`](super::Spawn) asked for.
///
/// While another worker is live, jobs stay queued: a busy one looks before it sleeps, and an idle one has been woken,
/// even while threads were starting. If no worker is live, nobody would ever run the jobs: they are handed out, to be
/// refused with the error. In both cases the next submission tries again.
pub(crate) fn spawn_failed<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    count: Count,
) -> SpawnFailed<RefusedJobs<S>> {
    workers.live -= count;
    workers.starting -= count;
    workers.counts.0.start_failures += 1;
    submit_queue.wake_not_needed = false;
    let mut refused = RefusedJobs::default();
    let mut wakeups = Wakeups::NONE;
    if workers.live > 0 {
        if queued(workers, submit_queue) > 0 {
            // Nobody asked for the report while this thread was on its way.
            wakeups = workers.report_saturation();
        }
    } else {
        refused = RefusedJobs::take(&mut workers.queue, &mut submit_queue.queue);
        workers.counts.0.failed += in_total(refused.len());
        workers.refusing += Count::from(!refused.is_empty());
        if !refused.is_empty() {
            wakeups.submitters = workers.all_submitters();
        }
    }
    let report = !mem::replace(&mut workers.start_failure_reported, true);
    SpawnFailed { refused, wakeups, report, stopped: workers.check_stopped() }
}

/// What a worker does next.
///
/// Whatever woke it, it looks for a job first. A worker whose keep-alive has passed exits only if both queues are
/// empty, in this very transition, so that no job can come in between.
pub(crate) fn next_action<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    hint: WorkerHint,
) -> WorkerAction<Popped<S>> {
    if workers.queue.is_empty() {
        workers.queue.take_all(&mut submit_queue.queue);
    }
    if workers.is_over_limit() {
        return begin_exit(workers, submit_queue);
    }
    if let Some(job) = workers.queue.pop() {
        if workers.queue.is_empty() {
            workers.queue.take_all(&mut submit_queue.queue);
        }
        let wakeups = workers.job_taken();
        workers.update_wake_flag(submit_queue);
        return WorkerAction::Run(job, wakeups);
    }
    if workers.state == PoolState::Draining || hint.expired && workers.active() > workers.target.min {
        return begin_exit(workers, submit_queue);
    }
    if hint.may_search && !workers.is_wake_pending() {
        workers.searching = true;
        workers.update_wake_flag(submit_queue);
        return WorkerAction::Search;
    }
    let timed = workers.active() > workers.target.min;
    workers.idle += 1;
    workers.sleepers.push(hint.slot, timed);
    workers.update_wake_flag(submit_queue);
    WorkerAction::Sleep { timed }
}

/// A worker takes no more jobs. It stays live until it has [exited], so no thread is spawned in its place; but it no
/// longer counts against the limit.
fn begin_exit<S: JobStore>(workers: &mut Workers<S>, submit_queue: &mut SubmitQueue<S>) -> WorkerAction<Popped<S>> {
    workers.exiting += 1;
    let wakeups = workers.wake_for(workers.queue.len());
    workers.update_wake_flag(submit_queue);
    WorkerAction::Exit(wakeups)
}

/// The last transition of a worker, after which its thread ends. Another may be spawned in its place, if the target or
/// the queued jobs have come to need it since it [began to exit](begin_exit). That one may exist beside this thread,
/// whose thread-locals are user code and may wait for the pool.
pub(crate) fn exited<S: JobStore>(workers: &mut Workers<S>, submit_queue: &mut SubmitQueue<S>) -> Exited {
    workers.exit();
    let queued = queued(workers, submit_queue);
    let wakeups = match workers.state {
        // If no thread is spawned, each idle worker above the minimum was above it before, and sleeps with a timeout.
        PoolState::Running => {
            let wakeups = spawn_missing(workers, queued);
            if wakeups.spawn.count > 0 { wake_surplus(workers, wakeups) } else { wakeups }
        }
        PoolState::Draining => workers.wake_for(queued),
        PoolState::Unstarted | PoolState::Stopped => Wakeups::NONE,
    };
    workers.update_wake_flag(submit_queue);
    Exited { wakeups, stopped: workers.check_stopped() }
}

// --- A job's life ----------------------------------------------------------------------------------------------------

/// Submits a job for which the submit queue knew of no free slot: both queues are counted. A job that is handed back
/// even so, as [`Full`](SubmitError::Full), may [wait for a slot](Workers::begin_slot_wait) under the same hold of the
/// locks.
pub(crate) fn submit_when_full<S>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    job: S::Job,
    ticketed: bool,
) -> Result<(Accepted, Wakeups), SubmitError<S::Job>>
where
    S: JobStore + PushJob<<S as JobStore>::Job>,
{
    submit_queue.recount_free_slots(queued(workers, submit_queue));
    let accepted = if ticketed { submit_queue.submit_ticketed(job) } else { submit_queue.submit(job) }?;
    let wakeups = if accepted.must_wake { workers.wake_for(queued(workers, submit_queue)) } else { Wakeups::NONE };
    Ok((Accepted { must_wake: false, ..accepted }, wakeups))
}

/// A submitter that has called [`wake_or_spawn`](Workers::wake_or_spawn) found every worker blocked, and that no thread
/// may be spawned. That is reported if jobs wait: its own may have been taken since.
pub(crate) fn report_saturation<S: JobStore>(workers: &mut Workers<S>, submit_queue: &mut SubmitQueue<S>) -> Wakeups {
    let wakeups = if queued(workers, submit_queue) > 0 { workers.report_saturation() } else { Wakeups::NONE };
    workers.update_wake_flag(submit_queue);
    wakeups
}

/// A job with a ticket is cancelled. If no worker has taken it, it is returned, to be refused, and its slot is free.
pub(crate) fn cancel<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    ticket: TicketId,
) -> (Option<S::Job>, Wakeups) {
    let Some(job) = workers.queue.cancel(ticket).or_else(|| submit_queue.queue.cancel(ticket)) else {
        return (None, Wakeups::NONE);
    };
    workers.counts.0.cancelled += 1;
    // No flag changes: the worker that was to look at the queues still will, and may find nothing.
    (Some(job), Wakeups { submitters: workers.one_submitter(), ..Wakeups::NONE })
}

/// A worker's job begins to wait for something. One more worker may be woken or spawned.
pub(crate) fn block<S: JobStore>(workers: &mut Workers<S>, submit_queue: &mut SubmitQueue<S>) -> Wakeups {
    workers.blocked += 1;
    let wakeups = workers.wake_for(queued(workers, submit_queue));
    workers.update_wake_flag(submit_queue);
    wakeups
}

// --- Stop ------------------------------------------------------------------------------------------------------------

/// The pool stops. The submit queue closes; queued jobs are run, or handed out to be refused, as the policy says.
///
/// A second stop changes nothing, except that it may cancel jobs that the first would have run, and that it tries a
/// failed spawn again.
pub(crate) fn stop<S: JobStore>(
    workers: &mut Workers<S>,
    submit_queue: &mut SubmitQueue<S>,
    policy: Policy,
) -> Stop<RefusedJobs<S>> {
    submit_queue.open = false;
    let unstarted = workers.state == PoolState::Unstarted;
    let mut cancelled = RefusedJobs::default();
    if unstarted || policy == Policy::CancelQueued {
        cancelled = RefusedJobs::take(&mut workers.queue, &mut submit_queue.queue);
        workers.counts.0.cancelled += in_total(cancelled.len());
        workers.refusing += Count::from(!cancelled.is_empty());
    }
    if workers.state < PoolState::Draining {
        workers.state = PoolState::Draining;
    }
    // Idle workers must learn of the stop. For queued jobs a worker is spawned: a paused pool has none, nor has a pool
    // whose threads could not be spawned, and no later submission will try again.
    let mut wakeups = workers.wake_surplus(ZERO);
    if wakeups == Wakeups::NONE {
        wakeups = workers.wake_for(queued(workers, submit_queue));
    }
    wakeups.submitters = workers.all_submitters();
    workers.update_wake_flag(submit_queue);
    let stopped = workers.check_stopped();
    Stop { cancelled, unstarted, wakeups, stopped }
}

// --- Shared by several -----------------------------------------------------------------------------------------------

/// Whether nothing of the pool can happen before somebody else acts: jobs run only in the `wait_for_asker` workers that
/// wait for the asker, and no worker can take one that is queued.
pub(crate) fn is_at_rest<S: JobStore>(
    workers: &Workers<S>,
    submit_queue: &SubmitQueue<S>,
    wait_for_asker: Count,
) -> bool {
    workers.is_idle_but_for(wait_for_asker) && (queued(workers, submit_queue) == 0 || !workers.may_take_jobs())
}

/// How many jobs were ever accepted.
pub(crate) fn accepted<S: JobStore>(workers: &Workers<S>, submit_queue: &SubmitQueue<S>) -> u64 {
    let counts = workers.counts();
    counts.started + in_total(queued(workers, submit_queue)) + counts.cancelled + counts.failed
}

fn queued<S: JobStore>(workers: &Workers<S>, submit_queue: &SubmitQueue<S>) -> Count {
    workers.queue.len() + submit_queue.queue.len()
}
