//! A queue of waiters, of which the first two are known: no transition reads more.

use std::collections::VecDeque;

use super::count::Count;
use crate::explore::choose;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WaitQueue<W> {
    /// The waiters that are known, in order.
    waiters: VecDeque<W>,
}

impl<W> WaitQueue<W> {
    pub(crate) const fn new() -> Self {
        Self { waiters: VecDeque::new() }
    }

    pub(crate) fn len(&self) -> Count {
        Count::from(self.waiters.len() as i32)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(crate) fn next_key(&self) -> Key {
        Key
    }

    pub(crate) fn push(&mut self, waiter: W) -> Key {
        self.waiters.push_back(waiter);
        Key
    }

    pub(crate) fn first(&self) -> Option<&W> {
        self.waiters.front()
    }

    pub(crate) fn pop(&mut self) -> Option<W> {
        self.waiters.pop_front()
    }

    /// The key may be that of the first, of another, or of one that was removed before.
    pub(crate) fn remove(&mut self, _key: Key) -> Option<W> {
        if choose("the first waiter is removed") { self.waiters.pop_front() } else { None }
    }
}
