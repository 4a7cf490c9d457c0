//! Tasks: when they are polled, what ends them, and what becomes of their output.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use selvedge::{
    Deferred, Failure, LocalHandle, Reactor,
    error::{Cancelled, Panic, ReactorStopped},
    report::Incident,
    testing::VirtualClock,
    threads,
};

use crate::support::{Log, reporting, virtual_time};

/// Stops the reactor when a Deferred has come to something, and keeps that.
fn keep<T: 'static>(reactor: &Reactor, deferred: Deferred<T>) -> Rc<RefCell<Option<Result<T, Failure>>>> {
    let kept = Rc::new(RefCell::new(None));
    let (keeps, local) = (Rc::clone(&kept), reactor.local());
    deferred.add_both(move |result| {
        keeps.replace(Some(result));
        local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap_or_default();
    });
    kept
}

// Checks: P21
#[test]
fn a_future_that_is_not_send_runs_and_its_output_fires_the_deferred() {
    let (reactor, reports) = reporting();
    let local = Rc::new(Cell::new(20));
    let inside = Rc::clone(&local);
    let output = keep(
        &reactor,
        reactor.spawn(async move {
            inside.set(inside.get() + 1);
            inside.get() * 2
        }),
    );
    assert_eq!(local.get(), 20, "it is not polled before the reactor runs");
    reactor.run();
    assert_eq!(output.take().unwrap().unwrap(), 42);
    assert_eq!((Rc::strong_count(&local), reports.len()), (1, 0));
}

// Checks: P21
#[test]
fn the_first_poll_comes_in_a_turn_to_come_in_the_order_of_posts() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let (call, task, later) = (log.clone(), log.clone(), log.clone());
    reactor.call_when_running(move |reactor| {
        reactor.call_from_thread(move |_| call.note("call before")).unwrap();
        let _ = reactor.spawn(async move { task.note("task") });
        reactor
            .call_from_thread(move |reactor| {
                later.note("call after");
                reactor.stop().unwrap();
            })
            .unwrap();
        later_is_not_now(reactor);
    });
    reactor.run();
    assert_eq!(log, ["call before", "task", "call after"]);
}

fn later_is_not_now(reactor: &Reactor) {
    let polled = Rc::new(Cell::new(false));
    let sets = Rc::clone(&polled);
    let _ = reactor.spawn(async move { sets.set(true) });
    assert!(!polled.get(), "never inside spawn");
}

// Checks: P21, B7
#[test]
fn a_task_that_wakes_itself_is_polled_once_a_turn() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let (polls, calls) = (log.clone(), log.clone());
    let left = Cell::new(3);
    let done = reactor.spawn(poll_fn(move |context| {
        polls.note("poll");
        // Three times over, and it is one poll.
        (0..3).for_each(|_| context.waker().wake_by_ref());
        left.set(left.get() - 1);
        if left.get() == 0 { Poll::Ready(()) } else { Poll::Pending }
    }));
    let _ = keep(&reactor, done);
    reactor
        .call_from_thread(move |reactor| {
            calls.note("call");
            reactor.call_from_thread(move |_| calls.note("next turn")).unwrap();
        })
        .unwrap();
    reactor.run();
    assert_eq!(log, ["poll", "call", "poll", "next turn", "poll"]);
}

// Checks: P21, B50
#[test]
fn the_output_may_be_whatever_a_callback_may_return() {
    let (reactor, _) = reporting();
    let local = reactor.local();
    let failed = keep(&reactor, reactor.spawn(async { "x".parse::<u32>() }));
    let nested = keep(&reactor, reactor.spawn(async move { local.sleep(Duration::ZERO).add_callback(|()| 7_u32) }));
    reactor.run();
    assert!(failed.take().unwrap().unwrap_err().is::<std::num::ParseIntError>());
    // The first task asks the reactor to stop. The timer of the second fires before the end, or fails at it.
    assert!(nested.take().is_some());
}

// Checks: P22
#[test]
fn cancelling_drops_the_future_at_once_and_it_is_not_polled_again() {
    let (reactor, _, reports) = virtual_time();
    let log = Log::new();
    let (dropped, polled) = (log.when_dropped("dropped"), log.clone());
    let task = reactor.spawn(async move {
        let _dropped = dropped;
        polled.note("polled");
        pending::<()>().await;
    });
    reactor.turn().unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, ["polled"]);
    task.cancel();
    assert_eq!(log, ["polled", "dropped"]);
    let failed = task.try_result().unwrap().unwrap_err();
    assert!(failed.is::<Cancelled>());
    reactor.handle().stop();
    reactor.run();
    assert_eq!(reports.len(), 0);
}

// Checks: P22
#[test]
fn one_that_is_cancelled_before_its_first_poll_is_never_polled() {
    let (reactor, _) = reporting();
    let task = reactor.spawn(poll_fn(|_| -> Poll<()> { panic!("never") }));
    task.cancel();
    assert!(task.try_result().unwrap().unwrap_err().is::<Cancelled>());
    reactor.handle().stop();
    reactor.run();
}

// Checks: P22, B56
#[test]
fn a_task_that_cancels_itself_is_dropped_when_its_poll_returns() {
    for waits in [false, true] {
        let (reactor, _, reports) = virtual_time();
        let log = Log::new();
        let own: Rc<RefCell<Option<Deferred<u32>>>> = Rc::default();
        let (inside, dropped, noted) = (Rc::clone(&own), log.when_dropped("dropped"), log.clone());
        let task = reactor.spawn(async move {
            let _dropped = dropped;
            inside.borrow().as_ref().unwrap().cancel();
            noted.note("still here");
            if waits {
                pending::<()>().await;
            }
            7_u32
        });
        own.replace(Some(task));
        reactor.turn().unwrap();
        assert_eq!(log, ["still here", "dropped"]);
        assert!(own.take().unwrap().try_result().unwrap().unwrap_err().is::<Cancelled>());
        assert_eq!(reports.len(), 0);
    }
}

// Checks: P22, B60
#[test]
fn a_failure_of_a_task_that_was_cancelled_in_its_own_poll_is_reported_once() {
    let (reactor, _, reports) = virtual_time();
    let own: Rc<RefCell<Option<Deferred<()>>>> = Rc::default();
    let inside = Rc::clone(&own);
    let task = reactor.spawn(async move {
        inside.borrow().as_ref().unwrap().cancel();
        Err::<(), _>(Failure::msg("after it was cancelled"))
    });
    own.replace(Some(task));
    reactor.turn().unwrap();
    assert!(own.take().unwrap().try_result().unwrap().unwrap_err().is::<Cancelled>());
    assert_eq!(reports, [Incident::Unhandled]);
}

// Checks: P22, B38
#[test]
fn a_panic_in_a_poll_fails_the_deferred_and_the_loop_goes_on() {
    let (reactor, reports) = reporting();
    let failed = keep(
        &reactor,
        reactor.spawn(async {
            if true {
                panic!("in the {}", "poll")
            }
        }),
    );
    reactor.run();
    let failure = failed.take().unwrap().unwrap_err();
    assert_eq!(failure.downcast::<Panic>().unwrap().message(), "in the poll");
    assert_eq!(reports.len(), 0);
}

// Checks: P22, B60
#[test]
fn a_failure_of_a_task_that_nobody_holds_is_reported_with_the_place_where_it_was_spawned() {
    let lines = Log::new();
    let sink = lines.clone();
    let reactor = Reactor::builder()
        .on_report(move |report| sink.note((report.incident, report.location.unwrap().line())))
        .build()
        .unwrap();
    let line = line!() + 1;
    drop(reactor.spawn(async { Err::<(), _>(Failure::msg("no")) }));
    let local = reactor.local();
    drop(local.spawn(async { Err::<(), _>(Failure::msg("no")) }));
    reactor.handle().stop();
    reactor.run();
    assert_eq!(lines, [(Incident::Unhandled, line), (Incident::Unhandled, line + 2)]);
}

// Checks: P22, B13
#[test]
fn the_reactors_end_drops_the_future_and_fails_the_deferred() {
    for run in [true, false] {
        let (reactor, reports) = reporting();
        let log = Log::new();
        let (dropped, told) = (log.when_dropped("dropped"), log.clone());
        let task = reactor.spawn(async move {
            let _dropped = dropped;
            pending::<()>().await;
        });
        task.add_errback(move |failure| {
            assert!(failure.is::<ReactorStopped>());
            told.note("told");
        });
        if run {
            reactor.handle().stop();
            reactor.run();
        } else {
            drop(reactor);
        }
        assert_eq!(log, ["dropped", "told"]);
        assert_eq!(reports.len(), 0);
    }
}

/// More tasks than have a place of their own: the others are found in the tree of the values.
const MANY: usize = 2_000;

// Checks: P22, P5
#[test]
fn tasks_and_values_that_are_left_are_dropped_at_the_reactors_end_the_oldest_first() {
    let (reactor, _) = reporting();
    let log = Log::new();
    let own = |number: usize| drop(reactor.own(log.when_dropped(number)).detach());
    let spawn = |number: usize| {
        let dropped = log.when_dropped(number);
        let task = reactor.spawn(async move {
            let _dropped = dropped;
            pending::<()>().await;
        });
        drop(task.add_errback(|_| ()));
    };
    (0..MANY).for_each(|number| if number % 3 == 0 { own(number) } else { spawn(number) });
    drop(reactor);
    assert_eq!(log.entries(), (0..MANY).collect::<Vec<_>>());
}

// Checks: P21, P22
#[test]
fn each_of_many_tasks_is_polled_for_its_own_wakes_and_cancelled_by_its_own_deferred() {
    let (reactor, _, reports) = virtual_time();
    let polls: Rc<Vec<Cell<usize>>> = Rc::new((0..MANY).map(|_| Cell::new(0)).collect());
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    // Half of them end at once, so that others come to the places that those leave.
    drop((0..MANY).map(|_| reactor.spawn(async {})).collect::<Vec<_>>());
    let tasks: Vec<_> = (0..MANY)
        .map(|number| {
            let (polls, wakers) = (Rc::clone(&polls), Rc::clone(&wakers));
            reactor.spawn(poll_fn(move |context| {
                if polls[number].replace(polls[number].get() + 1) == 0 {
                    wakers.borrow_mut().push(context.waker().clone());
                }
                if polls[number].get() == 3 { Poll::Ready(number) } else { Poll::Pending }
            }))
        })
        .collect();
    reactor.turn().unwrap();
    wakers.borrow().iter().step_by(2).for_each(Waker::wake_by_ref);
    reactor.turn().unwrap();
    assert!(polls.iter().enumerate().all(|(number, polls)| polls.get() == 2 - number % 2));
    tasks.iter().skip(1).step_by(2).for_each(Deferred::cancel);
    wakers.borrow().iter().for_each(Waker::wake_by_ref);
    reactor.turn().unwrap();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.try_result().unwrap() {
            Ok(output) => assert_eq!((output, number % 2), (number, 0)),
            Err(failure) => assert!(failure.is::<Cancelled>() && number % 2 == 1),
        }
    }
    assert_eq!(reports.len(), 0);
}

// Checks: P22
#[test]
fn after_the_reactors_end_a_task_fails_at_once() {
    let (reactor, _) = reporting();
    let local: LocalHandle = reactor.local();
    reactor.handle().stop();
    reactor.run();
    let dropped = Rc::new(());
    let held = Rc::clone(&dropped);
    let task = local.spawn(async move { drop(held) });
    assert_eq!(Rc::strong_count(&dropped), 1);
    assert!(task.try_result().unwrap().unwrap_err().is::<ReactorStopped>());
    assert!(local.sleep(Duration::ZERO).try_result().unwrap().unwrap_err().is::<ReactorStopped>());
}

// Checks: P22
#[test]
fn a_task_that_is_spawned_while_the_reactor_drops_what_it_owns_fails_too() {
    struct Spawns(LocalHandle, Log<&'static str>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let log = self.1.clone();
            self.0.spawn(async { 1 }).add_errback(move |failure| {
                assert!(failure.is::<ReactorStopped>());
                log.note("told");
                0
            });
        }
    }
    let (reactor, reports) = reporting();
    let log = Log::new();
    let _ = reactor.own(Spawns(reactor.local(), log.clone())).detach();
    reactor.handle().stop();
    reactor.run();
    assert_eq!((log.entries(), reports.len()), (vec!["told"], 0));
}

// Checks: P22, B58
#[test]
fn cancelling_a_task_cancels_what_it_awaits() {
    let (reactor, _, reports) = virtual_time();
    let log = Log::new();
    let cancelled = log.clone();
    let (inner, _keep) = Deferred::<()>::with_canceller(move || cancelled.note("inner cancelled"));
    let task = reactor.spawn(async move { inner.await });
    reactor.turn().unwrap();
    task.cancel();
    assert_eq!(log, ["inner cancelled"]);
    assert!(task.try_result().unwrap().unwrap_err().is::<Cancelled>());
    assert_eq!(reports.len(), 0);
}

// Checks: P22
#[test]
fn a_task_that_awaits_itself_leaks_nothing() {
    let (reactor, reports) = reporting();
    let own: Rc<Cell<Option<Deferred<()>>>> = Rc::default();
    let (inside, alive) = (Rc::clone(&own), Rc::new(()));
    let held = Rc::clone(&alive);
    own.set(Some(reactor.spawn(async move {
        let _held = held;
        let itself = inside.take().unwrap();
        itself.await
    })));
    reactor.handle().stop();
    reactor.run();
    assert_eq!((Rc::strong_count(&alive), reports.len()), (1, 0));
}

// Checks: P21, P24, B46
#[test]
fn timers_thread_calls_and_other_tasks_can_be_awaited() {
    let (reactor, reports) = reporting();
    let local = reactor.local();
    let output = keep(
        &reactor,
        reactor.spawn(async move {
            local.sleep(Duration::from_millis(1)).await?;
            let six = local.with(|reactor| threads::defer_to_thread(reactor, || 6_u32))?.await?;
            let seven = local.spawn(async { 7_u32 }).await?;
            Ok::<_, Failure>(six * seven)
        }),
    );
    reactor.run();
    assert_eq!(output.take().unwrap().unwrap(), 42);
    assert_eq!(reports.len(), 0);
}

struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("a drop that panics");
    }
}

// Checks: P22, B38
#[test]
fn a_future_whose_drop_panics_is_reported_and_its_deferred_still_fires() {
    let (reactor, reports) = reporting();
    let finished = reactor.spawn(poll_fn({
        let panics_on_drop = PanicOnDrop;
        move |_| {
            let _ = &panics_on_drop;
            Poll::Ready(1)
        }
    }));
    let finished = keep(&reactor, finished);
    let panics_on_drop = PanicOnDrop;
    let stopped = reactor.spawn(async move {
        let _panics_on_drop = panics_on_drop;
        pending::<u32>().await
    });
    let told = Rc::new(Cell::new(false));
    let tells = Rc::clone(&told);
    stopped.add_errback(move |_| {
        tells.set(true);
        0
    });
    reactor.run();
    assert_eq!(finished.take().unwrap().unwrap(), 1);
    assert!(told.get());
    assert_eq!(reports, [Incident::Drop, Incident::Drop]);
}

/// A task that never ends, and whose future panics as it is dropped.
fn endless(reactor: &Reactor, mut polled: impl FnMut() + 'static) -> Deferred<()> {
    let panics_on_drop = PanicOnDrop;
    reactor.spawn(poll_fn(move |_| {
        let _ = &panics_on_drop;
        polled();
        Poll::<()>::Pending
    }))
}

// Checks: P22, B38
#[test]
fn a_panic_of_a_future_that_is_dropped_by_a_cancel_is_reported_to_its_reactor() {
    let (reactor, reports) = reporting();
    let task = endless(&reactor, || ());
    task.cancel();
    assert_eq!(reports, [Incident::Drop]);
    assert!(task.try_result().unwrap().unwrap_err().is::<Cancelled>());
}

// Checks: P7, P22, B38
#[test]
fn a_panic_of_a_future_that_is_dropped_as_its_own_poll_drops_the_reactor_is_reported() {
    let (reactor, reports) = reporting();
    let (local, held) = (reactor.local(), Rc::new(RefCell::new(None)));
    let task = endless(&reactor, {
        let held = Rc::clone(&held);
        move || drop(held.take())
    });
    *held.borrow_mut() = Some(reactor);
    local.with(|reactor| reactor.turn().unwrap()).unwrap();
    assert_eq!(reports, [Incident::Drop]);
    assert!(task.try_result().unwrap().unwrap_err().is::<ReactorStopped>());
}

// Checks: P24, P8
#[test]
fn tasks_run_on_a_virtual_clock() {
    let (reactor, clock, _): (Reactor, VirtualClock, _) = virtual_time();
    let local = reactor.local();
    let task = reactor.spawn(async move { local.sleep(Duration::from_secs(3600)).await });
    let output = keep(&reactor, task);
    let begun = std::time::Instant::now();
    reactor.run();
    assert!(output.take().unwrap().is_ok());
    assert_eq!(clock.now(), Duration::from_secs(3600));
    assert!(begun.elapsed() < Duration::from_secs(600));
}
