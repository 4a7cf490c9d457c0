//! The list of sleepers, of which only is known how many it holds: whoever is taken out may be any of them.
//!
//! A slot says here what its worker does, so that who is taken out is known by its slot.

use super::super::count::{Count, ZERO};
use crate::explore::{any, assume};
use crate::symbol::Int;

pub(crate) type WorkerSlot = u32;

/// Its worker is not in the list.
pub(crate) const AWAKE: WorkerSlot = 0;
pub(crate) const UNTIMED: WorkerSlot = 1;
pub(crate) const TIMED: WorkerSlot = 2;
/// Of whoever was taken out last: it may have had a timeout or not.
const TAKEN_OUT: WorkerSlot = 3;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sleepers {
    pub(super) untimed: Count,
    pub(super) timed: Count,
}

impl Default for Sleepers {
    fn default() -> Self {
        Self { untimed: ZERO, timed: ZERO }
    }
}

impl Sleepers {
    pub(super) fn add_slot(&mut self, _slot: WorkerSlot) {}

    pub(super) fn push(&mut self, _slot: WorkerSlot, timed: bool) {
        *(if timed { &mut self.timed } else { &mut self.untimed }) += 1;
    }

    pub(super) fn pop_last(&mut self) -> Option<WorkerSlot> {
        self.pop_any()
    }

    pub(super) fn pop_first(&mut self) -> Option<WorkerSlot> {
        self.pop_any()
    }

    pub(super) fn remove(&mut self, slot: WorkerSlot) {
        match slot {
            UNTIMED => self.untimed -= 1,
            TIMED => self.timed -= 1,
            _ => {}
        }
    }

    pub(super) fn len(&self) -> Count {
        Count(self.untimed.0 + self.timed.0)
    }

    pub(super) fn untimed(&self) -> Count {
        self.untimed
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = WorkerSlot> {
        std::iter::empty()
    }

    fn pop_any(&mut self) -> Option<WorkerSlot> {
        if self.len() == 0 {
            return None;
        }
        let untimed = any("sleepers without a timeout that are taken out");
        let one = Int::ZERO.at_most(untimed) & untimed.at_most(1);
        assume(one & untimed.at_most(self.untimed.0) & Int::from(1).at_most(self.timed.0 + untimed))?;
        self.untimed = Count(self.untimed.0 - untimed);
        self.timed = Count(self.timed.0 + untimed - 1);
        Some(TAKEN_OUT)
    }
}
