//! A vector whose growth moves nothing: its entries lie in chunks, each twice as large as the one before.

/// Entries of the first chunk, as a power of two.
const FIRST_CHUNK_BITS: u32 = 3;

/// The number of an entry.
pub(crate) type SlotIndex = u32;

/// How many chunks there may be.
pub(crate) const CHUNKS: usize = (u32::BITS - FIRST_CHUNK_BITS + 1) as usize;

/// Where an entry lies: in which chunk, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryLocation {
    pub(crate) chunk: usize,
    pub(crate) offset: usize,
}

impl EntryLocation {
    #[inline]
    pub(crate) fn of(index: SlotIndex) -> Self {
        let shifted = u64::from(index) + (1 << FIRST_CHUNK_BITS);
        let bits = shifted.ilog2();
        Self { chunk: (bits - FIRST_CHUNK_BITS) as usize, offset: (shifted - (1 << bits)) as usize }
    }

    /// The size of the chunk.
    pub(crate) fn chunk_len(self) -> usize {
        1 << (self.chunk + FIRST_CHUNK_BITS as usize)
    }
}

/// A table that only grows. Each operation costs a constant number of steps, growth included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SlotTable<T> {
    /// At most [`CHUNKS`], so that growing this one costs next to nothing.
    chunks: Vec<Vec<T>>,
    len: SlotIndex,
}

impl<T> Default for SlotTable<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T> SlotTable<T> {
    pub(crate) fn len(&self) -> SlotIndex {
        self.len
    }

    pub(crate) fn push(&mut self, entry: T) {
        let location = EntryLocation::of(self.len);
        if location.offset == 0 {
            self.chunks.push(Vec::with_capacity(location.chunk_len()));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(entry);
        }
        self.len += 1;
    }

    pub(crate) fn get(&self, index: SlotIndex) -> Option<&T> {
        let EntryLocation { chunk, offset } = EntryLocation::of(index);
        self.chunks.get(chunk)?.get(offset)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: SlotIndex) -> Option<&mut T> {
        let EntryLocation { chunk, offset } = EntryLocation::of(index);
        self.chunks.get_mut(chunk)?.get_mut(offset)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNKS, EntryLocation, SlotTable};

    // Checks: P66
    #[test]
    fn a_table_finds_what_was_pushed_and_moves_none_of_it() {
        let mut table = SlotTable::default();
        let mut addresses = Vec::new();
        for number in 0..1000 {
            assert_eq!((table.len(), table.get(number)), (number, None));
            table.push(number);
            addresses.push(std::ptr::from_ref(table.get(number).unwrap()));
        }
        for (number, address) in (0..1000).zip(addresses) {
            assert_eq!(table.get_mut(number), Some(&mut { number }));
            assert!(std::ptr::eq(address, table.get(number).unwrap()));
        }
        assert!(table.iter().copied().eq(0..1000));
        assert_eq!(EntryLocation::of(u32::MAX).chunk, CHUNKS - 1);
    }
}
