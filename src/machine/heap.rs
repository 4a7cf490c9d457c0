//! A heap of which each item knows its position, so that any can be removed or replaced, not only the first.
//!
//! The item at position `p` comes before its children, at positions `8 p + 1` to `8 p + 8`. Siblings lie in one block,
//! which is allocated once, at its full size, when the first of them comes, and leaves the heap with the last. So no
//! operation copies what lies in the heap: it passes one block for each level, seven among a million items, and
//! exchanges an item in each at most.

use std::mem;

/// The binary digits of a sibling's index in its block.
const BITS: u32 = 3;
/// How many siblings a block has room for.
const WIDTH: usize = 1 << BITS;

/// How many emptied blocks are kept, so that a few items at a time cost no allocation.
const SPARE_BLOCKS: usize = 4;

/// What can lie in a heap.
pub(crate) trait Item {
    /// Of two items, exactly one comes before the other.
    fn is_before(&self, other: &Self) -> bool;

    /// It lies at this position now.
    fn moved_to(&self, position: usize);
}

/// Siblings, with what is below each. Either without capacity, or with that of [`WIDTH`].
type Block<T> = Vec<Node<T>>;

#[derive(Debug)]
struct Node<T> {
    item: T,
    below: Block<T>,
}

/// The heap.
#[derive(Debug)]
pub(crate) struct Heap<T> {
    /// The first item, alone.
    top: Block<T>,
    len: usize,
    /// Blocks that were emptied, for the next that are needed: at most [`SPARE_BLOCKS`].
    spare: Vec<Block<T>>,
}

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self { top: Vec::new(), len: 0, spare: Vec::new() }
    }
}

impl<T: Item> Heap<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.top.first().map(|node| &node.item)
    }

    pub(crate) fn insert(&mut self, mut item: T) {
        let position = self.len;
        let Some(block) = block_of(&mut self.top, position, |above, at| exchange(&mut item, above, at)) else { return };
        if block.capacity() == 0 {
            *block = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(WIDTH));
        }
        item.moved_to(position);
        block.push(Node { item, below: Vec::new() });
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, position: usize) -> Option<T> {
        let last = self.pop_last()?;
        if position == self.len { Some(last) } else { self.replace(position, last) }
    }

    /// Removes the item at a position, and adds another.
    pub(crate) fn replace(&mut self, position: usize, mut item: T) -> Option<T> {
        let block = block_of(&mut self.top, position, |above, at| exchange(&mut item, above, at))?;
        let node = block.get_mut(index(position))?;
        let replaced = mem::replace(&mut node.item, item);
        sift_down(node, position);
        Some(replaced)
    }

    /// Removes the item at the last position.
    fn pop_last(&mut self) -> Option<T> {
        let position = self.len.checked_sub(1)?;
        let block = block_of(&mut self.top, position, |_, _| ())?;
        let node = block.pop()?;
        if block.is_empty() {
            let emptied = mem::take(block);
            if self.spare.len() < SPARE_BLOCKS {
                self.spare.push(emptied);
            }
        }
        self.len = position;
        Some(node.item)
    }
}

/// The index of a position in its block.
fn index(position: usize) -> usize {
    position.saturating_sub(1) % WIDTH
}

/// The block of a position. What lies above the position is passed, from the top, with its own position.
#[inline]
fn block_of<T>(top: &mut Block<T>, position: usize, mut pass: impl FnMut(&mut T, usize)) -> Option<&mut Block<T>> {
    // The levels above that of the position have one item, eight, 64 and so on: together a seventh of what its own has,
    // rounded down. Its number on its own level has the index on each level as its digits.
    let mut level = (position * (WIDTH - 1) + 1).ilog2() / BITS;
    let number = position - (1 << (BITS * level)) / (WIDTH - 1);
    let (mut block, mut at) = (top, 0);
    while level > 0 {
        let node = block.get_mut((number >> (BITS * level)) % WIDTH)?;
        pass(&mut node.item, at);
        level -= 1;
        at = WIDTH * at + 1 + (number >> (BITS * level)) % WIDTH;
        block = &mut node.below;
    }
    Some(block)
}

/// Exchanges an item that is on its way down with one that it passes, if it comes before that.
#[inline]
fn exchange<T: Item>(item: &mut T, above: &mut T, at: usize) {
    if item.is_before(above) {
        mem::swap(item, above);
        above.moved_to(at);
    }
}

/// Exchanges an item with the first of those below it until it comes before them.
#[inline]
fn sift_down<T: Item>(mut node: &mut Node<T>, mut at: usize) {
    loop {
        let Node { item, below } = node;
        let mut children = below.iter_mut().zip(WIDTH * at + 1..);
        let Some((mut first, mut first_at)) = children.next() else { break };
        for (child, child_at) in children {
            if child.item.is_before(&first.item) {
                (first, first_at) = (child, child_at);
            }
        }
        if !first.item.is_before(item) {
            break;
        }
        mem::swap(item, &mut first.item);
        item.moved_to(at);
        (node, at) = (first, first_at);
    }
    node.item.moved_to(at);
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use super::{Block, Heap, Item, SPARE_BLOCKS, WIDTH};

    #[derive(Clone)]
    struct Numbered {
        number: u64,
        position: Rc<Cell<usize>>,
    }

    impl Numbered {
        fn new(number: u64) -> Self {
            Self { number, position: Rc::default() }
        }
    }

    impl Item for Numbered {
        fn is_before(&self, other: &Self) -> bool {
            self.number < other.number
        }

        fn moved_to(&self, position: usize) {
            self.position.set(position);
        }
    }

    /// Checks a block at these positions and what is below: order, positions and room. Returns how many items it has.
    fn check(block: &Block<Numbered>, first: usize, above: u64) -> usize {
        assert_eq!(block.capacity(), if block.is_empty() { 0 } else { WIDTH });
        let each = block.iter().zip(first..).map(|(node, position)| {
            assert_eq!(node.item.position.get(), position);
            assert!(node.item.number >= above);
            1 + check(&node.below, WIDTH * position + 1, node.item.number)
        });
        each.sum()
    }

    // Checks: P74, P85, P93
    #[test]
    fn a_heap_has_its_items_where_they_say_whatever_is_added_removed_or_replaced() {
        let (mut heap, mut items) = (Heap::default(), BTreeMap::new());
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut below = |bound: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % bound
        };
        for step in 0..6_000 {
            // It grows to three levels, and shrinks again.
            let grows = step % 2_000 < 1_000;
            let some = items.range(below(1 << 20)..).next().or(items.first_key_value()).map(|(&number, _)| number);
            let new = Numbered::new(below(1 << 20) << 20 | step);
            match (below(4), some) {
                (0, Some(number)) => {
                    let old: Numbered = items.remove(&number).unwrap();
                    items.insert(new.number, new.clone());
                    assert_eq!(heap.replace(old.position.get(), new).unwrap().number, number);
                }
                (choice, Some(number)) if (choice == 1) == grows => {
                    let old = items.remove(&number).unwrap();
                    assert_eq!(heap.remove(old.position.get()).unwrap().number, number);
                }
                (_, some) if grows || some.is_none() => {
                    items.insert(new.number, new.clone());
                    heap.insert(new);
                }
                _ => {
                    let first = heap.remove(0).map(|first| first.number);
                    assert_eq!(first, items.pop_first().map(|(number, _)| number));
                }
            }
            assert_eq!((heap.len(), check(&heap.top, 0, 0)), (items.len(), items.len()));
            assert_eq!(heap.first().map(|first| first.number), items.first_key_value().map(|(&number, _)| number));
            assert!(heap.spare.len() <= SPARE_BLOCKS);
            assert!(heap.spare.iter().all(Vec::is_empty));
        }
    }

    // Checks: P93
    #[test]
    fn a_heap_keeps_a_few_emptied_blocks_and_uses_them_first() {
        let mut heap = Heap::default();
        (0..100).for_each(|number| heap.insert(Numbered::new(number)));
        (0..100).for_each(|number| assert_eq!(heap.remove(0).unwrap().number, number));
        assert!(heap.remove(0).is_none());
        assert_eq!(heap.spare.len(), SPARE_BLOCKS);
        heap.insert(Numbered::new(0));
        assert_eq!(heap.spare.len(), SPARE_BLOCKS - 1);
    }
}
