//! Callbacks and cancellers of Deferreds, and the drops of callbacks, results and cancellers that are not needed.

use std::rc::Rc;
use std::time::Duration;

use selvedge::deferred::{Outcome, OutcomeOf, Raise, Settled, execute, maybe_deferred};
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
            let deferred = deferred.add_callback(move |()| called.result()).add_both(move |result| told.tell(result));
            let pause = deferred.pause_handle();
            let deferred = Rc::new(deferred);
            let itself = Rc::clone(&deferred);
            act.reenters(move || {
                itself.cancel();
                pause.pause();
                Did::all(&[
                    ("a pause is ended", pause.unpause().is_ok()),
                    ("once", pause.unpause().is_err()),
                    ("it can be printed", !format!("{itself:?}").is_empty()),
                ])
            });
            let itself = Rc::clone(&deferred);
            act.cancels(move || {
                itself.cancel();
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
        name: "the drop of a shared result",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/shared drop"],
        install: Install::OnLoop(|_, act| drop(Deferred::<_, Failure>::from(Ok(OnDrop(act.clone()))).shared())),
        ..ON_THE_LOOP
    },
    Site {
        name: "a callback for a shared result",
        error: Some(Goes::Told),
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let (shared, called) = (deferred.shared(), act.clone());
            tells(act, shared.get().add_callback(move |_| called.result()));
            resolver.callback(());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a canceller",
        panic: Goes::Reported(Incident::Canceller),
        cancels: true,
        places: &[
            "runtime/deferred/constructors with_canceller",
            "runtime/deferred/constructors typed_with_canceller",
            "runtime/deferred/cancel begin",
        ],
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || called.run());
            let deferred = Rc::new(deferred.add_errback(|_| ()));
            let itself = Rc::clone(&deferred);
            act.reenters(move || {
                itself.cancel();
                Did::all(&[("it can be printed", !format!("{itself:?}").is_empty())])
            });
            let itself = Rc::clone(&deferred);
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
        places: &["runtime/deferred/constructors typed_with_firing_canceller"],
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
        places: &["runtime/deferred/head drop_canceller", "runtime/deferred/head release_without_head"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || drop(captured));
            resolver.callback(());
            drop(deferred);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `execute`",
        places: &["runtime/deferred/constructors execute"],
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            tells(act, execute(move || called.run()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `maybe_deferred`",
        error: Some(Goes::Told),
        places: &["runtime/deferred/constructors maybe_deferred"],
        install: Install::OnLoop(|_, act| {
            let called = act.clone();
            tells(act, maybe_deferred(move || called.result()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `add_timeout_with`",
        error: Some(Goes::Told),
        places: &["runtime/reactor/timeout call"],
        install: Install::OnLoop(|reactor, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let called = act.clone();
            tells(act, deferred.add_timeout_with(reactor, Duration::ZERO, move |_, _| called.result()));
            // It must not be dropped before the time is over.
            let _ = reactor.call_later(Duration::from_secs(3600), move |_| drop(resolver));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "`settle` of a value that a callback returned",
        install: Install::OnLoop(|_, act| {
            let settling = Settling(act.clone());
            tells(act, Deferred::succeed(()).add_callback(move |()| settling));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "`settle` of what a function of `defer_to_thread` returned",
        places: &["runtime/threads deliver"],
        install: Install::OnLoop(|reactor, act| {
            let settling = Settling(act.clone());
            tells(act, selvedge::threads::defer_to_thread(reactor, move || settling));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "`settle_as` of what a resolver is given",
        places: &["runtime/deferred/resolver settle"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let settling = Settling(act.clone());
            act.tell_caller(|| resolver.settle(settling));
            drop(deferred.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "`raise` of an error that a callback returned",
        install: Install::OnLoop(|_, act| {
            let (raising, told) = (Raising(act.clone()), act.clone());
            let deferred = Deferred::succeed(()).add_callback(move |()| Err::<(), _>(raising));
            drop(deferred.add_errback(move |failure| {
                if failure.is_panic() {
                    told.tell::<()>(Err(failure));
                }
            }));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "`raise` of an error that a resolver is given",
        places: &["runtime/deferred/resolver errback", "runtime/deferred/constructors fail"],
        install: Install::OnLoop(|_, act| {
            let (deferred, resolver) = Deferred::<()>::new();
            let raising = Raising(act.clone());
            act.tell_caller(|| resolver.errback(raising));
            drop(deferred.add_errback(|_| ()));
        }),
        ..ON_THE_LOOP
    },
];

/// A value that a callback may return, and which runs the code as it is converted.
struct Settling(Act);

impl<E> Outcome<E> for Settling {
    type Value = ();

    fn settle(self) -> Settled<(), E> {
        self.0.run();
        Settled::Now(Ok(()))
    }
}

impl<E> OutcomeOf<(), E> for Settling {
    fn settle_as(self) -> Settled<(), E> {
        self.settle()
    }
}

/// An error that a callback may return, and which runs the code as it is converted.
struct Raising(Act);

impl Raise<Failure> for Raising {
    fn raise(self) -> Failure {
        self.0.run();
        oops()
    }
}
