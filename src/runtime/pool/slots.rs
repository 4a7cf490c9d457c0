//! Values with an index that stays the same while they are there: what is recorded of each worker.

use crate::machine::pool::{SlotTable, WorkerSlot};

/// Freed slots are used again, so there are as many as there ever were workers at a time. Each operation costs a
/// constant number of steps, growth included.
pub(super) struct Slots<T> {
    slots: SlotTable<Slot<T>>,
    /// The first of the free slots.
    free: Option<WorkerSlot>,
}

struct Slot<T> {
    /// `None`: there is nothing to record.
    value: Option<T>,
    /// Of a free slot: the next of the free ones.
    next_free: Option<WorkerSlot>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: SlotTable::default(), free: None }
    }
}

impl<T> Slots<T> {
    /// The slot that will be taken next.
    pub(super) fn next_slot(&self) -> WorkerSlot {
        self.free.unwrap_or(self.slots.len())
    }

    pub(super) fn take_slot(&mut self) -> WorkerSlot {
        let slot = self.next_slot();
        match self.slots.get_mut(slot) {
            Some(entry) => self.free = entry.next_free.take(),
            None => self.slots.push(Slot { value: None, next_free: None }),
        }
        slot
    }

    pub(super) fn insert(&mut self, value: T) -> WorkerSlot {
        let slot = self.take_slot();
        self.set(slot, value);
        slot
    }

    /// Returns what it held.
    pub(super) fn free_slot(&mut self, slot: WorkerSlot) -> Option<T> {
        let entry = self.slots.get_mut(slot)?;
        entry.next_free = self.free.replace(slot);
        entry.value.take()
    }

    #[inline]
    pub(super) fn set(&mut self, slot: WorkerSlot, value: T) {
        if let Some(entry) = self.slots.get_mut(slot) {
            entry.value = Some(value);
        }
    }

    /// Nothing is to be recorded any more.
    #[inline]
    pub(super) fn clear(&mut self, slot: WorkerSlot) {
        if let Some(entry) = self.slots.get_mut(slot)
            && entry.value.is_some()
        {
            entry.value = None;
        }
    }

    /// `None` if there is nothing recorded.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: WorkerSlot) -> Option<&mut T> {
        self.slots.get_mut(slot)?.value.as_mut()
    }

    /// `None` behind the last slot.
    pub(super) fn get(&self, slot: WorkerSlot) -> Option<Option<&T>> {
        self.slots.get(slot).map(|slot| slot.value.as_ref())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }
}
