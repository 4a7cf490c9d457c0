//! Timeouts: which part of a chain they limit, which results they change, and when their timers end.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Reactor, Resolver,
    coordination::DeferredQueue,
    deferred::race,
    error::{Cancelled, FailureGroup, ReactorStopped, TimedOut},
    report::Incident,
    testing::VirtualClock,
};

use crate::support::deferred::{Oops, Own, Trace, error, value};

const TIME: Duration = Duration::from_secs(5);

fn timed() -> (Reactor, VirtualClock) {
    let clock = VirtualClock::new();
    (Reactor::builder().clock(clock.clone()).build().unwrap(), clock)
}

/// Lets this much time pass.
fn pass(reactor: &Reactor, clock: &VirtualClock, time: Duration) {
    clock.advance(time);
    reactor.turn().unwrap();
}

// Checks: B59
#[test]
fn one_that_has_no_result_in_time_is_cancelled_and_fails_with_timed_out() {
    let (reactor, clock) = timed();
    let called = Rc::new(Cell::new(0));
    let count = Rc::clone(&called);
    let (deferred, resolver) = Deferred::<()>::with_canceller(move || count.set(count.get() + 1));
    let deferred = deferred.add_timeout(&reactor, TIME);
    pass(&reactor, &clock, TIME - Duration::from_nanos(1));
    assert_eq!(called.get(), 0);
    pass(&reactor, &clock, Duration::from_nanos(1));
    assert_eq!(called.get(), 1);
    assert_eq!(error(deferred).downcast::<TimedOut>().unwrap(), TimedOut { after: TIME, started: None });
    assert!(resolver.is_cancelled());
}

// Checks: B59
#[test]
fn a_result_in_time_cancels_the_timer_before_anything_behind_it_runs() {
    let (reactor, _) = timed();
    for fails in [false, true] {
        let (deferred, resolver) = Deferred::<u32>::new();
        let local = reactor.local();
        let tail = deferred
            .add_timeout(&reactor, TIME)
            .add_both(move |result| (result.is_ok(), local.with(Reactor::delayed_calls).unwrap()));
        assert_eq!(reactor.delayed_calls(), 1);
        if fails {
            resolver.errback(Oops(1))
        } else {
            resolver.callback(1)
        }
        assert_eq!(value(tail), (!fails, 0));
    }
}

// Checks: B59
#[test]
fn one_that_has_its_result_already_gets_no_timer() {
    let (reactor, _) = timed();
    assert_eq!(value(Deferred::succeed(1).add_timeout(&reactor, TIME)), 1);
    assert_eq!(reactor.delayed_calls(), 0);
}

// Checks: B59
#[test]
fn only_what_was_added_before_is_covered() {
    let (reactor, clock) = timed();
    let (slow, fire_slow) = Deferred::<u32>::new();
    let deferred = Deferred::succeed(()).add_timeout(&reactor, TIME).add_callback(move |()| slow);
    pass(&reactor, &clock, TIME * 2);
    fire_slow.callback(3);
    assert_eq!(value(deferred), 3);

    let (slow, _keep) = Deferred::<u32>::new();
    let deferred = Deferred::succeed(()).add_callback(move |()| slow).add_timeout(&reactor, TIME);
    pass(&reactor, &clock, TIME);
    assert!(error(deferred).is::<TimedOut>());
}

// Checks: B59
#[test]
fn a_cancel_by_the_program_stays_cancelled() {
    let (reactor, clock) = timed();
    let (deferred, _resolver) = Deferred::<()>::new();
    let deferred = deferred.add_timeout(&reactor, TIME);
    deferred.cancel();
    assert_eq!(reactor.delayed_calls(), 0);
    pass(&reactor, &clock, TIME);
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B59, B62
#[test]
fn a_race_all_of_whose_members_the_timeout_cancelled_fails_with_timed_out() {
    let (reactor, clock) = timed();
    let never = || {
        let (member, resolver) = Deferred::<u32>::new();
        std::mem::forget(resolver);
        member
    };
    let nested = race([race([never(), never()]).map(|(_, value)| value), never()]).add_timeout(&reactor, TIME);
    let with_error = race([never(), Deferred::fail(Oops(1))]).add_timeout(&reactor, TIME);
    let at_end = race([never(), never()]).add_timeout(&reactor, 2 * TIME);
    pass(&reactor, &clock, TIME);
    assert!(error(nested).is::<TimedOut>());
    assert!(error(with_error).is::<FailureGroup>());
    drop(reactor);
    assert!(error(at_end).is::<ReactorStopped>());
}

// Checks: B59, B56
#[test]
fn what_a_canceller_or_an_errback_makes_of_the_cancel_is_passed_on() {
    let (reactor, clock) = timed();
    let slot: Rc<Cell<Option<Resolver<u32>>>> = Rc::default();
    let own = Rc::clone(&slot);
    let (deferred, resolver) = Deferred::with_canceller(move || own.take().unwrap().callback(9));
    slot.set(Some(resolver));
    let answered = deferred.add_timeout(&reactor, TIME);
    let (deferred, _keep) = Deferred::<u32>::new();
    let other = deferred.add_errback(|_| Err::<u32, _>(Oops(1))).add_timeout(&reactor, TIME);
    pass(&reactor, &clock, TIME);
    assert_eq!(value(answered), 9);
    assert!(error(other).is::<Oops>());
}

// Checks: B59
#[test]
fn of_two_timeouts_the_one_that_ran_out_says_so_and_the_other_passes_it_on() {
    let (reactor, clock) = timed();
    for (inner, outer) in [(1, 2), (2, 1)] {
        let (deferred, _keep) = Deferred::<()>::new();
        let deferred = deferred
            .add_timeout(&reactor, Duration::from_secs(inner))
            .add_timeout(&reactor, Duration::from_secs(outer));
        pass(&reactor, &clock, Duration::from_secs(1));
        assert_eq!(
            error(deferred).downcast::<TimedOut>().unwrap(),
            TimedOut { after: Duration::from_secs(1), started: None }
        );
        assert_eq!(reactor.delayed_calls(), 0);
    }
}

// Checks: B59
#[test]
fn on_timeout_is_given_what_the_cancel_came_to_and_decides() {
    let (reactor, clock) = timed();
    let (deferred, _keep) = Deferred::<u32>::new();
    let late = deferred.add_timeout_with(&reactor, TIME, |result, after| {
        assert!(result.unwrap_err().is::<Cancelled>());
        after.as_secs() as u32
    });
    let (more, fire_more) = Deferred::new();
    let (deferred, _keep_too) = Deferred::<u32>::new();
    let waits = deferred.add_timeout_with(&reactor, TIME, move |_, _| more);
    let in_time = Deferred::succeed(1).add_timeout_with(&reactor, TIME, |_, _| -> u32 { panic!("in time") });
    pass(&reactor, &clock, TIME);
    assert_eq!((value(late), value(in_time)), (5, 1));
    fire_more.callback(6);
    assert_eq!(value(waits), 6);
}

// Checks: B59, B58
#[test]
fn a_timeout_in_the_middle_of_a_wait_path_cancels_only_what_its_own_chain_waits_for() {
    let (reactor, clock) = timed();
    let trace = Trace::new();
    let noted = trace.clone();
    let (innermost, _keep) = Deferred::<u32>::with_canceller(move || noted.note("innermost"));
    let mut timed_one = Deferred::succeed(()).add_callback(move |()| innermost).add_errback(Err::<u32, Failure>);
    timed_one = timed_one.add_timeout(&reactor, TIME).add_callback(|n| n + 1);
    // Two wait for it: one in a callback, one by its resolver.
    let between = Deferred::succeed(()).add_callback(move |()| timed_one).add_callback(|n| n + 1);
    let (outer, resolver) = Deferred::<u32>::new();
    between.chain_deferred(resolver);
    let outer = outer.add_errback(move |failure| {
        assert!(failure.is::<TimedOut>());
        7
    });
    pass(&reactor, &clock, TIME);
    assert_eq!(trace.seen(), "innermost");
    assert_eq!(value(outer), 7);
}

// Checks: B59
#[test]
fn a_timeout_of_the_innermost_chain_of_a_wait_path_cancels_that() {
    let (reactor, clock) = timed();
    let (inner, _keep) = Deferred::<u32>::new();
    let inner = inner.add_timeout(&reactor, TIME);
    let outer = Deferred::succeed(()).add_callback(move |()| inner);
    pass(&reactor, &clock, TIME);
    assert!(error(outer).is::<TimedOut>());
}

// Checks: B59
#[test]
fn a_deferred_that_nobody_holds_is_timed_out_all_the_same_and_its_timer_keeps_nothing_alive() {
    let (reactor, clock) = timed();
    let trace = Trace::new();
    let noted = trace.clone();
    let (deferred, resolver) = Deferred::<()>::new();
    deferred.add_timeout(&reactor, TIME).add_errback(move |failure| noted.note(failure));
    pass(&reactor, &clock, TIME);
    assert_eq!(trace.seen(), "no result within 5s");
    drop(resolver);

    let held = Rc::new(());
    let inside = Rc::clone(&held);
    let (deferred, resolver) = Deferred::<()>::new();
    deferred.add_timeout(&reactor, TIME).add_both(move |_| drop(inside));
    drop(resolver);
    assert_eq!((Rc::strong_count(&held), reactor.delayed_calls()), (1, 0));
}

// Checks: B59, B53
#[test]
fn one_that_is_paused_with_its_result_keeps_it_however_late_it_is() {
    let (reactor, clock) = timed();
    let deferred = Deferred::succeed(4);
    deferred.pause();
    let deferred = deferred.add_timeout(&reactor, TIME);
    pass(&reactor, &clock, TIME);
    deferred.unpause().unwrap();
    assert_eq!(value(deferred), 4);
}

// Checks: B59, B53
#[test]
fn a_timeout_still_cancels_what_it_covers_after_a_pause_has_ended_by_itself() {
    let (reactor, clock) = timed();
    let (slow, _keep) = Deferred::<u32>::new();
    let (deferred, resolver) = Deferred::new();
    deferred.pause();
    let deferred = deferred.add_callback(move |()| slow).add_timeout(&reactor, TIME).add_callback(|n| n + 1);
    resolver.callback(());
    // Given away paused, so nobody can unpause it, and it goes on at once.
    let outer = Deferred::succeed(()).add_callback(move |()| deferred);
    pass(&reactor, &clock, TIME);
    assert!(error(outer).is::<TimedOut>());
}

// Checks: B59, B13
#[test]
fn the_reactors_end_ends_the_wait_because_the_limit_would_hold_no_more() {
    let (reactor, _) = timed();
    let (deferred, resolver) = Deferred::<u32>::new();
    let deferred = deferred.add_timeout(&reactor, TIME);
    drop(reactor);
    resolver.callback(1);
    assert!(error(deferred).is::<ReactorStopped>());
}

#[derive(Debug)]
struct Caused(Failure);

impl std::error::Error for Caused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.error())
    }
}

impl From<Failure> for Caused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl std::fmt::Display for Caused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("caused")
    }
}

// Checks: B59
#[test]
fn in_a_chain_with_an_error_of_its_own_cancelled_is_found_among_the_sources() {
    let (reactor, clock) = timed();
    let (deferred, _keep) = Deferred::<(), Caused>::typed();
    let deferred = deferred.add_timeout(&reactor, TIME);
    // One whose error does not tell its source cannot be told from any other error.
    let (silent, _keep_too) = Deferred::<(), Own>::typed();
    let silent = silent.add_timeout(&reactor, TIME);
    pass(&reactor, &clock, TIME);
    assert!(deferred.try_result().unwrap().unwrap_err().0.is::<TimedOut>());
    assert!(matches!(silent.try_result(), Ok(Err(Own::Other(failure))) if failure.is::<Cancelled>()));
}

// Checks: B59, B60
#[test]
fn a_timeout_that_nobody_handles_is_reported_once_to_the_reactor_whose_timer_it_was() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let clock = VirtualClock::new();
    let reactor = Reactor::builder()
        .clock(clock.clone())
        .on_report(move |report| sink.lock().unwrap().push((report.incident, report.to_string())))
        .build()
        .unwrap();
    let (deferred, _resolver) = Deferred::<()>::new();
    drop(deferred.add_timeout(&reactor, TIME));
    pass(&reactor, &clock, TIME);
    drop(reactor);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, Incident::Unhandled);
    assert!(told[0].1.contains("no result within 5s") && told[0].1.contains("timeout.rs"), "{}", told[0].1);
}

// Checks: B59, P124
#[test]
fn an_item_that_a_pause_held_beyond_the_time_is_given_to_what_the_program_does_then() {
    let (reactor, clock) = timed();
    let queue = DeferredQueue::<(u32, Option<Duration>)>::new();
    let got = queue.get().unwrap();
    let pause = got.pause_handle();
    pause.pause();
    let late = got.add_timeout_with(&reactor, TIME, |item, after| item.map(|(item, _)| (item, Some(after))));
    queue.put((1, None)).unwrap();
    pass(&reactor, &clock, TIME);
    pause.unpause().unwrap();
    assert_eq!((value(late), queue.len()), ((1, Some(TIME)), 0));
}

// Checks: P90
#[test]
fn what_a_cancel_at_the_reactors_end_has_made_of_a_limited_deferred_is_passed_on_as_it_is() {
    let (reactor, _clock) = timed();
    let (limited, resolver) = Deferred::<u32>::with_firing_canceller(|resolver| resolver.errback(Oops(1)));
    let limited = limited.add_timeout(&reactor, TIME);
    drop(reactor);
    assert_eq!(error(limited).downcast_ref(), Some(&Oops(1)));
    drop(resolver);
}
