//! The machine of a queue of items: items that wait for takers, takers that wait for items, and who brings them together.
//!
//! ```text
//!   Empty ──put──▶ Items          Empty ──take──▶ Takers ──put──▶ Handing on ──next: no pair──▶ …
//!     ▲             │                                             ▲        │
//!     └────take─────┘                                             └─ next ─┘  deliver one, and ask again
//! ```
//!
//! At rest there are items or takers, never both. Delivering an item runs its taker's code, which may put, take and cancel; while that goes on both may be there, and the
//! limits count what would be left of each if all pairs were made.

use std::collections::VecDeque;

use super::line::{Key, Line};

/// A queue. `T` are the items, `W` those who wait for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Stock<T, W> {
    /// At most so many items that nobody waits for.
    size: Option<usize>,
    /// At most so many takers for whom there is nothing.
    backlog: Option<usize>,
    items: VecDeque<T>,
    takers: Line<W>,
    handing_on: bool,
}

/// What the one who put an item owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Put {
    OweNothing,
    /// Ask for the [`next`](Stock::next) pair and deliver it, until there is none.
    HandOn,
}

/// What somebody who comes for an item gets.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Take<T> {
    /// The first item.
    Item(T),
    /// A place in the line. [`wait`](Stock::wait) takes it.
    Waits,
    /// So many wait already that no more may.
    Refused,
}

impl<T, W> Stock<T, W> {
    pub(crate) const fn new(size: Option<usize>, backlog: Option<usize>) -> Self {
        Self { size, backlog, items: VecDeque::new(), takers: Line::new(), handing_on: false }
    }

    /// An item comes. It is handed back if it would be one too many.
    pub(crate) fn put(&mut self, item: T) -> Result<Put, T> {
        let wanted = self.items.len() < self.takers.len();
        let left = self.items.len().saturating_sub(self.takers.len());
        if !wanted && self.size.is_some_and(|size| left >= size) {
            return Err(item);
        }
        self.items.push_back(item);
        if self.handing_on || self.takers.is_empty() {
            return Ok(Put::OweNothing);
        }
        self.handing_on = true;
        Ok(Put::HandOn)
    }

    /// Somebody comes for an item. Nobody overtakes: while others wait it waits too, even if there is an item for each of them.
    pub(crate) fn take(&mut self) -> Take<T> {
        if self.takers.is_empty()
            && let Some(item) = self.items.pop_front()
        {
            return Take::Item(item);
        }
        let served = self.takers.len() < self.items.len();
        let left = self.takers.len().saturating_sub(self.items.len());
        if !served && self.backlog.is_some_and(|backlog| left >= backlog) {
            return Take::Refused;
        }
        Take::Waits
    }

    /// The key of the next to wait.
    pub(crate) fn next_key(&self) -> Key {
        self.takers.next_key()
    }

    /// Takes a place in the line.
    pub(crate) fn wait(&mut self, taker: W) {
        self.takers.push(taker);
    }

    /// A taker gives up. Handed out, so that it is dropped elsewhere; none, if it was served before. The item that would have been its, if there is one, stays.
    pub(crate) fn give_up(&mut self, key: Key) -> Option<W> {
        self.takers.remove(key)
    }

    /// The next pair, for the one who hands on. When there is none, handing on is over.
    pub(crate) fn next(&mut self) -> Option<(W, T)> {
        if !self.items.is_empty()
            && let Some(taker) = self.takers.pop()
            && let Some(item) = self.items.pop_front()
        {
            return Some((taker, item));
        }
        self.handing_on = false;
        None
    }

    /// Items that nobody waits for.
    pub(crate) fn len(&self) -> usize {
        self.items.len().saturating_sub(self.takers.len())
    }

    /// Takers for whom there is nothing.
    pub(crate) fn waiting(&self) -> usize {
        self.takers.len().saturating_sub(self.items.len())
    }

    #[cfg(test)]
    pub(crate) fn handing_on(&self) -> bool {
        self.handing_on
    }
}
