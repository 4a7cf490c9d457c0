//! Wakes workers, and starts their threads, as the machine's transitions require.

use std::io;
use std::time::Duration;

use super::super::report::Incident;
use super::super::sync::{Arc, BacklogHint, MutexGuard, StdArc};
use super::delaying_stop::DelayingStop;
use super::hooks::Worker;
use super::shared::{LockedWorkers, Shared, WorkerHost};
use super::thread_ends::ThreadEnds;
use crate::error::{NeverRan, Saturated};
use crate::machine::pool::{self as machine, Notify, Spawn, Wakeups, WorkerId, WorkerSlot};

impl Shared {
    /// Carries out what a transition returned. Called without a lock.
    #[inline]
    pub(super) fn carry_out(this: &Arc<Self>, wakeups: Wakeups) {
        if let Some(slot) = wakeups.wake {
            this.wake_worker(slot);
        }
        match wakeups.submitters {
            Notify::Nobody => {}
            // A thread and a watcher may wait, and which of them is the sooner is not known: both are told.
            Notify::One => {
                this.not_full.notify_one();
                Self::tell_watcher(this);
            }
            Notify::All => {
                this.not_full.notify_all();
                Self::tell_watchers(this);
            }
        }
        if wakeups.spawn.count > 0 {
            Self::start_threads(this, wakeups.spawn);
        }
        if wakeups.report_saturation {
            this.reporter.report(Incident::Saturated, &Saturated, None);
        }
    }

    /// Ends the wait of the worker in this slot. To wake one that the machine did not name is safe: wakes may be
    /// spurious.
    fn wake_worker(&self, slot: WorkerSlot) {
        match &self.host {
            WorkerHost::Threads(_) => {
                if let Some(place) = self.places.get(slot) {
                    place.notify_one();
                }
            }
            WorkerHost::Stepper(workers) => workers.wake(slot),
        }
    }

    /// Wakes all idle workers spuriously: for tests.
    pub(super) fn wake_all_workers(&self) {
        let sleepers: Vec<_> = self.workers.lock().machine.sleepers().collect();
        sleepers.into_iter().for_each(|slot| self.wake_worker(slot));
    }

    /// Wakes one idle worker more than is needed, where that is likely to pay: see [`wake_ahead`](super::wake_ahead).
    #[inline(never)]
    pub(super) fn wake_ahead(this: &Arc<Self>) {
        if this.host.has_threads() {
            let wakeups = {
                let mut workers = this.workers.lock();
                let wakeups = workers.machine.wake_ahead();
                let next = workers.estimate.next_backlog(this.wake_ahead_at.get());
                this.wake_ahead_at.set(if workers.machine.is_anyone_asleep() { next } else { BacklogHint::NEVER });
                wakeups
            };
            Self::carry_out(this, wakeups);
        }
    }

    /// A job of an unknown type was submitted: see [`wake_ahead`](super::wake_ahead).
    #[cold]
    pub(super) fn unknown_type(&self) {
        if self.host.has_threads() && BacklogHint::IS_READ {
            self.workers.lock().estimate.unknown_type();
            self.wake_ahead_at.set(1);
        }
    }

    /// Locks the workers for a thread that has started. Its place to wait is made before, because that allocates.
    pub(super) fn lock_with_place(&self) -> MutexGuard<'_, LockedWorkers> {
        loop {
            let workers = self.workers.lock();
            let slot = workers.activities.next_slot();
            if self.places.get(slot).is_some() {
                return workers;
            }
            drop(workers);
            self.places.make(slot);
        }
    }

    /// Sleeps at this worker's place until it is woken, or the time has passed.
    #[inline]
    pub(super) fn wait_for_work<'a>(
        &self,
        slot: WorkerSlot,
        workers: MutexGuard<'a, LockedWorkers>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, LockedWorkers> {
        match self.places.get(slot) {
            Some(place) => place.wait_for(workers, timeout),
            // Never happens: the place was made when the slot was taken.
            None => workers,
        }
    }

    fn start_threads(this: &Arc<Self>, spawn: Spawn) {
        let _delaying = DelayingStop::of(this.address());
        let (mut next, mut left) = (Some(spawn.first), spawn.count);
        while let Some(worker) = next {
            if let Err(error) = Self::start_worker(this, worker) {
                return Self::start_failed(this, left, error);
            }
            left -= 1;
            next = if left > 0 { Self::next_to_start(this, &mut left) } else { None };
        }
    }

    /// The next of several workers to start, unless those that are left are not wanted any more.
    fn next_to_start(this: &Arc<Self>, left: &mut usize) -> Option<WorkerId> {
        let next = {
            let mut workers = this.workers.lock();
            machine::spawn_next(&mut workers.machine, &mut this.submit_queue.lock(), *left)
        };
        *left -= next.given_up;
        Self::carry_out(this, next.wakeups);
        this.drained_if(next.stopped);
        next.worker
    }

    fn start_worker(this: &Arc<Self>, id: WorkerId) -> io::Result<()> {
        match &this.host {
            WorkerHost::Threads(run_worker) => {
                let (shared, run_worker) = (Arc::clone(this), *run_worker);
                let name = Worker::new(&this.name, id).thread_name();
                ThreadEnds::spawn_worker(&this.ends, name, this.stack_size, move |exit| run_worker(shared, id, exit))
            }
            WorkerHost::Stepper(workers) => {
                this.ends.fail_start()?;
                workers.start(id);
                Ok(())
            }
        }
    }

    fn start_failed(this: &Arc<Self>, count: usize, error: io::Error) {
        let failed = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::spawn_failed(&mut workers.machine, &mut submit_queue, count)
        };
        if failed.report {
            this.reporter.report(Incident::ThreadStart, &error, None);
        }
        let refused_last = this.refuse_jobs(failed.refused, &NeverRan::ThreadStart(StdArc::new(error)));
        Self::carry_out(this, failed.wakeups);
        this.drained_if(failed.stopped || refused_last);
        this.notify_if_at_rest();
    }

    /// Tells those who wait for the pool's end, if a transition has returned that the pool has `stopped`.
    pub(super) fn drained_if(&self, stopped: bool) {
        if stopped {
            ThreadEnds::drained(&self.ends);
        }
    }
}
