//! Methods of a [`LocalHandle`] that do what those of its reactor do, as long as that has not ended.

use std::time::Duration;

use super::super::deferred::{Deferred, Outcome, maybe_deferred};
use super::super::pool::{IntoJob, ThreadPool};
use super::super::reactor::{DelayedCall, LocalHandle, Reactor};
use super::super::report::drop_contained;
use super::{defer_to_thread, defer_to_thread_pool};
use crate::error::ReactorStopped;
use crate::failure::Failure;

impl LocalHandle {
    /// Calls `f` with the reactor, now, and returns what it returns as a Deferred: a value, a `Result`, or a Deferred,
    /// which is waited for.
    ///
    /// If the reactor has ended, `f` is dropped, and the Deferred has failed with [`ReactorStopped`]. Only
    /// [`Handle::ask`](crate::Handle::ask) can be called on other threads.
    ///
    /// **Cancel safety.** `f` has run when this returns. Cancelling the Deferred cancels the one that `f` has returned.
    ///
    /// ```
    /// use selvedge::{Failure, Reactor};
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::new();
    /// let local = reactor.local();
    /// reactor.block_on(async move {
    ///     // Without `ask`: `local.with(|reactor| reactor.sleep(…))?.await?`
    ///     local.ask(|reactor| reactor.sleep(Duration::from_millis(1))).await
    /// })?;
    /// # Ok::<(), Failure>(())
    /// ```
    #[track_caller]
    pub fn ask<R>(&self, f: impl FnOnce(&Reactor) -> R) -> Deferred<R::Value>
    where
        R: Outcome<Failure>,
    {
        match self.reactor() {
            Ok(reactor) => maybe_deferred(|| f(&reactor)),
            Err(stopped) => {
                drop_contained(f);
                Deferred::fail(stopped)
            }
        }
    }

    /// As [`threads::defer_to_thread`](defer_to_thread). If the reactor has ended, the job is dropped, and the Deferred
    /// has failed with [`ReactorStopped`].
    ///
    /// **Cancel safety.** As there: cancelling the Deferred takes a job that waits out of the queue, and sets the token
    /// of one that runs.
    #[track_caller]
    pub fn defer_to_thread<J, R>(&self, job: J) -> Deferred<R::Value>
    where
        J: IntoJob,
        J::Function: FnOnce() -> R + Send + 'static,
        R: Outcome<Failure> + Send + 'static,
    {
        match self.reactor() {
            Ok(reactor) => defer_to_thread(&reactor, job),
            Err(stopped) => {
                drop_contained(job);
                Deferred::fail(stopped)
            }
        }
    }

    /// As [`threads::defer_to_thread_pool`](defer_to_thread_pool). If the reactor has ended, the job is dropped, and
    /// the Deferred has failed with [`ReactorStopped`].
    ///
    /// **Cancel safety.** As with [`defer_to_thread`](Self::defer_to_thread).
    #[track_caller]
    pub fn defer_to_thread_pool<J, R>(&self, pool: &ThreadPool, job: J) -> Deferred<R::Value>
    where
        J: IntoJob,
        J::Function: FnOnce() -> R + Send + 'static,
        R: Outcome<Failure> + Send + 'static,
    {
        match self.reactor() {
            Ok(reactor) => defer_to_thread_pool(&reactor, pool, job),
            Err(stopped) => {
                drop_contained(job);
                Deferred::fail(stopped)
            }
        }
    }

    /// As [`Reactor::call_later`].
    ///
    /// # Errors
    /// The reactor has ended; `f` is dropped.
    pub fn call_later<F>(&self, delay: Duration, f: F) -> Result<DelayedCall, ReactorStopped>
    where
        F: FnOnce(&Reactor) + 'static,
    {
        match self.reactor() {
            Ok(reactor) => Ok(reactor.call_later(delay, f)),
            Err(stopped) => {
                drop_contained(f);
                Err(stopped)
            }
        }
    }

    /// As [`Handle::stop`](crate::Handle::stop): asks the reactor to stop, after the calls that were posted before. It
    /// may be called before the reactor runs and when it has ended.
    pub fn stop(&self) {
        self.handle().stop();
    }
}
