//! Jobs that wait for a free slot of a bounded pool without blocking their reactor: for each pool a queue, in the order
//! of asking.
//!
//! *Hazard: a job waits although there is a slot.* The pool finds that it has no slot, and takes note of the watcher,
//! under one hold of its locks; whoever is told of a slot and has nothing to offer passes that on: see
//! `pool/slot_watch.rs`. Whatever comes while jobs wait goes to the end of the queue, so it does not overtake them.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::super::pool::{FreeSlot, Job, Offer, OfferedJob, PoolId, SlotWatch, Tell, ThreadPool, Ticket, Work};
use super::super::report::drop_contained;
use super::Reactor;
use crate::error::NeverRan;
use crate::machine::slot_queue;
use crate::machine::wait_queue::Key;

/// The queues of a reactor: one for each pool in which its jobs wait, or have waited.
#[derive(Default)]
pub(super) struct SlotQueues(RefCell<Vec<Rc<SlotQueue>>>);

struct SlotQueue {
    pool: PoolId,
    state: RefCell<State>,
}

/// The job, who is told of its end, and how the pool is told that nobody waits.
type State = slot_queue::SlotQueue<OfferedJob, Decided, SlotWatch>;
type WaitingJob = slot_queue::WaitingJob<OfferedJob, Decided>;
type Left = slot_queue::Left<OfferedJob, Decided, SlotWatch>;

/// Called once, with the ticket of the accepted job; `None` if the pool has been stopped.
type Decided = Box<dyn FnOnce(&Reactor, Option<Ticket>)>;

/// The place of a job in a queue. Dropped, it leaves the queue, and the job is dropped.
pub(crate) struct SlotPlace {
    queue: Weak<SlotQueue>,
    key: Key,
}

impl Reactor {
    /// Submits a job behind those that wait for a slot of this pool; if there is no slot for it, it waits too.
    /// `decided` may be called inside this call.
    pub(crate) fn submit_in_turn<F: Work>(
        &self,
        pool: &ThreadPool,
        job: Job<F>,
        decided: impl FnOnce(&Self, Option<Ticket>) + 'static,
    ) -> SlotPlace {
        let (job, decided) = (pool.prepare(job), Box::new(decided));
        let queue = self.core.slot_queues.of(pool.id());
        let key = queue.state.borrow_mut().push(job, decided);
        if queue.begin_offering() {
            queue.offer(self);
        }
        SlotPlace { queue: Rc::downgrade(&queue), key }
    }

    /// The pool may have a slot, or has been stopped.
    fn slot_is_free(&self, pool: PoolId, slot: FreeSlot) {
        let Some(queue) = self.core.slot_queues.find(pool) else { return };
        // The slot may be that of an earlier watch, whose jobs have left.
        queue.stop_watching();
        if queue.begin_offering() && queue.offer(self) {
            slot.used();
        }
    }
}

impl SlotQueues {
    fn find(&self, pool: PoolId) -> Option<Rc<SlotQueue>> {
        self.0.borrow().iter().find(|queue| queue.pool == pool).map(Rc::clone)
    }

    /// The pool's queue. A new one takes the place of those that are empty.
    fn of(&self, pool: PoolId) -> Rc<SlotQueue> {
        self.find(pool).unwrap_or_else(|| {
            let queue = Rc::new(SlotQueue { pool, state: RefCell::new(State::new()) });
            let mut queues = self.0.borrow_mut();
            queues.retain(|queue| !queue.state.borrow().is_unused());
            queues.push(Rc::clone(&queue));
            queue
        })
    }
}

impl SlotQueue {
    fn begin_offering(&self) -> bool {
        self.state.borrow_mut().begin_offering()
    }

    /// Offers the first to the pool, again and again. Returns whether one was offered.
    fn offer(&self, reactor: &Reactor) -> bool {
        let mut offered = false;
        while let Some((key, job)) = self.first() {
            offered = true;
            match job.offer(self.told(reactor)) {
                Offer::Accepted(ticket) => match self.accepted(key) {
                    Some(decided) => decided(reactor, Some(ticket)),
                    // It has left while it was being offered.
                    None => {
                        ticket.cancel();
                    }
                },
                Offer::Full(job, watch) => {
                    let Err((job, watch)) = self.watch(key, job, watch) else { return true };
                    watch.withdraw();
                    job.refuse(NeverRan::Cancelled);
                }
                Offer::Closed(job) => {
                    job.discard();
                    while let Some(waiting) = self.pop() {
                        let decided = discard(waiting);
                        decided(reactor, None);
                    }
                }
            }
        }
        offered
    }

    /// How the pool tells this reactor of a slot.
    fn told(&self, reactor: &Reactor) -> Tell {
        let (handle, pool) = (reactor.handle(), self.pool);
        // If the reactor has ended, the slot is dropped with the call, and that tells the next.
        Box::new(move |slot| drop_contained(handle.post_unbounded(move |reactor| reactor.slot_is_free(pool, slot))))
    }

    fn first(&self) -> Option<(Key, OfferedJob)> {
        self.state.borrow_mut().first()
    }

    fn accepted(&self, key: Key) -> Option<Decided> {
        self.state.borrow_mut().accepted(key)
    }

    fn watch(&self, key: Key, job: OfferedJob, watch: SlotWatch) -> Result<(), (OfferedJob, SlotWatch)> {
        self.state.borrow_mut().watch(key, job, watch)
    }

    fn stop_watching(&self) {
        let watch = self.state.borrow_mut().stop_watching();
        watch.into_iter().for_each(SlotWatch::withdraw);
    }

    fn leave(&self, key: Key) -> Option<Left> {
        self.state.borrow_mut().leave(key)
    }

    fn pop(&self) -> Option<WaitingJob> {
        self.state.borrow_mut().pop()
    }
}

fn discard(waiting: WaitingJob) -> Decided {
    if let Some(job) = waiting.job {
        job.discard_rejected();
    }
    waiting.decided
}

impl SlotPlace {
    /// Takes the job out of the queue, and tells it that it never runs. Returns whether it was there.
    pub(crate) fn refuse(&self, why: NeverRan) -> bool {
        self.leave(|job| job.refuse(why))
    }

    /// The same; the pool counts the job as not accepted.
    pub(crate) fn reject(&self, why: NeverRan) -> bool {
        self.leave(|job| job.reject(why))
    }

    fn leave(&self, end: impl FnOnce(OfferedJob)) -> bool {
        let Some(queue) = self.queue.upgrade() else { return false };
        let Some(left) = queue.leave(self.key) else { return false };
        left.withdraw.into_iter().for_each(SlotWatch::withdraw);
        // One that is being offered is refused by the loop that offers it.
        if let Some(job) = left.waiting.job {
            end(job);
        }
        true
    }
}

impl Drop for SlotPlace {
    fn drop(&mut self) {
        self.leave(OfferedJob::discard);
    }
}
