//! The state machine of a queue of items: items that nobody has taken yet, or takers for whom there is no item yet.
//!
//! ```text
//!   Empty ──put──▶ Items          Empty ──take──▶ Takers ──put──▶ Delivering ──next: no pair──▶ …
//!     ▲              │                                            ▲        │
//!     └─────take─────┘                                            └─ next ─┘  deliver one, and ask again
//! ```
//!
//! At rest there are items or takers, never both. Delivering an item runs its taker's callbacks, which may put, take
//! and cancel. Both may be present while that goes on; the limits then count what would be left after every item had
//! been paired with a taker.

use std::collections::VecDeque;

use super::wait_queue::{Key, WaitQueue};

/// The queue. `T` is an item, `W` a taker that waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ItemQueue<T, W> {
    /// Greatest number of items without a taker. `None` is no limit.
    size: Option<usize>,
    /// Greatest number of takers without an item. `None` is no limit.
    backlog: Option<usize>,
    items: VecDeque<T>,
    takers: WaitQueue<W>,
    /// Some caller of [`put`](Self::put) is in its loop over [`next`](Self::next).
    delivering: bool,
}

/// What the caller of [`put`](ItemQueue::put) owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Put {
    /// Nobody waits, or an outer call is delivering already.
    Nothing,
    /// Call [`next`](ItemQueue::next) and deliver the pair, until there is none.
    Deliver,
}

/// What the caller of [`take`](ItemQueue::take) gets.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Take<T> {
    /// The first item.
    Item(T),
    /// It must wait: [`wait`](ItemQueue::wait) queues it.
    MustWait,
    /// The limit of takers is reached.
    Refused,
}

impl<T, W> ItemQueue<T, W> {
    pub(crate) const fn new(size: Option<usize>, backlog: Option<usize>) -> Self {
        Self { size, backlog, items: VecDeque::new(), takers: WaitQueue::new(), delivering: false }
    }

    /// Appends an item, or returns it if the limit of items is reached.
    pub(crate) fn put(&mut self, item: T) -> Result<Put, T> {
        let has_taker = self.items.len() < self.takers.len();
        let unpaired = self.items.len().saturating_sub(self.takers.len());
        if !has_taker && self.size.is_some_and(|size| unpaired >= size) {
            return Err(item);
        }
        self.items.push_back(item);
        if self.delivering || self.takers.is_empty() {
            return Ok(Put::Nothing);
        }
        self.delivering = true;
        Ok(Put::Deliver)
    }

    /// Takes the first item. No barging: while others wait, the caller waits too, even if there is an item for each of
    /// them.
    pub(crate) fn take(&mut self) -> Take<T> {
        if self.takers.is_empty()
            && let Some(item) = self.items.pop_front()
        {
            return Take::Item(item);
        }
        let has_item = self.takers.len() < self.items.len();
        let unpaired = self.takers.len().saturating_sub(self.items.len());
        if !has_item && self.backlog.is_some_and(|backlog| unpaired >= backlog) {
            return Take::Refused;
        }
        Take::MustWait
    }

    /// The key of the next taker to [`wait`](Self::wait).
    pub(crate) fn next_key(&self) -> Key {
        self.takers.next_key()
    }

    pub(crate) fn wait(&mut self, taker: W) {
        self.takers.push(taker);
    }

    /// Removes a taker; an item that it would have got stays. The taker is returned, so that the caller drops it when
    /// it no longer borrows the queue; `None` if it was served before.
    pub(crate) fn cancel_wait(&mut self, key: Key) -> Option<W> {
        self.takers.remove(key)
    }

    /// The next taker and its item, for the loop that delivers. `None` ends that loop.
    pub(crate) fn next(&mut self) -> Option<(W, T)> {
        if !self.items.is_empty()
            && let Some(taker) = self.takers.pop()
            && let Some(item) = self.items.pop_front()
        {
            return Some((taker, item));
        }
        self.delivering = false;
        None
    }

    /// Items without a taker.
    pub(crate) fn len(&self) -> usize {
        self.items.len().saturating_sub(self.takers.len())
    }

    /// Takers without an item.
    pub(crate) fn waiting(&self) -> usize {
        self.takers.len().saturating_sub(self.items.len())
    }

    #[cfg(test)]
    pub(crate) fn is_delivering(&self) -> bool {
        self.delivering
    }
}
