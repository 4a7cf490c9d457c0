//! Jobs that wait for a free slot of a bounded pool without blocking their reactor: for each pool a queue, in the order
//! of asking.
//!
//! *Hazard: a job waits although there is a slot.* The pool finds that it has no slot, and takes note of the watcher,
//! under one hold of its locks; whoever is told of a slot and has nothing to offer passes that on: see
//! `pool/slot_watch.rs`. Whatever comes while jobs wait goes to the end of the queue, so it does not overtake them.

use std::cell::RefCell;
use std::mem;
use std::rc::{Rc, Weak};

use super::super::pool::{FreeSlot, Job, Offer, OfferedJob, PoolId, SlotWatch, Tell, ThreadPool, Ticket, Work};
use super::super::report::drop_contained;
use super::Reactor;
use crate::error::NeverRan;
use crate::machine::wait_queue::{Key, WaitQueue};

/// The queues of a reactor: one for each pool in which its jobs wait, or have waited.
#[derive(Default)]
pub(super) struct SlotQueues(RefCell<Vec<Rc<SlotQueue>>>);

struct SlotQueue {
    pool: PoolId,
    state: RefCell<State>,
}

struct State {
    waiting: WaitQueue<WaitingJob>,
    stage: Stage,
}

#[derive(Default)]
enum Stage {
    /// Nobody waits.
    #[default]
    Empty,
    /// The pool had no slot for the first, and will tell.
    Watching(SlotWatch),
    /// A loop offers the first to the pool, until that has no slot, or nobody waits. It calls code of the program, and
    /// sees who joins and leaves there.
    Offering,
}

struct WaitingJob {
    /// `None` while it is being offered.
    job: Option<OfferedJob>,
    decided: Decided,
}

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
        let job = WaitingJob { job: Some(pool.prepare(job)), decided: Box::new(decided) };
        let queue = self.core.slot_queues.of(pool.id());
        let key = queue.state.borrow_mut().waiting.push(job);
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
            let state = RefCell::new(State { waiting: WaitQueue::new(), stage: Stage::Empty });
            let queue = Rc::new(SlotQueue { pool, state });
            let mut queues = self.0.borrow_mut();
            queues.retain(|queue| !matches!(queue.state.borrow().stage, Stage::Empty));
            queues.push(Rc::clone(&queue));
            queue
        })
    }

    /// The reactor has ended: no job waits any more.
    pub(super) fn clear(&self) {
        for queue in self.0.take() {
            queue.stop_watching();
            while let Some(waiting) = queue.pop() {
                drop(waiting.discard());
            }
        }
    }
}

impl SlotQueue {
    /// Whether the caller has to offer: jobs wait, and nobody offers them or watches.
    fn begin_offering(&self) -> bool {
        let mut state = self.state.borrow_mut();
        let begins = matches!(state.stage, Stage::Empty) && !state.waiting.is_empty();
        if begins {
            state.stage = Stage::Offering;
        }
        begins
    }

    /// Offers the first to the pool, again and again. Returns whether one was offered.
    fn offer(&self, reactor: &Reactor) -> bool {
        let mut offered = false;
        while let Some((key, job)) = self.first() {
            offered = true;
            match job.offer(self.told(reactor)) {
                Offer::Accepted(ticket) => match self.remove(key) {
                    Some(waiting) => (waiting.decided)(reactor, Some(ticket)),
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
                        let decided = waiting.discard();
                        decided(reactor, None);
                    }
                }
            }
        }
        self.state.borrow_mut().stage = Stage::Empty;
        offered
    }

    /// How the pool tells this reactor of a slot.
    fn told(&self, reactor: &Reactor) -> Tell {
        let (handle, pool) = (reactor.handle(), self.pool);
        // If the reactor has ended, the slot is dropped with the call, and that tells the next.
        Box::new(move |slot| drop_contained(handle.post_unbounded(move |reactor| reactor.slot_is_free(pool, slot))))
    }

    /// The job to be offered next. Its place stays.
    fn first(&self) -> Option<(Key, OfferedJob)> {
        let mut state = self.state.borrow_mut();
        let key = state.waiting.first_key()?;
        let job = state.waiting.get_mut(key)?.job.take()?;
        Some((key, job))
    }

    /// There was no slot for the first. Returns both, if it has left meanwhile.
    fn watch(&self, key: Key, job: OfferedJob, watch: SlotWatch) -> Result<(), (OfferedJob, SlotWatch)> {
        let mut state = self.state.borrow_mut();
        match state.waiting.get_mut(key) {
            Some(waiting) => waiting.job = Some(job),
            None => return Err((job, watch)),
        }
        state.stage = Stage::Watching(watch);
        Ok(())
    }

    /// Does not wait for the pool any more, if it did.
    fn stop_watching(&self) {
        let mut state = self.state.borrow_mut();
        if let Stage::Watching(_) = state.stage
            && let Stage::Watching(watch) = mem::take(&mut state.stage)
        {
            drop(state);
            watch.withdraw();
        }
    }

    fn pop(&self) -> Option<WaitingJob> {
        self.state.borrow_mut().waiting.pop()
    }

    fn remove(&self, key: Key) -> Option<WaitingJob> {
        self.state.borrow_mut().waiting.remove(key)
    }

    fn is_empty(&self) -> bool {
        self.state.borrow().waiting.is_empty()
    }
}

impl WaitingJob {
    fn discard(self) -> Decided {
        if let Some(job) = self.job {
            job.discard();
        }
        self.decided
    }
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
        let Some(waiting) = queue.remove(self.key) else { return false };
        if queue.is_empty() {
            queue.stop_watching();
        }
        // One that is being offered is refused by the loop that offers it.
        if let Some(job) = waiting.job {
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
