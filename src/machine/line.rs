//! A line of waiters, first in, first out, that anyone may leave from the middle: each step takes constant time.
//!
//! A linked list in a vector. A waiter's key is its place and a number that no other waiter of this line ever has, so a key that is used too late finds
//! nobody. Places are used again, and given up when the line is empty: memory follows the longest that the line has been since, not how many have been in it.

/// Tells one waiter of a line from all others, those before it in the same place included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    at: usize,
    number: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place<W> {
    Waiter {
        waiter: W,
        number: u64,
        before: Option<usize>,
        behind: Option<usize>,
    },
    /// Nobody: the next free place.
    Free(Option<usize>),
}

/// The line itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Line<W> {
    places: Vec<Place<W>>,
    first: Option<usize>,
    last: Option<usize>,
    free: Option<usize>,
    len: usize,
    /// So many have come: the number of the next.
    come: u64,
}

impl<W> Line<W> {
    /// An empty line keeps room for so many.
    const ROOM: usize = 16;

    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), first: None, last: None, free: None, len: 0, come: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The key that the next to come will have: a waiter may need to know its own.
    pub(crate) fn next_key(&self) -> Key {
        Key { at: self.free.unwrap_or(self.places.len()), number: self.come }
    }

    /// Somebody comes, and stands at the end.
    pub(crate) fn push(&mut self, waiter: W) -> Key {
        let key = self.next_key();
        let comes = Place::Waiter { waiter, number: key.number, before: self.last, behind: None };
        match self.places.get_mut(key.at) {
            Some(place) => {
                if let Place::Free(next) = std::mem::replace(place, comes) {
                    self.free = next;
                }
            }
            None => self.places.push(comes),
        }
        self.link(self.last, Some(key.at));
        self.last = Some(key.at);
        self.first = self.first.or(self.last);
        self.len += 1;
        self.come += 1;
        key
    }

    /// The first leaves.
    pub(crate) fn pop(&mut self) -> Option<W> {
        self.leave(self.first?)
    }

    /// One leaves from wherever it stands; nobody, if it has left before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<W> {
        match self.places.get(key.at) {
            Some(Place::Waiter { number, .. }) if *number == key.number => self.leave(key.at),
            Some(_) | None => None,
        }
    }

    /// Only for a place where somebody stands.
    fn leave(&mut self, at: usize) -> Option<W> {
        let place = std::mem::replace(self.places.get_mut(at)?, Place::Free(self.free));
        let Place::Waiter { waiter, before, behind, .. } = place else { return None };
        self.free = Some(at);
        self.len -= 1;
        self.link(before, behind);
        self.link_back(behind, before);
        if self.first == Some(at) {
            self.first = behind;
        }
        if self.last == Some(at) {
            self.last = before;
        }
        if self.len == 0 {
            self.free = None;
            self.places.clear();
            self.places.shrink_to(Self::ROOM);
        }
        Some(waiter)
    }

    /// Whoever stands at `at` has `to` behind it.
    fn link(&mut self, at: Option<usize>, to: Option<usize>) {
        if let Some(Place::Waiter { behind, .. }) = at.and_then(|at| self.places.get_mut(at)) {
            *behind = to;
        }
    }

    /// Whoever stands at `at` has `to` before it.
    fn link_back(&mut self, at: Option<usize>, to: Option<usize>) {
        if let Some(Place::Waiter { before, .. }) = at.and_then(|at| self.places.get_mut(at)) {
            *before = to;
        }
    }
}

impl<W> Drop for Line<W> {
    /// In the order of the line, which is not that of its places: whoever is told by its own drop that there will be nothing is told in its turn.
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    // Checks: B64, P31
    #[test]
    fn a_line_is_first_in_first_out_whoever_leaves_it() {
        let mut line = Line::new();
        let keys: Vec<_> = (0..5).map(|waiter| line.push(waiter)).collect();
        assert_eq!(line.remove(keys[2]), Some(2));
        assert_eq!(line.remove(keys[0]), Some(0));
        assert_eq!(line.remove(keys[4]), Some(4));
        line.push(5);
        assert_eq!([line.pop(), line.pop(), line.pop(), line.pop()], [Some(1), Some(3), Some(5), None]);
        assert!(line.is_empty());
    }

    // Checks: P31
    #[test]
    fn a_key_that_comes_late_finds_nobody_not_even_the_next_in_that_place() {
        let mut line = Line::new();
        let key = line.push(1);
        assert_eq!(line.pop(), Some(1));
        assert_ne!(line.next_key(), key);
        let next = line.push(2);
        assert_eq!((line.remove(key), line.remove(next), line.remove(next)), (None, Some(2), None));
    }

    // Checks: P31
    #[test]
    fn memory_follows_the_longest_that_a_line_has_been_since_it_was_empty() {
        let mut line = Line::new();
        line.push(0);
        for waiter in 1..10_000 {
            let (one, two) = (line.push(waiter), line.push(waiter));
            line.remove(one);
            line.remove(two);
        }
        assert_eq!((line.len(), line.places.len()), (1, 3));
        for waiter in 0..10_000 {
            line.push(waiter);
        }
        while line.pop().is_some() {}
        assert!(line.places.capacity() <= Line::<i32>::ROOM);
    }
}
