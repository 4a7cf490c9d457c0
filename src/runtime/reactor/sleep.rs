//! `sleep`: a timer as a Deferred.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{Deferred, PendingResolver, Settled};
use super::{DelayedCall, LocalHandle, Reactor};

impl Reactor {
    /// A Deferred that fires on this thread after `time`, or later if the loop is busy:
    /// [`call_later`](Self::call_later) for `await` and for callbacks.
    ///
    /// **Cancel safety.** Cancelling it cancels the timer; dropping it does not, dropping its future does. If the
    /// reactor ends first, it fails with [`ReactorStopped`](crate::error::ReactorStopped). Without an errback that is
    /// reported to nobody: whoever has stopped the reactor knows.
    ///
    /// ```
    /// use selvedge::Reactor;
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::new();
    /// let local = reactor.local();
    /// drop(reactor.sleep(Duration::from_millis(1)).add_callback(move |()| local.stop()));
    /// reactor.run();
    /// ```
    #[must_use = "it only returns the Deferred, and does not block"]
    #[track_caller]
    pub fn sleep(&self, time: Duration) -> Deferred<()> {
        let timer: Rc<Cell<Option<DelayedCall>>> = Rc::default();
        let cancelled = Rc::clone(&timer);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            // Never an error: a timer that has been called has fired the Deferred, which cannot be cancelled any more.
            let _ = cancelled.take().map(|timer| timer.cancel());
        });
        let pending = PendingResolver::new(resolver);
        timer.set(Some(self.call_later(time, move |_| pending.deliver(Settled::Now(Ok(()))))));
        deferred
    }
}

impl LocalHandle {
    /// As [`Reactor::sleep`]. If the reactor has ended, the Deferred has failed with
    /// [`ReactorStopped`](crate::error::ReactorStopped).
    #[must_use = "it only returns the Deferred, and does not block"]
    #[track_caller]
    pub fn sleep(&self, time: Duration) -> Deferred<()> {
        // A `match`, because `track_caller` does not reach into a closure.
        match self.reactor() {
            Ok(reactor) => reactor.sleep(time),
            Err(stopped) => Deferred::fail(stopped),
        }
    }
}
