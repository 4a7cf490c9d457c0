//! A map from numbers to values in which an operation takes one step for each level, and moves no other value.
//!
//! A radix tree: each level is indexed by one digit of the key, of `BITS` bits. There are as many levels as the keys in
//! the map differ in digits: five for a million consecutive numbers, and never more than sixteen. A node is allocated
//! once, at its full size, and leaves the tree as soon as it is empty.

use std::mem;

use super::super::count::{Count, ZERO};
use super::children::Children;
use super::key::{Key, NO_DIGITS, digit, followed_by, prefix};

/// How many emptied leaves are kept, so that a few values at a time cost no allocation.
pub(super) const SPARE_LEAVES: usize = 4;

/// The map. Made for keys that ascend from one insertion to the next: neighbours lie in one node, and are likely to
/// leave it at about the same time.
#[derive(Debug, Clone)]
pub(crate) struct RadixMap<T, const BITS: u32 = 4> {
    /// `None` while the map is empty.
    pub(super) root: Option<Node<T>>,
    /// The level of the root. Leaves are on level 0.
    pub(super) height: u32,
    /// The digits above the root's level, which all keys have in common.
    pub(super) prefix: Key,
    pub(super) len: Count,
    /// Leaves that were emptied, for the next that are needed: at most [`SPARE_LEAVES`].
    pub(super) spare: Vec<Children<T>>,
    /// Other nodes that were emptied, until they are [taken](Self::take_emptied).
    pub(super) emptied: Vec<Node<T>>,
}

#[derive(Debug, Clone)]
pub(super) enum Node<T> {
    Leaf(Children<T>),
    Inner(Children<Node<T>>),
}

/// Nodes that have left the tree. To be dropped when no lock is held.
pub(crate) struct Emptied<T> {
    pub(super) _nodes: Vec<Node<T>>,
}

impl<T> Node<T> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.is_empty(),
            Self::Inner(inner) => inner.is_empty(),
        }
    }

    /// Collects the values below this node, with their keys. `prefix`: the digits of its keys above its level.
    fn visit<'a, const BITS: u32>(&'a self, prefix: Key, values: &mut Vec<(Key, &'a T)>) {
        debug_assert!(!self.is_empty(), "an empty node is kept");
        match self {
            Self::Leaf(leaf) => {
                values.extend(leaf.present().map(|(digit, value)| (followed_by::<BITS>(prefix, digit), value)));
            }
            Self::Inner(inner) => {
                let children = inner.present();
                children.for_each(|(digit, child)| child.visit::<BITS>(followed_by::<BITS>(prefix, digit), values));
            }
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
        Self { root: None, height: 0, prefix: NO_DIGITS, len: ZERO, spare: Vec::new(), emptied: Vec::new() }
    }

    pub(crate) fn len(&self) -> Count {
        self.len
    }

    /// Adds a value. Its key must not be in the map.
    pub(crate) fn insert(&mut self, key: Key, value: T) {
        let spare = &mut self.spare;
        let mut new_node = |level| match level {
            0 => Node::Leaf(spare.pop().unwrap_or_else(|| Children::new(BITS))),
            _ => Node::Inner(Children::new(BITS)),
        };
        if self.root.is_none() {
            (self.height, self.prefix) = (0, prefix::<BITS>(key, 0));
        }
        while self.prefix != prefix::<BITS>(key, self.height) {
            if let Some(root) = self.root.take() {
                self.height += 1;
                let mut above = Children::new(BITS);
                above.put(digit::<BITS>(self.prefix, 0), root);
                self.root = Some(Node::Inner(above));
            }
            self.prefix = prefix::<BITS>(self.prefix, 0);
        }
        let (mut node, mut level) = (self.root.get_or_insert_with(|| new_node(0)), self.height);
        loop {
            let digit = digit::<BITS>(key, level);
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let mut values = Vec::new();
        self.root.iter().for_each(|root| root.visit::<BITS>(self.prefix, &mut values));
        values.into_iter()
    }

    /// The smallest key, and its value.
    pub(crate) fn first(&self) -> Option<(Key, &T)> {
        let (mut node, mut key) = (self.root.as_ref()?, self.prefix);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let digit = leaf.first();
                    return Some((followed_by::<BITS>(key, digit), leaf.get(digit)?));
                }
                Node::Inner(inner) => {
                    let digit = inner.first();
                    key = followed_by::<BITS>(key, digit);
                    node = inner.get(digit)?;
                }
            }
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.leaf_of(key)?.get_mut(digit::<BITS>(key, 0))
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
                    self.removed(followed_by::<BITS>(key, digit), is_emptied);
                    return Some(value);
                }
                Node::Inner(inner) => {
                    let digit = inner.first();
                    key = followed_by::<BITS>(key, digit);
                    node = inner.get_mut(digit)?;
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let leaf = self.leaf_of(key)?;
        let value = leaf.take(digit::<BITS>(key, 0))?;
        let is_emptied = leaf.is_empty();
        self.removed(key, is_emptied);
        Some(value)
    }

    /// The nodes that were emptied since this was called last.
    pub(crate) fn take_emptied(&mut self) -> Option<Emptied<T>> {
        if self.emptied.is_empty() { None } else { Some(Emptied { _nodes: mem::take(&mut self.emptied) }) }
    }

    /// The leaf that has the key if the map has it.
    fn leaf_of(&mut self, key: Key) -> Option<&mut Children<T>> {
        if self.prefix != prefix::<BITS>(key, self.height) {
            return None;
        }
        let (mut node, mut level) = (self.root.as_mut()?, self.height);
        loop {
            match node {
                Node::Leaf(leaf) => return Some(leaf),
                Node::Inner(inner) => node = inner.get_mut(digit::<BITS>(key, level))?,
            }
            level -= 1;
        }
    }

    #[inline]
    fn removed(&mut self, key: Key, leaf_is_empty: bool) {
        self.len -= 1;
        if leaf_is_empty {
            self.prune(key);
        }
    }

    /// Removes the empty leaf of a key, and all nodes above it that are empty without it.
    #[cold]
    fn prune(&mut self, key: Key) {
        let Some(mut root) = self.root.take() else { return };
        self.prune_below(&mut root, self.height, key);
        if root.is_empty() {
            self.discard(root);
        } else {
            self.root = Some(root);
        }
    }

    fn prune_below(&mut self, node: &mut Node<T>, level: u32, key: Key) {
        let digit = digit::<BITS>(key, level);
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
}
