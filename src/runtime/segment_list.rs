//! The full segments of a queue in order, and a few emptied ones, which are used again for the next.
//!
//! A list, because a vector copies all that it holds when it grows. Segments move between lists with their nodes, so
//! that a batch allocates nothing if it fits into one segment and the spares.

use std::collections::LinkedList;
use std::mem;

use super::typed_queue::Segment;

/// How many emptied segments are kept.
const MAX_SPARES: usize = 3;

pub(super) struct SegmentList<V> {
    full: LinkedList<Segment<V>>,
    spare: LinkedList<Segment<V>>,
}

/// Memory that a queue does not need any more.
pub(super) type Unused<V> = LinkedList<Segment<V>>;

impl<V> Default for SegmentList<V> {
    fn default() -> Self {
        Self { full: LinkedList::new(), spare: LinkedList::new() }
    }
}

impl<V> SegmentList<V> {
    /// How many full segments there are.
    pub(super) fn len(&self) -> usize {
        self.full.len()
    }

    /// Appends the full segment `last`, and leaves an empty one in its place.
    #[cold]
    #[inline(never)]
    pub(super) fn push(&mut self, last: &mut Segment<V>)
    where
        V: Copy,
    {
        let mut node = take_first(&mut self.spare);
        match node.front_mut() {
            Some(spare) => mem::swap(spare, last),
            None => {
                let next = last.empty_like();
                node.push_back(mem::replace(last, next));
            }
        }
        self.full.append(&mut node);
    }

    /// Takes the first full segment out, as a list of one; empty if there is none.
    pub(super) fn take_first(&mut self) -> LinkedList<Segment<V>> {
        take_first(&mut self.full)
    }

    /// Keeps emptied segments for reuse. Adds to `unused` what is not needed any more.
    pub(super) fn recycle(&mut self, mut emptied: LinkedList<Segment<V>>, unused: &mut Unused<V>) {
        unused.extend(emptied.iter_mut().filter_map(Segment::reset));
        let kept = if self.spare.len() < MAX_SPARES { &mut self.spare } else { unused };
        kept.append(&mut emptied);
    }

    /// Adds the emptied segments to `unused`: they were not needed for long.
    pub(super) fn release_spares(&mut self, unused: &mut Unused<V>) {
        unused.append(&mut self.spare);
    }
}

/// Takes the first node out of a list, which becomes a list of its own.
fn take_first<T>(list: &mut LinkedList<T>) -> LinkedList<T> {
    let rest = list.split_off(list.len().min(1));
    mem::replace(list, rest)
}

#[cfg(test)]
mod tests {
    use super::{LinkedList, MAX_SPARES, Segment, SegmentList, Unused};

    // Checks: P73, P93
    #[test]
    fn a_few_emptied_segments_are_kept_for_reuse() {
        let (mut list, mut unused) = (SegmentList::<()>::default(), Unused::new());
        for _ in 0..MAX_SPARES + 2 {
            list.recycle(LinkedList::from([Segment::default()]), &mut unused);
        }
        assert_eq!((list.spare.len(), unused.len()), (MAX_SPARES, 2));
        list.release_spares(&mut unused);
        assert_eq!((list.spare.len(), unused.len()), (0, MAX_SPARES + 2));
    }
}
