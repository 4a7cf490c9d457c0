//! Tasks: futures that the reactor polls on its thread, and the wakers that any thread may hold of them.

use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use super::super::deferred::{Deferred, Outcome, PendingResolver};
use super::super::report::drop_contained;
use super::{Address, LocalHandle, Reactor};
// `Wake` asks for std's own pointer, in both builds.
use super::super::sync::{Mutex, SharedFn as Arc, catch};
use crate::failure::Failure;
use crate::machine::task::{Begin, Task as State, Woken};

/// What the reactor owns of a task. It never leaves the reactor's thread.
struct Task<F>
where
    F: Future<Output: Outcome<Failure>> + 'static,
{
    future: Option<Pin<Box<F>>>,
    result: Option<PendingResolver<<F::Output as Outcome<Failure>>::Value>>,
    /// Both none only while the task is made.
    alarm: Option<Arc<Alarm<F>>>,
    waker: Option<Waker>,
}

/// What wakers hold of a task: whether it is to be polled, and where it lives.
struct Alarm<F>
where
    F: Future<Output: Outcome<Failure>> + 'static,
{
    state: Mutex<State>,
    address: Address<Task<F>>,
}

impl<F> Task<F>
where
    F: Future<Output: Outcome<Failure>> + 'static,
{
    /// Polls it once. What it comes to is returned, a panic included.
    fn poll(&mut self) -> Option<Result<F::Output, Failure>> {
        let (future, waker) = (self.future.as_mut()?, self.waker.as_ref()?);
        match catch(|| future.as_mut().poll(&mut Context::from_waker(waker))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(output)) => Some(Ok(output)),
            Err(panic) => Some(Err(Failure::from(panic))),
        }
    }

    /// The future is over and dropped, and then the Deferred is fired.
    fn end(mut self, result: Result<F::Output, Failure>) {
        drop_contained(self.future.take());
        let delivery = self.result.take();
        drop(self);
        let Some(delivery) = delivery else { return drop_contained(result) };
        match result.and_then(|output| catch(|| output.settle()).map_err(Failure::from)) {
            Ok(settled) => delivery.deliver(settled),
            Err(failure) => delivery.fail(failure),
        }
    }
}

impl<F> Drop for Task<F>
where
    F: Future<Output: Outcome<Failure>> + 'static,
{
    /// Cancelled, or the reactor ends. The future goes before its Deferred is told.
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.state.lock().finish();
        }
        drop_contained(self.future.take());
    }
}

impl<F> Alarm<F>
where
    F: Future<Output: Outcome<Failure>> + 'static,
{
    /// Posts the call that polls the task. Once the reactor has stopped nothing polls it any more, and a wake changes nothing.
    fn schedule(self: Arc<Self>) -> bool {
        let handle = self.address.handle().clone();
        handle.call_from_thread(move |reactor| self.ring(reactor)).is_ok()
    }

    /// On the reactor's thread: polls the task.
    fn ring(self: Arc<Self>, reactor: &Reactor) {
        if self.state.lock().begin() == Begin::Leave {
            return;
        }
        match self.address.with_here(reactor, Task::poll) {
            Ok(Some(result)) => match self.address.take_here(reactor) {
                Some(task) => task.end(result),
                // It was cancelled while it was polled.
                None => drop_contained(result),
            },
            Ok(None) => {
                let owed = self.state.lock().pending();
                if owed == Woken::Schedule {
                    self.schedule();
                }
            }
            // Gone: cancelled since it was woken.
            Err(_) => {}
        }
    }
}

impl<F> Wake for Alarm<F>
where
    F: Future<Output: Outcome<Failure>> + 'static,
{
    fn wake(self: Arc<Self>) {
        let owed = self.state.lock().wake();
        if owed == Woken::Schedule {
            self.schedule();
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let owed = self.state.lock().wake();
        if owed == Woken::Schedule {
            Arc::clone(self).schedule();
        }
    }
}

impl Reactor {
    /// Runs a future on this thread; the Deferred fires with its output. The future need not be `Send`.
    ///
    /// It is polled first in a turn to come, never in here, and then once for each time it is woken, in the order of wakes among all posted calls. Its waker may be
    /// cloned, sent to any thread, and used at any time, after the reactor's end too. However often it is used, the future is polled once, so waking costs a
    /// short lock, and a post where it is the first. A future that wakes itself is polled once a turn: timers and calls have their share.
    ///
    /// The output may be whatever a callback may return (see [`Outcome`]). Cancelling the Deferred drops the future, at once; from within its own poll, as soon as
    /// that returns. A panic of the future fails the Deferred with a [`Panic`](crate::error::Panic). At the reactor's end the future is dropped, and the Deferred fails
    /// with [`ReactorStopped`](crate::error::ReactorStopped). Dropping the Deferred changes nothing: the future runs on.
    ///
    /// Everything that is executor-neutral can be awaited in it: channels, locks, combinators; a [`Deferred`]; [`sleep`](Self::sleep);
    /// [`defer_to_thread`](crate::threads::defer_to_thread). Costs an allocation each for the future, its place on the reactor, its waker, its Deferred and what
    /// cancels it, and a place in a search tree, with a look into that for each poll.
    ///
    /// ```
    /// use selvedge::{Failure, Reactor, threads};
    /// use std::rc::Rc;
    ///
    /// let reactor = Reactor::new();
    /// let local = reactor.local();
    /// let _ = reactor.spawn(async move {
    ///     let local = Rc::new(6_u32);
    ///     let seven = local.with(|reactor| threads::defer_to_thread(reactor, || 7_u32))?.await?;
    ///     assert_eq!(*local * seven, 42);
    ///     local.with(|reactor| reactor.stop()).ok();
    ///     Ok::<_, Failure>(())
    /// });
    /// reactor.run();
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Deferred<<F::Output as Outcome<Failure>>::Value>
    where
        F: Future<Output: Outcome<Failure>> + 'static,
    {
        let owned = self.own(Task { future: Some(Box::pin(future)), result: None, alarm: None, waker: None });
        let address = owned.address();
        let alarm = Arc::new(Alarm { state: Mutex::new(State::new()), address: address.clone() });
        let (deferred, resolver) = Deferred::with_canceller(move || drop(owned));
        let made = address.with_here(self, |task| {
            task.result = Some(PendingResolver::new(resolver));
            task.alarm = Some(Arc::clone(&alarm));
            task.waker = Some(Waker::from(Arc::clone(&alarm)));
        });
        if made.is_err() || !alarm.schedule() {
            // The reactor has ended: so has the task.
            drop_contained(address.take_here(self));
        }
        deferred
    }
}

impl LocalHandle {
    /// As [`Reactor::spawn`]. Where the reactor has ended, the future is dropped, and the Deferred has failed with [`ReactorStopped`](crate::error::ReactorStopped).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Deferred<<F::Output as Outcome<Failure>>::Value>
    where
        F: Future<Output: Outcome<Failure>> + 'static,
    {
        // No closure, which would be taken for the place where the Deferred is made.
        match self.reactor() {
            Ok(reactor) => reactor.spawn(future),
            Err(stopped) => Deferred::fail(stopped),
        }
    }
}
