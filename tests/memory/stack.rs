//! Long chains and deep nesting, in every shape, on a stack of 64 KiB.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Reactor, Resolver,
    deferred::{DeferredList, SharedDeferred, gather_results, race},
    error::{Abandoned, Cancelled, SharedFailure, TimedOut, WaitsForItself},
    testing::VirtualClock,
};

use crate::support::deferred::{Drops, Oops, error, value};
use crate::support::{MANY, on_a_small_stack};

/// An unfired Deferred with many callbacks, its resolver, and the number of callbacks that were dropped.
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
fn many_callbacks_fire() {
    on_a_small_stack(|| {
        let (deferred, resolver, drops) = flat();
        resolver.callback(0);
        assert_eq!(value(deferred), MANY);
        assert_eq!(drops.count(), MANY);
    });
}

// Checks: B52
#[test]
fn many_callbacks_are_dropped_with_their_resolver() {
    on_a_small_stack(|| {
        let (deferred, resolver, drops) = flat();
        drop(resolver);
        assert!(error(deferred).is::<Abandoned>());
        assert_eq!(drops.count(), MANY);
    });
}

// Checks: B58
#[test]
fn many_callbacks_are_cancelled() {
    on_a_small_stack(|| {
        let (deferred, _resolver, drops) = flat();
        deferred.cancel();
        assert!(error(deferred).is::<Cancelled>());
        assert_eq!(drops.count(), MANY);
    });
}

// Checks: B51
#[test]
fn many_callbacks_are_added_after_firing() {
    on_a_small_stack(|| {
        let (mut deferred, resolver) = Deferred::new();
        resolver.callback(0);
        for _ in 0..MANY {
            deferred = deferred.add_callback(|n: usize| n + 1);
        }
        assert_eq!(value(deferred), MANY);
    });
}

/// Many Deferreds, each waiting for the one that was made before it, each with callbacks after the wait.
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

/// Many Deferreds, each waiting for the one that was made after it; some have callbacks after the wait.
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

/// Many Deferreds, waiting for each other before any of them has fired, from both ends towards the middle.
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
fn many_nested_deferreds_fire() {
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
fn many_nested_deferreds_are_dropped_from_either_end() {
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
fn many_nested_deferreds_are_cancelled_from_the_outermost() {
    on_a_small_stack(|| {
        for shape in [inner_first, outer_first, from_both_ends] {
            let (deferred, _resolver) = shape();
            deferred.cancel();
            assert!(error(deferred).is::<Cancelled>());
        }
    });
}

/// Many Deferreds, each chained to the next by its resolver, some of them timed or with callbacks between.
fn explicit() -> (Deferred<usize>, Resolver<usize>) {
    let (mut last, resolver) = Deferred::new();
    for n in 0..MANY {
        let (next, fire_next) = Deferred::new();
        let before: Deferred<usize> = if n % 3 == 0 { last } else { last.add_callback(|n| n + 1) };
        before.chain_deferred(fire_next);
        last = next;
    }
    (last, resolver)
}

/// Many Deferreds, in turn returned from a callback, chained to a resolver, and returned from an errback.
fn mixed() -> (Deferred<usize>, Resolver<usize>) {
    let (mut last, resolver) = Deferred::new();
    for n in 0..MANY {
        let before = last;
        last = match n % 3 {
            0 => Deferred::succeed(()).add_callback(move |()| before),
            1 => {
                let (next, fire_next) = Deferred::new();
                before.chain_deferred(fire_next);
                next.add_callback(|n: usize| n + 1)
            }
            _ => Deferred::fail(Oops(0)).add_errback(move |_| before),
        };
    }
    (last, resolver)
}

// Checks: B52, B58
#[test]
fn many_deferreds_that_are_chained_by_hand_or_by_turns_fire_cancel_and_drop() {
    on_a_small_stack(|| {
        for (shape, expected) in [(explicit as fn() -> _, MANY - MANY.div_ceil(3)), (mixed, MANY / 3)] {
            let (deferred, resolver): (Deferred<usize>, Resolver<usize>) = shape();
            resolver.callback(0);
            assert_eq!(value(deferred), expected);
            let (deferred, _resolver) = shape();
            deferred.cancel();
            assert!(error(deferred).is::<Cancelled>());
            let (deferred, resolver) = shape();
            drop(resolver);
            assert!(error(deferred).is::<Abandoned>());
            let (deferred, resolver) = shape();
            drop(deferred);
            resolver.callback(0);
        }
    });
}

// Checks: B52, B53
#[test]
fn many_paused_deferreds_that_wait_for_each_other_go_on() {
    on_a_small_stack(|| {
        for kept in [true, false] {
            let mut handles = Vec::new();
            let (mut deferred, resolver) = Deferred::new();
            for _ in 0..MANY {
                deferred.pause();
                if kept {
                    handles.push(deferred.pause_handle());
                }
                let inner = deferred;
                deferred = Deferred::succeed(()).add_callback(move |()| inner).add_callback(|n: usize| n + 1);
            }
            resolver.callback(0);
            if kept {
                deferred = deferred.try_result().unwrap_err();
            }
            // From the outermost: what each holds comes when the innermost is free, and then all at once.
            while let Some(handle) = handles.pop() {
                handle.unpause().unwrap();
            }
            assert_eq!(value(deferred), MANY);
        }
    });
}

// Checks: B59, B58
#[test]
fn many_timeouts_are_cancelled_by_one_result_or_fall_to_the_one_that_runs_out_first() {
    on_a_small_stack(|| {
        for runs_out in [false, true] {
            let clock = VirtualClock::new();
            let reactor = Reactor::builder().clock(clock.clone()).build().unwrap();
            let (mut deferred, resolver) = Deferred::<usize>::new();
            for n in 0..MANY as u64 {
                deferred = deferred.add_timeout(&reactor, Duration::from_secs(1 + n % 7));
                if n % 5 == 0 {
                    let inner = deferred;
                    deferred = Deferred::succeed(()).add_callback(move |()| inner);
                }
            }
            if runs_out {
                clock.advance(Duration::from_secs(1));
                reactor.turn().unwrap();
                assert!(error(deferred).is::<TimedOut>());
                drop(resolver);
            } else {
                resolver.callback(1);
                assert_eq!(value(deferred), 1);
            }
            assert_eq!(reactor.delayed_calls(), 0);
        }
    });
}

// Checks: B54
#[test]
fn many_nested_deferreds_that_would_close_a_wait_cycle_fail() {
    on_a_small_stack(|| {
        for shape in [inner_first, outer_first, from_both_ends] {
            let (deferred, resolver) = shape();
            let failed = Rc::new(Cell::new(false));
            let seen = Rc::clone(&failed);
            let deferred = deferred.add_errback(move |failure| {
                seen.set(failure.is::<WaitsForItself>());
                0
            });
            resolver.settle(deferred);
            assert!(failed.get());
        }
    });
}

// Checks: B52
#[test]
fn many_resolvers_each_captured_by_a_callback_of_the_one_before_are_dropped() {
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

/// Makes one Deferred of another: through a list, a wait or a resolver.
type Wrap = fn(Deferred<usize>) -> Deferred<usize>;

fn of_all(one: Deferred<usize>) -> Deferred<usize> {
    DeferredList::new([one]).all().add_callback(|mut all| all.remove(0))
}

fn gathered(one: Deferred<usize>) -> Deferred<usize> {
    gather_results([one]).map(|all| all.into_iter().sum())
}

fn raced(one: Deferred<usize>) -> Deferred<usize> {
    race([one]).map(|(_, value)| value)
}

fn awaited(one: Deferred<usize>) -> Deferred<usize> {
    Deferred::succeed(()).add_callback(move |()| one)
}

fn chained(one: Deferred<usize>) -> Deferred<usize> {
    let (next, resolver) = Deferred::new();
    one.chain_deferred(resolver);
    next.map(|n| n)
}

const MIXED: &[Wrap] = &[of_all, awaited, raced, chained, gathered];

/// Many lists, each the member of the one around it, with chains between them: made from the innermost.
fn lists_inner_first(wraps: &[Wrap]) -> (Deferred<usize>, Resolver<usize>) {
    let (mut last, resolver) = Deferred::new();
    for wrap in wraps.iter().cycle().take(MANY) {
        last = wrap(last);
    }
    (last, resolver)
}

/// The same, made from the outermost: each comes to wait for the next, as calls do that call each other.
fn lists_outer_first(wraps: &[Wrap]) -> (Deferred<usize>, Resolver<usize>) {
    let (first, mut last) = Deferred::new();
    for wrap in wraps.iter().cycle().take(MANY) {
        let (next, resolver) = Deferred::new();
        last.settle(wrap(next));
        last = resolver;
    }
    (first, last)
}

const LISTS: [fn() -> (Deferred<usize>, Resolver<usize>); 3] =
    [|| lists_inner_first(&[of_all]), || lists_inner_first(MIXED), || lists_outer_first(MIXED)];

// Checks: B52, B61, B62, P30
#[test]
fn many_lists_in_lists_fire() {
    on_a_small_stack(|| {
        for lists in LISTS {
            let (deferred, resolver) = lists();
            resolver.callback(7);
            assert_eq!(value(deferred), 7);
        }
    });
}

// Checks: B58, B61, B62, P30
#[test]
fn many_lists_in_lists_are_cancelled() {
    on_a_small_stack(|| {
        for lists in LISTS {
            let (deferred, resolver) = lists();
            deferred.cancel();
            assert!(resolver.is_cancelled());
            assert!(deferred.try_result().unwrap().is_err());
        }
    });
}

// Checks: B52, P30
#[test]
fn many_lists_in_lists_are_dropped_from_either_end() {
    on_a_small_stack(|| {
        for lists in LISTS {
            let (deferred, resolver) = lists();
            drop(resolver);
            assert!(deferred.try_result().unwrap().is_err());
        }
        for lists in LISTS {
            let (deferred, resolver) = lists();
            drop(deferred);
            resolver.callback(7);
        }
    });
}

// Checks: B62, P28
#[test]
fn many_races_in_races_fail_with_an_error_that_can_be_printed() {
    on_a_small_stack(|| {
        let (deferred, resolver) = lists_inner_first(&[raced]);
        resolver.errback(Oops(7));
        let printed = error(deferred).to_string();
        assert_eq!(printed.matches("none of 1 Deferreds succeeded: ").count(), MANY);
        assert!(printed.ends_with(": oops 7"));
    });
}

// Checks: B54, P30
#[test]
fn many_lists_in_lists_that_would_close_a_wait_cycle_fail() {
    on_a_small_stack(|| {
        for lists in LISTS {
            let (deferred, resolver) = lists();
            let failed = Rc::new(Cell::new(None));
            let seen = Rc::clone(&failed);
            let deferred = deferred.add_errback(move |failure| {
                seen.set(Some(failure));
                0
            });
            resolver.settle(deferred);
            // The innermost fails. Other tests check what lists make of a failure.
            assert!(failed.take().is_some(), "it waits for itself");
        }
    });
}

/// The last of many shared Deferreds, each made of the one before, and the resolver of the first.
fn shared_in_a_row() -> (SharedDeferred<usize>, Resolver<usize>) {
    let (deferred, resolver) = Deferred::new();
    let mut last = deferred.shared();
    for _ in 0..MANY {
        last = last.get().map(|n| *n + 1).shared();
    }
    (last, resolver)
}

// Checks: B52, P124
#[test]
fn many_shared_deferreds_in_a_row_fire() {
    on_a_small_stack(|| {
        let (last, resolver) = shared_in_a_row();
        resolver.callback(0);
        assert_eq!(*value(last.get()), MANY);
    });
}

// Checks: B52, P124
#[test]
fn many_shared_deferreds_in_a_row_fail_and_their_nested_failures_are_dropped() {
    on_a_small_stack(|| {
        let (last, resolver) = shared_in_a_row();
        resolver.errback(Oops(1));
        assert!(error(last.get()).is::<SharedFailure>());
    });
}

// Checks: B52, P124
#[test]
fn many_shared_deferreds_in_a_row_are_abandoned() {
    on_a_small_stack(|| {
        let (last, resolver) = shared_in_a_row();
        drop(resolver);
        assert!(error(last.get()).is::<SharedFailure>());
    });
}
