//! `spawn`: futures that the reactor polls on its thread, and their wakers, which any thread may use.

use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::super::deferred::{Deferred, Head, Outcome, PendingResolver, Producer, Settled, deliver_to};
use super::super::report::drop_contained;
use super::owned::{AnySlot, DropOrder, Slot, ValueKey};
use super::{Core, Handle, LocalHandle, Reactor, Shared};
// `Wake` is implemented for std's own `Arc`, also in the build over loom.
use super::super::sync::{Mutex, StdArc as Arc, catch};
use crate::error::ReactorStopped;
use crate::failure::Failure;
use crate::machine::task::{PollRequest, Task as State};

/// A spawned future, owned by the reactor. It never leaves the reactor's thread.
///
/// Its type is erased, so that a program has this code once for each type of outputs.
struct Task<R: Outcome<Failure> + 'static> {
    future: Pin<Box<dyn Future<Output = R>>>,
    task_waker: Arc<TaskWaker>,
    waker: Waker,
    core: Weak<Core>,
}

/// Where a task lies: in the head of its Deferred, which the reactor's table shares.
type TaskHead<R> = Head<<R as Outcome<Failure>>::Value, Failure, Slot<Task<R>>>;

/// What the wakers of a task share: its state, and where it is.
struct TaskWaker {
    state: Mutex<State>,
    reactor: Handle,
    key: ValueKey,
}

impl<R: Outcome<Failure> + 'static> Task<R> {
    /// Polls the future once. `None` is pending; a panic is an error.
    fn poll(&mut self) -> Option<Result<R, Failure>> {
        self.task_waker.state.lock().begin();
        match catch(|| self.future.as_mut().poll(&mut Context::from_waker(&self.waker))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(output)) => Some(Ok(output)),
            Err(panic) => Some(Err(Failure::without_backtrace(panic))),
        }
    }

    /// Drops a task that was cancelled, and what the table has of it.
    fn leave(self) {
        let core = self.core.upgrade();
        let _scope = core.as_ref().map(|core| core.reporter.enter());
        core.into_iter().for_each(|core| drop(core.owned.remove(self.task_waker.key)));
        drop_contained(self);
    }
}

impl<R: Outcome<Failure> + 'static> Drop for Task<R> {
    /// Tells the wakers that the task has ended. Then the future is dropped, which whoever drops the task contains.
    fn drop(&mut self) {
        self.task_waker.state.lock().finish();
    }
}

impl<R: Outcome<Failure> + 'static> Producer for Slot<Task<R>> {
    /// A task that is being polled is dropped after the poll.
    fn cancel(&self) {
        self.mark_removed();
        if let Ok(task) = self.take() {
            task.leave();
        }
    }
}

impl<R: Outcome<Failure> + 'static> AnySlot for TaskHead<R> {
    /// The future is dropped first, and then its Deferred fails.
    fn end(self: Rc<Self>) {
        self.producer().empty();
        drop(PendingResolver::of_head(self));
    }

    /// A task that ends in its poll, or is cancelled there, is dropped when that has returned. A result that comes too
    /// late is not lost: a failure that nobody will see is reported.
    fn poll(self: Rc<Self>, key: ValueKey, reactor: &Reactor) {
        let slot = self.producer();
        let ended = slot.with(Task::poll).ok().flatten();
        if ended.is_none() && !slot.is_removed() {
            return;
        }
        drop(reactor.core.owned.remove(key));
        slot.empty();
        if let Some(result) = ended {
            deliver_to(self, settle(result));
        }
    }
}

/// Posts the call that polls a task, whatever the inbox's bound: a wake that is refused would be lost for good. If the
/// reactor has stopped, or the task is gone by then, it is never polled again.
fn post_poll(to: &Shared, key: ValueKey) {
    let _ = to.post_unbounded(move |reactor| {
        if let Some(slot) = reactor.core.owned.find(key) {
            slot.poll(key, reactor);
        }
    });
}

/// What comes of a poll that ended the task.
fn settle<R: Outcome<Failure>>(result: Result<R, Failure>) -> Settled<R::Value, Failure> {
    let settled = result.and_then(|output| catch(|| output.settle()).map_err(Failure::without_backtrace));
    settled.unwrap_or_else(|failure| Settled::Now(Err(failure)))
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let owed = self.state.lock().wake();
        if owed == PollRequest::Post {
            post_poll(&self.reactor.shared, self.key);
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
    /// [`sleep`](Self::sleep); [`defer_to_thread`](crate::threads::defer_to_thread). Cost: three allocations (the
    /// future, its waker, its Deferred) and an entry in a radix tree, which each poll looks up.
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
        let (deferred, head) = Deferred::produced::<Slot<Task<R>>>();
        let key = self.core.owned.insert(DropOrder::Value, Rc::clone(&head) as Rc<dyn AnySlot>);
        let task_waker = Arc::new(TaskWaker { state: Mutex::new(State::new()), reactor: self.handle(), key });
        let (waker, core) = (Waker::from(Arc::clone(&task_waker)), Rc::downgrade(&self.core));
        head.producer().fill(Task { future, task_waker, waker, core });
        post_poll(&self.core.shared, key);
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
