//! The bridges: run a function in a thread and get its result back on the loop; block a thread until the loop answers.
//!
//! Not part of the reactor: all of it is built from what [`Handle`], [`ThreadPool`] and [`Deferred`] offer everybody.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use super::deferred::{Deferred, Outcome, PendingResolver, Settled};
use super::oneshot::{self, RecvError, Sender};
pub use super::pool::{Blocked, blocked};
use super::pool::{Fate, Job, JobBody, ThreadPool, Ticket};
use super::reactor::{Address, DropOrder, Handle, Owned, Reactor};
use super::report::JobReporter;
use super::sync::catch;
use crate::error::{BlockingCallError, NeverRan, Rejected};
use crate::failure::{Failure, Panic};

/// Runs `f` on a thread of the reactor's pool; the Deferred fires on the reactor's thread with its value or its failure.
///
/// Attaching callbacks is free of races: nothing fires before this thread is back in the reactor's loop. `f` may return a plain value or a
/// `Result` (see [`Outcome`]); a panic becomes a [`Failure`] with a [`Panic`] inside.
///
/// Cancelling the Deferred fails it with [`Cancelled`](crate::error::Cancelled) at once. If no worker has begun with `f` yet, it never runs and is dropped on the spot;
/// if one has, it is asked to end, by [`CancelToken::current`](crate::pool::CancelToken::current), and its late result is dropped, on the reactor's thread. Should the
/// reactor end before the result is there, the Deferred fails with [`ReactorStopped`](crate::error::ReactorStopped).
///
/// ```
/// use selvedge::{Reactor, threads};
///
/// let reactor = Reactor::new();
/// let local = reactor.local();
/// let _ = threads::defer_to_thread(&reactor, || 6 * 7).add_callback(move |answer| {
///     assert_eq!(answer, 42);
///     local.with(|reactor| reactor.stop()).ok();
/// });
/// reactor.run();
/// ```
#[track_caller]
pub fn defer_to_thread<R, F>(reactor: &Reactor, f: F) -> Deferred<R::Value>
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome<Failure> + Send + 'static,
{
    defer_to_thread_pool(reactor, reactor.thread_pool(), f)
}

/// [`defer_to_thread`], on a pool of one's own.
///
/// The pool is not the reactor's to stop: a result that comes after the reactor has ended is dropped on the worker's thread.
#[track_caller]
pub fn defer_to_thread_pool<R, F>(reactor: &Reactor, pool: &ThreadPool, f: F) -> Deferred<R::Value>
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome<Failure> + Send + 'static,
{
    // The Deferred comes first, its ticket when the job has been accepted: until then there is nothing to cancel.
    let ticket = Rc::new(OnceCell::new());
    let cancelled = Rc::clone(&ticket);
    let (deferred, resolver) = Deferred::with_canceller(move || {
        cancelled.get().map(Ticket::cancel);
    });
    let address = reactor.own(PendingResolver::new(resolver)).detach();
    match pool.submit_ticketed(|_| deferred_job(f, address.clone())) {
        Ok(accepted) => drop(ticket.set(accepted)),
        Err(rejected) => {
            if let Some(pending) = address.take(reactor) {
                pending.fail(Failure::new(Rejected { job: (), reason: rejected.reason }));
            }
        }
    }
    deferred
}

/// The body of a job whose result goes back to the reactor.
fn deferred_job<F, R>(f: F, address: Address<PendingResolver<R::Value>>) -> impl JobBody
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome<Failure> + Send + 'static,
{
    move |fate: Fate, _: &JobReporter<'_>| match fate {
        Fate::Run => {
            let result = catch(f);
            let panicked = result.is_err();
            // If the reactor has ended, it has failed the Deferred, and the result is dropped here.
            let _ = address.handle().post_unbounded({
                let address = address.clone();
                move |reactor| {
                    // Gone, if the reactor has dropped it. (The Deferred of a cancelled one drops the result in `resolve`.)
                    if let Some(pending) = address.take(reactor) {
                        match result.map_err(Failure::new) {
                            Ok(outcome) => pending.deliver(outcome.settle()),
                            Err(failure) => pending.fail(failure),
                        }
                    }
                }
            });
            panicked
        }
        Fate::Refuse(why) => {
            if matches!(why, NeverRan::Cancelled) {
                // It was cancelled by its Deferred, which has failed already.
                drop(address.release());
            } else {
                let _ = address.handle().post_unbounded({
                    let address = address.clone();
                    move |reactor| {
                        if let Some(pending) = address.take(reactor) {
                            pending.fail(Failure::new(why));
                        }
                    }
                });
            }
            drop(f);
            false
        }
    }
}

/// Runs the commands one after the other, in the order of the list, all on one thread of the reactor's pool.
///
/// The first that panics is reported, and those behind it are dropped unrun.
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
/// The reactor has stopped its pool: the whole list comes back, as one job.
#[track_caller]
pub fn call_multiple_in_thread(handle: &Handle, commands: Vec<Box<dyn FnOnce() + Send>>) -> Result<(), Rejected<Job>> {
    handle.call_in_thread(move || {
        for command in commands {
            command();
        }
    })
}

/// Runs `f` on the reactor's thread, and blocks this thread until it has answered.
///
/// Returns what `f` returns; if that is a Deferred, what the Deferred is fired with. Order is that of
/// [`Handle::call_from_thread`]. Callbacks on the reactor's thread must not wait for this thread meanwhile.
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
/// Each told apart by [`BlockingCallError`]: the function's own error, with its original type inside; its panic; that this is the
/// reactor's own thread; that the reactor has stopped, or stops before there is an answer.
pub fn blocking_call_from_thread<R, F>(handle: &Handle, f: F) -> Result<R::Value, BlockingCallError>
where
    F: FnOnce(&Reactor) -> R + Send + 'static,
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    blocking_call(handle, None, f)
}

/// [`blocking_call_from_thread`], for as long as `timeout` at most.
///
/// When the time is over, a function that has not begun never will; the late answer of one that has is dropped, on the reactor's thread.
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
    /// Runs `f` on the reactor's thread with the value, and blocks this thread until it has returned.
    ///
    /// # Errors
    /// As [`blocking_call_from_thread`]; a value that is gone or in use is a [`Failed`](BlockingCallError::Failed) with an
    /// [`OwnedError`](crate::error::OwnedError) inside.
    pub fn blocking_call<R, F>(&self, f: F) -> Result<R, BlockingCallError>
    where
        R: Send + 'static,
        F: FnOnce(&mut T, &Reactor) -> R + Send + 'static,
    {
        let id = self.id();
        blocking_call_from_thread(self.handle(), move |reactor| Self::visit(reactor, id, f))
    }
}

/// What the reactor answers.
type Answer<T> = Result<T, Failure>;

fn blocking_call<R, F>(handle: &Handle, timeout: Option<Duration>, f: F) -> Result<R::Value, BlockingCallError>
where
    F: FnOnce(&Reactor) -> R + Send + 'static,
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    if handle.is_in_reactor_thread() {
        return Err(BlockingCallError::WouldDeadlock);
    }
    let (sender, receiver) = oneshot::channel();
    // A call that is handed back is dropped with its sender, and the receiver is told so like any other.
    drop(handle.post_unbounded(move |reactor| answer(reactor, sender, f)));
    // Should this be a pool's thread, another may stand in for it while it sleeps.
    let _blocked = if receiver.spin_until_settled(handle.spin()) { None } else { Some(Blocked::enter()) };
    match receiver.recv(timeout) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(match failure.downcast::<Panic>() {
            Ok(panic) => BlockingCallError::Panicked(panic),
            Err(failure) => BlockingCallError::Failed(failure),
        }),
        Err(RecvError::Disconnected) => Err(BlockingCallError::ReactorStopped),
        Err(RecvError::TimedOut) => Err(BlockingCallError::TimedOut(timeout.unwrap_or_default())),
    }
}

/// On the reactor's thread: calls the function, and sees to it that its answer gets back.
fn answer<R>(reactor: &Reactor, sender: Sender<Answer<R::Value>>, f: impl FnOnce(&Reactor) -> R)
where
    R: Outcome<Failure>,
    R::Value: Send + 'static,
{
    if !sender.is_wanted() {
        return;
    }
    match catch(|| f(reactor).settle()) {
        Ok(Settled::Now(result)) => give(sender, result),
        Ok(Settled::Later(deferred)) => {
            // Until the Deferred fires, the sender is the reactor's: at the reactor's end it is dropped, and the caller is told.
            let sender = Owned::new(reactor, DropOrder::BlockedCaller, sender);
            drop(deferred.add_both(move |result| {
                if let Ok(sender) = sender.into_inner() {
                    give(sender, result);
                }
            }));
        }
        Err(panic) => give(sender, Err(Failure::new(panic))),
    }
}

/// An answer that comes too late is dropped here, on the reactor's thread.
fn give<T>(sender: Sender<Answer<T>>, result: Answer<T>) {
    drop(sender.send(result));
}
