//! Deferreds that another executor awaits, on another thread.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use selvedge::{Deferred, Failure, Reactor, deferred::SendFuture, error::ReactorStopped, report::Incident};
use static_assertions::assert_impl_all;

use crate::support::{DropSignal, Log, reporting, virtual_time, with_watchdog};

assert_impl_all!(SendFuture<u32>: Send, Unpin);

// Checks: P25
#[test]
fn another_executor_awaits_the_result_of_a_deferred_that_stays_on_its_thread() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        let later = reactor.sleep(Duration::from_millis(1)).add_callback(|()| 42).into_send_future(&reactor);
        let failed = Deferred::<()>::fail(Failure::msg("no")).into_send_future(&reactor);
        let elsewhere = thread::spawn(move || {
            let told = (block_on(later).unwrap(), block_on(failed).unwrap_err().to_string());
            handle.stop();
            told
        });
        reactor.run();
        assert_eq!(elsewhere.join().unwrap(), (42, "no".to_owned()));
        assert_eq!(reports, []);
    });
}

// Checks: P25
#[test]
fn dropping_the_future_unfinished_cancels_the_deferred_on_its_own_thread() {
    with_watchdog(|| {
        for polled in [false, true] {
            let (reactor, reports) = reporting();
            let (drop_signal, buried) = DropSignal::new();
            let local = reactor.local();
            let (deferred, _resolver) = Deferred::<()>::with_canceller(move || {
                drop(drop_signal);
                local.with(|reactor| reactor.stop().unwrap()).unwrap();
            });
            let mut future = deferred.into_send_future(&reactor);
            let elsewhere = thread::spawn(move || {
                if polled {
                    assert!(pin!(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
                }
                drop(future);
            });
            reactor.run();
            elsewhere.join().unwrap();
            assert_eq!(buried.recv().unwrap(), thread::current().id());
            assert_eq!(reports, [], "that it was cancelled is nobody's concern");
        }
    });
}

// Checks: P25, B44, R32
#[test]
fn dropping_the_future_cancels_the_deferred_though_the_inbox_is_full() {
    let reactor = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build().unwrap();
    let (deferred, resolver) = Deferred::<()>::new();
    let future = deferred.into_send_future(&reactor);
    reactor.handle().call_from_thread(|_| ()).unwrap();
    drop(future);
    assert!(!resolver.is_cancelled(), "not before the next turn");
    reactor.turn().unwrap();
    assert!(resolver.is_cancelled());
}

// Checks: P25, P80, B13
#[test]
fn at_the_reactors_end_the_future_is_ready_with_reactor_stopped_and_its_deferred_is_cancelled() {
    with_watchdog(|| {
        for run in [true, false] {
            let (reactor, reports) = reporting();
            let cancelled = Rc::new(Cell::new(0));
            let counts = Rc::clone(&cancelled);
            let (deferred, resolver) = Deferred::<u32>::with_canceller(move || counts.set(counts.get() + 1));
            let future = deferred.into_send_future(&reactor);
            let elsewhere = thread::spawn(move || block_on(future));
            if run {
                reactor.handle().stop();
                reactor.run();
            } else {
                drop(reactor);
            }
            assert_eq!(cancelled.get(), 1);
            assert!(elsewhere.join().unwrap().unwrap_err().is::<ReactorStopped>());
            resolver.callback(1);
            assert_eq!(reports, []);
        }
    });
}

// Checks: P25, B60
#[test]
fn a_failure_that_arrives_and_is_never_taken_is_reported_once() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        reactor.call_when_running(|reactor| {
            drop(Deferred::<()>::fail(Failure::msg("no")).into_send_future(reactor));
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(reports, [Incident::Unhandled]);
    });
}

// Checks: P25, P5
#[test]
fn a_result_that_comes_after_the_future_was_dropped_is_dropped_on_the_reactors_thread() {
    with_watchdog(|| {
        let (reactor, _, reports) = virtual_time();
        let (drop_signal, buried) = DropSignal::new();
        let (deferred, resolver) = Deferred::<DropSignal>::new();
        let future = deferred.into_send_future(&reactor);
        thread::spawn(move || drop(future)).join().unwrap();
        resolver.callback(drop_signal);
        assert_eq!(buried.recv().unwrap(), thread::current().id());
        reactor.turn().unwrap();
        assert_eq!(reports, []);
    });
}

// Checks: P25
#[test]
fn the_waker_of_the_last_poll_is_told_and_once() {
    struct Tells(&'static str, Log<&'static str>);
    impl Wake for Tells {
        fn wake(self: Arc<Self>) {
            self.1.note(self.0);
        }
    }
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let (deferred, resolver) = Deferred::new();
    let mut future = deferred.into_send_future(&reactor);
    let mut future = pin!(&mut future);
    for name in ["first", "second"] {
        let waker = Waker::from(Arc::new(Tells(name, log.clone())));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    resolver.callback(3);
    assert_eq!(log, ["second"]);
    assert_eq!(block_on(future.as_mut()).unwrap(), 3);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "once it has been ready");
}

// Checks: P25, P26
#[test]
fn a_task_of_one_reactor_awaits_a_deferred_of_another() {
    with_watchdog(|| {
        let (give, given) = mpsc::channel();
        let other = thread::spawn(move || {
            let (reactor, _) = reporting();
            let answer = reactor.sleep(Duration::from_millis(1)).add_callback(|()| 5_u32).into_send_future(&reactor);
            give.send((answer, reactor.handle())).unwrap();
            reactor.run();
        });
        let (answer, theirs) = given.recv().unwrap();
        let (reactor, reports) = reporting();
        let ours = reactor.handle();
        let _ = reactor.spawn(async move {
            assert_eq!(answer.await?, 5);
            theirs.stop();
            ours.stop();
            Ok::<_, Failure>(())
        });
        reactor.run();
        other.join().unwrap();
        assert_eq!(reports, []);
    });
}
