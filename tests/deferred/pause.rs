//! Pausing: what is held, when it goes on, and what a pause has no effect on.

use std::rc::Rc;

use selvedge::{
    Deferred, Resolver,
    deferred::PauseHandle,
    error::{Abandoned, Cancelled, NotPaused},
    report::Incident,
};

use crate::support::deferred::{Drops, Oops, Place, Trace, error, reports, value};

/// An unfired Deferred whose one callback notes that it ran.
fn noting(trace: &Trace) -> (Deferred<u32>, Resolver<u32>) {
    let (deferred, resolver) = Deferred::new();
    (deferred.add_callback(trace.noting("ran")), resolver)
}

/// A Deferred with two callbacks, of which the first is given a pause handle. The handle is returned too.
fn two_links(trace: &Trace, first: impl FnOnce(&PauseHandle) + 'static) -> (Deferred<u32>, Resolver<u32>, PauseHandle) {
    let (deferred, resolver) = Deferred::new();
    let outside = deferred.pause_handle();
    let (inside, noted) = (outside.clone(), trace.clone());
    let tail = deferred
        .add_callback(move |n: u32| {
            first(&inside);
            noted.note("first");
            n
        })
        .add_callback(trace.noting("second"));
    (tail, resolver, outside)
}

// Checks: B53
#[test]
fn firing_while_paused_stores_and_unpausing_runs_the_callbacks() {
    let trace = Trace::new();
    let (tail, resolver) = noting(&trace);
    tail.pause();
    resolver.callback(1);
    assert_eq!((trace.seen().as_str(), format!("{tail:?}").as_str()), ("", "Deferred(Held, paused: 1)"));
    assert_eq!(tail.unpause(), Ok(()));
    assert_eq!(trace.seen(), "ran");
    assert_eq!(value(tail), 1);
}

// Checks: B53
#[test]
fn pauses_are_counted_and_one_unpause_too_many_is_an_error_that_changes_nothing() {
    let trace = Trace::new();
    let (tail, resolver) = noting(&trace);
    assert_eq!(tail.unpause(), Err(NotPaused));
    tail.pause();
    tail.pause();
    resolver.callback(1);
    assert_eq!((tail.unpause(), tail.is_paused(), trace.seen().as_str()), (Ok(()), true, ""));
    assert_eq!((tail.unpause(), tail.is_paused(), trace.seen().as_str()), (Ok(()), false, "ran"));
    assert_eq!(tail.unpause(), Err(NotPaused));
    assert_eq!(value(tail), 1);
}

// Checks: B53
#[test]
fn a_callback_added_to_a_paused_deferred_that_has_its_result_waits_for_the_end_of_the_pause() {
    let trace = Trace::new();
    let deferred = Deferred::succeed(1);
    deferred.pause();
    let tail = deferred.add_callback(trace.noting("one")).add_callback(trace.noting("two"));
    assert_eq!(trace.seen(), "");
    let tail = tail.try_result().unwrap_err();
    tail.unpause().unwrap();
    assert_eq!(trace.seen(), "one two");
    assert_eq!(value(tail), 1);
}

// Checks: B53
#[test]
fn a_paused_deferred_does_not_return_the_result_that_it_has() {
    let deferred = Deferred::succeed(1);
    deferred.pause();
    let deferred = deferred.try_result().unwrap_err();
    deferred.unpause().unwrap();
    assert_eq!(value(deferred), 1);
}

// Checks: B53, B51
#[test]
fn pausing_from_inside_a_callback_stops_before_the_next_link() {
    let trace = Trace::new();
    let (tail, resolver, outside) = two_links(&trace, PauseHandle::pause);
    resolver.callback(1);
    assert_eq!(trace.seen(), "first");
    outside.unpause().unwrap();
    assert_eq!(trace.seen(), "first second");
    assert_eq!(value(tail), 1);
}

// Checks: B53, B51
#[test]
fn pausing_and_unpausing_inside_one_callback_changes_nothing() {
    let trace = Trace::new();
    let (tail, resolver, _outside) = two_links(&trace, |handle| {
        handle.pause();
        assert_eq!(handle.unpause(), Ok(()));
    });
    resolver.callback(1);
    assert_eq!(trace.seen(), "first second");
    assert_eq!(value(tail), 1);
}

// Checks: B53
#[test]
fn a_users_pause_and_a_chains_own_wait_are_independent() {
    for fire_first in [true, false] {
        let (inner, resolver) = Deferred::new();
        let outer = Deferred::succeed(()).add_callback(move |()| inner).add_callback(|n: u32| n + 1);
        // A chain that waits is not paused.
        assert_eq!((outer.is_paused(), outer.unpause()), (false, Err(NotPaused)));
        outer.pause();
        let outer = if fire_first {
            resolver.callback(1);
            let outer = outer.try_result().unwrap_err();
            outer.unpause().unwrap();
            outer
        } else {
            outer.unpause().unwrap();
            assert_eq!(format!("{outer:?}"), "Deferred(Waiting)");
            resolver.callback(1);
            outer
        };
        assert_eq!(value(outer), 2);
    }
}

// Checks: B53, B52
#[test]
fn a_paused_inner_deferred_holds_up_the_outer_which_waits_for_it() {
    for (fired, links) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let (mut inner, resolver) = Deferred::new();
        let handle = inner.pause_handle();
        handle.pause();
        if links > 0 {
            inner = inner.add_callback(|n: u32| n + 1);
        }
        let mut resolver = Some(resolver);
        if fired {
            resolver.take().unwrap().callback(1_u32);
        }
        let outer = Deferred::succeed(()).add_callback(move |()| inner);
        if let Some(resolver) = resolver {
            resolver.callback(1);
        }
        assert_eq!(format!("{outer:?}"), "Deferred(Waiting)");
        handle.unpause().unwrap();
        assert_eq!(value(outer), 1 + links);
    }
}

// Checks: B53, B52
#[test]
fn a_handle_pauses_a_deferred_in_the_middle_of_a_wait_path() {
    let (innermost, resolver) = Deferred::new();
    let middle = Deferred::succeed(()).add_callback(move |()| innermost);
    let handle = middle.pause_handle();
    let outer = Deferred::succeed(()).add_callback(move |()| middle).add_callback(|n: u32| n + 1);
    assert!(!handle.is_paused());
    handle.pause();
    assert!(handle.is_paused());
    resolver.callback(1);
    let outer = outer.try_result().unwrap_err();
    handle.unpause().unwrap();
    assert_eq!(value(outer), 2);
}

// Checks: B53, B52
#[test]
fn a_chain_with_a_pause_handle_is_not_bypassed_when_its_last_callback_waits() {
    let (innermost, resolver) = Deferred::new();
    let (middle, fire_middle) = Deferred::new();
    let handle = middle.pause_handle();
    let middle = middle.add_callback(move |()| innermost);
    let outer = Deferred::succeed(()).add_callback(move |()| middle).add_callback(|n: u32| n + 1);
    fire_middle.callback(());
    handle.pause();
    resolver.callback(1);
    let outer = outer.try_result().unwrap_err();
    handle.unpause().unwrap();
    assert_eq!(value(outer), 2);
}

// Checks: B53, B57
#[test]
fn cancelling_a_paused_unfired_one_stores_the_failure() {
    let (deferred, _resolver) = Deferred::<u32>::new();
    let trace = Trace::new();
    let noted = trace.clone();
    let tail = deferred.add_errback(move |failure| {
        noted.note(failure.is::<Cancelled>());
        7
    });
    tail.pause();
    tail.cancel();
    assert_eq!(trace.seen(), "");
    tail.cancel();
    tail.unpause().unwrap();
    assert_eq!(trace.seen(), "true");
    assert_eq!(value(tail), 7);
}

// Checks: B53, B58
#[test]
fn cancelling_one_that_waits_and_is_paused_is_forwarded_and_what_comes_of_it_is_kept() {
    let (inner, _resolver) = Deferred::<u32>::new();
    let outer = Deferred::succeed(()).add_callback(move |()| inner).add_errback(|_| 5);
    outer.pause();
    outer.cancel();
    assert_eq!(format!("{outer:?}"), "Deferred(Held, paused: 1)");
    outer.unpause().unwrap();
    assert_eq!(value(outer), 5);
}

// Checks: B53, B58
#[test]
fn cancelling_one_that_has_its_result_and_is_paused_does_nothing() {
    let (deferred, resolver) = Deferred::with_canceller(|| panic!("it has fired"));
    let tail = deferred.add_callback(|n: u32| n + 1);
    tail.pause();
    resolver.callback(1);
    tail.cancel();
    tail.unpause().unwrap();
    assert_eq!(value(tail), 2);
}

// Checks: B53, B51
#[test]
fn unpausing_from_a_callback_of_another_chain_runs_what_was_held_before_it_returns() {
    let trace = Trace::new();
    let held = Deferred::succeed(1);
    held.pause();
    let tail = held.add_callback(trace.noting("held"));
    let noted = trace.clone();
    Deferred::succeed(()).add_callback(move |()| {
        noted.note("begin");
        tail.unpause().unwrap();
        noted.note("end");
    });
    assert_eq!(trace.seen(), "begin held end");
}

// Checks: B53, B60
#[test]
fn a_pause_that_nobody_can_end_any_more_ends_and_loses_nothing() {
    let told = reports(|| {
        let trace = Trace::new();
        let (tail, resolver) = noting(&trace);
        let tail = tail.add_callback(|_| Err::<(), _>(Oops(1)));
        tail.pause();
        tail.pause();
        resolver.callback(1);
        assert_eq!(trace.seen(), "");
        drop(tail);
        assert_eq!(trace.seen(), "ran");

        // The same if the Deferred went first.
        let (tail, resolver) = noting(&trace);
        tail.pause();
        drop(tail);
        resolver.callback(1);
        assert_eq!(trace.seen(), "ran ran");
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].0, told[0].1.as_str()), (Incident::Unhandled, "oops 1"));
    assert!(told[0].2.is_some());
}

// Checks: B53, B52
#[test]
fn an_outer_deferred_does_not_hang_on_an_inner_one_that_nobody_can_unpause() {
    let drops = Drops::new();
    let (inner, resolver) = Deferred::new();
    let handle = inner.pause_handle();
    handle.pause();
    resolver.callback(drops.token());
    let outer = Deferred::succeed(()).add_callback(move |()| inner);
    let outermost = Deferred::succeed(()).add_callback(move |()| outer);
    assert_eq!(format!("{outermost:?}"), "Deferred(Waiting)");
    drop(handle);
    assert_eq!(drops.count(), 0);
    drop(value(outermost));
    assert_eq!(drops.count(), 1);
    // And one that is given away paused, with no handle at all.
    let inner = Deferred::succeed(2);
    inner.pause();
    assert_eq!(value(Deferred::succeed(()).add_callback(move |()| inner)), 2);
}

// Checks: B53, B58
#[test]
fn cancelling_an_outer_one_still_finds_the_innermost_after_a_pause_has_ended_by_itself() {
    let slot: Place<Deferred<u32>> = Rc::default();
    let (second, _resolver) = Deferred::<u32>::new();
    let (inner, resolver) = Deferred::new();
    let handle = inner.pause_handle();
    handle.pause();
    let inner = inner.add_callback(move |()| second).add_errback(|failure| {
        assert!(failure.is::<Cancelled>());
        3
    });
    resolver.callback(());
    slot.replace(Some(Deferred::succeed(()).add_callback(move |()| inner)));
    drop(handle);
    let outer = slot.take().unwrap();
    outer.cancel();
    assert_eq!(value(outer), 3);
}

// Checks: B53, B57
#[test]
fn a_paused_deferred_whose_resolver_is_dropped_is_abandoned_when_the_pause_ends() {
    let (deferred, resolver) = Deferred::<()>::new();
    let tail = deferred.add_callback(|()| 1);
    tail.pause();
    drop(resolver);
    tail.unpause().unwrap();
    assert!(error(tail).is::<Abandoned>());
}

// Checks: B53
#[test]
fn a_handle_shows_the_stage_and_the_pauses() {
    let (deferred, _resolver) = Deferred::<()>::new();
    let handle = deferred.pause_handle();
    handle.pause();
    assert!(deferred.is_paused() && handle.is_paused());
    assert_eq!(format!("{handle:?}"), "PauseHandle { stage: Unfired, pauses: 1 }");
    drop(deferred);
    assert_eq!((handle.unpause(), handle.unpause()), (Ok(()), Err(NotPaused)));
}

// Checks: B52
#[test]
fn chain_deferred_fires_another_deferred_and_forwards_its_cancel() {
    for fails in [false, true] {
        let (first, fire) = Deferred::new();
        let (second, resolver) = Deferred::new();
        first.add_callback(|n: u32| n + 1).chain_deferred(resolver);
        let second = second.add_callback(|n| n * 10);
        if fails {
            fire.errback(Oops(1));
            assert!(error(second).is::<Oops>());
        } else {
            fire.callback(1);
            assert_eq!(value(second), 20);
        }
    }
    let (first, _fire) = Deferred::<u32>::new();
    let (second, resolver) = Deferred::with_canceller(|| panic!("the one that it waits for is cancelled instead"));
    first.add_errback(|failure| if failure.is::<Cancelled>() { Ok(4) } else { Err(failure) }).chain_deferred(resolver);
    second.cancel();
    assert_eq!(value(second), 4);
}

// Checks: B57
#[test]
fn chaining_to_one_that_was_cancelled_drops_the_result_silently() {
    let told = reports(|| {
        let (second, resolver) = Deferred::<u32>::new();
        second.cancel();
        Deferred::fail(Oops(1)).chain_deferred(resolver);
        assert!(error(second).is::<Cancelled>());
    });
    assert_eq!(told, []);
}
