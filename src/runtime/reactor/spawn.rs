//! `spawn`: futures that the reactor polls on its thread, and their wakers, which any thread may use.

use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use super::super::deferred::{Deferred, Outcome, PendingResolver, Settled, drop_late};
use super::super::report::{Incident, drop_contained};
use super::{Address, LocalHandle, Reactor, Shared};
// `Wake` is implemented for std's own `Arc`, also in the build over loom.
use super::super::sync::{Mutex, StdArc as Arc, catch};
use crate::error::ReactorStopped;
use crate::failure::Failure;
use crate::machine::task::{Begin, PollRequest, Task as State};

/// A spawned future, owned by the reactor. It never leaves the reactor's thread.
///
/// Its type is erased, so that a program has this code once for each type of outputs.
struct Task<R: Outcome<Failure> + 'static> {
    future: Option<Pin<Box<dyn Future<Output = R>>>>,
    result: Option<PendingResolver<R::Value>>,
    /// This and `waker` are `None` only while the task is being constructed.
    task_waker: Option<Arc<TaskWaker<R>>>,
    waker: Option<Waker>,
}

/// What the wakers of a task share: its state, and its address on the reactor.
struct TaskWaker<R: Outcome<Failure> + 'static> {
    state: Mutex<State>,
    address: Address<Task<R>>,
}

impl<R: Outcome<Failure> + 'static> Task<R> {
    /// Polls the future once. `None` is pending; a panic is an error.
    fn poll(&mut self) -> Option<Result<R, Failure>> {
        let (future, waker) = (self.future.as_mut()?, self.waker.as_ref()?);
        match catch(|| future.as_mut().poll(&mut Context::from_waker(waker))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(output)) => Some(Ok(output)),
            Err(panic) => Some(Err(Failure::without_backtrace(panic))),
        }
    }

    /// Drops the future, and then fires the Deferred.
    fn finish(mut self, result: Result<R, Failure>) {
        drop_contained(self.future.take());
        let resolver = self.result.take();
        drop(self);
        let Some(resolver) = resolver else { return drop_contained(result) };
        match result.and_then(|output| catch(|| output.settle()).map_err(Failure::without_backtrace)) {
            Ok(settled) => resolver.deliver(settled),
            Err(failure) => resolver.fail(failure),
        }
    }
}

impl<R: Outcome<Failure> + 'static> Drop for Task<R> {
    /// Tells the wakers that the task has ended. The future is dropped first, and then its Deferred fails.
    fn drop(&mut self) {
        if let Some(task_waker) = &self.task_waker {
            task_waker.state.lock().finish();
        }
        drop_contained(self.future.take());
    }
}

impl<R: Outcome<Failure> + 'static> TaskWaker<R> {
    /// Posts the call that polls the task, whatever the inbox's bound: a wake that is refused would be lost for good.
    /// If the reactor has stopped, the task is never polled again.
    fn post_poll(self: Arc<Self>, to: &Shared) {
        let _ = to.post_unbounded(move |reactor| self.poll_task(reactor));
    }

    /// The posted call.
    fn poll_task(self: Arc<Self>, reactor: &Reactor) {
        if self.state.lock().begin() == Begin::Skip {
            return;
        }
        match self.address.with_value(reactor, Task::poll) {
            Ok(Some(result)) => match self.address.take(reactor) {
                Some(task) => task.finish(result),
                // It was cancelled during the poll.
                None => report_late(result),
            },
            Ok(None) => {
                let owed = self.state.lock().pending();
                if owed == PollRequest::Post {
                    self.post_poll(&reactor.core.shared);
                }
            }
            // Cancelled since it was woken.
            Err(_) => {}
        }
    }
}

/// Drops the output of a task that was cancelled. A failure that nobody will see is reported.
fn report_late<R: Outcome<Failure>>(result: Result<R, Failure>) {
    let settled = result.and_then(|output| catch(|| output.settle()).map_err(Failure::without_backtrace));
    drop_late(Incident::Unhandled, settled.unwrap_or_else(|failure| Settled::Now(Err(failure))), None);
}

impl<R: Outcome<Failure> + 'static> Wake for TaskWaker<R> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let owed = self.state.lock().wake();
        if owed == PollRequest::Post {
            Arc::clone(self).post_poll(&self.address.handle().shared);
        }
    }
}

impl Reactor {
    /// Runs a future on this thread; the Deferred fires with its output. The future need not be `Send`.
    ///
    /// It is first polled in a later turn, never inside `spawn`, and then again after each wake; a wake takes its place
    /// among the posted calls. The waker may be cloned, sent to any thread, and used at any time, also after the
    /// reactor's end. Wakes before the next poll count as one, so a wake costs a short lock, and the first of them a
    /// post. A future that wakes itself is polled once a turn, so that timers and calls are not delayed.
    ///
    /// The output may be whatever a callback may return (see [`Outcome`]). A panic of the future fails the Deferred
    /// with a [`Panic`](crate::error::Panic).
    ///
    /// **Cancel safety.** Cancelling the Deferred, or dropping its future, drops the spawned future at once, or, inside
    /// its own poll, when that returns; with it the futures that it awaits, which cancels their Deferreds. If the
    /// Deferred is only dropped, the future runs on.
    ///
    /// At the reactor's end an unfinished future is dropped, and the Deferred fails with [`ReactorStopped`]; if the
    /// reactor has ended already, inside this call. Without an errback that is reported to nobody: whoever has stopped
    /// the reactor knows.
    ///
    /// It can await whatever needs no particular executor: channels, locks, combinators; a [`Deferred`];
    /// [`sleep`](Self::sleep); [`defer_to_thread`](crate::threads::defer_to_thread). Cost: five allocations (the
    /// future, its entry on the reactor, its waker, its Deferred and the canceller) and an entry in a search tree,
    /// which each poll looks up.
    ///
    /// ```
    /// use selvedge::{Failure, Reactor};
    /// use std::rc::Rc;
    ///
    /// let reactor = Reactor::new();
    /// let (local, handle) = (reactor.local(), reactor.handle());
    /// let task = reactor.spawn(async move {
    ///     let six = Rc::new(6_u32);
    ///     let seven = local.defer_to_thread(|| 7_u32).await?;
    ///     assert_eq!(*six * seven, 42);
    ///     Ok::<_, Failure>(())
    /// });
    /// // With a value or an error, the reactor stops.
    /// task.add_both(move |result| {
    ///     handle.stop();
    ///     result
    /// });
    /// reactor.run();
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Deferred<<F::Output as Outcome<Failure>>::Value>
    where
        F: Future<Output: Outcome<Failure>> + 'static,
    {
        if self.is_closed() {
            self.refuse(future);
            return Deferred::fail(ReactorStopped);
        }
        self.spawn_boxed(Box::pin(future))
    }

    /// [`spawn`](Self::spawn), for a reactor that has not ended when this begins.
    #[track_caller]
    fn spawn_boxed<R: Outcome<Failure> + 'static>(
        &self,
        future: Pin<Box<dyn Future<Output = R>>>,
    ) -> Deferred<R::Value> {
        let owned = self.own(Task { future: Some(future), result: None, task_waker: None, waker: None });
        let address = owned.address();
        let task_waker = Arc::new(TaskWaker { state: Mutex::new(State::new()), address: address.clone() });
        let (deferred, resolver) = Deferred::with_canceller(move || drop(owned));
        // It is there, because no code of the program is called in between.
        let _ = address.with_value(self, |task| {
            task.result = Some(PendingResolver::new(resolver));
            task.task_waker = Some(Arc::clone(&task_waker));
            task.waker = Some(Waker::from(Arc::clone(&task_waker)));
        });
        task_waker.post_poll(&self.core.shared);
        deferred
    }
}

impl LocalHandle {
    /// As [`Reactor::spawn`]. If the reactor has ended, the future is dropped, and the Deferred has failed with
    /// [`ReactorStopped`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Deferred<<F::Output as Outcome<Failure>>::Value>
    where
        F: Future<Output: Outcome<Failure>> + 'static,
    {
        // A `match`, because `track_caller` does not reach into a closure.
        match self.reactor() {
            Ok(reactor) => reactor.spawn(future),
            Err(stopped) => {
                drop_contained(future);
                Deferred::fail(stopped)
            }
        }
    }
}
