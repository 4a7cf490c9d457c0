//! `test_defer`: coroutines, which are futures here, and conversions between Deferreds and futures.

use selvedge::{Deferred, Failure, Reactor, error::Cancelled, testing::VirtualClock};

use super::{GenericError, error, value};

fn reactor() -> Reactor {
    Reactor::builder().clock(VirtualClock::new()).build().unwrap()
}

/// The Deferred of a task, after a few turns.
fn turned<T>(reactor: &Reactor, deferred: Deferred<T>) -> Deferred<T> {
    for _ in 0..3 {
        reactor.turn().unwrap();
    }
    deferred
}

// Checks: P21
#[test]
fn maybe_deferred_coroutine_success() {
    let reactor = reactor();
    let task = reactor.spawn(async { "return value" });
    assert_eq!(value(turned(&reactor, task)), "return value");
}

// Checks: P21
#[test]
fn maybe_deferred_coroutine_success_indirect() {
    let reactor = reactor();
    let (inner, resolver) = Deferred::<&str>::new();
    let task = reactor.spawn(async move { inner.await });
    let task = turned(&reactor, task).try_result().unwrap_err();
    resolver.callback("return value");
    assert_eq!(value(turned(&reactor, task)), "return value");
}

// Checks: P21
#[test]
fn maybe_deferred_coroutine_failure() {
    let reactor = reactor();
    let task = reactor.spawn(async { Err::<(), _>(GenericError) });
    assert!(error(turned(&reactor, task)).is::<GenericError>());
}

// Checks: P20, P21
#[test]
fn from_coroutine() {
    let reactor = reactor();
    let (first, second) = (Deferred::succeed("foo"), Deferred::<&str>::fail(GenericError));
    let task = reactor.spawn(async move {
        assert_eq!(first.await.unwrap(), "foo");
        second.await
    });
    assert!(error(turned(&reactor, task)).is::<GenericError>());
}

/// A Deferred is returned as it is: there is nothing to ensure.
// Checks: P20, P21
#[test]
fn ensure_deferred_coroutine() {
    let reactor = reactor();
    let (inner, resolver) = Deferred::<u32>::new();
    let task = reactor.spawn(async move { Ok::<_, Failure>(inner.await? + 1) });
    let task = turned(&reactor, task).try_result().unwrap_err();
    resolver.callback(1);
    assert_eq!(value(turned(&reactor, task)), 2);
}

// Checks: P20
#[test]
fn as_future() {
    let reactor = reactor();
    let (deferred, resolver) = Deferred::<u32>::new();
    let future = deferred.into_future();
    resolver.callback(13);
    assert_eq!(value(turned(&reactor, reactor.spawn(future))), 13);
}

// Checks: P20
#[test]
fn as_future_cancel_future() {
    let called = std::rc::Rc::new(std::cell::Cell::new(false));
    let canceller = std::rc::Rc::clone(&called);
    let (deferred, _resolver) = Deferred::<u32>::with_canceller(move || canceller.set(true));
    drop(deferred.into_future());
    assert!(called.get());
}

// Checks: P20
#[test]
fn as_future_success_cancel() {
    let (deferred, resolver) = Deferred::<u32>::new();
    drop(deferred.into_future());
    assert!(resolver.is_cancelled());
    resolver.callback(13); // Comes late, and is dropped.
}

// Checks: P20
#[test]
fn as_future_failure() {
    let reactor = reactor();
    let (deferred, resolver) = Deferred::<u32>::new();
    resolver.errback(GenericError);
    assert!(error(turned(&reactor, reactor.spawn(deferred.into_future()))).is::<GenericError>());
}

// Checks: P21
#[test]
fn from_future() {
    let reactor = reactor();
    let task = reactor.spawn(std::future::ready(7));
    assert_eq!(value(turned(&reactor, task)), 7);
}

// Checks: P22
#[test]
fn from_future_deferred_cancelled() {
    let reactor = reactor();
    let task = reactor.spawn(std::future::pending::<()>());
    let task = turned(&reactor, task).try_result().unwrap_err();
    task.cancel();
    assert!(error(task).is::<Cancelled>());
}
