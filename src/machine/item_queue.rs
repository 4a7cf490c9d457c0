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
//!
//! An item that its taker never received comes back (`put_back`), to its place before all that were put after it.
//!
//! A closed queue accepts no item and no taker that would have to wait. The loop that delivers turns those away for
//! whom no item is left; what is left without a taker can be taken.

use super::chunked_queue::ChunkedQueue;
use super::count::Count;
use super::place::{FIRST, ItemsByPlace, Place};
use super::wait_queue::{Key, WaitQueue};

/// The queue. `T` is an item, `W` a taker that waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ItemQueue<T, W> {
    /// Greatest number of items without a taker. `None` is no limit.
    size: Option<Count>,
    /// Greatest number of takers without an item. `None` is no limit.
    backlog: Option<Count>,
    /// Items that came back. All of them come before `items`.
    pub(super) returned: ItemsByPlace<T>,
    pub(super) items: ChunkedQueue<T>,
    /// Place of the first of `items`: the number of items that were taken from there.
    pub(super) taken: Place,
    pub(super) takers: WaitQueue<W>,
    /// Some caller of [`put`](Self::put), [`put_back`](Self::put_back) or [`close`](Self::close) is in its loop over
    /// [`next`](Self::next).
    pub(super) delivering: bool,
    /// Nothing is put any more, and nobody waits for it.
    pub(super) closed: bool,
}

/// What the caller of [`put`](ItemQueue::put), [`put_back`](ItemQueue::put_back) or [`close`](ItemQueue::close) owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Put {
    /// Nobody waits, or an outer call is delivering already.
    Nothing,
    /// Call [`next`](ItemQueue::next) and serve the taker, until there is none.
    Deliver,
}

/// Why an item is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PutRefused {
    /// The limit of items is reached.
    Full,
    Closed,
}

/// What the loop that delivers does with the next taker.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Serve<W, T> {
    /// It gets this item, from this place.
    Deliver(W, T, Place),
    /// The queue is closed, and no item is left for it.
    TurnAway(W),
}

/// What the caller of [`take`](ItemQueue::take) gets.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Take<T> {
    /// The first item, and its place.
    Item(T, Place),
    /// It must wait: [`wait`](ItemQueue::wait) queues it.
    MustWait,
    /// The limit of takers is reached.
    Refused,
    /// The queue is closed, and no item is left for it.
    Closed,
}

impl<T, W> ItemQueue<T, W> {
    pub(crate) const fn new(size: Option<Count>, backlog: Option<Count>) -> Self {
        Self {
            size,
            backlog,
            returned: ItemsByPlace::new(),
            items: ChunkedQueue::new(),
            taken: FIRST,
            takers: WaitQueue::new(),
            delivering: false,
            closed: false,
        }
    }

    /// Appends an item, or returns it with the reason.
    pub(crate) fn put(&mut self, item: T) -> Result<Put, (T, PutRefused)> {
        if self.closed {
            return Err((item, PutRefused::Closed));
        }
        let has_taker = self.items() < self.takers.len();
        if !has_taker && self.size.is_some_and(|size| self.len() >= size) {
            return Err((item, PutRefused::Full));
        }
        self.items.push_back(item);
        Ok(self.deliver())
    }

    /// An item comes back that its taker has not received. It was accepted once, so no limit refuses it.
    pub(crate) fn put_back(&mut self, item: T, place: Place) -> Put {
        let before = self.returned.insert(place, item);
        debug_assert!(before.is_none(), "a place belongs to one item");
        self.deliver()
    }

    /// Accepts nothing from now on. Closing again changes nothing.
    pub(crate) fn close(&mut self) -> Put {
        self.closed = true;
        self.deliver()
    }

    fn deliver(&mut self) -> Put {
        if self.delivering || self.takers.is_empty() {
            return Put::Nothing;
        }
        self.delivering = true;
        Put::Deliver
    }

    /// Takes the first item. No barging: while others wait, the caller waits too, even if there is an item for each of
    /// them.
    pub(crate) fn take(&mut self) -> Take<T> {
        if self.takers.is_empty()
            && let Some((item, place)) = self.pop()
        {
            return Take::Item(item, place);
        }
        let has_item = self.takers.len() < self.items();
        if !has_item && self.closed {
            return Take::Closed;
        }
        if !has_item && self.backlog.is_some_and(|backlog| self.waiting() >= backlog) {
            return Take::Refused;
        }
        Take::MustWait
    }

    /// Removes the first item and returns its place too.
    fn pop(&mut self) -> Option<(T, Place)> {
        if let Some((place, item)) = self.returned.pop_first() {
            return Some((item, place));
        }
        let item = self.items.pop_front()?;
        self.taken += 1;
        Some((item, self.taken - 1))
    }

    fn items(&self) -> Count {
        self.returned.len() + self.items.len()
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

    /// The next taker, and what it gets, for the loop that delivers. `None` ends that loop.
    pub(crate) fn next(&mut self) -> Option<Serve<W, T>> {
        if (self.closed || self.items() > 0)
            && let Some(taker) = self.takers.pop()
        {
            return Some(match self.pop() {
                Some((item, place)) => Serve::Deliver(taker, item, place),
                None => Serve::TurnAway(taker),
            });
        }
        self.delivering = false;
        None
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Items without a taker.
    pub(crate) fn len(&self) -> Count {
        self.items().saturating_sub(self.takers.len())
    }

    /// Takers without an item.
    pub(crate) fn waiting(&self) -> Count {
        self.takers.len().saturating_sub(self.items())
    }

    #[cfg(test)]
    pub(crate) fn is_delivering(&self) -> bool {
        self.delivering
    }
}
