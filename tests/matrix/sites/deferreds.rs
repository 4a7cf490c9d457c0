//! Callbacks and cancellers of Deferreds, and the drops of callbacks, results and cancellers that are not needed.

use selvedge::report::Incident;
use selvedge::{Deferred, Failure, Resolver};

use super::super::act::{Act, Did, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Site};

/// A Deferred whose errors are told to the act at its end.
fn tells<T: 'static>(act: &Act, deferred: Deferred<T>) {
    let act = act.clone();
    drop(deferred.add_both(move |result| act.tell(result)));
}

fn oops() -> Failure {
    Failure::msg("oops")
}

pub const SITES: &[Site] = &[
    Site {
        name: "a callback",
        error: Some(Goes::Told),
        cancels: true,
        has_handles: true,
        places: &["runtime/deferred/callbacks call", "runtime/deferred/callbacks catch_failure"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let (called, told) = (act.clone(), act.clone());
            let deferred = deferred.add_callback(move |()| called.result());
            let deferred =
                std::rc::Rc::new(std::cell::Cell::new(Some(deferred.add_both(move |result| told.tell(result)))));
            let itself = std::rc::Rc::clone(&deferred);
            act.cancels(move || {
                let deferred = itself.take();
                deferred.iter().for_each(Deferred::cancel);
                itself.set(deferred);
                Did::Done
            });
            act.holds(deferred);
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "an errback",
        error: Some(Goes::Told),
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver): (Deferred<()>, Resolver<()>) = Deferred::new();
            let called = act.clone();
            tells(act, deferred.add_errback(move |_| called.result()));
            resolver.resolve(Err(oops()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a callback for both",
        error: Some(Goes::Told),
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            tells(act, Deferred::succeed(()).add_both(move |_: Result<(), Failure>| called.result()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a callback of `map`",
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            tells(act, Deferred::succeed(()).map(move |()| called.run()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a callback that is passed by",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            let deferred = Deferred::<()>::fail(oops()).add_callback(move |()| drop(captured));
            drop(deferred.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a result that nobody takes",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/node report_unhandled"],
        install: Install::OnLoop(|_, act| drop(Deferred::<_, Failure>::from(Ok(OnDrop(act.clone()))))),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a result that comes after a cancel",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/head fire"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::new();
            deferred.cancel();
            drop(deferred.add_errback(|_| Err::<OnDrop, _>(oops())).add_both(|_| ()));
            resolver.callback(OnDrop(act.clone()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a canceller",
        panic: Goes::Reported(Incident::Canceller),
        cancels: true,
        places: &["runtime/deferred/cancel begin"],
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || called.run());
            let deferred = std::rc::Rc::new(deferred.add_errback(|_| ()));
            let itself = std::rc::Rc::clone(&deferred);
            act.cancels(move || {
                itself.cancel();
                Did::Done
            });
            deferred.cancel();
            drop(resolver);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a canceller that fires",
        panic: Goes::Reported(Incident::Canceller),
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            let (deferred, resolver) = Deferred::<()>::with_firing_canceller(move |resolver| {
                called.run();
                resolver.callback(());
            });
            deferred.cancel();
            drop(deferred.add_errback(|_| ()));
            drop(resolver);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a canceller that is not needed",
        panic: Goes::Reported(Incident::Drop),
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || drop(captured));
            resolver.callback(());
            drop(deferred);
        }),
        ..ON_THE_LOOP
    },
];
