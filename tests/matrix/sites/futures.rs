//! Futures that the reactor polls, and the wakers of those that await a Deferred.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use selvedge::error::Cancelled;
use selvedge::report::Incident;

use super::super::act::{Did, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Phase, Site};

pub const SITES: &[Site] = &[
    Site {
        name: "the poll of a future",
        panic_after_cancel: Some(Goes::Reported(Incident::Unhandled)),
        cancels: true,
        error: Some(Goes::Told),
        places: &["runtime/reactor/spawn poll", "runtime/reactor/spawn post_poll"],
        install: Install::OnLoop(|reactor, act| {
            let (polled, told, waking) = (act.clone(), act.clone(), act.clone());
            let done = reactor.spawn(async move {
                let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
                waking.reenters(move || {
                    waker.wake_by_ref();
                    let other = waker.clone();
                    std::thread::spawn(move || other.wake()).join().unwrap();
                    Did::all(&[("it wakes itself", waker.will_wake(&waker.clone()))])
                });
                polled.result()
            });
            let done = done.add_both(move |result| {
                // A cancel is no failure of the code.
                if !result.as_ref().is_err_and(selvedge::Failure::is::<Cancelled>) {
                    told.tell(result);
                }
            });
            act.cancels(move || {
                done.cancel();
                Did::Done
            });
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a future that is cancelled",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/spawn leave"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let done = reactor.spawn(async move {
                std::future::pending::<()>().await;
                drop(captured);
            });
            done.cancel();
            drop(done.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a future at the end of the reactor",
        panic: Goes::Reported(Incident::Drop),
        phase: Phase::Ended,
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let done = reactor.spawn(async move {
                std::future::pending::<()>().await;
                drop(captured);
            });
            drop(done.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a future that has finished",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|reactor, act| {
            struct Finished {
                _on_drop: OnDrop,
            }

            impl Future for Finished {
                type Output = ();

                fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                    Poll::Ready(())
                }
            }

            drop(reactor.spawn(Finished { _on_drop: OnDrop(act.clone()) }));
        }),
        ..ON_THE_LOOP
    },
];
