//! Calls, timers, triggers and owned values of a reactor, and the drops of what they captured.

use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::error::{DelayedCallError, Unavailable};
use selvedge::reactor::{Event, LoopActivity, Phase as EventPhase, Turn};
use selvedge::report::Incident;
use selvedge::{Reactor, threads};

use super::super::act::{Did, OnDrop};
use super::{ELSEWHERE, Goes, Install, ON_THE_LOOP, Phase, Site};

const LATER: Duration = Duration::from_secs(3600);

/// A timer for the hooks that surround it.
fn surrounded(_: &Reactor) {}

fn is_surrounded(activity: LoopActivity) -> bool {
    matches!(activity, LoopActivity::Timer(name) if name.ends_with("::surrounded"))
}

const A_TIMER: Install = Install::OnLoop(|reactor, _| _ = reactor.call_later(Duration::ZERO, surrounded));

pub const SITES: &[Site] = &[
    Site {
        name: "a posted call",
        panic: Goes::Reported(Incident::Call),
        places: &["runtime/reactor/calls run"],
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            reactor.call_from_thread(move |_| act.run()).unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a call of `call_when_running`",
        panic: Goes::Reported(Incident::Call),
        places: &["runtime/reactor/reactor call_when_running"],
        install: Install::OnLoop(|reactor, act| {
            let act = act.clone();
            reactor.call_when_running(move |_| act.run());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the function of a blocking call",
        places: &["runtime/threads/blocking_call answer"],
        error: Some(Goes::Told),
        install: Install::Elsewhere(|act| {
            let asked = act.clone();
            match threads::blocking_call_from_thread(&act.handle(), move |_| asked.result()) {
                Err(selvedge::error::BlockingCallError::Panicked(panic)) => act.tell::<()>(Err(panic.into())),
                Err(selvedge::error::BlockingCallError::Failed(failure)) => act.tell::<()>(Err(failure)),
                _ => {}
            }
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `LocalHandle::with`",
        places: &["runtime/reactor/handle with"],
        install: Install::OnLoop(|reactor, act| {
            let local = reactor.local();
            act.tell_caller(|| local.with(|_| act.run()).unwrap());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a timer",
        panic: Goes::Reported(Incident::Timer),
        cancels: true,
        places: &["runtime/reactor/turn run_due"],
        install: Install::OnLoop(|reactor, act| {
            let running = act.clone();
            let timer = Rc::new(reactor.call_later(Duration::ZERO, move |_| running.run()));
            let itself = Rc::clone(&timer);
            act.reenters(move || {
                let called = Err(DelayedCallError::AlreadyCalled);
                Did::all(&[
                    ("a timer that runs is not cancelled", itself.cancel() == called),
                    ("nor reset", itself.reset(LATER) == called),
                    ("nor put off", itself.delay(LATER) == called),
                    ("it is not active", !itself.is_active()),
                ])
            });
            act.cancels(move || match timer.cancel() {
                Ok(()) => Did::Wrong("it was cancelled".to_owned()),
                Err(error) => Did::Refused(format!("{error:?}")),
            });
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a cancelled timer",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/around_turns discard"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            reactor.call_later(LATER, move |_| drop(captured)).cancel().unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a timer at the end of the reactor",
        panic: Goes::Reported(Incident::Drop),
        phase: Phase::Ended,
        places: &["runtime/reactor/around_turns discard"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let _ = reactor.call_later(LATER, move |_| drop(captured));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a trigger of a program's event",
        panic: Goes::Reported(Incident::Trigger),
        error: Some(Goes::Reported(Incident::Trigger)),
        places: &["runtime/reactor/triggers add"],
        install: Install::OnLoop(|reactor, act| {
            let trigger = act.clone();
            let id = reactor.add_event_trigger(EventPhase::During, "event", move |_| trigger.result());
            let local = reactor.local();
            act.reenters(move || {
                let removed = local.with(|reactor| {
                    let after = reactor.add_event_trigger(EventPhase::During, "event", |_| ());
                    let _ = reactor.fire_event("event");
                    (reactor.remove_event_trigger(id).is_err(), reactor.remove_event_trigger(after))
                });
                Did::all(&[("a trigger that runs is not removed", removed.is_ok_and(|(is_gone, _)| is_gone))])
            });
            let _ = reactor.fire_event("event");
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a trigger before shutdown",
        panic: Goes::Reported(Incident::Trigger),
        error: Some(Goes::Reported(Incident::Trigger)),
        install: Install::OnLoop(|reactor, act| {
            let trigger = act.clone();
            let _ = reactor.add_event_trigger(EventPhase::Before, Event::SHUTDOWN, move |_| trigger.result());
            act.handle().stop();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a trigger after shutdown",
        panic: Goes::Reported(Incident::Trigger),
        error: Some(Goes::Reported(Incident::Trigger)),
        phase: Phase::Stopping,
        install: Install::OnLoop(|reactor, act| {
            let trigger = act.clone();
            let _ = reactor.add_event_trigger(EventPhase::After, Event::SHUTDOWN, move |_| trigger.result());
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a trigger that is removed",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/triggers remove"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let id = reactor.add_event_trigger(EventPhase::During, "event", move |_| drop(captured));
            reactor.remove_event_trigger(id).unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a trigger at the end of the reactor",
        panic: Goes::Reported(Incident::Drop),
        phase: Phase::Ended,
        places: &["runtime/reactor/triggers clear"],
        install: Install::OnLoop(|reactor, act| {
            let captured = OnDrop(act.clone());
            let _ = reactor.add_event_trigger(EventPhase::During, "event", move |_| drop(captured));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function with an owned value",
        places: &["runtime/reactor/owned with_slot"],
        has_handles: true,
        install: Install::OnLoop(|reactor, act| {
            let owned = Rc::new(reactor.own(0_u32));
            let itself = Rc::clone(&owned);
            act.reenters(move || {
                Did::all(&[
                    (
                        "a value in use is not reached",
                        itself.with(|_| ()).is_err_and(|error| error.reason == Unavailable::InUse),
                    ),
                    ("it can be released", itself.address().release().is_ok()),
                ])
            });
            let owner = Rc::downgrade(&owned);
            act.holds(owned);
            act.tell_caller(|| {
                // Not the last handle: `with` borrows it.
                let owned = owner.upgrade().unwrap();
                owned.with(|_| act.run()).unwrap();
            });
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a function of `Address::call`",
        panic: Goes::Reported(Incident::Call),
        has_handles: true,
        places: &["runtime/reactor/owned visit", "runtime/reactor/owned call"],
        install: Install::OnLoop(|reactor, act| {
            let owned = reactor.own(0_u32);
            let address = owned.address();
            let again = owned.address();
            act.reenters(move || {
                let late = again.call(|_, _| ());
                Did::all(&[("a call is posted", late.is_ok()), ("it can be released", again.release().is_ok())])
            });
            act.holds(owned);
            let act = act.clone();
            address.call(move |_, _| act.run()).unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an owned value with its owner",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/reactor/owned empty"],
        install: Install::OnLoop(|reactor, act| drop(reactor.own(OnDrop(act.clone())))),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an owned value at the end of the reactor",
        panic: Goes::Reported(Incident::Drop),
        phase: Phase::Ended,
        install: Install::OnLoop(|reactor, act| {
            let _ = reactor.own(OnDrop(act.clone())).detach();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an owned value that another thread releases",
        panic: Goes::Reported(Incident::Call),
        install: Install::OnLoop(|reactor, act| {
            let address = reactor.own(OnDrop(act.clone())).detach();
            std::thread::spawn(move || address.release().unwrap()).join().unwrap();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "a call that was handed back",
        install: Install::OnLoop(|reactor, act| {
            let ended = selvedge::Reactor::new().handle();
            let back = act.clone();
            let rejected = ended.call_from_thread(move |_| back.run()).unwrap_err();
            act.tell_caller(|| rejected.job.call(reactor));
        }),
        places: &["runtime/reactor/calls call", "runtime/reactor/calls new"],
        ..ON_THE_LOOP
    },
    Site {
        name: "the hook of a hosted reactor",
        panic: Goes::Reported(Incident::OnWake),
        has_sink: true,
        places: &["runtime/wake_hook call", "runtime/wake_hook new"],
        install: Install::Elsewhere(|act| {
            let (sink, hook) = (act.clone(), act.clone());
            let ((tell, told), (wake, woken)) = (mpsc::channel(), mpsc::channel());
            let host = thread::spawn(move || {
                let builder = Reactor::builder().on_report(move |report| sink.reported(report));
                let reactor = builder.on_wake(move || hook.run()).build().unwrap();
                assert_eq!(reactor.turn(), Ok(Turn::Idle));
                tell.send(reactor.handle()).unwrap();
                // It sleeps until the hook has returned: a host that turned meanwhile need not be woken.
                woken.recv().unwrap();
                while reactor.turn() != Ok(Turn::Ended) {
                    thread::yield_now();
                }
            });
            let handle = told.recv().unwrap();
            handle.stop();
            wake.send(()).unwrap();
            host.join().unwrap();
        }),
        ..ELSEWHERE
    },
    Site {
        name: "the drop of the hook of a hosted reactor",
        panic: Goes::Reported(Incident::Drop),
        has_sink: true,
        install: Install::Elsewhere(|act| {
            let (sink, captured) = (act.clone(), OnDrop(act.clone()));
            let builder = Reactor::builder().on_report(move |report| sink.reported(report));
            drop(
                builder
                    .on_wake(move || {
                        let _ = &captured;
                    })
                    .build()
                    .unwrap(),
            );
        }),
        ..ELSEWHERE
    },
    Site {
        name: "a hook around turns",
        panic: Goes::Reported(Incident::TurnHook),
        places: &[
            "runtime/reactor/around_turns enter",
            "runtime/reactor/around_turns run",
            "runtime/reactor/calls run_hooked",
            "runtime/reactor/turn run_hooked",
        ],
        configure: |builder, act| {
            let act = act.clone();
            builder.around_turns(move |_, activity| is_surrounded(activity).then(|| act.run()))
        },
        install: A_TIMER,
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of the guard of a hook around turns",
        panic: Goes::Reported(Incident::TurnHook),
        configure: |builder, act| {
            let act = act.clone();
            builder.around_turns(move |_, activity| is_surrounded(activity).then(|| OnDrop(act.clone())))
        },
        install: A_TIMER,
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a hook around turns",
        panic: Goes::Reported(Incident::Drop),
        has_sink: true,
        install: Install::Elsewhere(|act| {
            let (sink, captured) = (act.clone(), OnDrop(act.clone()));
            let builder = Reactor::builder().on_report(move |report| sink.reported(report));
            drop(builder.around_turns(move |_, _| _ = &captured).build().unwrap());
        }),
        ..ELSEWHERE
    },
];
