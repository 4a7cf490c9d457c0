//! Calls to the reactor that block the calling thread until the answer has come.

use std::time::Duration;

use super::super::deferred::{
    Callback, CancelOnDrop, Deferred, Outcome, Passed, Settled, Unclaimed, drop_late, ignore_cancellation,
};
use super::super::oneshot::{self, RecvError, Sender};
use super::super::pool::{Blocked, PoolId, current_pool_id};
use super::super::reactor::{Address, DropOrder, Handle, OwedAnswer, Owned, Reactor, ValueId};
use super::super::reactor_thread::is_reactor_thread;
use super::super::report::{Incident, drop_contained};
use super::super::sync::catch;
use crate::error::{Abandoned, BlockingCallError};
use crate::failure::{Failure, Panic};

/// Runs `f` on the reactor's thread, and blocks this thread until the result has come.
///
/// Returns what `f` returns; if that is a Deferred, its result. `f` is posted like a call of
/// [`Handle::call_from_thread`] and runs in that order; a bounded inbox accepts it even if it is full. Code on the
/// reactor's thread must not wait for this thread meanwhile. A pool's thread that waits here counts as
/// [`blocked`](crate::threads::blocked).
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
/// thread, use [`defer_to_reactor`](super::defer_to_reactor).
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
