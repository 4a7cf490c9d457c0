//! The machine of a semaphore, and of a lock, which is one with a single permit: who has permits, who waits, and who hands them on.
//!
//! ```text
//!             ┌──────────── acquire: granted ────────────┐
//!   Free ─────┴──▶ Taken ──acquire──▶ Taken, some wait ──give back──▶ Handing on ──next: nobody, or no permit──▶ …
//!                                                                     ▲        │
//!                                                                     └─ next ─┘  serve one, and ask again
//! ```
//!
//! Serving a waiter runs its code, which may give back, acquire and cancel. So handing on is a state: what is given back meanwhile is handed on by whoever hands on already, in a loop and not
//! by calling itself.

use super::line::{Key, Line};

/// A semaphore of so many permits. `W` is whoever waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Permits<W> {
    limit: usize,
    /// Nobody has these.
    free: usize,
    /// Out without a guard: given back by [`release`](Self::release).
    kept: usize,
    line: Line<W>,
    handing_on: bool,
}

/// What somebody who comes for a permit gets.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comes {
    /// A permit.
    Granted,
    /// A place in the line. [`wait`](Permits::wait) takes it.
    Waits,
}

/// What the one who gave a permit back owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Given {
    /// Nobody waits, or somebody is handing on already.
    OweNothing,
    /// Ask for the [`next`](Permits::next) and serve it, until there is none.
    HandOn,
}

/// More is given back than was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TooMany;

impl<W> Permits<W> {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, free: limit, kept: 0, line: Line::new(), handing_on: false }
    }

    /// Somebody comes for a permit. Nobody overtakes: while others wait it waits too, even if a permit is on its way to them.
    pub(crate) fn come(&mut self) -> Comes {
        if self.free > 0 && self.line.is_empty() {
            self.free -= 1;
            Comes::Granted
        } else {
            Comes::Waits
        }
    }

    /// The key of the next to wait.
    pub(crate) fn next_key(&self) -> Key {
        self.line.next_key()
    }

    /// Takes a place in the line.
    pub(crate) fn wait(&mut self, waiter: W) {
        self.line.push(waiter);
    }

    /// A waiter gives up. Handed out, so that it is dropped elsewhere; none, if it was served before.
    pub(crate) fn give_up(&mut self, key: Key) -> Option<W> {
        self.line.remove(key)
    }

    /// A guard is dropped.
    pub(crate) fn give_back(&mut self) -> Given {
        self.free += 1;
        if self.handing_on || self.line.is_empty() {
            return Given::OweNothing;
        }
        self.handing_on = true;
        Given::HandOn
    }

    /// A guard leaves its permit to [`release`](Self::release).
    pub(crate) fn keep(&mut self) {
        self.kept += 1;
    }

    /// One permit that was kept is given back.
    pub(crate) fn release(&mut self) -> Result<Given, TooMany> {
        self.kept = self.kept.checked_sub(1).ok_or(TooMany)?;
        Ok(self.give_back())
    }

    /// The next to be served by the one who hands on: it has its permit. When there is none, handing on is over.
    pub(crate) fn next(&mut self) -> Option<W> {
        let next = if self.free > 0 { self.line.pop() } else { None };
        match next {
            Some(_) => self.free -= 1,
            None => self.handing_on = false,
        }
        next
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Permits that somebody who came now could have.
    pub(crate) fn free(&self) -> usize {
        if self.line.is_empty() { self.free } else { 0 }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.line.len()
    }

    #[cfg(test)]
    pub(crate) fn handing_on(&self) -> bool {
        self.handing_on
    }
}
