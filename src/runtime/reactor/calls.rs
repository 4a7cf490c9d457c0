//! The queue of posted calls: in one order, and each by value, in the [lane](super::super::lanes) of its type.

use std::collections::VecDeque;
use std::mem;

use super::super::inbox::{Accept, Queue};
use super::super::lanes::{self, KnowsHow, LONGEST, Lane, Stretch};
use super::super::report::{Incident, Reporter, drop_contained};
use super::Reactor;

/// A call whose type was forgotten, and which is a call itself.
type BoxedCall = Box<dyn FnOnce(&Reactor) + Send>;

/// Calls that were posted, in their order.
#[derive(Default)]
pub(super) struct Calls {
    /// What is full, in its order. Empty, but in a burst.
    full: Vec<Stretch<How>>,
    last: Stretch<How>,
}

/// What is done with the calls of a lane: with the first so many, in their order.
struct How {
    run: fn(&mut Lane<How>, u16, &Reactor, &Reporter),
    drop_unrun: fn(&mut Lane<How>, u16),
}

impl<F: FnOnce(&Reactor) + Send + 'static> KnowsHow<F> for How {
    const HOW: Self = Self { run: run::<F>, drop_unrun: drop_unrun::<F> };
}

/// A panic of one is reported, and the others still run.
fn run<F: FnOnce(&Reactor) + 'static>(lane: &mut Lane<How>, calls: u16, reactor: &Reactor, reporter: &Reporter) {
    let Some(things) = lane.things::<F>() else { return };
    for _ in 0..calls {
        if let Some(call) = things.pop_front() {
            reporter.contain(Incident::Call, || call(reactor));
        }
    }
    if things.is_empty() {
        // Back to the beginning of its room, for that is what lies in the caches.
        things.clear();
    }
}

/// Each contained.
fn drop_unrun<F: 'static>(lane: &mut Lane<How>, calls: u16) {
    for _ in 0..calls {
        drop_contained(lane.things::<F>().and_then(VecDeque::pop_front));
    }
}

impl Queue for Calls {
    fn len(&self) -> usize {
        self.full.len() * usize::from(LONGEST) + usize::from(self.last.len())
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> Accept<F> for Calls {
    #[inline]
    fn accept(&mut self, call: F) {
        if self.last.len() == LONGEST {
            self.begin_stretch();
        }
        if let Err(call) = self.last.accept(call) {
            self.last.accept_always::<BoxedCall>(Box::new(call));
        }
    }
}

impl Calls {
    /// Whether calls of this type are small enough to be moved about under a lock.
    pub(super) const fn take_by_value<F>() -> bool {
        lanes::fits::<F>()
    }

    #[cold]
    fn begin_stretch(&mut self) {
        self.full.push(mem::take(&mut self.last));
    }

    /// Runs all of them, in order. A panic of one is reported, and the others still run.
    pub(super) fn run(&mut self, reactor: &Reactor, reporter: &Reporter) {
        for mut stretch in mem::take(&mut self.full) {
            stretch.drain(|lane, calls| (lane.how.run)(lane, calls, reactor, reporter));
        }
        self.last.drain(|lane, calls| (lane.how.run)(lane, calls, reactor, reporter));
    }

    /// Drops all of them, in order, each contained.
    pub(super) fn drop_unrun(self) {
        for mut stretch in self.full.into_iter().chain([self.last]) {
            stretch.drain(|lane, calls| (lane.how.drop_unrun)(lane, calls));
        }
    }
}
