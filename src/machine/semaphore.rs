//! The state machine of a semaphore, and of a lock, which is one with a single permit: the permits, and the queue of
//! those who wait for one.
//!
//! ```text
//!   Available ──acquire──▶ Exhausted ──acquire──▶ Contended ──release──▶ Serving ──next: no waiter that fits──▶ …
//!     ▲                        │                                          ▲    │
//!     └────────release─────────┘                                          └next┘  serve one waiter, and ask again
//! ```
//!
//! Serving a waiter runs its callbacks, which may acquire, release and cancel. So `Serving` is a state: permits that
//! are released meanwhile are passed on by the loop that is running already, and nothing recurses.
//!
//! A waiter may ask for several permits: it is served when all of them are there, and those behind it wait as long. So
//! a cancel of the first waiter can make the next one fit. The limit can be changed; below what is held, nothing is
//! available until enough is released.

use super::count::{Count, ONE, ZERO};
use super::wait_queue::{Key, WaitQueue};

/// The semaphore. `W` is a waiter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Semaphore<W> {
    /// Number of permits.
    limit: Count,
    /// Permits that somebody holds. More than the limit only if that was lowered.
    held: Count,
    /// Those held without a guard: [`release_kept`](Self::release_kept) returns them.
    kept: Count,
    /// Each with the number of permits that it asks for.
    waiters: WaitQueue<(Count, W)>,
    /// Some caller that was told to [serve](Released::Serve) is in its loop over [`next`](Self::next).
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

/// What the caller owes where permits became available, or the first waiter left.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Released {
    /// No waiter can be served, or an outer call is serving already.
    Nothing,
    /// Call [`next`](Semaphore::next) and serve that waiter, until there is none that can be served.
    Serve,
}

/// [`release_kept`](Semaphore::release_kept) without a permit that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NoneKept;

impl<W> Semaphore<W> {
    pub(crate) const fn new(limit: Count) -> Self {
        Self { limit, held: ZERO, kept: ZERO, waiters: WaitQueue::new(), serving: false }
    }

    /// Takes permits, all or none. No barging: while others wait, the caller waits too, even if a permit has just been
    /// released for them.
    pub(crate) fn try_acquire(&mut self, count: Count) -> Acquired {
        if self.waiters.is_empty() && count <= self.free() {
            self.held += count;
            Acquired::Granted
        } else {
            Acquired::MustWait
        }
    }

    /// The key of the next to [`wait`](Self::wait).
    pub(crate) fn next_key(&self) -> Key {
        self.waiters.next_key()
    }

    pub(crate) fn wait(&mut self, count: Count, waiter: W) {
        self.waiters.push((count, waiter));
    }

    /// Removes a waiter. It is returned, so that the caller drops it when it no longer borrows the semaphore; `None` if
    /// it was served before.
    pub(crate) fn cancel_wait(&mut self, key: Key) -> (Option<W>, Released) {
        let waiter = self.waiters.remove(key).map(|(_, waiter)| waiter);
        (waiter, self.serve())
    }

    /// Returns permits: their guard was dropped.
    pub(crate) fn release(&mut self, count: Count) -> Released {
        self.held -= count;
        self.serve()
    }

    /// Changes the number of permits. Those that are held stay with their holders.
    pub(crate) fn set_limit(&mut self, limit: Count) -> Released {
        self.limit = limit;
        self.serve()
    }

    /// A guard is gone and its permits are still held, until [`release_kept`](Self::release_kept).
    pub(crate) fn keep(&mut self, count: Count) {
        self.kept += count;
    }

    /// Returns one permit that was kept.
    pub(crate) fn release_kept(&mut self) -> Result<Released, NoneKept> {
        self.kept = self.kept.checked_sub(1).ok_or(NoneKept)?;
        Ok(self.release(ONE))
    }

    fn serve(&mut self) -> Released {
        if self.serving || self.fitting().is_none() {
            return Released::Nothing;
        }
        self.serving = true;
        Released::Serve
    }

    /// The number of permits that the first waiter asks for, if there are as many.
    fn fitting(&self) -> Option<Count> {
        self.waiters.first().map(|(count, _)| *count).filter(|count| *count <= self.free())
    }

    fn free(&self) -> Count {
        self.limit.saturating_sub(self.held)
    }

    /// The next waiter, for the loop that serves, and how many permits it holds from now on. `None` ends that loop.
    pub(crate) fn next(&mut self) -> Option<(Count, W)> {
        let free = self.free();
        let next = self.waiters.pop_if(|(count, _)| *count <= free);
        match next {
            Some((count, _)) => self.held += count,
            None => self.serving = false,
        }
        next
    }

    pub(crate) fn limit(&self) -> Count {
        self.limit
    }

    /// Permits that could be acquired now: none while somebody waits.
    pub(crate) fn available(&self) -> Count {
        if self.waiters.is_empty() { self.free() } else { ZERO }
    }

    pub(crate) fn waiting(&self) -> Count {
        self.waiters.len()
    }

    #[cfg(test)]
    pub(crate) fn is_serving(&self) -> bool {
        self.serving
    }
}
