//! The lock: a semaphore of one permit.

use std::fmt;
use std::num::NonZero;

use super::super::deferred::{Deferred, Outcome};
use super::semaphore::{DeferredSemaphore, Permit};
use crate::error::OverRelease;
use crate::failure::Failure;

/// A lock that may be held across turns of the reactor, by one holder at a time. The others wait, and are served in the
/// order in which they asked.
///
/// Code on one thread needs no lock for what it does between two waits. It needs this one for an operation that has to
/// wait in the middle, while no other of its kind may begin. This is a [`DeferredSemaphore`] with a single permit:
/// order, waiters, handles and cost are described there.
///
/// **Cancel safety.** As for the semaphore: a waiter that gives up leaves the queue, and a permit that nobody took goes
/// to the next.
///
/// ```
/// use selvedge::{Deferred, coordination::DeferredLock};
///
/// let lock = DeferredLock::new();
/// let (written, resolver) = Deferred::<()>::new();
/// lock.run(move || written).log_error(); // Holds the lock until `written` has fired.
/// let second = lock.run(|| println!("and now I"));
/// assert!(lock.is_locked() && lock.waiting() == 1);
/// resolver.callback(());
/// assert!(second.try_result().is_ok());
/// ```
#[derive(Clone)]
pub struct DeferredLock(DeferredSemaphore);

impl DeferredLock {
    /// A lock that nobody holds.
    #[must_use]
    pub fn new() -> Self {
        Self(DeferredSemaphore::new(NonZero::<usize>::MIN))
    }

    /// The lock, as soon as it is free: at once, if nobody holds it or waits for it.
    #[must_use = "dropping the Deferred gives the lock back at once"]
    #[track_caller]
    pub fn acquire(&self) -> Deferred<Permit> {
        self.0.acquire()
    }

    /// The lock, if it is free and nobody waits for it.
    #[must_use = "dropping the permit releases the lock"]
    pub fn try_acquire(&self) -> Option<Permit> {
        self.0.try_acquire()
    }

    /// Calls a function while holding the lock, and holds it until the Deferred that the function may return has fired:
    /// see [`DeferredSemaphore::run`].
    #[track_caller]
    pub fn run<R, F>(&self, f: F) -> Deferred<R::Value>
    where
        F: FnOnce() -> R + 'static,
        R: Outcome<Failure>,
    {
        self.0.run(f)
    }

    /// Releases the lock, if its permit was [kept](Permit::keep).
    ///
    /// # Errors
    /// The permit is not kept: nobody holds the lock, or a guard does.
    pub fn release(&self) -> Result<(), OverRelease> {
        self.0.release()
    }

    /// Whether somebody holds it, or is about to.
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
