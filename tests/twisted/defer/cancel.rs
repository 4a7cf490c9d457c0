//! `test_defer`: cancelling, and what a canceller keeps alive.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use selvedge::{Deferred, Resolver, error::Cancelled};

use super::{GenericError, Results, error, value};

// Checks: B56
#[test]
fn simple_canceller() {
    let called = Rc::new(Cell::new(0));
    let count = Rc::clone(&called);
    let (deferred, _resolver) = Deferred::<u32>::with_canceller(move || count.set(count.get() + 1));
    deferred.cancel();
    assert_eq!(called.get(), 1);
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B56
#[test]
fn canceller_arg() {
    let (deferred, _resolver) = Deferred::with_firing_canceller(|own: Resolver<u32>| own.callback(7));
    deferred.cancel();
    assert_eq!(value(deferred), 7);
}

fn cancelled_twice(fire: fn(Resolver<u32>)) {
    let results = Results::default();
    let (deferred, resolver) = Deferred::new();
    let deferred = deferred.add_errback(results.errback());
    deferred.cancel();
    fire(resolver);
    // Twice more, after the late result.
    deferred.cancel();
    deferred.cancel();
    assert_eq!(results.seen(), "error: cancelled before there was a result");
    assert_eq!(value(deferred), 0);
}

// Checks: B57
#[test]
fn no_canceller_multiple_cancels_after_cancel_and_callback() {
    cancelled_twice(|resolver| resolver.callback(1));
}

// Checks: B57
#[test]
fn no_canceller_multiple_cancels_after_cancel_and_errback() {
    cancelled_twice(|resolver| resolver.errback(GenericError));
}

/// A place for a Deferred whose canceller captures that place: a reference cycle.
type Cycle = Rc<RefCell<Option<Deferred<u32>>>>;

/// The place, the resolver, and what tells whether the canceller is alive.
fn cycle() -> (Cycle, Resolver<u32>, Weak<()>) {
    let alive = Rc::new(());
    let seen = Rc::downgrade(&alive);
    let cycle = Cycle::default();
    let captured = Rc::clone(&cycle);
    let (deferred, resolver) = Deferred::with_canceller(move || drop((captured, alive)));
    cycle.replace(Some(deferred));
    (cycle, resolver, seen)
}

// Checks: B58
#[test]
fn canceller_circular_reference_callback() {
    let (cycle, resolver, alive) = cycle();
    let whole = Rc::downgrade(&cycle);
    drop(cycle);
    resolver.callback(1);
    assert_eq!((alive.strong_count(), whole.strong_count()), (0, 0), "the cycle is broken");
}

// Checks: B58
#[test]
fn canceller_circular_reference_errback() {
    let (cycle, resolver, alive) = cycle();
    let handled = cycle.take().unwrap().add_errback(|_| 0);
    cycle.replace(Some(handled));
    let whole = Rc::downgrade(&cycle);
    drop(cycle);
    resolver.errback(GenericError);
    assert_eq!((alive.strong_count(), whole.strong_count()), (0, 0), "the cycle is broken");
}

/// Even while a callback still waits for another Deferred.
// Checks: B58
#[test]
fn canceller_circular_reference_non_final() {
    let (cycle, resolver, alive) = cycle();
    let (inner, fire_inner) = Deferred::new();
    let waits = cycle.take().unwrap().add_callback(move |_| inner);
    cycle.replace(Some(waits));
    let whole = Rc::downgrade(&cycle);
    drop(cycle);
    resolver.callback(1);
    assert_eq!((alive.strong_count(), whole.strong_count()), (0, 0), "the cycle is broken");
    fire_inner.callback(2);
}
