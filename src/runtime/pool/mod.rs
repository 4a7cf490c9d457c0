//! Shell 3, the pool: jobs from any thread, to threads that may block.

mod blocked;
mod builder;
mod desks;
mod hooks;
mod job;
mod line;
mod memory;
mod nudge;
mod roster;
mod shared;
mod stats;
mod stop;
mod ticket;
mod worker;

use std::fmt;
use std::time::Duration;

pub use self::blocked::{Blocked, blocked};
pub use self::builder::PoolBuilder;
pub use self::hooks::Worker;
pub use self::job::Job;
pub(crate) use self::job::Work;
use self::job::{Queued, Unboxed};
pub use self::memory::{Stage, Step, Stepper};
use self::shared::Shared;
pub use self::stats::{PoolStats, PoolTimes};
pub use self::stop::{StopPolicy, StopWithinError, Straggler};
use self::ticket::Ticketed;
pub use self::ticket::{CancelToken, Cancellation, Ticket};
use self::worker::{is_employed_by, is_waited_for_by};
use super::deadline::WhenFull;
use super::reactor_thread::is_reactor_thread;
use super::sync::Arc;
use super::typed_queue;
use crate::error::{PoolStopped, Rejected, Rejection, SizeError, StopFromWorker};
use crate::failure::Failure;
use crate::machine::pool::{Notify, Policy, Sizes};

/// A pool of threads for what blocks: its size is a target that can be moved while it runs, its queue is strictly first in, first out.
///
/// A handle: cheap to clone, and usable from any thread. Each job is given to an idle worker, else to a new one below the maximum,
/// else it queues; a job that blocks delays no other while a worker is idle or may be added.
///
/// Before [`start`](Self::start), jobs queue and no thread exists. After [`stop`](Self::stop), jobs are handed back. When the last handle
/// is dropped the pool is told to stop, as if by `stop`, but nobody waits for it: its workers finish what was accepted and end.
///
/// A panic in a job, or in dropping what it captured, is contained, counted and reported; the worker survives.
///
/// ```
/// use selvedge::ThreadPool;
/// use std::sync::mpsc;
///
/// let pool = ThreadPool::new(2, 4)?;
/// pool.start()?;
/// let (tell, told) = mpsc::channel();
/// pool.call_in_thread(move || tell.send(6 * 7).unwrap_or_default())?;
/// assert_eq!(told.recv()?, 42);
/// pool.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ThreadPool {
    owner: Arc<Owner>,
}

/// Tells the pool to stop when the last handle goes. Workers hold [`Shared`], so they do not keep the pool from ending.
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        Shared::begin_stop(&self.shared, Policy::Drain, None);
    }
}

impl ThreadPool {
    /// A pool of at least `min` and at most `max` threads, not started.
    ///
    /// # Errors
    /// `min` is above `max`. (A maximum of zero is a paused pool: its jobs wait until it is resized.)
    pub fn new(min: usize, max: usize) -> Result<Self, SizeError> {
        Self::builder().size(min, max).build()
    }

    /// A pool to be described: see [`PoolBuilder`].
    #[must_use]
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Starts the pool: as many threads as the minimum and the backlog ask for, up to the maximum. Starting it again changes nothing.
    ///
    /// A thread that cannot be started is reported; the pool goes on with those it has, and tries again at the next job or resize.
    ///
    /// # Errors
    /// The pool has been stopped.
    pub fn start(&self) -> Result<(), PoolStopped> {
        Shared::start(&self.owner.shared, false)
    }

    /// Starts the pool, but its first threads only when the first job comes.
    pub(crate) fn start_lazily(&self) -> Result<(), PoolStopped> {
        Shared::start(&self.owner.shared, true)
    }

    /// Runs `f` on one of the pool's threads. From any thread; returns at once. A panic of `f` is reported, with the place of this call.
    ///
    /// Cost: one short lock, and no allocation once there is room: what a function captures lies in the queue itself, up to 120 bytes of it, for some thirty types of
    /// function at a time. Others are boxed; so is a job that at first finds no place in a [bounded](PoolBuilder::queue_bound) queue, and every job of a pool with
    /// [hooks around jobs](PoolBuilder::around_jobs), [contexts](PoolBuilder::context) or [times](PoolBuilder::take_times).
    ///
    /// # Errors
    /// The pool has been stopped, or its queue is [bounded](PoolBuilder::queue_bound) and full: the job comes back at once, with the reason.
    #[track_caller]
    pub fn call_in_thread<F>(&self, f: F) -> Result<(), Rejected<Job>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.put(job::Plain(f), WhenFull::Return)
    }

    /// Runs `f` on one of the pool's threads, then `on_result`, on the same thread, with what it returned or panicked with.
    ///
    /// `f` and what it captured are gone before `on_result` runs; `on_result` and the result are gone before the worker takes its next
    /// job. A panic of `on_result` is reported, and the worker survives. Should the job never run, because the pool was
    /// stopped without having been started or because no thread could be started, `on_result` is told so with
    /// [`NeverRan`](crate::error::NeverRan).
    ///
    /// ```
    /// # use selvedge::ThreadPool;
    /// # let pool = ThreadPool::new(1, 1)?;
    /// # pool.start()?;
    /// pool.call_in_thread_with_callback(
    ///     |result| assert_eq!(result.unwrap_or_default(), 42),
    ///     || 6 * 7,
    /// )?;
    /// # pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The pool has been stopped: the job comes back.
    #[track_caller]
    pub fn call_in_thread_with_callback<T, F, C>(&self, on_result: C, f: F) -> Result<(), Rejected<Job>>
    where
        T: 'static,
        F: FnOnce() -> T + Send + 'static,
        C: FnOnce(Result<T, Failure>) + Send + 'static,
    {
        self.put(job::WithCallback { work: f, on_result }, WhenFull::Return)
    }

    /// Runs a job that was made before, or that another pool has handed back. From any thread; returns at once.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool};
    ///
    /// let (first, second) = (ThreadPool::new(1, 1)?, ThreadPool::new(1, 1)?);
    /// first.stop()?;
    /// let job = Job::new(|| println!("run by the second")).named("greeting");
    /// first.submit(job).or_else(|rejected| second.submit(rejected.job))?;
    /// second.start()?;
    /// second.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The pool has been stopped: the job comes back, as it was.
    pub fn submit(&self, job: Job) -> Result<(), Rejected<Job>> {
        self.offer_plain(job, WhenFull::Return)
    }

    /// Runs `f` on one of the pool's threads. Where the queue is [bounded](PoolBuilder::queue_bound) and full it waits for a free slot, for at most `timeout`; without a
    /// limit if that is `None`.
    ///
    /// Jobs run in the order in which they were accepted; of callers that wait, whichever comes first gets a place. A worker of another pool that waits here counts as
    /// [blocked](crate::threads::blocked) there.
    ///
    /// ```
    /// use selvedge::{ThreadPool, error::Rejection};
    /// use std::num::NonZeroUsize;
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::builder().queue_bound(NonZeroUsize::MIN).build()?;
    /// // Nothing is started yet, so nothing leaves the queue.
    /// pool.call_in_thread(|| ())?;
    /// assert_eq!(pool.call_in_thread(|| ()).unwrap_err().reason, Rejection::QueueFull);
    /// let late = pool.call_in_thread_waiting(Some(Duration::from_millis(1)), || ());
    /// assert_eq!(late.unwrap_err().reason, Rejection::TimedOut);
    /// pool.start()?;
    /// pool.call_in_thread_waiting(None, || ())?;
    /// pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The job comes back, with the reason: the time is over, the pool was stopped, or this thread must not wait, because it is one of the pool's own or a reactor
    /// lives on it. That is said even if there is a place, so that it does not depend on chance.
    #[track_caller]
    pub fn call_in_thread_waiting<F>(&self, timeout: Option<Duration>, f: F) -> Result<(), Rejected<Job>>
    where
        F: FnOnce() + Send + 'static,
    {
        if is_employed_by(&self.owner.shared) || is_reactor_thread() {
            return Err(Rejected::new(Job::new(f), Rejection::WouldDeadlock));
        }
        self.put(job::Plain(f), WhenFull::Wait(timeout))
    }

    /// Runs `f` on one of the pool's threads, under a ticket that can cancel it: while it waits it is taken out of the queue, while it runs it is asked to end, by
    /// the token that it is given.
    ///
    /// It costs the submitter two allocations more than a job without.
    ///
    /// # Errors
    /// The pool has been stopped, or its queue is full: the job comes back.
    #[track_caller]
    pub fn call_in_thread_ticketed<F>(&self, f: F) -> Result<Ticket, Rejected<Job>>
    where
        F: FnOnce(&CancelToken) + Send + 'static,
    {
        self.submit_ticketed(|token| job::Plain(move || f(&token)))
    }

    /// Work that is made for its token, as a job with a ticket.
    #[track_caller]
    pub(crate) fn submit_ticketed<W: Work + 'static>(
        &self,
        work: impl FnOnce(CancelToken) -> W,
    ) -> Result<Ticket, Rejected<Job>> {
        let token = CancelToken::new();
        let job = Job::of(Ticketed { work: work(token.clone()), token: token.clone() });
        let id = self.offer(job, Shared::submit_ticketed)?;
        Ok(Ticket::new(Arc::clone(&self.owner.shared), id, token))
    }

    /// Work comes in, by value where nothing is to travel with it.
    #[inline]
    #[track_caller]
    fn put<W: Work + 'static>(&self, work: W, when_full: WhenFull) -> Result<(), Rejected<Job>> {
        let job = Unboxed::of(work);
        if typed_queue::fits::<Unboxed<W>>() && !self.owner.shared.hooks.concern_jobs() {
            Shared::submit(&self.owner.shared, job, when_full)
        } else {
            self.offer_plain(job.into_job(), when_full)
        }
    }

    fn offer_plain(&self, job: Job, when_full: WhenFull) -> Result<(), Rejected<Job>> {
        self.offer(job, |shared, job| Shared::submit(shared, job, when_full))
    }

    /// What travels with a job is packed before it is offered, on this thread; one that comes back comes back as it was.
    fn offer<T>(
        &self,
        mut job: Job,
        submit: impl FnOnce(&Arc<Shared>, Job) -> Result<T, Rejected<Job>>,
    ) -> Result<T, Rejected<Job>> {
        let shared = &self.owner.shared;
        if shared.hooks.pack_anything() {
            job.pack(&shared.hooks, &shared.reporter);
        }
        submit(shared, job).map_err(|mut rejected| {
            rejected.job.unpack(&shared.reporter);
            rejected
        })
    }

    /// Moves the target. Idle workers above it retire now, busy ones after their job; a raised maximum serves the backlog at once, in order.
    ///
    /// The sizes are a target, not a debt: whatever was asked before, the pool comes to what was asked last. A maximum of zero pauses it.
    /// On a pool that was stopped this has no effect.
    ///
    /// # Errors
    /// `min` is above `max`; nothing has changed.
    pub fn adjust_pool_size(&self, min: usize, max: usize) -> Result<(), SizeError> {
        let sizes = sizes(min, max)?;
        Shared::resize(&self.owner.shared, |_| sizes);
        Ok(())
    }

    /// Sets the maximum, and lowers the minimum with it where it is above.
    pub(crate) fn suggest_size(&self, max: usize) {
        Shared::resize(&self.owner.shared, |target| Sizes { min: target.min.min(max), max });
    }

    /// Stops the pool and waits for it: no job is taken any more, all that were accepted are finished, all threads have ended.
    ///
    /// Jobs of a pool that was never started are not run: each is told so. Stopping again is harmless, and waits likewise.
    ///
    /// # Errors
    /// The caller is one of this pool's own workers, or tells a job of the pool that it never runs, and would wait for itself. Nothing has changed.
    pub fn stop(&self) -> Result<(), StopFromWorker> {
        self.stop_with(StopPolicy::Drain)
    }

    /// The same, with a choice of what becomes of jobs that wait. Cancelling them strengthens a stop that is under way; draining them weakens none.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub fn stop_with(&self, policy: StopPolicy) -> Result<(), StopFromWorker> {
        if is_waited_for_by(&self.owner.shared) {
            return Err(StopFromWorker);
        }
        self.ask_to_stop(policy);
        // Without a deadline there is no other end of the wait; and a pool without threads is not waited for.
        let _ = self.owner.shared.join(None);
        Ok(())
    }

    /// The same, and waits no longer than `deadline`; zero does not wait at all. When the time is over the pool goes on stopping, and can be waited for again.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool, pool::{StopPolicy, StopWithinError}};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::new(1, 1)?;
    /// pool.start()?;
    /// let ((begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel());
    /// pool.submit(Job::new(move || {
    ///     begin.send(()).unwrap_or_default();
    ///     ended.recv().unwrap_or_default();
    /// }).named("slow"))?;
    /// begun.recv()?;
    /// match pool.stop_within(StopPolicy::CancelQueued, Duration::ZERO) {
    ///     Err(StopWithinError::Unfinished { stragglers, .. }) => assert_eq!(stragglers[0].job.name(), Some("slow")),
    ///     _ => unreachable!(),
    /// }
    /// end.send(())?;
    /// pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The time is over: which jobs still run, and for how long. Or the caller is one of this pool's own workers, and nothing has changed.
    pub fn stop_within(&self, policy: StopPolicy, deadline: Duration) -> Result<(), StopWithinError> {
        if is_waited_for_by(&self.owner.shared) {
            return Err(StopWithinError::FromWorker);
        }
        self.ask_to_stop(policy);
        self.owner.shared.join(Some(deadline))
    }

    /// Tells the pool to stop, and waits for nothing. From any thread, the pool's own included.
    pub fn ask_to_stop(&self, policy: StopPolicy) {
        Shared::begin_stop(&self.owner.shared, policy.into(), None);
    }

    /// Whether the pool has stopped: no job is left, no worker runs one, and none ever will.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.owner.shared.has_stopped()
    }

    /// Tells the pool to stop; `then` is called, on some thread, when nothing is left to run.
    pub(crate) fn begin_stop(&self, then: impl FnOnce() + Send + 'static) {
        Shared::begin_stop(&self.owner.shared, Policy::Drain, Some(Box::new(then)));
    }

    /// Waits for the threads of a pool that was told to stop.
    pub(crate) fn join(&self) {
        let _ = self.owner.shared.join(None);
    }

    /// What the pool is doing, as one consistent snapshot. Takes two short locks.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.owner.shared.stats()
    }

    /// How long jobs waited and ran, with the counts of the same instant; nothing, unless the pool was built to
    /// [take times](PoolBuilder::take_times).
    ///
    /// Takes the same two short locks as [`stats`](Self::stats), and copies 8 kB under them: 0.4 µs, measured, so it may well be polled a
    /// thousand times a second.
    #[must_use]
    pub fn times(&self) -> Option<PoolTimes> {
        self.owner.shared.times()
    }

    /// The pool's name; its threads are called `<name>-<n>`. Where the operating system keeps only part of a thread's name (15 bytes on Linux), the
    /// pool's is shortened there, never the number.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.owner.shared.name
    }

    /// Wakes all idle workers for no reason, as an operating system may: for models.
    #[doc(hidden)]
    pub fn wake_spuriously(&self) {
        self.owner.shared.ring(Notify::All);
    }

    /// The same for those who wait for the pool to stop.
    #[doc(hidden)]
    pub fn wake_stoppers_spuriously(&self) {
        self.owner.shared.stopped.notify_all();
    }

    /// The same for those who wait for a place in the queue.
    #[doc(hidden)]
    pub fn wake_waiters_spuriously(&self) {
        self.owner.shared.places.notify_all();
    }

    /// Every keep-alive, and every deadline of a call that waits, that has begun by now is over: for models, and for pools without threads.
    #[doc(hidden)]
    pub fn let_deadlines_pass(&self) {
        self.owner.shared.let_deadlines_pass();
    }

    /// The next `count` threads cannot be started: for models and tests.
    #[doc(hidden)]
    pub fn fail_starts(&self, count: usize) {
        self.owner.shared.fail_starts(count);
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("name", &self.name()).field("stats", &self.stats()).finish()
    }
}

fn sizes(min: usize, max: usize) -> Result<Sizes, SizeError> {
    if min > max { Err(SizeError { min, max }) } else { Ok(Sizes { min, max }) }
}
