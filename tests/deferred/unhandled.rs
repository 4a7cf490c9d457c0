//! Failures that nobody handled: reported once, and only then.

use std::cell::RefCell;
use std::rc::Rc;

use selvedge::{Deferred, Resolver, report::Incident};

use crate::support::deferred::{Oops, Reported, reports};

fn unhandled(told: &[Reported]) -> Vec<&str> {
    assert!(told.iter().all(|told| told.0 == Incident::Unhandled), "{told:?}");
    told.iter().map(|told| told.1.as_str()).collect()
}

// Checks: B60
#[test]
fn a_failure_is_reported_when_its_deferred_is_dropped_and_not_before() {
    let slot = Rc::new(RefCell::new(Some(Deferred::<()>::fail(Oops(1)))));
    let kept = Rc::clone(&slot);
    let told = reports(move || {
        let held = kept.borrow_mut().take();
        Deferred::<()>::fail(Oops(2)).log_error();
        drop(held);
    });
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [Incident::Logged, Incident::Unhandled]);
}

// Checks: B60
#[test]
fn a_failure_that_comes_after_its_deferred_was_dropped_is_reported_when_it_comes() {
    let told = reports(|| {
        let (deferred, resolver) = Deferred::<()>::new();
        drop(deferred.add_callback(|()| 1));
        resolver.errback(Oops(1));
    });
    assert_eq!(unhandled(&told), ["oops 1"]);
}

// Checks: B60
#[test]
fn a_report_says_where_the_deferred_was_made() {
    let start = line!();
    let told = reports(|| {
        drop(Deferred::<()>::fail(Oops(1)));
        let (deferred, resolver) = Deferred::<()>::new();
        drop(deferred.add_callback(|()| 1).map(|n| n + 1));
        resolver.errback(Oops(2));
    });
    assert_eq!(told.iter().map(|told| told.2.unwrap()).collect::<Vec<_>>(), [start + 2, start + 3]);
}

// Checks: B60
#[test]
fn a_handled_failure_is_not_reported() {
    let told = reports(|| {
        Deferred::<()>::fail(Oops(1)).add_errback(|_| ());
        Deferred::<()>::fail(Oops(1)).add_both(|_| ());
        drop(Deferred::<()>::fail(Oops(1)).try_result());
    });
    assert_eq!(told, []);
}

// Checks: B60
#[test]
fn a_failure_that_is_handed_on_is_reported_by_the_one_it_came_to_and_only_there() {
    let told = reports(|| {
        let (inner, resolver) = Deferred::<()>::new();
        let outer = Deferred::succeed(()).add_callback(move |()| inner);
        let outermost = Deferred::succeed(()).add_callback(move |()| outer).add_callback(|()| ());
        resolver.errback(Oops(1));
        drop(outermost);
    });
    assert_eq!(unhandled(&told), ["oops 1"]);
}

// Checks: B60
#[test]
fn an_errback_that_fails_leaves_only_its_own_failure() {
    let told = reports(|| {
        Deferred::<()>::fail(Oops(1)).add_errback(|_| Err::<(), _>(Oops(2)));
    });
    assert_eq!(unhandled(&told), ["oops 2"]);
}

// Checks: B60
#[test]
fn an_abandoned_deferred_that_nobody_handles_is_reported() {
    let told = reports(|| drop(Deferred::<()>::new()));
    assert_eq!(told.len(), 1);
    let told = reports(|| {
        let (deferred, resolver): (Deferred<()>, Resolver<()>) = Deferred::new();
        drop(resolver);
        drop(deferred);
    });
    assert_eq!(told.len(), 1);
}

// Checks: B60
#[test]
fn a_cancelled_deferred_that_nobody_handles_is_reported_once() {
    let told = reports(|| {
        let (deferred, resolver) = Deferred::<()>::new();
        deferred.cancel();
        drop(resolver);
        drop(deferred);
    });
    assert_eq!(unhandled(&told), ["cancelled before there was a result"]);
}

// Checks: B60
#[test]
fn firing_into_a_dropped_deferred_with_a_value_reports_nothing() {
    let told = reports(|| {
        let (deferred, resolver) = Deferred::new();
        drop(deferred);
        resolver.callback(1);
    });
    assert_eq!(told, []);
}

// Checks: B60, B51
#[test]
fn an_error_that_a_callback_makes_of_a_cancel_is_reported_although_the_resolver_is_still_there() {
    let (deferred, resolver) = Deferred::<()>::new();
    deferred.cancel();
    let told = reports(move || drop(deferred.add_errback(|_| Err::<(), _>(Oops(1)))));
    assert_eq!(unhandled(&told), ["oops 1"]);
    drop(resolver);
}
