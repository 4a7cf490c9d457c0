//! The wakers of futures that await a Deferred: their wakes and drops. (A waker whose clone runs code of its own cannot
//! be made without `unsafe`.)

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use selvedge::Deferred;
use selvedge::report::Incident;

use super::super::act::{Act, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Site};

struct OnWake(Act);

impl Wake for OnWake {
    fn wake(self: Arc<Self>) {
        self.0.run();
    }
}

/// Runs the code when the last clone of the waker is dropped.
struct OnLastDrop {
    _on_drop: OnDrop,
}

impl Wake for OnLastDrop {
    fn wake(self: Arc<Self>) {}
}

fn on_wake(act: &Act) -> Waker {
    Arc::new(OnWake(act.clone())).into()
}

fn on_last_drop(act: &Act) -> Waker {
    Arc::new(OnLastDrop { _on_drop: OnDrop(act.clone()) }).into()
}

/// Polls it once, and drops the waker.
fn poll<F: Future>(future: Pin<&mut F>, waker: Waker) {
    let _ = future.poll(&mut Context::from_waker(&waker)).is_ready();
}

pub const SITES: &[Site] = &[
    Site {
        name: "the wake of a future that awaits a Deferred",
        panic: Goes::Reported(Incident::Waker),
        places: &["runtime/report wake_contained", "runtime/deferred/run rest_and_wake"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::new();
            let mut future = Box::pin(deferred.into_future());
            poll(future.as_mut(), on_wake(act));
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the wake of a future that awaits a Deferred which was paused",
        panic: Goes::Reported(Incident::Waker),
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::new();
            let pause = deferred.pause_handle();
            pause.pause();
            let mut future = Box::pin(deferred.into_future());
            poll(future.as_mut(), on_wake(act));
            resolver.callback(());
            pause.unpause().unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a waker that another replaces",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/future wake_with_result"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::new();
            let mut future = Box::pin(deferred.into_future());
            poll(future.as_mut(), on_last_drop(act));
            poll(future.as_mut(), Waker::noop().clone());
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a waker that another replaces while the result is held by a pause",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/node hold_instead"],
        install: Install::OnLoop(|_, act| {
            let deferred = Deferred::succeed(());
            let pause = deferred.pause_handle();
            pause.pause();
            let mut future = Box::pin(deferred.into_future());
            poll(future.as_mut(), on_last_drop(act));
            poll(future.as_mut(), Waker::noop().clone());
            pause.unpause().unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a waker whose future is dropped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/future stop_awaiting"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let mut future = Box::pin(deferred.into_future());
            poll(future.as_mut(), on_last_drop(act));
            drop(future);
            drop(resolver);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the wake of another executor's future",
        panic: Goes::Reported(Incident::Waker),
        install: Install::OnLoop(|reactor, act| {
            let (deferred, resolver) = Deferred::new();
            let mut future = Box::pin(deferred.into_send_future(reactor));
            poll(future.as_mut(), on_wake(act));
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a waker of another executor that another replaces",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/polled_oneshot poll"],
        install: Install::OnLoop(|reactor, act| {
            let (deferred, resolver) = Deferred::new();
            let mut future = Box::pin(deferred.into_send_future(reactor));
            poll(future.as_mut(), on_last_drop(act));
            poll(future.as_mut(), Waker::noop().clone());
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a waker of another executor whose future is dropped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/polled_oneshot give_up"],
        install: Install::OnLoop(|reactor, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let mut future = Box::pin(deferred.into_send_future(reactor));
            poll(future.as_mut(), on_last_drop(act));
            drop(future);
            // Kept, because the cancel is posted.
            let _ = reactor.call_later(Duration::from_secs(3600), move |_| drop(resolver));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a result that another executor's future has not taken",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/send_future drop", "runtime/reactor/send_future give_back"],
        install: Install::OnLoop(|reactor, act| {
            let deferred = Deferred::<_, selvedge::Failure>::from(Ok(OnDrop(act.clone())));
            drop(deferred.into_send_future(reactor));
        }),
        ..ON_THE_LOOP
    },
];
