//! The queue of posted calls: in one order, and where calls of one type follow each other, side by side in one allocation.
//!
//! A box for each call would cost more than all the rest of posting: it is allocated on one thread and freed on another, the one
//! thing that allocators do worst. Programs post in bursts from the same few places, so the queue is kept as **runs**: a call of the same
//! type as the one before is moved in behind it, by value, and boxed with it once. A call of another type begins a new run.

use std::any::Any;
use std::mem;

use super::super::inbox::{Accept, Queue};
use super::super::report::{Incident, Reporter, drop_contained};
use super::Reactor;

/// Where a second call of a type comes, more are likely.
const FIRST_ROOM: usize = 16;

/// A run ends here, so that its growth never copies much while its inbox is locked.
const LONGEST_RUN: usize = 1024;

/// Captures larger than this are boxed on their own, before the lock is taken, and only the box is moved.
const LARGEST_CALL: usize = 128;

/// Room that is kept for the next batch, in runs: one burst must not hold memory for ever.
const KEPT_ROOM: usize = 1024;

/// Calls that were posted, in their order.
#[derive(Default)]
pub(super) struct Calls {
    runs: Vec<Box<dyn AnyRun>>,
    len: usize,
}

/// Calls of one type, one behind the other. The first lies in the run's own box: a run of one costs one allocation.
struct Run<F> {
    first: Option<F>,
    others: Vec<F>,
}

/// A run whose type of calls is not known any more.
trait AnyRun: Any + Send {
    fn run(self: Box<Self>, reactor: &Reactor, reporter: &Reporter);
    fn drop_unrun(self: Box<Self>);
}

impl<F: FnOnce(&Reactor) + Send + 'static> AnyRun for Run<F> {
    fn run(self: Box<Self>, reactor: &Reactor, reporter: &Reporter) {
        let Self { first, others } = *self;
        for call in first.into_iter().chain(others) {
            reporter.contain(Incident::Call, || call(reactor));
        }
    }

    fn drop_unrun(self: Box<Self>) {
        let Self { first, others } = *self;
        first.into_iter().chain(others).for_each(drop_contained);
    }
}

impl Queue for Calls {
    fn len(&self) -> usize {
        self.len
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> Accept<F> for Calls {
    fn accept(&mut self, call: F) {
        self.len += 1;
        if let Some(last) = self.runs.last_mut()
            && let Some(run) = (&mut **last as &mut dyn Any).downcast_mut::<Run<F>>()
            && run.others.len() < LONGEST_RUN
        {
            if run.others.capacity() == 0 {
                run.others.reserve(FIRST_ROOM);
            }
            run.others.push(call);
            return;
        }
        self.runs.push(Box::new(Run { first: Some(call), others: Vec::new() }));
    }
}

impl Calls {
    /// Whether calls of this type are small enough to be moved about under a lock.
    pub(super) const fn fits<F>() -> bool {
        mem::size_of::<F>() <= LARGEST_CALL
    }

    /// Runs all of them, in order. A panic of one is reported, and the others still run.
    pub(super) fn run(&mut self, reactor: &Reactor, reporter: &Reporter) {
        self.len = 0;
        for run in self.runs.drain(..) {
            run.run(reactor, reporter);
        }
        if self.runs.capacity() > KEPT_ROOM {
            self.runs = Vec::new();
        }
    }

    /// Drops all of them, in order, each contained.
    pub(super) fn drop_unrun(self) {
        for run in self.runs {
            run.drop_unrun();
        }
    }
}
