//! Deferreds that are awaited on their own thread.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::executor::block_on;
use futures::future::{join_all, select};
use selvedge::{Deferred, Failure, deferred::DeferredFuture, error::Cancelled, report::Incident};

use crate::support::reporting;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker, and how often it was used.
fn counting() -> (Waker, Arc<Count>) {
    let count = Arc::<Count>::default();
    (Waker::from(Arc::clone(&count)), count)
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

// Checks: P20
#[test]
fn a_fired_deferred_is_ready_at_once_and_an_unfired_one_when_it_fires() {
    assert_eq!(block_on(async { Deferred::succeed(1).await.unwrap() }), 1);
    let (deferred, resolver) = Deferred::new();
    let mut future = pin!(deferred.add_callback(|n: u32| n + 1).into_future());
    let (waker, woken) = counting();
    let mut context = Context::from_waker(&waker);
    assert!(future.as_mut().poll(&mut context).is_pending());
    resolver.callback(1);
    assert_eq!(woken.get(), 1);
    assert!(matches!(future.as_mut().poll(&mut context), Poll::Ready(Ok(2))));
    assert!(future.as_mut().poll(&mut context).is_pending(), "once it has been ready");
}

// Checks: P20
#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_told() {
    let (deferred, resolver) = Deferred::<()>::new();
    let mut future = pin!(deferred.into_future());
    let ((first, first_woken), (second, second_woken)) = (counting(), counting());
    assert!(future.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
    assert!(future.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
    assert_eq!(Arc::strong_count(&first_woken), 3, "polled again with the same waker, it keeps the one it has");
    assert!(future.as_mut().poll(&mut Context::from_waker(&second)).is_pending());
    assert_eq!(Arc::strong_count(&first_woken), 2, "the waker it no longer needs is dropped");
    resolver.callback(());
    assert_eq!((first_woken.get(), second_woken.get()), (0, 1));
}

// Checks: P20
#[test]
fn an_awaited_failure_is_returned_and_not_reported() {
    let (reactor, reports) = reporting();
    reactor.call_when_running(|reactor| {
        let failed = block_on(Deferred::<u32>::fail(Failure::msg("no")).into_future());
        assert_eq!(failed.unwrap_err().to_string(), "no");
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(reports, []);
}

// Checks: P20, B60
#[test]
fn a_failure_that_nobody_came_to_take_is_unhandled() {
    let (reactor, reports) = reporting();
    reactor.call_when_running(|reactor| {
        let (deferred, resolver) = Deferred::<u32>::new();
        let mut future = deferred.into_future();
        let poll = std::pin::Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
        resolver.errback(Failure::msg("no"));
        drop(future);
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(reports, [Incident::Unhandled]);
}

/// A future that was polled once and waits.
fn waiting(deferred: Deferred<u32>) -> DeferredFuture<u32> {
    let mut future = deferred.into_future();
    assert!(std::pin::Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

// Checks: P20, B60
#[test]
fn dropping_the_future_unfinished_cancels_the_deferred_in_silence() {
    let (reactor, reports) = reporting();
    reactor.call_when_running(|reactor| {
        for polled in [false, true] {
            let called = Rc::new(Cell::new(0));
            let count = Rc::clone(&called);
            let (deferred, resolver) = Deferred::<u32>::with_canceller(move || count.set(count.get() + 1));
            drop(if polled { waiting(deferred) } else { deferred.into_future() });
            assert_eq!(called.get(), 1);
            assert!(resolver.is_cancelled());
        }
        // Forwarded, and answered with an error of its own, which is nobody's wish.
        let (inner, _resolver) = Deferred::<u32>::new();
        let inner = inner.add_errback(|failure| {
            assert!(failure.is::<Cancelled>());
            Err::<u32, _>(Failure::msg("and the disk is full"))
        });
        drop(waiting(Deferred::succeed(()).add_callback(move |()| inner)));
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(reports, [Incident::Unhandled]);
}

// Checks: P20, B53
#[test]
fn a_paused_deferred_is_not_ready_until_it_is_unpaused() {
    for fire_first in [true, false] {
        let (deferred, resolver) = Deferred::<u32>::new();
        let handle = deferred.pause_handle();
        let mut resolver = Some(resolver);
        if fire_first {
            resolver.take().unwrap().callback(1);
        }
        handle.pause();
        let mut future = pin!(deferred.into_future());
        let ((waker, woken), (second, second_woken)) = (counting(), counting());
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        if let Some(resolver) = resolver {
            resolver.callback(1);
        }
        assert_eq!(woken.get(), 0);
        assert!(future.as_mut().poll(&mut Context::from_waker(&second)).is_pending());
        handle.unpause().unwrap();
        assert_eq!((woken.get(), second_woken.get()), (0, 1));
        let ready = future.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(matches!(ready, Poll::Ready(Ok(1))), "{ready:?}");
    }
}

// Checks: P20
#[test]
fn a_waker_that_polls_at_once_finds_the_result() {
    // An executor without a queue. The waker is made of safe parts, so what it polls is found through a thread local.
    thread_local! {
        static FUTURE: RefCell<Option<DeferredFuture<u32>>> = const { RefCell::new(None) };
        static GOT: Cell<Option<u32>> = const { Cell::new(None) };
    }
    struct Now;
    impl Wake for Now {
        fn wake(self: Arc<Self>) {
            let mut future = FUTURE.take().unwrap();
            let waker = Waker::from(self);
            match std::pin::Pin::new(&mut future).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(result) => GOT.set(Some(result.unwrap())),
                Poll::Pending => FUTURE.set(Some(future)),
            }
        }
    }
    let (deferred, resolver) = Deferred::new();
    FUTURE.set(Some(deferred.into_future()));
    Waker::from(Arc::new(Now)).wake();
    resolver.callback(5);
    assert_eq!(GOT.get(), Some(5));
}

// Checks: P20, B38
#[test]
fn a_waker_that_panics_is_reported_and_the_firing_goes_on() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("cannot wake");
        }
    }
    let (reactor, reports) = reporting();
    reactor.call_when_running(|reactor| {
        let (deferred, resolver) = Deferred::new();
        let mut future = deferred.into_future();
        let waker = Waker::from(Arc::new(Bad));
        assert!(std::pin::Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
        resolver.callback(3);
        assert_eq!(block_on(future).unwrap(), 3);
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(reports, [Incident::Waker]);
}

// Checks: P20, P26
#[test]
fn deferreds_join_and_race_as_any_futures_do() {
    let (a, fire_a) = Deferred::new();
    let (b, fire_b) = Deferred::new();
    fire_b.callback(2);
    fire_a.callback(1);
    let all: Result<Vec<u32>, _> = block_on(join_all([a.into_future(), b.into_future()])).into_iter().collect();
    assert_eq!(all.unwrap(), [1, 2]);
    let called = Rc::new(Cell::new(false));
    let loser_cancelled = Rc::clone(&called);
    let (loser, _keep) = Deferred::<u32>::with_canceller(move || loser_cancelled.set(true));
    drop(block_on(select(Deferred::succeed(3).into_future(), loser.into_future())));
    assert!(called.get(), "who loses is dropped, and so cancelled");
}

// Checks: P20, B53
#[test]
fn a_future_that_is_dropped_while_a_pause_holds_its_result_cancels_nothing_and_its_error_is_reported() {
    let (reactor, reports) = reporting();
    reactor.call_when_running(|reactor| {
        let (deferred, resolver) = Deferred::<u32>::new();
        let pause = deferred.pause_handle();
        pause.pause();
        resolver.errback(Failure::msg("no"));
        let mut future = Box::pin(deferred.into_future());
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(future);
        drop(pause);
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(reports, [Incident::Unhandled]);
}

// Checks: P20, B53
#[test]
fn a_future_that_is_dropped_while_a_pause_holds_its_callbacks_lets_them_run_and_drops_what_they_return() {
    let (reactor, reports) = reporting();
    reactor.call_when_running(|reactor| {
        for failure in [Failure::msg("the disk is full"), Failure::new(Cancelled)] {
            let (deferred, resolver) = Deferred::<u32>::new();
            let pause = deferred.pause_handle();
            pause.pause();
            let ran = Rc::new(Cell::new(false));
            let running = Rc::clone(&ran);
            let failing = deferred.add_callback(move |_| {
                running.set(true);
                Err::<u32, _>(failure)
            });
            resolver.callback(1);
            let mut future = Box::pin(failing.into_future());
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(future);
            assert!(!ran.get());
            pause.unpause().unwrap();
            assert!(ran.get());
        }
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(reports, [Incident::Unhandled], "an error that says more than that it was cancelled");
}

// Checks: P20
#[test]
fn what_cancels_its_deferred_when_dropped_is_awaited_as_the_deferred_is() {
    let (deferred, resolver) = Deferred::<u32>::new();
    let mut future = pin!(deferred.cancel_on_drop().into_future());
    let (waker, woken) = counting();
    let mut context = Context::from_waker(&waker);
    assert!(future.as_mut().poll(&mut context).is_pending());
    resolver.callback(1);
    assert_eq!(woken.get(), 1);
    assert!(matches!(future.as_mut().poll(&mut context), Poll::Ready(Ok(1))));
}
