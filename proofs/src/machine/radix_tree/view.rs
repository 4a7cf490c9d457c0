//! Any radix map, and what is in it. Each value is the key under which it was inserted.

use super::super::count::Count;
use super::children::Children;
use super::key::{DIGITS, Key, digit, followed_by, prefix};
use super::map::{Node, RadixMap, SPARE_LEAVES};
use crate::explore::{assume, choose, prove};
use crate::symbol::{Condition, Int, named};

const BITS: u32 = 4;

/// The map.
#[derive(Debug, Clone)]
pub(crate) struct Tree(RadixMap<Key, BITS>);

impl Tree {
    /// Any map of so many values. Its prefix has this one's digits down to one that differs, if one does.
    pub(crate) fn any(len: Int, key: Key) -> Option<Self> {
        let mut map = RadixMap::default();
        map.height =
            (0..DIGITS as u32 - 1).find(|_| !choose("the tree has another level")).unwrap_or(DIGITS as u32 - 1);
        map.prefix = prefix::<BITS>(key, map.height).differing(DIGITS - 1 - map.height as usize, "prefix")?;
        map.len = Count(len);
        assume(Int::ZERO.at_most(len) & len.less(Int::GREATEST))?;
        if choose("the map holds a value") {
            map.root = Some(any_node(map.height, map.prefix));
        }
        let spare = match (choose("an emptied leaf was kept"), choose("as many as may be were")) {
            (false, false) => 0,
            (true, false) => SPARE_LEAVES - 1,
            (true, true) => SPARE_LEAVES,
            (false, true) => return None,
        };
        map.spare.extend((0..spare).map(|_| Children::new(BITS)));
        assume(if map.root.is_some() { len.is_positive() } else { len.is_zero() })?;
        Some(Self(map))
    }

    pub(crate) fn new() -> Self {
        Self(RadixMap::default())
    }

    pub(crate) fn insert(&mut self, key: Key) {
        self.0.insert(key, key);
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Key> {
        self.0.remove(key)
    }

    pub(crate) fn pop_first_if(&mut self, is_asked_for: impl FnOnce(&Key) -> bool) -> Option<Key> {
        self.0.pop_first_if(is_asked_for)
    }

    /// The first value with its key, as the map says.
    pub(crate) fn first(&self) -> Option<(Key, Key)> {
        self.0.first().map(|(key, value)| (key, *value))
    }

    /// The value under a key, as the map says.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<Key> {
        self.0.get_mut(key).copied()
    }

    pub(crate) fn take_emptied(&mut self) {
        if let Some(emptied) = self.0.take_emptied() {
            prove("what leaves the map holds no value", emptied._nodes.iter().all(Node::is_empty));
            prove("what leaves the map is in it no more", self.0.emptied.is_empty());
        }
    }

    pub(crate) fn len(&self) -> Int {
        self.0.len().0
    }

    pub(crate) fn has_values(&self) -> bool {
        self.0.root.is_some()
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: Key) -> Option<Key> {
        self.descend(key, |_, _| {})
    }

    /// The same after a step. All nodes on the way must be as they should.
    pub(crate) fn get_proved(&self, key: Key) -> Option<Key> {
        let map = &self.0;
        prove("there is no level above the highest digit", (map.height as usize) < DIGITS);
        prove("the prefix has the digits above the root's level", {
            Condition::all(map.prefix.0.iter().skip(DIGITS - 1 - map.height as usize).map(|digit| digit.is_zero()))
        });
        prove("only a few emptied leaves are kept", map.spare.len() <= SPARE_LEAVES);
        prove("what was emptied holds no value", {
            map.spare.iter().all(Children::is_empty) && map.emptied.iter().all(Node::is_empty)
        });
        self.descend(key, |node, level| {
            prove("leaves are on the lowest level", matches!(node, Node::Leaf(_)) == (level == 0));
            prove("no empty node is kept", !node.is_empty());
        })
    }

    fn descend(&self, key: Key, visit: impl Fn(&Node<Key>, u32)) -> Option<Key> {
        let map = &self.0;
        let (mut node, mut level) = (map.root.as_ref()?, map.height);
        let is_below = map.prefix == prefix::<BITS>(key, map.height);
        loop {
            visit(node, level);
            if !is_below {
                return None;
            }
            match node {
                Node::Leaf(leaf) => return leaf.get(digit::<BITS>(key, level)).copied(),
                Node::Inner(inner) => node = inner.get(digit::<BITS>(key, level))?,
            }
            level = level.checked_sub(1)?;
        }
    }
}

/// Any node of this level, whose keys have these digits above it.
fn any_node(level: u32, path: Key) -> Node<Key> {
    match level {
        0 => Node::Leaf(Children::any(0, path, |_, path, digit| followed_by::<BITS>(path, digit))),
        _ => Node::Inner(Children::any(level, path, |level, path, digit| {
            any_node(level - 1, followed_by::<BITS>(path, digit))
        })),
    }
}

impl Key {
    /// Any key of so many digits: it has this one's, down to one that differs, if one does.
    pub(crate) fn differing(self, digits: usize, name: &str) -> Option<Self> {
        let Some(differs) = (0..digits).rev().find(|_| choose("a digit differs")) else { return Some(self) };
        let mut key = self;
        for at in 0..=differs {
            key.0[at] = Int::unknown(named(&format!("{name}, digit {at}")));
        }
        assume(!key.0[differs].equals(self.0[differs]))?;
        Some(key)
    }
}
