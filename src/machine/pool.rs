//! The machine of the pool: two queues under two locks, and the workers between them.
//!
//! Submitters append to the **intake**, under its lock. Workers pop from the **crew**'s queue, under the crew's, and when that
//! is empty exchange the two queues while they hold both (crew first, then intake). So a submitter meets a worker once per batch, and the order
//! stays strictly first in, first out.
//!
//! Nothing here counts wakes. One bit, the **beacon**, says that somebody is bound to look at both queues: a submitter's
//! summons on its way, a notified worker, a starting thread, a worker that searches before it sleeps. Whoever arrives
//! takes the beacon down and looks; if a notify releases two waiters, the second finds nothing and sleeps again; if it
//! releases one that was not meant, that one looks all the same. Counts say what threads really do.
//!
//! Three facts make it sound, and the exhaustive search holds them in every state:
//!
//! 1. A worker falls asleep only while it holds both locks and finds both queues empty.
//! 2. While jobs wait, the beacon is up, or a summons is on its way, or no worker is idle and none may be added.
//! 3. The intake is **unwatched** only when it is empty, and an idle worker or room for one existed when that was settled: then, and only
//!    then, the next submitter owes a summons. (A thread that could not be started is the exception: the intake stays unwatched, so
//!    that each submission tries again.)
//!
//! A worker that takes a job and leaves others behind raises the beacon for the next before it runs its own: nobody puts
//! a second job into its pocket, and no job waits behind one that blocks.

use std::collections::VecDeque;
use std::mem;

/// The number that tells a worker from all others of its pool, and stands in its name.
pub(crate) type WorkerId = usize;

/// How many workers there should be: a target, never a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sizes {
    pub(crate) min: usize,
    pub(crate) max: usize,
}

/// How far the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Not started: jobs queue, and no thread exists.
    Unstarted,
    /// Serves.
    Running,
    /// Takes no more jobs; finishes those it has.
    Draining,
    /// No job and no worker is left, and none will come.
    Stopped,
}

/// The submitters' half, guarded by the first lock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Intake<J> {
    queue: VecDeque<J>,
    open: bool,
    /// Somebody will look at this queue without being told of a new job.
    watched: bool,
}

/// The workers' half, guarded by the second lock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Crew<J> {
    queue: VecDeque<J>,
    phase: Phase,
    target: Sizes,
    /// Threads that were started, or are being started, and have not made their last transition.
    live: usize,
    /// Workers that wait for a wake.
    idle: usize,
    /// Workers that run a job.
    busy: usize,
    /// Somebody is bound to look at both queues.
    beacon: bool,
    /// The next worker's number.
    next_id: WorkerId,
    /// Workers that made their last transition and whose threads have not been joined.
    retired: Vec<WorkerId>,
    counts: Counts,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) started: u64,
    pub(crate) completed: u64,
    pub(crate) panicked: u64,
    /// The most workers at any time.
    pub(crate) peak: usize,
}

/// History is no state: what happened so far never decides what happens next, and two states that differ in nothing else
/// are one to the exhaustive search.
impl PartialEq for Counts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Counts {}

impl std::hash::Hash for Counts {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// What a submitter owes once the intake's lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Submitted {
    OweNothing,
    /// Lock the crew and [`Crew::summon`].
    Summon,
}

/// Threads to start, once the locks are released.
///
/// First those are to be joined that have [retired](Crew::take_retired), so that there are never more threads than the target allows. All of this
/// is done by one at a time: whoever starts a thread in the place of another must not overtake the one who joins that.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Start {
    /// The first new worker's number; the others follow it.
    pub(crate) first: WorkerId,
    pub(crate) count: usize,
}

/// Whom to call to the queues, once the locks are released.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Nobody,
    /// Notify one idle worker.
    One,
    /// Notify all idle workers: some are to retire.
    All,
    Start(Start),
    /// Both of the above: the target has moved and jobs wait.
    AllAndStart(Start),
}

/// What a worker does next.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Next<J> {
    /// Carry out the call, then run the job.
    Run(J, Call),
    /// The crew's queue does not decide: lock the intake too, and [`look`].
    Look,
    /// Spin for a moment without a lock, then [`Crew::searched`] and look again.
    Search,
    /// Wait for a notify, then [`Crew::woken`] and look again.
    Sleep,
    /// Carry out the call, and end this thread.
    Retire(Call),
    /// End this thread. The pool has stopped with it: tell those who wait for that.
    RetireLast,
}

/// What a failed start comes to, once the locks are released.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartFailed<J> {
    /// Jobs that nobody is left to run.
    pub(crate) orphans: VecDeque<J>,
    pub(crate) call: Call,
    /// The pool was only waiting for these threads to stop.
    pub(crate) stopped: bool,
}

impl<J> Intake<J> {
    pub(crate) fn new() -> Self {
        Self { queue: VecDeque::new(), open: true, watched: true }
    }

    /// A job comes in. A closed intake hands it back.
    pub(crate) fn submit(&mut self, job: J) -> Result<Submitted, J> {
        if !self.open {
            return Err(job);
        }
        self.queue.push_back(job);
        if mem::replace(&mut self.watched, true) { Ok(Submitted::OweNothing) } else { Ok(Submitted::Summon) }
    }

    pub(crate) fn queue(&self) -> &VecDeque<J> {
        &self.queue
    }
}

impl<J> Crew<J> {
    pub(crate) fn new(target: Sizes) -> Self {
        Self {
            queue: VecDeque::new(),
            phase: Phase::Unstarted,
            target,
            live: 0,
            idle: 0,
            busy: 0,
            beacon: false,
            next_id: 0,
            retired: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// A submitter found the intake unwatched.
    pub(crate) fn summon(&mut self) -> Call {
        self.call_for_help()
    }

    /// A started thread arrives. It looks next.
    pub(crate) fn arrived(&mut self) {
        self.beacon = false;
    }

    /// A worker's wait is over, for whatever reason. It looks next.
    pub(crate) fn woken(&mut self) {
        self.idle -= 1;
        self.beacon = false;
    }

    /// A worker's search is over. It looks next.
    pub(crate) fn searched(&mut self) {
        self.beacon = false;
    }

    /// A worker has run its job, and dropped all that belonged to it. It looks next.
    pub(crate) fn finished(&mut self, panicked: bool) {
        self.busy -= 1;
        self.counts.completed += 1;
        self.counts.panicked += u64::from(panicked);
    }

    /// What a worker does next, as far as the crew's queue alone can tell: the path that most jobs take.
    pub(crate) fn next(&mut self) -> Next<J> {
        // The last job of the queue is not taken here: whoever empties the queue must look at the intake.
        if self.is_over_target() || self.queue.len() < 2 {
            return Next::Look;
        }
        match self.queue.pop_front() {
            Some(job) => self.run(job),
            None => Next::Look,
        }
    }

    /// Threads that were to be started could not be; `count` is how many of the last start did not come up.
    ///
    /// Jobs stay queued while another worker lives: a busy one looks before it rests, and an idle one is called. Where none
    /// does, nobody would ever run them: they are handed out, to be failed with the error. Either way the next submission tries
    /// again.
    pub(crate) fn start_failed(&mut self, intake: &mut Intake<J>, count: usize) -> StartFailed<J> {
        self.live -= count;
        self.beacon = false;
        intake.watched = false;
        let mut orphans = VecDeque::new();
        let mut call = Call::Nobody;
        if self.live == 0 {
            orphans.append(&mut self.queue);
            orphans.append(&mut intake.queue);
        } else if self.idle > 0 && !(self.queue.is_empty() && intake.queue.is_empty()) {
            // It fell asleep while the beacon was up for the thread that did not come.
            self.beacon = true;
            intake.watched = true;
            call = Call::One;
        }
        StartFailed { orphans, call, stopped: self.stop_if_drained() }
    }

    /// Takes a job and, where others are left behind, calls the next worker to them.
    fn run(&mut self, job: J) -> Next<J> {
        let call = if self.queue.is_empty() { Call::Nobody } else { self.call_for_help() };
        self.busy += 1;
        self.counts.started += 1;
        Next::Run(job, call)
    }

    /// Raises the beacon, if it is not up and there is anybody to see it.
    fn call_for_help(&mut self) -> Call {
        if self.beacon || !self.is_serving() {
            Call::Nobody
        } else if self.idle > 0 {
            self.beacon = true;
            Call::One
        } else if self.room() > 0 {
            // A running pool below its minimum is brought up to it: it was started lazily, or threads had failed to start.
            self.start(self.target.min.saturating_sub(self.live).max(1))
        } else {
            Call::Nobody
        }
    }

    fn start(&mut self, count: usize) -> Call {
        self.beacon = true;
        self.live += count;
        self.counts.peak = self.counts.peak.max(self.live);
        let first = self.next_id;
        self.next_id += count;
        Call::Start(Start { first, count })
    }

    fn retire(&mut self, worker: WorkerId) {
        self.live -= 1;
        self.retired.push(worker);
    }

    fn stop_if_drained(&mut self) -> bool {
        let stopped = self.phase == Phase::Draining && self.live == 0;
        if stopped {
            self.phase = Phase::Stopped;
        }
        stopped
    }

    fn is_serving(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Draining)
    }

    /// The most workers there may be now. Even a paused pool drains with one.
    fn limit(&self) -> usize {
        if self.phase == Phase::Draining { self.target.max.max(1) } else { self.target.max }
    }

    fn room(&self) -> usize {
        self.limit().saturating_sub(self.live)
    }

    /// Whether somebody could come if a job came in now.
    fn has_spare(&self) -> bool {
        self.is_serving() && (self.idle > 0 || self.room() > 0)
    }

    fn is_over_target(&self) -> bool {
        self.live > self.limit()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn target(&self) -> Sizes {
        self.target
    }

    pub(crate) fn live(&self) -> usize {
        self.live
    }

    pub(crate) fn idle(&self) -> usize {
        self.idle
    }

    pub(crate) fn busy(&self) -> usize {
        self.busy
    }

    pub(crate) fn queue(&self) -> &VecDeque<J> {
        &self.queue
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Workers whose threads are to be joined, before others are started or because the pool has stopped.
    #[must_use]
    pub(crate) fn take_retired(&mut self) -> Vec<WorkerId> {
        mem::take(&mut self.retired)
    }
}

/// What worker `me` does next, with both locks held. `may_search` allows it to spin once before it sleeps.
pub(crate) fn look<J>(crew: &mut Crew<J>, intake: &mut Intake<J>, me: WorkerId, may_search: bool) -> Next<J> {
    if crew.queue.is_empty() {
        mem::swap(&mut crew.queue, &mut intake.queue);
    }
    if crew.is_over_target() {
        crew.retire(me);
        let call = if crew.queue.is_empty() { Call::Nobody } else { crew.call_for_help() };
        watch(crew, intake);
        return Next::Retire(call);
    }
    if let Some(job) = crew.queue.pop_front() {
        if crew.queue.is_empty() {
            mem::swap(&mut crew.queue, &mut intake.queue);
        }
        let next = crew.run(job);
        watch(crew, intake);
        return next;
    }
    if crew.phase == Phase::Draining {
        crew.retire(me);
        return if crew.stop_if_drained() { Next::RetireLast } else { Next::Retire(Call::Nobody) };
    }
    if may_search && !crew.beacon {
        crew.beacon = true;
        watch(crew, intake);
        return Next::Search;
    }
    crew.idle += 1;
    watch(crew, intake);
    Next::Sleep
}

/// Settles, with both locks held, whether the next submitter owes a summons.
fn watch<J>(crew: &Crew<J>, intake: &mut Intake<J>) {
    intake.watched = crew.beacon || !crew.queue.is_empty() || !crew.has_spare();
}

/// The pool starts: with both locks held. `lazily`: threads are started when the first job comes.
///
/// # Errors
/// The pool has been stopped.
pub(crate) fn start<J>(crew: &mut Crew<J>, intake: &mut Intake<J>, lazily: bool) -> Result<Call, ()> {
    match crew.phase {
        Phase::Draining | Phase::Stopped => return Err(()),
        Phase::Running => {}
        Phase::Unstarted => crew.phase = Phase::Running,
    }
    let backlog = intake.queue.len() + crew.queue.len();
    let call = if lazily && backlog == 0 { Call::Nobody } else { fill(crew, backlog) };
    watch(crew, intake);
    Ok(call)
}

/// The target moves: with both locks held. Idle workers above it retire now, busy ones after their job; the backlog is served at once
/// where there is room.
pub(crate) fn resize<J>(crew: &mut Crew<J>, intake: &mut Intake<J>, target: Sizes) -> Call {
    crew.target = target;
    if !crew.is_serving() {
        return Call::Nobody;
    }
    let shrink = crew.is_over_target() && crew.idle > 0;
    let backlog = intake.queue.len() + crew.queue.len();
    let call = match (shrink, fill(crew, backlog)) {
        (false, call) => call,
        (true, Call::Start(start)) => Call::AllAndStart(start),
        (true, _) => Call::All,
    };
    watch(crew, intake);
    call
}

/// As many threads as the target and the backlog ask for; where none is needed and jobs wait, an idle worker.
fn fill<J>(crew: &mut Crew<J>, backlog: usize) -> Call {
    let below_min = crew.target.min.saturating_sub(crew.live);
    let for_backlog = backlog.saturating_sub(crew.idle).min(crew.room());
    let count = below_min.max(for_backlog);
    if count > 0 {
        crew.start(count)
    } else if backlog > 0 {
        crew.call_for_help()
    } else {
        Call::Nobody
    }
}

/// What stopping comes to, once the locks are released.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop<J> {
    /// Jobs that never run: those of a pool that was never started.
    pub(crate) cancelled: VecDeque<J>,
    pub(crate) call: Call,
    /// Nothing was left to finish: the pool has stopped.
    pub(crate) stopped: bool,
}

/// The pool stops: with both locks held. Intake closes; what was accepted is finished. Stopping again changes nothing.
pub(crate) fn stop<J>(crew: &mut Crew<J>, intake: &mut Intake<J>) -> Stop<J> {
    intake.open = false;
    let mut cancelled = VecDeque::new();
    let call = match crew.phase {
        Phase::Draining | Phase::Stopped => Call::Nobody,
        Phase::Unstarted => {
            cancelled.append(&mut crew.queue);
            cancelled.append(&mut intake.queue);
            crew.phase = Phase::Draining;
            Call::Nobody
        }
        Phase::Running => {
            crew.phase = Phase::Draining;
            let backlog = crew.queue.len() + intake.queue.len();
            // Idle workers are to see that the end has come. A paused pool has no thread to drain it, and where one could not be
            // started no further submission will try again.
            if crew.idle > 0 {
                Call::All
            } else if backlog > 0 {
                crew.call_for_help()
            } else {
                Call::Nobody
            }
        }
    };
    watch(crew, intake);
    let stopped = crew.stop_if_drained();
    Stop { cancelled, call, stopped }
}

/// What nobody but the exhaustive search has to look at.
#[cfg(test)]
impl<J> Intake<J> {
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watched
    }
}

#[cfg(test)]
impl<J> Crew<J> {
    pub(super) fn has_beacon(&self) -> bool {
        self.beacon
    }
}
