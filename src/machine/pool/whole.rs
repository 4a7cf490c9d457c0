//! What happens to the pool as a whole, with both locks held.

use super::intake::{Accepted, Refused};
use super::queue::{Accept, Backlog, Slots, Taken, TicketId};
use super::{Call, Crew, Intake, Left, Next, Phase, Policy, Ring, Sizes, StartFailed, Stop, WorkerId};

/// How a worker comes to the queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Mood {
    /// It may spin once before it sleeps.
    pub(crate) may_search: bool,
    /// It has been without a job for the keep-alive.
    pub(crate) expired: bool,
}

/// A worker has arrived, and is not ready yet: it runs what the program wants to be run first, which may take its time. So it is not waited for: whoever else
/// could come is called.
pub(crate) fn settle_in<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>) -> Call {
    crew.arrived();
    let call = if queued(crew, intake) > 0 { crew.call_for_help() } else { Call::NOBODY };
    watch(crew, intake);
    call
}

/// What a worker does next.
///
/// Whatever woke it, it looks for a job first: one whose keep-alive has passed retires only if there is none, in the same breath, so no job can
/// come between.
pub(crate) fn look<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>, mood: Mood) -> Next<Taken<S>> {
    if crew.queue.is_empty() {
        crew.queue.exchange(&mut intake.queue);
    }
    if crew.is_over_target() {
        return leave(crew, intake);
    }
    if let Some(job) = crew.queue.pop() {
        if crew.queue.is_empty() {
            crew.queue.exchange(&mut intake.queue);
        }
        let call = crew.runs_one();
        watch(crew, intake);
        return Next::Run(job, call);
    }
    if crew.phase == Phase::Draining || mood.expired && crew.staying() > crew.target.min {
        return leave(crew, intake);
    }
    if mood.may_search && !crew.beacon {
        crew.beacon = true;
        watch(crew, intake);
        return Next::Search;
    }
    crew.idle += 1;
    watch(crew, intake);
    Next::Sleep { timed: crew.staying() > crew.target.min }
}

/// A worker looks no more. Until it has [left] it is live, so nobody comes in its place; but it is not one that the target counts any more.
fn leave<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>) -> Next<Taken<S>> {
    crew.leaving += 1;
    let call = if crew.queue.is_empty() { Call::NOBODY } else { crew.call_for_help() };
    watch(crew, intake);
    Next::Leave(call)
}

/// The last transition of worker `me`, which was leaving: its thread ends. Its place may be taken now, where the target or the backlog have come
/// to want it meanwhile.
pub(crate) fn left<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>, me: WorkerId) -> Left {
    let follows = crew.has_retired();
    crew.retire(me);
    let backlog = queued(crew, intake);
    let call = match crew.phase {
        // Those who sleep were above the minimum already, or are rung because threads come.
        Phase::Running => {
            let call = fill(crew, backlog);
            if call.start.count > 0 { ring_excess(crew, call) } else { call }
        }
        Phase::Draining if backlog > 0 => crew.call_for_help(),
        Phase::Unstarted | Phase::Draining | Phase::Stopped => Call::NOBODY,
    };
    watch(crew, intake);
    // When the pool stops, whoever waits for its end joins them all.
    let joins = follows && crew.phase == Phase::Running && call.start.count == 0;
    Left { call, stopped: crew.has_stopped(), joins }
}

/// Settles whether the next submitter owes a summons: somebody could come, or it is to be said that nobody can.
fn watch<S: Slots>(crew: &Crew<S>, intake: &mut Intake<S>) {
    let heeds = crew.has_spare() || crew.is_stuck() && !crew.told;
    intake.watched = crew.beacon || !crew.queue.is_empty() || !heeds;
}

fn queued<S: Slots>(crew: &Crew<S>, intake: &Intake<S>) -> usize {
    crew.queue.len() + intake.queue.len()
}

/// A job comes in that found no place: what both queues know decides. One that is still handed back as [`Full`](Refused::Full) may
/// [`wait_for_place`](Crew::wait_for_place) under the same hold of the locks.
pub(crate) fn squeeze<S>(
    crew: &mut Crew<S>,
    intake: &mut Intake<S>,
    job: S::Job,
    ticketed: bool,
) -> Result<(Accepted, Call), Refused<S::Job>>
where
    S: Slots + Accept<<S as Slots>::Job>,
{
    intake.settle_places(queued(crew, intake));
    let accepted = if ticketed { intake.submit_ticketed(job) } else { intake.submit(job) }?;
    let call = if accepted.summon { crew.summon() } else { Call::NOBODY };
    Ok((Accepted { summon: false, ..accepted }, call))
}

/// The pool starts. `lazily`: threads are started when the first job comes.
///
/// # Errors
/// The pool has been stopped.
pub(crate) fn start<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>, lazily: bool) -> Result<Call, ()> {
    match crew.phase {
        Phase::Draining | Phase::Stopped => return Err(()),
        Phase::Running => {}
        Phase::Unstarted => crew.phase = Phase::Running,
    }
    let backlog = queued(crew, intake);
    let call = if lazily && backlog == 0 { Call::NOBODY } else { fill_and_shrink(crew, backlog) };
    watch(crew, intake);
    Ok(call)
}

/// The target moves. Idle workers above it retire now, busy ones after their job; the backlog is served at once where there is room.
pub(crate) fn resize<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>, target: Sizes) -> Call {
    crew.target = target;
    if !crew.is_serving() {
        return Call::NOBODY;
    }
    let call = fill_and_shrink(crew, queued(crew, intake));
    watch(crew, intake);
    call
}

/// As many threads as the target and the backlog ask for, beside those that are on their way; and where jobs wait, an idle worker, which is here before them.
fn fill<S: Slots>(crew: &mut Crew<S>, backlog: usize) -> Call {
    let below_min = crew.target.min.saturating_sub(crew.live);
    let for_backlog = backlog.saturating_sub(crew.idle + crew.arriving).min(crew.room());
    let count = below_min.max(for_backlog);
    let call = if backlog > 0 && (count == 0 || crew.idle > 0) { crew.call_for_help() } else { Call::NOBODY };
    if count > 0 { Call { start: crew.start(count), ..call } } else { call }
}

/// The same, and idle workers that are too many are woken.
fn fill_and_shrink<S: Slots>(crew: &mut Crew<S>, backlog: usize) -> Call {
    let call = fill(crew, backlog);
    ring_excess(crew, call)
}

/// Those above the maximum are to retire now; those above the minimum may sleep without a limit, from when there had to be as many.
fn ring_excess<S: Slots>(crew: &Crew<S>, call: Call) -> Call {
    if crew.idle > 0 && crew.staying() > crew.target.min { Call { ring: Ring::All, ..call } } else { call }
}

/// Threads that were to be started could not be; `count` is how many of the last start did not come up.
///
/// Jobs stay queued while another worker lives: a busy one looks before it rests, and an idle one has been called, whoever else was on the way. Where none
/// does, nobody would ever run them: they are handed out, to be failed with the error. Either way the next submission tries
/// again.
pub(crate) fn start_failed<S: Slots>(
    crew: &mut Crew<S>,
    intake: &mut Intake<S>,
    count: usize,
) -> StartFailed<Backlog<S>> {
    crew.live -= count;
    crew.arriving -= count;
    intake.watched = false;
    let mut orphans = Backlog::default();
    let mut call = Call::NOBODY;
    if crew.live == 0 {
        orphans = Backlog::of(&mut crew.queue, &mut intake.queue);
        crew.counts.0.failed += orphans.len() as u64;
        crew.telling += usize::from(!orphans.is_empty());
        if !orphans.is_empty() {
            call.places = crew.all_waiting();
        }
    }
    StartFailed { orphans, call, stopped: crew.has_stopped() }
}

/// The pool stops. Intake closes; what was accepted is finished, or cancelled where it has not begun, as the policy says.
///
/// Stopping again changes nothing, but that what a first stop would have finished a second may still cancel.
pub(crate) fn stop<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>, policy: Policy) -> Stop<Backlog<S>> {
    intake.open = false;
    let unstarted = crew.phase == Phase::Unstarted;
    let mut cancelled = Backlog::default();
    if unstarted || policy == Policy::CancelQueued {
        cancelled = Backlog::of(&mut crew.queue, &mut intake.queue);
        crew.counts.0.cancelled += cancelled.len() as u64;
        crew.telling += usize::from(!cancelled.is_empty());
    }
    let was_running = crew.phase == Phase::Running;
    if unstarted || was_running {
        crew.phase = Phase::Draining;
    }
    // Idle workers are to see that the end has come. A paused pool has no thread to drain it, and where one could not be
    // started no further submission will try again.
    let mut call = if was_running && crew.idle > 0 {
        Call::ring(Ring::All)
    } else if was_running && queued(crew, intake) > 0 {
        crew.call_for_help()
    } else {
        Call::NOBODY
    };
    call.places = crew.all_waiting();
    watch(crew, intake);
    let stopped = crew.has_stopped();
    Stop { cancelled, unstarted, call, stopped }
}

/// A job with a ticket is no longer wanted: if no worker has taken it, here it is, to be dropped. Its place in the queue is free.
pub(crate) fn cancel<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>, ticket: TicketId) -> (Option<S::Job>, Call) {
    let Some(job) = crew.queue.cancel(ticket).or_else(|| intake.queue.cancel(ticket)) else {
        return (None, Call::NOBODY);
    };
    crew.counts.0.cancelled += 1;
    // Who watches the queues does not change: whoever was bound to look will, and find less.
    (Some(job), Call { places: crew.one_waiting(), ..Call::NOBODY })
}

/// A worker's job begins to wait for something. One more worker may stand in for it.
pub(crate) fn block<S: Slots>(crew: &mut Crew<S>, intake: &mut Intake<S>) -> Call {
    crew.blocked += 1;
    let call = if queued(crew, intake) > 0 { crew.call_for_help() } else { Call::NOBODY };
    watch(crew, intake);
    call
}
