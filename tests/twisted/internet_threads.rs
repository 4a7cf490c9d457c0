//! Twisted's `twisted.internet.test.test_threads`, translated: one test for each of its names.
//!
//! Left out: `test_threadPoolCurrentThreadDeprecated`, because nothing is deprecated yet.

use std::time::Duration;

use selvedge::{
    Reactor,
    reactor::{Event, Phase},
};

use crate::support::{Gate, Log, hold, reporting, virtual_time, wait_until, with_watchdog};

// Checks: B26, B27
#[test]
fn get_thread_pool() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let pool = reactor.thread_pool().clone();
        let log = Log::new();
        let (before, ran) = (log.clone(), log.clone());
        reactor.call_in_thread(move || ran.note("ran")).unwrap();
        assert_eq!(pool.stats().live, 0, "it does not start before the reactor");
        let (running, closed) = (pool.clone(), Gate::new());
        let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| {
            assert!(running.stats().live > 0, "it has not stopped before the reactor does");
            before.note("shutdown");
            closed.open();
        });
        let seen = log.clone();
        reactor.call_when_running(move |reactor| {
            wait_until(|| seen.len() == 1);
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(log, ["ran", "shutdown"]);
        assert_eq!(pool.stats().live, 0, "it has stopped when run returns");
        assert!(pool.call_in_thread(|| ()).is_err());
    });
}

// Checks: S11
#[test]
fn suggest_thread_pool_size() {
    let reactor = Reactor::new();
    reactor.suggest_thread_pool_size(17);
    assert_eq!(reactor.thread_pool().stats().max, 17);
}

/// Twisted measures the time it took. On a virtual clock, a turn that waited would have advanced it.
// Checks: B6, R19
#[test]
fn delayed_call_from_thread() {
    with_watchdog(|| {
        let (reactor, clock, _) = virtual_time();
        let _ = reactor.call_later(Duration::ZERO, |reactor| {
            reactor.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
        });
        let _ = reactor.call_later(Duration::from_secs(60), |_| ());
        reactor.run();
        assert_eq!(clock.now(), Duration::ZERO);
    });
}

// Checks: S2, B6
#[test]
fn call_from_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let (handle, result) = (reactor.handle(), log.clone());
        let _ = reactor.call_later(Duration::ZERO, move |reactor| {
            let job = move || {
                let thread_call = move |reactor: &Reactor| {
                    result.note(std::thread::current().id());
                    reactor.stop().unwrap();
                };
                handle.call_from_thread(thread_call).unwrap();
            };
            reactor.call_in_thread(job).unwrap();
        });
        reactor.run();
        assert_eq!(log, [std::thread::current().id()]);
    });
}

/// Twisted checks that the pool object is gone. Here a pool is a handle, so the test checks that what it owned is gone:
/// its threads and its sink.
// Checks: B26
#[test]
fn stop_thread_pool() {
    with_watchdog(|| {
        let log = Log::new();
        let held = log.when_dropped("gone");
        let reactor = Reactor::builder().on_report(move |_| hold(&held)).build().unwrap();
        reactor.call_in_thread(|| ()).unwrap();
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, ["gone"]);
    });
}

// Checks: B26, B27
#[test]
fn stop_thread_pool_when_started_after_reactor_ran() {
    with_watchdog(|| {
        let log = Log::new();
        let held = log.when_dropped("gone");
        let reactor = Reactor::builder().on_report(move |_| hold(&held)).build().unwrap();
        reactor.call_when_running(|reactor| {
            assert_eq!(reactor.thread_pool().stats().live, 0);
            reactor.call_in_thread(|| ()).unwrap();
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(log, ["gone"]);
    });
}

/// There is no need to fire the shutdown event for it: dropping the reactor is enough.
// Checks: B26, B27
#[test]
fn clean_up_thread_pool_even_before_reactor_is_run() {
    with_watchdog(|| {
        let (reactor, _) = reporting();
        let pool = reactor.thread_pool().clone();
        drop(reactor);
        assert!(pool.call_in_thread(|| ()).is_err());
        pool.stop().unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

// Checks: B12
#[test]
fn is_in_io_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let results = log.clone();
        reactor.call_when_running(move |reactor| {
            results.note(reactor.handle().is_in_reactor_thread());
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(log, [true]);
    });
}

// Checks: B12
#[test]
fn is_not_in_io_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let (handle, results) = (reactor.handle(), log.clone());
        let job = move || {
            results.note(handle.is_in_reactor_thread());
            handle.stop();
        };
        reactor.call_in_thread(job).unwrap();
        reactor.run();
        assert_eq!(log, [false]);
    });
}
