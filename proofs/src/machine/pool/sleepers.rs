//! The list of sleepers, of which is known how many sleep with a timeout and without, and how far back the last one
//! without is. Otherwise whoever is taken out may be any of them.
//!
//! A slot says here what its worker does, so that who is taken out is known by its slot.

use super::super::count::{Count, ZERO};
use crate::explore::{any, assume};
use crate::symbol::{Condition, Int};

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
    /// How far back the last one without a timeout is: so many leave from the front before none is left.
    pub(super) untimed_until: Count,
}

impl Default for Sleepers {
    fn default() -> Self {
        Self { untimed: ZERO, timed: ZERO, untimed_until: ZERO }
    }
}

impl Sleepers {
    pub(super) fn add_slot(&mut self, _slot: WorkerSlot) {}

    pub(super) fn push(&mut self, _slot: WorkerSlot, timed: bool) {
        if timed {
            self.timed += 1;
        } else {
            self.untimed += 1;
            self.untimed_until = self.len();
        }
    }

    pub(super) fn pop_for_job(&mut self) -> Option<WorkerSlot> {
        if self.timed > 0 { self.pop_last() } else { self.pop_first() }
    }

    /// The last has no timeout if the last one without a timeout is as far back as there are sleepers.
    fn pop_last(&mut self) -> Option<WorkerSlot> {
        if self.len() == 0 {
            return None;
        }
        let is_untimed = self.untimed_until.0.equals(self.len().0);
        let until = any("how far back the next without a timeout is");
        let before = self.untimed_until.0;
        self.take_out(Int::choose(is_untimed, 1, 0), until)?;
        assume((is_untimed & until.less(before)) | (!is_untimed & until.equals(before)))?;
        Some(TAKEN_OUT)
    }

    /// Whoever is behind the first moves up.
    pub(super) fn pop_first(&mut self) -> Option<WorkerSlot> {
        if self.len() == 0 {
            return None;
        }
        let untimed = any("sleepers without a timeout that are taken out");
        assume(Int::ZERO.at_most(untimed) & untimed.at_most(1))?;
        self.take_out(untimed, (self.untimed_until.0 - 1).max(0))?;
        Some(TAKEN_OUT)
    }

    pub(super) fn remove(&mut self, slot: WorkerSlot) {
        let before = self.untimed_until.0;
        let until = any("how far back the last without a timeout is then");
        match slot {
            UNTIMED => _ = self.take_out(1.into(), until).and_then(|()| assume(until.less(before))),
            TIMED => {
                _ = self
                    .take_out(0.into(), until)
                    .and_then(|()| assume(before.at_most(until + 1) & until.at_most(before)))
            }
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

    /// Whether there is a list with these numbers.
    pub(super) fn can_be(untimed: Int, timed: Int, until: Int) -> Condition {
        let none = untimed.is_zero() & until.is_zero();
        let some = untimed.is_positive() & untimed.at_most(until) & until.at_most(untimed + timed);
        Int::ZERO.at_most(timed) & (none | some)
    }

    /// One is taken out: one without a timeout, or none of those.
    fn take_out(&mut self, untimed: Int, until: Int) -> Option<()> {
        self.untimed = Count(self.untimed.0 - untimed);
        self.timed = Count(self.timed.0 - 1 + untimed);
        self.untimed_until = Count(until);
        assume(Self::can_be(self.untimed.0, self.timed.0, until))
    }
}
