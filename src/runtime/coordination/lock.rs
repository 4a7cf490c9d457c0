//! The lock: a semaphore of one permit.

use std::fmt;
use std::num::NonZero;

use super::super::deferred::{Deferred, Outcome};
use super::semaphore::{DeferredSemaphore, Permit};
use crate::error::OverRelease;
use crate::failure::Failure;

/// Lets one into something at a time, across any number of turns; the others wait, first come, first served.
///
/// Code of one thread needs no lock for what it does between two waits. It needs this one where something must not be begun before something else, which has
/// to wait in the middle, is through. Who is served when, what becomes of waiters and handles, and what it costs: as [`DeferredSemaphore`] says, for this is one with a
/// single permit.
///
/// ```
/// use selvedge::{Deferred, coordination::DeferredLock};
///
/// let lock = DeferredLock::new();
/// let (written, resolver) = Deferred::<()>::new();
/// lock.run(move || written).log_error(); // Has the lock until `written` has fired.
/// let second = lock.run(|| println!("and now I"));
/// assert!(lock.is_locked() && lock.waiting() == 1);
/// resolver.callback(());
/// assert!(second.try_result().is_ok());
/// ```
#[derive(Clone)]
pub struct DeferredLock(DeferredSemaphore);

impl DeferredLock {
    /// A lock that nobody has.
    #[must_use]
    pub fn new() -> Self {
        Self(DeferredSemaphore::new(NonZero::<usize>::MIN))
    }

    /// The lock, as soon as it is free: now, if nobody has it.
    #[track_caller]
    pub fn acquire(&self) -> Deferred<Permit> {
        self.0.acquire()
    }

    /// The lock, if it is free.
    #[must_use = "the lock is given back when the permit is dropped"]
    pub fn try_acquire(&self) -> Option<Permit> {
        self.0.try_acquire()
    }

    /// Calls a function with the lock held, also while the Deferred is waited for that it may return: see [`DeferredSemaphore::run`].
    #[track_caller]
    pub fn run<R, F>(&self, f: F) -> Deferred<R::Value>
    where
        F: FnOnce() -> R + 'static,
        R: Outcome<Failure>,
    {
        self.0.run(f)
    }

    /// Gives the lock back if its permit was [kept](Permit::keep).
    ///
    /// # Errors
    /// It was not: nobody has it, or somebody who has a guard.
    pub fn release(&self) -> Result<(), OverRelease> {
        self.0.release()
    }

    /// Whether somebody has it, or is about to.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.0.tokens() == 0
    }

    /// How many wait for it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }
}

impl Default for DeferredLock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DeferredLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredLock").field("locked", &self.is_locked()).field("waiting", &self.waiting()).finish()
    }
}
