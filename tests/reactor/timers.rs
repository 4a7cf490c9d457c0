//! Timers: when they run, in what order, and what can be done to them before.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use selvedge::task::defer_later;
use selvedge::{Deferred, DelayedCall, Reactor, error::DelayedCallError, reactor::Turn, report::Incident};

use crate::support::{Log, OnDrop, hold, virtual_time, wait_until_asleep, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

/// A place for a delayed call that its own closure, or another's, can look into.
type Place = Rc<RefCell<Option<DelayedCall>>>;

fn note<T: Clone>(log: &Log<T>, entry: T) -> impl FnOnce(&Reactor) + use<T> {
    let log = log.clone();
    move |_| log.note(entry)
}

// Checks: B15
#[test]
fn a_delayed_call_runs_when_its_time_has_come_and_not_before() {
    let (reactor, clock, _) = virtual_time();
    let log = Log::new();
    let _ = reactor.call_later(SECOND, note(&log, "ran"));
    clock.advance(SECOND - Duration::from_nanos(1));
    assert_eq!(reactor.turn(), Ok(Turn::Wait(Duration::from_nanos(1))));
    assert_eq!(log.len(), 0);
    clock.advance(Duration::from_nanos(1));
    reactor.turn().unwrap();
    assert_eq!(log, ["ran"]);
}

// Checks: B15, P4
#[test]
fn a_loop_sleeps_until_its_timer_is_due() {
    let turns = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&turns);
    let counts = move |_: &Reactor, _| {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let reactor = Reactor::builder().around_turns(counts).build().unwrap();
    let _ = reactor.call_later(SECOND / 10, |reactor| reactor.stop().unwrap());
    reactor.run();
    // One that does not sleep turns thousands of times.
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns < 100, "{turns} turns, calls and timers");
}

// Checks: B15
#[test]
fn dropping_the_handle_of_a_delayed_call_does_not_cancel_it() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    drop(reactor.call_later(Duration::ZERO, note(&log, "ran")));
    reactor.turn().unwrap();
    assert_eq!(log, ["ran"]);
}

// Checks: B15
#[test]
fn a_call_added_by_a_running_timer_waits_for_the_next_pass() {
    fn again(log: Log<&'static str>) -> Box<dyn FnOnce(&Reactor)> {
        Box::new(move |reactor: &Reactor| {
            log.note("ran");
            let _ = reactor.call_later(Duration::ZERO, again(log));
        })
    }
    with_watchdog(|| {
        let (reactor, _, _) = virtual_time();
        let log = Log::new();
        let _ = reactor.call_later(Duration::ZERO, again(log.clone()));
        for turns in 1..4 {
            assert_eq!(reactor.turn(), Ok(Turn::Again));
            assert_eq!(log.len(), turns);
        }
    });
}

// Checks: B5, B18
#[test]
fn a_timer_that_another_puts_off_holds_up_nobody() {
    let (reactor, clock, _) = virtual_time();
    let (place, log) = (Place::default(), Log::new());
    let put_off = Rc::clone(&place);
    let _ = reactor.call_later(SECOND, move |_| put_off.borrow().as_ref().unwrap().delay(Duration::ZERO).unwrap());
    place.replace(Some(reactor.call_later(2 * SECOND, note(&log, "put off"))));
    let _ = reactor.call_later(3 * SECOND, note(&log, "another"));
    clock.advance(3 * SECOND);
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    assert_eq!(log, ["another"]);
    reactor.turn().unwrap();
    assert_eq!(log, ["another", "put off"]);
}

// Checks: B15
#[test]
fn the_time_is_sampled_once_a_pass() {
    let (reactor, clock, _) = virtual_time();
    let (log, hands) = (Log::new(), clock.clone());
    let slow = log.clone();
    let _ = reactor.call_later(SECOND, move |_| {
        hands.advance(10 * SECOND);
        slow.note("a slow one");
    });
    let _ = reactor.call_later(2 * SECOND, note(&log, "the next"));
    clock.advance(SECOND);
    // Only the first is due when the pass begins; that it takes so long changes nothing.
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    assert_eq!(log, ["a slow one"]);
}

// Checks: B16, P86
#[test]
fn what_is_never_due_does_not_run_even_at_the_end_of_time() {
    let (reactor, clock, _) = virtual_time();
    clock.advance(SECOND);
    let call = reactor.call_later(Duration::MAX, |_| ());
    assert_eq!(call.time(), Duration::MAX);
    call.delay(Duration::MAX).unwrap();
    call.reset(Duration::MAX).unwrap();
    call.delay(SECOND).unwrap();
    // Too long for the clock: the same.
    let beyond = reactor.call_later(Duration::MAX - SECOND, |_| ());
    assert_eq!((call.time(), beyond.time()), (Duration::MAX, Duration::MAX));
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    assert_eq!(reactor.advance(Duration::MAX), Ok(Turn::Idle));
    assert_eq!((clock.now(), reactor.delayed_calls()), (Duration::MAX - Duration::from_nanos(1), 2));
    assert!(call.is_active());
    // Never is not for ever: it may be moved, and the end of time is a time like any other.
    call.reset(Duration::ZERO).unwrap();
    reactor.turn().unwrap();
    assert!(!call.is_active());
    assert!(reactor.call_later(Duration::from_nanos(1), |_| ()).is_active());
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
}

// Checks: P86
#[test]
fn a_sleep_a_timeout_and_a_late_call_that_never_come_are_still_waited_for_at_the_end_of_time() {
    let (reactor, _, _) = virtual_time();
    let (never, resolver) = Deferred::<()>::new();
    let limited = never.add_timeout(&reactor, Duration::MAX);
    let asleep = reactor.sleep(Duration::MAX);
    let late = defer_later(&reactor, Duration::MAX, |_| ());
    reactor.pump([SECOND, Duration::MAX, Duration::MAX]).unwrap();
    assert_eq!(reactor.delayed_calls(), 3);
    resolver.callback(());
    assert!(limited.try_result().is_ok_and(|result| result.is_ok()));
    for waiting in [asleep, late] {
        let waiting = waiting.try_result().unwrap_err().add_errback(|_| ());
        waiting.cancel();
    }
    assert_eq!(reactor.delayed_calls(), 0);
}

// Checks: B18, P85
#[test]
fn many_overdue_timers_that_are_put_off_again_and_again_run_in_the_pass_after_the_last() {
    with_watchdog(|| {
        const TIMERS: usize = 16_000;
        let (reactor, clock, _) = virtual_time();
        let calls: Rc<RefCell<Vec<DelayedCall>>> = Rc::default();
        let log = Log::new();
        let ran = log.clone();
        let all = Rc::clone(&calls);
        let _ = reactor.call_later(Duration::ZERO, move |_| {
            all.borrow().iter().for_each(|call| call.delay(Duration::ZERO).unwrap());
        });
        for number in 0..TIMERS {
            let ran = ran.clone();
            calls.borrow_mut().push(reactor.call_later(SECOND, move |_| ran.note(number)));
            // Not put off, and not held up.
            let _ = reactor.call_later(2 * SECOND, |_| ());
        }
        clock.advance(2 * SECOND);
        assert_eq!(reactor.turn(), Ok(Turn::Again));
        assert_eq!((log.len(), reactor.delayed_calls()), (0, TIMERS));
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        assert_eq!(log.entries(), (0..TIMERS).collect::<Vec<_>>());
    });
}

// Checks: B16
#[test]
fn a_loop_that_waits_for_the_end_of_time_can_still_be_woken() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let call = reactor.call_later(Duration::MAX, |_| ());
        let waker = thread::spawn(move || {
            wait_until_asleep(&handle);
            handle.stop();
        });
        reactor.run();
        waker.join().unwrap();
        assert!(!call.is_active());
    });
}

// Checks: B17
#[test]
fn a_cancelled_call_does_not_run_and_what_it_captured_is_dropped_at_once() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let (ran, captured) = (log.clone(), log.when_dropped("dropped"));
    let call = reactor.call_later(Duration::ZERO, move |_| {
        hold(&captured);
        ran.note("ran");
    });
    call.cancel().unwrap();
    assert_eq!(log, ["dropped"]);
    reactor.turn().unwrap();
    assert_eq!(log, ["dropped"]);
}

// Checks: B17
#[test]
fn what_was_cancelled_or_called_cannot_be_cancelled_again() {
    let (reactor, _, _) = virtual_time();
    let call = reactor.call_later(SECOND, |_| ());
    call.cancel().unwrap();
    assert_eq!(call.cancel(), Err(DelayedCallError::AlreadyCancelled));
    let call = reactor.call_later(Duration::ZERO, |_| ());
    reactor.turn().unwrap();
    assert_eq!(call.cancel(), Err(DelayedCallError::AlreadyCalled));
}

// Checks: B17, B18
#[test]
fn inside_its_own_call_a_delayed_call_counts_as_called() {
    let (reactor, _, _) = virtual_time();
    let (place, log) = (Place::default(), Log::new());
    let (own, seen) = (Rc::clone(&place), log.clone());
    let call = reactor.call_later(Duration::ZERO, move |_| {
        let call = own.borrow();
        let call = call.as_ref().unwrap();
        seen.note(call.cancel());
        seen.note(call.reset(SECOND));
        seen.note(call.delay(SECOND));
        assert!(!call.is_active());
    });
    place.replace(Some(call));
    reactor.turn().unwrap();
    let called = Err(DelayedCallError::AlreadyCalled);
    assert_eq!(log, [called, called, called]);
}

// Checks: B17
#[test]
fn a_timer_may_cancel_another_that_is_due_in_the_same_pass() {
    let (reactor, _, _) = virtual_time();
    let (place, log) = (Place::default(), Log::new());
    let other = Rc::clone(&place);
    let _ = reactor.call_later(Duration::ZERO, move |_| other.borrow().as_ref().unwrap().cancel().unwrap());
    place.replace(Some(reactor.call_later(Duration::ZERO, note(&log, "ran"))));
    reactor.turn().unwrap();
    assert_eq!(log.len(), 0);
}

// Checks: B18
#[test]
fn reset_counts_from_now_and_delay_from_the_time_it_was_scheduled_for() {
    let (reactor, clock, _) = virtual_time();
    let call = reactor.call_later(5 * SECOND, |_| ());
    clock.advance(2 * SECOND);
    assert_eq!(call.time(), 5 * SECOND);
    call.delay(SECOND).unwrap();
    assert_eq!(call.time(), 6 * SECOND);
    call.reset(SECOND).unwrap();
    assert_eq!(call.time(), 3 * SECOND);
    assert!(call.is_active());
    clock.advance(SECOND);
    reactor.turn().unwrap();
    assert!(!call.is_active());
    assert_eq!(call.time(), 3 * SECOND);
}

// Checks: B18
#[test]
fn what_was_cancelled_or_called_cannot_be_put_off() {
    let (reactor, _, _) = virtual_time();
    let cancelled = reactor.call_later(SECOND, |_| ());
    cancelled.cancel().unwrap();
    let called = reactor.call_later(Duration::ZERO, |_| ());
    reactor.turn().unwrap();
    for (call, error) in [(cancelled, DelayedCallError::AlreadyCancelled), (called, DelayedCallError::AlreadyCalled)] {
        assert_eq!(call.reset(SECOND), Err(error));
        assert_eq!(call.delay(SECOND), Err(error));
        assert!(!call.is_active());
    }
}

// Checks: B18
#[test]
fn a_delayed_call_whose_reactor_has_gone_counts_as_cancelled() {
    let (reactor, _, _) = virtual_time();
    let call = reactor.call_later(SECOND, |_| ());
    drop(reactor);
    assert!(!call.is_active());
    assert_eq!(call.cancel(), Err(DelayedCallError::AlreadyCancelled));
    assert_eq!(call.reset(SECOND), Err(DelayedCallError::AlreadyCancelled));
}

// Checks: B19
#[test]
fn a_timer_that_panics_is_reported_and_the_others_run() {
    let (reactor, _, reports) = virtual_time();
    let log = Log::new();
    let _ = reactor.call_later(Duration::ZERO, |_| panic!("a timer"));
    let _ = reactor.call_later(Duration::ZERO, note(&log, "ran"));
    reactor.turn().unwrap();
    assert_eq!(log, ["ran"]);
    assert_eq!(reports, [Incident::Timer]);
}

// Checks: B17, B18
#[test]
fn while_a_reactor_is_dropped_its_timers_are_cancelled() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let second = Rc::new(reactor.call_later(2 * SECOND, |_| ()));
    let (other, told) = (Rc::clone(&second), log.clone());
    let capture = OnDrop::new(move || {
        told.note((other.reset(SECOND), other.delay(SECOND), other.cancel(), other.is_active(), other.time()));
    });
    let _ = reactor.call_later(SECOND, move |_| drop(capture));
    drop(reactor);
    let cancelled = Err(DelayedCallError::AlreadyCancelled);
    assert_eq!(log, [(cancelled, cancelled, cancelled, false, 2 * SECOND)]);
}

// Checks: B20
#[test]
fn cancelled_timers_do_not_accumulate() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let kept = reactor.call_later(SECOND, |_| ());
    for number in 1..=10_000 {
        let captured = log.when_dropped(());
        reactor.call_later(SECOND, move |_| drop(captured)).cancel().unwrap();
        assert_eq!((reactor.delayed_calls(), log.len()), (1, number));
    }
    kept.cancel().unwrap();
    assert_eq!(reactor.delayed_calls(), 0);
}

// Checks: B21
#[test]
fn timers_run_in_the_order_of_their_deadlines_and_equal_ones_in_the_order_they_were_added() {
    let (reactor, clock, _) = virtual_time();
    let log = Log::new();
    let added = [(3, "e"), (1, "b"), (3, "f"), (0, "a"), (1, "c"), (2, "d"), (3, "g")];
    for (seconds, entry) in added {
        let _ = reactor.call_later(seconds * SECOND, note(&log, entry));
    }
    clock.advance(3 * SECOND);
    reactor.turn().unwrap();
    assert_eq!(log, ["a", "b", "c", "d", "e", "f", "g"]);
}

// Checks: B18, B21
#[test]
fn among_equal_deadlines_one_that_was_put_off_comes_last() {
    let (reactor, clock, _) = virtual_time();
    let log = Log::new();
    let first = reactor.call_later(SECOND, note(&log, "first"));
    let second = reactor.call_later(SECOND, note(&log, "second"));
    let _ = reactor.call_later(2 * SECOND, note(&log, "third"));
    first.reset(2 * SECOND).unwrap();
    second.delay(SECOND).unwrap();
    clock.advance(2 * SECOND);
    reactor.turn().unwrap();
    assert_eq!(log, ["third", "first", "second"]);
}

// Checks: B21
#[test]
fn the_clock_never_goes_back() {
    let reactor = Reactor::new();
    let samples: Vec<_> = (0..10_000).map(|_| reactor.now()).collect();
    assert!(samples.is_sorted());
}

// Checks: B21, P8
#[test]
fn a_reactor_that_runs_on_virtual_time_jumps_from_deadline_to_deadline() {
    with_watchdog(|| {
        let (reactor, clock, _) = virtual_time();
        let log = Log::new();
        for years in [3, 1, 2] {
            let log = log.clone();
            let _ = reactor.call_later(years * 365 * 86_400 * SECOND, move |reactor| {
                log.note((years, reactor.now().as_secs() / 86_400));
                if years == 3 {
                    reactor.stop().unwrap();
                }
            });
        }
        reactor.run();
        assert_eq!(log, [(1, 365), (2, 730), (3, 1095)]);
        assert_eq!(clock.now().as_secs() / 86_400, 1095);
    });
}
