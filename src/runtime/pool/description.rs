//! A job as a program describes it: a function, its name, its time limits, and what to do when the queue is full.

mod work;

use std::fmt;
use std::mem;
use std::panic::Location;
use std::time::Duration;

pub use self::work::{IntoJob, Work};
use super::super::deadline::WhenFull;
use super::super::job_label::JobLabel;
use super::super::report::{Contained, Reporter};
use super::super::sync::StdArc;
use super::cancel_token::CancelToken;
use super::hooks::Hooks;
use super::job::{self, BoxedJob, JobBody, JobExtras, QueuedJob};
use super::limits::Limits;
use crate::error::{Rejected, Rejection};
use crate::exclusive::Exclusive;
use crate::failure::Failure;

/// A function for a thread of a pool, and how it is to be run: its name, its [time limit](Self::time_limit), its limit
/// [in the queue](Self::queue_limit), and what to do when that is full.
///
/// Every way into a pool takes a job, or a function as it is:
///
/// - [`call_in_thread`](crate::ThreadPool::call_in_thread), and
///   [`call_in_thread_ticketed`](crate::ThreadPool::call_in_thread_ticketed), which returns a ticket: a job whose
///   function has no result, one [with a callback](Self::with_callback), or one that was handed back;
/// - [`defer_to_thread`](crate::threads::defer_to_thread) and its kin, and
///   [`call_in_thread_with_callback`](crate::ThreadPool::call_in_thread_with_callback): a job whose function may have a
///   result.
///
/// A setting that is left out costs nothing, and all can be combined. Cost: one allocation for the description, one for
/// what the job's function captured, and those of each setting.
///
/// A pool that does not accept a job hands it back inside [`Rejected`] as a plain `Job`, whose function is
/// [boxed](BoxedWork): it can be run here, or submitted again, there or to another pool.
///
/// ```
/// use selvedge::{Job, ThreadPool, pool::WhenFull};
/// use std::time::Duration;
///
/// let pool = ThreadPool::builder().on_report(|report| eprintln!("{report}")).build()?;
/// pool.start()?;
/// // Should it panic, the report says so: (job "thumbnail", made at src/main.rs:7:11).
/// let job = Job::new(|| { /* … */ }).named("thumbnail").when_full(WhenFull::WaitUpTo(Duration::from_secs(1)));
/// let ticket = pool.call_in_thread_ticketed(job)?;
/// ticket.cancel();
/// pool.stop()?;
/// let rejected = pool.call_in_thread(|| println!("done here instead")).unwrap_err();
/// rejected.job.run();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a job does nothing until it is submitted or run"]
pub struct Job<F = BoxedWork> {
    work: F,
    origin: &'static Location<'static>,
    /// What few jobs have.
    extras: Option<Box<JobExtras>>,
    pub(super) when_full: WhenFull,
}

/// The function of a [`Job`] of any type, boxed.
pub struct BoxedWork {
    /// Exclusive, so that a job that is handed back is `Sync`, and an error that can be passed on as any other.
    body: Exclusive<Box<dyn JobBody>>,
    /// Present if the job has had a ticket or a time limit.
    token: Option<CancelToken>,
}

impl<F> Job<F> {
    /// A job that runs `f`. What it panics with is reported, or fails the Deferred of its result.
    #[inline]
    #[track_caller]
    pub fn new<R>(f: F) -> Self
    where
        F: FnOnce() -> R,
    {
        Self { work: f, origin: Location::caller(), extras: None, when_full: WhenFull::Return }
    }

    /// A job that is given its token: with a ticket or a limit the one of [`CancelToken::current`], otherwise one that
    /// nobody cancels.
    ///
    /// ```
    /// use selvedge::{Job, Reactor, threads};
    ///
    /// let reactor = Reactor::new();
    /// let search = Job::with_token(|token| (0_u64..).take_while(|_| !token.is_cancelled()).count());
    /// threads::defer_to_thread(&reactor, search).cancel();
    /// ```
    #[track_caller]
    pub fn with_token<R>(f: F) -> Job<impl FnOnce() -> R + use<F, R>>
    where
        F: FnOnce(&CancelToken) -> R,
    {
        Job::new(move || f(&CancelToken::current().unwrap_or_else(CancelToken::unlimited)))
    }

    /// The same job with a name, for reports, hooks and lists of running jobs. Names need not be unique.
    /// Cost: the description's allocation, and one for a name that is not shared already.
    pub fn named(mut self, name: impl Into<StdArc<str>>) -> Self {
        self.extras.get_or_insert_default().name = Some(name.into());
        self
    }

    /// What the submission does if the pool's queue is [bounded](crate::pool::PoolBuilder::queue_bound) and full: hand
    /// the job back at once, which is the default, or wait for a free slot.
    ///
    /// - **Without a Deferred**, the calling thread waits. A worker of another pool that waits counts as
    ///   [blocked](crate::threads::blocked) there. A worker of the pool itself and a thread with a reactor that has not
    ///   ended must not wait: there a job that would wait is handed back with
    ///   [`WouldDeadlock`](Rejection::WouldDeadlock), even if a slot is free, so that it does not depend on chance.
    /// - **With a Deferred** ([`defer_to_thread`](crate::threads::defer_to_thread) and its kin), nothing blocks: the
    ///   job waits on the reactor, which the pool tells of a free slot. Jobs of one reactor wait in the order of
    ///   asking. A time limit counts on the reactor's clock, and so does a [limit in the queue](Self::queue_limit),
    ///   from the asking. If the limit passes or the pool is stopped, the Deferred fails with
    ///   [`Rejected<()>`](crate::error::Rejected); if the reactor ends, with
    ///   [`ReactorStopped`](crate::error::ReactorStopped). Cost: three allocations and two short locks, one
    ///   allocation and two short locks for each offer, and a post for each slot.
    ///
    /// Jobs run in the order in which they were accepted; threads and reactors that wait are not served in any
    /// particular order, and a job that does not wait may take the slot that they were told of.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool, error::Rejection, pool::WhenFull};
    /// use std::num::NonZeroUsize;
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::builder().queue_bound(NonZeroUsize::MIN).build()?;
    /// // Nothing is started yet, so nothing leaves the queue.
    /// pool.call_in_thread(|| ())?;
    /// let second = Job::new(|| ()).named("second").when_full(WhenFull::WaitUpTo(Duration::from_millis(1)));
    /// let late = pool.call_in_thread(second).unwrap_err();
    /// assert_eq!(late.reason, Rejection::TimedOut);
    /// pool.start()?;
    /// pool.call_in_thread(late.job.when_full(WhenFull::Wait))?;
    /// pool.stop()?;
    /// assert_eq!(pool.stats().completed, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// On a reactor's thread:
    ///
    /// ```
    /// use selvedge::{Failure, Job, Reactor, deferred::gather_results, pool::WhenFull};
    ///
    /// let bound = 4.try_into()?;
    /// let reactor = Reactor::builder().configure_pool(|pool| pool.size(0, 2).queue_bound(bound)).build()?;
    /// let local = reactor.local();
    /// let squares = (0..100_u32).map(|number| {
    ///     local.defer_to_thread(Job::new(move || number * number).when_full(WhenFull::Wait))
    /// });
    /// let squares = gather_results(squares);
    /// assert_eq!(reactor.block_on(squares)?.len(), 100);
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// Another executor awaits the same with [`Handle::ask`](crate::Handle::ask).
    ///
    /// **Cancel safety.** Whoever gives up leaves nothing behind: the job of a thread is handed back, that of a
    /// cancelled Deferred is dropped at once, and a slot that has become free for it goes to the next that waits.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Limits the time from the job's start, however long it was in the queue before: when `limit` has passed, the job
    /// is asked to end, by its [`CancelToken`]. The default is no limit.
    ///
    /// - **With a Deferred** ([`defer_to_thread`](crate::threads::defer_to_thread) and its kin), the reactor watches
    ///   the limit, on its own clock: a [virtual](crate::testing::VirtualClock) one, if it has that. The worker posts
    ///   the start, and the time counts from the turn that learns of it. When it passes, the token is set and the
    ///   Deferred fails with [`TimedOut`](crate::error::TimedOut), `started: Some(true)`, on the reactor's thread. A
    ///   job that ignores its token goes on; its late result is dropped, and a failure reported. If the reactor ends
    ///   before the job, the limit holds as without one.
    /// - **Without one**, no thread watches a clock for the pool. The token reads as cancelled once the time is over,
    ///   for whoever [looks at it](CancelToken::is_cancelled), by the system's clock. The job ends as it chooses, and
    ///   its callback gets what it returns. Without a ticket, it finds its token with [`CancelToken::current`].
    ///
    /// A job with a limit of zero is run. Without a Deferred, its token reads as cancelled from the start; with one, it
    /// is set once the reactor has learned of the start, and a job that is faster than that wins. `Duration::MAX` is no
    /// limit. Cost: the description's allocation, and three more; with a Deferred six more, a post when the job begins,
    /// and a timer.
    ///
    /// A limit ends no thread: nothing can. A reactor that shuts down, as [`block_on`](crate::Reactor::block_on) does
    /// when it has its result, still waits for a job that ignores its token, unless it was built with
    /// [`stop_within`](crate::reactor::ReactorBuilder::stop_within).
    ///
    /// In a test: a [`TestReactor`](crate::testing::TestReactor) runs a job of its own pools to its end before time
    /// passes, so there this limit never does. Its page shows how to test what comes of one that passes.
    ///
    /// One slow query must not fail those that wait behind it, as an
    /// [`add_timeout`](crate::Deferred::add_timeout) on each would, which counts the queue:
    ///
    /// ```
    /// use selvedge::{Failure, Job, Reactor, error::TimedOut, pool::CancelToken, threads};
    /// use std::time::Duration;
    ///
    /// fn query(number: u32) -> u32 {
    ///     // The first is slow, and looks at its token now and then.
    ///     while number == 0 && CancelToken::current().is_some_and(|token| !token.is_cancelled()) {}
    ///     number
    /// }
    ///
    /// // One thread, as a database has one connection; eight clients at once.
    /// let reactor = Reactor::builder().pool_size(0, 1).build()?;
    /// let local = reactor.local();
    /// let slow = reactor.block_on(async move {
    ///     let limited = |number| Job::new(move || query(number)).time_limit(Duration::from_millis(50));
    ///     let answers: Vec<_> = (0..8).map(|number| local.defer_to_thread(limited(number))).collect();
    ///     let mut answers = answers.into_iter();
    ///     let first = answers.next().unwrap().await;
    ///     for answer in answers {
    ///         println!("{:?}", answer.await);
    ///     }
    ///     first.unwrap_err().downcast::<TimedOut>()
    /// })?;
    /// assert_eq!(slow.started, Some(true));
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// **Cancel safety.** Cancelling the Deferred stops its timer.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limits_mut().run = limited(limit);
        self
    }

    /// Limits the time that the job may wait in the queue. If no worker has taken it when `limit` has passed, it never
    /// runs. One that a worker has taken is not touched. The default is no limit.
    ///
    /// - **With a Deferred**, the reactor watches the limit, on its own clock. When it passes, the job is taken out of
    ///   the queue and its function dropped, and the Deferred fails with [`TimedOut`](crate::error::TimedOut),
    ///   `started: Some(false)`, all on the reactor's thread. Its token is not set. If the reactor ends before, the
    ///   limit holds as without one.
    /// - **Without one**, no thread watches a clock for the pool. The job keeps its place, and the worker that comes to
    ///   it refuses it with [`NeverRan::TimedOut`](crate::error::NeverRan::TimedOut) in place of running it: its
    ///   callback is called with that, or it is reported if there is none. The time counts from the submission, a wait
    ///   for a slot included, by the system's clock.
    ///
    /// With a limit of zero a job never runs, even if a worker is idle. `Duration::MAX` is no limit. Cost: the
    /// description's allocation, and one more; with a Deferred three more, and a timer. For a test, the page of
    /// [`TestReactor`](crate::testing::TestReactor) shows one that passes.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool, error::NeverRan};
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::new(0, 1)?;
    /// let on_result = |result: Result<(), selvedge::Failure>| {
    ///     assert!(result.is_err_and(|failure| failure.is::<NeverRan>()));
    /// };
    /// // Nothing is started yet, so the job waits for longer than it may.
    /// pool.call_in_thread(Job::with_callback(on_result, || ()).queue_limit(Duration::from_nanos(1)))?;
    /// pool.start()?;
    /// pool.stop()?;
    /// assert_eq!(pool.stats().expired, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// **Cancel safety.** Cancelling the Deferred stops its timer.
    pub fn queue_limit(mut self, limit: Duration) -> Self {
        self.limits_mut().queue = limited(limit);
        self
    }

    /// Calls `f` when the job begins: on the worker's thread, inside the pool's hooks, before the job's function. A
    /// job that never runs drops it uncalled. A second one replaces the first.
    ///
    /// A panic is reported, and the job runs. It sees the job's token and contexts, and its time is the job's. Cost:
    /// the description's allocation, and a box.
    ///
    /// The reactor learns of the start if `f` posts that. As a Deferred, whose other half the reactor owns:
    ///
    /// ```
    /// use selvedge::{Deferred, Failure, Job, Reactor, threads};
    ///
    /// let reactor = Reactor::new();
    /// let (started, resolver) = Deferred::new();
    /// let start = reactor.own(Some(resolver)).detach();
    /// let job = Job::new(|| 42).on_start(move || {
    ///     let fire = |resolver: &mut Option<selvedge::Resolver<()>>| resolver.take().map(|start| start.callback(()));
    ///     // An error means that the reactor has ended.
    ///     let _ = start.call(move |resolver, _| drop(fire(resolver)));
    /// });
    /// let answer = threads::defer_to_thread(&reactor, job);
    /// let answer = reactor.block_on(async move {
    ///     started.await?;
    ///     println!("it runs");
    ///     answer.await
    /// })?;
    /// assert_eq!(answer, 42);
    /// # Ok::<(), Failure>(())
    /// ```
    pub fn on_start(mut self, f: impl FnOnce() + Send + 'static) -> Self {
        let f: Box<dyn FnOnce() + Send> = Box::new(f);
        self.extras.get_or_insert_default().on_start = Some(Exclusive::new(Contained::new(f)));
        self
    }

    fn limits_mut(&mut self) -> &mut Limits {
        self.extras.get_or_insert_default().limits.get_or_insert_default()
    }

    /// Its limits, for a reactor that is to watch them. Those of `Duration::MAX` are none.
    pub(crate) fn take_limits(&mut self) -> Option<Limits> {
        let limits = self.extras.as_mut()?.limits.take()?;
        (limits.queue.is_some() || limits.run.is_some()).then_some(*limits)
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        *self.limits_mut() = limits;
    }

    /// Its name, and where it was made.
    #[must_use]
    pub fn label(&self) -> JobLabel {
        JobLabel::new(self.extras.as_ref().and_then(|extras| extras.name.clone()), self.origin)
    }

    /// What to do when the queue is full, for a reactor that waits in place of the thread.
    pub(crate) fn take_when_full(&mut self) -> WhenFull {
        mem::take(&mut self.when_full)
    }

    /// Whether it is to wait for a free slot.
    pub(super) fn may_wait(&self) -> bool {
        self.when_full != WhenFull::Return
    }

    /// The function, and the same job without it.
    pub(crate) fn split(self) -> (F, Job<()>) {
        let Self { work, origin, extras, when_full } = self;
        (work, Job { work: (), origin, extras, when_full })
    }
}

impl Job {
    /// A job that runs the commands in order, one after the other on one thread.
    ///
    /// If one panics, that is the job's panic, and the commands after it are dropped without being run.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool};
    ///
    /// let pool = ThreadPool::new(0, 2)?;
    /// pool.start()?;
    /// let job = Job::multiple(vec![Box::new(|| println!("first")), Box::new(|| println!("second"))]);
    /// pool.call_in_thread(job.named("two lines"))?;
    /// pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn multiple(commands: Vec<Box<dyn FnOnce() + Send>>) -> Job<impl FnOnce() + Send + 'static> {
        // Each is dropped by itself if it does not run: two panics in one drop would abort.
        let commands: Vec<_> = commands.into_iter().map(Contained::new).collect();
        Job::new(move || commands.into_iter().for_each(|command| command.into_inner()()))
    }

    /// A job that runs `f`, then `on_result`, on the same thread, with what it returned or panicked with:
    /// see [`call_in_thread_with_callback`](crate::ThreadPool::call_in_thread_with_callback).
    #[track_caller]
    pub fn with_callback<T, F, C>(on_result: C, f: F) -> Self
    where
        T: 'static,
        F: FnOnce() -> T + Send + 'static,
        C: FnOnce(Result<T, Failure>) + Send + 'static,
    {
        let body: Box<dyn JobBody> = Box::new(job::with_callback(f, on_result));
        Self {
            work: BoxedWork { body: Exclusive::new(body), token: None },
            origin: Location::caller(),
            extras: None,
            when_full: WhenFull::Return,
        }
    }

    pub(super) fn handed_back(job: BoxedJob, when_full: WhenFull) -> Self {
        let (body, origin, extras, token) = job.take_apart();
        Self { work: BoxedWork { body: Exclusive::new(body), token }, origin, extras, when_full }
    }
}

impl<F: Work> Job<F> {
    /// The same job, with its function boxed: jobs of all functions have this type.
    pub fn boxed(self) -> Job {
        let when_full = self.when_full;
        Job::handed_back(F::into_boxed(self), when_full)
    }

    /// Runs the job on this thread, as a worker would: a panic is not thrown but reported, to stderr.
    /// It is in no queue, so only its [limit from the start](Self::time_limit) counts.
    pub fn run(self) {
        let mut job = F::into_boxed(self);
        job.begin_limits(false);
        job.run_in(&Hooks::default(), &Reporter::default());
    }

    /// Hands the job back.
    pub(super) fn refused(self, reason: Rejection) -> Rejected<Job> {
        Rejected::new(self.boxed(), reason)
    }
}

impl<F> fmt::Debug for Job<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("label", &self.label()).field("when_full", &self.when_full).finish_non_exhaustive()
    }
}

/// `Duration::MAX` is no limit.
fn limited(limit: Duration) -> Option<Duration> {
    (limit < Duration::MAX).then_some(limit)
}
