//! Awaiting a Deferred, and what a future that is dropped unfinished does to it.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::super::report::{drop_contained, wake_contained};
use super::deferred::Deferred;
use super::effect_queue::{Effect, run_or_enqueue};
use super::link::{Callback, Passed};
use super::node::Chain;
use super::outcome::Settled;
use super::run::{hold_waker, rest_and_wake};
use super::unclaimed::Unclaimed;
use crate::error::is_cancellation;
use crate::failure::{ChainError, Failure};
use crate::machine::deferred::{ChainStage, ChainState};

/// The future that `deferred.await` polls.
///
/// It is ready with the Deferred's result, on the thread that owns the Deferred, whichever executor polls it there.
/// Awaiting costs no allocation: the waker is stored in place of the next callback.
///
/// **Cancel safety.** Dropping it unfinished cancels the Deferred, as dropping a future stops it: a task that is
/// cancelled cancels what it awaits. An item of a queue or a permit that had come goes back; any other result of the
/// cancelled Deferred is dropped. An error that only says that it was cancelled, or that the reactor stopped, is not
/// reported; any other is unhandled, and reported. (Dropping a [`Deferred`] cancels nothing. Because the two differ in
/// this, a Deferred is not a future but turns into one.)
///
/// Polled again after it was ready, it is pending for ever.
///
/// ```
/// use selvedge::{Deferred, Failure, Reactor};
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let local = reactor.local();
/// reactor.spawn(async move {
///     let (answer, resolver) = Deferred::new();
///     let timer = local.sleep(Duration::from_millis(1)).add_callback(move |()| resolver.callback(42));
///     assert_eq!(answer.await?, 42);
///     timer.await?;
///     local.stop();
///     Ok::<_, Failure>(())
/// });
/// reactor.run();
/// ```
#[must_use = "a future does nothing unless it is polled, and dropping this one cancels its Deferred"]
pub struct DeferredFuture<T: 'static, E: ChainError = Failure> {
    /// `None` once it has been ready.
    deferred: Option<Deferred<T, E>>,
}

impl<T: 'static, E: ChainError> IntoFuture for Deferred<T, E> {
    type Output = Result<T, E>;
    type IntoFuture = DeferredFuture<T, E>;

    fn into_future(self) -> DeferredFuture<T, E> {
        DeferredFuture { deferred: Some(self) }
    }
}

impl<T: 'static, E: ChainError> Future for DeferredFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let Some(deferred) = self.deferred.take() else { return Poll::Pending };
        match deferred.try_result() {
            Ok(result) => Poll::Ready(result),
            Err(deferred) => {
                // Kept first: cloning the waker may panic, and whoever drops this future then cancels the Deferred.
                self.deferred.insert(deferred).wake_with_result(context.waker());
                Poll::Pending
            }
        }
    }
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Arranges that this waker is woken when there is a result to take.
    fn wake_with_result(&self, waker: &Waker) {
        let cell = self.tail.cell();
        if cell.is_watched_by(waker) {
            return;
        }
        // Before the state is read: cloning a waker runs user code, which may fire the Deferred.
        let waker = waker.clone();
        if !cell.is_stored() {
            match cell.watch(waker) {
                Ok(before) => drop_contained(before),
                Err(waker) => wake_contained(waker),
            }
        } else if self.is_paused() {
            hold_for_task(&self.chain, waker);
        } else {
            wake_contained(waker);
        }
    }

    /// Nobody awaits the Deferred any more: cancels it, if it has no result.
    fn stop_awaiting(self) {
        drop_contained(self.tail.cell().unwatch());
        if self.chain.core().state().stage() == ChainStage::Held && self.tail.cell().is_stored() {
            // The result is stored here until a pause ends. Nothing is left to cancel, and an error is unhandled.
            return;
        }
        run_or_enqueue(Effect::Cancel(self.detach().chain));
    }

    /// Drops the result when it comes, but keeps an error that has to be reported.
    pub(super) fn detach(self) -> Deferred<(), E> {
        self.add(Detach)
    }
}

/// `detach`.
struct Detach;

impl<T, E: ChainError> Callback<T, E> for Detach {
    type Value = ();

    fn call(self, input: Result<T, E>) -> Settled<(), E> {
        ignore_cancellation(input.map(drop_contained))
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<(), E> {
        drop(item);
        Passed::Settled(Settled::Now(Ok(())))
    }
}

/// What is left of a result that nobody wants any more: an error, unless that only says that it was cancelled or that
/// the reactor stopped.
pub(crate) fn ignore_cancellation<E: ChainError>(result: Result<(), E>) -> Settled<(), E> {
    Settled::Now(match result {
        Err(error) if is_cancellation(error.as_error()) => {
            drop_contained(error);
            Ok(())
        }
        result => result,
    })
}

/// The result is stored at the tail of a paused chain, and a task awaits it: its waker is woken when the pauses end.
fn hold_for_task(chain: &Rc<dyn Chain>, waker: Waker) {
    let core = chain.core();
    if core.state().stage() == ChainStage::Resting {
        core.transition(ChainState::add);
        hold_waker(core, waker);
    } else {
        core.hold_instead(|chain, _| rest_and_wake(&*chain, waker));
    }
}

impl<T: 'static, E: ChainError> Drop for DeferredFuture<T, E> {
    fn drop(&mut self) {
        if let Some(deferred) = self.deferred.take() {
            deferred.stop_awaiting();
        }
    }
}

impl<T: 'static, E: ChainError> fmt::Debug for DeferredFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeferredFuture").field(&self.deferred).finish()
    }
}
