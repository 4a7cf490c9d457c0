//! A Deferred as a `Send` future: its result crosses from the reactor's thread to whoever awaits it, wherever.

use std::error::Error;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::super::deferred::{Deferred, disowned, tell};
use super::super::report::{Incident, drop_contained, report};
use super::super::sync::{Arc, Mutex};
use super::{Address, DropOrder, Owned, Reactor};
use crate::error::{ReactorStopped, is_cancellation};
use crate::failure::Failure;
use crate::machine::oneshot::{Oneshot, Receive, ReceiverWake};

/// The one-shot machine, with a waker in place of a thread that sleeps.
struct Crossing<T> {
    channel: Oneshot<T>,
    /// Of the last poll. Some in the state Awaited.
    waker: Option<Waker>,
}

impl<T> Crossing<T> {
    /// The waker, if one is owed a wake. Using or dropping it is for after the lock.
    fn owed(&mut self, answered: ReceiverWake) -> Option<Waker> {
        match answered {
            ReceiverWake::Needed => self.waker.take(),
            ReceiverWake::NotNeeded => None,
        }
    }
}

/// The end on the reactor's thread. Dropped unused, at the reactor's end, it says that there will be no answer.
struct Near<T>(Arc<Mutex<Crossing<T>>>);

impl<T> Near<T> {
    fn answer(self, value: T) -> Result<(), T> {
        let mut crossing = self.0.lock();
        let answered = crossing.channel.send(value)?;
        let waker = crossing.owed(answered);
        drop(crossing);
        waker.into_iter().for_each(tell);
        Ok(())
    }
}

impl<T> Drop for Near<T> {
    fn drop(&mut self) {
        let mut crossing = self.0.lock();
        let broken = crossing.channel.disconnect();
        let waker = crossing.owed(broken);
        drop(crossing);
        waker.into_iter().for_each(tell);
    }
}

/// The end that is awaited.
struct Far<T>(Arc<Mutex<Crossing<T>>>);

impl<T> Far<T> {
    fn poll(&self, waker: &Waker) -> Receive<T> {
        // Cloning and dropping a waker is a stranger's code, and has no place under a lock.
        let waker = waker.clone();
        let mut crossing = self.0.lock();
        let asked = crossing.channel.receive();
        let unused = match asked {
            Receive::Wait => crossing.waker.replace(waker),
            Receive::Value(_) | Receive::Disconnected | Receive::TimedOut => crossing.waker.take().or(Some(waker)),
        };
        drop(crossing);
        drop_contained(unused);
        asked
    }

    /// Nobody awaits it any more. An answer that is here already is handed out.
    fn leave(&self) -> Option<T> {
        let mut crossing = self.0.lock();
        let _ = crossing.channel.time_out();
        let answer = match crossing.channel.receive() {
            Receive::Value(answer) => Some(answer),
            Receive::Wait | Receive::Disconnected | Receive::TimedOut => None,
        };
        let waker = crossing.waker.take();
        drop(crossing);
        drop_contained(waker);
        answer
    }
}

/// A Deferred that any executor can await, on any thread: what [`Deferred::into_send_future`] returns.
///
/// The Deferred itself never leaves its thread; only its result travels. Dropping the future unfinished cancels the Deferred, on the reactor's thread, in a turn
/// to come. Polled again after it was ready, it is pending for ever.
#[must_use = "a future does nothing unless it is polled, and dropping this one cancels its Deferred"]
pub struct SendFuture<T, E = Failure>
where
    T: Send + 'static,
    E: Error + From<Failure> + Send + 'static,
{
    far: Far<Result<T, E>>,
    deferred: Address<Deferred<(), E>>,
    made_at: &'static Location<'static>,
    over: bool,
}

impl<T, E> Deferred<T, E>
where
    T: Send + 'static,
    E: Error + From<Failure> + Send + 'static,
{
    /// A future that any executor can await, on any thread, for a Deferred that belongs to this one.
    ///
    /// `reactor` is the one whose thread this is: it keeps the Deferred, carries a cancel to it, and if it ends before there is a result, the future is ready with
    /// [`ReactorStopped`](crate::error::ReactorStopped). Dropping the future unfinished cancels the Deferred. Costs a callback's allocation, one for what the two
    /// threads share, and two places on the reactor; being ready costs a short lock and a wake, and the future's end a post.
    ///
    /// ```
    /// use selvedge::{Deferred, Failure, Reactor};
    ///
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     struct Thread(std::thread::Thread);
    /// #     impl std::task::Wake for Thread { fn wake(self: std::sync::Arc<Self>) { self.0.unpark(); } }
    /// #     let waker = std::sync::Arc::new(Thread(std::thread::current())).into();
    /// #     let mut future = std::pin::pin!(future);
    /// #     loop {
    /// #         match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
    /// #             std::task::Poll::Ready(output) => return output,
    /// #             std::task::Poll::Pending => std::thread::park(),
    /// #         }
    /// #     }
    /// # }
    /// let reactor = Reactor::new();
    /// let handle = reactor.handle();
    /// let answer = Deferred::<u32>::succeed(42).into_send_future(&reactor);
    /// let elsewhere = std::thread::spawn(move || {
    ///     let answer = block_on(answer); // Whatever executor runs here.
    ///     handle.stop();
    ///     answer
    /// });
    /// reactor.run();
    /// assert!(elsewhere.join().is_ok_and(|answer| answer.is_ok_and(|answer| answer == 42)));
    /// ```
    pub fn into_send_future(self, reactor: &Reactor) -> SendFuture<T, E> {
        let made_at = self.made_at();
        let crossing = Arc::new(Mutex::new(Crossing { channel: Oneshot::Empty, waker: None }));
        // Another thread waits for it, so at the reactor's end it is told before other values go.
        let near = Owned::new(reactor, DropOrder::BlockedCaller, Near(Arc::clone(&crossing)));
        let answered = self.add_both(move |result| {
            // Gone with the reactor: then the future has been told.
            let late = near.into_inner().map_or_else(|_| None, |near| near.answer(result).err());
            // The future was dropped: what comes of the cancel is wanted by nobody.
            disowned(late.map_or(Ok(()), |late| late.map(drop_contained)))
        });
        SendFuture { far: Far(crossing), deferred: reactor.own(answered).leave(), made_at, over: false }
    }
}

impl<T, E> Future for SendFuture<T, E>
where
    T: Send + 'static,
    E: Error + From<Failure> + Send + 'static,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        if self.over {
            return Poll::Pending;
        }
        let result = match self.far.poll(context.waker()) {
            Receive::Wait => return Poll::Pending,
            Receive::Value(result) => result,
            Receive::Disconnected | Receive::TimedOut => Err(E::from(Failure::from(ReactorStopped))),
        };
        self.over = true;
        Poll::Ready(result)
    }
}

impl<T, E> Drop for SendFuture<T, E>
where
    T: Send + 'static,
    E: Error + From<Failure> + Send + 'static,
{
    fn drop(&mut self) {
        if !mem::replace(&mut self.over, true) {
            let answer = self.far.leave();
            if let Some(Err(error)) = &answer
                && !is_cancellation(error)
            {
                report(Incident::Unhandled, error, Some(self.made_at));
            }
            drop_contained(answer);
        }
        // Of a Deferred that has fired there is nothing to cancel. If the reactor has ended, it is gone.
        let deferred = self.deferred.clone();
        let _ = self.deferred.handle().call_from_thread(move |reactor| {
            if let Some(deferred) = deferred.take_here(reactor) {
                deferred.cancel();
            }
        });
    }
}

impl<T, E> fmt::Debug for SendFuture<T, E>
where
    T: Send + 'static,
    E: Error + From<Failure> + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture").field("over", &self.over).finish_non_exhaustive()
    }
}
