//! A million links, in every shape, on a stack of 64 KiB.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;

use selvedge::{Abandoned, Cancelled, Deferred, Failure, Resolver};

use super::support::{Drops, Oops, error, value};

const MANY: usize = 1_000_000;

fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(64 * 1024).spawn(body).unwrap().join().unwrap();
}

/// An unfired Deferred with a million callbacks, and something that counts which of them were dropped.
fn flat() -> (Deferred<usize>, Resolver<usize>, Drops) {
    let drops = Drops::new();
    let (mut deferred, resolver) = Deferred::new();
    for _ in 0..MANY {
        let token = drops.token();
        deferred = deferred.add_callback(move |n: usize| {
            drop(token);
            n + 1
        });
    }
    (deferred, resolver, drops)
}

// Checks: B52
#[test]
fn a_million_callbacks_fire() {
    on_a_small_stack(|| {
        let (deferred, resolver, drops) = flat();
        resolver.callback(0);
        assert_eq!(value(deferred), MANY);
        assert_eq!(drops.count(), MANY);
    });
}

// Checks: B52
#[test]
fn a_million_callbacks_are_dropped_with_their_resolver() {
    on_a_small_stack(|| {
        let (deferred, resolver, drops) = flat();
        drop(resolver);
        assert!(error(deferred).is::<Abandoned>());
        assert_eq!(drops.count(), MANY);
    });
}

// Checks: B58
#[test]
fn a_million_callbacks_are_cancelled() {
    on_a_small_stack(|| {
        let (deferred, _resolver, drops) = flat();
        deferred.cancel();
        assert!(error(deferred).is::<Cancelled>());
        assert_eq!(drops.count(), MANY);
    });
}

// Checks: B51
#[test]
fn a_million_callbacks_are_added_after_firing() {
    on_a_small_stack(|| {
        let (mut deferred, resolver) = Deferred::new();
        resolver.callback(0);
        for _ in 0..MANY {
            deferred = deferred.add_callback(|n: usize| n + 1);
        }
        assert_eq!(value(deferred), MANY);
    });
}

/// A million Deferreds, each waiting for the one that was made before it, each with callbacks after the wait.
fn inner_first() -> (Deferred<usize>, Resolver<usize>) {
    let (mut deferred, resolver) = Deferred::new();
    for _ in 0..MANY {
        let inner = deferred;
        deferred = Deferred::succeed(())
            .add_callback(move |()| inner)
            .add_callback(|n| n + 1)
            .add_errback(Err::<usize, Failure>);
    }
    (deferred, resolver)
}

/// A million Deferreds, each waiting for the one that was made after it; some with callbacks after the wait, some without.
fn outer_first() -> (Deferred<usize>, Resolver<usize>) {
    let (first, mut fire) = Deferred::new();
    for n in 0..MANY {
        let (inner, fire_inner) = Deferred::new();
        let inner = if n % 3 == 0 { inner } else { inner.add_callback(|n: usize| n + 1) };
        fire.settle(inner);
        fire = fire_inner;
    }
    (first, fire)
}

/// A million Deferreds, waiting for each other before any of them has fired, from both ends towards the middle.
fn from_both_ends() -> (Deferred<usize>, Resolver<usize>) {
    let (outer, mut fire_outer) = Deferred::new();
    let (mut inner, fire) = Deferred::new();
    for _ in 0..MANY / 2 {
        let (next, fire_next) = Deferred::new();
        fire_outer.settle(next.add_callback(|n: usize| n + 1));
        fire_outer = fire_next;
        let waited_for = inner;
        inner = Deferred::succeed(()).add_callback(move |()| waited_for).add_callback(|n| n + 1);
    }
    fire_outer.settle(inner);
    (outer, fire)
}

// Checks: B52
#[test]
fn a_million_nested_deferreds_fire() {
    on_a_small_stack(|| {
        for (shape, expected) in
            [(inner_first as fn() -> _, MANY), (outer_first, MANY - MANY.div_ceil(3)), (from_both_ends, MANY)]
        {
            let (deferred, resolver): (Deferred<usize>, Resolver<usize>) = shape();
            resolver.callback(0);
            assert_eq!(value(deferred), expected);
        }
    });
}

// Checks: B52
#[test]
fn a_million_nested_deferreds_are_dropped_from_either_end() {
    on_a_small_stack(|| {
        for shape in [inner_first, outer_first, from_both_ends] {
            let (deferred, resolver) = shape();
            drop(resolver);
            assert!(error(deferred).is::<Abandoned>());
        }
        let (deferred, resolver) = inner_first();
        drop(deferred);
        resolver.callback(0);
    });
}

// Checks: B58
#[test]
fn a_million_nested_deferreds_are_cancelled_from_the_outermost() {
    on_a_small_stack(|| {
        for shape in [inner_first, outer_first, from_both_ends] {
            let (deferred, _resolver) = shape();
            deferred.cancel();
            assert!(error(deferred).is::<Cancelled>());
        }
    });
}

// Checks: B54
#[test]
fn a_million_nested_deferreds_that_would_close_a_ring_fail() {
    on_a_small_stack(|| {
        for shape in [inner_first, outer_first, from_both_ends] {
            let (deferred, resolver) = shape();
            let failed = Rc::new(Cell::new(false));
            let seen = Rc::clone(&failed);
            let deferred = deferred.add_errback(move |failure| {
                seen.set(failure.is::<selvedge::WaitsForItself>());
                0
            });
            resolver.settle(deferred);
            assert!(failed.get());
        }
    });
}

// Checks: B52
#[test]
fn a_million_resolvers_each_captured_by_a_callback_of_the_one_before_are_dropped() {
    on_a_small_stack(|| {
        for errback in [false, true] {
            let drops = Drops::new();
            let (last, mut resolver) = Deferred::<()>::new();
            last.add_errback(|_| ());
            for _ in 0..MANY {
                let (deferred, previous) = Deferred::new();
                let token = drops.token();
                let next = resolver;
                deferred
                    .add_callback(move |()| {
                        drop(token);
                        next.callback(());
                    })
                    .add_errback(|_| ());
                resolver = previous;
            }
            if errback {
                resolver.errback(Oops(1))
            } else {
                drop(resolver)
            }
            assert_eq!(drops.count(), MANY);
        }
    });
}
