//! Bad input: whatever is passed in, panics, or comes back in through a callback, nothing is lost and nothing hangs.

use std::cell::RefCell;
use std::panic::panic_any;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Reactor, ThreadPool,
    error::{BlockingCallError, ReactorStopped, Rejection, StopError},
    pool::StopPolicy,
    reactor::{Event, Phase, Turn},
    report::Incident,
    testing::VirtualClock,
    threads,
};

use crate::support::{
    DropSignal, Gate, Log, OnDrop, PanicOnDrop, hold, reporting, virtual_time, wait_until, with_watchdog,
};

/// Turns by hand until the reactor has ended.
fn turn_to_the_end(reactor: &Reactor) {
    wait_until(|| reactor.turn() == Ok(Turn::Ended));
}

/// Stops a running reactor by hand and turns it to its end.
fn stop_by_hand(reactor: &Reactor) {
    reactor.handle().stop();
    turn_to_the_end(reactor);
}

// ---- what is stopped, or never ran

// Checks: B6, R27
#[test]
fn a_call_to_a_stopped_reactor_comes_back_and_can_be_made_on_another() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        handle.stop();
        reactor.run();
        let log = Log::new();
        let (drop_signal, told) = DropSignal::new();
        let made = log.clone();
        let rejected = handle.call_from_thread(move |_| {
            hold(&drop_signal);
            made.note("made");
        });
        let rejected = rejected.unwrap_err();
        assert_eq!(rejected.reason, Rejection::ReactorStopped);
        assert!(told.try_recv().is_err(), "nothing of it was dropped");
        rejected.job.call(&Reactor::new());
        assert_eq!(log, ["made"]);
    });
}

// Checks: B40, R12
#[test]
fn a_job_for_a_stopped_reactor_comes_back_and_can_be_run() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        handle.stop();
        reactor.run();
        let log = Log::new();
        let ran = log.clone();
        let rejected = handle.call_in_thread(move || ran.note("ran")).unwrap_err();
        assert_eq!(rejected.reason, Rejection::PoolStopped);
        rejected.job.run();
        assert_eq!(log, ["ran"]);
    });
}

// Checks: B3, B11, B17, S1
#[test]
fn a_reactor_that_has_ended_answers_whatever_it_is_asked() {
    with_watchdog(|| {
        let (reactor, clock, reports) = virtual_time();
        stop_by_hand(&reactor);
        let log = Log::new();
        assert_eq!(reactor.turn(), Ok(Turn::Ended));
        assert_eq!(reactor.stop(), Err(StopError::NotRunning));
        assert!(!reactor.is_running());
        assert!(reactor.call_from_thread(|_| ()).is_err());
        assert!(reactor.call_in_thread(|| ()).is_err());
        assert_eq!(reactor.local().with(|_| ()), Err(ReactorStopped));
        reactor.handle().stop();
        reactor.suggest_thread_pool_size(3);
        let note = log.when_dropped("timer");
        let call = reactor.call_later(Duration::ZERO, move |_| drop(note));
        let note = log.when_dropped("trigger");
        let _ = reactor.add_event_trigger(Phase::After, "never", move |_| drop(note));
        let note = log.when_dropped("when running");
        reactor.call_when_running(move |_| drop(note));
        let owner = reactor.own(log.when_dropped("value"));
        clock.advance(Duration::from_secs(1));
        assert_eq!(reactor.turn(), Ok(Turn::Ended));
        assert_eq!(log.len(), 4, "all of it is dropped at once, and nothing has run");
        drop(reactor);
        assert!(!call.is_active());
        drop(owner);
        let mut dropped = log.entries();
        dropped.sort_unstable();
        assert_eq!(dropped, ["timer", "trigger", "value", "when running"]);
        assert_eq!(reports, []);
    });
}

// Checks: B8, B38
#[test]
fn what_an_ended_reactor_was_still_given_is_dropped_contained() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        stop_by_hand(&reactor);
        let _ = reactor.own(PanicOnDrop).detach();
        let panics_on_drop = PanicOnDrop;
        let _ = reactor.call_later(Duration::ZERO, move |_| hold(&panics_on_drop));
        let panics_on_drop = PanicOnDrop;
        let _ = reactor.add_event_trigger(Phase::After, "never", move |_| hold(&panics_on_drop));
        drop(reactor);
        assert_eq!(reports, [Incident::Drop, Incident::Drop, Incident::Drop]);
    });
}

// Checks: B26, B8
#[test]
fn a_reactor_that_is_dropped_in_the_middle_of_its_shutdown_has_nothing_to_report() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let (gate, running) = (Gate::new(), Gate::new());
        let (closed, runs) = (gate.clone(), running.clone());
        let job = move || {
            runs.open();
            closed.pass();
        };
        reactor.call_in_thread(job).unwrap();
        reactor.turn().unwrap();
        running.pass();
        reactor.handle().stop();
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let pool = reactor.thread_pool().clone();
        drop(reactor);
        gate.open();
        pool.stop().unwrap();
        assert_eq!(reports, []);
    });
}

// Checks: B3, S9
#[test]
fn stopping_from_everywhere_at_once_stops_once() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let log = Log::new();
        let shutdown = log.clone();
        let _ = reactor.add_event_trigger(Phase::During, Event::SHUTDOWN, move |_| shutdown.note(()));
        for _ in 0..10 {
            let (handle, own) = (reactor.handle(), reactor.handle());
            reactor.call_in_thread(move || handle.stop()).unwrap();
            reactor.call_from_thread(move |_| own.stop()).unwrap();
        }
        let stoppers = [(); 4].map(|()| {
            let handle = reactor.handle();
            thread::spawn(move || handle.stop())
        });
        reactor.run();
        stoppers.into_iter().for_each(|stopper| stopper.join().unwrap());
        assert_eq!(log, [()]);
        assert_eq!(reports, []);
    });
}

// ---- panics

// Checks: B8, B19, B24, B38, B46
#[test]
fn a_reactor_whose_every_callback_panics_still_runs_to_its_end() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        for event in [Event::STARTUP, Event::SHUTDOWN] {
            for phase in [Phase::Before, Phase::During, Phase::After] {
                let _ = reactor.add_event_trigger(phase, event.clone(), |_| -> () { panic!("a trigger") });
            }
        }
        reactor.call_from_thread(|_| panic!("a call")).unwrap();
        reactor.own(()).detach().call(|(), _| panic!("a call to a value")).unwrap();
        let _ = reactor.call_later(Duration::ZERO, |_| panic!("a timer"));
        reactor.call_in_thread(|| panic!("a job")).unwrap();
        drop(threads::defer_to_thread(&reactor, || -> () { panic!("a deferred job") }));
        drop(Deferred::succeed(1).add_callback(|_| -> () { panic!("a callback") }).add_errback(|_| ()));
        let _ = reactor.call_later(Duration::from_millis(1), |reactor| {
            reactor.stop().unwrap();
            panic!("a timer that stopped the reactor");
        });
        reactor.run();
        let count = |incident| reports.entries().into_iter().filter(|entry| *entry == incident).count();
        assert_eq!(count(Incident::Trigger), 6);
        assert_eq!(count(Incident::Call), 2);
        assert_eq!(count(Incident::Timer), 2);
        assert_eq!(count(Incident::Job), 1);
        assert_eq!(count(Incident::Unhandled), 1);
        assert_eq!(reports.len(), 12);
    });
}

// Checks: B8, B17, B25, B38, R20
#[test]
fn captures_that_panic_when_they_are_dropped_are_contained_wherever_that_is() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        fn armed() -> impl FnOnce(&Reactor) + Send {
            let panics_on_drop = PanicOnDrop;
            move |_| hold(&panics_on_drop)
        }
        // Dropped when it has run, and when it is cancelled or removed unrun.
        reactor.call_from_thread(armed()).unwrap();
        let _ = reactor.call_later(Duration::ZERO, armed());
        let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, armed());
        reactor.turn().unwrap();
        assert_eq!(reports, [Incident::Trigger, Incident::Call, Incident::Timer]);
        let _ = reactor.call_later(Duration::ZERO, |reactor| {
            reactor.call_later(Duration::ZERO, armed()).cancel().unwrap();
            let id = reactor.add_event_trigger(Phase::Before, "never", armed());
            reactor.remove_event_trigger(id).unwrap();
        });
        reactor.turn().unwrap();
        assert_eq!(reports.entries()[3..], [Incident::Drop, Incident::Drop]);
        // Dropped because the reactor is.
        reactor.call_from_thread(armed()).unwrap();
        let _ = reactor.call_later(Duration::ZERO, armed());
        let _ = reactor.add_event_trigger(Phase::Before, "never", armed());
        drop(reactor);
        assert_eq!(reports.entries()[5..], [Incident::Drop, Incident::Drop, Incident::Drop]);
    });
}

// Checks: B8, B38
#[test]
fn a_panic_whose_payload_panics_when_it_is_dropped_is_contained() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let log = Log::new();
        let (call, job) = (log.clone(), log.clone());
        reactor.suggest_thread_pool_size(1);
        reactor.call_from_thread(|_| panic_any(PanicOnDrop)).unwrap();
        let _ = reactor.call_later(Duration::ZERO, |_| panic_any(PanicOnDrop));
        reactor.call_in_thread(|| panic_any(PanicOnDrop)).unwrap();
        reactor.thread_pool().call_in_thread_with_callback(drop, || panic_any(PanicOnDrop)).unwrap();
        drop(threads::defer_to_thread(&reactor, || -> () { panic_any(PanicOnDrop) }).add_errback(drop));
        reactor.call_in_thread(move || job.note("a job")).unwrap();
        reactor.call_from_thread(move |_| call.note("a call")).unwrap();
        reactor.call_when_running(|reactor| _ = reactor.call_later(Duration::ZERO, |reactor| reactor.stop().unwrap()));
        reactor.run();
        let mut entries = log.entries();
        entries.sort_unstable();
        assert_eq!(entries, ["a call", "a job"]);
        let mut reported = reports.entries();
        reported.sort_by_key(|incident| format!("{incident:?}"));
        assert_eq!(reported, [Incident::Call, Incident::Job, Incident::Timer]);
    });
}

// Checks: B38, B46, B48
#[test]
fn results_that_panic_when_they_are_dropped_are_contained_on_either_side() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        drop(threads::defer_to_thread(&reactor, || Ok::<_, Failure>(PanicOnDrop)));
        let cancelled = threads::defer_to_thread(&reactor, || Ok::<_, Failure>(PanicOnDrop));
        reactor.call_when_running(move |reactor| {
            wait_until(|| reactor.thread_pool().stats().completed == 2);
            // Both have run, but no result has reached its Deferred yet.
            cancelled.cancel();
            drop(cancelled.add_errback(|_| Err(Failure::msg("handled"))).add_both(drop));
        });
        let asker = thread::spawn(move || {
            let begun = Arc::new(AtomicBool::new(false));
            let begins = Arc::clone(&begun);
            let function = move |_: &Reactor| {
                begins.store(true, Ordering::Relaxed);
                Ok::<_, Failure>(PanicOnDrop)
            };
            let late = threads::blocking_call_from_thread_timeout(&handle, Duration::ZERO, function);
            let in_time = late.map(std::mem::forget).is_ok();
            let answer = threads::blocking_call_from_thread(&handle, |_| "an answer");
            handle.stop();
            (answer, begun.load(Ordering::Relaxed) && !in_time)
        });
        reactor.run();
        let (answer, came_too_late) = asker.join().unwrap();
        assert_eq!(answer.unwrap(), "an answer");
        let drops = reports.entries().iter().filter(|incident| **incident == Incident::Drop).count();
        assert_eq!(
            drops,
            2 + usize::from(came_too_late),
            "of results: the two jobs', and the answer's if nobody took it"
        );
    });
}

// Checks: B38, B48
#[test]
fn a_blocking_call_whose_function_panics_in_every_way_still_answers() {
    with_watchdog(|| {
        let (reactor, _) = reporting();
        let handle = reactor.handle();
        let asker = thread::spawn(move || {
            let panics_on_drop = PanicOnDrop;
            let answers = [
                threads::blocking_call_from_thread(&handle, |_| -> () { panic_any(PanicOnDrop) }),
                threads::blocking_call_from_thread(&handle, move |_| hold(&panics_on_drop)),
                threads::blocking_call_from_thread(&handle, |_| Deferred::succeed(()).map(|()| panic_any(PanicOnDrop))),
            ];
            handle.stop();
            answers
        });
        reactor.run();
        for answer in asker.join().unwrap() {
            assert!(matches!(answer, Err(BlockingCallError::Panicked(_))), "{answer:?}");
        }
    });
}

// ---- re-entrance

// Checks: B6, B11, B17, B25, R20, P9
#[test]
fn what_is_dropped_may_use_the_reactor_again() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let log = Log::new();
        let again = |entry: &'static str| {
            let (local, log) = (reactor.local(), log.clone());
            OnDrop::new(move || {
                let used = local.with(|reactor| {
                    reactor.call_from_thread(|_| ()).unwrap();
                    reactor.call_later(Duration::ZERO, |_| ()).cancel().unwrap();
                    let id = reactor.add_event_trigger(Phase::Before, "never", |_| ());
                    reactor.remove_event_trigger(id).unwrap();
                    reactor.own(()).with(|()| ()).unwrap();
                    reactor.suggest_thread_pool_size(2);
                    reactor.call_in_thread(|| ()).unwrap();
                    reactor.fire_event("nothing").unwrap();
                    let _ = reactor.turn();
                });
                log.note((entry, used.is_ok()));
            })
        };
        reactor.turn().unwrap();
        let dropped = again("timer");
        reactor.call_later(Duration::ZERO, move |_| hold(&dropped)).cancel().unwrap();
        let dropped = again("trigger");
        let id = reactor.add_event_trigger(Phase::Before, "never", move |_| hold(&dropped));
        reactor.remove_event_trigger(id).unwrap();
        drop(reactor.own(again("value")));
        drop(Deferred::succeed(again("result")));
        let _ = reactor.own(again("left")).detach();
        let dropped = again("at the end");
        let _ = reactor.call_later(Duration::MAX, move |_| hold(&dropped));
        assert!(log.entries().iter().all(|(_, used)| *used), "{log:?}");
        assert_eq!(log.len(), 4);
        stop_by_hand(&reactor);
        // At its end a reactor is reached no more; that is an error, and no panic and no deadlock.
        assert_eq!(log.entries()[4..], [("left", false), ("at the end", false)]);
        assert_eq!(reports, []);
    });
}

// Checks: B17, B20
#[test]
fn captures_of_timers_may_cancel_each_other_while_all_of_them_are_dropped() {
    let (reactor, _, _) = virtual_time();
    let calls = Rc::new(RefCell::new(Vec::new()));
    let log = Log::new();
    for number in 0..10 {
        let (others, log) = (Rc::clone(&calls), log.clone());
        let dropped = OnDrop::new(move || {
            let others: Vec<selvedge::DelayedCall> = others.take();
            let cancelled = others.iter().filter(|call| call.cancel().is_ok()).count();
            log.note((number, cancelled));
        });
        let call = reactor.call_later(Duration::from_secs(1), move |_| hold(&dropped));
        calls.borrow_mut().push(call);
    }
    drop(reactor);
    // The reactor that is dropped has cancelled them all, so they cannot cancel each other; each goes once.
    assert_eq!(log.len(), 10);
    assert_eq!(log.entries().iter().map(|(_, cancelled)| cancelled).sum::<usize>(), 0);
}

// Checks: B1, B11, B12
#[test]
fn a_whole_reactor_may_be_run_inside_a_callback_of_another() {
    with_watchdog(|| {
        let (outer, outer_reports) = reporting();
        let log = Log::new();
        let nested = log.clone();
        outer
            .call_from_thread(move |outer| {
                let (inner, inner_reports) = reporting();
                let handle = inner.handle();
                inner.call_in_thread(move || handle.stop()).unwrap();
                inner.call_from_thread(|_| drop(Deferred::<()>::fail(Failure::msg("inside")))).unwrap();
                inner.run();
                nested.note(inner_reports.entries());
                drop(Deferred::<()>::fail(Failure::msg("outside")));
                outer.stop().unwrap();
            })
            .unwrap();
        outer.run();
        assert_eq!(log, [vec![Incident::Unhandled]]);
        assert_eq!(outer_reports, [Incident::Unhandled], "each to the reactor that ran when it was dropped");
    });
}

// Checks: B3, B6
#[test]
fn a_reactor_may_be_dropped_inside_a_call_of_another() {
    let place = Rc::new(RefCell::new(None));
    let (reactor, reports) = reporting();
    let owner = Rc::clone(&place);
    reactor.own(owner).detach().call(|owner, _| drop(owner.borrow_mut().take())).unwrap();
    place.replace(Some(Reactor::new()));
    reactor.turn().unwrap();
    assert!(place.borrow().is_none());
    assert_eq!(reports, []);
}

// Checks: B22, B24
#[test]
fn an_event_may_be_fired_inside_its_own_trigger() {
    let reactor = Reactor::new();
    let log = Log::new();
    for (phase, entry) in [(Phase::Before, "before"), (Phase::During, "during"), (Phase::After, "after")] {
        let log = log.clone();
        let _ = reactor.add_event_trigger(phase, "harvest", move |reactor| {
            log.note(entry);
            reactor.fire_event("harvest").unwrap();
        });
    }
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log, ["before", "during", "after"], "each of them once");
}

// Checks: B8, R20
#[test]
fn a_sink_may_use_what_it_reports_on() {
    with_watchdog(|| {
        let known = Arc::new(std::sync::Mutex::new(None::<selvedge::Handle>));
        let knows = Arc::clone(&known);
        let reactor = Reactor::builder()
            .on_report(move |_| {
                if let Some(reactor) = &*knows.lock().unwrap() {
                    let _ = reactor.call_from_thread(|_| ());
                    let _ = reactor.call_in_thread(|| ());
                    reactor.suggest_thread_pool_size(1);
                    let _ = reactor.thread_pool().stats();
                    reactor.stop();
                }
            })
            .build()
            .unwrap();
        *known.lock().unwrap() = Some(reactor.handle());
        reactor.call_from_thread(|_| panic!("a call")).unwrap();
        reactor.call_in_thread(|| panic!("a job")).unwrap();
        reactor.run();
        // The sink and its reactor hold each other.
        let held = known.lock().unwrap().take();
        drop(held);
    });
}

// ---- the pool

// Checks: B38, B40
#[test]
fn a_pool_whose_every_job_panics_in_every_way_still_does_all_and_stops() {
    with_watchdog(|| {
        let reports = Log::new();
        let pool = ThreadPool::builder().size(1, 3).on_report(reports.sink()).build().unwrap();
        pool.start().unwrap();
        for _ in 0..50 {
            let (panics_on_drop, result, callback) = (PanicOnDrop, PanicOnDrop, PanicOnDrop);
            pool.call_in_thread(|| panic!("a job")).unwrap();
            pool.call_in_thread(|| panic_any(PanicOnDrop)).unwrap();
            pool.call_in_thread(move || hold(&panics_on_drop)).unwrap();
            pool.call_in_thread_with_callback(drop, move || result).unwrap();
            pool.call_in_thread_with_callback(move |_| hold(&callback), || ()).unwrap();
            pool.call_in_thread_with_callback(|_| panic_any(PanicOnDrop), || panic_any(PanicOnDrop)).unwrap();
        }
        pool.stop().unwrap();
        let count = |incident| reports.entries().into_iter().filter(|entry| *entry == incident).count();
        assert_eq!((count(Incident::Job), count(Incident::OnResult)), (150, 150));
        assert_eq!(pool.stats().completed, 300);
    });
}

// Checks: B37, B38, B40, R20, P9
#[test]
fn what_a_job_drops_may_use_its_pool_again() {
    with_watchdog(|| {
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let log = Log::new();
        let (own, noted) = (pool.clone(), log.clone());
        let dropped = OnDrop::new(move || {
            noted.note(own.stop().is_err());
            let noted = noted.clone();
            own.call_in_thread(move || noted.note(true)).unwrap();
            own.adjust_pool_size(0, 2).unwrap();
            own.start().unwrap();
            let _ = own.stats();
        });
        pool.call_in_thread(move || drop(dropped)).unwrap();
        wait_until(|| log.len() == 2);
        pool.stop().unwrap();
        assert_eq!(log, [true, true]);
    });
}

// Checks: B40, B37
#[test]
fn a_job_that_is_refused_may_use_the_pool_that_refuses_it() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().on_report(|_| ()).build().unwrap();
        let (own, log) = (pool.clone(), Log::new());
        let noted = log.clone();
        let dropped = OnDrop::new(move || {
            // The thread that drops this is inside `stop`: waiting for the pool to end would be waiting for itself.
            assert!(own.stop().is_err());
            own.ask_to_stop(StopPolicy::Drain);
            noted.note(own.call_in_thread(|| ()).is_err());
        });
        pool.call_in_thread(move || drop(dropped)).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [true]);
    });
}

// ---- time

// Checks: B16, B21, P86
#[test]
fn a_virtual_clock_stops_at_the_end_of_time_and_what_comes_at_once_still_comes() {
    let clock = VirtualClock::new();
    clock.advance(Duration::MAX);
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), Duration::MAX - Duration::from_nanos(1));
    let reactor = Reactor::builder().clock(clock).build().unwrap();
    let log = Log::new();
    let (ran, never) = (log.clone(), log.clone());
    let _ = reactor.call_later(Duration::ZERO, move |_| ran.note("at once"));
    let _ = reactor.call_later(Duration::from_nanos(1), move |_| never.note("never"));
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    assert_eq!(log, ["at once"]);
}
