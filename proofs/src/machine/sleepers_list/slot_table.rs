//! A table of any size, of which an entry is known once it is looked at: it is then any that the invariant of the list
//! allows beside those that are known.

use super::super::count::{Count, ZERO};
use crate::explore::{any, assume, choose, decide};
use crate::symbol::{Condition, Int};

pub(crate) type SlotIndex = Count;

/// What lies in the table.
pub(crate) trait Entry: Clone {
    /// Who fell asleep before and after, of one that is asleep.
    fn links(&self) -> Option<[Option<Int>; 2]>;

    fn awake() -> Self;

    fn asleep(links: [Option<Int>; 2], timed: bool) -> Self;
}

#[derive(Debug, Clone)]
pub(crate) struct Cell<T> {
    pub(crate) slot: Int,
    pub(crate) before: T,
    pub(crate) now: T,
    /// When it fell asleep.
    pub(crate) came: Int,
    /// When those fell asleep that were before and after it.
    beside: [Int; 2],
}

#[derive(Debug, Clone)]
pub(crate) struct SlotTable<T> {
    pub(crate) cells: Vec<Cell<T>>,
    /// The first and the last that were asleep before the step.
    pub(crate) ends: [Option<Int>; 2],
    /// Later than whoever was asleep before the step.
    pub(crate) now: Int,
}

impl<T> Default for SlotTable<T> {
    fn default() -> Self {
        Self { cells: Vec::new(), ends: [None, None], now: Int::ZERO }
    }
}

/// Equal only where the terms are: no transition compares tables.
impl<T> PartialEq for SlotTable<T> {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl<T> Eq for SlotTable<T> {}

impl<T> std::hash::Hash for SlotTable<T> {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl<T: Entry> SlotTable<T> {
    pub(crate) fn len(&self) -> SlotIndex {
        ZERO
    }

    pub(crate) fn push(&mut self, _entry: T) {}

    pub(crate) fn get(&self, slot: SlotIndex) -> Option<&T> {
        self.cells.iter().find(|cell| decide(cell.slot.equals(slot.0))).map(|cell| &cell.now)
    }

    pub(crate) fn get_mut(&mut self, slot: SlotIndex) -> Option<&mut T> {
        Some(&mut self.cell(slot.0).now)
    }

    /// The entry of this slot.
    pub(crate) fn cell(&mut self, slot: Int) -> &mut Cell<T> {
        let at = (0..self.cells.len()).find(|at| decide(self.cells[*at].slot.equals(slot)));
        let at = at.unwrap_or_else(|| {
            let cell = self.any_cell(slot);
            self.cells.push(cell);
            self.cells.len() - 1
        });
        &mut self.cells[at]
    }

    /// Any entry that may be in this slot before the step.
    fn any_cell(&mut self, slot: Int) -> Cell<T> {
        let is_end = self.ends.map(|end| end.is_some_and(|end| decide(end.equals(slot))));
        let is_linked = |cell: &Cell<T>| cell.before.links().is_some_and(|links| links.contains(&Some(slot)));
        let some_sleep = self.ends[0].is_some();
        let asleep = is_end.contains(&true)
            || self.cells.iter().any(is_linked)
            || some_sleep && choose("another worker that is looked at sleeps");
        let before = if asleep {
            let link = |is_end: bool, name: &str| if is_end { None } else { Some(any(name)) };
            let links = [link(is_end[0], "slot before"), link(is_end[1], "slot after")];
            let timed = !self.cells.is_empty() || choose("it sleeps with a timeout");
            T::asleep(links, timed)
        } else {
            T::awake()
        };
        let beside = [any("when the one before fell asleep"), any("when the one after fell asleep")];
        let cell = Cell { slot, now: before.clone(), before, came: any("when it fell asleep"), beside };
        let may_be = self.cells.iter().map(|other| may_be_beside(&cell, other) & may_be_beside(other, &cell));
        let may_be = Condition::all(may_be) & may_be_alone(&cell) & cell.came.less(self.now);
        // An entry that cannot be beside the others rules the path out.
        _ = assume(may_be);
        cell
    }
}

fn may_be_alone<T: Entry>(cell: &Cell<T>) -> Condition {
    let Some([previous, next]) = cell.before.links() else { return Condition::TRUE };
    let differs = |link: Option<Int>| link.map_or(Condition::TRUE, |link| !link.equals(cell.slot));
    let in_order = cell.beside[0].less(cell.came) & cell.came.less(cell.beside[1]);
    differs(previous) & differs(next) & in_order & Int::ZERO.at_most(cell.came)
}

/// What the invariant says of two entries, from the first to the second.
fn may_be_beside<T: Entry>(cell: &Cell<T>, other: &Cell<T>) -> Condition {
    let Some([previous, next]) = cell.before.links() else { return Condition::TRUE };
    let leads_to = |link: Option<Int>| link.map_or(Condition::FALSE, |link| link.equals(other.slot));
    let Some([other_previous, _]) = other.before.links() else { return !leads_to(previous) & !leads_to(next) };
    let leads_back = other_previous.map_or(Condition::FALSE, |link| link.equals(cell.slot));
    let is_next = leads_to(next);
    let known = cell.beside[1].equals(other.came) & other.beside[0].equals(cell.came) & cell.came.less(other.came);
    let is_after = if next.is_some() { cell.beside[1].at_most(other.came) } else { Condition::FALSE };
    let is_before = if previous.is_some() { other.came.at_most(cell.beside[0]) } else { Condition::FALSE };
    (is_next & leads_back & known | !is_next & !leads_back) & (is_after | is_before)
}
