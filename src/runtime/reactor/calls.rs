//! The queue of posted calls: in one order, and where calls of one type follow each other, side by side in one allocation.
//!
//! A box for each call would cost more than all the rest of posting: it is allocated on one thread and freed on another, the one
//! thing that allocators do worst. Programs post in bursts from the same few places, so a call of the same type as the one before is moved in
//! behind it, by value: a **run**. A call of another type is boxed on its own, before the lock is taken.

use std::any::Any;
use std::mem;

use super::super::inbox::{Accept, Queue};
use super::super::report::{Incident, Reporter, drop_contained};
use super::Reactor;

/// Where a second call of a type comes, more are likely: a run begins with room for these.
const FIRST_ROOM: usize = 16;

/// A run ends here, so that its growth never copies much while its inbox is locked.
const LONGEST_RUN: usize = 1024;

/// Captures larger than this, in bytes, are always boxed on their own.
const LARGEST_CALL: usize = 128;

/// Room that is kept for the next batch, in runs: one burst must not hold memory for ever.
const KEPT_ROOM: usize = 1024;

/// Calls that were posted, in their order.
#[derive(Default)]
pub(super) struct Calls {
    runs: Vec<Box<dyn AnyRun>>,
    len: usize,
}

/// Calls of one type, one behind the other.
struct Run<F>(Vec<F>);

/// A call on its own.
struct Single<F>(F);

/// A run, or a single call, whose type is not known any more.
trait AnyRun: Any + Send {
    fn run(self: Box<Self>, reactor: &Reactor, reporter: &Reporter);
    fn drop_unrun(self: Box<Self>);
}

impl<F: FnOnce(&Reactor) + Send + 'static> AnyRun for Run<F> {
    fn run(self: Box<Self>, reactor: &Reactor, reporter: &Reporter) {
        for call in self.0 {
            reporter.contain(Incident::Call, || call(reactor));
        }
    }

    fn drop_unrun(self: Box<Self>) {
        self.0.into_iter().for_each(drop_contained);
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> AnyRun for Single<F> {
    fn run(self: Box<Self>, reactor: &Reactor, reporter: &Reporter) {
        reporter.contain(Incident::Call, || (self.0)(reactor));
    }

    fn drop_unrun(self: Box<Self>) {
        drop_contained(self);
    }
}

/// A call that is likely to continue a run.
pub(super) struct ByValue<F>(pub(super) F);

/// A call that is likely to begin one.
pub(super) struct Boxed<F>(Box<Single<F>>);

impl<F> Boxed<F> {
    pub(super) fn new(call: F) -> Self {
        Self(Box::new(Single(call)))
    }

    pub(super) fn into_inner(self) -> F {
        self.0.0
    }
}

impl Queue for Calls {
    fn len(&self) -> usize {
        self.len
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> Accept<ByValue<F>> for Calls {
    fn accept(&mut self, ByValue(call): ByValue<F>) {
        self.len += 1;
        if let Some(last) = self.runs.last_mut()
            && let Some(Run(calls)) = (&mut **last as &mut dyn Any).downcast_mut()
            && calls.len() < LONGEST_RUN
        {
            calls.push(call);
            return;
        }
        let mut calls = Vec::with_capacity(FIRST_ROOM);
        calls.push(call);
        self.runs.push(Box::new(Run(calls)));
    }
}

impl<F: FnOnce(&Reactor) + Send + 'static> Accept<Boxed<F>> for Calls {
    fn accept(&mut self, Boxed(call): Boxed<F>) {
        self.len += 1;
        self.runs.push(call);
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
