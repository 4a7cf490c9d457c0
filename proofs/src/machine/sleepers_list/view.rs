//! The list of sleepers, made of given fields and read back.

use super::super::count::Count;
use super::sleepers::{Asleep, Sleepers};
use super::slot_table::{Cell, Entry};
use crate::symbol::Int;

impl Entry for Option<Asleep> {
    fn links(&self) -> Option<[Option<Int>; 2]> {
        self.map(|asleep| [asleep.previous, asleep.next].map(|link| link.map(|slot| slot.0)))
    }

    fn awake() -> Self {
        None
    }

    fn asleep([previous, next]: [Option<Int>; 2], timed: bool) -> Self {
        Some(Asleep { previous: previous.map(Count), next: next.map(Count), timed })
    }
}

/// The list.
#[derive(Clone)]
pub(crate) struct List(Sleepers);

/// A worker's entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sleeper {
    pub(crate) slot: Int,
    /// Who fell asleep before and after it, if it is asleep; before the step.
    pub(crate) before: Option<[Option<Int>; 2]>,
    /// It slept without a timeout, before the step.
    pub(crate) untimed: bool,
    /// The same after it.
    pub(crate) now: Option<[Option<Int>; 2]>,
    pub(crate) came: Int,
}

impl List {
    /// A list with these ends, or an empty one.
    pub(crate) fn of(ends: Option<[Int; 2]>, asleep: Int, untimed: Int, now: Int) -> Self {
        let mut list = Sleepers::default();
        list.slots.ends = [ends.map(|[first, _]| first), ends.map(|[_, last]| last)];
        list.slots.now = now;
        (list.first, list.last) = (ends.map(|[first, _]| Count(first)), ends.map(|[_, last]| Count(last)));
        (list.asleep, list.untimed) = (Count(asleep), Count(untimed));
        Self(list)
    }

    pub(crate) fn push(&mut self, slot: Int, timed: bool) {
        self.0.push(Count(slot), timed);
    }

    pub(crate) fn pop_last(&mut self) -> Option<Int> {
        self.0.pop_last().map(|slot| slot.0)
    }

    pub(crate) fn pop_first(&mut self) -> Option<Int> {
        self.0.pop_first().map(|slot| slot.0)
    }

    pub(crate) fn pop_for_job(&mut self) -> Option<Int> {
        self.0.pop_for_job().map(|slot| slot.0)
    }

    pub(crate) fn remove(&mut self, slot: Int) {
        self.0.remove(Count(slot));
    }

    /// The entry of a slot.
    pub(crate) fn look(&mut self, slot: Int) -> Sleeper {
        let Cell { slot, before, now, came, .. } = self.0.slots.cell(slot);
        let untimed = before.is_some_and(|asleep| !asleep.timed);
        Sleeper { slot: *slot, before: before.links(), untimed, now: now.links(), came: *came }
    }

    /// The worker in this slot has fallen asleep at this time.
    pub(crate) fn came(&mut self, slot: Int, when: Int) {
        self.0.slots.cell(slot).came = when;
    }

    pub(crate) fn ends(&self) -> [Option<Int>; 2] {
        [self.0.first, self.0.last].map(|end| end.map(|slot| slot.0))
    }

    pub(crate) fn counts(&self) -> [Int; 2] {
        [self.0.asleep.0, self.0.untimed.0]
    }
}
