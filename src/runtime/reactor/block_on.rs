//! `block_on`: runs a reactor until one future has ended.

use std::cell::Cell;
use std::rc::Rc;

use super::super::deferred::Outcome;
use super::Reactor;
use crate::error::ReactorStopped;
use crate::failure::Failure;

impl Reactor {
    /// Runs the reactor until the future has ended, shuts it down as [`run`](Self::run) does, and returns the future's
    /// output: Twisted's `react`.
    ///
    /// The future runs on this thread as a task of [`spawn`](Self::spawn), and need not be `Send`; it may be a
    /// [`Deferred`](crate::Deferred). When it ends, the reactor is asked to stop: what was posted before still runs,
    /// and jobs of its pool are waited for, without a limit unless the reactor has
    /// [one](crate::reactor::ReactorBuilder::stop_within).
    ///
    /// This takes the reactor by value, so its own callbacks cannot call it: there, [spawn](Self::spawn) the future. A
    /// callback of another reactor can, which goes on when this one has ended: a future that awaits an answer of that
    /// one never ends.
    ///
    /// ```
    /// use selvedge::{Failure, Reactor};
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::new();
    /// let local = reactor.local();
    /// let answer = reactor.block_on(async move {
    ///     local.sleep(Duration::from_millis(1)).await?;
    ///     let six = local.defer_to_thread(|| 6_u32).await?;
    ///     Ok::<u32, Failure>(six * 7)
    /// })?;
    /// assert_eq!(answer, 42);
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// # Errors
    /// The error of the future, or its [`Panic`](crate::error::Panic); [`ReactorStopped`] if the reactor is stopped
    /// before the future has ended, which is dropped then.
    pub fn block_on<F>(self, future: F) -> Result<<F::Output as Outcome<Failure>>::Value, Failure>
    where
        F: IntoFuture<Output: Outcome<Failure>, IntoFuture: 'static>,
    {
        let output = Rc::new(Cell::new(None));
        let (kept, handle) = (Rc::clone(&output), self.handle());
        drop(self.spawn(future.into_future()).add_both(move |result| {
            kept.set(Some(result));
            handle.stop();
        }));
        self.run();
        output.take().unwrap_or_else(|| Err(Failure::without_backtrace(ReactorStopped)))
    }
}
