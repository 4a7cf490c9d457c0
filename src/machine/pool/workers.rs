//! The workers' half of the pool's machine: the counts of workers, and the queue that they pop from.

use std::mem;

use super::super::count::{Count, ONE, ZERO};
use super::action::{Notify, Spawn, Wakeups};
use super::cancellable_queue::{CancellableQueue, JobStore, Popped, Unused};
use super::sleepers::{Sleepers, WorkerSlot};
use super::state::{Compensation, Counts, History, PoolState, Sizes, WorkerId};
use super::submit_queue::SubmitQueue;

/// The workers and their queue, guarded by the workers' lock. The order of fields keeps together, next to the lock,
/// what every job touches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[repr(C)]
pub(crate) struct Workers<Q> {
    pub(super) state: PoolState,
    /// A worker searches: it will look at both queues without being asked.
    pub(in crate::machine) searching: bool,
    /// `Saturated` was reported for this period: not again before a worker is unblocked or a thread has started.
    pub(in crate::machine) saturation_reported: bool,
    /// Workers that were spawned, or are to be, and have not made their last transition.
    pub(super) live: Count,
    /// Of these, those whose thread has not taken this lock yet. Each will look at both queues.
    pub(in crate::machine) starting: Count,
    /// Workers that run a job.
    pub(super) busy: Count,
    /// Workers that are asleep, or have been woken and have not taken this lock since.
    pub(super) idle: Count,
    /// Busy workers whose job says that it waits for something.
    pub(super) blocked: Count,
    /// Workers that take no more jobs and have not made their last transition.
    pub(super) exiting: Count,
    /// Submitters that wait for a free slot.
    pub(super) waiting_submitters: Count,
    /// Threads that refuse jobs which the machine has handed out. The pool does not stop before they are done.
    pub(in crate::machine) refusing: Count,
    pub(super) target: Sizes,
    pub(super) counts: History<Counts>,
    pub(super) queue: Q,
    /// How far blocked workers may raise the limit, with this target.
    extra: Count,
    compensation: Compensation,
    /// `ThreadStart` was reported: not again before a thread has started.
    pub(super) start_failure_reported: bool,
    /// The idle workers that nobody has woken.
    pub(super) sleepers: Sleepers,
    next_id: WorkerId,
}

impl<S: JobStore> Workers<CancellableQueue<S>> {
    pub(crate) fn new(target: Sizes, compensation: Compensation) -> Self {
        Self {
            queue: CancellableQueue::default(),
            state: PoolState::Unstarted,
            target,
            extra: compensation.at(target),
            compensation,
            start_failure_reported: false,
            live: ZERO,
            starting: ZERO,
            idle: ZERO,
            busy: ZERO,
            blocked: ZERO,
            exiting: ZERO,
            waiting_submitters: ZERO,
            refusing: ZERO,
            searching: false,
            saturation_reported: false,
            sleepers: Sleepers::default(),
            next_id: 0,
            counts: History::default(),
        }
    }

    /// A spawned thread has taken the lock, and was given this slot. It asks for its next action now.
    pub(crate) fn thread_started(&mut self, slot: WorkerSlot) {
        self.starting -= 1;
        self.start_failure_reported = false;
        self.saturation_reported = false;
        self.counts.0.peak = self.counts.0.peak.max(self.live - self.starting);
        self.sleepers.add_slot(slot);
    }

    /// A worker's wait is over, for whatever reason. It carries out what is returned, and asks for its next action.
    pub(crate) fn woken(&mut self, slot: WorkerSlot) -> Wakeups {
        self.idle -= 1;
        self.sleepers.remove(slot);
        // If there is one worker too many, that is this one.
        self.wake_surplus(ONE)
    }

    /// A worker's search is over. It asks for its next action now.
    pub(crate) fn searched(&mut self) {
        self.searching = false;
    }

    /// A worker has run its job and dropped all that belonged to it. It asks for its next action now.
    #[inline]
    pub(crate) fn finished(&mut self, panicked: bool) {
        self.busy -= 1;
        self.counts.0.completed += 1;
        self.counts.0.panicked += u64::from(panicked);
    }

    /// The job that has [finished](Self::finished) was refused in place of being run: it was too long in the queue.
    pub(crate) fn record_expired(&mut self, expired: bool) {
        self.counts.0.expired += u64::from(expired);
    }

    /// A blocked worker's job goes on. If there is now a worker too many, an idle one exits at once, or else the next
    /// one to finish its job.
    pub(crate) fn unblock(&mut self) -> Wakeups {
        self.blocked -= 1;
        self.saturation_reported = false;
        self.wake_surplus(ZERO)
    }

    /// The next job, if the workers' lock alone is enough to take it: the path of most jobs. Otherwise the worker calls
    /// [`next_action`](super::next_action).
    #[inline(always)]
    pub(crate) fn next_job(&mut self) -> Option<(Popped<S>, Wakeups)> {
        // The last job is not taken here: whoever empties this queue must look at the submit queue.
        if self.is_over_limit() || self.queue.len() < 2 {
            return None;
        }
        let job = self.queue.pop()?;
        Some((job, self.job_taken()))
    }

    /// A submitter begins to wait for a free slot, under the same hold of the lock under which it found none.
    pub(crate) fn begin_slot_wait(&mut self) {
        self.waiting_submitters += 1;
    }

    /// Its wait is over, for whatever reason. It tries again, or gives up if its time has passed.
    pub(crate) fn end_slot_wait(&mut self) {
        self.waiting_submitters -= 1;
    }

    /// A thread has refused the jobs that a stop or a failed spawn handed out to it. Returns whether the pool has
    /// stopped with this.
    pub(crate) fn refusals_done(&mut self) -> bool {
        self.refusing -= 1;
        self.check_stopped()
    }

    /// A job was taken: its slot is free, and if others are left behind, the next worker is to come for them.
    #[inline]
    pub(super) fn job_taken(&mut self) -> Wakeups {
        let mut wakeups = if self.queue.is_empty() { Wakeups::NONE } else { self.wake_or_spawn() };
        wakeups.submitters = self.one_submitter();
        self.busy += 1;
        self.counts.0.started += 1;
        wakeups
    }

    /// Jobs wait: wakes an idle worker or spawns one, unless a worker is certain to look at the queues anyway. As a
    /// transition of its own: a submitter found `wake_not_needed` unset.
    ///
    /// A worker is woken even while threads are starting, because it is here sooner. No thread is spawned while others
    /// are starting: each of them takes a job, and the last wakes or spawns the next if it leaves any behind. Spawning
    /// sooner would start more threads than the jobs need.
    pub(crate) fn wake_or_spawn(&mut self) -> Wakeups {
        if self.is_wake_pending() || !self.is_serving() {
            Wakeups::NONE
        } else if let Some(slot) = self.sleepers.pop_for_job() {
            Wakeups::wake(slot)
        } else if self.starting > 0 {
            Wakeups::NONE
        } else if self.spawnable() > 0 {
            // A running pool below its minimum (started lazily, or threads could not be spawned) is brought up to it.
            Wakeups { spawn: self.spawn(self.target.min.saturating_sub(self.live).max(1)), ..Wakeups::NONE }
        } else {
            Wakeups::NONE
        }
    }

    /// The same with both locks held, for as many jobs as are queued. Asks for a report if no worker can come before a
    /// blocked job goes on.
    pub(super) fn wake_for(&mut self, queued: Count) -> Wakeups {
        if queued == 0 {
            return Wakeups::NONE;
        }
        let wakeups = self.wake_or_spawn();
        if wakeups == Wakeups::NONE { self.report_saturation() } else { wakeups }
    }

    /// With both locks held, while jobs are queued.
    pub(super) fn report_saturation(&mut self) -> Wakeups {
        let report_saturation = self.is_saturated() && !mem::replace(&mut self.saturation_reported, true);
        Wakeups { report_saturation, ..Wakeups::NONE }
    }

    /// Wakes an idle worker, although another may be on its way: jobs seem to block.
    pub(crate) fn wake_ahead(&mut self) -> Wakeups {
        if !self.is_serving() {
            return Wakeups::NONE;
        }
        self.sleepers.pop_for_job().map_or(Wakeups::NONE, Wakeups::wake)
    }

    /// The same, if more jobs wait in this queue than the worker that asks and those on their way will take.
    pub(crate) fn wake_for_jobs_left_behind(&mut self) -> Wakeups {
        if self.queue.len() > self.woken_workers() + 1 { self.wake_ahead() } else { Wakeups::NONE }
    }

    /// Wakes the worker that has slept longest, if idle workers must not sleep on: they are to exit, or to sleep with a
    /// timeout from now on. Each that is [woken](Self::woken) passes this on, so one is on its way until none is left.
    /// `others`: how many workers that are awake exit before it, if there are too many.
    pub(super) fn wake_surplus(&mut self, others: Count) -> Wakeups {
        let active = self.active();
        let needed = match self.state {
            PoolState::Draining => true,
            PoolState::Running => {
                active.saturating_sub(others) > self.limit() || self.sleepers.untimed() > 0 && active > self.target.min
            }
            PoolState::Unstarted | PoolState::Stopped => false,
        };
        if !needed || self.woken_workers() > 0 {
            return Wakeups::NONE;
        }
        self.sleepers.pop_first().map_or(Wakeups::NONE, Wakeups::wake)
    }

    /// Idle workers that have been woken and have not taken this lock since.
    #[inline]
    fn woken_workers(&self) -> Count {
        self.idle - self.sleepers.len()
    }

    /// Whether a worker is certain to look at both queues without being asked again.
    #[inline]
    pub(in crate::machine) fn is_wake_pending(&self) -> bool {
        self.searching || self.woken_workers() > 0
    }

    /// Sets whether the next submitter must call [`wake_or_spawn`](Self::wake_or_spawn): if that could bring a worker,
    /// or would report saturation, and no worker is going to look at the queues anyway.
    pub(super) fn update_wake_flag(&self, submit_queue: &mut SubmitQueue<CancellableQueue<S>>) {
        let brings_worker =
            self.is_serving() && (self.sleepers.len() > 0 || self.starting == 0 && self.spawnable() > 0);
        let has_effect = brings_worker || self.may_report_saturation();
        submit_queue.wake_not_needed = self.is_wake_pending() || !self.queue.is_empty() || !has_effect;
    }

    pub(super) fn spawn(&mut self, count: Count) -> Spawn {
        self.live += count;
        self.starting += count;
        Spawn { first: self.number_worker(), count }
    }

    /// The number of a worker whose thread is about to be spawned. One that cannot be spawned uses up its own number
    /// and no other, so that numbers do not run out, however high the minimum is.
    pub(super) fn number_worker(&mut self) -> WorkerId {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn set_target(&mut self, target: Sizes) {
        self.target = target;
        self.extra = self.compensation.at(target);
    }

    pub(super) fn exit(&mut self) {
        self.live -= 1;
        self.exiting -= 1;
    }

    /// A draining pool stops here if nothing is left. Returns whether the pool has stopped.
    pub(super) fn check_stopped(&mut self) -> bool {
        if self.state == PoolState::Draining && self.live == 0 && self.refusing == 0 {
            self.state = PoolState::Stopped;
        }
        self.state == PoolState::Stopped
    }

    /// Whom to notify of one free slot.
    #[inline]
    pub(super) fn one_submitter(&self) -> Notify {
        if self.waiting_submitters > 0 { Notify::One } else { Notify::Nobody }
    }

    /// Whom to notify of many free slots, or that there never will be one.
    pub(super) fn all_submitters(&self) -> Notify {
        if self.waiting_submitters > 0 { Notify::All } else { Notify::Nobody }
    }

    /// Whether workers are woken and spawned for jobs.
    pub(super) fn is_serving(&self) -> bool {
        matches!(self.state, PoolState::Running | PoolState::Draining)
    }

    /// The most active workers there may be now. A paused pool (a maximum of zero) still drains with one.
    ///
    /// A blocked worker is live, so workers that are not blocked never exceed the maximum: a paused pool stays paused.
    #[inline]
    pub(super) fn limit(&self) -> Count {
        let max = if self.state == PoolState::Draining { self.target.max.max(1) } else { self.target.max };
        max.saturating_add(self.blocked.min(self.extra))
    }

    /// How many threads may be spawned now.
    pub(super) fn spawnable(&self) -> Count {
        self.limit().saturating_sub(self.live)
    }

    /// Whether a thread would be spawned for the next job, because no worker is idle.
    pub(crate) fn would_spawn(&self) -> bool {
        self.sleepers.len() == 0 && self.spawnable() > 0
    }

    /// Whether every worker is blocked and no thread may be spawned, so that a job that came now could not begin before
    /// a blocked one goes on.
    pub(crate) fn is_saturated(&self) -> bool {
        self.is_serving() && self.live > 0 && self.blocked == self.live && self.spawnable() == 0
    }

    /// Whether no worker does anything, except for so many that wait for the asker, and no thread refuses jobs. (An
    /// idle worker of a draining pool is about to exit.)
    pub(crate) fn is_idle_but_for(&self, wait_for_asker: Count) -> bool {
        let asleep = if self.state == PoolState::Draining { ZERO } else { self.idle };
        (self.live - asleep).saturating_add(self.refusing) <= wait_for_asker
    }

    /// Whether a worker may come for a queued job before anything else happens.
    pub(super) fn may_take_jobs(&self) -> bool {
        self.is_serving() && (self.idle > 0 || self.spawnable() > 0)
    }

    /// Whether [`report_saturation`](super::report_saturation) is to be called if jobs are queued.
    #[inline]
    pub(crate) fn may_report_saturation(&self) -> bool {
        !self.saturation_reported && self.is_saturated()
    }

    /// Workers that will ask for another action.
    #[inline]
    pub(in crate::machine) fn active(&self) -> Count {
        self.live - self.exiting
    }

    #[inline]
    pub(super) fn is_over_limit(&self) -> bool {
        self.active() > self.limit()
    }

    #[cfg(test)]
    pub(in crate::machine) fn state(&self) -> PoolState {
        self.state
    }

    pub(crate) fn target(&self) -> Sizes {
        self.target
    }

    pub(crate) fn live(&self) -> Count {
        self.live
    }

    pub(crate) fn idle(&self) -> Count {
        self.idle
    }

    pub(crate) fn is_anyone_asleep(&self) -> bool {
        self.sleepers.len() > 0
    }

    /// The workers that are asleep; the one that has slept longest comes first.
    pub(crate) fn sleepers(&self) -> impl Iterator<Item = WorkerSlot> + '_ {
        self.sleepers.iter()
    }

    pub(crate) fn busy(&self) -> Count {
        self.busy
    }

    pub(crate) fn blocked(&self) -> Count {
        self.blocked
    }

    pub(crate) fn waiting_submitters(&self) -> Count {
        self.waiting_submitters
    }

    pub(crate) fn queue(&self) -> &CancellableQueue<S> {
        &self.queue
    }

    /// Where a job whose location was [popped](Popped::InStore) is taken from.
    #[inline]
    pub(crate) fn store(&mut self) -> &mut S {
        self.queue.store()
    }

    /// See [`CancellableQueue::take_unused`].
    pub(crate) fn take_unused(&mut self) -> Option<Unused<S::Job>> {
        self.queue.take_unused()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.0
    }
}
