//! Values with an index that stays the same while they are there: what is recorded of each worker.

/// The index of a value in [`Slots`].
pub(super) type SlotIndex = usize;

/// Freed slots are used again, so there are as many as there ever were workers at a time.
pub(super) struct Slots<T> {
    /// `None`: there is nothing to record.
    slots: Vec<Option<T>>,
    free: Vec<SlotIndex>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    pub(super) fn take_slot(&mut self) -> SlotIndex {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        })
    }

    /// Returns what it held.
    pub(super) fn free_slot(&mut self, slot: SlotIndex) -> Option<T> {
        self.free.push(slot);
        self.slots.get_mut(slot)?.take()
    }

    #[inline]
    pub(super) fn set(&mut self, slot: SlotIndex, value: Option<T>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    /// `None` behind the last slot.
    pub(super) fn get(&self, slot: SlotIndex) -> Option<Option<&T>> {
        self.slots.get(slot).map(Option::as_ref)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }
}
