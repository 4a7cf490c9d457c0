//! Twisted's `test_task` and `test_cooperator`, name for name.
//!
//! Cases that cannot be written with these types: `bad_delay` (a Duration is never negative),
//! `with_count_interval_zero_delay_then_non_zero_interval` (the interval is fixed at the start), `repr_function` and
//! `repr_method` (closures have no names), `default_clock`, `provides_i_reactor_time` and `alias_cooperate` (there is
//! no global reactor), `deferred_deprecation`. `react` is `Reactor::run`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use selvedge::task::{CooperativeTask, Cooperator, LoopingCall, defer_later};
use selvedge::{
    Deferred, DelayedCall, Reactor, Resolver,
    error::{Cancelled, DelayedCallError, LoopingCallError, TaskFinished},
    reactor::Turn,
    testing::VirtualClock,
};

use crate::support::{Log, with_watchdog};
use crate::trial::{failure, no_result, success};

/// A tenth of a second.
const TENTH: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct TestException;

impl std::error::Error for TestException {}

impl fmt::Display for TestException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("test")
    }
}

/// Twisted's `task.Clock`.
fn clock() -> Reactor {
    Reactor::builder().clock(VirtualClock::new()).build().unwrap()
}

/// The same, and its time, which callbacks can advance.
fn clock_and_time() -> (Reactor, VirtualClock) {
    let time = VirtualClock::new();
    (Reactor::builder().clock(time.clone()).build().unwrap(), time)
}

fn noting<T: Clone + 'static>(log: &Log<T>, entry: T) -> impl FnOnce(&Reactor) + use<T> {
    let log = log.clone();
    move |_| log.note(entry)
}

mod clock {
    use super::*;

    // Checks: B65
    #[test]
    fn seconds() {
        assert_eq!(clock().now(), Duration::ZERO);
    }

    // Checks: B65
    #[test]
    fn call_later() {
        let clock = clock();
        let call = clock.call_later(SECOND, |_| ());
        assert_eq!(call.time(), SECOND);
        assert!(call.is_active());
    }

    // Checks: B17, B65
    #[test]
    fn call_later_cancelled() {
        let clock = clock();
        let call = clock.call_later(SECOND, |_| ());
        call.cancel().unwrap();
        assert_eq!(clock.delayed_calls(), 0);
    }

    // Checks: B21, B65
    #[test]
    fn call_later_ordering() {
        let (clock, log) = (clock(), Log::new());
        for (delay, name) in [(10, "first"), (10, "second"), (5, "before both")] {
            let _ = clock.call_later(Duration::from_secs(delay), noting(&log, name));
        }
        clock.advance(10 * SECOND).unwrap();
        assert_eq!(log, ["before both", "first", "second"]);
    }

    // Checks: B65
    #[test]
    fn advance() {
        let (clock, log) = (clock(), Log::new());
        let _ = clock.call_later(SECOND, noting(&log, ()));
        assert_eq!(clock.advance(SECOND / 2), Ok(Turn::Wait(SECOND / 2)));
        assert_eq!(log.len(), 0);
        assert_eq!(clock.advance(SECOND / 2), Ok(Turn::Idle));
        assert_eq!(log.len(), 1);
        clock.advance(2 * SECOND).unwrap();
        assert_eq!(log.len(), 1);
    }

    // Checks: B17, B65
    #[test]
    fn advance_cancel() {
        let clock = clock();
        let place: Rc<RefCell<Option<DelayedCall>>> = Rc::default();
        let (own, said) = (Rc::clone(&place), Log::new());
        let says = said.clone();
        *place.borrow_mut() =
            Some(clock.call_later(SECOND, move |_| says.note(own.borrow().as_ref().unwrap().cancel())));
        clock.advance(SECOND).unwrap();
        assert_eq!(said, [Err(DelayedCallError::AlreadyCalled)]);
    }

    // Checks: B18, B65
    #[test]
    fn call_later_delayed() {
        let (clock, log) = (clock(), Log::new());
        let call = clock.call_later(SECOND, noting(&log, ()));
        call.delay(8 * SECOND).unwrap();
        assert_eq!(call.time(), 9 * SECOND);
        clock.advance(8 * SECOND).unwrap();
        assert_eq!(log.len(), 0);
        clock.advance(SECOND).unwrap();
        assert_eq!(log.len(), 1);
    }

    // Checks: B18, B65
    #[test]
    fn call_later_reset_later_and_sooner() {
        for (delay, reset, runs_at) in [(2, 3, 4), (4, 3, 4), (9, 1, 2)] {
            let (clock, log) = (clock(), Log::new());
            let call = clock.call_later(delay * SECOND, noting(&log, ()));
            clock.advance(SECOND).unwrap();
            call.reset(reset * SECOND).unwrap();
            assert_eq!(call.time(), runs_at * SECOND);
            clock.advance(call.time() - clock.now() - Duration::from_nanos(1)).unwrap();
            assert_eq!(log.len(), 0);
            clock.advance(Duration::from_nanos(1)).unwrap();
            assert_eq!(log.len(), 1);
        }
    }

    // Checks: B65
    #[test]
    fn get_delayed_calls() {
        let clock = clock();
        assert_eq!(clock.delayed_calls(), 0);
        let _ = clock.call_later(SECOND, |_| ());
        let _ = clock.call_later(2 * SECOND, |_| ());
        assert_eq!(clock.delayed_calls(), 2);
        clock.advance(SECOND).unwrap();
        assert_eq!(clock.delayed_calls(), 1);
    }

    // Checks: B18, B65
    #[test]
    fn call_later_reset_keeps_calls_ordered() {
        let (clock, log) = (clock(), Log::new());
        let calls = [3, 2, 1].map(|n| clock.call_later(n * SECOND, noting(&log, n)));
        calls[1].reset(4 * SECOND).unwrap();
        clock.advance(4 * SECOND).unwrap();
        assert_eq!(log, [1, 3, 2]);
    }

    // Checks: B18, B65
    #[test]
    fn call_later_reset_inside_call_keeps_calls_ordered() {
        let (clock, log) = (clock(), Log::new());
        let second = clock.call_later(2 * SECOND, noting(&log, "put off"));
        let _ = clock.call_later(SECOND, move |_| second.reset(3 * SECOND).unwrap());
        let _ = clock.call_later(3 * SECOND, noting(&log, "kept"));
        clock.pump([SECOND; 4]).unwrap();
        assert_eq!(log, ["kept", "put off"]);
    }
}

mod looping {
    use super::*;

    /// A loop that notes the time of each call, and then lets some of it pass.
    fn noting_times(time: &VirtualClock, takes: &Rc<Cell<Duration>>) -> (LoopingCall, Log<Duration>) {
        let (log, time, takes) = (Log::new(), time.clone(), Rc::clone(takes));
        let times = log.clone();
        let looping = LoopingCall::new(move |tick| {
            times.note(tick.reactor().now());
            time.advance(takes.get());
        });
        (looping, log)
    }

    // Checks: B67
    #[test]
    fn callback_time_skips() {
        let (clock, time) = clock_and_time();
        let takes = Rc::new(Cell::new(2 * SECOND));
        let (looping, times) = noting_times(&time, &takes);
        let _ended = looping.start(&clock, SECOND / 2).unwrap();
        assert_eq!(times, [Duration::ZERO]);
        clock.advance(Duration::ZERO).unwrap();
        assert_eq!(times.len(), 1, "what would have been at 2 is the present, and is skipped");
        takes.set(SECOND);
        clock.advance(SECOND / 2).unwrap();
        assert_eq!(times, [0, 25].map(|tenths| TENTH * tenths));
        clock.advance(Duration::ZERO).unwrap();
        takes.set(Duration::ZERO);
        clock.advance(SECOND / 2).unwrap();
        assert_eq!(times, [0, 25, 40].map(|tenths| TENTH * tenths));
    }

    // Checks: B67
    #[test]
    fn reactor_time_skips() {
        let (clock, time) = clock_and_time();
        let (looping, times) = noting_times(&time, &Rc::default());
        let _ended = looping.start(&clock, SECOND / 2).unwrap();
        clock.pump([2 * SECOND, SECOND, Duration::ZERO]).unwrap();
        assert_eq!(times, [0, 2, 3].map(Duration::from_secs));
    }

    fn counting() -> (LoopingCall, Log<(Duration, u64)>) {
        let log = Log::new();
        let times = log.clone();
        (LoopingCall::with_count(move |tick, count| times.note((tick.reactor().now(), count))), log)
    }

    // Checks: B67
    #[test]
    fn reactor_time_count_skips() {
        let (clock, (looping, times)) = (clock(), counting());
        let _ended = looping.start(&clock, SECOND / 2).unwrap();
        clock.pump([2 * SECOND, SECOND, Duration::ZERO]).unwrap();
        assert_eq!(times, [(Duration::ZERO, 1), (2 * SECOND, 4), (3 * SECOND, 2)]);
    }

    // Checks: B67
    #[test]
    fn count_lengthy_interval_counts() {
        let (clock, (looping, times)) = (clock(), counting());
        let (interval, late) = (SECOND / 2, SECOND / 100);
        let _ended = looping.start(&clock, interval).unwrap();
        clock.pump([interval + late, interval * 7 / 4, interval / 4]).unwrap();
        let counts: Vec<u64> = times.entries().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 1, 1, 1]);
    }

    // Checks: B67
    #[test]
    fn with_count_floating_point_boundary() {
        let (clock, (looping, times)) = (clock(), counting());
        // A third of a second is no whole number of nanoseconds: ticks fall short of thirds, and all are counted.
        let _ended = looping.start_later(&clock, SECOND / 3).unwrap();
        clock.pump([SECOND / 10; 100]).unwrap();
        let counts: Vec<u64> = times.entries().into_iter().map(|(_, count)| count).collect();
        assert_eq!((counts.iter().sum::<u64>(), counts.contains(&0)), (30, false));
    }

    // Checks: B67
    #[test]
    fn with_count_interval_zero() {
        let (clock, log) = (clock(), Log::new());
        let counts = log.clone();
        let looping = LoopingCall::with_count(move |tick, count| {
            counts.note(count);
            if counts.len() > 4 {
                tick.stop().unwrap();
            }
        });
        let ended = looping.start_later(&clock, Duration::ZERO).unwrap();
        for turns in 1..=5 {
            clock.turn().unwrap();
            assert_eq!(log.len(), turns, "once in every turn");
        }
        success(ended);
        assert_eq!(log, [1; 5]);
    }

    // Checks: B67
    #[test]
    fn with_count_interval_zero_delay() {
        let (clock, log) = (clock(), Log::new());
        let (deferred, resolver) = Deferred::<()>::new();
        let (counts, place) = (log.clone(), Cell::new(Some(deferred)));
        let looping = LoopingCall::with_count(move |tick, count| {
            counts.note(count);
            if counts.len() > 4 {
                tick.stop().unwrap();
            }
            if counts.len() == 2 { place.take().unwrap() } else { Deferred::succeed(()) }
        });
        let _ended = looping.start_later(&clock, Duration::ZERO).unwrap();
        clock.pump([SECOND; 4]).unwrap();
        assert_eq!(log, [1; 2]);
        resolver.callback(());
        clock.advance(Duration::ZERO).unwrap();
        assert_eq!(log, [1; 5]);
    }

    // Checks: B67
    #[test]
    fn basic_function() {
        let (clock, log) = (clock(), Log::new());
        let calls = log.clone();
        let looping = LoopingCall::new(move |_| calls.note(()));
        let ended = looping.start(&clock, SECOND).unwrap();
        clock.pump([SECOND / 20, SECOND, SECOND]).unwrap();
        assert_eq!(log.len(), 3);
        looping.stop().unwrap();
        success(ended);
        assert_eq!(clock.delayed_calls(), 0);
        clock.pump([SECOND; 3]).unwrap();
        assert_eq!(
            (log.len(), looping.stop(), looping.reset()),
            (3, Err(LoopingCallError::NotRunning), Err(LoopingCallError::NotRunning))
        );
    }

    // Checks: B67
    #[test]
    fn delayed_start() {
        let (clock, log) = (clock(), Log::new());
        let calls = log.clone();
        let looping = LoopingCall::new(move |_| calls.note(()));
        let ended = looping.start_later(&clock, SECOND).unwrap();
        assert_eq!(log.len(), 0);
        clock.pump([SECOND / 20, SECOND, SECOND]).unwrap();
        assert_eq!(log.len(), 2);
        looping.stop().unwrap();
        success(ended);
    }

    fn stopping_test(interval: Duration) {
        let (clock, log) = (clock(), Log::new());
        let calls = log.clone();
        let looping = LoopingCall::new(move |_| calls.note(()));
        let ended = looping.start_later(&clock, interval).unwrap();
        looping.stop().unwrap();
        success(ended);
        clock.advance(interval).unwrap();
        assert_eq!((log.len(), clock.delayed_calls()), (0, 0));
    }

    // Checks: B67
    #[test]
    fn stop_at_once() {
        stopping_test(Duration::ZERO);
    }

    // Checks: B67
    #[test]
    fn stopping_before_delayed_start() {
        stopping_test(10 * SECOND);
    }

    // Checks: B67
    #[test]
    fn reset() {
        let (clock, log) = (clock(), Log::new());
        let calls = log.clone();
        let looping = LoopingCall::new(move |_| calls.note(()));
        let _ended = looping.start_later(&clock, 2 * SECOND).unwrap();
        clock.advance(SECOND).unwrap();
        looping.reset().unwrap();
        clock.advance(SECOND).unwrap();
        assert_eq!(log.len(), 0);
        clock.advance(SECOND).unwrap();
        assert_eq!(log.len(), 1);
    }

    // Checks: B67
    #[test]
    fn fails() {
        let looping = LoopingCall::new(|_| Err::<(), _>(TestException));
        assert!(failure(looping.start(&clock(), TENTH).unwrap()).is::<TestException>());
        assert!(!looping.is_running());
    }

    // Checks: B67
    #[test]
    fn fail_and_stop() {
        let looping = LoopingCall::new(|tick| {
            tick.stop().unwrap();
            Err::<(), _>(TestException)
        });
        assert!(failure(looping.start(&clock(), TENTH).unwrap()).is::<TestException>());
    }

    // Checks: B67
    #[test]
    fn every_iteration() {
        with_watchdog(|| {
            let (reactor, log) = (Reactor::new(), Log::new());
            let calls = log.clone();
            let looping = LoopingCall::new(move |tick| {
                calls.note(());
                if calls.len() > 5 {
                    tick.stop().unwrap();
                }
            });
            let local = reactor.local();
            let ended = looping.start(&reactor, Duration::ZERO).unwrap();
            ended.add_callback(move |()| local.with(|reactor| reactor.stop().unwrap()));
            reactor.run();
            assert_eq!(log.len(), 6);
        });
    }

    // Checks: B67
    #[test]
    fn stop_at_once_later() {
        with_watchdog(|| {
            let (reactor, log) = (Reactor::new(), Log::new());
            let calls = log.clone();
            let looping = LoopingCall::new(move |_| calls.note(()));
            let ended = looping.start_later(&reactor, Duration::from_secs(3600)).unwrap();
            // Due before the first call, however long this thread is held up here.
            let _ = reactor.call_later(Duration::ZERO, move |_| looping.stop().unwrap());
            let _ = reactor.call_later(Duration::from_millis(5), |reactor| reactor.stop().unwrap());
            reactor.run();
            success(ended);
            assert_eq!(log.len(), 0);
        });
    }

    // Checks: B67
    #[test]
    fn wait_deferred() {
        let clock = clock();
        let looping = LoopingCall::new(|tick| {
            let (deferred, resolver) = Deferred::<()>::new();
            let _ = tick.reactor().call_later(SECOND, move |_| resolver.callback(()));
            let looping = tick.looping_call();
            deferred.add_callback(move |()| looping.stop())
        });
        let ended = looping.start(&clock, SECOND / 5).unwrap();
        clock.pump([SECOND / 5, SECOND * 4 / 5]).unwrap();
        success(ended);
        assert_eq!(clock.delayed_calls(), 0);
    }

    // Checks: B67
    #[test]
    fn failure_propagation() {
        let clock = clock();
        let looping = LoopingCall::new(|tick| {
            let (deferred, resolver) = Deferred::<()>::new();
            let _ = tick.reactor().call_later(TENTH * 3, move |_| resolver.errback(TestException));
            deferred
        });
        let ended = looping.start(&clock, SECOND).unwrap();
        clock.advance(TENTH * 3).unwrap();
        assert!(failure(ended).is::<TestException>());
        assert_eq!(clock.delayed_calls(), 0);
    }

    // Checks: B67
    #[test]
    fn deferred_with_count() {
        let (clock, log) = (clock(), Log::new());
        let (deferred, resolver) = Deferred::<()>::new();
        let (counts, place) = (log.clone(), Cell::new(Some(deferred)));
        let looping = LoopingCall::with_count(move |_, count| {
            counts.note(count);
            place.take().unwrap_or_else(|| Deferred::succeed(()))
        });
        let _ended = looping.start_later(&clock, TENTH * 2).unwrap();
        clock.pump([TENTH * 2, TENTH * 4]).unwrap();
        assert_eq!(log, [1]);
        resolver.callback(());
        clock.advance(TENTH * 2).unwrap();
        assert_eq!(log, [1, 3]);
    }
}

mod deferred_later {
    use super::*;

    // Checks: B66
    #[test]
    fn callback() {
        let (clock, log) = (clock(), Log::new());
        let calls = log.clone();
        let later = defer_later(&clock, 3 * SECOND, move |_| {
            calls.note("called");
            "result"
        });
        clock.advance(SECOND).unwrap();
        assert_eq!(log.len(), 0);
        clock.advance(2 * SECOND).unwrap();
        assert_eq!(success(later), "result");
        assert_eq!(log, ["called"]);
    }

    // Checks: B66
    #[test]
    fn errback() {
        let clock = clock();
        let later = defer_later(&clock, Duration::ZERO, |_| Err::<(), _>(TestException));
        clock.advance(Duration::ZERO).unwrap();
        assert!(failure(later).is::<TestException>());
    }

    // Checks: B66
    #[test]
    fn cancel() {
        let clock = clock();
        let later = defer_later(&clock, Duration::ZERO, |_| ());
        later.cancel();
        assert_eq!(clock.delayed_calls(), 0);
        assert!(failure(later).is::<Cancelled>());
    }

    // Checks: B66
    #[test]
    fn no_callback() {
        let clock = clock();
        let later = no_result(defer_later(&clock, SECOND, |_| ()));
        clock.advance(SECOND).unwrap();
        success(later);
    }
}

mod cooperator {
    use super::*;

    /// A cooperator whose ticks are one step long, because Twisted's tests call its scheduler for one step at a time.
    fn one_at_a_time(clock: &Reactor) -> Cooperator {
        Cooperator::builder().termination(|| || true).build(clock)
    }

    /// An iterator that never ends.
    fn endless() -> impl Iterator<Item = ()> {
        std::iter::repeat(())
    }

    // Checks: B68
    #[test]
    fn stopped_rejects_new_tasks() {
        let clock = clock();
        let cooperator = Cooperator::new(&clock);
        cooperator.stop();
        let failed = failure(cooperator.coiterate(endless()));
        assert_eq!(failed.downcast::<TaskFinished>().unwrap(), TaskFinished::SchedulerStopped);
        assert_eq!(clock.delayed_calls(), 0);
    }

    // Checks: B68
    #[test]
    fn stop_running() {
        let clock = clock();
        let cooperator = one_at_a_time(&clock);
        let log = Log::new();
        let steps = log.clone();
        let done = cooperator.coiterate(endless().inspect(move |()| steps.note(())));
        clock.turn().unwrap();
        clock.turn().unwrap();
        cooperator.stop();
        assert_eq!(failure(done).downcast::<TaskFinished>().unwrap(), TaskFinished::SchedulerStopped);
        clock.advance(SECOND).unwrap();
        assert_eq!(log.len(), 2);
    }

    // Checks: B68
    #[test]
    fn stop_outstanding() {
        let clock = clock();
        let cooperator = Cooperator::new(&clock);
        let (waited_for, resolver) = Deferred::<()>::new();
        let done = cooperator.coiterate([waited_for]);
        clock.turn().unwrap();
        cooperator.stop();
        // In Twisted it fails only when the Deferred that it waits for has fired.
        assert_eq!(failure(done).downcast::<TaskFinished>().unwrap(), TaskFinished::SchedulerStopped);
        assert!(resolver.is_cancelled());
    }

    // Checks: B68
    #[test]
    fn unexpected_error() {
        let clock = clock();
        let panics = Cooperator::new(&clock)
            .coiterate(std::iter::from_fn(|| -> Option<()> { std::panic::resume_unwind(Box::new("planned")) }));
        clock.turn().unwrap();
        assert!(failure(panics).is_panic());
    }

    // Checks: B68
    #[test]
    fn unexpected_error_actually_later() {
        let clock = clock();
        let (waited_for, resolver) = Deferred::<()>::new();
        let fails = Cooperator::new(&clock).coiterate([waited_for]);
        clock.turn().unwrap();
        let fails = no_result(fails);
        resolver.errback(TestException);
        assert!(failure(fails).is::<TestException>());
    }

    // Checks: B68
    #[test]
    fn unexpected_error_not_actually_later() {
        let clock = clock();
        let fails = Cooperator::new(&clock).coiterate([Deferred::<()>::fail(TestException)]);
        clock.turn().unwrap();
        assert!(failure(fails).is::<TestException>());
    }

    // Checks: B68
    #[test]
    fn cooperation() {
        let (clock, log) = (clock(), Log::new());
        let cooperator = Cooperator::new(&clock);
        let dones = ["a", "b", "c"].map(|name| {
            let log = log.clone();
            cooperator.coiterate((0..3).map(move |_| log.note(name)))
        });
        clock.advance(Duration::ZERO).unwrap();
        dones.into_iter().for_each(success);
        assert_eq!(log, ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
    }

    // Checks: B68
    #[test]
    fn resource_exhaustion() {
        let (clock, log) = (clock(), Log::new());
        let exhausted = Rc::new(Cell::new(false));
        let (used_up, steps) = (Rc::clone(&exhausted), log.clone());
        let cooperator = Cooperator::builder()
            .termination(move || {
                let exhausted = Rc::clone(&exhausted);
                move || exhausted.get()
            })
            .build(&clock);
        let _done = cooperator.coiterate((0..100).map(move |n| {
            steps.note(n);
            used_up.set(n == 9);
        }));
        clock.turn().unwrap();
        assert_eq!(log.len(), 10);
    }

    // Checks: B68
    #[test]
    fn callback_re_coiterate() {
        let (clock, log) = (clock(), Log::new());
        let cooperator = Cooperator::new(&clock);
        let (again, seen) = (cooperator.clone(), log.clone());
        cooperator.coiterate([()]).add_callback(move |()| {
            seen.note("first");
            let seen = seen.clone();
            again.coiterate([()]).add_callback(move |()| seen.note("second"))
        });
        clock.advance(Duration::ZERO).unwrap();
        assert_eq!(log, ["first", "second"]);
    }

    // Checks: B68
    #[test]
    fn removing_last_task_stops_scheduled_call() {
        let clock = clock();
        let cooperator = Cooperator::new(&clock);
        let tasks = [cooperator.cooperate(endless()), cooperator.cooperate(endless())];
        tasks[0].stop().unwrap();
        assert_eq!(clock.delayed_calls(), 1);
        tasks[1].pause().unwrap();
        assert_eq!(clock.delayed_calls(), 0);
        let _third = cooperator.cooperate(endless());
        assert_eq!(clock.delayed_calls(), 1);
    }

    // Checks: B68
    #[test]
    fn running() {
        let clock = clock();
        assert!(Cooperator::new(&clock).is_running());
        let cooperator = Cooperator::builder().unstarted().build(&clock);
        assert!(!cooperator.is_running());
        let waits = no_result(cooperator.coiterate([()]));
        clock.advance(SECOND).unwrap();
        let waits = no_result(waits);
        cooperator.start();
        assert!(cooperator.is_running());
        clock.advance(Duration::ZERO).unwrap();
        success(waits);
        cooperator.stop();
        assert!(!cooperator.is_running());
    }

    /// A task that notes its steps, and that a test can make wait.
    struct Work {
        clock: Reactor,
        cooperator: Cooperator,
        task: CooperativeTask,
        steps: Log<usize>,
        next: Rc<Cell<Option<Deferred<()>>>>,
    }

    impl Work {
        fn new() -> Self {
            let (clock, steps) = (clock(), Log::new());
            let cooperator = one_at_a_time(&clock);
            let next: Rc<Cell<Option<Deferred<()>>>> = Rc::default();
            let (notes, yields) = (steps.clone(), Rc::clone(&next));
            let task = cooperator.cooperate((0..6).map(move |n| {
                notes.note(n);
                yields.take().unwrap_or_else(|| Deferred::succeed(()))
            }));
            Self { clock, cooperator, task, steps, next }
        }

        fn turn(&self) -> usize {
            self.clock.turn().unwrap();
            self.steps.len()
        }

        /// The next step waits for this to be fired.
        fn wait(&self) -> Resolver<()> {
            let (deferred, resolver) = Deferred::new();
            self.next.set(Some(deferred));
            assert_eq!(self.turn(), 1);
            resolver
        }
    }

    // Checks: B68
    #[test]
    fn pause_resume() {
        let work = Work::new();
        assert_eq!(work.turn(), 1);
        work.task.pause().unwrap();
        assert_eq!((work.turn(), work.turn()), (1, 1));
        work.task.resume().unwrap();
        assert_eq!(work.turn(), 2);
    }

    // Checks: B68
    #[test]
    fn resume_not_paused() {
        let work = Work::new();
        assert!(work.task.resume().is_err());
        work.task.pause().unwrap();
        work.task.resume().unwrap();
        assert!(work.task.resume().is_err());
    }

    // Checks: B68
    #[test]
    fn pause_twice() {
        let work = Work::new();
        work.task.pause().unwrap();
        work.task.pause().unwrap();
        assert_eq!(work.turn(), 0);
        work.task.resume().unwrap();
        assert_eq!(work.turn(), 0);
        work.task.resume().unwrap();
        assert_eq!(work.turn(), 1);
    }

    // Checks: B68
    #[test]
    fn pause_while_deferred() {
        let work = Work::new();
        let resolver = work.wait();
        assert!(work.task.resume().is_err(), "that it waits is no pause");
        work.task.pause().unwrap();
        resolver.callback(());
        assert_eq!(work.turn(), 1);
        work.task.resume().unwrap();
        assert_eq!(work.turn(), 2);
    }

    // Checks: B68
    #[test]
    fn when_done() {
        let work = Work::new();
        let (first, second) = (work.task.when_done(), work.task.when_done());
        (1..=6).for_each(|n| assert_eq!(work.turn(), n));
        let (first, second) = (no_result(first), no_result(second));
        work.turn();
        success(first);
        success(second);
    }

    // Checks: B68
    #[test]
    fn when_done_error() {
        let work = Work::new();
        work.next.set(Some(Deferred::fail(TestException)));
        let (first, second) = (work.task.when_done(), work.task.when_done());
        work.turn();
        assert!(failure(first).is::<TestException>());
        assert_eq!(failure(second).downcast::<TaskFinished>().unwrap(), TaskFinished::Failed);
    }

    // Checks: B68
    #[test]
    fn when_done_stop() {
        let work = Work::new();
        let done = work.task.when_done();
        work.task.stop().unwrap();
        assert_eq!(failure(done).downcast::<TaskFinished>().unwrap(), TaskFinished::Stopped);
    }

    // Checks: B68
    #[test]
    fn when_done_already_done() {
        let work = Work::new();
        while work.turn() < 6 || work.clock.delayed_calls() > 0 {}
        success(work.task.when_done());
    }

    // Checks: B68
    #[test]
    fn stop_stops() {
        let work = Work::new();
        work.task.stop().unwrap();
        assert_eq!(work.turn(), 0);
        assert_eq!((work.task.stop(), work.task.pause()), (Err(TaskFinished::Stopped), Err(TaskFinished::Stopped)));
    }

    // Checks: B68
    #[test]
    fn pause_stop_resume() {
        let work = Work::new();
        work.task.pause().unwrap();
        work.task.stop().unwrap();
        work.task.resume().unwrap();
        assert_eq!((work.turn(), work.clock.delayed_calls()), (0, 0));
    }

    // Checks: B68
    #[test]
    fn stop_deferred() {
        let work = Work::new();
        let resolver = work.wait();
        let done = work.task.when_done();
        work.task.stop().unwrap();
        assert!(resolver.is_cancelled());
        resolver.callback(());
        assert_eq!(work.turn(), 1);
        assert_eq!(failure(done).downcast::<TaskFinished>().unwrap(), TaskFinished::Stopped);
    }

    // Checks: B68
    #[test]
    fn stop_exhausted() {
        let work = Work::new();
        while work.turn() < 6 || work.clock.delayed_calls() > 0 {}
        assert_eq!((work.task.stop(), work.task.pause()), (Err(TaskFinished::Done), Err(TaskFinished::Done)));
    }

    // Checks: B68
    #[test]
    fn stop_errored() {
        let work = Work::new();
        work.next.set(Some(Deferred::fail(TestException)));
        work.turn();
        assert_eq!(work.task.stop(), Err(TaskFinished::Failed));
        assert!(failure(work.task.when_done()).is::<TestException>());
    }

    // Checks: B68
    #[test]
    fn stop_cooperator_reentrancy() {
        let work = Work::new();
        let stop = work.cooperator.clone();
        work.task.when_done().add_errback(move |_| stop.stop());
        let second = work.task.when_done();
        work.task.stop().unwrap();
        assert_eq!(failure(second).downcast::<TaskFinished>().unwrap(), TaskFinished::Stopped);
    }
}
