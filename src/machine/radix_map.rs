//! A map from numbers to values in which an operation takes one step for each level, and moves no other value.
//!
//! A radix tree: each level is indexed by one digit of the key, of `BITS` bits. There are as many levels as the keys in
//! the map differ in digits: five for a million consecutive numbers, and never more than sixteen. A node is allocated
//! once, at its full size, and leaves the tree as soon as it is empty.

use std::mem;

/// How many emptied leaves are kept, so that a few values at a time cost no allocation.
const SPARE_LEAVES: usize = 4;

/// The map. Made for keys that ascend from one insertion to the next: neighbours lie in one node, and are likely to
/// leave it at about the same time.
#[derive(Debug, Clone)]
pub(crate) struct RadixMap<T, const BITS: u32 = 4> {
    /// `None` while the map is empty.
    root: Option<Node<T>>,
    /// The level of the root. Leaves are on level 0.
    height: u32,
    /// The digits above the root's level, which all keys have in common.
    prefix: u64,
    len: usize,
    /// Leaves that were emptied, for the next that are needed: at most [`SPARE_LEAVES`].
    spare: Vec<Children<T>>,
    /// Other nodes that were emptied, until they are [taken](Self::take_emptied).
    emptied: Vec<Node<T>>,
}

#[derive(Debug, Clone)]
enum Node<T> {
    Leaf(Children<T>),
    Inner(Children<Node<T>>),
}

/// What a node has, by one digit of the key.
#[derive(Debug, Clone)]
struct Children<C> {
    /// One bit for each that is present.
    present: u64,
    /// Those behind the last that was ever present are left out. Never longer than its first capacity.
    children: Vec<Option<C>>,
}

/// Nodes that have left the tree. To be dropped when no lock is held.
pub(crate) struct Emptied<T> {
    _nodes: Vec<Node<T>>,
}

impl<C> Children<C> {
    fn new(bits: u32) -> Self {
        Self { present: 0, children: Vec::with_capacity(1 << bits) }
    }

    fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// The digit of the first child, if there is one.
    fn first(&self) -> usize {
        self.present.trailing_zeros() as usize
    }

    fn get(&self, digit: usize) -> Option<&C> {
        self.children.get(digit)?.as_ref()
    }

    fn get_mut(&mut self, digit: usize) -> Option<&mut C> {
        self.children.get_mut(digit)?.as_mut()
    }

    /// Those that are present, with the digits down to their own.
    fn present(&self, bits: u32, prefix: u64) -> impl Iterator<Item = (u64, &C)> {
        let children = self.children.iter().enumerate();
        children.filter_map(move |(digit, child)| Some((prefix << bits | digit as u64, child.as_ref()?)))
    }

    fn put(&mut self, digit: usize, child: C) {
        self.present |= 1 << digit;
        match self.children.get_mut(digit) {
            Some(place) => *place = Some(child),
            None => {
                // All that are absent, up to this one.
                self.children.resize_with(digit, || None);
                self.children.push(Some(child));
            }
        }
    }

    fn take(&mut self, digit: usize) -> Option<C> {
        self.present &= !(1 << digit);
        self.children.get_mut(digit)?.take()
    }
}

impl<T> Node<T> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.is_empty(),
            Self::Inner(inner) => inner.is_empty(),
        }
    }

    /// Collects the values below this node, with their keys. `prefix`: the digits of its keys above its level.
    fn visit<'a>(&'a self, bits: u32, prefix: u64, values: &mut Vec<(u64, &'a T)>) {
        debug_assert!(!self.is_empty(), "an empty node is kept");
        match self {
            Self::Leaf(leaf) => values.extend(leaf.present(bits, prefix)),
            Self::Inner(inner) => inner.present(bits, prefix).for_each(|(key, child)| child.visit(bits, key, values)),
        }
    }
}

impl<T, const BITS: u32> Default for RadixMap<T, BITS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const BITS: u32> RadixMap<T, BITS> {
    pub(crate) const fn new() -> Self {
        Self { root: None, height: 0, prefix: 0, len: 0, spare: Vec::new(), emptied: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a value. Its key must not be in the map.
    pub(crate) fn insert(&mut self, key: u64, value: T) {
        let spare = &mut self.spare;
        let mut new_node = |level| match level {
            0 => Node::Leaf(spare.pop().unwrap_or_else(|| Children::new(BITS))),
            _ => Node::Inner(Children::new(BITS)),
        };
        if self.root.is_none() {
            (self.height, self.prefix) = (0, Self::prefix(key, 0));
        }
        while self.prefix != Self::prefix(key, self.height) {
            if let Some(root) = self.root.take() {
                self.height += 1;
                let mut above = Children::new(BITS);
                above.put(Self::digit(self.prefix, 0), root);
                self.root = Some(Node::Inner(above));
            }
            self.prefix = Self::prefix(self.prefix, 0);
        }
        let (mut node, mut level) = (self.root.get_or_insert_with(|| new_node(0)), self.height);
        loop {
            let digit = Self::digit(key, level);
            match node {
                Node::Leaf(leaf) => {
                    leaf.put(digit, value);
                    self.len += 1;
                    return;
                }
                Node::Inner(inner) => {
                    level -= 1;
                    if inner.get(digit).is_none() {
                        inner.put(digit, new_node(level));
                    }
                    let Some(child) = inner.get_mut(digit) else { return };
                    node = child;
                }
            }
        }
    }

    /// All values with their keys, in order. Collects them first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let mut values = Vec::with_capacity(self.len);
        self.root.iter().for_each(|root| root.visit(BITS, self.prefix, &mut values));
        values.into_iter()
    }

    /// The smallest key, and its value.
    pub(crate) fn first(&self) -> Option<(u64, &T)> {
        let (mut node, mut key) = (self.root.as_ref()?, self.prefix);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let digit = leaf.first();
                    return Some((key << BITS | digit as u64, leaf.get(digit)?));
                }
                Node::Inner(inner) => {
                    let digit = inner.first();
                    key = key << BITS | digit as u64;
                    node = inner.get(digit)?;
                }
            }
        }
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        if self.prefix != Self::prefix(key, self.height) {
            return None;
        }
        let (mut node, mut level) = (self.root.as_mut()?, self.height);
        loop {
            let digit = Self::digit(key, level);
            match node {
                Node::Leaf(leaf) => return leaf.get_mut(digit),
                Node::Inner(inner) => node = inner.get_mut(digit)?,
            }
            level -= 1;
        }
    }

    /// Removes the value with the smallest key, if it is as asked for.
    pub(crate) fn pop_first_if(&mut self, is_asked_for: impl FnOnce(&T) -> bool) -> Option<T> {
        let (mut node, mut key) = (self.root.as_mut()?, self.prefix);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let digit = leaf.first();
                    if !is_asked_for(leaf.get(digit)?) {
                        return None;
                    }
                    let value = leaf.take(digit)?;
                    let is_emptied = leaf.is_empty();
                    self.removed(key << BITS | digit as u64, is_emptied);
                    return Some(value);
                }
                Node::Inner(inner) => {
                    let digit = inner.first();
                    key = key << BITS | digit as u64;
                    node = inner.get_mut(digit)?;
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        if self.prefix != Self::prefix(key, self.height) {
            return None;
        }
        let (mut node, mut level) = (self.root.as_mut()?, self.height);
        loop {
            let digit = Self::digit(key, level);
            match node {
                Node::Leaf(leaf) => {
                    let value = leaf.take(digit)?;
                    let is_emptied = leaf.is_empty();
                    self.removed(key, is_emptied);
                    return Some(value);
                }
                Node::Inner(inner) => node = inner.get_mut(digit)?,
            }
            level -= 1;
        }
    }

    /// The nodes that were emptied since this was called last.
    pub(crate) fn take_emptied(&mut self) -> Option<Emptied<T>> {
        if self.emptied.is_empty() { None } else { Some(Emptied { _nodes: mem::take(&mut self.emptied) }) }
    }

    #[inline]
    fn removed(&mut self, key: u64, leaf_is_empty: bool) {
        self.len -= 1;
        if leaf_is_empty {
            self.prune(key);
        }
    }

    /// Removes the empty leaf of a key, and all nodes above it that are empty without it.
    #[cold]
    fn prune(&mut self, key: u64) {
        let Some(mut root) = self.root.take() else { return };
        self.prune_below(&mut root, self.height, key);
        if root.is_empty() {
            self.discard(root);
        } else {
            self.root = Some(root);
        }
    }

    fn prune_below(&mut self, node: &mut Node<T>, level: u32, key: u64) {
        let digit = Self::digit(key, level);
        if let Node::Inner(inner) = node
            && let Some(child) = inner.get_mut(digit)
        {
            self.prune_below(child, level - 1, key);
            if child.is_empty()
                && let Some(child) = inner.take(digit)
            {
                self.discard(child);
            }
        }
    }

    fn discard(&mut self, empty: Node<T>) {
        match empty {
            Node::Leaf(leaf) if self.spare.len() < SPARE_LEAVES => self.spare.push(leaf),
            empty => self.emptied.push(empty),
        }
    }

    /// A digit of a key: that by which a node of this level is indexed.
    fn digit(key: u64, level: u32) -> usize {
        (key >> (BITS * level)) as usize & ((1 << BITS) - 1)
    }

    /// All digits of a key above that of a level.
    fn prefix(key: u64, level: u32) -> u64 {
        key.checked_shr(BITS * (level + 1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::RadixMap;

    /// Checks the map against a reference, and then every continuation of `steps` more steps: a value is added, with a
    /// key that is greater than the last by 1, 2, or very much; or one of the values is removed.
    fn every_program<const BITS: u32>(map: &RadixMap<u64, BITS>, reference: &BTreeMap<u64, u64>, last: u64, steps: u8) {
        assert!(map.iter().eq(reference.iter().map(|(key, value)| (*key, value))));
        assert_eq!(map.len(), reference.len());
        if steps == 0 {
            return;
        }
        for key in [last + 1, last + 2, last | last << 7] {
            let (mut map, mut reference) = (map.clone(), reference.clone());
            if key > last {
                map.insert(key, key);
                reference.insert(key, key);
                every_program(&map, &reference, key, steps - 1);
            }
        }
        let first = map.clone().pop_first_if(|first| Some((first, first)) == reference.first_key_value());
        assert_eq!(first.is_some(), !reference.is_empty());
        assert!(map.clone().pop_first_if(|_| false).is_none());
        assert_eq!(map.first(), reference.first_key_value().map(|(key, value)| (*key, value)));
        for &key in reference.keys() {
            let (mut map, mut reference) = (map.clone(), reference.clone());
            assert!(map.remove(key ^ (1 << 60)).is_none());
            assert_eq!(map.get_mut(key), reference.get_mut(&key));
            assert!(map.get_mut(key ^ (1 << 60)).is_none());
            assert_eq!(map.remove(key), reference.remove(&key));
            assert!(map.remove(key).is_none());
            every_program(&map, &reference, last, steps - 1);
        }
    }

    // Checks: P51
    #[test]
    fn a_radix_map_is_a_map_and_keeps_no_empty_node() {
        every_program::<1>(&RadixMap::default(), &BTreeMap::new(), 5, 6);
        every_program::<2>(&RadixMap::default(), &BTreeMap::new(), u64::from(u32::MAX) - 2, 6);
        every_program::<6>(&RadixMap::default(), &BTreeMap::new(), 61, 6);
    }

    // Checks: P74
    #[test]
    fn a_radix_map_has_a_level_for_each_digit_in_which_its_keys_differ_and_no_more() {
        let mut map = RadixMap::<_>::default();
        (0..1 << 20).for_each(|key| map.insert(key, ()));
        assert_eq!(map.height + 1, 5);
        (0..1 << 20).for_each(|key| map.remove(key).unwrap());
        // A few at a time: many keys have come and gone.
        for key in 1 << 30..(1 << 30) + 1_000 {
            map.insert(key, ());
            if key % 10 == 9 {
                assert!(map.height < 3);
                while map.pop_first_if(|()| true).is_some() {}
            }
        }
        map.insert(0, ());
        map.insert(u64::MAX, ());
        assert_eq!(map.height + 1, 16);
    }

    // Checks: P51
    #[test]
    fn a_radix_map_takes_the_last_key_there_is() {
        let mut map = RadixMap::<_>::default();
        for key in [0, 1 << 40, u64::MAX - 1, u64::MAX] {
            map.insert(key, key);
        }
        for key in [0, 1 << 40, u64::MAX - 1, u64::MAX] {
            assert_eq!(map.iter().next(), Some((key, &key)));
            assert_eq!(map.pop_first_if(|_| true), Some(key));
        }
        assert_eq!(map.len(), 0);
    }
}
