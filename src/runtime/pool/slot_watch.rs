//! Waiting for a free slot of a bounded queue without blocking a thread: a job is offered, and where the queue is full,
//! a watcher is told once of a slot that has become free.
//!
//! To the machine a watcher is a submitter that waits: it begins to wait under the same hold of the locks under which
//! it found no slot, and its wait is over when it is told or withdraws.
//!
//! *Hazard: a watcher is told of a slot and does not use it, while others wait.* What it is told is a value, the
//! [`FreeSlot`]: dropped unused, with the call that carries it, or because nothing waits there any more, it tells the
//! next.

use super::super::report::drop_contained;
use super::super::sync::Arc;
use super::description::{Job, Work};
use super::job::BoxedJob;
use super::shared::{FreeSlot, Shared, Tell};
use super::slot_watchers::WatchKey;
use super::thread_pool::ThreadPool;
use super::ticket::Ticket;
use crate::error::NeverRan;

/// A job that is about to be offered to a pool: its contexts are captured, and its limits count.
pub(crate) struct OfferedJob {
    pool: Arc<Shared>,
    job: BoxedJob,
}

/// What has become of an offer.
pub(crate) enum Offer {
    Accepted(Ticket),
    /// The queue is full. The watcher will be told of a free slot.
    Full(OfferedJob, SlotWatch),
    /// The pool has been stopped.
    Closed(OfferedJob),
}

/// A watcher that will be told of a free slot, unless it withdraws.
pub(crate) struct SlotWatch {
    pool: Arc<Shared>,
    key: WatchKey,
}

impl ThreadPool {
    /// Prepares a job for being offered, on the thread that asks for it.
    pub(crate) fn prepare<F: Work>(&self, job: Job<F>) -> OfferedJob {
        let pool = Arc::clone(&self.owner.shared);
        let mut job = F::into_boxed(job);
        Shared::prepare(&pool, &mut job);
        OfferedJob { pool, job }
    }
}

impl OfferedJob {
    /// Offers it to the pool. `tell` is called if there is no slot for it, once there may be one, on some thread.
    pub(crate) fn offer(self, tell: Tell) -> Offer {
        let Self { pool, job } = self;
        match Shared::submit_or_watch(&pool, job, tell) {
            Ok(ticket) => Offer::Accepted(ticket),
            Err((job, None)) => Offer::Closed(Self { pool, job }),
            Err((job, Some(key))) => Offer::Full(Self { pool: Arc::clone(&pool), job }, SlotWatch { pool, key }),
        }
    }

    /// It is not offered any more. It is told so, as a job that was taken out of the queue.
    pub(crate) fn refuse(self, why: NeverRan) {
        self.job.refuse(why, &self.pool.hooks, &self.pool.reporter);
    }

    /// Its wait was too long: the pool counts it as not accepted.
    pub(crate) fn reject(self, why: NeverRan) {
        self.pool.submit_queue.lock().count_rejection();
        self.refuse(why);
    }

    /// The pool has been stopped before it was offered again: it is counted as one that was.
    pub(crate) fn discard_rejected(self) {
        self.pool.submit_queue.lock().count_rejection();
        self.discard();
    }

    /// Drops it, with what was captured for it.
    pub(crate) fn discard(mut self) {
        self.job.drop_context(&self.pool.reporter);
        drop_contained(self.job);
    }
}

impl SlotWatch {
    /// It is not told any more, unless it was already.
    pub(crate) fn withdraw(self) {
        let mut workers = self.pool.workers.lock();
        let withdrawn = workers.slot_watchers.remove(self.key);
        if withdrawn.is_some() {
            workers.machine.end_slot_wait();
        }
        drop(workers);
        drop(withdrawn);
    }
}

impl FreeSlot {
    /// A job was offered for it.
    pub(crate) fn used(mut self) {
        self.0 = None;
    }
}

impl Drop for FreeSlot {
    fn drop(&mut self) {
        if let Some(pool) = self.0.take() {
            Shared::tell_watcher(&pool);
        }
    }
}

impl Shared {
    /// Tells the watcher that has waited longest of a free slot. Called without a lock.
    pub(super) fn tell_watcher(this: &Arc<Self>) {
        let tell = {
            let mut workers = this.workers.lock();
            let tell = workers.slot_watchers.pop();
            if tell.is_some() {
                workers.machine.end_slot_wait();
            }
            tell
        };
        if let Some(tell) = tell {
            tell(FreeSlot(Some(Arc::clone(this))));
        }
    }

    /// Tells all who watch now: many slots are free, or there never will be one.
    pub(super) fn tell_watchers(this: &Arc<Self>) {
        let watchers = this.workers.lock().slot_watchers.len();
        for _ in 0..watchers {
            Self::tell_watcher(this);
        }
    }
}
