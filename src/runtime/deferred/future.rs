//! Awaiting a Deferred.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::super::report::drop_contained;
use super::chain;
use super::drop_queue::{Ending, end};
use super::outlet::tell;
use super::{Deferred, Settled};
use crate::error::is_cancellation;
use crate::failure::Failure;
use crate::machine::deferred::ChainStage;

/// A Deferred that is awaited: what `deferred.await` polls.
///
/// It is ready with the Deferred's result, on the thread that owns it, whichever executor polls it there. Awaiting costs no allocation: the waker is kept where
/// the next callback would be.
///
/// **Dropping it unfinished cancels the Deferred**, as dropping a future stops it: a task that is cancelled cancels what it awaits. What that comes to is dropped:
/// that it was cancelled, or that the reactor stopped, is reported to nobody; any other error is unhandled and reported. (A [`Deferred`] itself is a handle, and dropping
/// it cancels nothing. These are two contracts, so it is not itself a future, but turns into one.)
///
/// Polled again after it was ready, it is pending for ever.
///
/// ```
/// use selvedge::{Deferred, Failure, Reactor};
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let local = reactor.local();
/// let _ = reactor.spawn(async move {
///     let (answer, resolver) = Deferred::new();
///     let timer = local.sleep(Duration::from_millis(1)).add_callback(move |()| resolver.callback(42));
///     assert_eq!(answer.await?, 42);
///     timer.await?;
///     local.with(|reactor| reactor.stop()).ok();
///     Ok::<_, Failure>(())
/// });
/// reactor.run();
/// ```
#[must_use = "a future does nothing unless it is polled, and dropping this one cancels its Deferred"]
pub struct DeferredFuture<T: 'static, E: Error + From<Failure> + 'static = Failure> {
    /// None once it has been ready.
    deferred: Option<Deferred<T, E>>,
}

impl<T: 'static, E: Error + From<Failure> + 'static> IntoFuture for Deferred<T, E> {
    type Output = Result<T, E>;
    type IntoFuture = DeferredFuture<T, E>;

    fn into_future(self) -> DeferredFuture<T, E> {
        DeferredFuture { deferred: Some(self) }
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Future for DeferredFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, E>> {
        let Some(deferred) = self.deferred.take() else { return Poll::Pending };
        match deferred.try_result() {
            Ok(result) => Poll::Ready(result),
            Err(deferred) => {
                deferred.watch(context.waker());
                self.deferred = Some(deferred);
                Poll::Pending
            }
        }
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Deferred<T, E> {
    /// Has this waker told when there is a result to take.
    fn watch(&self, waker: &Waker) {
        let cell = self.tail.cell();
        if cell.is_watched_by(waker) {
            return;
        }
        // Whatever the clone of a waker may do, it is over before we look.
        let waker = waker.clone();
        if !cell.is_stored() {
            match cell.watch(waker) {
                Ok(before) => drop_contained(before),
                Err(waker) => tell(waker),
            }
        } else if self.is_paused() {
            chain::hold_from(&self.chain, waker);
        } else {
            tell(waker);
        }
    }

    /// Nobody awaits it any more: cancels it, if it has no result.
    fn give_up(self) {
        drop_contained(self.tail.cell().unwatch());
        if self.chain.core().state().stage() == ChainStage::Held && self.tail.cell().is_stored() {
            // The result lies here and waits for the end of a pause. Nothing is left to cancel, and an error is unhandled.
            return;
        }
        end(Ending::Cancelled(self.disown().chain));
    }

    /// Drops whatever it comes to, but keeps an error that somebody should hear of.
    fn disown(self) -> Deferred<(), E> {
        self.add_both(|result| disowned(result.map(drop_contained)))
    }
}

/// What is left of a result that nobody wants any more.
pub(crate) fn disowned<E: Error + 'static>(result: Result<(), E>) -> Settled<(), E> {
    Settled::Now(match result {
        Err(error) if is_cancellation(&error) => {
            drop_contained(error);
            Ok(())
        }
        result => result,
    })
}

impl<T: 'static, E: Error + From<Failure> + 'static> Drop for DeferredFuture<T, E> {
    fn drop(&mut self) {
        if let Some(deferred) = self.deferred.take() {
            deferred.give_up();
        }
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> fmt::Debug for DeferredFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeferredFuture").field(&self.deferred).finish()
    }
}
