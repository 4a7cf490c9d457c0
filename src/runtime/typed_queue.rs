//! A segment of a queue of values of many types, each stored by value and unboxed, in one order.
//!
//! Boxing each value would cost more than everything else that handing it to another thread takes: it is allocated on
//! one thread and freed on another, which is what allocators do worst. But the calls and jobs of a program have few
//! types, those of as many call sites. So a [`Segment`] keeps one [lane](TypeLane) for each type, and the order as runs
//! of consecutive values of one lane. Producer and consumer exchange segments and reuse their memory, so in the steady
//! state nothing is allocated.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::mem;

/// The most values that its users put into a segment: a lane that grows, under a lock, moves half as many at most.
pub(super) const SEGMENT_CAPACITY: u16 = 256;

/// The most lanes of unboxed types. Values of further types have to be boxed; all boxes share one lane.
const MAX_LANES: usize = 32;

/// Slots of the lane index: twice the number of lanes, so that a probe is short and always meets a free slot.
const INDEX_SIZE: usize = 2 * MAX_LANES;

/// Marks a free slot of the index. No lane has this number.
const FREE: u8 = u8::MAX;
const _: () = assert!(INDEX_SIZE < FREE as usize);

/// The largest value stored unboxed, in bytes: values are moved under a lock.
const MAX_VALUE_SIZE: usize = 128;

/// How often a segment is emptied and reused before its memory is freed, so that a type that is no longer used does not
/// hold memory for ever.
const REUSE_LIMIT: u32 = 1024;

/// Whether values of this type are small enough to be stored unboxed.
pub(super) const fn fits<T>() -> bool {
    mem::size_of::<T>() <= MAX_VALUE_SIZE
}

/// The operations on values of type `T`, for code that no longer knows the type.
pub(super) trait HasVTable<T> {
    const VTABLE: Self;
}

/// Values of many types, first in, first out. `V` is the vtable of each type.
pub(super) struct Segment<V> {
    lanes: Vec<TypeLane<V>>,
    index: LaneIndex,
    order: Vec<RunLength>,
    /// The first run of `order` that is not used up.
    first_run: usize,
    len: u16,
    /// A value of a new type was pushed, and nobody has [asked](Self::take_new_type) since.
    new_type: bool,
    /// How often the segment has been reset since its memory was allocated.
    uses: u32,
}

/// The values of one type, in order.
pub(super) struct TypeLane<V> {
    /// A `VecDeque` of the lane's type.
    values: Box<dyn Any + Send>,
    /// Makes an empty one with room for as many as this one has, unless that has none.
    empty_like: fn(&dyn Any) -> Option<Box<dyn Any + Send>>,
    pub(super) vtable: V,
}

/// `count` consecutive values of one lane.
struct RunLength {
    lane: u8,
    count: u16,
}

/// Open-addressed hash table from type to lane number.
struct LaneIndex([u8; INDEX_SIZE]);

impl LaneIndex {
    #[inline]
    fn lane(&self, slot: usize) -> u8 {
        self.0.get(slot).copied().unwrap_or(FREE)
    }

    fn set(&mut self, slot: usize, lane: u8) {
        if let Some(number) = self.0.get_mut(slot) {
            *number = lane;
        }
    }
}

impl<V> Default for Segment<V> {
    fn default() -> Self {
        Self {
            lanes: Vec::new(),
            index: LaneIndex([FREE; INDEX_SIZE]),
            order: Vec::new(),
            first_run: 0,
            len: 0,
            new_type: false,
            uses: 0,
        }
    }
}

impl<V> TypeLane<V> {
    fn of<T: Send + 'static>(first: T) -> Self
    where
        V: HasVTable<T>,
    {
        Self { values: Box::new(VecDeque::from([first])), empty_like: empty_like::<T>, vtable: V::VTABLE }
    }

    /// The lane's values, or `None` if `T` is not its type.
    #[inline]
    pub(super) fn values<T: 'static>(&mut self) -> Option<&mut VecDeque<T>> {
        self.values.downcast_mut()
    }

    /// Removes the first value.
    #[inline]
    pub(super) fn take<T: 'static>(&mut self) -> Option<T> {
        let values = self.values::<T>()?;
        let first = values.pop_front();
        if values.is_empty() {
            // Moves the next push to the start of the buffer, which is in the cache.
            values.clear();
        }
        first
    }
}

impl<V> Segment<V> {
    #[inline]
    pub(super) fn len(&self) -> u16 {
        self.len
    }

    /// Whether a value of a new type was pushed since this was last asked.
    #[inline]
    pub(super) fn take_new_type(&mut self) -> bool {
        let new_type = self.new_type;
        // Rarely set, so rarely written.
        if new_type {
            self.new_type = false;
        }
        new_type
    }

    /// Appends a value. Hands it back if it would need one lane too many: then box it and use
    /// [`push_uncapped`](Self::push_uncapped).
    #[inline]
    pub(super) fn push<T: Send + 'static>(&mut self, value: T) -> Result<(), T>
    where
        V: HasVTable<T>,
    {
        let Err((value, slot)) = self.push_to_lane(value) else { return Ok(()) };
        if self.lanes.len() >= MAX_LANES {
            return Err(value);
        }
        self.push_to_new_lane(slot, value);
        Ok(())
    }

    /// Appends a value of one of the few types that are exempt from [`MAX_LANES`].
    #[inline]
    pub(super) fn push_uncapped<T: Send + 'static>(&mut self, value: T)
    where
        V: HasVTable<T>,
    {
        if let Err((value, slot)) = self.push_to_lane(value) {
            self.push_to_new_lane(slot, value);
        }
    }

    /// Appends, or returns the value and a free slot of the index if its type has no lane yet.
    #[inline]
    fn push_to_lane<T: 'static>(&mut self, value: T) -> Result<(), (T, usize)> {
        let mut slot = type_hash::<T>() % INDEX_SIZE;
        loop {
            let number = self.index.lane(slot);
            // A free slot ends the probe.
            let Some(lane) = self.lanes.get_mut(usize::from(number)) else { return Err((value, slot)) };
            if let Some(values) = lane.values() {
                values.push_back(value);
                self.len += 1;
                self.push_run(RunLength { lane: number, count: 1 });
                return Ok(());
            }
            slot = (slot + 1) % INDEX_SIZE;
        }
    }

    #[cold]
    fn push_to_new_lane<T: Send + 'static>(&mut self, slot: usize, value: T)
    where
        V: HasVTable<T>,
    {
        self.add_lane(slot, TypeLane::of(value));
    }

    /// Not generic over the value's type: compiled once for each `V`.
    fn add_lane(&mut self, slot: usize, lane: TypeLane<V>) {
        let number = self.lanes.len() as u8;
        self.index.set(slot, number);
        self.lanes.push(lane);
        self.new_type = true;
        self.len += 1;
        self.push_run(RunLength { lane: number, count: 1 });
    }

    /// Appends to the order, or lengthens its last run.
    #[inline]
    fn push_run(&mut self, next: RunLength) {
        if let Some(run) = self.order.last_mut()
            && run.lane == next.lane
            && run.count > 0
        {
            run.count += next.count;
        } else {
            self.order.push(next);
        }
    }

    /// Removes the first value from the order, and returns its lane and the lane's number. The caller has to take the
    /// value from the lane before it calls this again.
    #[inline]
    pub(super) fn pop_lane(&mut self) -> Option<(usize, &mut TypeLane<V>)> {
        let run = self.order.get_mut(self.first_run)?;
        let number = usize::from(run.lane);
        run.count -= 1;
        if run.count == 0 {
            self.first_run += 1;
        }
        self.len -= 1;
        Some((number, self.lanes.get_mut(number)?))
    }

    #[inline]
    pub(super) fn lane(&mut self, number: usize) -> Option<&mut TypeLane<V>> {
        self.lanes.get_mut(number)
    }

    /// Empties the segment, which is then to be [reset](Self::reset): `each` is called with a lane and how many values
    /// to take from it, in the segment's order.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&mut TypeLane<V>, u16)) {
        for run in self.order.drain(..) {
            if let Some(lane) = self.lanes.get_mut(usize::from(run.lane)) {
                each(lane, run.count);
            }
        }
    }

    /// An empty segment with room for as many values of the same types, so that nothing grows in it step by step. It
    /// has none if one of the types was not used any more.
    pub(super) fn empty_like(&self) -> Self
    where
        V: Copy,
    {
        let empty_lane = |lane: &TypeLane<V>| {
            let values = (lane.empty_like)(&*lane.values)?;
            Some(TypeLane { values, ..*lane })
        };
        let Some(lanes) = self.lanes.iter().map(empty_lane).collect() else { return Self::default() };
        let order = Vec::with_capacity(self.order.len());
        Self { lanes, index: LaneIndex(self.index.0), order, uses: self.uses, ..Self::default() }
    }

    /// Prepares an emptied segment for reuse. Every [`REUSE_LIMIT`] times it is returned, to be dropped, and a new one
    /// takes its place.
    pub(super) fn reset(&mut self) -> Option<Self> {
        self.order.clear();
        self.first_run = 0;
        self.len = 0;
        self.uses += 1;
        (self.uses == REUSE_LIMIT).then(|| mem::take(self))
    }
}

fn empty_like<T: Send + 'static>(values: &dyn Any) -> Option<Box<dyn Any + Send>> {
    let len = values.downcast_ref().map_or(0, VecDeque::<T>::len);
    (len > 0).then(|| Box::new(VecDeque::<T>::with_capacity(len)) as _)
}

/// A hash of the type. Different types may have the same.
#[inline]
fn type_hash<T: 'static>() -> usize {
    let mut hasher = TypeHasher(0);
    TypeId::of::<T>().hash(&mut hasher);
    hasher.finish() as usize
}

/// A number made of the bytes that a `TypeId` feeds it, unmixed: they are a hash already.
struct TypeHasher(u64);

impl Hasher for TypeHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8).wrapping_add(u64::from(byte));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{HasVTable, INDEX_SIZE, Segment, type_hash};

    #[derive(Clone, Copy)]
    struct NoVTable;

    impl<T> HasVTable<T> for NoVTable {
        const VTABLE: Self = Self;
    }

    type Queue = Segment<NoVTable>;

    fn push<T: Send + 'static>(queue: &mut Queue, value: T) {
        assert!(queue.push(value).is_ok(), "there is room for its lane");
    }

    fn pop<T: 'static>(queue: &mut Queue) -> Option<T> {
        queue.pop_lane()?.1.take()
    }

    // Checks: P73
    #[test]
    fn types_have_hashes_of_their_own() {
        assert_eq!(type_hash::<u8>(), type_hash::<u8>());
        assert_ne!(type_hash::<u8>(), type_hash::<u16>());
    }

    /// Types of their own, as many as all slots of the index but one.
    struct Numbered<const NUMBER: usize>(u16);

    fn push_numbered<const NUMBER: usize>(queue: &mut Queue, value: u16) {
        queue.push_uncapped(Numbered::<NUMBER>(value));
    }

    fn pop_numbered<const NUMBER: usize>(queue: &mut Queue) -> Option<u16> {
        pop(queue).map(|Numbered::<NUMBER>(value)| value)
    }

    macro_rules! for_each_type {
        ($function:ident) => {
            for_each_type!($function; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29
                30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62)
        };
        ($function:ident; $($number:literal)*) => { [$($function::<$number>),*] };
    }

    // Checks: P73
    #[test]
    fn each_type_has_one_lane_however_many_slots_of_the_index_are_taken() {
        let pushes: [fn(&mut Queue, u16); INDEX_SIZE - 1] = for_each_type!(push_numbered);
        let pops: [fn(&mut Queue) -> Option<u16>; INDEX_SIZE - 1] = for_each_type!(pop_numbered);
        let mut queue = Queue::default();
        for value in 0..3 {
            pushes.iter().for_each(|push| push(&mut queue, value));
        }
        assert_eq!((queue.lanes.len(), usize::from(queue.len())), (pushes.len(), 3 * pushes.len()));
        for value in 0..3 {
            assert!(pops.iter().all(|pop| pop(&mut queue) == Some(value)), "in the order in which they were pushed");
        }
        assert!(queue.pop_lane().is_none());
    }

    // Checks: P73
    #[test]
    fn values_of_one_type_after_each_other_are_one_run_until_it_is_used_up() {
        let mut queue = Queue::default();
        (0..3_u8).for_each(|value| push(&mut queue, value));
        assert_eq!((queue.order.len(), queue.len()), (1, 3));
        assert_eq!([0; 3].map(|_| pop::<u8>(&mut queue)), [Some(0), Some(1), Some(2)]);
        push(&mut queue, 3_u8);
        assert_eq!((queue.order.len(), pop::<u8>(&mut queue), queue.len()), (2, Some(3), 0));
    }

    // Checks: P4
    #[test]
    fn a_new_type_is_told_once() {
        let mut queue = Queue::default();
        assert!(!queue.take_new_type());
        push(&mut queue, 0_u8);
        assert_eq!([0; 2].map(|_| queue.take_new_type()), [true, false]);
        push(&mut queue, 1_u8);
        assert!(!queue.take_new_type());
        push(&mut queue, 0_u16);
        assert!(queue.take_new_type());
    }

    // Checks: P73, P93
    #[test]
    fn an_empty_segment_like_another_has_its_lanes_with_room_unless_one_is_not_used_any_more() {
        let mut queue = Queue::default();
        for value in 0..100_u8 {
            push(&mut queue, value);
            push(&mut queue, u16::from(value));
        }
        queue.uses = 7;
        let mut like = queue.empty_like();
        assert_eq!((like.len(), like.lanes.len(), like.uses, like.order.capacity()), (0, 2, 7, 200));
        assert!(like.lanes[0].values::<u8>().unwrap().capacity() >= 100);
        push(&mut like, 1_u8);
        push(&mut like, 2_u16);
        assert_eq!((like.take_new_type(), like.lanes.len()), (false, 2), "the index finds them");
        assert_eq!((pop::<u8>(&mut like), pop::<u16>(&mut like)), (Some(1), Some(2)));

        queue.lanes[0].values::<u8>().unwrap().clear();
        assert!(queue.empty_like().lanes.is_empty());
    }
}
