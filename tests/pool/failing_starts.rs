//! Threads that cannot be started: how often they are tried, counted and reported.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge::{
    Failure, Job, Reactor, ThreadPool,
    error::{NeverRan, Rejected},
    pool::{Cancellation, PoolBuilder, StopPolicy, StopWithinError, WhenFull},
    reactor::Turn,
    report::{Incident, Report},
    testing::{Step, Stepper},
    threads,
};

use crate::support::{Log, wait_until, with_watchdog};

fn stepped(builder: PoolBuilder) -> (ThreadPool, Stepper) {
    let (pool, stepper) = builder.build_stepped().unwrap();
    pool.start().unwrap();
    (pool, stepper)
}

// Checks: B41, P67, R45
#[test]
fn starts_that_fail_are_reported_once_until_one_succeeds_and_never_counted_as_threads() {
    let log = Log::new();
    let (pool, stepper) = stepped(ThreadPool::builder().size(0, 4).on_report(log.sink()));
    let told = Arc::new(Mutex::new(0));
    for failures in [50, 100] {
        pool.fail_starts(50);
        for _ in 0..50 {
            let told = Arc::clone(&told);
            let on_result = move |result: Result<(), Failure>| {
                assert!(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::ThreadStart(_))));
                *told.lock().unwrap() += 1;
            };
            pool.call_in_thread_with_callback(on_result, || ()).unwrap();
        }
        let stats = pool.stats();
        assert_eq!((stats.start_failures, stats.failed, stats.live), (failures, failures, 0));
        assert_eq!(stats.peak, usize::from(failures > 50));
        assert_eq!(log.entries(), vec![Incident::ThreadStart; if failures > 50 { 2 } else { 1 }]);
        // One that starts ends the series.
        pool.call_in_thread(|| ()).unwrap();
        while stepper.step().is_some() {}
        pool.let_deadlines_pass();
        while stepper.step().is_some() {}
    }
    assert_eq!(*told.lock().unwrap(), 100);
    assert_eq!(pool.stats().completed, 2);
}

// Checks: B41, P67
#[test]
fn a_second_stop_tries_a_failed_start_again() {
    let log = Log::new();
    let (pool, stepper) = stepped(ThreadPool::builder().size(0, 2).on_report(log.sink()));
    pool.call_in_thread(|| ()).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    pool.fail_starts(2);
    pool.call_in_thread(|| ()).unwrap();
    pool.stop().unwrap();
    assert_eq!((pool.stats().start_failures, pool.stats().live), (2, 1));
    pool.stop().unwrap();
    assert_eq!(pool.stats().live, 2);
    while stepper.step().is_some() {}
    assert!(pool.has_stopped());
}

// Checks: P67
#[test]
fn the_largest_minimum_fails_its_first_start_and_tries_no_more() {
    let (pool, stepper) = ThreadPool::builder().size(usize::MAX, usize::MAX).on_report(|_| ()).build_stepped().unwrap();
    pool.fail_starts(3);
    pool.start().unwrap();
    pool.call_in_thread(|| ()).unwrap();
    pool.adjust_pool_size(usize::MAX - 1, usize::MAX).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.start_failures, stats.live, stats.peak, stats.failed), (3, 0, 0, 1));
    pool.adjust_pool_size(0, 1).unwrap();
    pool.call_in_thread(|| ()).unwrap();
    while stepper.step().is_some() {}
    assert_eq!((pool.stats().completed, pool.stats().peak), (1, 1));
}

// Checks: B41, P67
#[test]
fn a_pool_whose_last_job_is_cancelled_while_the_thread_for_it_fails_to_start_has_stopped() {
    let log = Log::new();
    let (pool, _stepper) =
        stepped(ThreadPool::builder().size(0, 0).queue_bound(NonZeroUsize::MIN).on_report(log.sink()));
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    let cancelled = Log::new();
    let noting = cancelled.clone();
    let host = Reactor::builder().on_wake(move || noting.note(ticket.cancel())).build().unwrap();
    let waits = threads::defer_to_thread_pool(&host, &pool, Job::new(|| ()).when_full(WhenFull::Wait));
    assert_eq!(host.turn(), Ok(Turn::Idle));
    pool.fail_starts(1);
    // It tells the job that waits for a slot, whose hook takes away the other, before it starts a thread for that one.
    pool.ask_to_stop(StopPolicy::Drain);
    assert_eq!((cancelled.entries(), log.entries()), (vec![Cancellation::NeverRuns], vec![Incident::ThreadStart]));
    assert_eq!((pool.stats().start_failures, pool.stats().cancelled, pool.stats().live), (1, 1, 0));
    assert!(pool.has_stopped());
    while host.turn() == Ok(Turn::Again) {}
    assert!(waits.try_result().ok().unwrap().unwrap_err().is::<Rejected<()>>());
}

// Checks: B41, B42, P67
#[test]
fn a_closing_thread_that_cannot_be_started_is_reported_to_the_pools_sink_and_the_end_is_told() {
    with_watchdog(|| {
        let (reactor, log) = (Reactor::new(), Log::new());
        let pool = ThreadPool::builder().size(1, 1).on_report(log.sink()).build().unwrap();
        pool.start().unwrap();
        let handle = reactor.handle();
        drop(pool.stopped(&reactor).add_callback(move |()| handle.stop()));
        pool.fail_starts(1);
        pool.ask_to_stop(StopPolicy::Drain);
        reactor.run();
        assert_eq!(log, [Incident::ThreadStart]);
        assert!(pool.has_stopped());
    });
}

// Checks: B40, B41, P78
#[test]
fn a_sink_that_is_told_of_a_failed_start_must_not_wait_for_the_pools_stop() {
    let submits = |pool: &ThreadPool| drop(pool.call_in_thread(|| ()));
    let starts = |pool: &ThreadPool| {
        submits(pool);
        pool.adjust_pool_size(0, 1).unwrap();
    };
    let stops = |pool: &ThreadPool| {
        submits(pool);
        pool.stop().unwrap();
    };
    for (paused, ways) in [(false, &submits as &dyn Fn(&ThreadPool)), (true, &starts), (true, &stops)] {
        let (cell, log) = (Arc::new(Mutex::new(None::<ThreadPool>)), Log::new());
        let (own, noted) = (Arc::clone(&cell), log.clone());
        let sink = move |_: &Report<'_>| {
            let pool = own.lock().unwrap().clone();
            noted.note(pool.is_some_and(|pool| pool.stop().is_err()));
        };
        let (pool, _stepper) = stepped(ThreadPool::builder().size(0, usize::from(!paused)).on_report(sink));
        *cell.lock().unwrap() = Some(pool.clone());
        pool.fail_starts(1);
        ways(&pool);
        // Of the start, and of the job that is refused.
        assert_eq!(log, [true, true]);
        cell.lock().unwrap().take();
        pool.stop().unwrap();
        assert!(pool.has_stopped());
    }
}

// Checks: B40, P78
#[test]
fn a_sink_that_is_told_that_no_closing_thread_starts_must_not_wait_for_the_pools_stop() {
    with_watchdog(|| {
        let (cell, log) = (Arc::new(Mutex::new(None::<ThreadPool>)), Log::new());
        let (own, noted) = (Arc::clone(&cell), log.clone());
        let sink = move |_: &Report<'_>| {
            let pool = own.lock().unwrap().take().unwrap();
            noted.note(pool.stop_within(StopPolicy::Drain, Duration::ZERO));
        };
        let pool = ThreadPool::builder().size(0, 1).on_report(sink).build().unwrap();
        pool.start().unwrap();
        pool.call_in_thread(|| ()).unwrap();
        wait_until(|| pool.stats().completed == 1);
        *cell.lock().unwrap() = Some(pool.clone());
        pool.fail_starts(1);
        pool.stop_within(StopPolicy::Drain, Duration::MAX).unwrap();
        assert_eq!(log, [Err(StopWithinError::WouldDeadlock)]);
    });
}

// Checks: B31, P67
#[test]
fn threads_that_are_not_wanted_any_more_are_not_started() {
    with_watchdog(|| {
        for stops in [false, true] {
            // The first thread to start finds out that these are more than the machine can have.
            let cell = Arc::new(Mutex::new(None::<ThreadPool>));
            let own = Arc::clone(&cell);
            let pool = ThreadPool::builder().size(1 << 40, 1 << 40).on_report(|_| ()).on_worker_start(move |_| {
                let pool = own.lock().unwrap().clone();
                if let Some(pool) = pool {
                    if stops {
                        pool.ask_to_stop(StopPolicy::Drain);
                    } else {
                        pool.adjust_pool_size(0, 1).unwrap();
                    }
                }
            });
            let pool = pool.build().unwrap();
            *cell.lock().unwrap() = Some(pool.clone());
            pool.start().unwrap();
            wait_until(|| pool.stats().live <= 1);
            cell.lock().unwrap().take();
            pool.stop().unwrap();
        }
    });
}
