//! A queue of any number of waiters, of which the first two are known: no transition reads more.

use std::collections::VecDeque;

use super::count::{Count, ZERO};

/// Whom a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    First,
    /// The second, or any behind it.
    Another,
    /// Nobody who waits now.
    Nobody,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WaitQueue<W> {
    /// The first two, in order.
    waiters: VecDeque<W>,
    /// Those that are not known.
    behind: Count,
}

impl<W> WaitQueue<W> {
    pub(crate) const fn new() -> Self {
        Self { waiters: VecDeque::new(), behind: ZERO }
    }

    /// A queue of these waiters, two at most, and of so many others behind two.
    pub(crate) fn of(waiters: impl IntoIterator<Item = W>, behind: Count) -> Self {
        Self { waiters: waiters.into_iter().collect(), behind }
    }

    pub(crate) fn len(&self) -> Count {
        Count(self.behind.0 + self.waiters.len() as i64)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(crate) fn next_key(&self) -> Key {
        Key::Nobody
    }

    pub(crate) fn push(&mut self, waiter: W) -> Key {
        if self.waiters.len() < 2 {
            self.waiters.push_back(waiter);
        } else {
            self.behind += 1;
        }
        Key::Nobody
    }

    pub(crate) fn first(&self) -> Option<&W> {
        self.waiters.front()
    }

    pub(crate) fn pop(&mut self) -> Option<W> {
        self.waiters.pop_front()
    }

    pub(crate) fn pop_if(&mut self, is_asked_for: impl FnOnce(&W) -> bool) -> Option<W> {
        if is_asked_for(self.waiters.front()?) { self.waiters.pop_front() } else { None }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<W> {
        match key {
            Key::First => self.waiters.pop_front(),
            Key::Another => self.waiters.remove(1),
            Key::Nobody => None,
        }
    }
}
