//! A guard that cancels its Deferred: for work that is to end when its result is no longer wanted.

use std::fmt;

use super::conversion::convert_own;
use super::deferred::Deferred;
use super::future::DeferredFuture;
use crate::error::Abandoned;
use crate::failure::{ChainError, Failure};

/// A Deferred that is cancelled when this guard is dropped: made by [`Deferred::cancel_on_drop`].
///
/// **Cancel safety.** Whoever keeps the guard wants the result. If the guard is dropped before there is one, what the
/// Deferred waits for is cancelled: a job that no worker has taken never runs; one that runs sees it in its
/// [`CancelToken`](crate::pool::CancelToken); a timer, a task, a place in a queue are gone. The resulting
/// [`Cancelled`](crate::error::Cancelled) is not reported, any other failure is. Dropping the guard afterwards does
/// nothing.
///
/// ```
/// use selvedge::{Reactor, threads};
///
/// let reactor = Reactor::new();
/// let page = threads::defer_to_thread(&reactor, || "a page").map(str::len).cancel_on_drop();
/// drop(page); // The reactor has not started: the job never runs.
/// # let handle = reactor.handle();
/// # handle.stop();
/// reactor.run();
/// ```
///
/// Costs nothing; a drop that cancels costs what [`cancel`](Deferred::cancel) does, and one callback.
#[must_use = "dropping the guard cancels its Deferred"]
pub struct CancelOnDrop<T: 'static, E: ChainError = Failure> {
    /// `None` once it was taken out.
    deferred: Option<Deferred<T, E>>,
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Cancels this Deferred when the returned guard is dropped. (Dropping a `Deferred` cancels nothing.)
    ///
    /// Callbacks that are to run in any case are added before. [`into_inner`](CancelOnDrop::into_inner) returns the
    /// Deferred, to add more or to take the result.
    pub fn cancel_on_drop(self) -> CancelOnDrop<T, E> {
        CancelOnDrop { deferred: Some(self) }
    }
}

impl<T: 'static, E: ChainError> CancelOnDrop<T, E> {
    /// The Deferred, which no guard cancels any more.
    pub fn into_inner(mut self) -> Deferred<T, E> {
        // It is taken out once, so there always is one.
        self.deferred.take().unwrap_or_else(|| Deferred::from(Err(convert_own(Abandoned))))
    }
}

/// Awaiting keeps the guard: a future that is dropped unfinished cancels too.
impl<T: 'static, E: ChainError> IntoFuture for CancelOnDrop<T, E> {
    type Output = Result<T, E>;
    type IntoFuture = DeferredFuture<T, E>;

    fn into_future(self) -> DeferredFuture<T, E> {
        self.into_inner().into_future()
    }
}

impl<T: 'static, E: ChainError> Drop for CancelOnDrop<T, E> {
    fn drop(&mut self) {
        drop(self.deferred.take().map(Deferred::into_future));
    }
}

impl<T: 'static, E: ChainError> fmt::Debug for CancelOnDrop<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.deferred).finish()
    }
}
