//! `SendFuture`: a Deferred as a `Send` future, whose result travels from the reactor's thread to the thread that
//! awaits it.

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::super::deferred::{
    Callback, CancelOnDrop, Deferred, Passed, Receipt, Settled, Unclaimed, convert_own, ignore_cancellation,
};
use super::super::report::{Incident, drop_contained, report};
use super::polled_oneshot::{ResultReceiver, ResultSender, channel};
use super::{Address, DropOrder, Owned, Reactor};
use crate::error::{ReactorStopped, is_cancellation};
use crate::failure::{ChainError, Failure};
use crate::machine::oneshot::Receive;

/// The callback that sends the result to the future.
struct SendResult<T: 'static, E: 'static> {
    sender: Owned<ResultSender<Result<T, E>>>,
    receipt: Rc<Cell<Option<Receipt<T>>>>,
}

impl<T: 'static, E: 'static> SendResult<T, E> {
    /// Returns the result if the future was dropped. (If the reactor has dropped the sender, that has completed the
    /// future.)
    fn send(sender: Owned<ResultSender<Result<T, E>>>, result: Result<T, E>) -> Option<Result<T, E>> {
        sender.into_inner().map_or_else(|_| None, |sender| sender.send(result).err())
    }
}

impl<T: 'static, E: ChainError> Callback<T, E> for SendResult<T, E> {
    type Value = ();

    fn call(self, input: Result<T, E>) -> Settled<(), E> {
        let unsent = Self::send(self.sender, input);
        ignore_cancellation(unsent.map_or(Ok(()), |unsent| unsent.map(drop_contained)))
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<(), E> {
        let (item, receipt) = item.split();
        // Before the item is sent: the future may be dropped at any time from then on.
        self.receipt.set(receipt);
        if let Some(Ok(item)) = Self::send(self.sender, item) {
            give_back(self.receipt.take(), item);
        }
        Passed::Settled(Settled::Now(Ok(())))
    }
}

/// Gives an item back that nobody has received. Any other value is dropped.
fn give_back<T>(receipt: Option<Receipt<T>>, value: T) {
    match receipt {
        Some(receipt) => receipt.give_back(value),
        None => drop_contained(value),
    }
}

/// What the reactor keeps for a future.
struct Answered<T, E: ChainError> {
    /// The end of the Deferred's chain: whoever drops this cancels it, the reactor at its end included.
    _deferred: CancelOnDrop<(), E>,
    /// For an item that was sent.
    receipt: Rc<Cell<Option<Receipt<T>>>>,
}

/// A Deferred that any executor can await, on any thread: returned by [`Deferred::into_send_future`].
///
/// The Deferred itself never leaves its thread; only its result does. Dropping the future unfinished cancels the
/// Deferred, on the reactor's thread, in a later turn. Polled again after it was ready, it is pending for ever.
///
/// **Cancel safety.** A result that has come but was not polled is dropped on the reactor's thread; an item of a
/// [queue](crate::coordination::DeferredQueue) goes back to it. If the reactor has ended by then, both are dropped with
/// the future. An error is reported, unless it only says that the Deferred was cancelled or that the reactor stopped.
#[must_use = "a future does nothing unless it is polled, and dropping this one cancels its Deferred"]
pub struct SendFuture<T, E = Failure>
where
    T: Send + 'static,
    E: ChainError + Send,
{
    receiver: ResultReceiver<Result<T, E>>,
    answered: Address<Answered<T, E>>,
    made_at: &'static Location<'static>,
    finished: bool,
}

impl<T, E> Deferred<T, E>
where
    T: Send + 'static,
    E: ChainError + Send,
{
    /// Turns this Deferred into a future that any executor can await, on any thread.
    ///
    /// `reactor` is this thread's: it keeps the Deferred and carries a cancel to it. If it ends before there is a
    /// result, or has ended, the future is ready with [`ReactorStopped`](crate::error::ReactorStopped), and the
    /// Deferred is cancelled. Dropping the future unfinished cancels the Deferred. Cost: the allocation of a callback,
    /// one for what the two threads share, and two entries on the reactor; the result costs a short lock and a wake,
    /// and dropping the future a post.
    ///
    /// ```
    /// use selvedge::{Deferred, Failure, Reactor, threads};
    ///
    /// let reactor = Reactor::new();
    /// let handle = reactor.handle();
    /// let answer = Deferred::<u32>::succeed(42).into_send_future(&reactor);
    /// let elsewhere = std::thread::spawn(move || {
    ///     let answer = threads::block_on(answer); // Or any other executor.
    ///     handle.stop();
    ///     answer
    /// });
    /// reactor.run();
    /// assert_eq!(elsewhere.join().unwrap()??, 42);
    /// # Ok::<(), Failure>(())
    /// ```
    pub fn into_send_future(self, reactor: &Reactor) -> SendFuture<T, E> {
        let made_at = self.made_at();
        if reactor.is_closed() {
            return self.without_reactor(reactor, made_at);
        }
        let (sender, receiver) = channel();
        // Dropped before other values at the reactor's end, because another thread waits for it.
        let sender = Owned::new(reactor, DropOrder::BlockedCaller, sender);
        let receipt = Rc::default();
        let deferred = self.add(SendResult { sender, receipt: Rc::clone(&receipt) });
        SendFuture {
            receiver,
            answered: reactor.own(Answered { _deferred: deferred.cancel_on_drop(), receipt }).detach(),
            made_at,
            finished: false,
        }
    }

    /// On a reactor that has ended: with the result, if there is one. Otherwise the Deferred is cancelled.
    fn without_reactor(self, reactor: &Reactor, made_at: &'static Location<'static>) -> SendFuture<T, E> {
        let result = match self.try_result() {
            Ok(result) => Some(result),
            Err(waiting) => {
                waiting.cancel();
                drop(waiting.add_both(|result| ignore_cancellation(result.map(drop_contained))));
                None
            }
        };
        let receiver = ResultReceiver::decided(result);
        let nothing = Answered { _deferred: Deferred::from(Ok(())).cancel_on_drop(), receipt: Rc::default() };
        SendFuture { receiver, answered: reactor.own(nothing).detach(), made_at, finished: false }
    }
}

impl<T, E> Future for SendFuture<T, E>
where
    T: Send + 'static,
    E: ChainError + Send,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        if self.finished {
            return Poll::Pending;
        }
        let result = match self.receiver.poll(context.waker(), self.answered.handle()) {
            Receive::Wait => return Poll::Pending,
            Receive::Value(result) => Some(result),
            Receive::Disconnected | Receive::TimedOut(_) => None,
        };
        self.finished = true;
        Poll::Ready(result.unwrap_or_else(|| Err(convert_own(ReactorStopped))))
    }
}

impl<T, E> Drop for SendFuture<T, E>
where
    T: Send + 'static,
    E: ChainError + Send,
{
    fn drop(&mut self) {
        let result = if mem::replace(&mut self.finished, true) { None } else { self.receiver.give_up() };
        if let Some(Err(error)) = &result
            && !is_cancellation(error.as_error())
        {
            report(Incident::Unhandled, error.as_error(), Some(self.made_at));
        }
        // Also removes the Deferred from the reactor. Cancelling one that has fired does nothing; if the reactor has
        // ended, it is gone already. The inbox's bound does not hold it back: nobody could cancel later.
        let answered = self.answered.clone();
        let posted = self.answered.handle().post_unbounded(move |reactor| {
            let answered = answered.take(reactor);
            if let Some(Ok(value)) = result {
                give_back(answered.and_then(|answered| answered.receipt.take()), value);
            }
        });
        drop_contained(posted);
    }
}

impl<T, E> fmt::Debug for SendFuture<T, E>
where
    T: Send + 'static,
    E: ChainError + Send,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture").field("finished", &self.finished).finish_non_exhaustive()
    }
}
