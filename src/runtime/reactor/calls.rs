//! Posted calls and their queue. Calls of one type lie side by side in [`typed_queue`], unboxed; one order holds for
//! all.

use std::collections::VecDeque;
use std::fmt;

use super::super::inbox::{CallQueue, PushCall};
use super::super::report::{Incident, Reporter, drop_contained};
use super::super::segment_list::{SegmentList, Unused};
use super::super::sync::trace;
use super::super::typed_queue::{HasVTable, SEGMENT_CAPACITY, Segment, TypeLane};
use super::Reactor;
use super::around_turns::LoopActivity;
use crate::exclusive::Exclusive;

/// A call with its type erased. It can itself be queued as a call.
pub(super) type BoxedCall = Box<dyn FnOnce(&Reactor) + Send>;

/// A posted call. A reactor that does not accept one returns it inside [`Rejected`](crate::error::Rejected).
///
/// It is `Sync`, so that the error can be passed on as any other.
pub struct Call(Box<dyn FnOnce(&Reactor) + Send + Sync>);

impl Call {
    /// A call that was not accepted.
    #[cold]
    pub(super) fn new(call: impl FnOnce(&Reactor) + Send + 'static) -> Self {
        let call = Exclusive::new(call);
        Self(Box::new(move |reactor| call.into_inner()(reactor)))
    }

    /// Makes the call now, on the thread of the given reactor. A panic is not contained.
    pub fn call(self, reactor: &Reactor) {
        (self.0)(reactor);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

/// Posted calls, in their order.
#[derive(Default)]
pub(super) struct Calls {
    /// There are some only in a burst.
    full: SegmentList<CallVTable>,
    last: Segment<CallVTable>,
}

/// The operations on one lane: each takes the given number of calls from its front.
#[derive(Clone, Copy)]
struct CallVTable {
    run: fn(&mut TypeLane<CallVTable>, u16, &Reactor, &Reporter),
    drop_unrun: fn(&mut TypeLane<CallVTable>, u16),
}

impl<F: FnOnce(&Reactor) + Send + 'static> HasVTable<F> for CallVTable {
    const VTABLE: Self = Self { run: run::<F>, drop_unrun: drop_unrun::<F> };
}

/// Runs calls. A panic of one is reported, and the others still run.
fn run<F: FnOnce(&Reactor) + 'static>(
    lane: &mut TypeLane<CallVTable>,
    calls: u16,
    reactor: &Reactor,
    reporter: &Reporter,
) {
    let Some(values) = lane.values::<F>() else { return };
    let hooked = reactor.core.hooks.are_set();
    for _ in 0..calls {
        if let Some(call) = values.pop_front() {
            trace::call::<F>("runs");
            if hooked {
                run_hooked(call, reactor, reporter);
            } else {
                reporter.contain(Incident::Call, || call(reactor));
            }
        }
    }
    if values.is_empty() {
        // Starts again at the front of its buffer, which is what the caches hold.
        values.clear();
    }
}

/// A call, inside the hooks.
#[cold]
#[inline(never)]
fn run_hooked<F: FnOnce(&Reactor)>(call: F, reactor: &Reactor, reporter: &Reporter) {
    let run = || _ = reporter.contain(Incident::Call, || call(reactor));
    reactor.core.hooks.run_around(LoopActivity::call::<F>(), reactor, reporter, run);
}

/// Drops calls without running them. A panic of one is reported, and the others are still dropped.
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
            self.full.push(&mut self.last);
        }
        if let Err(call) = self.last.push(call) {
            self.last.push_uncapped::<BoxedCall>(Box::new(call));
        }
    }
}

impl Calls {
    /// Runs all of them, in order. A panic of one is reported, and the others still run.
    pub(super) fn run(&mut self, reactor: &Reactor, reporter: &Reporter) {
        self.drain(|lane, calls| (lane.vtable.run)(lane, calls, reactor, reporter));
    }

    /// Drops all of them, in order, without running them. A panic of one is reported, and the others are still dropped.
    pub(super) fn drop_unrun(mut self) {
        self.drain(|lane, calls| (lane.vtable.drop_unrun)(lane, calls));
    }

    fn drain(&mut self, mut each: impl FnMut(&mut TypeLane<CallVTable>, u16)) {
        loop {
            let mut unused = Unused::new();
            let mut first = self.full.take_first();
            let Some(segment) = first.front_mut() else { break };
            segment.drain(&mut each);
            self.full.recycle(first, &mut unused);
        }
        self.last.drain(each);
        if let Some(worn) = self.last.reset() {
            drop(worn);
            self.full.release_spares(&mut Unused::new());
        }
    }
}
