//! Deferreds that were given away: a handle that cancels one, and results that several wait for.

use std::rc::Rc;

use selvedge::coordination::DeferredQueue;
use selvedge::deferred::{CancelHandle, DeferredList, SharedDeferred, gather_results};
use selvedge::error::{Abandoned, Cancelled, SharedFailure};
use selvedge::report::Incident;
use selvedge::{Deferred, Failure, Reactor, Resolver};

use crate::support::deferred::{Drops, Oops, Place, Trace, error, reports, value};

fn pending() -> (Deferred<u32>, Resolver<u32>, CancelHandle) {
    let (deferred, resolver) = Deferred::new();
    let (deferred, handle) = deferred.with_cancel_handle();
    (deferred, resolver, handle)
}

// Checks: P123
#[test]
fn a_cancel_handle_reaches_a_member_of_a_list_and_no_other() {
    let (first, resolver, handle) = pending();
    let (second, other) = Deferred::<u32>::new();
    let all = DeferredList::new([first, second]).all();
    assert!(handle.is_pending());
    handle.cancel();
    assert!(resolver.is_cancelled() && !other.is_cancelled() && !handle.is_pending());
    other.callback(2);
    let results = value(all);
    assert!(results[0].as_ref().is_err_and(Failure::is::<Cancelled>), "{results:?}");
    assert!(matches!(results[1], Ok(2)));
}

// Checks: P123
#[test]
fn a_cancel_handle_reaches_what_the_chain_waits_for_wherever_the_chain_is() {
    // The chain with the handle waits for `inner`, and `outer` waits for it; so does a list.
    let (inner, resolver) = Deferred::<u32>::new();
    let middle: Place<Deferred<u32>> = Rc::default();
    let (handle, outer) = {
        let (deferred, handle) = Deferred::succeed(1).add_callback(move |_: u32| inner).with_cancel_handle();
        *middle.borrow_mut() = Some(deferred.add_callback(|n| n + 1));
        let outer = Deferred::succeed(()).add_callback(move |()| middle.borrow_mut().take().unwrap());
        (handle, gather_results([outer]))
    };
    handle.cancel();
    assert!(resolver.is_cancelled());
    assert!(outer.has_result());
    drop(error(outer));
}

// Checks: P123
#[test]
fn a_cancel_handle_reaches_what_its_chain_waits_for_through_a_resolver_that_another_chain_waits_for() {
    let (inner, resolver) = Deferred::<u32>::new();
    let (middle, handle) = Deferred::succeed(1).add_callback(move |_: u32| inner).with_cancel_handle();
    let (through, next) = Deferred::new();
    middle.chain_deferred(next);
    let outer = Deferred::succeed(()).add_callback(move |()| through);
    handle.cancel();
    assert!(resolver.is_cancelled());
    assert!(error(outer).is::<Cancelled>());
}

// Checks: P123, B53
#[test]
fn a_cancel_handle_outlives_a_pause_that_nobody_is_left_to_end() {
    let (inner, inner_resolver) = Deferred::<u32>::new();
    let (deferred, resolver) = Deferred::<u32>::new();
    deferred.pause();
    let (deferred, handle) = deferred.add_callback(move |_| inner).with_cancel_handle();
    let trace = Trace::new();
    let end =
        deferred.add_errback(move |failure| u32::from(failure.is::<Cancelled>())).add_callback(trace.noting("ended"));
    resolver.callback(1);
    // The pause ends: the callback runs, and the chain waits for `inner`.
    drop(end);
    assert!(handle.is_pending() && !inner_resolver.is_cancelled());
    handle.cancel();
    assert!(inner_resolver.is_cancelled());
    assert_eq!(trace.seen(), "ended");
}

// Checks: P123
#[test]
fn a_cancel_handle_is_for_what_was_added_before_it_and_keeps_nothing_alive() {
    let (deferred, resolver, handle) = pending();
    let (later, other) = Deferred::<u32>::new();
    resolver.callback(1);
    assert!(!handle.is_pending());
    let deferred = deferred.add_callback(move |_| later);
    handle.cancel();
    assert!(!handle.is_pending() && !other.is_cancelled());
    other.callback(3);
    assert_eq!(value(deferred), 3);

    let drops = Drops::new();
    let token = drops.token();
    let (deferred, resolver) = Deferred::<u32>::new();
    let (deferred, handle) = deferred.add_callback(move |_| drop(token)).with_cancel_handle();
    drop(deferred.add_errback(|_| ()));
    drop(resolver);
    assert_eq!((drops.count(), handle.is_pending()), (1, false));
    handle.cancel();

    let (fired, handle) = Deferred::succeed(1).with_cancel_handle();
    handle.clone().cancel();
    assert_eq!(value(fired), 1);
}

// Checks: P123
#[test]
fn a_deferred_says_whether_it_has_its_result() {
    let (deferred, resolver) = Deferred::new();
    assert!(!deferred.has_result());
    resolver.callback(1);
    assert!(deferred.has_result());
    deferred.pause();
    assert!(!deferred.has_result());
    deferred.unpause().unwrap();
    let (never, _resolver) = Deferred::<u32>::new();
    let waits = deferred.add_callback(move |_: u32| never).add_errback(|_| 0);
    assert!(!waits.has_result());
}

// Checks: P124
#[test]
fn several_wait_for_one_result_and_are_told_in_their_order_also_from_inside() {
    let trace = Trace::new();
    let (deferred, resolver) = Deferred::new();
    let shared = deferred.shared();
    let (again, note) = (shared.clone(), trace.clone());
    let first = shared.get().add_callback(move |n: Rc<u32>| {
        note.note(format!("first {n}"));
        let inside = note.clone();
        drop(again.get().add_callback(move |n| inside.note(format!("inside {n}"))));
    });
    let note = trace.clone();
    let second = shared.get().add_callback(move |n| note.note(format!("second {n}")));
    assert!(!shared.has_result());
    resolver.callback(7);
    assert!(shared.has_result());
    assert_eq!(trace.seen(), "first 7 inside 7 second 7");
    assert_eq!(*value(shared.get()), 7);
    drop((first, second));
}

// Checks: P124
#[test]
fn everybody_who_asked_is_given_the_failure_with_its_type_and_nobody_else_hears_of_it() {
    let told = reports(|| {
        let (deferred, resolver) = Deferred::<u32>::new();
        let shared = deferred.shared();
        let before = shared.get();
        resolver.errback(Oops(3));
        for deferred in [before, shared.get()] {
            let failure = error(deferred);
            assert!(failure.downcast_ref::<SharedFailure>().is_some_and(|shared| shared.is::<Oops>()));
            assert!(failure.error().source().is_some_and(<dyn std::error::Error>::is::<Oops>));
        }
    });
    assert_eq!(told, []);
}

// Checks: P124
#[test]
fn a_shared_failure_that_nobody_asked_for_is_reported_once() {
    let told = reports(|| {
        let shared = Deferred::<u32>::fail(Oops(3)).shared();
        drop(shared.clone());
        drop(shared);
    });
    assert_eq!(told.iter().map(|report| report.0).collect::<Vec<_>>(), [Incident::Unhandled]);
}

// Checks: P124
#[test]
fn who_gives_up_withdraws_alone_and_a_cancel_of_the_original_reaches_all() {
    let (deferred, resolver) = Deferred::<u32>::new();
    let shared = deferred.shared();
    let (first, second) = (shared.get(), shared.get());
    first.cancel();
    assert!(error(first).is::<Cancelled>());
    assert!(!resolver.is_cancelled() && !second.has_result());
    shared.cancel();
    assert!(resolver.is_cancelled());
    assert!(error(second).downcast_ref::<SharedFailure>().is_some_and(|shared| shared.is::<Cancelled>()));
}

// Checks: P124
#[test]
fn those_who_wait_are_told_also_when_all_handles_are_gone_or_the_original_is_abandoned() {
    let drops = Drops::new();
    let (deferred, resolver) = Deferred::new();
    let shared = deferred.shared();
    let waits = shared.get();
    drop(shared);
    resolver.callback(drops.token());
    drop(value(waits));
    assert_eq!(drops.count(), 1);

    let (deferred, resolver) = Deferred::<u32>::new();
    let shared: SharedDeferred<u32> = deferred.shared();
    drop(resolver);
    assert!(error(shared.get()).downcast_ref::<SharedFailure>().is_some_and(|shared| shared.is::<Abandoned>()));
}

// Checks: P124
#[test]
fn several_tasks_await_one_result() {
    let reactor = Reactor::new();
    let (deferred, resolver) = Deferred::new();
    let shared = deferred.shared();
    let tasks: Vec<_> = (0..3)
        .map(|n| {
            let shared = shared.clone();
            reactor.spawn(async move { Ok::<_, Failure>(*shared.get().await? + n) })
        })
        .collect();
    reactor.turn().unwrap();
    resolver.callback(10);
    let sums = reactor.block_on(async move { gather_results(tasks).await }).unwrap();
    assert_eq!(sums, [10, 11, 12]);
}

// Checks: P123, P124
#[test]
fn an_item_that_has_passed_a_cancel_handle_goes_back_if_nobody_receives_it() {
    let queue = DeferredQueue::new();
    let (handed, handle) = queue.get().unwrap().with_cancel_handle();
    queue.put(1).unwrap();
    assert_eq!((handle.is_pending(), queue.len()), (false, 0));
    drop(handed);
    assert_eq!(queue.len(), 1);
}

// Checks: P124
#[test]
fn an_item_that_decided_a_list_goes_back_if_nobody_receives_the_lists_result() {
    let queue = DeferredQueue::<u32>::new();
    queue.put(1).unwrap();
    let list = || DeferredList::new([queue.get().unwrap()]);
    let ways: [fn(DeferredList<u32>) -> Deferred<(usize, u32)>; 2] =
        [DeferredList::fire_on_one_callback, DeferredList::fire_on_one];
    for fires_on_one in ways {
        let first = fires_on_one(list());
        assert!(first.has_result() && queue.is_empty());
        drop(first);
        assert_eq!(queue.len(), 1);
    }
}
