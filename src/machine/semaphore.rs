//! The state machine of a semaphore, and of a lock, which is one with a single permit: the permits, and the queue of
//! those who wait for one.
//!
//! ```text
//!   Available ──acquire──▶ Exhausted ──acquire──▶ Contended ──release──▶ Serving ──next: no waiter, or no permit──▶ …
//!     ▲                        │                                          ▲    │
//!     └────────release─────────┘                                          └next┘  serve one waiter, and ask again
//! ```
//!
//! Serving a waiter runs its callbacks, which may acquire, release and cancel. So `Serving` is a state: permits that
//! are released meanwhile are passed on by the loop that is running already, and nothing recurses.

use super::wait_queue::{Key, WaitQueue};

/// The semaphore. `W` is a waiter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Semaphore<W> {
    /// Number of permits.
    limit: usize,
    /// Permits that nobody holds.
    available: usize,
    /// Permits held without a guard: [`release_kept`](Self::release_kept) returns them.
    kept: usize,
    waiters: WaitQueue<W>,
    /// Some caller of [`release`](Self::release) is in its loop over [`next`](Self::next).
    serving: bool,
}

/// What the caller of [`try_acquire`](Semaphore::try_acquire) gets.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Acquired {
    /// A permit.
    Granted,
    /// It must wait: [`wait`](Semaphore::wait) queues it.
    MustWait,
}

/// What the caller of [`release`](Semaphore::release) owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Released {
    /// Nobody waits, or an outer call is serving already.
    Nothing,
    /// Call [`next`](Semaphore::next) and serve that waiter, until there is none.
    Serve,
}

/// [`release_kept`](Semaphore::release_kept) without a permit that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NoneKept;

impl<W> Semaphore<W> {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, available: limit, kept: 0, waiters: WaitQueue::new(), serving: false }
    }

    /// Takes a permit. No barging: while others wait, the caller waits too, even if a permit has just been released for
    /// them.
    pub(crate) fn try_acquire(&mut self) -> Acquired {
        if self.available > 0 && self.waiters.is_empty() {
            self.available -= 1;
            Acquired::Granted
        } else {
            Acquired::MustWait
        }
    }

    /// The key of the next to [`wait`](Self::wait).
    pub(crate) fn next_key(&self) -> Key {
        self.waiters.next_key()
    }

    pub(crate) fn wait(&mut self, waiter: W) {
        self.waiters.push(waiter);
    }

    /// Removes a waiter. It is returned, so that the caller drops it when it no longer borrows the semaphore; `None` if
    /// it was served before.
    pub(crate) fn cancel_wait(&mut self, key: Key) -> Option<W> {
        self.waiters.remove(key)
    }

    /// Returns a permit: its guard was dropped.
    pub(crate) fn release(&mut self) -> Released {
        self.available += 1;
        if self.serving || self.waiters.is_empty() {
            return Released::Nothing;
        }
        self.serving = true;
        Released::Serve
    }

    /// A guard is gone and its permit is still held, until [`release_kept`](Self::release_kept).
    pub(crate) fn keep(&mut self) {
        self.kept += 1;
    }

    /// Returns a permit that was kept.
    pub(crate) fn release_kept(&mut self) -> Result<Released, NoneKept> {
        self.kept = self.kept.checked_sub(1).ok_or(NoneKept)?;
        Ok(self.release())
    }

    /// The next waiter, for the loop that serves; it holds a permit from now on. `None` ends that loop.
    pub(crate) fn next(&mut self) -> Option<W> {
        let next = if self.available > 0 { self.waiters.pop() } else { None };
        match next {
            Some(_) => self.available -= 1,
            None => self.serving = false,
        }
        next
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Permits that could be acquired now: none while somebody waits.
    pub(crate) fn available(&self) -> usize {
        if self.waiters.is_empty() { self.available } else { 0 }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiters.len()
    }

    #[cfg(test)]
    pub(crate) fn is_serving(&self) -> bool {
        self.serving
    }
}
