//! A worker: looks, runs, looks again, and sleeps only when it has found both queues empty while holding both locks.
//!
//! What it decides under the lock is [`Hand`]'s; who carries that out is a thread of its own ([`work`]) or, in a pool without threads,
//! whoever steps it ([`memory`](super::memory)).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::super::deadline::Deadline;
use super::super::sync::{Arc, MutexGuard, thread_local};
use super::blocked::on_duty;
use super::desks::Seat;
use super::hooks::Worker;
use super::job::{Queued, Ran};
use super::line::{Line, begin_taken};
use super::nudge::Begun;
use super::shared::{Parting, Shared, WorkersState};
use crate::machine::pool::{self as machine, Popped, Wakeups, WorkerAction, WorkerHint, WorkerId};

thread_local! {
    /// The address of the pool that this thread works for, or has worked for to its end; zero on every other thread. Destructors of other
    /// thread-locals can still read it.
    static WORKS_FOR: Cell<usize> = Cell::new(0);
    /// That pool, while there is a worker on this thread.
    static POOL: RefCell<Option<Rc<Employer>>> = RefCell::new(None);
    /// The addresses of the pools whose jobs this thread tells that they will never run, one inside the other.
    static TELLS: RefCell<Vec<usize>> = RefCell::new(Vec::new());
    /// The worker of this thread looks no more.
    static LEAVES: Cell<bool> = Cell::new(false);
}

/// Whether this is the thread of a worker that looks no more. What still runs there is its stop hooks, and destructors of thread-locals.
pub(super) fn leaves() -> bool {
    LEAVES.try_with(Cell::get).unwrap_or(false)
}

/// Whether this thread works for that pool.
pub(super) fn is_employed_by(pool: &Shared) -> bool {
    WORKS_FOR.try_with(|works_for| works_for.get() == pool.address()).unwrap_or(false)
}

/// Whether the pool is not over before this thread is done with it: it works for it, or tells its jobs.
pub(super) fn is_waited_for_by(pool: &Shared) -> bool {
    is_employed_by(pool) || TELLS.try_with(|tells| tells.borrow().contains(&pool.address())).unwrap_or(false)
}

/// This thread tells a pool's jobs that they will never run, until this is dropped. What they do then is the program's own code, and the pool is not over
/// before it is: so it must not wait for that.
pub(super) struct Tells;

impl Tells {
    pub(super) fn jobs_of(pool: &Shared) -> Self {
        let _ = TELLS.try_with(|tells| tells.borrow_mut().push(pool.address()));
        Self
    }
}

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = TELLS.try_with(|tells| tells.borrow_mut().pop());
    }
}

/// The pool that this thread works for.
pub(super) fn employer() -> Option<Arc<Shared>> {
    POOL.try_with(|pool| pool.borrow().as_ref().map(|employer| Arc::clone(&employer.0))).ok().flatten()
}

/// The one share that a worker's thread has of its pool: two would be let go of one after the other, for nothing.
pub(super) struct Employer(Arc<Shared>);

impl Employer {
    pub(super) fn new(pool: Arc<Shared>) -> Rc<Self> {
        Rc::new(Self(pool))
    }
}

/// This thread works for a pool, until this is dropped.
pub(super) struct Employed {
    before: Option<Rc<Employer>>,
    address_before: usize,
}

impl Employed {
    pub(super) fn by(employer: &Rc<Employer>) -> Self {
        Self {
            before: POOL.try_with(|own| own.replace(Some(Rc::clone(employer)))).ok().flatten(),
            address_before: WORKS_FOR.try_with(|address| address.replace(employer.0.address())).unwrap_or(0),
        }
    }
}

impl Drop for Employed {
    fn drop(&mut self) {
        let before = self.before.take();
        // Let go of outside of the cell: it may be the last that holds the pool.
        let own = POOL.try_with(|own| own.replace(before));
        drop(own);
        // A thread that ends stays known as the pool's: what is left of it must not wait for itself either.
        if !leaves() {
            let _ = WORKS_FOR.try_with(|address| address.set(self.address_before));
        }
    }
}

/// Why a worker comes to the queues.
pub(super) enum Entry {
    Arrived,
    /// It has arrived before, and is ready.
    Settled,
    /// It has run its job.
    Finished(Ran),
    Searched,
    /// Its wait is over, for whatever reason.
    Woken,
}

/// What it does next, once the lock is released.
pub(super) enum Duty {
    /// The job is to be taken under the same hold of the lock.
    Run(Popped<Line>, Wakeups),
    Search,
    /// Falls asleep with the lock in its hand, for this long at most.
    Sleep(Option<Duration>),
    Leave(Wakeups),
    /// The same, and it has left already: nothing was to be done before.
    Gone(Wakeups, Parting),
}

/// What a worker remembers between two looks.
pub(super) struct Hand {
    pub(super) id: WorkerId,
    /// Its own from when it has arrived.
    seat: Seat,
    /// It has searched since its last job.
    searched: bool,
    /// It comes from its sleep.
    was_asleep: bool,
    /// When its job began.
    begun: Begun,
    /// When it will have slept above the minimum for the keep-alive; set when it falls asleep, and gone with its next job.
    rest: Option<Deadline>,
}

impl Hand {
    pub(super) fn new(id: WorkerId) -> Self {
        Self { id, seat: 0, searched: false, was_asleep: false, begun: Begun::default(), rest: None }
    }

    /// Says why it is there, as the first thing under a hold of the workers' lock.
    #[inline]
    pub(super) fn enters(&mut self, workers: &mut WorkersState, entry: Entry) {
        self.was_asleep = false;
        match entry {
            Entry::Arrived => {
                self.seat = workers.desks.take_seat();
                workers.machine.thread_started();
            }
            Entry::Settled => self.seat = workers.desks.take_seat(),
            Entry::Finished(ran) => {
                workers.desks.clear(self.seat);
                workers.pace.ended(self.begun);
                workers.finished(&ran);
            }
            Entry::Searched => workers.machine.searched(),
            Entry::Woken => {
                self.was_asleep = true;
                workers.pace.woken();
                workers.machine.woken();
            }
        }
    }

    /// A job, if it finds one without a look at the submit queue.
    #[inline]
    pub(super) fn next(&mut self, workers: &mut WorkersState) -> Option<(Popped<Line>, Wakeups)> {
        let next = workers.machine.next_job()?;
        self.takes_one(workers);
        Some(next)
    }

    fn takes_one(&mut self, workers: &WorkersState) {
        self.begun = workers.pace.begins();
        self.searched = false;
        self.rest = None;
    }

    /// Looks at both queues, with both locks.
    #[inline(never)]
    pub(super) fn look(&mut self, pool: &Shared, workers: &mut WorkersState) -> Duty {
        let next = {
            let mut submit_queue = pool.submit_queue.lock();
            pool.filled.set(false);
            // The clock is asked only where its answer can matter: reading it takes as long as all else that is done under this lock.
            let finds_nothing = workers.machine.queue().is_empty() && submit_queue.queue().is_empty();
            let expired =
                self.was_asleep && finds_nothing && self.rest.is_some_and(|rest| rest.has_passed(workers.tick));
            let hint = WorkerHint { may_search: !self.searched && pool.may_search(), expired };
            machine::next_action(&mut workers.machine, &mut submit_queue, hint)
        };
        match next {
            WorkerAction::Run(job, wakeups) => {
                self.takes_one(workers);
                Duty::Run(job, wakeups)
            }
            WorkerAction::Search => {
                self.searched = true;
                Duty::Search
            }
            WorkerAction::Sleep { timed } => {
                pool.dozing.set(workers.pace.nudgeable(workers.machine.idle()));
                if !timed {
                    return Duty::Sleep(None);
                }
                let anew = self.rest.is_none();
                let rest = *self.rest.get_or_insert_with(|| Deadline::new(pool.keep_alive, workers.tick));
                Duty::Sleep(if anew { pool.keep_alive } else { rest.remaining() })
            }
            WorkerAction::Exit(wakeups) => {
                workers.desks.leave_seat(self.seat);
                if pool.hooks.on_stop() {
                    return Duty::Leave(wakeups);
                }
                let parting = workers.part(&mut pool.submit_queue.lock(), self.id);
                Duty::Gone(wakeups, parting)
            }
        }
    }

    /// A job is in its hand, for others to see.
    #[inline]
    pub(super) fn takes(&self, workers: &mut WorkersState, job: &impl Queued) {
        workers.desks.occupy(self.seat, self.id, job.trace());
    }
}

/// The life of a worker that has a thread.
pub(super) fn work(pool: Arc<Shared>, me: WorkerId) {
    let employer = Employer::new(pool);
    let pool = &employer.0;
    let employed = Employed::by(&employer);
    let mut hand = Hand::new(me);
    let arrived = settle_in(pool, me);
    let mut workers = pool.workers.lock();
    hand.enters(&mut workers, arrived);
    let (wakeups, parting) = loop {
        if let Some((job, wakeups)) = hand.next(&mut workers) {
            let ran = begin_taken(job, wakeups, pool, &hand, workers);
            workers = pool.workers.lock();
            hand.enters(&mut workers, Entry::Finished(ran));
            continue;
        }
        let entry = match hand.look(pool, &mut workers) {
            Duty::Run(job, wakeups) => {
                let ran = begin_taken(job, wakeups, pool, &hand, workers);
                workers = pool.workers.lock();
                Entry::Finished(ran)
            }
            Duty::Search => {
                drop(workers);
                pool.spin.until(&pool.filled);
                workers = pool.workers.lock();
                Entry::Searched
            }
            Duty::Sleep(at_most) => {
                workers = pool.bell.wait_for(workers, at_most);
                Entry::Woken
            }
            Duty::Leave(wakeups) => break (wakeups, None),
            Duty::Gone(wakeups, parting) => break (wakeups, Some(parting)),
        };
        hand.enters(&mut workers, entry);
    };
    drop(workers);
    let _ = LEAVES.try_with(|leaves| leaves.set(true));
    leave(pool, me, wakeups, parting, employed);
}

/// What is left to do for a worker that looks no more.
pub(super) fn leave(pool: &Arc<Shared>, me: WorkerId, wakeups: Wakeups, parting: Option<Parting>, employed: Employed) {
    Shared::carry_out(pool, wakeups);
    let parting = parting.unwrap_or_else(|| {
        pool.hooks.stopping(&Worker::new(&pool.name, me), &pool.reporter);
        let mut workers = pool.workers.lock();
        let mut submit_queue = pool.submit_queue.lock();
        workers.part(&mut submit_queue, me)
    });
    drop(employed);
    Shared::carry_out(pool, parting.wakeups);
    pool.take_leave(parting.farewells);
    if parting.joins {
        pool.join_others(me);
    }
}

/// What a program wants to be run first may take its time: meanwhile others are called.
pub(super) fn settle_in(pool: &Arc<Shared>, me: WorkerId) -> Entry {
    if !pool.hooks.on_start() {
        return Entry::Arrived;
    }
    let wakeups = {
        let mut workers = pool.workers.lock();
        let mut submit_queue = pool.submit_queue.lock();
        machine::begin_start_hooks(&mut workers.machine, &mut submit_queue)
    };
    Shared::carry_out(pool, wakeups);
    pool.hooks.started(&Worker::new(&pool.name, me), &pool.reporter);
    Entry::Settled
}

/// Lets go of the lock under which the job was taken, calls whom it must, and runs the job.
pub(super) fn run(
    job: impl Queued,
    wakeups: Wakeups,
    pool: &Arc<Shared>,
    hand: &Hand,
    mut workers: MutexGuard<'_, WorkersState>,
) -> Ran {
    hand.takes(&mut workers, &job);
    drop(workers);
    // The call goes first: whoever it calls must not wait until this job ends.
    Shared::carry_out(pool, wakeups);
    on_duty(pool, || job.run_in(&pool.hooks, &pool.reporter))
}
