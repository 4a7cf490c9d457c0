//! Rings: whether a chain that is about to wait would wait for itself through a list.
//!
//! A result is wanted in one place at most: by the chain that waits for it, or by the list that its Deferred was given to. So chains and lists are trees, and a
//! program holds the roots only: whoever comes to wait closes a ring exactly if it waits for the root of its own tree. Inside a line the ends know each other
//! ([`PathPosition`](crate::machine::deferred::PathPosition)), and a list's member stands in the line of its Deferred, outside of all; so this climbs from list to list.
//!
//! A list remembers one further up, and each climb shortens the way of the next: a tree that grows downwards, a list in a list in a list, costs no more than one that
//! grows upwards. What it remembers may have got out of date, for a list in between may have fired without waiting for this one; but nothing below that is wanted any more,
//! and nothing ever moves to another tree. So a climb by memory can find a ring that is none, never miss one, and what it finds is looked at step by step.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use super::chain::{Chain, End};

/// A list, as it is climbed.
pub(crate) trait Whole {
    /// The chain that it will fire; none if that has a result already, so that nothing waits for the members any more.
    fn awaited(&self) -> Option<Rc<dyn Chain>>;

    /// Some list further up.
    fn further_up(&self) -> &FurtherUp;
}

/// What a list remembers.
#[derive(Default)]
pub(crate) struct FurtherUp(Cell<Option<Weak<dyn Whole>>>);

impl FurtherUp {
    /// None if it remembers nothing. One that is gone wants nothing any more.
    fn recall(&self) -> Option<Above> {
        let further_up = self.0.take();
        let above = further_up.as_ref().map(|list| list.upgrade().map_or(Above::Nobody, Above::List));
        self.0.set(further_up);
        above
    }
}

/// Who wants what a list comes to.
enum Above {
    /// Another list.
    List(Rc<dyn Whole>),
    /// A program: this chain's Deferred is in its hands, or was.
    Root(End),
    Nobody,
}

/// Whether `chain`, which runs, would wait for itself through a list if it came to wait for `other`, which a program holds.
pub(super) fn closes(chain: &Rc<dyn Chain>, other: &Rc<dyn Chain>) -> bool {
    // Most stand alone: nobody wants what they come to.
    let Some(outermost) = chain.core().outermost() else { return false };
    let Some(list) = outermost.chain().and_then(|chain| chain.list()) else { return false };
    let other = End::new(other);
    let is_root = |above| matches!(above, Above::Root(root) if root == other);
    is_root(leap(Rc::clone(&list))) && is_root(climb(list))
}

/// One step.
fn above(list: &Rc<dyn Whole>) -> Above {
    let Some(awaited) = list.awaited() else { return Above::Nobody };
    let outermost = awaited.core().outermost().unwrap_or_else(|| End::new(&awaited));
    match outermost.chain().map(|chain| chain.list()) {
        Some(Some(list)) => Above::List(list),
        Some(None) => Above::Root(outermost),
        None => Above::Nobody,
    }
}

/// The end of the way, step by step.
fn climb(mut list: Rc<dyn Whole>) -> Above {
    loop {
        match above(&list) {
            Above::List(next) => list = next,
            end => return end,
        }
    }
}

/// The end of the way by memory. Each list on it remembers from now on what was two steps up.
fn leap(mut list: Rc<dyn Whole>) -> Above {
    let up = |list: &Rc<dyn Whole>| list.further_up().recall().unwrap_or_else(|| above(list));
    loop {
        let next = match up(&list) {
            Above::List(next) => next,
            end => return end,
        };
        match up(&next) {
            Above::List(far) => {
                list.further_up().0.set(Some(Rc::downgrade(&far)));
                list = far;
            }
            end => return end,
        }
    }
}
