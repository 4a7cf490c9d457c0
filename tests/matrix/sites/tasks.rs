//! Looping calls, cooperators and delayed functions.

use std::time::Duration;

use selvedge::error::TaskFinished;
use selvedge::report::Incident;
use selvedge::task::{Cooperator, LoopingCall, defer_later};

use super::super::act::{Act, Did, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Site};

pub const SITES: &[Site] = &[
    Site {
        name: "the function of a `LoopingCall`",
        has_handles: true,
        error: Some(Goes::Told),
        cancels: true,
        places: &[
            "runtime/task/looping_call new",
            "runtime/task/completion unwanted",
            "runtime/task/looping_call call",
        ],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let looping = LoopingCall::new(move |tick| {
                let result = called.result();
                let _ = tick.stop();
                result
            });
            let (itself, local) = (looping.clone(), reactor.local());
            act.reenters(move || {
                let started = local.with(|reactor| itself.start(reactor, Duration::ZERO).is_err());
                Did::all(&[
                    ("it runs", itself.is_running()),
                    ("it is not started twice", started.is_ok_and(|refused| refused)),
                    ("it is reset", itself.reset().is_ok()),
                    ("it is stopped", itself.stop().is_ok()),
                    ("once", itself.stop().is_err() && itself.reset().is_err()),
                ])
            });
            let itself = looping.clone();
            act.cancels(move || itself.stop().map_or_else(|error| Did::Wrong(error.to_string()), |()| Did::Done));
            let ended = looping.start_later(reactor, Duration::ZERO).unwrap();
            act.holds((looping, ended.add_both(move |result| told.tell(result))));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the iterator of a cooperator",
        panic_after_cancel: Some(Goes::Reported(Incident::Unhandled)),
        has_handles: true,
        cancels: true,
        error: Some(Goes::Told),
        places: &["runtime/task/completion discard_value", "runtime/task/cooperator/steps make_step"],
        install: Install::OnLoop(|reactor, act| {
            let (stepped, told) = (act.clone(), act.clone());
            let cooperator = Cooperator::new(reactor);
            let task = cooperator.cooperate(std::iter::once_with(move || stepped.result()));
            let done = task.when_done().add_both(move |result| {
                // A stop is no failure of the code.
                if !result.as_ref().is_err_and(selvedge::Failure::is::<TaskFinished>) {
                    told.tell(result);
                }
            });
            let (itself, whole) = (task.clone(), cooperator.clone());
            act.reenters(move || {
                let asked = itself.when_done();
                let another = whole.cooperate(std::iter::once(()));
                let paused = [itself.pause(), itself.pause()];
                let resumed = [itself.resume(), itself.resume()];
                whole.start();
                drop(asked.add_both(|_| ()));
                Did::all(&[
                    ("it is paused", paused.iter().all(Result::is_ok)),
                    ("it is resumed", resumed.iter().all(Result::is_ok)),
                    ("once for each pause", itself.resume().is_err()),
                    ("the cooperator runs", whole.is_running()),
                    ("another is stopped", another.stop().is_ok() && another.stop().is_err()),
                ])
            });
            let itself = task.clone();
            act.cancels(move || itself.stop().map_or_else(|error| Did::Wrong(error.to_string()), |()| Did::Done));
            act.holds((task, cooperator, done));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function of `defer_later`",
        error: Some(Goes::Told),
        places: &["runtime/task/defer_later defer_later"],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let done = defer_later(reactor, Duration::ZERO, move |_| called.result());
            drop(done.add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of the function of a `LoopingCall`",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/task/looping_call drop"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(LoopingCall::new(move |_| hold(&captured)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an iterator whose task is stopped",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/task/cooperator/steps carry_out_rest"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let task = Cooperator::new(reactor).cooperate(std::iter::repeat_with(move || hold(&captured)));
            task.stop().unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an iterator whose paused task loses its handles",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/task/cooperator/steps drop"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let task = Cooperator::new(reactor).cooperate(std::iter::repeat_with(move || hold(&captured)));
            task.pause().unwrap();
            drop(task);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "`into_iter` of what a cooperator is given",
        install: Install::OnLoop(|reactor, act| {
            struct Opening(Act);

            impl IntoIterator for Opening {
                type Item = ();
                type IntoIter = std::iter::Empty<()>;

                fn into_iter(self) -> Self::IntoIter {
                    self.0.run();
                    std::iter::empty()
                }
            }

            let (cooperator, opening) = (Cooperator::new(reactor), Opening(act.clone()));
            act.tell_caller(|| drop(cooperator.coiterate(opening)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function that makes the predicate for a tick",
        panic: Goes::Reported(Incident::Timer),
        places: &["runtime/task/cooperator/builder termination", "runtime/task/cooperator/ticks begin_termination"],
        install: Install::OnLoop(|reactor, act| {
            let called = act.clone();
            let cooperator = Cooperator::builder().termination(move || {
                called.run();
                || true
            });
            drop(cooperator.build(reactor).coiterate(std::iter::once(())));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the predicate for a tick",
        panic: Goes::Reported(Incident::Timer),
        places: &["runtime/task/cooperator/ticks tick"],
        install: Install::OnLoop(|reactor, act| {
            let called = act.clone();
            let cooperator = Cooperator::builder().termination(move || {
                let called = called.clone();
                move || {
                    called.run();
                    true
                }
            });
            drop(cooperator.build(reactor).coiterate(std::iter::once(())));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of the function that makes predicates for ticks",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/task/cooperator/ticks drop"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let cooperator = Cooperator::builder().termination(move || {
                hold(&captured);
                || true
            });
            drop(cooperator.build(reactor));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function of a `LoopingCall` that counts",
        error: Some(Goes::Told),
        places: &["runtime/task/looping_call with_count"],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let looping = LoopingCall::with_count(move |tick, _| {
                let result = called.result();
                let _ = tick.stop();
                result
            });
            drop(looping.start(reactor, Duration::ZERO).unwrap().add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of the function in the builder of a cooperator",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/task/cooperator/builder drop"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(Cooperator::builder().termination(move || {
                hold(&captured);
                || true
            }));
        }),
        ..ON_THE_LOOP
    },
];

/// Captures a value.
fn hold<T>(value: &T) {
    let _ = value;
}
