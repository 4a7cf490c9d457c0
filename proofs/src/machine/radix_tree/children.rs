//! What a node has, of which a child is known once it is looked at: it is then any that may be there.
//!
//! That the children of a node that ships are a map by digits, the first digit first, is tested for every set of them.

use std::cell::{Cell, OnceCell};

use super::key::{Digit, Key};
use crate::explore::{any, assume, choose, decide, prove};
use crate::symbol::{Condition, Int};

#[derive(Debug, Clone)]
pub(super) struct Children<C> {
    /// It was in the map before the step.
    old: Option<Old<C>>,
    known: Entries<C>,
}

/// What is known of a node that was in the map before the step: it had a child.
#[derive(Debug, Clone)]
struct Old<C> {
    level: u32,
    /// The digits of its keys above its level.
    path: Key,
    /// Any child of such a node, by its digit.
    any_child: fn(u32, Key, Digit) -> C,
    /// Its first digit, if that was asked for.
    first: OnceCell<Digit>,
    /// Whether it has children that are not known, if that was asked for.
    has_others: Cell<Option<bool>>,
}

/// A list to whose end entries are added while others are in use.
type Entries<C> = OnceCell<Box<Entry<C>>>;

#[derive(Debug, Clone)]
struct Entry<C> {
    digit: Digit,
    /// A child was there before the step.
    was: bool,
    child: Option<C>,
    next: Entries<C>,
}

impl<C> Children<C> {
    pub(super) fn new(_bits: u32) -> Self {
        Self { old: None, known: OnceCell::new() }
    }

    /// Any node of this level.
    pub(super) fn any(level: u32, path: Key, any_child: fn(u32, Key, Digit) -> C) -> Self {
        let old = Old { level, path, any_child, first: OnceCell::new(), has_others: Cell::new(None) };
        Self { old: Some(old), known: OnceCell::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        if self.entries().any(|entry| entry.child.is_some()) {
            return false;
        }
        let Some(old) = &self.old else { return true };
        if old.has_others.get().is_none() {
            let had_known = self.entries().any(|entry| entry.was);
            old.has_others.set(Some(!had_known || choose("a node has another child")));
        }
        old.has_others.get() == Some(false)
    }

    pub(super) fn first(&self) -> Digit {
        let Some(old) = &self.old else {
            prove("nobody looks for the first child of a new node", false);
            return Int::ZERO;
        };
        *old.first.get_or_init(|| self.any_first())
    }

    /// Any digit that may be the first: one that was looked at, or another.
    fn any_first(&self) -> Digit {
        let mut known = self.entries().filter(|entry| entry.was).map(|entry| entry.digit);
        let looked_at = known.find(|_| choose("the first child was looked at"));
        let first = looked_at.unwrap_or_else(|| any("first digit"));
        for entry in self.entries().filter(|entry| looked_at != Some(entry.digit)) {
            // A first digit that cannot be rules the path out.
            _ = assume(!first.equals(entry.digit));
            _ = assume(!Condition::from(entry.was) | first.less(entry.digit));
        }
        if looked_at.is_none() {
            self.end().1.get_or_init(|| self.entry(first, true));
        }
        first
    }

    pub(super) fn get(&self, digit: Digit) -> Option<&C> {
        let position = self.position(digit);
        self.entries().nth(position)?.child.as_ref()
    }

    pub(super) fn get_mut(&mut self, digit: Digit) -> Option<&mut C> {
        self.place(digit).as_mut()
    }

    pub(super) fn present(&self) -> impl Iterator<Item = (Digit, &C)> {
        prove("no transition looks at all children of a node", false);
        self.entries().filter_map(|entry| Some((entry.digit, entry.child.as_ref()?)))
    }

    pub(super) fn put(&mut self, digit: Digit, child: C) {
        *self.place(digit) = Some(child);
    }

    pub(super) fn take(&mut self, digit: Digit) -> Option<C> {
        self.place(digit).take()
    }

    fn entries(&self) -> impl Iterator<Item = &Entry<C>> {
        std::iter::successors(self.known.get(), |entry| entry.next.get()).map(|entry| &**entry)
    }

    /// Where the entry of this digit is.
    fn position(&self, digit: Digit) -> usize {
        if let Some(position) = self.entries().position(|entry| decide(entry.digit.equals(digit))) {
            return position;
        }
        let may_be = |old: &Old<C>| {
            let is_before = old.first.get().is_some_and(|first| decide(digit.less(*first)));
            old.has_others.get() != Some(false) && !is_before
        };
        let is_there = self.old.as_ref().is_some_and(may_be) && choose("a child is there");
        let (position, end) = self.end();
        end.get_or_init(|| self.entry(digit, is_there));
        position
    }

    /// An entry that was not looked at before.
    fn entry(&self, digit: Digit, is_there: bool) -> Box<Entry<C>> {
        let old = self.old.as_ref().filter(|_| is_there);
        let child = old.map(|old| (old.any_child)(old.level, old.path, digit));
        Box::new(Entry { digit, was: child.is_some(), child, next: OnceCell::new() })
    }

    /// How many entries there are, and where the next comes.
    fn end(&self) -> (usize, &Entries<C>) {
        let last = self.entries().enumerate().last();
        last.map_or((0, &self.known), |(position, entry)| (position + 1, &entry.next))
    }

    fn place(&mut self, digit: Digit) -> &mut Option<C> {
        let position = self.position(digit);
        let mut entry = self.known.get_mut().expect("it was looked at");
        for _ in 0..position {
            entry = entry.next.get_mut().expect("it was looked at");
        }
        &mut entry.child
    }
}
