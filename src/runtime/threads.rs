//! The bridges between threads and the reactor.
//!
//! - [`defer_to_thread`] runs a function in the pool; its result reaches the loop as a [`Deferred`].
//! - [`blocking_call_from_thread`] runs a function on the loop, and blocks the calling thread until it has answered.
//! - [`defer_to_reactor`] runs a function on another reactor; its result reaches this one as a [`Deferred`].
//! - [`call_multiple_in_thread`] runs several functions in order on one thread of the pool.
//! - [`blocked`] tells the pool that a job waits, so that it may add a worker meanwhile.
//!
//! To post a call without waiting, use [`Handle::call_from_thread`].

mod limits;
mod local;
mod without_blocking;

use std::cell::OnceCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use self::limits::LimitWatch;
pub use self::without_blocking::defer_to_reactor;
use super::deferred::{
    Callback, CancelOnDrop, Deferred, Outcome, Passed, PendingResolver, Settled, Unclaimed, drop_late,
    ignore_cancellation,
};
use super::job_label::JobLabel;
use super::oneshot::{self, RecvError, Sender};
pub use super::pool::{Blocked, blocked};
use super::pool::{Fate, IntoJob, Job, JobBody, PoolId, ThreadPool, Ticket, current_pool_id};
use super::reactor::{Address, DropOrder, Handle, OwedAnswer, Owned, Reactor, ValueId};
use super::reactor_thread::is_reactor_thread;
use super::report::{Incident, JobReporter, drop_contained, report_and_drop};
use super::sync::catch;
use crate::error::{Abandoned, BlockingCallError, NeverRan, ReactorStopped, Rejected, TimedOut};
use crate::failure::{Failure, Panic};

/// Runs a function on a thread of the reactor's pool. The Deferred fires on the reactor's thread, with the value or the
/// failure. `job` is the function `f`, or a [`Job`] that describes it.
///
/// Adding callbacks is free of races: once the pool has accepted `f`, the Deferred cannot fire before this thread
/// returns to the loop. `f` may return a value or a `Result` (see [`Outcome`]); a panic becomes a [`Failure`] with a
/// [`Panic`] inside.
///
/// If the pool does not accept `f`, `f` is dropped here, not handed back, and the returned Deferred has already failed
/// with a [`Rejected<()>`](Rejected), the type for a downcast: callbacks that are added to it run at once, perhaps
/// before [`Reactor::run`]. So stop the reactor with [`Handle::stop`] in them; [`Reactor::stop`] is an error before
/// `run`. To get the function back, use [`ThreadPool::call_in_thread`].
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
    if reactor.is_closed() {
        drop_contained(f);
        return Deferred::fail(ReactorStopped);
    }
    let limits = job.take_limits();
    if limits.as_ref().is_some_and(|limits| limits.queue == Some(Duration::ZERO)) {
        drop_contained(f);
        return Deferred::fail(TimedOut { after: Duration::ZERO, started: Some(false) });
    }
    // The canceller is made before the ticket exists; before the job is accepted there is nothing to cancel.
    let (deferred, resolver, job_of) = match limits {
        None => {
            let ticket = Rc::new(OnceCell::new());
            let cancelled = Rc::clone(&ticket);
            let (deferred, resolver) = Deferred::with_canceller(move || {
                cancelled.get().map(Ticket::cancel);
            });
            (deferred, resolver, JobOf::Unlimited(ticket))
        }
        Some(limits) => {
            let watch = LimitWatch::new(limits);
            if let Some(notice) = watch.start_notice(reactor) {
                job.on_start(notice);
            }
            let job_of = JobOf::Limited(Rc::downgrade(&watch));
            let (deferred, resolver) = Deferred::with_canceller(move || watch.cancel());
            (deferred, resolver, job_of)
        }
    };
    reactor.use_pool(pool);
    let address = reactor.own(PendingResolver::new(resolver)).detach();
    match pool.call_in_thread_ticketed(job.with_body(deferred_job(f, address.clone()))) {
        Ok(ticket) => match job_of {
            JobOf::Unlimited(of) => drop(of.set(ticket)),
            JobOf::Limited(watch) => drop(watch.upgrade().map(|watch| watch.accepted(reactor, ticket, address))),
        },
        Err(Rejected { job, reason }) => {
            drop_contained(job);
            if let Some(pending) = address.take(reactor) {
                pending.fail(Failure::new(Rejected { job: (), reason }));
            }
        }
    }
    deferred
}

/// Where the canceller of a job's Deferred finds the job.
enum JobOf<T: 'static> {
    Unlimited(Rc<OnceCell<Ticket>>),
    /// Weak, because the canceller alone owns it.
    Limited(Weak<LimitWatch<T>>),
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
            let mut result = JobResult { result: Some(result), label: reporter.label.clone() };
            let posted = address.handle().post_unbounded({
                let address = address.clone();
                move |reactor| {
                    // `None` if the reactor has dropped it.
                    if let Some(pending) = address.take(reactor).filter(|pending| !pending.is_cancelled()) {
                        result.deliver(pending);
                    }
                }
            });
            if posted.is_err() {
                // The reactor has ended and has failed the Deferred. The result is dropped here.
                let _scope = reporter.reporter.enter();
                drop_contained(posted);
            }
            panicked
        }
        Fate::Refuse(why) => {
            match why {
                // It was cancelled by its Deferred, which has failed already.
                NeverRan::Cancelled => drop(address.release()),
                // The timer that took it out of the queue fails the Deferred.
                NeverRan::TimedOut(_) => {}
                why => drop(address.handle().post_unbounded({
                    let address = address.clone();
                    move |reactor| {
                        if let Some(pending) = address.take(reactor) {
                            pending.fail(Failure::new(why));
                        }
                    }
                })),
            }
            reporter.contain(Incident::Drop, || drop(f));
            false
        }
    }
}

/// The result of a job on its way to the reactor. Dropped before it was delivered, because the Deferred was cancelled
/// or the reactor has ended, it reports a failure that nobody else will see.
struct JobResult<R: Outcome<Failure>> {
    result: Option<Result<R, Panic>>,
    label: JobLabel,
}

impl<R: Outcome<Failure>> JobResult<R> {
    fn deliver(&mut self, to: PendingResolver<R::Value>) {
        match self.result.take() {
            Some(Ok(outcome)) => match catch(|| outcome.settle()) {
                Ok(settled) => to.deliver(settled),
                Err(panic) => to.fail(Failure::new(panic)),
            },
            Some(Err(panic)) => to.fail(Failure::new(panic)),
            None => {}
        }
    }
}

impl<R: Outcome<Failure>> Drop for JobResult<R> {
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

/// Runs `f` on the reactor's thread, and blocks this thread until the result has come.
///
/// Returns what `f` returns; if that is a Deferred, its result. `f` is posted like a call of
/// [`Handle::call_from_thread`] and runs in that order; a bounded inbox accepts it even if it is full. Code on the
/// reactor's thread must not wait for this thread meanwhile. A pool's thread that waits here counts as [`blocked`].
///
/// **Cancel safety.** It waits without a limit: [`blocking_call_from_thread_timeout`] is what can give up. If the
/// reactor ends first, an `f` that has not begun is dropped without being run.
///
/// ```
/// use selvedge::{Reactor, threads};
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// let caller = std::thread::spawn(move || {
///     let answer = threads::blocking_call_from_thread(&handle, |_| Ok::<u32, std::io::Error>(42));
///     handle.stop();
///     answer
/// });
/// reactor.run();
/// assert_eq!(caller.join().unwrap().unwrap(), 42);
/// ```
///
/// # Errors
/// [`BlockingCallError`] tells them apart: the error of `f`, with its type kept; its panic; a call on a thread on which
/// a reactor lives that has not ended, this one or another, which must never block; a reactor that has stopped or stops
/// before it answers. If `f` was not accepted, it is dropped on this thread, not handed back. On another reactor's
/// thread, use [`defer_to_reactor`].
pub fn blocking_call_from_thread<R, F>(handle: &Handle, f: F) -> Result<R::Value, BlockingCallError>
where
    F: FnOnce(&Reactor) -> R + Send + 'static,
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    blocking_call(handle, None, f)
}

/// [`blocking_call_from_thread`] that waits at most for `timeout`.
///
/// **Cancel safety.** After the timeout, a function that has not begun never runs. The Deferred of one that has is
/// cancelled, on the reactor's thread, in a later turn: so a `get` of a queue that timed out takes no item. A result
/// that comes all the same is dropped there, and an item of a queue goes back to it; a failure is reported, unless it
/// only says that it was cancelled.
///
/// # Errors
/// As [`blocking_call_from_thread`], and [`TimedOut`](BlockingCallError::TimedOut).
pub fn blocking_call_from_thread_timeout<R, F>(
    handle: &Handle,
    timeout: Duration,
    f: F,
) -> Result<R::Value, BlockingCallError>
where
    F: FnOnce(&Reactor) -> R + Send + 'static,
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    blocking_call(handle, Some(timeout), f)
}

impl<T: 'static> Address<T> {
    /// Runs `f` on the reactor's thread with the value, and blocks this thread until the result has come; if `f`
    /// returns a Deferred, until that has fired. Meanwhile the value is free for others. [`ask`](Self::ask) does not
    /// block.
    ///
    /// **Cancel safety.** It waits without a limit. If the reactor ends first, `f` is dropped without being run, or its
    /// Deferred is cancelled.
    ///
    /// # Errors
    /// As [`blocking_call_from_thread`]; a value that is gone or in use is a [`Failed`](BlockingCallError::Failed) with
    /// an [`OwnedError`](crate::error::OwnedError) inside.
    pub fn blocking_call<R, F>(&self, f: F) -> Result<R::Value, BlockingCallError>
    where
        F: FnOnce(&mut T, &Reactor) -> R + Send + 'static,
        R: Outcome<Failure>,
        R::Value: Send + 'static,
    {
        let id = self.id();
        blocking_call_from_thread(self.handle(), move |reactor| Self::answer(reactor, id, f))
    }
}

/// What the reactor sends back to a thread that waits.
type Answer<T> = Result<T, Failure>;

/// A blocking call whose function has returned a Deferred: the reactor owns it until that fires. If the reactor ends
/// first, the drop of the sender wakes the caller.
struct PendingAnswer<T> {
    sender: Sender<Answer<T>, ValueId>,
    /// The end of the Deferred's chain, behind the callback that answers: whoever drops this cancels it. `None` only
    /// while it is being made.
    answered: Option<CancelOnDrop<()>>,
    _owed: Option<OwedAnswer>,
}

fn blocking_call<R, F>(handle: &Handle, timeout: Option<Duration>, f: F) -> Result<R::Value, BlockingCallError>
where
    F: FnOnce(&Reactor) -> R + Send + 'static,
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    if is_reactor_thread() {
        drop_contained(f);
        return Err(BlockingCallError::WouldDeadlock);
    }
    let (sender, receiver) = oneshot::channel();
    let worker_of = current_pool_id();
    // A call that is handed back is dropped with its sender, and the receiver learns that like any other loss of the
    // sender.
    drop_contained(handle.post_unbounded(move |reactor| answer(reactor, sender, worker_of, f)));
    // If this is a pool's thread, the pool may add a worker while it sleeps.
    let _blocked = if receiver.spin_until_settled(handle.spin()) { None } else { Some(Blocked::enter()) };
    match receiver.recv(timeout) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(match failure.downcast::<Panic>() {
            Ok(panic) => BlockingCallError::Panicked(panic),
            Err(failure) => BlockingCallError::Failed(failure),
        }),
        Err(RecvError::Disconnected) => Err(BlockingCallError::ReactorStopped),
        Err(RecvError::TimedOut(work)) => {
            if let Some(id) = work {
                // An error means that the reactor has ended, and has dropped what would be cancelled.
                drop(handle.post_unbounded(move |reactor| cancel_answer::<R::Value>(reactor, id)));
            }
            Err(BlockingCallError::TimedOut(timeout.unwrap_or_default()))
        }
    }
}

/// On the reactor's thread: calls the function and sends its result, at once or when its Deferred fires.
fn answer<R>(
    reactor: &Reactor,
    sender: Sender<Answer<R::Value>, ValueId>,
    worker_of: Option<PoolId>,
    f: impl FnOnce(&Reactor) -> R,
) where
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    if !sender.is_wanted() {
        return;
    }
    match catch(|| f(reactor).settle()) {
        Ok(Settled::Now(result)) => send_now(sender, result),
        Ok(Settled::Later(deferred)) => send_later(reactor, sender, worker_of, deferred),
        Err(panic) => send_now(sender, Err(Failure::new(panic))),
    }
}

/// A result that comes after the caller's timeout is dropped on this thread; a failure is reported before.
fn send_now<T: 'static>(sender: Sender<Answer<T>, ValueId>, result: Answer<T>) {
    if let Err(late) = sender.send(result) {
        drop_late(Incident::Call, Settled::Now(late), None);
    }
}

fn send_later<T: Send + 'static>(
    reactor: &Reactor,
    sender: Sender<Answer<T>, ValueId>,
    worker_of: Option<PoolId>,
    deferred: Deferred<T>,
) {
    let owed = reactor.owe_answer(worker_of);
    let pending = Owned::new(reactor, DropOrder::BlockedCaller, PendingAnswer { sender, answered: None, _owed: owed });
    let address = pending.address();
    let answered = deferred.add(SendAnswer { pending, closed: reactor.is_closed() });
    let wanted = address.with_value(reactor, |pending| {
        pending.answered = Some(answered.cancel_on_drop());
        pending.sender.start_work(address.id())
    });
    if wanted == Ok(false) {
        cancel_answer::<T>(reactor, address.id());
    }
}

/// The callback that answers the caller.
struct SendAnswer<T: 'static> {
    pending: Owned<PendingAnswer<T>>,
    /// The reactor runs its last calls and refuses what would fire the Deferred.
    closed: bool,
}

impl<T> SendAnswer<T> {
    /// Returns the result if the caller has given up, or the reactor has ended.
    fn send(self, result: Answer<T>) -> Option<Answer<T>> {
        match self.pending.into_inner() {
            Ok(PendingAnswer { sender, answered, .. }) => {
                drop(answered.map(CancelOnDrop::into_inner));
                sender.send(result).err()
            }
            Err(_) => Some(result),
        }
    }
}

impl<T> Callback<T, Failure> for SendAnswer<T> {
    type Value = ();

    fn call(self, result: Answer<T>) -> Settled<()> {
        if self.closed && matches!(&result, Err(failure) if failure.is::<Abandoned>()) {
            // The caller learns that the reactor has stopped.
            return Settled::Now(Ok(()));
        }
        match self.send(result) {
            // The end of the reactor has dropped the resolver too, and the caller was told of that.
            Some(Err(failure)) if failure.is::<Abandoned>() => Settled::Now(Ok(())),
            late => ignore_cancellation(late.map_or(Ok(()), |late| late.map(drop_contained))),
        }
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<(), Failure> {
        let (item, receipt) = item.split();
        if let (Some(Ok(item)), Some(receipt)) = (self.send(item), receipt) {
            receipt.give_back(item);
        }
        Passed::Settled(Settled::Now(Ok(())))
    }
}

/// Cancels the Deferred that a caller waited for, on the reactor's thread.
fn cancel_answer<T: 'static>(reactor: &Reactor, id: ValueId) {
    drop(Address::<PendingAnswer<T>>::take_by_id(reactor, id));
}
