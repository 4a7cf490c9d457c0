//! The end of a reactor: whoever waits for it is told, in every state, and what is asked of it later is refused.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use selvedge::task::{Cooperator, LoopingCall, defer_later};
use selvedge::{
    Deferred, Failure, LocalHandle, Reactor, ThreadPool,
    error::{BlockingCallError, DelayedCallError, LoopingCallError, NeverRan, ReactorStopped, Unavailable},
    pool::{CancelToken, StopPolicy},
    reactor::{Event, Phase, Shutdown, Turn},
    testing::VirtualClock,
    threads,
};

use crate::support::deferred::{Drops, error, value};
use crate::support::{Gate, Log, OnDrop, hold, reporting, virtual_time, wait_until, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

/// The two ways in which a reactor ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Run,
    Dropped,
}

impl End {
    const ALL: [Self; 2] = [Self::Run, Self::Dropped];

    fn of(self, reactor: Reactor) {
        match self {
            Self::Run => {
                reactor.handle().stop();
                reactor.run();
            }
            Self::Dropped => drop(reactor),
        }
    }
}

/// A reactor that has ended and is still held.
fn ended() -> Reactor {
    let reactor = Reactor::new();
    reactor.handle().stop();
    while reactor.turn().unwrap() != Turn::Ended {}
    reactor
}

// Checks: P34, P90, R49
#[test]
fn a_task_of_a_cooperator_is_told_of_the_end_in_every_state() {
    for end in End::ALL {
        let (reactor, _, reports) = virtual_time();
        let (running, unstarted) = (Cooperator::new(&reactor), Cooperator::builder().unstarted().build(&reactor));
        let (never, _resolver) = Deferred::<()>::new();
        let never = Rc::new(Cell::new(Some(never)));
        let waits = running.cooperate(std::iter::from_fn(move || never.take()));
        reactor.turn().unwrap();
        let paused = [running.cooperate([()]), unstarted.cooperate([()]), waits.clone()];
        let dones = paused.each_ref().map(|task| {
            task.pause().unwrap();
            task.when_done()
        });
        let others = [unstarted.coiterate([()]), waits.when_done()];
        end.of(reactor);
        for done in dones.into_iter().chain(others) {
            assert!(error(done).is::<ReactorStopped>(), "{end:?}");
        }
        assert_eq!(reports.len(), 0);
        assert!(paused.iter().all(|task| task.stop().is_err()));
    }
}

// Checks: P34, P90
#[test]
fn a_task_that_waits_at_the_end_cancels_what_it_waits_for_and_drops_its_iterator() {
    for end in End::ALL {
        let (reactor, _, _) = virtual_time();
        let (cancelled, drops) = (Rc::new(Cell::new(0)), Drops::new());
        let (counts, token) = (Rc::clone(&cancelled), drops.token());
        let (waited_for, _resolver) = Deferred::<()>::with_canceller(move || counts.set(counts.get() + 1));
        let mut first = Some(waited_for);
        let done = Cooperator::new(&reactor).coiterate(std::iter::from_fn(move || {
            hold(&token);
            first.take()
        }));
        reactor.turn().unwrap();
        end.of(reactor);
        assert!(error(done).is::<ReactorStopped>());
        assert_eq!((cancelled.get(), drops.count()), (1, 1));
    }
}

// Checks: P33, P90, R49
#[test]
fn a_loop_that_awaits_when_its_reactor_ends_is_told_and_cancels_what_it_awaits() {
    for (end, stops) in End::ALL.into_iter().flat_map(|end| [(end, false), (end, true)]) {
        let (reactor, _, reports) = virtual_time();
        let cancelled = Rc::new(Cell::new(0));
        let counts = Rc::clone(&cancelled);
        let looping = LoopingCall::new(move |_| {
            let counts = Rc::clone(&counts);
            Deferred::<()>::with_canceller(move || counts.set(counts.get() + 1)).0
        });
        // Its resolver is kept by nobody but the canceller's Deferred, so the call ends only by the cancel.
        let (kept, resolver) = Deferred::<()>::new();
        let awaits = LoopingCall::new({
            let kept = Cell::new(Some(kept));
            move |_| kept.take().unwrap_or_else(|| Deferred::succeed(()))
        });
        let abandoned = error(looping.start(&reactor, SECOND).unwrap());
        assert!(!abandoned.is::<ReactorStopped>(), "its resolver was dropped");
        let ended = awaits.start(&reactor, SECOND).unwrap();
        if stops {
            awaits.stop().unwrap();
        }
        end.of(reactor);
        assert!(error(ended).is::<ReactorStopped>());
        assert!(!awaits.is_running());
        assert_eq!(awaits.reset(), Err(LoopingCallError::NotRunning));
        resolver.callback(());
        assert_eq!((cancelled.get(), reports.len()), (0, 0));
    }
}

// Checks: P33, P90
#[test]
fn what_a_loop_awaited_of_a_reactor_that_has_ended_does_not_end_a_call_on_the_next() {
    let (first, _, _) = virtual_time();
    let (paused, resolver) = Deferred::<()>::new();
    // A cancelled Deferred that is paused has its result later.
    let pause = paused.pause_handle();
    pause.pause();
    let awaited = RefCell::new(vec![Deferred::new().0, paused]);
    let (kept, second_resolver) = Deferred::<()>::new();
    awaited.borrow_mut()[0] = kept;
    let looping = LoopingCall::new(move |_| awaited.borrow_mut().pop().unwrap());
    let ended = looping.start(&first, SECOND).unwrap();
    drop(first);
    assert!(error(ended).is::<ReactorStopped>());
    let (next, _, _) = virtual_time();
    let ended = looping.start(&next, SECOND).unwrap();
    resolver.callback(());
    pause.unpause().unwrap();
    assert!(looping.is_running());
    let ended = ended.try_result().map(drop).expect_err("its call still awaits");
    looping.stop().unwrap();
    second_resolver.callback(());
    value(ended);
}

// Checks: P33, P90
#[test]
fn a_loop_whose_function_ends_the_reactor_is_told_when_that_returns() {
    for (stops, waits) in [(false, false), (false, true), (true, false), (true, true)] {
        let (reactor, reports) = reporting();
        let (kept, _resolver) = Deferred::<()>::new();
        let kept = Cell::new(Some(kept));
        let looping = LoopingCall::new(move |tick| {
            tick.reactor().handle().stop();
            while tick.reactor().turn().unwrap() != Turn::Ended {}
            if stops {
                tick.stop().unwrap();
            }
            if waits { kept.take().unwrap() } else { Deferred::succeed(()) }
        });
        let ended = looping.start(&reactor, SECOND).unwrap();
        if stops && !waits {
            value(ended);
        } else {
            assert!(error(ended).is::<ReactorStopped>());
        }
        assert_eq!(reports.len(), 0);
    }
}

// Checks: P33, P34, P91, R54
#[test]
fn loops_and_cooperators_of_a_reactor_that_has_ended_end_at_once() {
    let reactor = ended();
    let looping = LoopingCall::new(|_| -> () { unreachable!("the reactor has ended") });
    for started in [looping.start(&reactor, SECOND), looping.start_later(&reactor, SECOND)] {
        assert!(error(started.unwrap()).is::<ReactorStopped>());
    }
    assert!(!looping.is_running());
    let drops = Drops::new();
    for cooperator in [Cooperator::new(&reactor), Cooperator::builder().unstarted().build(&reactor)] {
        let token = drops.token();
        let task = cooperator.cooperate([()].into_iter().inspect(move |()| hold(&token)));
        assert!(task.pause().is_err());
        assert!(error(task.when_done()).is::<ReactorStopped>());
        cooperator.start();
        assert!(!cooperator.is_running());
    }
    assert_eq!(drops.count(), 2);
    assert!(error(Cooperator::new(&reactor).coiterate([()])).is::<ReactorStopped>());
}

// Checks: P91, R54
#[test]
fn a_reactor_that_has_ended_refuses_at_once_and_drops_what_it_was_given() {
    let reactor = ended();
    let drops = Drops::new();
    let token = || drops.token();
    let (timer, job, value, future) = (token(), token(), token(), token());
    let call = reactor.call_later(Duration::ZERO, move |_| hold(&timer));
    assert!(!call.is_active());
    assert_eq!(call.reset(SECOND), Err(DelayedCallError::AlreadyCancelled));
    let later = defer_later(&reactor, Duration::ZERO, move |_| hold(&job));
    let owned = reactor.own(value);
    assert!(owned.with(|_| ()).is_err_and(|error| error.reason == Unavailable::Gone));
    let task = reactor.spawn(async move { hold(&future) });
    assert_eq!(drops.count(), 4);
    for refused in [later, task, reactor.sleep(Duration::ZERO)] {
        assert!(error(refused).is::<ReactorStopped>());
    }
    let shared = ThreadPool::new(0, 1).unwrap();
    let job = Arc::new(());
    let weak = Arc::downgrade(&job);
    let deferred = threads::defer_to_thread_pool(&reactor, &shared, move || hold(&job));
    assert!(error(deferred).is::<ReactorStopped>());
    assert_eq!((weak.strong_count(), shared.stats().queued), (0, 0));
    assert_eq!(reactor.delayed_calls(), 0);
}

// Checks: P91, B59, R54
#[test]
fn a_time_limit_that_can_no_longer_pass_cancels_what_it_limits() {
    for end in End::ALL {
        let (reactor, reports) = reporting();
        let limit = |reactor: &Reactor| {
            let (limited, _resolver) = Deferred::<()>::with_canceller(|| ());
            (limited.add_timeout(reactor, SECOND), _resolver)
        };
        let (waits, _first) = limit(&reactor);
        let (fired, second) = limit(&reactor);
        second.callback(());
        let local = reactor.local();
        end.of(reactor);
        assert!(error(waits).is::<ReactorStopped>());
        value(fired);
        assert!(local.with(|_| ()).is_err());
        let (late, _third) = limit(&ended());
        assert!(error(late).is::<ReactorStopped>());
        value(Deferred::<()>::succeed(()).add_timeout(&ended(), SECOND));
        assert_eq!(reports.len(), 0);
    }
}

// Checks: P25, P91, R54
#[test]
fn a_future_for_other_executors_is_ready_at_once_when_its_reactor_has_ended() {
    let reactor = ended();
    let mut context = Context::from_waker(Waker::noop());
    let mut fired = pin!(Deferred::succeed(42).into_send_future(&reactor));
    assert!(matches!(fired.as_mut().poll(&mut context), Poll::Ready(Ok(42))));
    let cancelled = Rc::new(Cell::new(0));
    let counts = Rc::clone(&cancelled);
    let (waits, _resolver) = Deferred::<u32>::with_canceller(move || counts.set(counts.get() + 1));
    let mut waits = pin!(waits.into_send_future(&reactor));
    assert_eq!(cancelled.get(), 1);
    let Poll::Ready(Err(failure)) = waits.as_mut().poll(&mut context) else { panic!("it is pending") };
    assert!(failure.is::<ReactorStopped>());
}

// Checks: P91, R54
#[test]
fn what_is_added_while_the_reactor_ends_is_refused_too() {
    /// Adds another of itself when it is dropped.
    struct Again(LocalHandle, Rc<Cell<u32>>);
    impl Drop for Again {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
            let local = &self.0;
            assert!(error(local.sleep(Duration::ZERO)).is::<ReactorStopped>());
            let _ = local.with(|reactor| unreachable!("{reactor:?} has ended"));
        }
    }
    for end in End::ALL {
        let (reactor, reports) = reporting();
        let dropped = Rc::new(Cell::new(0));
        let again = || Again(reactor.local(), Rc::clone(&dropped));
        let (timer, future, trigger) = (again(), again(), again());
        let _ = reactor.call_later(SECOND, move |_| hold(&timer));
        let _ = reactor.own(again()).detach();
        let _ = reactor.add_event_trigger(Phase::During, "never", move |_| hold(&trigger));
        drop(
            reactor
                .spawn(async move {
                    std::future::pending::<()>().await;
                    hold(&future);
                })
                .add_errback(|_| ()),
        );
        end.of(reactor);
        assert_eq!((dropped.get(), reports.len()), (4, 0));
    }
}

/// Runs `f` among the last calls of a reactor, when its inbox is closed, and returns the reactor, which has ended.
fn in_a_last_call(reactor: Reactor, f: impl FnOnce(&Reactor) + Send + 'static) -> Reactor {
    reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, |reactor| {
        // The pools have stopped, so this is the last turn.
        reactor.call_from_thread(f).unwrap();
    });
    reactor.handle().stop();
    while reactor.turn().unwrap() != Turn::Ended {}
    reactor
}

// Checks: P91, P98, R54
#[test]
fn what_a_last_call_adds_is_refused_at_once_or_told_of_the_end_when_the_last_call_returns() {
    let (reactor, reports) = reporting();
    let told = Log::new();
    let tell = told.clone();
    let reactor = in_a_last_call(reactor, move |reactor| {
        let dropped = |what: &'static str| tell.when_dropped(what);
        let watch = |what: &'static str, deferred: Deferred<()>| {
            let tell = tell.clone();
            deferred.add_errback(move |failure| {
                assert!(failure.is::<ReactorStopped>(), "{what}: {failure}");
                tell.note(what);
            });
        };
        let (timer, later, future, tick) = (dropped("timer"), dropped("later"), dropped("future"), dropped("tick"));
        let (startup, shutdown, event) = (dropped("startup"), dropped("shutdown"), dropped("event"));
        watch("spawn", reactor.spawn(async move { hold(&future) }));
        watch("defer_to_thread", threads::defer_to_thread(reactor, || ()));
        watch("looping", LoopingCall::new(move |_| hold(&tick)).start(reactor, SECOND).unwrap());
        reactor.add_event_trigger(Phase::During, Event::SHUTDOWN, move |_| hold(&shutdown));
        reactor.call_when_running(move |_| hold(&startup));
        assert!(reactor.call_from_thread(|_| ()).is_err() && reactor.call_in_thread(|| ()).is_err());
        tell.note("the last call goes on");
        let _ = reactor.call_later(SECOND, move |_| hold(&timer));
        watch("defer_later", defer_later(reactor, SECOND, move |_| hold(&later)));
        watch("sleep", reactor.sleep(SECOND));
        let (limited, resolver) = Deferred::<()>::new();
        watch("limit", limited.add_timeout(reactor, SECOND));
        let _ = reactor.call_later(2 * SECOND, move |_| resolver.callback(()));
        watch("cooperator", Cooperator::new(reactor).coiterate(std::iter::repeat(())));
        // What can still happen does: the event is fired, and the value is used.
        let fired = tell.clone();
        reactor.add_event_trigger(Phase::During, "event", move |_| fired.note("fired"));
        reactor.fire_event("event").unwrap();
        reactor.add_event_trigger(Phase::During, "event", move |_| hold(&event));
        let owned = reactor.own(dropped("value"));
        owned.with(|_| ()).unwrap();
        let _ = owned.detach();
        tell.note("the last call returns");
    });
    let at_once = ["future", "spawn", "defer_to_thread", "looping", "tick", "shutdown", "startup"];
    let during = ["the last call goes on", "fired", "the last call returns"];
    let afterwards = ["cooperator", "value", "timer", "defer_later", "later", "sleep", "limit", "event"];
    assert_eq!(told.entries(), [&at_once[..], &during, &afterwards].concat());
    assert_eq!((reactor.delayed_calls(), reports.len()), (0, 0));
}

// Checks: P98, P91
#[test]
fn a_blocking_call_among_the_last_whose_answer_can_never_come_is_told_that_the_reactor_has_stopped() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let asker = Rc::new(Cell::new(None));
        let asks = Rc::clone(&asker);
        // The pools have stopped, so the next turn is the last.
        reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, move |reactor| {
            let (asked, seen) = (reactor.handle(), reactor.handle());
            asks.set(Some(thread::spawn(move || {
                threads::blocking_call_from_thread(&asked, |reactor| {
                    let (never, resolver) = Deferred::<()>::new();
                    // Startup is over: the trigger is dropped at once.
                    reactor.call_when_running(move |_| resolver.callback(()));
                    never
                })
            })));
            wait_until(|| format!("{seen:?}").contains("calls: 1"));
        });
        reactor.handle().stop();
        while reactor.turn().unwrap() != Turn::Ended {}
        let told = asker.take().unwrap().join().unwrap();
        assert!(matches!(told, Err(BlockingCallError::ReactorStopped)));
        assert_eq!(reports.len(), 0);
    });
}

// Checks: P90
#[test]
fn what_a_posted_call_captured_may_join_a_thread_whose_answer_can_never_come() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (asked, seen) = (reactor.handle(), reactor.handle());
        let asker = thread::spawn(move || {
            threads::blocking_call_from_thread(&asked, |_| {
                let (never, resolver) = Deferred::<()>::new();
                std::mem::forget(resolver);
                never
            })
        });
        wait_until(|| format!("{seen:?}").contains("calls: 1"));
        // It waits for its Deferred from now on.
        reactor.turn().unwrap();
        let told = Log::new();
        let noted = told.clone();
        let joins = OnDrop::new(move || noted.note(asker.join().unwrap().is_err()));
        reactor.handle().call_from_thread(move |_| hold(&joins)).unwrap();
        drop(reactor);
        assert_eq!(told, [true]);
    });
}

// Checks: P94, R46
#[test]
fn a_reactors_policy_asks_the_jobs_of_its_pools_to_end() {
    with_watchdog(|| {
        let reactor = Reactor::builder()
            .add_pool("other", ThreadPool::builder().size(1, 1))
            .stop_policy(StopPolicy::CancelAll)
            .build()
            .unwrap();
        let (handle, begun) = (reactor.handle(), Gate::new());
        let opens = begun.clone();
        let loops = move || {
            opens.open();
            while !CancelToken::current().is_some_and(|token| token.is_cancelled()) {
                thread::yield_now();
            }
        };
        let running = threads::defer_to_thread_pool(&reactor, reactor.pool("other").unwrap(), loops);
        let queued = threads::defer_to_thread_pool(&reactor, reactor.pool("other").unwrap(), || ());
        reactor
            .call_in_thread(move || {
                begun.pass();
                handle.stop();
            })
            .unwrap();
        let shutdown = reactor.run();
        assert_eq!(shutdown, Shutdown::default());
        value(running);
        assert!(error(queued).is::<NeverRan>());
    });
}

// Checks: P94, R46
#[test]
fn a_reactor_with_a_stuck_job_ends_within_its_time_and_says_who_is_late() {
    with_watchdog(|| {
        let (clock, log) = (VirtualClock::new(), Log::new());
        let reactor = Reactor::builder().pool_size(0, 1).clock(clock.clone()).stop_within(SECOND).build().unwrap();
        let (begun, stuck) = (Gate::new(), Gate::new());
        let (opens, held) = (begun.clone(), stuck.clone());
        let (handle, answers) = (reactor.handle(), log.clone());
        reactor
            .call_in_thread(move || {
                opens.open();
                held.pass();
                let answer = threads::blocking_call_from_thread(&handle, |_| Ok::<_, Failure>(()));
                answers.note(matches!(answer, Err(BlockingCallError::ReactorStopped)));
            })
            .unwrap();
        reactor.call_in_thread(|| ()).unwrap();
        reactor.turn().unwrap();
        begun.pass();
        reactor.stop().unwrap();
        assert_eq!(reactor.turn(), Ok(Turn::Wait(SECOND)));
        clock.advance(SECOND / 2);
        assert_eq!(reactor.turn(), Ok(Turn::Wait(SECOND / 2)));
        assert_eq!(reactor.ended(), None);
        clock.advance(SECOND / 2);
        assert_eq!(reactor.turn(), Ok(Turn::Ended));
        let shutdown = reactor.ended().unwrap();
        assert!(shutdown.timed_out);
        let [late] = &shutdown.late[..] else { panic!("{shutdown}") };
        assert_eq!((late.name.as_str(), late.stragglers.len(), late.queued), ("reactor", 1, 1));
        assert!(late.stragglers[0].job().is_some());
        let words = shutdown.to_string();
        let start = "the reactor has not shut down in time; in pool \"reactor\" job made at ";
        assert!(words.starts_with(start) && words.ends_with(", 1 jobs wait"), "{words}");
        let mut late = late.clone();
        late.queued = 0;
        late.stragglers.push(late.stragglers[0].clone());
        let words = late.to_string();
        assert!(words.contains(", job made at ") && !words.contains("jobs wait"), "{words}");
        let pool = reactor.thread_pool().clone();
        drop(reactor);
        stuck.open();
        pool.stop().unwrap();
        assert_eq!(log, [true], "the pool goes on, without the reactor");
        assert_eq!(pool.stats().completed, 2);
    });
}

// Checks: P94
#[test]
fn a_pool_that_has_not_stopped_in_time_is_listed_though_none_of_its_workers_does_anything() {
    let reactor = Reactor::builder().pool_size(0, 1).stop_within(SECOND).build_test().unwrap();
    reactor.call_in_thread(|| ()).unwrap();
    assert_eq!(reactor.settle(), Turn::Idle);
    reactor.stop().unwrap();
    // The worker, which is to exit, is not stepped.
    assert_eq!(reactor.turn(), Ok(Turn::Wait(SECOND)));
    assert_eq!(Reactor::advance(&reactor, SECOND), Ok(Turn::Ended));
    let shutdown = reactor.ended().unwrap();
    let [late] = &shutdown.late[..] else { panic!("{shutdown}") };
    assert_eq!((late.name.as_str(), late.stragglers.len(), late.queued), ("reactor", 0, 0));
}

// Checks: P94, B23
#[test]
fn triggers_that_are_left_run_when_the_time_of_shutdown_is_over() {
    let clock = VirtualClock::new();
    let reactor = Reactor::builder().clock(clock.clone()).stop_within(SECOND).build().unwrap();
    let log = Log::new();
    let mut kept = Vec::new();
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let (never, resolver) = Deferred::<()>::new();
        kept.push(resolver);
        let notes = log.clone();
        let _ = reactor.add_event_trigger(phase, Event::SHUTDOWN, move |_| {
            notes.note(phase);
            never
        });
    }
    reactor.turn().unwrap();
    reactor.stop().unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, [Phase::Before]);
    clock.advance(SECOND);
    reactor.turn().unwrap();
    assert_eq!(log, [Phase::Before, Phase::During, Phase::After]);
    // What was not waited for may still fire.
    kept.into_iter().for_each(|resolver| resolver.callback(()));
    while reactor.turn().unwrap() != Turn::Ended {}
    assert!(reactor.ended().unwrap().timed_out);
}

// Checks: P94
#[test]
fn run_returns_in_time_on_the_systems_clock_too() {
    with_watchdog(|| {
        let stuck = Gate::new();
        let reactor = Reactor::builder().stop_within(Duration::from_millis(1)).build().unwrap();
        let (held, handle) = (stuck.clone(), reactor.handle());
        reactor
            .call_in_thread(move || {
                handle.stop();
                held.pass();
            })
            .unwrap();
        let shutdown = reactor.run();
        assert!(shutdown.timed_out, "{shutdown}");
        assert_eq!(shutdown.late.len(), 1);
        stuck.open();
    });
}

// Checks: B48, P10
#[test]
fn what_waits_for_a_callback_to_return_happens_though_that_turns_a_reactor() {
    let log = Log::new();
    let (first, first_resolver) = Deferred::<()>::new();
    let (second, second_resolver) = Deferred::<()>::new();
    let (returns, fails) = (log.clone(), log.clone());
    let _ = second.add_errback(move |_| fails.note("the second fails"));
    let reactor = Reactor::new();
    let _ = first.add_errback(move |_| {
        drop(second_resolver);
        reactor.turn().unwrap();
        returns.note("the callback returns");
    });
    drop(first_resolver);
    assert_eq!(log, ["the callback returns", "the second fails"]);
}
