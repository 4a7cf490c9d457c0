//! The workers' half of the pool's machine, guarded by the second lock.

use std::mem;

use super::queue::{Queue, Slots, Taken};
use super::{Call, Counts, History, Phase, Ring, Sizes, Start, WorkerId};

/// The workers, and the jobs that are nearest to them. In this order, what every job needs lies together, next to the lock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[repr(C)]
pub(crate) struct Crew<Q> {
    pub(super) phase: Phase,
    /// Somebody who was here before is bound to look at both queues.
    pub(super) beacon: bool,
    /// That every worker is blocked, jobs wait and nobody can be added, has been said; it is said once, until it changes.
    pub(super) told: bool,
    /// Threads that were started, or are being started, and have not made their last transition.
    pub(super) live: usize,
    /// Of these, those that have not arrived: each is bound to look.
    pub(super) arriving: usize,
    /// Workers that run a job.
    pub(super) busy: usize,
    /// Workers that wait for a wake.
    pub(super) idle: usize,
    /// Busy workers whose job waits for something, and says so.
    pub(super) blocked: usize,
    /// Workers that look no more and have not made their last transition.
    pub(super) leaving: usize,
    /// Callers that wait for a place in a full queue.
    pub(super) waiting: usize,
    /// Those who hold jobs that will never run, and tell them so. The pool is not over before they are through.
    pub(super) telling: usize,
    pub(super) target: Sizes,
    pub(super) counts: History<Counts>,
    pub(super) queue: Q,
    /// The most workers beyond the maximum that stand in for blocked ones.
    pub(super) compensation: usize,
    /// The next worker's number.
    next_id: WorkerId,
    /// Workers that made their last transition and whose threads have not been joined.
    retired: Vec<WorkerId>,
}

impl<S: Slots> Crew<Queue<S>> {
    pub(crate) fn new(target: Sizes, compensation: usize) -> Self {
        Self {
            queue: Queue::default(),
            phase: Phase::Unstarted,
            target,
            compensation,
            live: 0,
            arriving: 0,
            idle: 0,
            busy: 0,
            blocked: 0,
            leaving: 0,
            waiting: 0,
            telling: 0,
            beacon: false,
            told: false,
            next_id: 0,
            retired: Vec::new(),
            counts: History::default(),
        }
    }

    /// A submitter found the intake unwatched.
    pub(crate) fn summon(&mut self) -> Call {
        self.call_for_help()
    }

    /// A started thread arrives. It looks next.
    pub(crate) fn arrived(&mut self) {
        self.arriving -= 1;
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
    #[inline]
    pub(crate) fn finished(&mut self, panicked: bool) {
        self.busy -= 1;
        self.counts.0.completed += 1;
        self.counts.0.panicked += u64::from(panicked);
    }

    /// A blocked worker's job goes on. If there is now a worker too many, an idle one retires at once, else the next that has finished its job.
    pub(crate) fn unblock(&mut self) -> Call {
        self.blocked -= 1;
        self.told = false;
        if self.idle > 0 && self.is_over_target() { Call::ring(Ring::One) } else { Call::NOBODY }
    }

    /// A job for a worker, and whom to call before it is run, if the crew's queue alone can tell: the path that most jobs take. Else the worker is to
    /// [`look`](super::look).
    #[inline]
    pub(crate) fn next(&mut self) -> Option<(Taken<S>, Call)> {
        // The last job of the queue is not taken here: whoever empties the queue must look at the intake.
        if self.is_over_target() || self.queue.len() < 2 {
            return None;
        }
        let job = self.queue.pop()?;
        Some((job, self.runs_one()))
    }

    /// A caller that found no place begins to wait for one: with the lock held under which it found none.
    pub(crate) fn wait_for_place(&mut self) {
        self.waiting += 1;
    }

    /// Its wait is over, for whatever reason. It tries again, or gives up if its time has passed.
    pub(crate) fn waited_for_place(&mut self) {
        self.waiting -= 1;
    }

    /// The jobs that a stop or a failed start has handed out were told that they never will run. Whether the pool has stopped with that.
    pub(crate) fn told(&mut self) -> bool {
        self.telling -= 1;
        self.has_stopped()
    }

    /// A job was taken: its place in the queue is free, and where others are left behind, the next worker is called to them.
    #[inline]
    pub(super) fn runs_one(&mut self) -> Call {
        let mut call = if self.queue.is_empty() { Call::NOBODY } else { self.call_for_help() };
        call.places = self.one_waiting();
        self.busy += 1;
        self.counts.0.started += 1;
        call
    }

    /// Jobs wait: calls who could come, unless somebody is bound to look.
    ///
    /// An idle worker is called even if threads are on their way, because it is the first to be here. One more thread is not: each that arrives takes a job, and
    /// the last of them calls the next if it leaves any behind. Whoever called sooner would start more than the backlog needs.
    pub(super) fn call_for_help(&mut self) -> Call {
        if self.beacon || !self.is_serving() {
            Call::NOBODY
        } else if self.idle > 0 {
            self.beacon = true;
            Call::ring(Ring::One)
        } else if self.arriving > 0 {
            Call::NOBODY
        } else if self.room() > 0 {
            // A running pool below its minimum is brought up to it: it was started lazily, or threads had failed to start.
            Call { start: self.start(self.target.min.saturating_sub(self.live).max(1)), ..Call::NOBODY }
        } else if self.is_stuck() && !mem::replace(&mut self.told, true) {
            Call { saturated: true, ..Call::NOBODY }
        } else {
            Call::NOBODY
        }
    }

    pub(super) fn start(&mut self, count: usize) -> Start {
        self.told = false;
        self.live += count;
        self.arriving += count;
        self.counts.0.peak = self.counts.0.peak.max(self.live);
        let first = self.next_id;
        self.next_id += count;
        Start { first, count, joins: self.retired.len() }
    }

    pub(super) fn retire(&mut self, worker: WorkerId) {
        self.live -= 1;
        self.leaving -= 1;
        self.retired.push(worker);
    }

    /// Whether the pool has stopped: it does as soon as it drains and nobody is left.
    pub(super) fn has_stopped(&mut self) -> bool {
        if self.phase == Phase::Draining && self.live == 0 && self.telling == 0 {
            self.phase = Phase::Stopped;
        }
        self.phase == Phase::Stopped
    }

    /// Whom to tell that a place is free.
    #[inline]
    pub(super) fn one_waiting(&self) -> Ring {
        if self.waiting > 0 { Ring::One } else { Ring::No }
    }

    /// Whom to tell that many places are free, or that none ever will be.
    pub(super) fn all_waiting(&self) -> Ring {
        if self.waiting > 0 { Ring::All } else { Ring::No }
    }

    pub(super) fn is_serving(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Draining)
    }

    /// The most workers there may be now. Even a paused pool drains with one, and one more stands in for each that is blocked, up to a limit of its
    /// own. (A blocked worker lives, so workers that are not blocked never exceed the maximum: a paused pool stays paused.)
    #[inline]
    fn limit(&self) -> usize {
        let max = if self.phase == Phase::Draining { self.target.max.max(1) } else { self.target.max };
        max.saturating_add(self.blocked.min(self.compensation))
    }

    pub(super) fn room(&self) -> usize {
        self.limit().saturating_sub(self.live)
    }

    /// Whether somebody could be called if a job came in now.
    pub(super) fn has_spare(&self) -> bool {
        self.is_serving() && (self.idle > 0 || self.arriving == 0 && self.room() > 0)
    }

    /// Whether a job that came in now could not begin before one that waits has what it waits for.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_serving() && self.live > 0 && self.blocked == self.live && self.room() == 0
    }

    /// Workers that will look again.
    #[inline]
    pub(in crate::machine) fn staying(&self) -> usize {
        self.live - self.leaving
    }

    #[inline]
    pub(super) fn is_over_target(&self) -> bool {
        self.staying() > self.limit()
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

    pub(crate) fn blocked(&self) -> usize {
        self.blocked
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(crate) fn queue(&self) -> &Queue<S> {
        &self.queue
    }

    /// Where jobs are to be taken from whose turn it is.
    #[inline]
    pub(crate) fn slots(&mut self) -> &mut S {
        self.queue.slots()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.0
    }

    pub(super) fn has_retired(&self) -> bool {
        !self.retired.is_empty()
    }

    /// Workers whose threads are to be joined, before others are started.
    #[must_use]
    pub(crate) fn take_retired(&mut self) -> Vec<WorkerId> {
        mem::take(&mut self.retired)
    }

    /// The same, for a worker that has retired itself.
    #[must_use]
    pub(crate) fn take_other_retired(&mut self, me: WorkerId) -> Vec<WorkerId> {
        let (own, others) = mem::take(&mut self.retired).into_iter().partition(|id| *id == me);
        self.retired = own;
        others
    }
}

/// What nobody but the exhaustive search has to look at.
#[cfg(test)]
impl<S: Slots> Crew<Queue<S>> {
    pub(in crate::machine) fn has_beacon(&self) -> bool {
        self.beacon
    }

    pub(in crate::machine) fn arriving(&self) -> usize {
        self.arriving
    }

    pub(in crate::machine) fn has_told(&self) -> bool {
        self.told
    }

    pub(in crate::machine) fn telling(&self) -> usize {
        self.telling
    }
}
