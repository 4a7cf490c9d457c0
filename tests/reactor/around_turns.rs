//! Hooks around turns, posted calls and timers.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge::reactor::{Event, LoopActivity, Phase, ReactorBuilder, Turn};
use selvedge::report::Incident;
use selvedge::testing::VirtualClock;
use selvedge::{Deferred, Failure, Reactor};

use crate::support::{PanicOnDrop, hold};

/// What happened, in its order, on any thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl ToString) {
        self.0.lock().unwrap().push(line.to_string());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Adds a line when it is dropped.
struct Guard(Log, String);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.add(format!("{} ends", self.1));
    }
}

// Checks: P138
#[test]
fn the_calls_that_wait_are_counted() {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..2 {
        let (looks, seen) = (handle.clone(), Arc::clone(&seen));
        handle.call_from_thread(move |_| seen.lock().unwrap().push(looks.queued_calls())).unwrap();
    }
    assert_eq!(handle.queued_calls(), 2);
    handle.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
    assert_eq!(handle.queued_calls(), 3);
    reactor.run();
    // The turn has taken all three when it runs the first.
    assert_eq!(*seen.lock().unwrap(), [0, 0]);
    assert_eq!(handle.queued_calls(), 0);
}

/// A word for each activity.
fn word(activity: LoopActivity) -> &'static str {
    match activity {
        LoopActivity::Turn => "turn",
        LoopActivity::Call(_) => "call",
        LoopActivity::Timer(_) => "timer",
        other => panic!("{other}"),
    }
}

fn hooked(builder: ReactorBuilder, name: &'static str, log: &Log) -> ReactorBuilder {
    let log = log.clone();
    builder.around_turns(move |_, activity| {
        let what = format!("{name}: {}", word(activity));
        log.add(format!("{what} begins"));
        Guard(log.clone(), what)
    })
}

// Checks: P138
#[test]
fn hooks_surround_turns_and_in_them_calls_and_timers_the_first_outermost() {
    let log = Log::default();
    let builder = hooked(hooked(Reactor::builder(), "first", &log), "second", &log);
    let reactor = builder.on_wake(|| ()).build().unwrap();
    let (call, timer) = (log.clone(), log.clone());
    reactor.call_from_thread(move |_| call.add("the call")).unwrap();
    reactor.call_later(Duration::ZERO, move |_| timer.add("the timer"));
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    let surrounded = |what: &str| {
        [
            format!("first: {what} begins"),
            format!("second: {what} begins"),
            format!("the {what}"),
            format!("second: {what} ends"),
            format!("first: {what} ends"),
        ]
    };
    let [first, second, _, last_but_one, last] = surrounded("turn");
    let inside = surrounded("call").into_iter().chain(surrounded("timer"));
    let expected: Vec<String> = [first, second].into_iter().chain(inside).chain([last_but_one, last]).collect();
    assert_eq!(log.take(), expected);
}

// Checks: P138
#[test]
fn a_call_and_a_timer_have_the_names_of_their_functions() {
    let names = Rc::new(RefCell::new(Vec::new()));
    let log = Log::default();
    let told = log.clone();
    let reactor = Reactor::builder().around_turns(move |_, activity| told.add(activity)).build().unwrap();
    reactor.call_from_thread(|_| ()).unwrap();
    let kept = Rc::clone(&names);
    reactor.call_later(Duration::ZERO, move |reactor| {
        kept.borrow_mut().push("it ran");
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(*names.borrow(), ["it ran"]);
    let log = log.take();
    assert_eq!(log[0], "a turn");
    let here = "around_turns::a_call_and_a_timer_have_the_names_of_their_functions::{{closure}}";
    assert!(log[1].starts_with("call of ") && log[1].ends_with(here), "{log:?}");
    assert!(log[2].starts_with("timer of ") && log[2].ends_with(here), "{log:?}");
}

// Checks: P138
#[test]
fn hooks_that_panic_are_reported_and_what_they_surround_runs_once() {
    /// Panics when it is dropped.
    struct Breaks(bool);
    impl Drop for Breaks {
        fn drop(&mut self) {
            assert!(!self.0, "as it leaves");
        }
    }
    for breaks_at_the_end in [false, true] {
        let (reports, log) = (Log::default(), Log::default());
        let sink = reports.clone();
        let builder = Reactor::builder().on_report(move |report| {
            assert_eq!(report.incident, Incident::TurnHook);
            sink.add(report);
        });
        let builder = builder.around_turns(move |_, activity| {
            let is_call = matches!(activity, LoopActivity::Call(_));
            assert!(!is_call || breaks_at_the_end, "as it enters");
            Breaks(is_call)
        });
        let reactor = hooked(builder, "inner", &log).on_wake(|| ()).build().unwrap();
        let call = log.clone();
        reactor.call_from_thread(move |_| call.add("it runs")).unwrap();
        reactor.turn().unwrap();
        let expected = if breaks_at_the_end { "as it leaves" } else { "as it enters" };
        let words = format!("a hook around a reactor's turns failed: panicked: {expected}");
        assert_eq!(reports.take(), [words]);
        let inside = ["inner: call begins", "it runs", "inner: call ends"];
        assert_eq!(log.take()[1..4], inside);
    }
}

// Checks: P138
#[test]
fn a_hook_is_given_its_reactor_which_it_can_stop_and_cannot_turn() {
    let log = Log::default();
    let told = log.clone();
    let builder = Reactor::builder().around_turns(move |reactor, activity| {
        if matches!(activity, LoopActivity::Call(_)) {
            told.add(reactor.turn().is_err());
            reactor.stop().unwrap_or_default();
        }
    });
    let reactor = builder.build().unwrap();
    reactor.call_from_thread(|_| ()).unwrap();
    reactor.run();
    assert_eq!(log.take()[0], "true");
}

thread_local! {
    /// What the guard of the next turn does.
    static AFTER_TURN: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

struct AfterTurn;

impl Drop for AfterTurn {
    fn drop(&mut self) {
        if let Some(act) = AFTER_TURN.take() {
            act();
        }
    }
}

// Checks: P138
#[test]
fn what_a_guard_does_after_a_turn_makes_another_due() {
    let hook = |_: &Reactor, activity| matches!(activity, LoopActivity::Turn).then_some(AfterTurn);
    let builder = Reactor::builder().clock(VirtualClock::new()).pool_size(0, 0);
    let reactor = Rc::new(builder.around_turns(hook).build().unwrap());
    let after = |act: Box<dyn FnOnce()>| AFTER_TURN.set(Some(act));
    let ran = Log::default();
    let (last, resolver) = Deferred::new();
    let _ = reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, move |_| last);
    assert_eq!(reactor.turn(), Ok(Turn::Idle));

    let (own, timer) = (Rc::clone(&reactor), ran.clone());
    after(Box::new(move || drop(own.call_later(Duration::ZERO, move |_| timer.add("a timer")))));
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    assert_eq!(ran.take(), ["a timer"]);

    let own = Rc::clone(&reactor);
    after(Box::new(move || own.stop().unwrap()));
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    while reactor.turn() == Ok(Turn::Again) {}

    // Shutdown waits for this alone.
    after(Box::new(move || resolver.callback(())));
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    assert_eq!(reactor.turn(), Ok(Turn::Ended));
}

// Checks: P138
#[test]
fn what_a_hook_held_is_dropped_with_the_reactor_after_its_last_turn() {
    let log = Log::default();
    let held = Guard(log.clone(), "the hook".to_owned());
    let reactor = hooked(Reactor::builder(), "a", &log).around_turns(move |_, _| held.1.len()).build().unwrap();
    let answer = reactor.block_on(async { Ok::<_, Failure>(42) });
    assert_eq!(answer.unwrap(), 42);
    let log = log.take();
    assert_eq!(log[log.len() - 2..], ["a: turn ends", "the hook ends"]);
}

// Checks: P138, P22
#[test]
fn what_hooks_held_is_dropped_though_that_panics_and_also_if_no_reactor_was_built() {
    for is_built in [true, false] {
        let log = Log::default();
        let mut builder = Reactor::builder().on_report(|_| ());
        for _ in 0..2 {
            let (held, panics) = (Guard(log.clone(), "a hook".to_owned()), PanicOnDrop);
            builder = builder.around_turns(move |_, _| {
                hold(&panics);
                held.1.len()
            });
        }
        if is_built {
            drop(builder.build().unwrap());
        } else {
            drop(builder);
        }
        assert_eq!(log.take(), ["a hook ends"; 2]);
    }
}
