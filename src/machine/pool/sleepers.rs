//! The idle workers in the order in which they fell asleep: a linked list through a table with a slot for each worker.

use super::super::count::Count;
use super::slot_table::{SlotIndex, SlotTable};

/// A worker's place in the tables of its pool, from its thread's start until it begins to exit. Slots are used again,
/// so there are as many as there ever were workers at a time. Whoever drives the machine assigns them.
pub(crate) type WorkerSlot = SlotIndex;

/// Which workers are asleep, and in what order. Every operation costs a constant number of steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Sleepers {
    /// Present for a worker that is asleep.
    pub(super) slots: SlotTable<Option<Asleep>>,
    /// Has slept longest.
    pub(super) first: Option<WorkerSlot>,
    /// Fell asleep last.
    pub(super) last: Option<WorkerSlot>,
    pub(super) asleep: Count,
    /// Of these, those that sleep without a timeout.
    pub(super) untimed: Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asleep {
    /// Fell asleep before this one.
    pub(super) previous: Option<WorkerSlot>,
    /// Fell asleep after this one.
    pub(super) next: Option<WorkerSlot>,
    pub(super) timed: bool,
}

impl Sleepers {
    /// A worker was given this slot: one that was used before, or the next.
    pub(super) fn add_slot(&mut self, slot: WorkerSlot) {
        if slot == self.slots.len() {
            self.slots.push(None);
        }
    }

    /// The worker in this slot falls asleep.
    pub(super) fn push(&mut self, slot: WorkerSlot, timed: bool) {
        let previous = self.last.replace(slot);
        if let Some(entry) = self.slots.get_mut(slot) {
            *entry = Some(Asleep { previous, next: None, timed });
        }
        self.set_next(previous, Some(slot));
        self.asleep += 1;
        self.untimed += Count::from(!timed);
    }

    /// Takes out a worker for a job. While one sleeps with a timeout, that is the one that fell asleep last, so that
    /// the others' time can pass. Otherwise it is the one that has slept longest: whoever fell asleep last often did so
    /// on the submitter's core, where the two would take turns, job by job.
    pub(super) fn pop_for_job(&mut self) -> Option<WorkerSlot> {
        if self.untimed < self.asleep { self.pop_last() } else { self.pop_first() }
    }

    /// Takes out the worker that fell asleep last.
    pub(super) fn pop_last(&mut self) -> Option<WorkerSlot> {
        self.last.inspect(|slot| self.remove(*slot))
    }

    /// Takes out the worker that has slept longest.
    pub(super) fn pop_first(&mut self) -> Option<WorkerSlot> {
        self.first.inspect(|slot| self.remove(*slot))
    }

    /// Takes out the worker in this slot, if it is asleep.
    pub(super) fn remove(&mut self, slot: WorkerSlot) {
        let Some(Asleep { previous, next, timed }) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        self.set_next(previous, next);
        match next.and_then(|slot| self.asleep_mut(slot)) {
            Some(asleep) => asleep.previous = previous,
            None => self.last = previous,
        }
        self.asleep -= 1;
        self.untimed -= Count::from(!timed);
    }

    /// `next` fell asleep after `previous`; if that is `None`, before all others.
    #[inline]
    fn set_next(&mut self, previous: Option<WorkerSlot>, next: Option<WorkerSlot>) {
        match previous.and_then(|slot| self.asleep_mut(slot)) {
            Some(asleep) => asleep.next = next,
            None => self.first = next,
        }
    }

    #[inline]
    fn asleep_mut(&mut self, slot: WorkerSlot) -> Option<&mut Asleep> {
        self.slots.get_mut(slot)?.as_mut()
    }

    #[inline]
    pub(super) fn len(&self) -> Count {
        self.asleep
    }

    /// How many sleep without a timeout.
    pub(super) fn untimed(&self) -> Count {
        self.untimed
    }

    /// The sleeping workers; the one that has slept longest comes first.
    pub(super) fn iter(&self) -> impl Iterator<Item = WorkerSlot> + '_ {
        std::iter::successors(self.first, |slot| self.slots.get(*slot)?.as_ref()?.next)
    }
}
