//! What submitters and workers share: the two locks, and the actions that follow once they are released.

use std::mem;
use std::ptr;
use std::time::Duration;

use super::super::cache_padded::CachePadded;
use super::super::deadline::{Deadline, Tick, WhenFull};
use super::super::report::{Incident, Reporter};
use super::super::sync::{Arc, Condvar, Hint, IdleHint, Instant, Mutex, Spin};
use super::Job;
use super::blocked::Blocked;
use super::desks::Desks;
use super::hooks::Hooks;
use super::job::{Queued, Ran};
use super::line::{Line, jobs};
use super::memory::Bench;
use super::nudge::Pace;
use super::roster::Roster;
use super::stats::{Histograms, PoolStats, PoolTimes};
use super::stop::StopWithinError;
use super::worker::Tells;
use crate::error::{NeverRan, PoolStopped, Rejected, Rejection, Saturated};
use crate::machine::pool::{
    self as machine, Accepted, Notify, Policy, PoolState, RefusedJobs, Sizes, SubmitError, SubmitQueue, TicketId,
    Wakeups, WorkerId, Workers,
};

/// Called when nothing is left to run.
type Farewell = Box<dyn FnOnce() + Send>;

/// What to tell those who wait for the pool's end; nothing, as long as it has not come. Owed to [`take_leave`](Shared::take_leave), once the locks are released.
pub(super) type Farewells = Option<Vec<Farewell>>;

/// What a worker owes that is gone, once the locks are released.
pub(super) struct Parting {
    pub(super) wakeups: Wakeups,
    pub(super) farewells: Farewells,
    pub(super) joins: bool,
}

/// A pool, as its handles and its workers see it. Locks are taken in the order in which they stand here, never both by a submitter.
pub(crate) struct Shared {
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) reporter: Reporter,
    pub(super) hooks: Hooks,
    /// How long a worker above the minimum goes without a job.
    pub(super) keep_alive: Option<Duration>,
    pub(super) workers: CachePadded<Mutex<WorkersState>>,
    /// Idle workers wait here, with `workers`.
    pub(super) bell: Condvar,
    /// Callers that wait for a place in a full queue wait here, with `workers`.
    pub(super) places: Condvar,
    /// Those who wait for the pool to stop wait here, with `workers`.
    pub(super) stopped: Condvar,
    pub(super) submit_queue: CachePadded<Mutex<SubmitQueue<Line>>>,
    /// The submit queue has had a job since a worker last looked.
    pub(super) filled: CachePadded<Hint>,
    /// Sleepers that submitters may nudge.
    pub(super) dozing: CachePadded<IdleHint>,
    /// How long a worker spins before it sleeps.
    pub(super) spin: Spin,
    /// Taken before `workers`, never after it.
    pub(super) roster: Mutex<Roster>,
    /// The workers, if they have no threads.
    pub(super) bench: Option<Bench>,
}

/// The workers' half of the machine, and whom to tell when it has stopped.
pub(super) struct WorkersState {
    pub(super) machine: Workers<Line>,
    pub(super) farewells: Vec<Farewell>,
    /// Where the pool takes them.
    pub(super) times: Option<Histograms>,
    pub(super) desks: Desks,
    pub(super) tick: Tick,
    pub(super) pace: Pace,
}

impl WorkersState {
    /// A job has ended: it is counted, and its times are recorded, in one instant.
    pub(super) fn finished(&mut self, ran: &Ran) {
        self.machine.finished(ran.panicked);
        if let (Some(histograms), Some(times)) = (&mut self.times, &ran.times) {
            histograms.record(times);
        }
    }

    /// Worker `me` makes its last transition.
    pub(super) fn part(&mut self, submit_queue: &mut SubmitQueue<Line>, me: WorkerId) -> Parting {
        let left = machine::exited(&mut self.machine, submit_queue, me);
        Parting { wakeups: left.wakeups, farewells: self.farewells(left.stopped), joins: left.join_previous }
    }

    /// A transition has said whether the pool has `stopped`: whoever learns it first takes the farewells, under the same hold of the lock.
    pub(super) fn farewells(&mut self, stopped: bool) -> Farewells {
        stopped.then(|| mem::take(&mut self.farewells))
    }
}

/// What a pool is to be: see [`PoolBuilder`](super::PoolBuilder).
pub(super) struct Terms {
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) reporter: Reporter,
    pub(super) hooks: Hooks,
    pub(super) target: Sizes,
    pub(super) compensation: usize,
    pub(super) keep_alive: Option<Duration>,
    /// The most jobs that may wait.
    pub(super) bound: usize,
    /// Its workers have no threads.
    pub(super) in_memory: bool,
}

impl Shared {
    pub(super) fn new(terms: Terms) -> Self {
        let times = terms.hooks.timed.then(Histograms::default);
        let workers = WorkersState {
            machine: Workers::new(terms.target, terms.compensation),
            farewells: Vec::new(),
            times,
            desks: Desks::default(),
            tick: Tick::default(),
            pace: Pace::default(),
        };
        Self {
            name: terms.name,
            stack_size: terms.stack_size,
            reporter: terms.reporter,
            hooks: terms.hooks,
            // Without threads, time passes when it is told to.
            keep_alive: terms.keep_alive.map(|time| if terms.in_memory { Duration::MAX } else { time }),
            workers: CachePadded(Mutex::new(workers)),
            bell: Condvar::new(),
            places: Condvar::new(),
            stopped: Condvar::new(),
            submit_queue: CachePadded(Mutex::new(SubmitQueue::new(terms.bound))),
            filled: CachePadded(Hint::default()),
            dozing: CachePadded(IdleHint::default()),
            spin: Spin::new(),
            roster: Mutex::new(Roster::default()),
            bench: terms.in_memory.then(Bench::new),
        }
    }

    /// A job comes in: one short lock and a push, and where somebody is to be told of it, another. If the queue is full, `when_full` is how long its
    /// submitter waits for a place, if it waits.
    #[inline]
    pub(super) fn submit<J: Queued>(this: &Arc<Self>, job: J, when_full: WhenFull) -> Result<(), Rejected<Job>> {
        let (submitted, backlog) = {
            let mut submit_queue = this.submit_queue.lock();
            (submit_queue.submit(job), submit_queue.queue().len())
        };
        match submitted {
            Ok(accepted) => Self::accepted(this, accepted, backlog),
            Err(refused) => drop(Self::refused(this, refused.map(J::into_job), false, when_full)?),
        }
        Ok(())
    }

    /// The same, for a job that is to have a ticket; it does not wait.
    pub(super) fn submit_ticketed(this: &Arc<Self>, job: Job) -> Result<TicketId, Rejected<Job>> {
        let (submitted, backlog) = {
            let mut submit_queue = this.submit_queue.lock();
            (submit_queue.submit_ticketed(job), submit_queue.queue().len())
        };
        let ticket = match submitted {
            Ok(accepted) => {
                Self::accepted(this, accepted, backlog);
                accepted.ticket
            }
            Err(refused) => Self::refused(this, refused, true, WhenFull::Return)?,
        };
        // Who asks for one is given one.
        Ok(ticket.unwrap_or(TicketId::MAX))
    }

    /// A job came in, behind others: tells whom it must.
    #[inline]
    fn accepted(this: &Arc<Self>, accepted: Accepted, backlog: usize) {
        this.filled.set(true);
        if accepted.must_wake {
            let wakeups = this.workers.lock().machine.wake_for_submit();
            Self::carry_out(this, wakeups);
        } else if backlog > 1 {
            // Whoever is bound to look takes one.
            this.nudge();
        }
    }

    /// A job did not come in, at first.
    #[cold]
    fn refused(
        this: &Arc<Self>,
        refused: SubmitError<Job>,
        ticketed: bool,
        when_full: WhenFull,
    ) -> Result<Option<TicketId>, Rejected<Job>> {
        match refused {
            SubmitError::Closed(job) => Err(Rejected::new(job, Rejection::PoolStopped)),
            SubmitError::Full(job) => {
                // A worker of another pool that waits here is blocked there.
                let _blocked = matches!(when_full, WhenFull::Wait(_)).then(Blocked::enter);
                Self::squeeze(this, job, ticketed, when_full)
            }
        }
    }

    /// A job that found no place: with both locks it may find one after all, or wait for it.
    fn squeeze(
        this: &Arc<Self>,
        mut job: Job,
        ticketed: bool,
        when_full: WhenFull,
    ) -> Result<Option<TicketId>, Rejected<Job>> {
        let mut workers = this.workers.lock();
        let deadline = when_full.deadline(workers.tick);
        loop {
            let mut submit_queue = this.submit_queue.lock();
            match machine::submit_when_full(&mut workers.machine, &mut submit_queue, job, ticketed) {
                Ok((accepted, wakeups)) => {
                    drop((submit_queue, workers));
                    this.filled.set(true);
                    Self::carry_out(this, wakeups);
                    return Ok(accepted.ticket);
                }
                Err(SubmitError::Closed(job)) => return Err(Rejected::new(job, Rejection::PoolStopped)),
                Err(SubmitError::Full(full)) => job = full,
            }
            let reason = match deadline {
                None => Some(Rejection::QueueFull),
                Some(deadline) if deadline.has_passed(workers.tick) || this.bench.is_some() => {
                    Some(Rejection::TimedOut)
                }
                Some(_) => None,
            };
            if let Some(reason) = reason {
                submit_queue.count_rejection();
                return Err(Rejected::new(job, reason));
            }
            drop(submit_queue);
            workers.machine.begin_slot_wait();
            workers = this.places.wait_for(workers, deadline.and_then(|deadline| deadline.remaining()));
            workers.machine.end_slot_wait();
        }
    }

    /// Takes a job out of the queue, and drops it; says whether it was there.
    pub(super) fn cancel(this: &Arc<Self>, ticket: TicketId) -> bool {
        let (job, wakeups) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::cancel(&mut workers.machine, &mut submit_queue, ticket)
        };
        let Some(job) = job else { return false };
        Self::carry_out(this, wakeups);
        job.refuse(NeverRan::Cancelled, &this.hooks, &this.reporter);
        true
    }

    /// A worker's job begins to wait.
    pub(super) fn block(this: &Arc<Self>) {
        let wakeups = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::block(&mut workers.machine, &mut submit_queue)
        };
        Self::carry_out(this, wakeups);
    }

    /// It goes on.
    pub(super) fn unblock(this: &Arc<Self>) {
        let wakeups = this.workers.lock().machine.unblock();
        Self::carry_out(this, wakeups);
    }

    pub(super) fn start(this: &Arc<Self>, lazily: bool) -> Result<(), PoolStopped> {
        let wakeups = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::start(&mut workers.machine, &mut submit_queue, lazily).map_err(|()| PoolStopped)?
        };
        Self::carry_out(this, wakeups);
        Ok(())
    }

    pub(super) fn resize(this: &Arc<Self>, target: impl FnOnce(Sizes) -> Sizes) {
        let wakeups = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let target = target(workers.machine.target());
            machine::resize(&mut workers.machine, &mut submit_queue, target)
        };
        Self::carry_out(this, wakeups);
    }

    /// The submit queue closes. `then` is called when nothing is left to run, which may be now.
    pub(super) fn begin_stop(this: &Arc<Self>, policy: Policy, then: Option<Farewell>) {
        let (stop, farewells) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let stop = machine::stop(&mut workers.machine, &mut submit_queue, policy);
            workers.farewells.extend(then);
            let farewells = workers.farewells(stop.stopped);
            (stop, farewells)
        };
        // First the call: those it wakes need not wait until all this is told.
        Self::carry_out(this, stop.wakeups);
        let why = if stop.unstarted { NeverRan::PoolStopped } else { NeverRan::CancelledByStop };
        let told = this.tell(stop.cancelled, &why);
        this.take_leave(farewells.or(told));
    }

    /// Waits until the pool has stopped, for as long as `deadline` says, then for the threads themselves.
    pub(super) fn join(&self, deadline: Option<Duration>) -> Result<(), StopWithinError> {
        let asked = Instant::now();
        let mut workers = self.workers.lock();
        let deadline = Deadline::new(deadline, workers.tick);
        while workers.machine.state() != PoolState::Stopped {
            if deadline.has_passed(workers.tick) || self.bench.is_some() {
                let queued = workers.machine.queue().len() + self.submit_queue.lock().queue().len();
                return Err(StopWithinError::Unfinished { stragglers: workers.desks.stragglers(asked), queued });
            }
            workers = self.stopped.wait_for(workers, deadline.remaining());
        }
        drop(workers);
        self.join_last();
        Ok(())
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.workers.lock().machine.state() == PoolState::Stopped
    }

    /// Whether a worker may spin before it sleeps.
    pub(super) fn may_search(&self) -> bool {
        self.bench.is_none() && self.spin.pays()
    }

    /// Every deadline that is waited for now has passed.
    pub(super) fn let_deadlines_pass(&self) {
        self.workers.lock().tick.advance();
        self.ring(Notify::All);
        self.places.notify_all();
        self.stopped.notify_all();
    }

    /// What tells this pool from every other that exists now.
    pub(super) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    pub(super) fn stats(&self) -> PoolStats {
        let workers = self.workers.lock();
        PoolStats::of(&workers.machine, &self.submit_queue.lock())
    }

    /// The histograms' memory is there before the locks are taken, and what is copied under them is plain numbers.
    pub(super) fn times(&self) -> Option<PoolTimes> {
        if !self.hooks.timed {
            return None;
        }
        let mut copy = Histograms::default();
        let workers = self.workers.lock();
        copy.copy_from(workers.times.as_ref()?);
        let stats = PoolStats::of(&workers.machine, &self.submit_queue.lock());
        Some(copy.with(stats))
    }

    /// The action that a transition returned, with no lock held.
    #[inline]
    pub(super) fn carry_out(this: &Arc<Self>, wakeups: Wakeups) {
        this.ring(wakeups.workers);
        match wakeups.submitters {
            Notify::Nobody => {}
            Notify::One => this.places.notify_one(),
            Notify::All => this.places.notify_all(),
        }
        if wakeups.spawn.count > 0 {
            Self::start_threads(this, wakeups.spawn);
        }
        if wakeups.report_saturation {
            this.reporter.report(Incident::Saturated, &Saturated, None);
        }
    }

    /// Wakes one idle worker more than the machine asks for, if that is likely to pay: see [`nudge`](super::nudge).
    #[inline]
    fn nudge(&self) {
        if self.dozing.take() && self.bench.is_none() {
            self.bell.notify_one();
        }
    }

    /// Wakes idle workers, wherever they wait.
    pub(super) fn ring(&self, ring: Notify) {
        match (ring, &self.bench) {
            (Notify::Nobody, _) => {}
            (Notify::One, None) => {
                self.dozing.take();
                self.bell.notify_one();
            }
            (Notify::All, None) => {
                self.dozing.set(0);
                self.bell.notify_all();
            }
            (_, Some(bench)) => bench.wake(ring),
        }
    }

    /// Tells jobs that the machine has handed out that they will never run. It is told when that is over: until then the pool has not stopped.
    pub(super) fn tell(&self, backlog: RefusedJobs<Line>, why: &NeverRan) -> Farewells {
        if backlog.is_empty() {
            return None;
        }
        {
            let _tells = Tells::jobs_of(self);
            for job in jobs(backlog) {
                job.refuse(why.clone(), &self.hooks, &self.reporter);
            }
        }
        let mut workers = self.workers.lock();
        let stopped = workers.machine.refusals_done();
        workers.farewells(stopped)
    }

    /// If the pool has stopped, tells those who wait for that.
    pub(super) fn take_leave(&self, farewells: Farewells) {
        let Some(farewells) = farewells else { return };
        self.stopped.notify_all();
        for farewell in farewells {
            self.reporter.contain(Incident::Job, farewell);
        }
    }
}
