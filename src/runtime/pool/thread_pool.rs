//! The public handle of a pool.

use std::fmt;
use std::time::Duration;

use super::super::deadline::WhenFull;
use super::super::reactor_thread::is_reactor_thread;
use super::super::sync::{Arc, Instant};
use super::at_rest::RestWatch;
#[allow(unused_imports, reason = "a link of the documentation")]
use super::cancel_token::CancelToken;
use super::context::{PoolId, delays_stop_of, is_worker_of};
use super::control::checked_sizes;
use super::description::{IntoJob, Job, Work};
use super::job::{self, BoxedJob};
use super::shared::Shared;
use super::stats::{PoolStats, PoolTimes};
use super::stop::{StopPolicy, StopWithinError, Straggler};
use super::thread_ends::ThreadEnds;
use super::ticket::Ticket;
use crate::error::{PoolStopped, Rejected, Rejection, SizeError, WouldDeadlock};
use crate::failure::Failure;
use crate::machine::pool::Sizes;

/// A pool of threads for work that blocks. It can be resized while it runs; its queue is strictly first in, first out.
///
/// This is a handle: cheap to clone, and usable from any thread. A job goes to an idle worker; if there is none, to a
/// new one, up to the maximum; otherwise it queues. A job that blocks delays no other while a worker is idle or may be
/// added.
///
/// Before [`start`](Self::start), jobs queue and no thread exists. After [`stop`](Self::stop), jobs are handed back.
/// Dropping the last handle stops the pool without waiting for it: its workers finish the accepted jobs and end. The
/// process does not wait for them: when `main` returns, accepted jobs that have not run are lost, unless a stop waits.
///
/// A panic in a job, or in dropping what it captured, is contained, counted and reported; the worker survives.
///
/// **No `scope`.** Jobs own what they use: a scope whose jobs borrow from their submitter has to block until the last
/// of them ends, which a reactor's thread must never do. Share with an `Arc`, or return what is borrowed with the
/// result. Where a thread may block, [`std::thread::scope`] does it.
///
/// **A value that belongs to a thread**, as a database's connection, has a thread with a reactor of its own, which
/// [owns](crate::Reactor::own) it: its [`Address`](crate::Address) is called and asked from anywhere, in order. Workers
/// own no values; one that each of them has is a thread-local, made in
/// [`on_worker_start`](crate::pool::PoolBuilder::on_worker_start).
///
/// ```
/// use selvedge::ThreadPool;
/// use std::sync::mpsc;
///
/// let pool = ThreadPool::new(2, 4)?;
/// pool.start()?;
/// let (sender, receiver) = mpsc::channel();
/// pool.call_in_thread(move || sender.send(6 * 7).unwrap_or_default())?;
/// assert_eq!(receiver.recv()?, 42);
/// pool.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "scope")]
#[derive(Clone)]
pub struct ThreadPool {
    pub(super) owner: Arc<Owner>,
}

/// Stops the pool when the last handle is dropped. Workers hold only [`Shared`], so they do not keep the pool running.
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
}

/// What is left to be joined of a pool whose threads have ended: see [`ThreadPool::join_last`].
pub(crate) struct LastThread(Arc<ThreadEnds>);

impl LastThread {
    pub(crate) fn join(self) {
        ThreadEnds::join_last(&self.0);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        Shared::begin_stop(&self.shared, StopPolicy::Drain);
    }
}

impl ThreadPool {
    /// Starts the pool: as many threads as the minimum and the waiting jobs require, up to the maximum. Starting it
    /// again changes nothing.
    ///
    /// A thread that cannot be started is reported. The pool goes on with those it has, and tries again at the next job
    /// or resize.
    ///
    /// # Errors
    /// The pool has been stopped.
    pub fn start(&self) -> Result<(), PoolStopped> {
        Shared::start(&self.owner.shared, false)
    }

    /// Starts the pool, but no thread before the first job is submitted.
    pub(crate) fn start_lazily(&self) -> Result<(), PoolStopped> {
        Shared::start(&self.owner.shared, true)
    }

    /// Runs a job on one of the pool's threads: a function as it is, a [`Job`] that describes one, or a job that was
    /// handed back. From any thread; returns at once, unless the job is to wait
    /// [when the queue is full](Job::when_full). A panic of the function is reported, with the place of this call.
    ///
    /// Cost: one short lock, a second one if a worker has to be woken or started, and in the steady state no
    /// allocation: what the function captured is stored in the queue itself, up to 120 bytes, for some thirty types of
    /// function at a time. Others are boxed; so are a job that finds a [bounded](crate::pool::PoolBuilder::queue_bound)
    /// queue full at first, one that is described by more than its function, and every job of a pool with
    /// [hooks around jobs](crate::pool::PoolBuilder::around_jobs), [contexts](crate::pool::PoolBuilder::context) or
    /// [times](crate::pool::PoolBuilder::take_times).
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool};
    ///
    /// let (first, second) = (ThreadPool::new(1, 1)?, ThreadPool::new(1, 1)?);
    /// first.call_in_thread(|| println!("never run, as nothing has started"))?;
    /// first.stop()?;
    /// let job = Job::new(|| println!("run by the second")).named("greeting");
    /// first.call_in_thread(job).or_else(|rejected| second.call_in_thread(rejected.job))?;
    /// second.start()?;
    /// second.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The job is handed back, as it was, with the reason: the pool has been stopped; its queue is
    /// [bounded](crate::pool::PoolBuilder::queue_bound) and full, and was for as long as the job was to wait; or it was
    /// to wait on a thread that must not. There, submit it again without waiting when a job has ended.
    #[track_caller]
    pub fn call_in_thread<J>(&self, job: J) -> Result<(), Rejected<Job>>
    where
        J: IntoJob<Function: Work>,
    {
        self.submit(job.into_job())
    }

    /// Runs a job on one of the pool's threads, a function `f` or a [`Job`] that describes one, then `on_result`, on
    /// the same thread, with what it returned or panicked with. For a ticket, submit a [`Job::with_callback`].
    ///
    /// `f` and its captures are dropped before `on_result` runs; `on_result` and the result are dropped before the
    /// worker takes its next job. A panic of `on_result` is reported, and the worker survives. If the job never runs,
    /// because the pool is stopped first or no thread can be started, `on_result` is called with
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
    /// As for [`call_in_thread`](Self::call_in_thread): the job is handed back, with both functions.
    #[track_caller]
    pub fn call_in_thread_with_callback<T, J, C>(&self, on_result: C, job: J) -> Result<(), Rejected<Job>>
    where
        T: 'static,
        J: IntoJob<Function: FnOnce() -> T + Send + 'static>,
        C: FnOnce(Result<T, Failure>) + Send + 'static,
    {
        let (f, job) = job.into_job().split();
        self.submit(job.with_body(job::with_callback(f, on_result)))
    }

    #[inline]
    fn submit<F: Work>(&self, job: Job<F>) -> Result<(), Rejected<Job>> {
        if job.may_wait() && self.must_not_wait() {
            return Err(job.refused(Rejection::WouldDeadlock));
        }
        let when_full = job.when_full;
        F::submit(job, &self.owner.shared).map_err(|rejected| handed_back(rejected, when_full))
    }

    /// Whether this thread must not wait for a slot: nobody might free one.
    fn must_not_wait(&self) -> bool {
        is_worker_of(&self.owner.shared) || is_reactor_thread()
    }

    /// [`call_in_thread`](Self::call_in_thread) that returns a ticket, which can cancel the job: while it waits it is
    /// taken out of the queue, while it runs it is asked to end, by its token. A job of [`Job::with_token`] is given
    /// that; any other finds it with [`CancelToken::current`].
    ///
    /// Cost: two allocations more than without a ticket.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1, 1)?;
    /// pool.start()?;
    /// let ticket = pool.call_in_thread_ticketed(Job::with_token(|token| while token.check().is_ok() {}))?;
    /// ticket.cancel();
    /// pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`call_in_thread`](Self::call_in_thread): the job is handed back, as it was.
    #[track_caller]
    pub fn call_in_thread_ticketed<J>(&self, job: J) -> Result<Ticket, Rejected<Job>>
    where
        J: IntoJob<Function: Work>,
    {
        let job = job.into_job();
        if job.may_wait() && self.must_not_wait() {
            return Err(job.refused(Rejection::WouldDeadlock));
        }
        let when_full = job.when_full;
        Shared::submit_ticketed(&self.owner.shared, Work::into_boxed(job), when_full)
            .map_err(|rejected| handed_back(rejected, when_full))
    }

    /// Sets the minimum and maximum number of threads. Idle threads above the maximum end now, busy ones after their
    /// job; a raised maximum serves waiting jobs at once, in order.
    ///
    /// Only the last call counts: the pool approaches the sizes that were set last, whatever was set before. A maximum
    /// of zero pauses it. On a stopped pool this has no effect.
    ///
    /// # Errors
    /// `min` is above `max`; nothing has changed.
    pub fn adjust_pool_size(&self, min: usize, max: usize) -> Result<(), SizeError> {
        let sizes = checked_sizes(min, max)?;
        Shared::resize(&self.owner.shared, |_| sizes);
        Ok(())
    }

    /// Sets the maximum, and lowers the minimum to it if that is above.
    pub(crate) fn suggest_size(&self, max: usize) {
        Shared::resize(&self.owner.shared, |target| Sizes { min: target.min.min(max), max });
    }

    /// Stops the pool and waits until it has stopped: no more jobs are accepted, all accepted ones are finished, all
    /// threads have ended, with the destructors of their thread-locals.
    ///
    /// Jobs of a pool that was never started do not run: each is told so. Stopping again is harmless, and waits as
    /// well.
    ///
    /// # Errors
    /// The pool may wait for this thread: it is one of the pool's own workers; it is inside another stop of the pool or
    /// a start of its threads, in a job that is told that it never runs, a sink, or a function of
    /// [`on_cancel`](CancelToken::on_cancel); or a reactor lives on it, whether or not that runs or any job waits for
    /// it. Nothing has changed. There, call [`ask_to_stop`](Self::ask_to_stop), and let [`stopped`](Self::stopped) tell
    /// the reactor when it is done. A thread may wait again once its reactor has ended or was dropped.
    pub fn stop(&self) -> Result<(), WouldDeadlock> {
        self.stop_with(StopPolicy::Drain)
    }

    /// [`stop`](Self::stop), with a choice of what becomes of waiting jobs. While the pool is stopping, a second call
    /// may still cancel them; it cannot undo that.
    ///
    /// # Errors
    /// As for [`stop`](Self::stop).
    pub fn stop_with(&self, policy: StopPolicy) -> Result<(), WouldDeadlock> {
        if self.may_wait_for_this_thread() {
            return Err(WouldDeadlock);
        }
        self.ask_to_stop(policy);
        // Without a timeout this fails only for a pool without threads, which cannot be waited for.
        let _ = self.owner.shared.join(None);
        Ok(())
    }

    /// [`stop_with`](Self::stop_with), waiting for at most `timeout`; zero does not wait at all. Afterwards the pool
    /// goes on stopping, and this can be called again.
    ///
    /// The limit holds for jobs, for hooks, and for destructors of thread-locals on the pool's threads. It does not cut
    /// short what this thread runs itself: waiting jobs that the policy cancels are told so here, one after the other.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool, pool::{StopPolicy, StopWithinError}};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::new(1, 1)?;
    /// pool.start()?;
    /// let ((started, on_start), (release, on_release)) = (mpsc::channel(), mpsc::channel());
    /// pool.call_in_thread(Job::new(move || {
    ///     started.send(()).unwrap_or_default();
    ///     on_release.recv().unwrap_or_default();
    /// }).named("slow"))?;
    /// on_start.recv()?;
    /// match pool.stop_within(StopPolicy::CancelQueued, Duration::ZERO) {
    ///     Err(StopWithinError::Unfinished { stragglers, .. }) => {
    ///         assert_eq!(stragglers[0].job().and_then(|job| job.name()), Some("slow"));
    ///     }
    ///     _ => unreachable!(),
    /// }
    /// release.send(())?;
    /// pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// **Cancel safety.** After the timeout nothing is taken back: the pool goes on stopping, and
    /// [`stop`](Self::stop) or [`stopped`](Self::stopped) waits for its end.
    ///
    /// # Errors
    /// The time is over: the error lists which workers are late, with what, and for how long. Or the pool may wait for
    /// this thread, as for [`stop`](Self::stop), and nothing has changed; that is an error also if the timeout is zero.
    pub fn stop_within(&self, policy: StopPolicy, timeout: Duration) -> Result<(), StopWithinError> {
        if self.may_wait_for_this_thread() {
            return Err(StopWithinError::WouldDeadlock);
        }
        self.ask_to_stop(policy);
        self.owner.shared.join(Some(timeout))
    }

    /// Tells the pool to stop, and does not wait. From any thread, including the pool's own.
    pub fn ask_to_stop(&self, policy: StopPolicy) {
        Shared::begin_stop(&self.owner.shared, policy);
    }

    /// Whether a wait for the pool's stop on this thread could be a wait for this thread itself. It does not depend on
    /// what jobs do just now.
    pub(crate) fn may_wait_for_this_thread(&self) -> bool {
        is_reactor_thread() || delays_stop_of(&self.owner.shared)
    }

    /// Whether the pool has stopped: no job waits or runs, none ever will, and its threads have ended, destructors of
    /// their thread-locals included.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.owner.shared.has_stopped()
    }

    /// Tells the pool to stop, and does not wait. `callback` is called when its threads have ended, on some thread;
    /// [`join_last`](Self::join_last) is called after that. `wakes_host`: it may call the hook of a host.
    pub(crate) fn begin_stop(&self, policy: StopPolicy, wakes_host: bool, callback: impl FnOnce() + Send + 'static) {
        let shared = &self.owner.shared;
        ThreadEnds::when_ended(&shared.ends, &shared.reporter, wakes_host, Box::new(callback));
        self.ask_to_stop(policy);
    }

    /// `callback` is called when the pool has stopped and its threads have ended, on some thread; now, if they have.
    /// This does not ask it to stop.
    ///
    /// The callback must not have a handle of the pool, which would never be the last; it gets what it has to join.
    pub(crate) fn when_stopped(&self, wakes_host: bool, callback: impl FnOnce(LastThread) + Send + 'static) {
        let shared = &self.owner.shared;
        let last = LastThread(Arc::clone(&shared.ends));
        ThreadEnds::when_ended(&shared.ends, &shared.reporter, wakes_host, Box::new(move || callback(last)));
    }

    /// Joins what is left of a pool whose threads have ended: a thread that runs no code of the program. (Where that
    /// thread could not be started it is the last of the pool's, all of whose destructors have run.)
    pub(crate) fn join_last(&self) {
        ThreadEnds::join_last(&self.owner.shared.ends);
    }

    /// Who keeps a pool that was told to stop from stopping, and how many jobs wait to be run.
    pub(crate) fn stragglers(&self) -> (Vec<Straggler>, usize) {
        self.owner.shared.stragglers(Instant::now())
    }

    pub(crate) fn id(&self) -> PoolId {
        PoolId::of(&self.owner.shared)
    }

    pub(crate) fn rest_watch(&self) -> RestWatch {
        RestWatch(Arc::clone(&self.owner.shared))
    }

    /// A consistent snapshot of the pool's counts. Takes two short locks.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.owner.shared.stats()
    }

    /// How long jobs waited and ran, with the counts at the same instant; `None` unless the pool was built to
    /// [take times](crate::pool::PoolBuilder::take_times).
    ///
    /// Takes the same two short locks as [`stats`](Self::stats), and copies 8 kB under them: 0.4 µs, measured, so it
    /// can be polled a thousand times a second.
    #[must_use]
    pub fn times(&self) -> Option<PoolTimes> {
        self.owner.shared.times()
    }

    /// The pool's name. Its threads are called `<name>-<n>`; where the operating system keeps only part of a thread's
    /// name (15 bytes on Linux), the pool's name is shortened there, never the number.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.owner.shared.name
    }

    /// Wakes all idle workers spuriously, as an operating system may: for models.
    #[doc(hidden)]
    pub fn wake_spuriously(&self) {
        self.owner.shared.wake_all_workers();
    }

    /// Wakes all callers that wait for the pool to stop, spuriously: for models.
    #[doc(hidden)]
    pub fn wake_stoppers_spuriously(&self) {
        self.owner.shared.ends.wake_spuriously();
    }

    /// Wakes all callers that wait for a slot in the queue, spuriously: for models.
    #[doc(hidden)]
    pub fn wake_waiters_spuriously(&self) {
        self.owner.shared.not_full.notify_all();
    }

    /// Lets every current keep-alive and every deadline of a waiting call pass: for models, and for pools without
    /// threads.
    #[doc(hidden)]
    pub fn let_deadlines_pass(&self) {
        self.owner.shared.let_deadlines_pass();
    }

    /// Lets the next `count` starts of threads fail: for models and tests.
    #[doc(hidden)]
    pub fn fail_starts(&self, count: usize) {
        self.owner.shared.ends.fail_starts(count);
    }
}

/// A job that was not accepted, as the program gets it back.
#[cold]
fn handed_back(rejected: Rejected<BoxedJob>, when_full: WhenFull) -> Rejected<Job> {
    Rejected::new(Job::handed_back(rejected.job, when_full), rejected.reason)
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("name", &self.name()).field("stats", &self.stats()).finish()
    }
}
