//! Effects that may cause more of their kind: a queue runs them one after the other, so that none recurses.

use std::rc::Rc;

use super::super::report::{Incident, report};
use super::super::sync::{catch, thread_local};
use super::cancel::cancel;
use super::node::{Chain, Handler, HeadKind};
use crate::failure::Failure;
use crate::machine::chunked_queue::ChunkedQueue;
use crate::thread_value::ThreadValue;

/// What follows from a drop, or from a result that several wait for.
pub(super) enum Effect {
    /// A resolver was dropped unfired: its Deferred fails with this.
    Abandon(Rc<dyn Abandon>, fn() -> Failure),
    /// The future that awaited this Deferred was dropped: the Deferred is cancelled.
    Cancel(Rc<dyn Chain>),
    /// Everybody who could have ended the pauses of a held chain is gone: the result goes on.
    Release(Handler, Rc<dyn Chain>),
    /// A shared Deferred has its result: those who wait are told.
    Tell(Rc<dyn Tell>),
}

/// A shared Deferred, as the queue sees it.
pub(super) trait Tell {
    fn tell(self: Rc<Self>);
}

/// A head, as the queue sees it: it can fail for want of a resolver.
pub(crate) trait Abandon {
    /// Whether it would fail: it was neither fired nor cancelled.
    fn is_unfired(&self) -> bool;

    fn abandon(self: Rc<Self>, why: fn() -> Failure);
}

thread_local! {
    /// Effects that wait for their turn. `Some` while `run_or_enqueue` runs on this thread.
    static QUEUE: ThreadValue<Option<ChunkedQueue<Effect>>> = ThreadValue::new(None);
}

impl Effect {
    /// This runs inside a drop: a panic must not leave it, nor keep the other effects in the queue.
    fn run_contained(self) {
        if let Err(panic) = catch(|| self.run()) {
            report(Incident::Drop, &panic, None);
        }
    }

    fn run(self) {
        match self {
            Self::Abandon(source, why) => source.abandon(why),
            Self::Cancel(chain) => cancel(&chain),
            Self::Release(handler, chain) => drop(handler(chain, HeadKind::Substitute)),
            Self::Tell(shared) => shared.tell(),
        }
    }
}

/// Until it is dropped, effects do not wait for the one that runs on this thread already: in it, a reactor or a future
/// runs whose Deferreds have to go on.
#[must_use]
pub(crate) struct InsideEffect(Option<ChunkedQueue<Effect>>);

impl InsideEffect {
    #[inline]
    pub(crate) fn enter() -> Self {
        Self(QUEUE.try_with(|queue| queue.replace(None)).ok().flatten())
    }
}

impl Drop for InsideEffect {
    #[inline]
    fn drop(&mut self) {
        if let Some(outer) = self.0.take() {
            let _ = QUEUE.try_with(|queue| queue.replace(Some(outer)));
        }
    }
}

/// Runs the effects that wait for the one that runs on this thread: from now on that waits itself, perhaps for them.
pub(crate) fn run_waiting_effects() {
    let next = || QUEUE.try_with(|queue| queue.with(|queue| queue.as_mut()?.pop_front())).ok().flatten();
    while let Some(effect) = next() {
        effect.run_contained();
    }
}

/// Runs the effect at once; if another one is running on this thread, after that one.
///
/// Failing a chain drops the callbacks that the error passes by, and with them resolvers that they had captured;
/// dropping a task drops the future that it awaits, and perhaps another task with it; and so on, a million deep if a
/// program has linked them so. In a queue, this takes no stack.
pub(super) fn run_or_enqueue(first: Effect) {
    let mut first = Some(first);
    // Without a queue, at a thread's end on some platforms, each effect runs at once.
    let _ = QUEUE.try_with(|queue| {
        queue.with(|queue| match queue {
            Some(queue) => first.take().into_iter().for_each(|effect| queue.push_back(effect)),
            idle => *idle = Some(ChunkedQueue::new()),
        });
    });
    let mut next = first;
    while let Some(effect) = next {
        effect.run_contained();
        next = QUEUE.try_with(|queue| queue.with(ChunkedQueue::pop_or_close)).ok().flatten();
    }
}
