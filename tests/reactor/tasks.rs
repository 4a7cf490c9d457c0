//! Looping calls, cooperators and `defer_later` under hostile use: called from their own callbacks, at the reactor's
//! end, and in great number.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use selvedge::task::{CooperativeTask, Cooperator, LoopingCall, defer_later};
use selvedge::{
    Deferred, Reactor, Resolver,
    error::{Abandoned, AdvanceError, Cancelled, LoopingCallError, ReactorStopped, TaskFinished},
    reactor::Turn,
    report::Incident,
    testing::VirtualClock,
};

use crate::support::deferred::{Drops, Oops, Place, Token, error, reports, value};
use crate::support::{Log, MANY, PanicOnDrop, hold, on_a_small_stack, reporting, virtual_time, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

// Checks: B65
#[test]
fn time_moves_first_and_what_is_added_without_delay_runs_in_the_same_advance_behind_all_that_was_due() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    for at in [1, 2] {
        let log = log.clone();
        let _ = reactor.call_later(at * SECOND, move |reactor| {
            log.note((at, reactor.now().as_secs()));
            let _ = reactor.call_later(Duration::ZERO, move |reactor| log.note((10 * at, reactor.now().as_secs())));
        });
    }
    assert_eq!(reactor.advance(5 * SECOND), Ok(Turn::Idle));
    assert_eq!(log, [(1, 5), (2, 5), (10, 5), (20, 5)]);
}

// Checks: B65
#[test]
fn posted_calls_run_in_an_advance_too_and_a_stop_ends_it() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let posted = log.clone();
    reactor
        .call_from_thread(move |reactor| {
            posted.note("posted");
            reactor.stop().unwrap();
        })
        .unwrap();
    let timer = log.clone();
    let _ = reactor.call_later(SECOND, move |_| timer.note("due"));
    while reactor.advance(SECOND).unwrap() != Turn::Ended {}
    assert_eq!(log, ["posted", "due"]);
}

// Checks: B65
#[test]
fn the_time_of_the_world_is_not_advanced_and_no_turn_inside_a_turn() {
    let real = Reactor::new();
    assert_eq!(real.advance(SECOND), Err(AdvanceError::RealClock));
    assert_eq!(real.pump([SECOND]), Err(AdvanceError::RealClock));
    let (reactor, clock, _) = virtual_time();
    let said = Log::new();
    let says = said.clone();
    let _ = reactor.call_later(SECOND, move |reactor| {
        let turned = || -> Result<Turn, AdvanceError> { Ok(reactor.turn()?) };
        says.note((reactor.advance(SECOND), reactor.now()));
        says.note((turned(), reactor.now()));
    });
    reactor.advance(SECOND).unwrap();
    assert_eq!(said, [(Err(AdvanceError::Reentered), SECOND); 2]);
    assert_eq!(clock.now(), SECOND);
    assert_eq!(reactor.pump([]), Ok(Turn::Idle));
}

// Checks: B66
#[test]
fn a_call_later_that_is_cancelled_drops_its_function_at_once_and_one_that_waits_cancels_what_it_waits_for() {
    let (reactor, _, _) = virtual_time();
    let drops = Drops::new();
    let token = drops.token();
    let later = defer_later(&reactor, SECOND, move |_| drop(token));
    later.cancel();
    assert_eq!((drops.count(), reactor.delayed_calls()), (1, 0));
    assert!(error(later).is::<Cancelled>());
    let (slow, resolver) = Deferred::<u32>::new();
    let later = defer_later(&reactor, SECOND, move |_| slow);
    reactor.advance(SECOND).unwrap();
    later.cancel();
    assert!(resolver.is_cancelled());
    assert!(error(later).is::<Cancelled>());
}

// Checks: B57, B66
#[test]
fn a_call_later_that_is_cancelled_in_its_own_function_fails_and_what_that_returns_is_dropped() {
    let (reactor, _, _) = virtual_time();
    let (place, drops): (Place<Deferred<Token>>, _) = (Rc::default(), Drops::new());
    let (own, token) = (Rc::clone(&place), drops.token());
    let later = defer_later(&reactor, SECOND, move |_| {
        own.borrow().as_ref().unwrap().cancel();
        Ok::<_, Oops>(token)
    });
    *place.borrow_mut() = Some(later);
    reactor.advance(SECOND).unwrap();
    assert!(error(place.borrow_mut().take().unwrap().map(drop)).is::<Cancelled>());
    assert_eq!(drops.count(), 1);
}

// Checks: B66, P33, P34
#[test]
fn when_the_reactor_ends_nobody_waits_for_what_it_will_never_do() {
    for run_to_its_end in [true, false] {
        let (reactor, _, reports) = virtual_time();
        let drops = Drops::new();
        let (later_token, loop_token, task_token) = (drops.token(), drops.token(), drops.token());
        let later = defer_later(&reactor, SECOND, move |_| drop(later_token));
        let looping = LoopingCall::new(move |_| hold(&loop_token));
        let ended = looping.start_later(&reactor, SECOND).unwrap();
        let cooperator = Cooperator::builder().slice(Duration::ZERO).build(&reactor);
        let task = cooperator.cooperate(std::iter::repeat(()).inspect(move |()| hold(&task_token)));
        let paused = cooperator.cooperate([()]);
        paused.pause().unwrap();
        let dones = [task.when_done(), task.when_done(), paused.when_done()];
        let late = cooperator.clone();
        if run_to_its_end {
            let _ = reactor.call_later(SECOND / 2, |reactor| reactor.stop().unwrap());
            reactor.turn().unwrap();
            reactor.turn().unwrap();
            // The cooperator always has more to do, so time does not pass by itself.
            reactor.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
            reactor.run();
        } else {
            drop(reactor);
        }
        assert!(error(later).is::<ReactorStopped>());
        assert!(error(ended).is::<ReactorStopped>());
        assert!(dones.into_iter().all(|done| error(done).is::<ReactorStopped>()));
        assert!(error(late.coiterate([()])).is::<ReactorStopped>(), "its cooperator has ended with it");
        assert!(!looping.is_running());
        assert_eq!(drops.count(), 2, "the function of a loop can be started on another reactor");
        drop(looping);
        assert_eq!((drops.count(), reports.len()), (3, 0));
    }
}

mod looping {
    use super::*;

    fn counting() -> (LoopingCall, Log<u64>) {
        let log = Log::new();
        let counts = log.clone();
        (LoopingCall::with_count(move |_, count| counts.note(count)), log)
    }

    // Checks: B67
    #[test]
    fn what_runs_cannot_be_started_nor_what_is_in_its_last_call() {
        let (reactor, _, _) = virtual_time();
        let said = Log::new();
        let says = said.clone();
        let looping = LoopingCall::new(move |tick| {
            says.note(tick.looping_call().start(tick.reactor(), SECOND).err());
            tick.stop().unwrap();
            says.note(tick.stop().err());
            says.note(tick.looping_call().reset().err());
            says.note(tick.looping_call().start(tick.reactor(), SECOND).err());
        });
        let ended = looping.start(&reactor, SECOND).unwrap();
        let (running, not_running) = (Some(LoopingCallError::AlreadyRunning), Some(LoopingCallError::NotRunning));
        assert_eq!(said, [running, not_running, not_running, running]);
        value(ended);
    }

    // Checks: B67, P33
    #[test]
    fn whoever_is_told_of_the_end_may_start_it_again() {
        let (reactor, _, _) = virtual_time();
        let (looping, counts) = counting();
        let ended = looping.start(&reactor, SECOND).unwrap();
        reactor.advance(7 * SECOND).unwrap();
        let (again, local) = (looping.clone(), reactor.local());
        let second =
            ended.add_callback(move |()| local.with(|reactor| again.start(reactor, 2 * SECOND).unwrap()).unwrap());
        looping.stop().unwrap();
        assert!(looping.is_running());
        reactor.advance(5 * SECOND).unwrap();
        looping.stop().unwrap();
        value(second);
        assert_eq!(counts, [1, 7, 1, 2], "a new start counts anew");
    }

    // Checks: B67
    #[test]
    fn ticks_lie_where_the_start_has_put_them_whatever_comes_between() {
        let (reactor, clock, _) = virtual_time();
        let times = Log::new();
        let (notes, hands) = (times.clone(), clock.clone());
        let looping = LoopingCall::new(move |tick| {
            notes.note(tick.reactor().now().as_millis());
            hands.advance(Duration::from_millis(130));
        });
        clock.advance(Duration::from_millis(7));
        let _ended = looping.start(&reactor, Duration::from_millis(100)).unwrap();
        reactor.pump([Duration::from_millis(90); 4]).unwrap();
        // Their ticks were at 207, 407, 607 and 807: none is late because another was.
        assert_eq!(times, [7, 227, 447, 667, 887]);
    }

    // Checks: B67, P86
    #[test]
    fn an_interval_too_long_for_the_clock_is_never() {
        let (reactor, clock, _) = virtual_time();
        clock.advance(SECOND);
        let (looping, counts) = counting();
        let _ended = looping.start_later(&reactor, Duration::MAX).unwrap();
        assert_eq!(reactor.advance(SECOND), Ok(Turn::Idle));
        assert_eq!(reactor.advance(Duration::MAX), Ok(Turn::Idle));
        assert_eq!(counts.len(), 0);
        looping.stop().unwrap();
    }

    // Checks: B67, P86
    #[test]
    fn at_the_end_of_time_a_loop_is_called_once_more_and_told_how_many_ticks_have_passed() {
        let (reactor, _, _) = virtual_time();
        let (each_hour, hours) = counting();
        let (each_nanosecond, nanoseconds) = counting();
        let _ended = each_hour.start(&reactor, 3600 * SECOND).unwrap();
        let _ended = each_nanosecond.start(&reactor, Duration::from_nanos(1)).unwrap();
        assert_eq!(reactor.advance(Duration::MAX), Ok(Turn::Idle));
        assert_eq!(hours, [1, u64::MAX / 3600]);
        assert_eq!(nanoseconds, [1, u64::MAX]);
        assert!(each_hour.is_running());
    }

    // Checks: B65, P87, R48
    #[test]
    fn a_loop_without_an_interval_does_not_keep_an_advance_from_returning() {
        with_watchdog(|| {
            let (reactor, _, _) = virtual_time();
            let (looping, counts) = counting();
            let _ended = looping.start(&reactor, Duration::ZERO).unwrap();
            assert_eq!(reactor.advance(SECOND), Ok(Turn::Again));
            assert_eq!(counts.len(), 10_001);
            looping.stop().unwrap();
            assert_eq!(reactor.advance(SECOND), Ok(Turn::Idle));
        });
    }

    // Checks: B67
    #[test]
    fn a_reset_begins_the_time_and_the_count_anew_and_in_a_call_does_nothing() {
        let (reactor, _, _) = virtual_time();
        let (looping, counts) = counting();
        let _ended = looping.start(&reactor, 2 * SECOND).unwrap();
        reactor.advance(3 * SECOND).unwrap();
        looping.reset().unwrap();
        reactor.advance(SECOND).unwrap();
        assert_eq!(counts, [1, 1], "the tick at 4 is none any more");
        reactor.advance(SECOND).unwrap();
        assert_eq!(counts, [1, 1, 1]);
        let calls = Log::new();
        let notes = calls.clone();
        let resets = LoopingCall::new(move |tick| {
            notes.note(());
            tick.looping_call().reset().unwrap();
        });
        let _ended = resets.start(&reactor, SECOND).unwrap();
        reactor.pump([SECOND; 3]).unwrap();
        assert_eq!(calls.len(), 4);
    }

    // Checks: P33
    #[test]
    fn cancelling_its_deferred_stops_a_loop_and_cancels_what_it_waits_for() {
        let (reactor, _, _) = virtual_time();
        let (looping, counts) = counting();
        let ended = looping.start_later(&reactor, SECOND).unwrap();
        ended.cancel();
        assert!(error(ended).is::<Cancelled>());
        assert_eq!((looping.is_running(), reactor.delayed_calls()), (false, 0));
        reactor.advance(SECOND).unwrap();
        assert_eq!(counts.len(), 0);

        let cancelled = Log::new();
        let notes = cancelled.clone();
        let kept = Place::<Resolver<()>>::default();
        let keeps = Rc::clone(&kept);
        let waits = LoopingCall::new(move |_| {
            let notes = notes.clone();
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || notes.note(()));
            *keeps.borrow_mut() = Some(resolver);
            deferred
        });
        let ended = waits.start(&reactor, SECOND).unwrap();
        ended.cancel();
        assert!(error(ended).is::<Cancelled>());
        assert_eq!((cancelled.len(), waits.is_running()), (1, false));
        // It is over, so it can be started again.
        drop(waits.start_later(&reactor, SECOND).unwrap());
        waits.stop().unwrap();
    }

    // Checks: P33
    #[test]
    fn a_loop_that_is_cancelled_in_its_own_call_waits_for_nothing_that_this_returns() {
        let (reactor, _, _) = virtual_time();
        let place: Place<Deferred<()>> = Rc::default();
        let (own, cancelled) = (Rc::clone(&place), Log::new());
        let notes = cancelled.clone();
        let kept = Place::<Resolver<()>>::default();
        let keeps = Rc::clone(&kept);
        let looping = LoopingCall::new(move |_| {
            own.borrow().as_ref().unwrap().cancel();
            let notes = notes.clone();
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || notes.note(()));
            *keeps.borrow_mut() = Some(resolver);
            deferred
        });
        *place.borrow_mut() = Some(looping.start_later(&reactor, SECOND).unwrap());
        reactor.advance(SECOND).unwrap();
        assert!(error(place.borrow_mut().take().unwrap()).is::<Cancelled>());
        assert_eq!((cancelled.len(), reactor.delayed_calls()), (1, 0));
        drop(looping.start_later(&reactor, SECOND).unwrap());
        looping.stop().unwrap();
    }

    // Checks: B38, P33, P34
    #[test]
    fn what_a_loop_or_a_cooperator_was_given_may_panic_when_it_is_dropped() {
        let told = reports(|| {
            let (loops, slices, steps) = (PanicOnDrop, PanicOnDrop, PanicOnDrop);
            drop(LoopingCall::new(move |_| hold(&loops)));
            let reactor = Reactor::new();
            let judged = Cooperator::builder()
                .unstarted()
                .termination(move || {
                    hold(&slices);
                    || true
                })
                .build(&reactor);
            drop(judged.cooperate([()].into_iter().inspect(move |()| hold(&steps))));
            drop(judged);
        });
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.into_iter().all(|(incident, ..)| incident == Incident::Drop));
    }

    // Checks: P33
    #[test]
    fn a_function_that_panics_fails_its_loop_and_can_be_started_again() {
        let (reactor, _, reports) = virtual_time();
        let first = Cell::new(true);
        let looping = LoopingCall::new(move |_| {
            if first.replace(false) {
                std::panic::resume_unwind(Box::new("planned"));
            }
        });
        assert!(error(looping.start(&reactor, SECOND).unwrap()).is_panic());
        let ended = looping.start(&reactor, SECOND).unwrap();
        looping.stop().unwrap();
        value(ended);
        assert_eq!(reports.len(), 0);
    }

    // Checks: P33
    #[test]
    fn an_error_that_a_cancel_of_the_loop_has_not_caused_is_reported() {
        let (reactor, _, reports) = virtual_time();
        let looping = LoopingCall::new(|_| Deferred::<()>::with_firing_canceller(|it| it.errback(Oops(1))).0);
        let ended = looping.start(&reactor, SECOND).unwrap();
        ended.cancel();
        drop(ended);
        assert_eq!(reports, [Incident::Unhandled]);
    }

    // Checks: P33
    #[test]
    fn a_loop_runs_on_without_its_handle_and_frees_its_function_when_it_ends() {
        let (reactor, _, _) = virtual_time();
        let (drops, calls) = (Drops::new(), Log::new());
        let (token, notes) = (drops.token(), calls.clone());
        let looping = LoopingCall::new(move |tick| {
            hold(&token);
            notes.note(());
            if notes.len() == 3 {
                tick.stop().unwrap();
            }
        });
        drop(looping.start(&reactor, SECOND).unwrap());
        drop(looping);
        reactor.pump([SECOND; 5]).unwrap();
        assert_eq!((calls.len(), drops.count()), (3, 1));
    }

    // Checks: B67, P33
    #[test]
    fn many_calls_whose_deferreds_have_fired_need_no_stack() {
        on_a_small_stack(|| {
            let reactor = Reactor::builder().clock(VirtualClock::new()).build().unwrap();
            let mut left = MANY;
            let looping = LoopingCall::new(move |tick| {
                left -= 1;
                if left == 0 {
                    tick.stop().unwrap();
                }
                Deferred::succeed(())
            });
            let ended = looping.start(&reactor, Duration::ZERO).unwrap();
            while reactor.advance(Duration::ZERO).unwrap() == Turn::Again {}
            value(ended);
        });
    }
}

mod cooperator {
    use super::*;

    // Checks: B68
    #[test]
    fn a_slice_is_measured_by_the_reactors_clock_and_ends_with_the_step_that_uses_it_up() {
        for (slice, steps) in [(10, 4), (9, 3), (0, 1)] {
            let (reactor, clock, _) = virtual_time();
            let cooperator = Cooperator::builder().slice(Duration::from_millis(slice)).build(&reactor);
            let log = Log::new();
            for name in ["a", "b"] {
                let (log, clock) = (log.clone(), clock.clone());
                let _task = cooperator.cooperate(std::iter::repeat_with(move || {
                    log.note(name);
                    clock.advance(Duration::from_millis(3));
                }));
            }
            reactor.turn().unwrap();
            assert_eq!(log.len(), steps);
            reactor.turn().unwrap();
            let turns = log.entries();
            assert_eq!(turns.len(), 2 * steps);
            assert!(
                turns.windows(2).all(|pair| pair[0] != pair[1]),
                "where a tick left off the next goes on: {turns:?}"
            );
        }
    }

    // Checks: P87, R48
    #[test]
    fn a_slice_of_endless_work_ends_although_the_clock_stands_still() {
        let (reactor, _clock, _) = virtual_time();
        let (cooperator, steps) = (Cooperator::new(&reactor), Log::new());
        let noted = steps.clone();
        let _task = cooperator.cooperate(std::iter::repeat_with(move || noted.note(())));
        for turns in 1..4 {
            reactor.turn().unwrap();
            assert_eq!(steps.len(), 1000 * turns, "as many as at one time, and then the loop goes on");
        }
    }

    // Checks: B68, R52
    #[test]
    fn however_often_it_is_started_a_cooperator_ticks_once_a_turn() {
        let (reactor, _, _) = virtual_time();
        let cooperator = Cooperator::builder().slice(Duration::ZERO).unstarted().build(&reactor);
        let (log, inside) = (Log::new(), cooperator.clone());
        let steps = log.clone();
        let _task = cooperator.cooperate(std::iter::repeat_with(move || {
            inside.start();
            steps.note(());
        }));
        for turns in 1..4 {
            cooperator.start();
            cooperator.start();
            reactor.turn().unwrap();
            assert_eq!((log.len(), reactor.delayed_calls()), (turns, 1));
        }
    }

    // Checks: B68, P34
    #[test]
    fn a_measure_that_panics_is_reported_and_ends_the_tick() {
        let (reactor, _, reports) = virtual_time();
        let panics = || -> bool { std::panic::resume_unwind(Box::new("planned")) };
        let judged = Cooperator::builder().termination(move || panics).build(&reactor);
        let done = judged.coiterate([(), ()]);
        reactor.advance(Duration::ZERO).unwrap();
        value(done);
        assert_eq!(reports, [Incident::Timer; 3], "one for each step, the one that found the end included");
        let unjudged = Cooperator::builder()
            .termination(move || -> fn() -> bool { std::panic::resume_unwind(Box::new("planned")) })
            .build(&reactor);
        let done = unjudged.coiterate([()]);
        reactor.advance(Duration::ZERO).unwrap();
        value(done);
        assert_eq!(reports.len(), 5);
    }

    /// A task that in its second step does something to itself.
    fn in_its_own_step(
        act: impl Fn(&CooperativeTask) + 'static,
    ) -> (Reactor, CooperativeTask, Log<u32>, Drops, Log<Incident>) {
        let (reactor, _, reports) = virtual_time();
        let (log, drops, place) = (Log::new(), Drops::new(), Place::<CooperativeTask>::default());
        let (steps, token, own) = (log.clone(), drops.token(), Rc::downgrade(&place));
        let task = Cooperator::new(&reactor).cooperate((0..4).map(move |n| {
            hold(&token);
            if n == 1 {
                act(own.upgrade().unwrap().borrow().as_ref().unwrap());
            }
            steps.note(n);
        }));
        *place.borrow_mut() = Some(task.clone());
        reactor.advance(Duration::ZERO).unwrap();
        (reactor, task, log, drops, reports)
    }

    // Checks: P34
    #[test]
    fn a_task_may_stop_itself_in_its_own_step_which_is_its_last() {
        let (_reactor, task, steps, drops, _) = in_its_own_step(|task| task.stop().unwrap());
        assert_eq!((steps.entries(), drops.count()), (vec![0, 1], 1));
        assert_eq!(error(task.when_done()).downcast::<TaskFinished>().unwrap(), TaskFinished::Stopped);
    }

    // Checks: P34
    #[test]
    fn a_task_may_pause_itself_in_its_own_step() {
        let (reactor, task, steps, drops, _) = in_its_own_step(|task| task.pause().unwrap());
        assert_eq!((steps.entries(), drops.count()), (vec![0, 1], 0));
        task.resume().unwrap();
        reactor.advance(Duration::ZERO).unwrap();
        value(task.when_done());
        assert_eq!((steps.len(), drops.count()), (4, 1));
    }

    // Checks: P34
    #[test]
    fn a_task_that_fails_in_the_step_in_which_it_was_stopped_has_its_failure_reported() {
        let (_reactor, task, _, drops, reports) = in_its_own_step(|task| {
            task.stop().unwrap();
            std::panic::resume_unwind(Box::new("planned"));
        });
        assert_eq!((drops.count(), reports.entries()), (1, vec![Incident::Unhandled]));
        assert_eq!(task.stop(), Err(TaskFinished::Stopped));
    }

    // Checks: P34
    #[test]
    fn a_deferred_that_is_yielded_in_the_step_in_which_the_task_was_stopped_is_cancelled() {
        let (reactor, _, reports) = virtual_time();
        let place = Place::<CooperativeTask>::default();
        let cancelled = Log::new();
        let (own, notes) = (Rc::downgrade(&place), cancelled.clone());
        let kept = Place::<Resolver<()>>::default();
        let keeps = Rc::clone(&kept);
        let task = Cooperator::new(&reactor).cooperate(std::iter::repeat_with(move || {
            own.upgrade().unwrap().borrow().as_ref().unwrap().stop().unwrap();
            let notes = notes.clone();
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || notes.note(()));
            *keeps.borrow_mut() = Some(resolver);
            deferred
        }));
        *place.borrow_mut() = Some(task);
        reactor.advance(Duration::ZERO).unwrap();
        assert_eq!((cancelled.len(), reports.len()), (1, 0));
    }

    // Checks: P34
    #[test]
    fn a_step_may_stop_the_cooperator_and_those_who_are_told_may_start_it_again() {
        let (reactor, _, _) = virtual_time();
        let cooperator = Cooperator::new(&reactor);
        let stop = cooperator.clone();
        let stops = cooperator.cooperate(std::iter::repeat_with(move || stop.stop()));
        let (start, log) = (cooperator.clone(), Log::new());
        let notes = log.clone();
        let second = stops.when_done().add_errback(move |_| {
            start.start();
            start.coiterate([(), ()].map(move |()| notes.note(())))
        });
        let other = cooperator.coiterate(std::iter::repeat(()));
        reactor.advance(Duration::ZERO).unwrap();
        assert_eq!(error(other).downcast::<TaskFinished>().unwrap(), TaskFinished::SchedulerStopped);
        value(second);
        assert!(cooperator.is_running());
    }

    // Checks: P34
    #[test]
    fn an_error_that_nobody_asked_for_is_reported_once_with_the_task_and_one_that_was_asked_for_is_not() {
        let (reactor, _, reports) = virtual_time();
        let cooperator = Cooperator::new(&reactor);
        let unheard = cooperator.cooperate([Err::<(), _>(Oops(1))]);
        let late = cooperator.cooperate([Err::<(), _>(Oops(2))]);
        reactor.advance(Duration::ZERO).unwrap();
        assert_eq!(reports.len(), 0);
        assert!(error(late.when_done()).is::<Oops>());
        assert_eq!(error(late.when_done()).downcast::<TaskFinished>().unwrap(), TaskFinished::Failed);
        drop(late);
        reactor.call_from_thread(|_| ()).unwrap();
        let place = Cell::new(Some(unheard));
        let _ = reactor.call_later(Duration::ZERO, move |_| drop(place.take()));
        reactor.advance(Duration::ZERO).unwrap();
        assert_eq!(reports, [Incident::Unhandled]);
    }

    // Checks: P34
    #[test]
    fn to_take_a_question_back_leaves_the_task_alone_and_cancelling_coiterate_stops_it() {
        let (reactor, _, _) = virtual_time();
        let cooperator = Cooperator::new(&reactor);
        let task = cooperator.cooperate([(), ()]);
        let (first, second) = (task.when_done(), task.when_done());
        first.cancel();
        assert!(error(first).is::<Cancelled>());
        reactor.advance(Duration::ZERO).unwrap();
        value(second);
        let drops = Drops::new();
        let token = drops.token();
        let done = cooperator.coiterate(std::iter::repeat(()).inspect(move |()| hold(&token)));
        done.cancel();
        assert!(error(done).is::<Cancelled>());
        assert_eq!((drops.count(), reactor.delayed_calls()), (1, 0));
    }

    // Checks: P34
    #[test]
    fn a_paused_task_that_nobody_can_resume_any_more_is_dropped_and_those_who_asked_are_told() {
        let (reactor, _, _) = virtual_time();
        let cooperator = Cooperator::new(&reactor);
        let drops = Drops::new();
        let token = drops.token();
        let task = cooperator.cooperate(std::iter::repeat(()).inspect(move |()| hold(&token)));
        task.pause().unwrap();
        let done = task.when_done();
        drop(task);
        assert!(error(done).is::<Abandoned>());
        assert_eq!(drops.count(), 1);
        assert!(format!("{cooperator:?}").contains("tasks: 0"));
    }

    // Checks: P34
    #[test]
    fn an_unstarted_cooperator_that_is_dropped_drops_its_tasks() {
        let (reactor, _, _) = virtual_time();
        let drops = Drops::new();
        let token = drops.token();
        let done = Cooperator::builder()
            .unstarted()
            .build(&reactor)
            .coiterate([()].into_iter().inspect(move |()| hold(&token)));
        assert!(error(done).is::<Abandoned>());
        assert_eq!(drops.count(), 1);
    }

    // Checks: P34
    #[test]
    fn an_iterator_is_gone_when_its_end_is_told() {
        let (reactor, _, _) = virtual_time();
        let drops = Drops::new();
        let token = drops.token();
        let counted = drops.clone();
        let done = Cooperator::new(&reactor)
            .coiterate([()].into_iter().inspect(move |()| hold(&token)))
            .add_callback(move |()| counted.count());
        reactor.advance(Duration::ZERO).unwrap();
        assert_eq!(value(done), 1);
    }

    // Checks: B68, P34
    #[test]
    fn many_tasks_and_many_steps_need_no_stack() {
        on_a_small_stack(|| {
            let reactor = Reactor::builder().clock(VirtualClock::new()).build().unwrap();
            let cooperator = Cooperator::new(&reactor);
            let steps: Rc<Cell<u32>> = Rc::default();
            let dones: Vec<_> = (0..10_000)
                .map(|_| {
                    let steps = Rc::clone(&steps);
                    cooperator.coiterate((0..10).map(move |_| {
                        steps.set(steps.get() + 1);
                        Deferred::succeed(())
                    }))
                })
                .collect();
            reactor.advance(Duration::ZERO).unwrap();
            dones.into_iter().for_each(value);
            assert_eq!(steps.get(), 100_000);
        });
    }
}

// Checks: P33
#[test]
fn what_the_cancel_of_a_loop_makes_of_what_its_call_waits_for_is_reported() {
    let (reactor, _clock, reports) = virtual_time();
    let kept = Rc::new(Cell::new(None));
    let keep = Rc::clone(&kept);
    let looping = LoopingCall::new(move |_| {
        let (waits, resolver) = Deferred::<()>::with_firing_canceller(|resolver| resolver.errback(Oops(1)));
        keep.set(Some(resolver));
        waits
    });
    let ended = looping.start(&reactor, SECOND).unwrap();
    assert_eq!(reports.len(), 0);
    ended.cancel();
    assert!(error(ended).is::<Cancelled>());
    assert_eq!((reports.entries(), looping.is_running()), (vec![Incident::Unhandled], false));
    drop(kept.take());
}

// Checks: P34, P80
#[test]
fn what_the_end_of_a_task_makes_of_what_it_waits_for_is_reported_unless_it_is_only_the_cancel() {
    type End = fn(Reactor, Cooperator, CooperativeTask);
    let ends: [End; 3] = [
        |_reactor, _cooperator, task| task.stop().unwrap(),
        |_reactor, cooperator, _task| cooperator.stop(),
        |reactor, _cooperator, _task| drop(reactor),
    ];
    for end in ends {
        for fails in [true, false] {
            let (reactor, _clock, reports) = virtual_time();
            let (waits, resolver) = Deferred::<()>::new();
            let waits = waits.add_errback(move |failure| if fails { Err(Oops(1).into()) } else { Err(failure) });
            let cooperator = Cooperator::new(&reactor);
            let task = cooperator.cooperate([waits]);
            reactor.advance(Duration::ZERO).unwrap();
            end(reactor, cooperator, task);
            assert!(resolver.is_cancelled());
            assert_eq!(reports.entries(), if fails { vec![Incident::Unhandled] } else { vec![] });
        }
    }
}

// Checks: P33, B65
#[test]
fn what_a_call_on_a_reactor_that_has_ended_comes_to_is_nothing_to_a_loop_that_was_started_on_another() {
    let (reactor, _clock, reports) = virtual_time();
    let (other, _clock, _reports) = virtual_time();
    let paused = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&paused);
    let looping = LoopingCall::new(move |_| {
        let (waits, resolver) = Deferred::<()>::new();
        waits.pause();
        keep.borrow_mut().push((waits.pause_handle(), resolver));
        waits
    });
    let first = looping.start(&reactor, SECOND).unwrap();
    drop(reactor);
    assert!(error(first).is::<ReactorStopped>());
    let second = looping.start(&other, SECOND).unwrap();
    let (call_of_the_first, _resolver) = paused.borrow_mut().remove(0);
    call_of_the_first.unpause().unwrap();
    assert!(looping.is_running());
    assert!(second.try_result().is_err());
    assert_eq!(reports.len(), 0);
}

// Checks: P9, P76
#[test]
fn what_a_builder_of_a_cooperator_captured_may_panic_in_its_drop() {
    let (reactor, reports) = reporting();
    reactor
        .call_from_thread(|_| {
            let captured = PanicOnDrop;
            drop(Cooperator::builder().termination(move || {
                hold(&captured);
                || true
            }));
        })
        .unwrap();
    reactor.turn().unwrap();
    assert_eq!(reports, [Incident::Drop]);
}
