//! Deferreds that wait for each other.

use std::rc::Rc;

use selvedge::deferred::{DeferredList, gather_results};
use selvedge::{Deferred, error::WaitsForItself};

use crate::support::deferred::{Drops, Oops, Place, Trace, error, reports, value};

// Checks: B52
#[test]
fn a_chain_waits_for_a_returned_deferred_and_takes_its_result() {
    let trace = Trace::new();
    let (inner, resolver) = Deferred::new();
    let outer = Deferred::succeed(1)
        .add_callback(move |n| inner.add_callback(move |m: i32| n + m))
        .add_callback(trace.noting("after"));
    assert_eq!(trace.seen(), "");
    resolver.callback(10);
    assert_eq!(trace.seen(), "after");
    assert_eq!(value(outer), 11);
}

// Checks: B52
#[test]
fn the_inner_deferreds_earlier_callbacks_run_first() {
    let trace = Trace::new();
    let (inner, resolver) = Deferred::new();
    let inner = inner.add_callback(trace.noting::<()>("inner 1")).add_callback(trace.noting("inner 2"));
    Deferred::succeed(()).add_callback(move |()| inner).add_callback(trace.noting("outer"));
    resolver.callback(());
    assert_eq!(trace.seen(), "inner 1 inner 2 outer");
}

// Checks: B52
#[test]
fn a_returned_deferred_that_has_its_result_is_not_waited_for() {
    let trace = Trace::new();
    let inside = trace.clone();
    Deferred::succeed(())
        .add_callback(move |()| {
            inside.note("one");
            Deferred::succeed(()).add_callback(inside.noting("inner"))
        })
        .add_callback(trace.noting("two"));
    assert_eq!(trace.seen(), "one inner two");
}

// Checks: B52
#[test]
fn an_inner_error_continues_on_the_failure_side() {
    let (inner, resolver) = Deferred::<()>::new();
    let outer = Deferred::succeed(()).add_callback(move |()| inner).add_errback(|failure| {
        assert!(failure.is::<Oops>());
    });
    resolver.errback(Oops(1));
    value(outer);
}

// Checks: B52
#[test]
fn an_errback_may_return_a_deferred_too() {
    let (inner, resolver) = Deferred::new();
    let outer = Deferred::<i32>::fail(Oops(1)).add_errback(move |_| inner);
    resolver.callback(4);
    assert_eq!(value(outer), 4);
}

// Checks: B52
#[test]
fn waiting_is_transitive() {
    let (innermost, resolver) = Deferred::new();
    let middle = Deferred::succeed(()).add_callback(move |()| innermost).add_callback(|n: i32| n + 1);
    let outer = Deferred::succeed(()).add_callback(move |()| middle).add_callback(|n| n + 1);
    resolver.callback(1);
    assert_eq!(value(outer), 3);
}

// Checks: B52
#[test]
fn a_chain_may_wait_several_times() {
    let (first, fire_first) = Deferred::new();
    let (second, fire_second) = Deferred::new();
    let outer = Deferred::succeed(())
        .add_callback(move |()| first)
        .add_callback(move |n: i32| second.add_callback(move |m: i32| n * 10 + m));
    fire_second.callback(2);
    fire_first.callback(1);
    assert_eq!(value(outer), 12);
}

// Checks: B52
#[test]
fn a_callback_added_while_the_chain_waits_runs_after_the_wait() {
    let trace = Trace::new();
    let (inner, resolver) = Deferred::new();
    let outer = Deferred::succeed(()).add_callback(move |()| inner);
    let outer = outer.add_callback(trace.noting::<i32>("added"));
    assert_eq!(trace.seen(), "");
    resolver.callback(1);
    assert_eq!(trace.seen(), "added");
    assert_eq!(value(outer), 1);
}

// Checks: B52
#[test]
fn a_waiting_chain_runs_on_although_nobody_holds_it() {
    let trace = Trace::new();
    let (inner, resolver) = Deferred::new();
    drop(Deferred::succeed(()).add_callback(move |()| inner).add_callback(trace.noting::<()>("on")));
    resolver.callback(());
    assert_eq!(trace.seen(), "on");
}

// Checks: B52
#[test]
fn a_deferred_as_a_mere_value_is_not_waited_for() {
    let outer = Deferred::succeed(1).map(|n| Deferred::succeed(n + 1));
    assert_eq!(value(value(outer)), 2);
}

// Checks: B54
#[test]
fn a_callback_that_returns_its_own_chain_fails_with_waits_for_itself() {
    let slot: Place<Deferred<()>> = Rc::default();
    let inside = Rc::clone(&slot);
    let trace = Trace::new();
    let noted = trace.clone();
    let (deferred, resolver) = Deferred::new();
    let tail = deferred.add_callback(move |()| inside.take().unwrap()).add_errback(move |failure| {
        noted.note(failure.is::<WaitsForItself>());
    });
    slot.replace(Some(tail));
    resolver.callback(());
    assert_eq!(trace.seen(), "true");
}

// Checks: B54
#[test]
fn a_chain_that_would_wait_for_itself_through_others_fails_and_so_do_they() {
    let slot: Place<Deferred<u32>> = Rc::default();
    let inside = Rc::clone(&slot);
    // The first waits for the second, that for the third, and the third for the first.
    let (third, resolver) = Deferred::new();
    let third = third.add_callback(move |()| inside.take().unwrap());
    let second = Deferred::succeed(()).add_callback(move |()| third);
    let first = Deferred::succeed(()).add_callback(move |()| second).add_errback(|failure| {
        assert!(failure.is::<WaitsForItself>());
        7
    });
    let seen = Trace::new();
    let noted = seen.clone();
    slot.replace(Some(first.add_callback(move |n| {
        noted.note(n);
        n
    })));
    resolver.callback(());
    assert_eq!(seen.seen(), "7");
}

// Checks: B54
#[test]
fn a_chain_fired_with_its_own_tail_fails_with_waits_for_itself() {
    let (deferred, resolver) = Deferred::<i32>::new();
    let told = reports(move || resolver.settle(deferred));
    assert_eq!(told.len(), 1);
    assert!(told[0].1.contains("would wait for ever"));
}

// Checks: B54
#[test]
fn waiting_for_one_that_has_waited_and_is_done_is_no_wait_cycle() {
    let (a, fire_a) = Deferred::new();
    let b = Deferred::succeed(()).add_callback(move |()| a);
    fire_a.callback(1);
    let (c, fire_c) = Deferred::<i32>::new();
    let b = b.add_callback(move |n: i32| c.add_callback(move |m| n + m));
    let d = Deferred::succeed(()).add_callback(move |()| b);
    fire_c.callback(1);
    assert_eq!(value(d), 2);
}

// Checks: B52
#[test]
fn a_wait_path_joined_from_two_still_knows_whom_to_cancel() {
    // Two wait paths of two chains are joined; then the innermost chain finishes, and a cancel reaches the next one.
    let (d, fire_d) = Deferred::<u32>::new();
    let c = Deferred::succeed(()).add_callback(move |()| d);
    let (next, _fire_next) = Deferred::<u32>::new();
    let c = c.add_callback(move |_| next);
    let (b, fire_b) = Deferred::new();
    let b = b.add_callback(move |()| c);
    // The last callback of `b` is not the one that waits, so `b` stays in the path.
    let b = b.add_callback(|n| n + 1);
    let a = Deferred::succeed(()).add_callback(move |()| b).add_callback(|n: u32| n + 1);
    fire_b.callback(());
    fire_d.callback(1);
    a.cancel();
    assert!(error(a).is::<selvedge::error::Cancelled>());
}

// Checks: B52
#[test]
fn everything_is_dropped_when_the_innermost_is_abandoned() {
    let drops = Drops::new();
    let (innermost, resolver) = Deferred::<()>::new();
    let mut deferred = innermost;
    for _ in 0..10 {
        let inner = deferred;
        let (run, skipped) = (drops.token(), drops.token());
        deferred = Deferred::succeed(())
            .add_callback(move |()| inner)
            .add_callback(move |()| drop(skipped))
            .add_errback(move |failure| {
                drop(run);
                Err(failure)
            });
    }
    drop(resolver);
    assert_eq!(drops.count(), 20);
    assert!(error(deferred).is::<selvedge::error::Abandoned>());
}

// Checks: B54, B61
#[test]
fn what_a_list_no_longer_waits_for_may_wait_for_what_that_list_is_a_part_of() {
    let (inner, inner_resolver) = Deferred::<u32>::new();
    let (other, other_resolver) = Deferred::<u32>::new();
    let (last, last_resolver) = Deferred::<u32>::new();
    let whole: Place<Deferred<u32>> = Rc::default();
    let (late, begin) = Deferred::new();
    let waits_for = Rc::clone(&whole);
    let late = late
        // It comes to wait inside of the lists while all of them wait for it.
        .add_callback(move |()| inner)
        .add_callback(move |_| waits_for.borrow_mut().take().unwrap());
    let trace = Trace::new();
    let noted = trace.clone();
    let late = late.add_both(move |result| {
        noted.note(result.map_or_else(|failure| failure.to_string(), |sum| sum.to_string()));
        0
    });
    let innermost = gather_results([late]).map(|all| all[0]);
    let first = DeferredList::new([innermost, other]).fire_on_one_callback().map(|(_, value)| value);
    let all = gather_results([first, last]).map(|all| all.into_iter().sum());
    *whole.borrow_mut() = Some(all);
    begin.callback(());
    other_resolver.callback(1);
    inner_resolver.callback(0);
    last_resolver.callback(2);
    assert_eq!(trace.seen(), "3");
}
