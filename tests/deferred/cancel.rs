//! Cancelling: what fails, what is called, and what is dropped.

use std::rc::Rc;

use selvedge::{
    Deferred, Resolver,
    error::{Abandoned, Cancelled},
    report::Incident,
};

use crate::support::PanicOnDrop;
use crate::support::deferred::{Drops, Oops, Own, Place, Trace, error, reports, value};

// Checks: B57
#[test]
fn cancelling_an_unfired_deferred_fails_it_now_and_drops_the_late_result_silently() {
    let told = reports(|| {
        for late in 0..3 {
            let trace = Trace::new();
            let (deferred, resolver) = Deferred::<u32>::new();
            let inside = trace.clone();
            let tail = deferred.add_errback(move |failure| {
                inside.note(failure.is::<Cancelled>());
                0
            });
            assert!(!resolver.is_cancelled());
            tail.cancel();
            assert!(resolver.is_cancelled());
            assert_eq!(trace.seen(), "true");
            match late {
                0 => resolver.callback(1),
                1 => resolver.errback(Oops(1)),
                _ => resolver.settle(Deferred::fail(Oops(2))),
            }
            assert_eq!(value(tail), 0);
        }
    });
    assert_eq!(told, []);
}

// Checks: B57
#[test]
fn a_late_result_is_dropped_where_it_arrives() {
    let drops = Drops::new();
    let (deferred, resolver) = Deferred::new();
    deferred.cancel();
    resolver.callback(drops.token());
    assert_eq!(drops.count(), 1);
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B56
#[test]
fn a_canceller_may_fire_the_deferred_itself() {
    let slot: Place<Resolver<u32>> = Rc::default();
    let inside = Rc::clone(&slot);
    let (deferred, resolver) = Deferred::with_canceller(move || {
        let resolver = inside.take().unwrap();
        assert!(!resolver.is_cancelled());
        resolver.callback(5);
    });
    slot.replace(Some(resolver));
    deferred.cancel();
    assert_eq!(value(deferred), 5);
}

// Checks: B56
#[test]
fn a_canceller_may_be_given_what_it_fires_with() {
    let (deferred, resolver) = Deferred::with_firing_canceller(|resolver| resolver.callback(5));
    deferred.cancel();
    assert_eq!(value(deferred), 5);
    // A result of the program's own resolver comes too late, as after any cancel.
    assert!(resolver.is_cancelled());
    resolver.callback(6);

    let kept: Place<Resolver<u32>> = Rc::default();
    let keeps = Rc::clone(&kept);
    let (deferred, _resolver) = Deferred::with_firing_canceller(move |resolver| drop(keeps.replace(Some(resolver))));
    deferred.cancel();
    kept.take().unwrap().callback(7);
    assert!(error(deferred).is::<Cancelled>(), "it was kept, and the canceller returned");

    let (deferred, _resolver) = Deferred::<u32>::with_firing_canceller(drop);
    deferred.cancel();
    assert!(error(deferred).is::<Cancelled>());

    let (deferred, resolver) = Deferred::<u32, Own>::typed_with_firing_canceller(|_| panic!("it was fired"));
    resolver.errback(Own::Plain(1));
    deferred.cancel();
    assert!(matches!(deferred.try_result(), Ok(Err(Own::Plain(1)))));
}

// Checks: B56
#[test]
fn a_canceller_that_drops_the_resolver_has_cancelled_and_not_abandoned() {
    let slot: Place<Resolver<u32>> = Rc::default();
    let inside = Rc::clone(&slot);
    let (deferred, resolver) = Deferred::with_canceller(move || drop(inside.take()));
    slot.replace(Some(resolver));
    deferred.cancel();
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B56
#[test]
fn a_panicking_canceller_is_reported_and_the_deferred_still_fails_with_cancelled() {
    let told = reports(|| {
        let (deferred, _resolver) = Deferred::<()>::with_canceller(|| panic!("cannot"));
        deferred.cancel();
        assert!(error(deferred).is::<Cancelled>());
    });
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0, told[0].1.as_str()), (Incident::Canceller, "panicked: cannot"));
}

// Checks: B56
#[test]
fn a_canceller_that_cancels_again_is_not_called_again() {
    let slot: Place<Deferred<()>> = Rc::default();
    let inside = Rc::clone(&slot);
    let (deferred, _resolver) = Deferred::<()>::with_canceller(move || {
        let deferred = inside.take().unwrap();
        deferred.cancel();
        inside.replace(Some(deferred));
    });
    slot.replace(Some(deferred));
    let deferred = slot.take().unwrap();
    slot.replace(Some(Deferred::succeed(())));
    deferred.cancel();
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B58
#[test]
fn the_canceller_is_dropped_on_firing_before_any_callback_runs() {
    let drops = Drops::new();
    let (token, seen) = (drops.token(), drops.clone());
    let (deferred, resolver) = Deferred::with_canceller(move || drop(token));
    let tail = deferred.add_callback(move |()| seen.count());
    resolver.callback(());
    assert_eq!(value(tail), 1);
}

// Checks: B58
#[test]
fn dropping_a_canceller_that_panics_is_reported_and_the_result_goes_its_way() {
    let told = reports(|| {
        let panics_on_drop = PanicOnDrop;
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let _panics_on_drop = &panics_on_drop;
        });
        resolver.callback(1);
        assert_eq!(value(deferred), 1);
    });
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [Incident::Drop]);
}

// Checks: B58
#[test]
fn cancelling_a_fired_deferred_does_nothing() {
    let deferred = Deferred::succeed(3);
    deferred.cancel();
    assert_eq!(value(deferred), 3);
}

// Checks: B58
#[test]
fn cancelling_from_inside_a_callback_of_the_same_chain_does_nothing() {
    let slot: Place<Deferred<u32>> = Rc::default();
    let inside = Rc::clone(&slot);
    let (deferred, resolver) = Deferred::new();
    let tail = deferred.add_callback(move |n: u32| {
        inside.borrow().as_ref().unwrap().cancel();
        n + 1
    });
    slot.replace(Some(tail));
    resolver.callback(1);
    assert_eq!(value(slot.take().unwrap()), 2);
}

// Checks: B58
#[test]
fn cancelling_one_that_waits_cancels_what_it_waits_for() {
    let trace = Trace::new();
    let inside = trace.clone();
    let (inner, _resolver) = Deferred::<u32>::with_canceller(move || inside.note("canceller"));
    let noted = trace.clone();
    let inner = inner.add_both(move |result| {
        noted.note("inner");
        result
    });
    let outer = Deferred::succeed(()).add_callback(move |()| inner);
    let noted = trace.clone();
    let outer = outer.add_errback(move |failure| {
        noted.note(format!("outer {}", failure.is::<Cancelled>()));
        9
    });
    outer.cancel();
    assert_eq!(trace.seen(), "canceller inner outer true");
    assert_eq!(value(outer), 9);
}

// Checks: B58
#[test]
fn a_forwarded_cancel_may_be_answered_with_a_value_and_the_next_wait_may_be_cancelled_too() {
    let (first, _keep) = Deferred::<u32>::new();
    let (second, _keep_too) = Deferred::<u32>::new();
    let first = first.add_errback(|_| 1);
    let outer = Deferred::succeed(()).add_callback(move |()| first).add_callback(move |n| {
        assert_eq!(n, 1);
        second
    });
    outer.cancel();
    assert!(format!("{outer:?}").contains("Waiting"));
    outer.cancel();
    assert!(error(outer).is::<Cancelled>());
}

// Checks: B58
#[test]
fn cancelling_one_whose_inner_is_in_the_middle_of_a_callback_does_nothing() {
    let slot: Place<Deferred<u32>> = Rc::default();
    let inside = Rc::clone(&slot);
    let (inner, resolver) = Deferred::new();
    let inner = inner.add_callback(move |n: u32| {
        inside.borrow().as_ref().unwrap().cancel();
        n + 1
    });
    slot.replace(Some(Deferred::succeed(()).add_callback(move |()| inner)));
    resolver.callback(1);
    assert_eq!(value(slot.take().unwrap()), 2);
}

// Checks: B57
#[test]
fn a_resolver_that_is_dropped_unfired_abandons_its_deferred() {
    let (deferred, resolver) = Deferred::<()>::new();
    drop(resolver);
    assert!(error(deferred).is::<Abandoned>());
}

// Checks: B57
#[test]
fn dropping_the_resolver_of_a_cancelled_deferred_changes_nothing() {
    let (deferred, resolver) = Deferred::<()>::new();
    deferred.cancel();
    drop(resolver);
    assert!(error(deferred).is::<Cancelled>());
}
