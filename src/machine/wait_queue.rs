//! A FIFO queue of waiters, any of which can be removed by its key: every operation takes constant time.
//!
//! A doubly linked list inside a vector. A key is a slot's index and a sequence number that this queue never uses
//! again, so a key that is used too late removes nobody. Slots are reused, and freed when the queue is empty: memory
//! follows the greatest length since then, not the number of waiters ever.

/// One entry of the vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Slot<W> {
    /// A waiter, and the indices of its neighbours in the queue.
    Waiter { waiter: W, sequence: u64, previous: Option<usize>, next: Option<usize> },
    /// Unused. Links to the next unused slot.
    Free(Option<usize>),
}

/// Identifies one waiter among all that this queue has ever held, earlier ones of the same slot included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    index: usize,
    sequence: u64,
}

/// The queue. `W` is a waiter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WaitQueue<W> {
    slots: Vec<Slot<W>>,
    head: Option<usize>,
    tail: Option<usize>,
    /// First of the unused slots.
    free: Option<usize>,
    len: usize,
    next_sequence: u64,
}

impl<W> WaitQueue<W> {
    /// Slots whose memory an empty queue keeps.
    const RETAINED_CAPACITY: usize = 16;

    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), head: None, tail: None, free: None, len: 0, next_sequence: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The key that the next [`push`](Self::push) will return: a waiter's canceller needs it before the waiter exists.
    pub(crate) fn next_key(&self) -> Key {
        Key { index: self.free.unwrap_or(self.slots.len()), sequence: self.next_sequence }
    }

    /// Appends a waiter.
    pub(crate) fn push(&mut self, waiter: W) -> Key {
        let key = self.next_key();
        let new = Slot::Waiter { waiter, sequence: key.sequence, previous: self.tail, next: None };
        match self.slots.get_mut(key.index) {
            Some(slot) => {
                if let Slot::Free(next) = std::mem::replace(slot, new) {
                    self.free = next;
                }
            }
            None => self.slots.push(new),
        }
        self.set_next(self.tail, Some(key.index));
        self.tail = Some(key.index);
        self.head = self.head.or(self.tail);
        self.len += 1;
        self.next_sequence += 1;
        key
    }

    /// Removes the first waiter.
    pub(crate) fn pop(&mut self) -> Option<W> {
        self.unlink(self.head?)
    }

    /// Removes the waiter with this key, wherever it is. `None` if it was removed before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<W> {
        match self.slots.get(key.index) {
            Some(Slot::Waiter { sequence, .. }) if *sequence == key.sequence => self.unlink(key.index),
            Some(_) | None => None,
        }
    }

    /// Frees a slot that holds a waiter, and links its neighbours to each other.
    fn unlink(&mut self, index: usize) -> Option<W> {
        let slot = std::mem::replace(self.slots.get_mut(index)?, Slot::Free(self.free));
        let Slot::Waiter { waiter, previous, next, .. } = slot else { return None };
        self.free = Some(index);
        self.len -= 1;
        self.set_next(previous, next);
        self.set_previous(next, previous);
        if self.head == Some(index) {
            self.head = next;
        }
        if self.tail == Some(index) {
            self.tail = previous;
        }
        if self.len == 0 {
            self.free = None;
            self.slots.clear();
            self.slots.shrink_to(Self::RETAINED_CAPACITY);
        }
        Some(waiter)
    }

    fn set_next(&mut self, index: Option<usize>, to: Option<usize>) {
        if let Some(Slot::Waiter { next, .. }) = index.and_then(|index| self.slots.get_mut(index)) {
            *next = to;
        }
    }

    fn set_previous(&mut self, index: Option<usize>, to: Option<usize>) {
        if let Some(Slot::Waiter { previous, .. }) = index.and_then(|index| self.slots.get_mut(index)) {
            *previous = to;
        }
    }
}

impl<W> Drop for WaitQueue<W> {
    /// From first to last, which is not the order of the slots: the drop of an unserved waiter fails its Deferred, and
    /// those fail in the order in which they waited.
    fn drop(&mut self) {
        while self.pop().is_some() {}
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
    fn a_stale_key_removes_nobody_not_even_the_next_waiter_in_the_same_slot() {
        let mut queue = WaitQueue::new();
        let key = queue.push(1);
        assert_eq!(queue.pop(), Some(1));
        assert_ne!(queue.next_key(), key);
        let next = queue.push(2);
        assert_eq!((queue.remove(key), queue.remove(next), queue.remove(next)), (None, Some(2), None));
    }

    // Checks: P31
    #[test]
    fn memory_follows_the_greatest_length_since_the_queue_was_empty() {
        let mut queue = WaitQueue::new();
        queue.push(0);
        for waiter in 1..10_000 {
            let (one, two) = (queue.push(waiter), queue.push(waiter));
            queue.remove(one);
            queue.remove(two);
        }
        assert_eq!((queue.len(), queue.slots.len()), (1, 3));
        for waiter in 0..10_000 {
            queue.push(waiter);
        }
        while queue.pop().is_some() {}
        assert!(queue.slots.capacity() <= WaitQueue::<i32>::RETAINED_CAPACITY);
    }
}
