//! Looping calls, cooperators and delayed functions.

use std::time::Duration;

use selvedge::task::{Cooperator, LoopingCall, defer_later};

use super::super::act::Did;
use super::{Goes, Install, ON_THE_LOOP, Site};

pub const SITES: &[Site] = &[
    Site {
        name: "the function of a `LoopingCall`",
        error: Some(Goes::Told),
        cancels: true,
        places: &["runtime/task/looping_call call"],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let looping = LoopingCall::new(move |tick| {
                let result = called.result();
                let _ = tick.stop();
                result
            });
            let itself = looping.clone();
            act.cancels(move || itself.stop().map_or_else(|error| Did::Wrong(error.to_string()), |()| Did::Done));
            let itself = looping.clone();
            act.reenters(move || {
                let _ = (itself.reset(), itself.is_running(), itself.stop());
                Did::Done
            });
            let ended = looping.start_later(reactor, Duration::ZERO).unwrap();
            drop(ended.add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the iterator of a cooperator",
        error: Some(Goes::Told),
        places: &["runtime/task/cooperator/steps make_step"],
        install: Install::OnLoop(|reactor, act| {
            let (stepped, told) = (act.clone(), act.clone());
            let done = Cooperator::new(reactor).coiterate(std::iter::once_with(move || stepped.result()));
            drop(done.add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function of `defer_later`",
        error: Some(Goes::Told),
        places: &["runtime/deferred/constructors maybe_deferred"],
        install: Install::OnLoop(|reactor, act| {
            let (called, told) = (act.clone(), act.clone());
            let done = defer_later(reactor, Duration::ZERO, move |_| called.result());
            drop(done.add_both(move |result| told.tell(result)));
        }),
        ..ON_THE_LOOP
    },
];
