//! The queue of posted calls: in one order, and each by value, in the [lane](super::super::typed_queue) of its type.

use std::collections::VecDeque;
use std::mem;

use super::super::inbox::{CallQueue, PushCall};
use super::super::report::{Incident, Reporter, drop_contained};
use super::super::typed_queue::{self, HasVTable, SEGMENT_CAPACITY, Segment, TypeLane};
use super::Reactor;

/// A call whose type was forgotten, and which is a call itself.
type BoxedCall = Box<dyn FnOnce(&Reactor) + Send>;

/// Calls that were posted, in their order.
#[derive(Default)]
pub(super) struct Calls {
    /// What is full, in its order. Empty, but in a burst.
    full: Vec<Segment<CallVTable>>,
    last: Segment<CallVTable>,
}

/// The operations on the calls of one lane: each takes the first calls of it, as many as it is told.
struct CallVTable {
    run: fn(&mut TypeLane<CallVTable>, u16, &Reactor, &Reporter),
    drop_unrun: fn(&mut TypeLane<CallVTable>, u16),
}

impl<F: FnOnce(&Reactor) + Send + 'static> HasVTable<F> for CallVTable {
    const VTABLE: Self = Self { run: run::<F>, drop_unrun: drop_unrun::<F> };
}

/// A panic of one is reported, and the others still run.
fn run<F: FnOnce(&Reactor) + 'static>(
    lane: &mut TypeLane<CallVTable>,
    calls: u16,
    reactor: &Reactor,
    reporter: &Reporter,
) {
    let Some(values) = lane.values::<F>() else { return };
    for _ in 0..calls {
        if let Some(call) = values.pop_front() {
            reporter.contain(Incident::Call, || call(reactor));
        }
    }
    if values.is_empty() {
        // Back to the beginning of its room, for that is what lies in the caches.
        values.clear();
    }
}

/// Each contained.
fn drop_unrun<F: 'static>(lane: &mut TypeLane<CallVTable>, calls: u16) {
    for _ in 0..calls {
        drop_contained(lane.values::<F>().and_then(VecDeque::pop_front));
    }
}

impl CallQueue for Calls {
    fn len(&self) -> usize {
        self.full.len() * usize::from(SEGMENT_CAPACITY) + usize::from(self.last.len())
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> PushCall<F> for Calls {
    #[inline]
    fn push(&mut self, call: F) {
        if self.last.len() == SEGMENT_CAPACITY {
            self.begin_segment();
        }
        if let Err(call) = self.last.push(call) {
            self.last.push_uncapped::<BoxedCall>(Box::new(call));
        }
    }
}

impl Calls {
    /// Whether calls of this type are small enough to be moved about under a lock.
    pub(super) const fn take_by_value<F>() -> bool {
        typed_queue::fits::<F>()
    }

    #[cold]
    fn begin_segment(&mut self) {
        self.full.push(mem::take(&mut self.last));
    }

    /// Runs all of them, in order. A panic of one is reported, and the others still run.
    pub(super) fn run(&mut self, reactor: &Reactor, reporter: &Reporter) {
        for mut segment in mem::take(&mut self.full) {
            segment.drain(|lane, calls| (lane.vtable.run)(lane, calls, reactor, reporter));
        }
        self.last.drain(|lane, calls| (lane.vtable.run)(lane, calls, reactor, reporter));
    }

    /// Drops all of them, in order, each contained.
    pub(super) fn drop_unrun(self) {
        for mut segment in self.full.into_iter().chain([self.last]) {
            segment.drain(|lane, calls| (lane.vtable.drop_unrun)(lane, calls));
        }
    }
}
