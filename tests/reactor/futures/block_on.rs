//! A reactor that runs for the sake of one future, and what a local handle does in place of its reactor.

use std::future::pending;
use std::thread;
use std::time::Duration;

use selvedge::error::{Panic, ReactorStopped};
use selvedge::{Failure, Reactor};

use crate::support::{DropSignal, Log, reporting, with_watchdog};

// Checks: P111
#[test]
fn block_on_returns_the_output_when_the_reactor_has_shut_down() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let log = Log::new();
        let (local, pool) = (reactor.local(), reactor.handle().thread_pool().clone());
        let (in_job, in_call) = (log.clone(), log.clone());
        let answer = reactor.block_on(async move {
            local.sleep(Duration::from_millis(1)).await?;
            let _ = local.call_later(Duration::ZERO, move |_| in_call.note("timer"))?;
            local.ask(|reactor| reactor.sleep(Duration::from_millis(1))).await?;
            local.with(|reactor| reactor.call_in_thread(move || in_job.note("job")).unwrap())?;
            local.defer_to_thread(|| 6_u32).await
        });
        assert_eq!(answer.unwrap(), 6);
        assert_eq!(log.entries().len(), 2);
        assert!(pool.has_stopped());
        assert_eq!(reports, []);
    });
}

// Checks: P111
#[test]
fn a_failed_future_a_panic_and_a_reactor_that_is_stopped_are_errors_of_block_on() {
    with_watchdog(|| {
        let block_on_unit = |future: std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>>>>| {
            Reactor::new().block_on(future).unwrap_err()
        };
        assert!(block_on_unit(Box::pin(async { Err(Failure::new(std::fmt::Error)) })).is::<std::fmt::Error>());
        assert!(block_on_unit(Box::pin(async { panic!("no") })).is::<Panic>());

        let (reactor, reports) = reporting();
        let (drop_signal, buried) = DropSignal::new();
        let local = reactor.local();
        let stopped = reactor.block_on(async move {
            let _drop_signal = drop_signal;
            local.stop();
            pending::<()>().await;
        });
        assert!(stopped.unwrap_err().is::<ReactorStopped>());
        assert_eq!(buried.recv().unwrap(), thread::current().id());
        assert_eq!(reports, []);
    });
}

// Checks: P111
#[test]
fn a_local_handle_of_a_reactor_that_has_ended_drops_what_it_is_given_and_says_so() {
    let reactor = Reactor::new();
    let local = reactor.local();
    assert!(!local.has_ended());
    local.stop();
    reactor.run();
    let drops = Log::new();
    let [asked, deferred, given, called] = [1, 2, 3, 4].map(|number| drops.when_dropped(number));
    let stopped = |answer: Result<Result<(), Failure>, _>| {
        assert!(answer.is_ok_and(|answer| answer.is_err_and(|failure| failure.is::<ReactorStopped>())));
    };
    stopped(local.ask(move |_| drop(asked)).try_result().map_err(|_| ()));
    stopped(local.defer_to_thread(move || drop(deferred)).try_result().map_err(|_| ()));
    let pool = selvedge::ThreadPool::new(0, 1).unwrap();
    stopped(local.defer_to_thread_pool(&pool, move || drop(given)).try_result().map_err(|_| ()));
    assert_eq!(local.call_later(Duration::ZERO, move |_| drop(called)).unwrap_err(), ReactorStopped);
    assert_eq!(drops, [1, 2, 3, 4]);
    assert!(local.has_ended());
    local.stop();
}

// Checks: P111, P100
#[test]
fn block_on_inside_the_turn_of_another_reactor_returns_to_it_and_what_was_asked_of_that_is_answered_then() {
    with_watchdog(|| {
        let log = Log::new();
        let (in_call, in_task) = (log.clone(), log.clone());
        let outer = Reactor::new();
        outer.call_when_running(move |outer| {
            let inner = Reactor::new();
            let (local, asked) = (inner.local(), outer.handle().ask(Reactor::is_running));
            let answer = inner.block_on(async move {
                local.sleep(Duration::from_millis(1)).await?;
                local.defer_to_thread(|| 6_u32).await
            });
            in_call.note(answer.unwrap());
            let outer_handle = outer.handle();
            let _ = outer.spawn(async move {
                in_task.note(u32::from(asked.await.unwrap()));
                outer_handle.stop();
            });
        });
        outer.run();
        assert_eq!(log, [6, 1]);
    });
}
