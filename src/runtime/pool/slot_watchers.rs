//! Those who watch a bounded queue for a free slot, in a list through a table: any of them may leave it.

use super::slots::Slots;
use crate::machine::pool::WorkerSlot;

/// Those who wait for a slot without blocking a thread, in the order in which they began to. Every operation costs a
/// constant number of steps.
pub(super) struct Watchers<T> {
    entries: Slots<Watcher<T>>,
    first: Option<WorkerSlot>,
    last: Option<WorkerSlot>,
    len: usize,
    /// How many there ever were.
    numbered: u64,
}

struct Watcher<T> {
    number: u64,
    tell: T,
    previous: Option<WorkerSlot>,
    next: Option<WorkerSlot>,
}

/// Where a watcher is, and which one: places are used again.
#[derive(Clone, Copy)]
pub(super) struct WatchKey {
    place: WorkerSlot,
    number: u64,
}

impl<T> Default for Watchers<T> {
    fn default() -> Self {
        Self { entries: Slots::default(), first: None, last: None, len: 0, numbered: 0 }
    }
}

impl<T> Watchers<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, tell: T) -> WatchKey {
        let (number, previous) = (self.numbered, self.last);
        self.numbered += 1;
        self.len += 1;
        let place = self.entries.insert(Watcher { number, tell, previous, next: None });
        match previous.and_then(|last| self.entries.get_mut(last)) {
            Some(last) => last.next = Some(place),
            None => self.first = Some(place),
        }
        self.last = Some(place);
        WatchKey { place, number }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.take_out(self.first?)
    }

    /// `None` if it is gone.
    pub(super) fn remove(&mut self, key: WatchKey) -> Option<T> {
        if self.entries.get_mut(key.place)?.number == key.number { self.take_out(key.place) } else { None }
    }

    fn take_out(&mut self, place: WorkerSlot) -> Option<T> {
        let Watcher { tell, previous, next, .. } = self.entries.free_slot(place)?;
        match previous.and_then(|previous| self.entries.get_mut(previous)) {
            Some(watcher) => watcher.next = next,
            None => self.first = next,
        }
        match next.and_then(|next| self.entries.get_mut(next)) {
            Some(watcher) => watcher.previous = previous,
            None => self.last = previous,
        }
        self.len -= 1;
        Some(tell)
    }
}

#[cfg(test)]
mod tests {
    use super::Watchers;

    // Checks: P133
    #[test]
    fn watchers_leave_in_order_or_from_the_middle_and_a_stale_key_finds_nobody() {
        let mut watchers = Watchers::default();
        let keys: Vec<_> = (0..5).map(|number| watchers.push(number)).collect();
        assert_eq!([4, 0, 2].map(|at| watchers.remove(keys[at])), [Some(4), Some(0), Some(2)]);
        // In the places of those that have left.
        assert_eq!((watchers.push(5), watchers.push(6)).1.number, 6);
        assert_eq!([4, 0, 2].map(|at| watchers.remove(keys[at])), [None; 3]);
        assert_eq!(watchers.len(), 4);
        let left: Vec<_> = std::iter::from_fn(|| watchers.pop()).collect();
        assert_eq!((left, watchers.len()), (vec![1, 3, 5, 6], 0));
        watchers.push(7);
        assert_eq!(watchers.pop(), Some(7));
    }
}
