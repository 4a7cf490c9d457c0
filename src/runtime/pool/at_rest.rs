//! Whether a pool is at rest: no job of it, and no thread that ends, can do anything before somebody else acts. A
//! reactor on a virtual clock asks before it lets time pass, and is told if it has to wait.
//!
//! *Hazard: the last job ends, and the asker waits for ever.* The question and the note that somebody waits for the
//! answer are one hold of both locks. Whatever brings the pool to rest afterwards finds the note: a worker before it
//! sleeps and after it has exited, a resize, a cancel, and whoever has refused jobs.

use std::mem;

use super::super::sync::Arc;
use super::context::{PoolId, current_pool};
use super::shared::{LockedWorkers, RestWaiter, RestWaiters, Shared};
use super::thread_ends::RestNote;
use crate::machine::pool as machine;

/// Asks a pool whether it is at rest. It does not keep the pool running.
pub(crate) struct RestWatch(pub(super) Arc<Shared>);

impl RestWatch {
    /// The pool of which this thread is a worker.
    pub(crate) fn of_this_thread() -> Option<Self> {
        current_pool().map(Self)
    }

    /// The job of this thread does nothing until it is woken.
    pub(crate) fn job_parks(&self) {
        let at_rest = {
            let mut workers = self.0.workers.lock();
            workers.parked += 1;
            workers.take_rest_waiters()
        };
        notify_rest_waiters(at_rest);
    }

    /// A job that parks, or is about to, was woken.
    pub(crate) fn job_goes_on(&self) {
        self.0.workers.lock().parked -= 1;
    }

    pub(crate) fn id(&self) -> PoolId {
        PoolId::of(&self.0)
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.0.has_stopped()
    }

    /// If the pool is at rest, the number of jobs that it has ever accepted: if that number is the same later, the pool
    /// was at rest all the time. Otherwise what `notify` makes is called when the pool comes to rest, on some thread.
    ///
    /// A pool is at rest if no job runs and no thread ends, except in `wait_for_asker` threads that wait for the asker
    /// and in those whose job is parked, and if no job waits that a worker could take. Each asker has one question
    /// open: a later one replaces it.
    pub(crate) fn ask(&self, asker: usize, wait_for_asker: usize, notify: impl Fn() -> RestNote) -> Option<u64> {
        let waiter = RestWaiter { wait_for_asker, notify: notify() };
        let mut workers = self.0.workers.lock();
        let submit_queue = self.0.submit_queue.lock();
        let (ending, replaced) =
            if workers.had_threads() { self.0.ends.ending(workers.machine.live(), asker, notify) } else { (0, None) };
        let others = workers.waiting_for(wait_for_asker).checked_sub(ending);
        let at_rest = others.is_some_and(|waiting| machine::is_at_rest(&workers.machine, &submit_queue, waiting));
        let unneeded = if at_rest {
            (Some(waiter), workers.rest_waiters.remove(&asker))
        } else {
            (None, workers.rest_waiters.insert(asker, waiter))
        };
        let accepted = at_rest.then(|| machine::accepted(&workers.machine, &submit_queue));
        drop((submit_queue, workers));
        drop((unneeded, replaced));
        accepted
    }

    /// The asker has ended.
    pub(crate) fn forget(&self, asker: usize) {
        let mut workers = self.0.workers.lock();
        let forgotten = workers.rest_waiters.remove(&asker);
        let had_threads = workers.had_threads();
        drop(workers);
        drop(forgotten);
        if had_threads {
            self.0.ends.forget(asker);
        }
    }
}

impl LockedWorkers {
    /// Those who are to be told, once the lock is released, that the pool has come to rest.
    #[inline]
    pub(super) fn take_rest_waiters(&mut self) -> Option<RestWaiters> {
        if self.rest_waiters.is_empty() {
            return None;
        }
        Some(self.take_waiters_for_this_rest()).filter(|told| !told.is_empty())
    }

    /// Whether a thread was ever spawned, so that one may end.
    fn had_threads(&self) -> bool {
        self.machine.counts().peak > 0
    }

    /// How many workers wait for the asker or for a wake.
    fn waiting_for(&self, wait_for_asker: usize) -> usize {
        wait_for_asker.saturating_add_signed(self.parked)
    }

    #[cold]
    fn take_waiters_for_this_rest(&mut self) -> RestWaiters {
        // The submit queue may have a job by now: then the asker finds the pool at work, and waits again.
        let (notified, waiting) = mem::take(&mut self.rest_waiters)
            .into_iter()
            .partition(|(_, waiter)| self.machine.is_idle_but_for(self.waiting_for(waiter.wait_for_asker)));
        self.rest_waiters = waiting;
        notified
    }
}

impl Shared {
    /// Looks whether the pool has come to rest, and notifies those who wait for that. Called without a lock, after what
    /// may have been the last thing on its way.
    pub(super) fn notify_if_at_rest(&self) {
        let waiters = self.workers.lock().take_rest_waiters();
        notify_rest_waiters(waiters);
    }
}

/// Called without a lock.
pub(super) fn notify_rest_waiters(waiters: Option<RestWaiters>) {
    for waiter in waiters.into_iter().flat_map(RestWaiters::into_values) {
        (waiter.notify)();
    }
}
