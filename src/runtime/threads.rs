//! The bridges between threads and the reactor.
//!
//! - [`defer_to_thread`] runs a function in the pool; its result reaches the loop as a [`Deferred`].
//! - [`blocking_call_from_thread`] runs a function on the loop, and blocks the calling thread until it has answered.
//! - [`defer_to_reactor`] runs a function on another reactor; its result reaches this one as a [`Deferred`].
//! - [`call_multiple_in_thread`] runs several functions in order on one thread of the pool.
//! - [`block_on`] awaits a future on a thread that has no reactor.
//! - [`blocked`] tells the pool that a job waits, so that it may add a worker meanwhile.
//!
//! To post a call without waiting, use [`Handle::call_from_thread`].

mod block_on;
mod blocking_call;
mod local;
mod watch;
mod without_blocking;

use std::cell::OnceCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

pub use self::block_on::block_on;
pub use self::blocking_call::{blocking_call_from_thread, blocking_call_from_thread_timeout};
use self::watch::JobWatch;
pub use self::without_blocking::defer_to_reactor;
use super::deadline::WhenFull;
use super::deferred::{Deferred, Outcome, PendingResolver, drop_late};
use super::job_label::JobLabel;
pub use super::pool::{Blocked, blocked};
use super::pool::{Fate, IntoJob, Job, JobBody, ThreadPool, Ticket};
use super::reactor::{Address, Handle, Reactor};
use super::report::{Incident, JobReporter, drop_contained, report_and_drop};
use super::sync::catch;
use crate::error::{NeverRan, ReactorStopped, Rejected, TimedOut};
use crate::failure::{Failure, Panic};

/// Runs a function on a thread of the reactor's pool. The Deferred fires on the reactor's thread, with the value or the
/// failure. `job` is the function `f`, or a [`Job`] that describes it.
///
/// Adding callbacks is free of races: once the pool has accepted `f`, the Deferred cannot fire before this thread
/// returns to the loop. `f` may return a value or a `Result` (see [`Outcome`]); a panic becomes a [`Failure`] with a
/// [`Panic`] inside.
///
/// A job that says so ([`Job::when_full`]) waits for a slot of a bounded pool, without blocking this thread. If the
/// pool does not accept `f`, `f` is dropped here, not handed back, and the returned Deferred has already failed with a
/// [`Rejected<()>`](Rejected), the type for a downcast: callbacks that are added to it run at once, perhaps before
/// [`Reactor::run`]. So stop the reactor with [`Handle::stop`] in them; [`Reactor::stop`] is an error before `run`. To
/// get the function back, use [`ThreadPool::call_in_thread`].
///
/// Cancelling the Deferred fails it with [`Cancelled`](crate::error::Cancelled) at once. If no worker has taken `f`, it
/// never runs and is dropped at once; if one has, `f` can see the cancellation with
/// [`CancelToken::current`](crate::pool::CancelToken::current), and its result is dropped on the reactor's thread. If
/// the reactor ends before the result has come, the Deferred fails with [`ReactorStopped`]. A limit of the job that
/// passes, [from its start](Job::time_limit) or [in the queue](Job::queue_limit), fails it with [`TimedOut`].
///
/// **Cancel safety.** A job that nobody waits for any more, because its Deferred was cancelled or the reactor has
/// ended, still has its failure reported, a panic included, unless that only says that it was cancelled. Dropping the
/// Deferred cancels nothing; dropping its future, or a [`CancelOnDrop`](crate::deferred::CancelOnDrop), does.
///
/// ```
/// use selvedge::{Reactor, threads};
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// threads::defer_to_thread(&reactor, || 6 * 7)
///     .add_callback(|answer| assert_eq!(answer, 42))
///     .add_both(move |result| {
///         handle.stop();
///         result
///     });
/// reactor.run();
/// ```
///
/// With a name, for reports and for lists of running jobs:
///
/// ```
/// use selvedge::{Job, Reactor, threads};
///
/// let reactor = Reactor::new();
/// let local = reactor.local();
/// let _ = threads::defer_to_thread(&reactor, Job::new(|| 6 * 7).named("answer"))
///     .add_callback(move |_| local.stop());
/// reactor.run();
/// ```
#[track_caller]
pub fn defer_to_thread<J, R>(reactor: &Reactor, job: J) -> Deferred<R::Value>
where
    J: IntoJob,
    J::Function: FnOnce() -> R + Send + 'static,
    R: Outcome<Failure> + Send + 'static,
{
    defer_to_thread_pool(reactor, reactor.thread_pool(), job)
}

/// [`defer_to_thread`], on any pool.
///
/// The reactor does not stop the pool. If the reactor has ended, `f` is dropped here, and the Deferred has failed with
/// [`ReactorStopped`]. A result that comes after the reactor has ended is dropped on the worker's thread.
#[track_caller]
pub fn defer_to_thread_pool<J, R>(reactor: &Reactor, pool: &ThreadPool, job: J) -> Deferred<R::Value>
where
    J: IntoJob,
    J::Function: FnOnce() -> R + Send + 'static,
    R: Outcome<Failure> + Send + 'static,
{
    let (f, mut job) = job.into_job().split();
    match PendingJob::new(reactor, pool, &mut job) {
        Ok((pending, deferred)) => {
            let job = job.with_body(deferred_job(f, pending.address.clone()));
            pending.submit(reactor, pool, job.boxed());
            deferred
        }
        Err(failed) => {
            drop_contained(f);
            failed
        }
    }
}

/// A job whose Deferred waits for its result.
///
/// Nothing here knows the job's function, so that a program has this code once for each type of results.
struct PendingJob<T: 'static> {
    job_of: JobOf<T>,
    when_full: WhenFull,
    address: Address<PendingResolver<T>>,
}

/// Where the canceller of a job's Deferred finds the job.
enum JobOf<T: 'static> {
    /// A job without limits that does not wait.
    Plain(Rc<OnceCell<Ticket>>),
    /// Weak, because the canceller alone owns it.
    Watched(Weak<JobWatch<T>>),
}

impl<T: 'static> PendingJob<T> {
    /// The job's Deferred, before the job is submitted. An error is a Deferred that has failed: the job never runs.
    #[track_caller]
    fn new(reactor: &Reactor, pool: &ThreadPool, job: &mut Job<()>) -> Result<(Self, Deferred<T>), Deferred<T>> {
        if reactor.is_closed() {
            return Err(Deferred::fail(ReactorStopped));
        }
        let (limits, when_full) = (job.take_limits(), job.take_when_full());
        if limits.as_ref().is_some_and(|limits| limits.queue == Some(Duration::ZERO)) {
            return Err(Deferred::fail(TimedOut { after: Duration::ZERO, started: Some(false) }));
        }
        // The canceller is made before the ticket exists; before the job is accepted there is nothing to cancel.
        let (deferred, resolver, job_of) = match (limits, when_full) {
            (None, WhenFull::Return) => {
                let ticket = Rc::new(OnceCell::new());
                let cancelled = Rc::clone(&ticket);
                let (deferred, resolver) = Deferred::with_canceller(move || {
                    cancelled.get().map(Ticket::cancel);
                });
                (deferred, resolver, JobOf::Plain(ticket))
            }
            (limits, _) => {
                let has_limits = limits.is_some();
                let watch = JobWatch::new(limits.unwrap_or_default());
                if has_limits {
                    job.set_limits(watch.limits_of_job(reactor));
                }
                let job_of = JobOf::Watched(Rc::downgrade(&watch));
                let (deferred, resolver) = Deferred::with_canceller(move || watch.cancel());
                (deferred, resolver, job_of)
            }
        };
        reactor.use_pool(pool);
        let address = reactor.own(PendingResolver::new(resolver)).detach();
        Ok((Self { job_of, when_full, address }, deferred))
    }

    fn submit(self, reactor: &Reactor, pool: &ThreadPool, job: Job) {
        let Self { job_of, when_full, address } = self;
        if let (JobOf::Watched(watch), WhenFull::Wait | WhenFull::WaitUpTo(_)) = (&job_of, when_full) {
            if let Some(watch) = watch.upgrade() {
                watch.submit_in_turn(reactor, pool, job, when_full, address);
            }
            return;
        }
        match pool.call_in_thread_ticketed(job) {
            Ok(ticket) => match job_of {
                JobOf::Plain(of) => drop(of.set(ticket)),
                JobOf::Watched(watch) => drop(watch.upgrade().map(|watch| watch.accepted(reactor, ticket, address))),
            },
            Err(Rejected { job, reason }) => {
                drop_contained(job);
                if let Some(pending) = address.take(reactor) {
                    pending.fail(Failure::new(Rejected { job: (), reason }));
                }
            }
        }
    }
}

/// The body of a job whose result goes back to the reactor.
fn deferred_job<F, R>(f: F, address: Address<PendingResolver<R::Value>>) -> impl JobBody
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome<Failure> + Send + 'static,
{
    move |fate: Fate, reporter: &JobReporter<'_>| match fate {
        Fate::Run => {
            let result = catch(f);
            let panicked = result.is_err();
            PostedResult { result: Some(result), label: reporter.label.clone() }.post(&address, reporter);
            panicked
        }
        Fate::Refuse(why) => {
            match why {
                // Its Deferred was cancelled, or is failed by the timer that took the job out of the queue. A worker
                // that refuses the job for its limit comes after a cancel, or after the reactor's end.
                NeverRan::Cancelled | NeverRan::TimedOut(_) => drop(address.release()),
                why => post_refusal(&address, why),
            }
            reporter.contain(Incident::Drop, || drop(f));
            false
        }
    }
}

/// Fails the Deferred of a job that never ran.
fn post_refusal<T>(address: &Address<PendingResolver<T>>, why: NeverRan) {
    drop(address.handle().post_unbounded({
        let address = address.clone();
        move |reactor| {
            if let Some(pending) = address.take(reactor) {
                pending.fail(Failure::new(why));
            }
        }
    }));
}

/// The result of a job on its way to the reactor. Dropped before it was delivered, because the Deferred was cancelled
/// or the reactor has ended, it reports a failure that nobody else will see.
struct PostedResult<R: Outcome<Failure>> {
    result: Option<Result<R, Panic>>,
    label: JobLabel,
}

impl<R: Outcome<Failure> + Send + 'static> PostedResult<R> {
    fn post(mut self, to: &Address<PendingResolver<R::Value>>, reporter: &JobReporter<'_>) {
        let address = to.clone();
        let posted = to.handle().post_unbounded(move |reactor| self.deliver(reactor, &address));
        if posted.is_err() {
            // The reactor has ended and has failed the Deferred. The result is dropped here.
            let _scope = reporter.reporter.enter();
            drop_contained(posted);
        }
    }

    fn deliver(&mut self, reactor: &Reactor, to: &Address<PendingResolver<R::Value>>) {
        // `None` if the reactor has dropped it.
        let Some(pending) = to.take(reactor).filter(|pending| !pending.is_cancelled()) else { return };
        let Some(result) = self.result.take() else { return };
        match result.and_then(|outcome| catch(|| outcome.settle())) {
            Ok(settled) => pending.deliver(settled),
            Err(panic) => pending.fail(Failure::new(panic)),
        }
    }
}

impl<R: Outcome<Failure>> Drop for PostedResult<R> {
    fn drop(&mut self) {
        let Some(result) = self.result.take() else { return };
        match result.and_then(|outcome| catch(|| outcome.settle())) {
            Ok(settled) => drop_late(Incident::Job, settled, &self.label),
            Err(panic) => report_and_drop(Incident::Job, Failure::without_backtrace(panic), &self.label),
        }
    }
}

/// Runs the commands in order, all on one thread of the reactor's pool: as one job, [`Job::multiple`], which can also
/// have a name, limits or a ticket.
///
/// If one panics, that is reported, and the commands after it are dropped without being run.
///
/// ```
/// use selvedge::{Reactor, threads};
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// threads::call_multiple_in_thread(&reactor.handle(), vec![
///     Box::new(|| println!("first")),
///     Box::new(|| println!("second")),
///     Box::new(move || handle.stop()),
/// ])?;
/// reactor.run();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The reactor has stopped its pool, or the pool's bounded queue is full: the list is handed back as one job.
#[track_caller]
pub fn call_multiple_in_thread(handle: &Handle, commands: Vec<Box<dyn FnOnce() + Send>>) -> Result<(), Rejected<Job>> {
    handle.call_in_thread(Job::multiple(commands))
}
