//! Where idle workers wait: a condition variable for each slot, so that it is the machine that chooses who is woken.

use super::super::sync::{Condvar, OnceLock};
use crate::machine::pool::{CHUNKS, EntryLocation, WorkerSlot};

/// A place for each worker. It is read without a lock; a place that was made stays where it is.
pub(super) struct WaitPlaces {
    chunks: [OnceLock<Box<[Condvar]>>; CHUNKS],
}

impl WaitPlaces {
    pub(super) fn new() -> Self {
        let places = Self { chunks: [const { OnceLock::new() }; CHUNKS] };
        places.make(0);
        places
    }

    /// Makes the place of this slot, and others with it. Not under a lock, because it allocates.
    #[cold]
    pub(super) fn make(&self, slot: WorkerSlot) {
        let location = EntryLocation::of(slot);
        if let Some(chunk) = self.chunks.get(location.chunk) {
            chunk.get_or_init(|| (0..location.chunk_len()).map(|_| Condvar::new()).collect());
        }
    }

    /// The place of this slot, if it was made.
    pub(super) fn get(&self, slot: WorkerSlot) -> Option<&Condvar> {
        let EntryLocation { chunk, offset } = EntryLocation::of(slot);
        self.chunks.get(chunk)?.get()?.get(offset)
    }
}
