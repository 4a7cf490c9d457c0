//! Event triggers: phases, Deferreds that hold them up, removal, and the pool's own end during shutdown.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use selvedge::{
    Deferred, Failure, LocalHandle, Reactor,
    error::FireEventError,
    reactor::{Event, Phase, TriggerId, Turn},
    report::Incident,
    threads,
};

use crate::support::{Gate, Log, hold, reporting, virtual_time, with_watchdog};

const PHASES: [Phase; 3] = [Phase::Before, Phase::During, Phase::After];

fn note<T: Clone>(log: &Log<T>, entry: T) -> impl FnOnce(&Reactor) + use<T> {
    let log = log.clone();
    move |_| log.note(entry)
}

// Checks: B22
#[test]
fn triggers_run_phase_by_phase_and_in_a_phase_in_the_order_they_were_added() {
    let reactor = Reactor::new();
    let log = Log::new();
    for number in 0..3 {
        for phase in PHASES.into_iter().rev() {
            let _ = reactor.add_event_trigger(phase, "harvest", note(&log, (phase, number)));
        }
    }
    reactor.fire_event("harvest").unwrap();
    assert!(log.entries().is_sorted());
    assert_eq!(log.len(), 9);
}

// Checks: B22
#[test]
fn an_event_is_known_by_its_name_and_one_without_triggers_is_nothing() {
    let reactor = Reactor::new();
    let log = Log::new();
    let _ = reactor.add_event_trigger(Phase::During, "sowing", note(&log, "sowing"));
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log.len(), 0);
    reactor.fire_event(Event::from(String::from("sowing"))).unwrap();
    assert_eq!(log, ["sowing"]);
}

// Checks: B23
#[test]
fn a_phase_waits_for_the_deferreds_of_the_one_before() {
    for (waited_for, phase) in PHASES.into_iter().enumerate() {
        let reactor = Reactor::new();
        let log = Log::new();
        let (one, first) = Deferred::<()>::new();
        let (other, second) = Deferred::<()>::new();
        let _ = reactor.add_event_trigger(phase, "harvest", move |_| one);
        let _ = reactor.add_event_trigger(phase, "harvest", move |_| other);
        for phase in PHASES {
            let _ = reactor.add_event_trigger(phase, "harvest", note(&log, phase));
        }
        reactor.fire_event("harvest").unwrap();
        assert_eq!(log.entries(), PHASES[..=waited_for]);
        second.callback(());
        assert_eq!(log.entries(), PHASES[..=waited_for], "it waits for all of them");
        first.callback(());
        assert_eq!(log.entries(), PHASES);
    }
}

// Checks: B23, B24
#[test]
fn a_deferred_that_fails_is_reported_and_holds_nothing_up() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let (later, resolver) = Deferred::<()>::new();
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", |_| Deferred::<()>::fail(Failure::msg("now")));
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", move |_| later);
    let _ = reactor.add_event_trigger(Phase::During, "harvest", note(&log, "during"));
    reactor.fire_event("harvest").unwrap();
    reactor.call_when_running(move |_| resolver.errback(Failure::msg("later")));
    reactor.turn().unwrap();
    assert_eq!(log, ["during"]);
    assert_eq!(reports, [Incident::Trigger, Incident::Trigger]);
}

// Checks: B24
#[test]
fn a_trigger_that_fails_is_reported_and_the_rest_run() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", |_| -> () { panic!("hail") });
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", |_| Err::<(), _>(Failure::msg("locusts")));
    for phase in PHASES {
        let _ = reactor.add_event_trigger(phase, "harvest", note(&log, phase));
    }
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log, PHASES);
    assert_eq!(reports, [Incident::Trigger, Incident::Trigger]);
}

// Checks: B24
#[test]
fn a_trigger_whose_deferred_fails_in_a_turn_of_another_reactor_is_reported_by_its_own() {
    let (reactor, reports) = reporting();
    let (other, of_other) = reporting();
    let (waited_for, resolver) = Deferred::<()>::new();
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", move |_| waited_for);
    let _ = reactor.add_event_trigger(Phase::After, "harvest", |_| -> () { panic!("hail") });
    reactor.fire_event("harvest").unwrap();
    other.call_when_running(move |_| resolver.errback(Failure::msg("locusts")));
    other.turn().unwrap();
    assert_eq!(reports, [Incident::Trigger, Incident::Trigger]);
    assert_eq!(of_other, []);
}

// Checks: B24
#[test]
fn a_trigger_runs_once_however_often_its_event_is_fired() {
    let reactor = Reactor::new();
    let log = Log::new();
    let _ = reactor.add_event_trigger(Phase::During, "harvest", note(&log, "ran"));
    reactor.fire_event("harvest").unwrap();
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log, ["ran"]);
}

// Checks: B24
#[test]
fn a_trigger_may_add_others_to_its_own_phase_and_to_those_that_come() {
    let reactor = Reactor::new();
    let log = Log::new();
    let adds = log.clone();
    let _ = reactor.add_event_trigger(Phase::During, "harvest", move |reactor| {
        for phase in PHASES {
            let _ = reactor.add_event_trigger(phase, "harvest", note(&adds, phase));
        }
    });
    reactor.fire_event("harvest").unwrap();
    // The phase before is over: that trigger waits for the next time.
    assert_eq!(log, [Phase::During, Phase::After]);
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log, [Phase::During, Phase::After, Phase::Before]);
}

// Checks: B24
#[test]
fn a_trigger_may_remove_others_that_have_not_run() {
    let reactor = Reactor::new();
    let log = Log::new();
    let ids = Rc::new(RefCell::new(Vec::<TriggerId>::new()));
    let to_remove = Rc::clone(&ids);
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", move |reactor| {
        for id in to_remove.take() {
            reactor.remove_event_trigger(id).unwrap();
        }
    });
    for phase in PHASES {
        ids.borrow_mut().push(reactor.add_event_trigger(phase, "harvest", note(&log, phase)));
    }
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log.len(), 0);
}

// Checks: B25
#[test]
fn a_removed_trigger_does_not_run_and_what_it_captured_is_dropped_at_once() {
    let reactor = Reactor::new();
    let log = Log::new();
    let (ran, captured) = (log.clone(), log.when_dropped("dropped"));
    let id = reactor.add_event_trigger(Phase::During, "harvest", move |_| {
        hold(&captured);
        ran.note("ran");
    });
    reactor.remove_event_trigger(id).unwrap();
    assert_eq!(log, ["dropped"]);
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log, ["dropped"]);
}

// Checks: B25
#[test]
fn removing_what_has_run_or_was_removed_is_an_error() {
    let reactor = Reactor::new();
    let id = reactor.add_event_trigger(Phase::During, "harvest", |_| ());
    reactor.remove_event_trigger(id.clone()).unwrap();
    assert!(reactor.remove_event_trigger(id).is_err());
    let id = reactor.add_event_trigger(Phase::During, "harvest", |_| ());
    reactor.fire_event("harvest").unwrap();
    assert!(reactor.remove_event_trigger(id).is_err());
}

// Checks: B25
#[test]
fn a_trigger_cannot_be_removed_from_another_reactor() {
    let (mine, theirs) = (Reactor::new(), Reactor::new());
    let id = mine.add_event_trigger(Phase::During, "harvest", |_| ());
    let _ = theirs.add_event_trigger(Phase::During, "harvest", |_| ());
    assert!(theirs.remove_event_trigger(id.clone()).is_err());
    mine.remove_event_trigger(id).unwrap();
}

// Checks: B25
#[test]
fn the_id_of_a_reactor_that_is_gone_removes_nothing_from_the_next() {
    for _ in 0..100 {
        let gone = Reactor::new();
        let id = gone.add_event_trigger(Phase::During, "harvest", |_| ());
        drop(gone);
        // Most likely in the same place.
        let next = Reactor::new();
        let _ = next.add_event_trigger(Phase::During, "harvest", |_| ());
        assert!(next.remove_event_trigger(id).is_err());
    }
}

// Checks: B26, B48, R29
#[test]
fn a_job_that_is_blocked_on_the_loop_does_not_deadlock_the_shutdown() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let (gate, log) = (Gate::new(), Log::new());
        let (closed, answered) = (gate.clone(), log.clone());
        let _ = reactor.add_event_trigger(Phase::During, Event::SHUTDOWN, move |_| gate.open());
        reactor
            .call_in_thread(move || {
                handle.stop();
                // Shutdown is under way, and waits for this very job.
                closed.pass();
                let answer = threads::blocking_call_from_thread(&handle, |_| Ok::<_, Failure>(thread::current().id()));
                answered.note(answer.unwrap());
            })
            .unwrap();
        reactor.run();
        assert_eq!(log, [thread::current().id()]);
    });
}

// Checks: B26
#[test]
fn the_pool_winds_down_during_shutdown_and_jobs_come_back_from_then_on() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        for phase in [Phase::Before, Phase::After] {
            let log = log.clone();
            let _ = reactor.add_event_trigger(phase, Event::SHUTDOWN, move |reactor| {
                log.note((phase, reactor.call_in_thread(|| ()).is_ok()));
            });
        }
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, [(Phase::Before, true), (Phase::After, false)]);
    });
}

// Checks: B23, B1
#[test]
fn shutdown_waits_for_the_deferreds_of_its_triggers() {
    let (reactor, clock, _) = virtual_time();
    let (saved, resolver) = Deferred::<()>::new();
    let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |reactor| {
        let _ = reactor.call_later(std::time::Duration::from_secs(1), move |_| resolver.callback(()));
        saved
    });
    reactor.call_when_running(|reactor| reactor.stop().unwrap());
    assert!(matches!(reactor.turn(), Ok(Turn::Wait(_))));
    assert!(reactor.is_running());
    clock.advance(std::time::Duration::from_secs(1));
    reactor.turn().unwrap();
    assert!(!reactor.is_running());
}

// Checks: P92, B26, R50
#[test]
fn the_reactors_own_events_cannot_be_fired_by_hand_so_its_pool_is_always_waited_for() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (gate, log) = (Gate::new(), Log::new());
        let (opens, ended) = (gate.clone(), log.clone());
        reactor
            .call_in_thread(move || {
                gate.pass();
                ended.note("the job has ended");
            })
            .unwrap();
        reactor.call_when_running(move |reactor| {
            for event in [Event::SHUTDOWN, Event::STARTUP, "shutdown".into(), String::from("startup").into()] {
                assert_eq!(reactor.fire_event(event), Err(FireEventError::BuiltIn));
            }
            assert!(reactor.is_running());
            reactor.stop().unwrap();
        });
        // Its own steps come first in their phase, whatever a trigger before that does.
        let _ = reactor.add_event_trigger(Phase::During, Event::SHUTDOWN, move |_| opens.open());
        reactor.run();
        assert_eq!(log, ["the job has ended"]);
    });
}

// Checks: P92, B23, R51
#[test]
fn an_event_that_is_fired_while_it_is_being_fired_is_fired_again_afterwards() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let (wait, resolver) = Deferred::<()>::new();
    let again = log.clone();
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", move |reactor| {
        reactor.fire_event("harvest").unwrap();
        for phase in PHASES {
            let _ = reactor.add_event_trigger(phase, "harvest", note(&again, (1, phase)));
        }
        wait
    });
    reactor.fire_event("harvest").unwrap();
    reactor.fire_event("harvest").unwrap();
    assert_eq!(log, [(1, Phase::Before)]);
    // While the phase waits it still takes triggers; those of the next firing are added in its last phase.
    let _ = reactor.add_event_trigger(Phase::Before, "harvest", note(&log, (2, Phase::Before)));
    let later = log.clone();
    let _ = reactor.add_event_trigger(Phase::After, "harvest", move |reactor| {
        for phase in PHASES.into_iter().rev() {
            let _ = reactor.add_event_trigger(phase, "harvest", note(&later, (3, phase)));
        }
    });
    resolver.callback(());
    let [before, during, after] = PHASES;
    assert_eq!(log, [(1, before), (2, before), (1, during), (1, after), (3, after), (3, before), (3, during)]);
    assert_eq!(reports.len(), 0);
}

// Checks: P92
#[test]
fn a_stop_during_an_asynchronous_startup_ends_the_startup() {
    let (reactor, _, reports) = virtual_time();
    let log = Log::new();
    let (wait, resolver) = Deferred::<()>::new();
    let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, move |_| wait);
    for phase in [Phase::During, Phase::After] {
        let (ran, dropped) = (log.clone(), log.when_dropped("dropped"));
        let _ = reactor.add_event_trigger(phase, Event::STARTUP, move |_| {
            hold(&dropped);
            ran.note("ran");
        });
    }
    reactor.turn().unwrap();
    reactor.stop().unwrap();
    let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, note(&log, "shutdown"));
    reactor.turn().unwrap();
    assert_eq!(log, ["dropped", "dropped", "shutdown"]);
    resolver.callback(());
    let late = log.when_dropped("too late");
    reactor.call_when_running(move |_| hold(&late));
    reactor.run();
    assert_eq!(log, ["dropped", "dropped", "shutdown", "too late"]);
    assert_eq!(reports.len(), 0);
}

// Checks: P92, B23
#[test]
fn a_trigger_that_is_added_while_the_reactors_own_event_fires_runs_unless_its_phase_is_over() {
    for event in [Event::STARTUP, Event::SHUTDOWN] {
        let (reactor, _) = reporting();
        let log = Log::new();
        let (own, ran, dropped) = (event.clone(), log.clone(), Log::new());
        let late = dropped.clone();
        let _ = reactor.add_event_trigger(Phase::During, event, move |reactor| {
            for phase in PHASES {
                let (ran, late) = (ran.clone(), late.when_dropped(phase));
                let _ = reactor.add_event_trigger(phase, own.clone(), move |_| {
                    hold(&late);
                    ran.note(phase);
                });
            }
            assert_eq!(late, [Phase::Before]);
        });
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, [Phase::During, Phase::After]);
        assert_eq!(dropped, PHASES);
    }
}

// Checks: P92, B24
#[test]
fn a_trigger_of_shutdown_that_is_added_as_those_of_startup_are_dropped_runs() {
    struct AddsWhenDropped(LocalHandle, Log<&'static str>);
    impl Drop for AddsWhenDropped {
        fn drop(&mut self) {
            let trigger = note(&self.1, "shutdown");
            let _ = self.0.with(|reactor| reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, trigger));
        }
    }
    let reactor = Reactor::new();
    let log = Log::new();
    let adds = AddsWhenDropped(reactor.local(), log.clone());
    let (startup, _never) = Deferred::<()>::new();
    let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, move |_| startup);
    let _ = reactor.add_event_trigger(Phase::During, Event::STARTUP, move |_| hold(&adds));
    reactor.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
    reactor.run();
    assert_eq!(log, ["shutdown"]);
}

// Checks: P7, B23
#[test]
fn after_a_trigger_that_drops_the_reactor_none_runs() {
    for event in ["harvest".into(), Event::SHUTDOWN] {
        let log = Log::new();
        let held = Rc::new(RefCell::new(None));
        let reactor = Reactor::new();
        let (opened, resolver) = Deferred::<()>::new();
        let _ = reactor.add_event_trigger(Phase::Before, event.clone(), move |_| opened);
        let drops = Rc::clone(&held);
        let _ = reactor.add_event_trigger(Phase::During, event.clone(), move |_| drop(drops.take()));
        for phase in [Phase::During, Phase::After] {
            let dropped = log.when_dropped("dropped");
            let ran = note(&log, "ran");
            let _ = reactor.add_event_trigger(phase, event.clone(), move |reactor| {
                hold(&dropped);
                ran(reactor);
            });
        }
        reactor.turn().unwrap();
        if event == Event::SHUTDOWN {
            reactor.stop().unwrap();
            reactor.turn().unwrap();
        } else {
            reactor.fire_event(event).unwrap();
        }
        let local = reactor.local();
        *held.borrow_mut() = Some(reactor);
        resolver.callback(());
        assert_eq!(log, ["dropped", "dropped"]);
        assert!(local.has_ended());
    }
}

// Checks: P92, R54
#[test]
fn a_trigger_that_can_never_run_is_dropped_at_once() {
    let reactor = Reactor::new();
    let log = Log::new();
    let add = |phase, event: Event| {
        let dropped = log.when_dropped("dropped");
        let id = reactor.add_event_trigger(phase, event, move |_| hold(&dropped));
        reactor.remove_event_trigger(id).is_ok()
    };
    reactor.turn().unwrap();
    assert!(!add(Phase::After, Event::STARTUP));
    assert!(add(Phase::Before, Event::SHUTDOWN));
    reactor.stop().unwrap();
    while reactor.turn().unwrap() != Turn::Ended {}
    assert!(!add(Phase::After, Event::SHUTDOWN));
    assert!(!add(Phase::Before, "harvest".into()));
    assert_eq!(log.len(), 4);
    assert_eq!(reactor.fire_event("harvest"), Err(FireEventError::ReactorStopped));
}
