//! A FIFO queue of waiters. A waiter can be removed from the middle.
//!
//! Waiters lie in a radix tree by the order in which they came: every operation takes O(log n) in the worst case, a
//! key is never used again, and memory follows the number of waiters.

use std::hash::{Hash, Hasher};

use super::radix_map::RadixMap;

/// Identifies one waiter among all that this queue has ever held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(u64);

/// The queue. `W` is a waiter.
#[derive(Debug, Clone)]
pub(crate) struct WaitQueue<W> {
    waiters: RadixMap<W>,
    next: u64,
}

impl<W> WaitQueue<W> {
    pub(crate) const fn new() -> Self {
        Self { waiters: RadixMap::new(), next: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key that the next [`push`](Self::push) will return: a waiter's canceller needs it before the waiter exists.
    pub(crate) fn next_key(&self) -> Key {
        Key(self.next)
    }

    /// Appends a waiter.
    pub(crate) fn push(&mut self, waiter: W) -> Key {
        let key = self.next_key();
        self.waiters.insert(self.next, waiter);
        self.next += 1;
        key
    }

    pub(crate) fn first_key(&self) -> Option<Key> {
        self.waiters.first().map(|(key, _)| Key(key))
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut W> {
        self.waiters.get_mut(key.0)
    }

    pub(crate) fn first(&self) -> Option<&W> {
        self.waiters.first().map(|(_, waiter)| waiter)
    }

    /// Removes the first waiter.
    pub(crate) fn pop(&mut self) -> Option<W> {
        self.pop_if(|_| true)
    }

    /// Removes the first waiter, if it is as asked for.
    pub(crate) fn pop_if(&mut self, is_asked_for: impl FnOnce(&W) -> bool) -> Option<W> {
        let waiter = self.waiters.pop_first_if(is_asked_for);
        drop(self.waiters.take_emptied());
        waiter
    }

    /// Removes the waiter with this key, wherever it is. `None` if it was removed before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<W> {
        let waiter = self.waiters.remove(key.0);
        drop(self.waiters.take_emptied());
        waiter
    }
}

/// Two queues are one state if the same waiters have the same keys, and the next has too.
impl<W: PartialEq> PartialEq for WaitQueue<W> {
    fn eq(&self, other: &Self) -> bool {
        self.next == other.next && self.waiters.iter().eq(other.waiters.iter())
    }
}

impl<W: Eq> Eq for WaitQueue<W> {}

impl<W: Hash> Hash for WaitQueue<W> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.next.hash(state);
        self.waiters.iter().for_each(|waiter| waiter.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use super::WaitQueue;

    // Checks: B64, P31
    #[test]
    fn a_wait_queue_is_fifo_also_after_removals_from_the_middle() {
        let mut queue = WaitQueue::new();
        let keys: Vec<_> = (0..5).map(|waiter| queue.push(waiter)).collect();
        assert_eq!(queue.remove(keys[2]), Some(2));
        assert_eq!(queue.remove(keys[0]), Some(0));
        assert_eq!(queue.remove(keys[4]), Some(4));
        queue.push(5);
        assert_eq!([queue.pop(), queue.pop(), queue.pop(), queue.pop()], [Some(1), Some(3), Some(5), None]);
        assert!(queue.is_empty());
    }

    // Checks: P31
    #[test]
    fn a_stale_key_removes_nobody_not_even_the_next_waiter() {
        let mut queue = WaitQueue::new();
        let key = queue.push(1);
        assert_eq!(queue.pop(), Some(1));
        assert_ne!(queue.next_key(), key);
        let next = queue.push(2);
        assert_eq!((queue.remove(key), queue.remove(next), queue.remove(next)), (None, Some(2), None));
    }
}
