//! `test_defer`: pausing, and Deferreds that wait for each other.

use std::cell::RefCell;
use std::rc::Rc;

use selvedge::{Deferred, error::WaitsForItself};

use super::{GenericError, Results, error, value};

// Checks: B53
#[test]
fn paused_failure() {
    let results = Results::default();
    let failed = Deferred::<()>::fail(GenericError);
    failed.pause();
    let failed = failed.add_errback(results.errback());
    assert_eq!(results.seen(), "");
    failed.unpause().unwrap();
    assert_eq!(results.seen(), "error: generic");
}

// Checks: B53
#[test]
fn unpause_before_callback() {
    let results = Results::default();
    let (deferred, resolver) = Deferred::new();
    deferred.pause();
    let deferred = deferred.add_callback(results.callback());
    deferred.unpause().unwrap();
    assert_eq!(results.seen(), "");
    resolver.callback(1);
    assert_eq!(results.seen(), "1");
}

// Checks: B52, B53
#[test]
fn callback_returns_deferred() {
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    inner.pause();
    let handle = inner.pause_handle();
    let (outer, fire_outer) = Deferred::new();
    outer.add_callback(move |_: u32| inner).add_callback(results.callback::<u32>());
    fire_outer.callback(1);
    assert_eq!(results.seen(), "", "it should not have been called yet");
    fire_inner.callback(2);
    assert_eq!(results.seen(), "", "it still should not have been called yet");
    handle.unpause().unwrap();
    assert_eq!(results.seen(), "2", "the result should have come from the second one");
}

// Checks: B52
#[test]
fn errback_returns_deferred() {
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    let (outer, fire_outer) = Deferred::<&str>::new();
    let outer = outer.add_errback(move |_| inner).add_callback(results.callback());
    fire_outer.errback(GenericError);
    let outer = outer.try_result().unwrap_err();
    assert_eq!(results.seen(), "");
    fire_inner.callback("result");
    assert_eq!(results.seen(), "\"result\"");
    assert_eq!(value(outer), "result");
}

// Checks: B52, B53
#[test]
fn chained_paused_deferred_with_result() {
    let results = Results::default();
    let paused = Deferred::succeed("expected");
    paused.pause();
    let handle = paused.pause_handle();
    Deferred::succeed(()).add_callback(move |()| paused).add_callback(results.callback());
    assert_eq!(results.seen(), "");
    handle.unpause().unwrap();
    assert_eq!(results.seen(), "\"expected\"");
}

/// Of Deferreds that wait for each other one is paused: there the result is held.
// Checks: B52, B53
#[test]
fn paused_deferred_chained() {
    let results = Results::default();
    let (first, fire) = Deferred::new();
    let second = Deferred::succeed(()).add_callback(move |()| first);
    second.pause();
    let handle = second.pause_handle();
    let third = Deferred::succeed(()).add_callback(move |()| second).add_callback(results.callback::<&str>());
    fire.callback("expected");
    let third = third.try_result().unwrap_err();
    assert_eq!(results.seen(), "");
    handle.unpause().unwrap();
    assert_eq!(results.seen(), "\"expected\"");
    assert_eq!(value(third), "expected");
}

// Checks: B52
#[test]
fn nested_asynchronous_chained_deferreds() {
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    let first = results.clone();
    let outer = Deferred::succeed("outer").add_callback(move |text| {
        first.push(text);
        Deferred::succeed("in the middle").add_callback(move |text| {
            first.push(text);
            inner
        })
    });
    let outer = outer.add_callback(results.callback::<&str>());
    let outer = outer.try_result().unwrap_err();
    assert_eq!(results.seen(), "outer, in the middle");
    fire_inner.callback("inner");
    assert_eq!(results.seen(), "outer, in the middle, \"inner\"");
    assert_eq!(value(outer), "inner");
}

// Checks: B52
#[test]
fn nested_asynchronous_chained_deferreds_with_extra_callbacks() {
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    let inner = inner.add_callback(|text: String| text + ", extra of the inner");
    let outer = Deferred::succeed(())
        .add_callback(move |()| {
            Deferred::succeed(()).add_callback(move |()| inner).add_callback(|text: String| text + ", of the middle")
        })
        .add_callback(|text| text + ", of the outer")
        .add_callback(results.callback());
    fire_inner.callback("result".to_owned());
    let said = "result, extra of the inner, of the middle, of the outer";
    assert_eq!(value(outer), said);
    assert_eq!(results.seen(), format!("{said:?}"));
}

// Checks: B52
#[test]
fn chain_deferred_records_explicit_chain() {
    let (first, fire) = Deferred::new();
    let (second, resolver) = Deferred::<u32>::new();
    first.chain_deferred(resolver);
    assert_eq!(format!("{second:?}"), "Deferred(Waiting)");
    fire.callback(1);
    assert_eq!(value(second), 1);
}

// Checks: B52
#[test]
fn explicit_chain_cleared_when_resolved() {
    let (first, fire) = Deferred::new();
    let (second, resolver) = Deferred::<u32>::new();
    first.chain_deferred(resolver);
    fire.callback(1);
    assert_eq!(format!("{second:?}"), "Deferred(Resting)");
}

// Checks: B52
#[test]
fn chain_deferred_records_implicit_chain() {
    let (inner, fire) = Deferred::<u32>::new();
    let outer = Deferred::succeed(()).add_callback(move |()| inner);
    assert_eq!(format!("{outer:?}"), "Deferred(Waiting)");
    fire.callback(1);
    assert_eq!(format!("{outer:?}"), "Deferred(Resting)");
}

/// Twisted plans to raise an error here; for now it warns.
// Checks: B54
#[test]
fn circular_chain_exception() {
    let own: Rc<RefCell<Option<Deferred<()>>>> = Rc::default();
    let (deferred, resolver) = Deferred::new();
    let itself = Rc::clone(&own);
    let (outer, fire_outer) = Deferred::new();
    let deferred = deferred.add_callback(move |()| itself.borrow_mut().take().unwrap());
    own.replace(Some(deferred));
    let failed: Rc<RefCell<Option<_>>> = Rc::default();
    let seen = Rc::clone(&failed);
    let taken = own.borrow_mut().take().unwrap().add_errback(move |failure| {
        seen.replace(Some(failure));
    });
    own.replace(Some(taken));
    outer.add_callback(move |()| resolver.callback(()));
    fire_outer.callback(());
    assert!(failed.take().unwrap().is::<WaitsForItself>());
}

// Checks: B50
#[test]
fn succeed_matches_manual_success() {
    let (manual, resolver) = Deferred::new();
    resolver.callback("the result");
    assert_eq!(value(manual), value(Deferred::succeed("the result")));
}

// Checks: B52, B57
#[test]
fn an_error_that_passes_to_a_waiting_deferred_stays_the_same() {
    let (inner, fire) = Deferred::<()>::new();
    let outer = Deferred::succeed(()).add_callback(move |()| inner);
    fire.errback(GenericError);
    assert!(error(outer).is::<GenericError>());
}
