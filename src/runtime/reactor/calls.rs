//! The queue of posted calls: in one order, and each by value, in the lane of its type.
//!
//! A box for each call would cost more than all the rest of posting: it is allocated on one thread and freed on another, the one
//! thing that allocators do worst. But the calls of a program are of few types, made in as many places. So the queue keeps a [`Lane`] for each type, and
//! beside the lanes their order: which lane's turn it is, and how often on end. What posts and what runs exchange two such queues, and
//! use again what room those have, so that as a rule nothing is allocated at all.

use std::any::TypeId;
use std::mem;

use super::super::inbox::{Accept, Queue};
use super::super::report::Reporter;
use super::Reactor;
use super::lane::{Lane, digest};

/// A stretch ends here, so that its growth never copies much while its inbox is locked.
const LONGEST_STRETCH: u16 = 1024;

/// So many types are kept apart. Calls of others are boxed, and share a lane.
const LANES: usize = 32;

/// Twice as many as there are lanes, so that a search is short and comes to an end.
const PLACES: usize = 2 * LANES;

/// No lane has this number.
const FREE: u8 = u8::MAX;
const _: () = assert!(LANES < FREE as usize);

/// Captures larger than this, in bytes, are always boxed.
const LARGEST_CALL: usize = 128;

/// So many batches use the same room. Then it begins anew: a burst, or a type that is posted no more, must not hold memory for ever.
const FRESH: u32 = 1024;

/// A call whose type was forgotten, and which is a call itself.
type BoxedCall = Box<dyn FnOnce(&Reactor) + Send>;

/// Calls that were posted, in their order.
#[derive(Default)]
pub(super) struct Calls {
    /// What is full, in its order. Empty, but in a burst.
    full: Vec<Stretch>,
    last: Stretch,
    /// How many batches `last` has been used for.
    batches: u32,
}

/// So many calls that followed each other.
#[derive(Default)]
struct Stretch {
    lanes: Vec<Lane>,
    places: Places,
    order: Vec<Run>,
    len: u16,
}

/// So many calls of one lane that followed each other.
struct Run {
    lane: u8,
    calls: u16,
}

/// Where the lane of a type is looked for, beginning with a place that follows from the type: its number, or one that no lane has.
struct Places([u8; PLACES]);

impl Default for Places {
    fn default() -> Self {
        Self([FREE; PLACES])
    }
}

impl Places {
    #[inline]
    fn lane(&self, place: usize) -> u8 {
        self.0.get(place).copied().unwrap_or(FREE)
    }

    fn give(&mut self, place: usize, lane: u8) {
        if let Some(free) = self.0.get_mut(place) {
            *free = lane;
        }
    }
}

impl Queue for Calls {
    fn len(&self) -> usize {
        self.full.len() * usize::from(LONGEST_STRETCH) + usize::from(self.last.len)
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> Accept<F> for Calls {
    #[inline]
    fn accept(&mut self, call: F) {
        if self.last.len == LONGEST_STRETCH {
            self.begin_stretch();
        }
        self.last.len += 1;
        self.last.accept(call);
    }
}

impl Calls {
    /// Whether calls of this type are small enough to be moved about under a lock.
    pub(super) const fn take_by_value<F>() -> bool {
        mem::size_of::<F>() <= LARGEST_CALL
    }

    #[cold]
    fn begin_stretch(&mut self) {
        self.full.push(mem::take(&mut self.last));
    }

    /// Runs all of them, in order. A panic of one is reported, and the others still run.
    pub(super) fn run(&mut self, reactor: &Reactor, reporter: &Reporter) {
        for mut stretch in mem::take(&mut self.full) {
            stretch.run(reactor, reporter);
        }
        self.last.run(reactor, reporter);
        self.batches += 1;
        if self.batches == FRESH {
            *self = Self::default();
        }
    }

    /// Drops all of them, in order, each contained.
    pub(super) fn drop_unrun(self) {
        for stretch in self.full.into_iter().chain([self.last]) {
            stretch.drop_unrun();
        }
    }
}

impl Stretch {
    #[inline]
    fn accept<F: FnOnce(&Reactor) + Send + 'static>(&mut self, call: F) {
        let mut place = digest::<F>() % PLACES;
        loop {
            let number = self.places.lane(place);
            // Where there is no lane the search is over.
            let Some(lane) = self.lanes.get_mut(usize::from(number)) else { break };
            if let Some(calls) = lane.calls() {
                calls.push_back(call);
                if let Some(run) = self.order.last_mut()
                    && run.lane == number
                {
                    run.calls += 1;
                } else {
                    self.order.push(Run { lane: number, calls: 1 });
                }
                return;
            }
            place = (place + 1) % PLACES;
        }
        self.accept_first(place, call);
    }

    /// Takes the first call of its type, for which there is this free place.
    #[cold]
    fn accept_first<F: FnOnce(&Reactor) + Send + 'static>(&mut self, place: usize, call: F) {
        // One lane more, if need be, is that of the boxed.
        if self.lanes.len() >= LANES && TypeId::of::<F>() != TypeId::of::<BoxedCall>() {
            return self.accept::<BoxedCall>(Box::new(call));
        }
        self.places.give(place, self.lanes.len() as u8);
        self.lanes.push(Lane::new::<F>());
        self.accept(call);
    }

    fn run(&mut self, reactor: &Reactor, reporter: &Reporter) {
        self.len = 0;
        for run in self.order.drain(..) {
            if let Some(lane) = self.lanes.get_mut(usize::from(run.lane)) {
                lane.run(run.calls, reactor, reporter);
            }
        }
    }

    fn drop_unrun(mut self) {
        for run in self.order {
            if let Some(lane) = self.lanes.get_mut(usize::from(run.lane)) {
                lane.drop_unrun(run.calls);
            }
        }
    }
}
