//! `ask`: a question to the reactor, whose answer any executor awaits, on any thread.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::super::deferred::{Outcome, Settled, drop_late};
use super::super::report::{Incident, drop_contained};
use super::super::sync::catch;
use super::polled_oneshot::{ResultReceiver, ResultSender, channel};
use super::{Address, Handle, Reactor, SendFuture, ValueId};
use crate::error::ReactorStopped;
use crate::failure::Failure;
use crate::machine::oneshot::Receive;

/// What the reactor answers.
enum Answer<T: Send + 'static> {
    Now(Result<T, Failure>),
    /// The function has returned a Deferred. Dropping this cancels it.
    Later(SendFuture<T>),
}

/// The state of a question.
enum State<T: Send + 'static> {
    /// The function has not answered. The handle is that of its reactor.
    Asked(ResultReceiver<Answer<T>>, Handle),
    /// It has returned a Deferred.
    Waiting(SendFuture<T>),
    /// The answer was taken.
    Finished,
}

/// A question to a reactor, which any executor can await, on any thread: returned by [`Handle::ask`] and
/// [`Address::ask`].
///
/// **Cancel safety.** Dropping it unfinished cancels what was asked: see [`Handle::ask`].
///
/// Polled again after it was ready, it is pending for ever.
#[must_use = "dropping this cancels what was asked"]
pub struct Ask<T: Send + 'static> {
    state: State<T>,
    asked_at: &'static Location<'static>,
}

impl Handle {
    /// Runs `f` on the reactor's thread; what it returns can be awaited, by any executor and on any thread, another
    /// reactor's included. If `f` returns a Deferred, the future waits for its result.
    ///
    /// `f` is posted inside this call, before the future is polled, and runs in the order of
    /// [`call_from_thread`](Self::call_from_thread); a bounded inbox accepts it even if it is full. On the reactor's
    /// own thread too `f` runs in a later turn, so only a task may await the answer there. A thread without an
    /// executor uses [`blocking_call_from_thread`](crate::threads::blocking_call_from_thread).
    ///
    /// **Virtual time.** While a job runs, [virtual time](crate::testing::VirtualClock) stands still, unless the job is
    /// in a blocking call, or awaits in [`threads::block_on`](crate::threads::block_on). An executor of another crate
    /// that waits inside a job looks like a job that runs: an answer that needs time to pass never comes there.
    ///
    /// **Cancel safety.** Dropping the future keeps an `f` that has not begun from running: it is dropped on the
    /// reactor's thread, in its turn. If `f` has returned a Deferred that has not fired, that is cancelled there, in a
    /// later turn. An answer that has come already is dropped, and an error in it is reported, unless it only says that
    /// it was cancelled. An `f` that is running is not interrupted.
    ///
    /// **Cost.** One allocation, one post and one wake; for a Deferred, those of
    /// [`into_send_future`](crate::Deferred::into_send_future) in addition.
    ///
    /// ```
    /// use selvedge::{Reactor, threads};
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::new();
    /// let handle = reactor.handle();
    /// let elsewhere = std::thread::spawn(move || {
    ///     // Or any other executor.
    ///     threads::block_on(async {
    ///         let timers = handle.ask(|reactor| reactor.delayed_calls()).await?;
    ///         handle.ask(|reactor| reactor.sleep(Duration::from_millis(1))).await?;
    ///         handle.stop();
    ///         Ok::<_, selvedge::Failure>(timers)
    ///     })
    /// });
    /// reactor.run();
    /// assert_eq!(elsewhere.join().unwrap()??, 0);
    /// # Ok::<(), selvedge::Failure>(())
    /// ```
    ///
    /// # Errors
    /// The future's error is that of `f` or of its Deferred, with its type kept, or the
    /// [`Panic`](crate::error::Panic) of either; or [`ReactorStopped`]: the reactor has ended, or ends before it has
    /// answered. If it has ended already, `f` is dropped inside this call, and the future is ready at once.
    #[track_caller]
    pub fn ask<R, F>(&self, f: F) -> Ask<R::Value>
    where
        F: FnOnce(&Reactor) -> R + Send + 'static,
        R: Outcome<Failure>,
        R::Value: Send,
    {
        let (sender, receiver) = channel();
        // A call that is handed back is dropped with its sender, and the future learns that like any other loss of the
        // sender.
        drop_contained(self.post_unbounded(move |reactor| answer(reactor, sender, f)));
        Ask { state: State::Asked(receiver, self.clone()), asked_at: Location::caller() }
    }
}

impl<T: 'static> Address<T> {
    /// [`Handle::ask`] with the value: runs `f` on the reactor's thread, and what it returns can be awaited. A Deferred
    /// that `f` returns is waited for while the value is free for others.
    ///
    /// ```
    /// use selvedge::{Failure, Reactor};
    ///
    /// let accounts = Reactor::new();
    /// let balance = accounts.own(100_u32).detach();
    /// let bank = accounts.handle();
    /// let teller = std::thread::spawn(move || {
    ///     // A reactor on another thread asks.
    ///     Reactor::new().block_on(async move {
    ///         let left = balance.ask(|balance, _| balance.checked_sub(30).ok_or(Failure::msg("overdrawn"))).await;
    ///         bank.stop();
    ///         left
    ///     })
    /// });
    /// accounts.run();
    /// assert_eq!(teller.join().unwrap().unwrap(), 70);
    /// ```
    ///
    /// # Errors
    /// As [`Handle::ask`]; and [`OwnedError`](crate::error::OwnedError) if the value is gone, or in use further up the
    /// stack of the reactor's thread. Then `f` is dropped there without being run.
    #[track_caller]
    pub fn ask<R, F>(&self, f: F) -> Ask<R::Value>
    where
        F: FnOnce(&mut T, &Reactor) -> R + Send + 'static,
        R: Outcome<Failure>,
        R::Value: Send,
    {
        let id = self.id();
        self.handle().ask(move |reactor| Self::answer(reactor, id, f))
    }

    /// On the reactor's thread: calls the function with the value. What it returns is settled when the value is no
    /// longer in use.
    pub(crate) fn answer<R>(reactor: &Reactor, id: ValueId, f: impl FnOnce(&mut T, &Reactor) -> R) -> Settled<R::Value>
    where
        R: Outcome<Failure>,
    {
        match Self::visit(reactor, id, f) {
            Ok(outcome) => outcome.settle(),
            Err(error) => Settled::Now(Err(Failure::new(error))),
        }
    }
}

/// On the reactor's thread: calls the function, unless nobody waits for its answer any more.
fn answer<R>(reactor: &Reactor, sender: ResultSender<Answer<R::Value>>, f: impl FnOnce(&Reactor) -> R)
where
    R: Outcome<Failure>,
    R::Value: Send,
{
    if !sender.is_wanted() {
        return;
    }
    let answer = match catch(|| f(reactor).settle()) {
        Ok(Settled::Now(result)) => Answer::Now(result),
        Ok(Settled::Later(deferred)) => Answer::Later(deferred.into_send_future(reactor)),
        Err(panic) => Answer::Now(Err(Failure::new(panic))),
    };
    if let Err(late) = sender.send(answer) {
        discard(late, Incident::Call, None);
    }
}

/// Nobody waits for this answer.
fn discard<T: Send>(answer: Answer<T>, incident: Incident, asked_at: Option<&'static Location<'static>>) {
    match answer {
        Answer::Now(result) => drop_late(incident, Settled::Now(result), asked_at),
        Answer::Later(future) => drop(future),
    }
}

impl<T: Send + 'static> Future for Ask<T> {
    type Output = Result<T, Failure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        let this = self.get_mut();
        let result = loop {
            match &mut this.state {
                State::Asked(receiver, handle) => match receiver.poll(context.waker(), handle) {
                    Receive::Wait => return Poll::Pending,
                    Receive::Value(Answer::Now(result)) => break result,
                    Receive::Value(Answer::Later(future)) => this.state = State::Waiting(future),
                    Receive::Disconnected | Receive::TimedOut(_) => {
                        break Err(Failure::without_backtrace(ReactorStopped));
                    }
                },
                State::Waiting(future) => match Pin::new(future).poll(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(result) => break result,
                },
                State::Finished => return Poll::Pending,
            }
        };
        this.state = State::Finished;
        Poll::Ready(result)
    }
}

impl<T: Send + 'static> Drop for Ask<T> {
    fn drop(&mut self) {
        if let State::Asked(receiver, _) = &self.state
            && let Some(answer) = receiver.give_up()
        {
            discard(answer, Incident::Unhandled, Some(self.asked_at));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Asked(..) => "asked",
            State::Waiting(_) => "waiting for a Deferred",
            State::Finished => "finished",
        };
        f.debug_struct("Ask").field("state", &state).finish_non_exhaustive()
    }
}
