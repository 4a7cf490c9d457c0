//! Shell 3, thread starts that fail: whatever races the failure, each job is resolved once, and nobody waits for the
//! missing thread.

use selvedge::loom::{
    ThreadPool,
    pool::Cancellation,
    report::{Incident, Report},
};
use selvedge::{Failure, error::NeverRan};

use crate::explore::{explore, explore_calm};
use crate::pool::client;
use crate::probes::Log;
use crate::waits::stop_resolving;

/// A pool whose next thread start fails.
fn failing(min: usize, max: usize) -> ThreadPool {
    let reported = |report: &Report<'_>| {
        let of_a_job = matches!(report.error.downcast_ref(), Some(NeverRan::ThreadStart(_)));
        assert!(report.incident == Incident::ThreadStart || of_a_job, "{report}");
    };
    let pool = ThreadPool::builder().size(min, max).on_report(reported).build().unwrap();
    pool.fail_starts(1);
    pool
}

/// Submits a job whose callback notes `number` when the job has run, or has failed because no thread could be started.
fn submit(pool: &ThreadPool, log: &Log, number: u32) {
    let notified = log.clone();
    let on_result = move |result: Result<(), Failure>| {
        assert!(result.is_ok() || matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::ThreadStart(_))));
        notified.note(number);
    };
    pool.call_in_thread_with_callback(on_result, || ()).unwrap();
}

/// Jobs wait only while there is a thread, running or starting.
fn assert_no_stranded_job(pool: &ThreadPool) {
    let stats = pool.stats();
    assert!(stats.queued == 0 || stats.live > 0, "a job waits, and there is no thread: {stats:?}");
}

// Checks: B41, R3
// Races: submit × failed start
#[test]
fn a_start_that_fails_against_another_submission_loses_no_job() {
    explore_calm(|chaos| {
        let pool = failing(0, 1);
        pool.start().unwrap();
        let log = Log::default();
        let other = log.clone();
        let other = client(&pool, chaos, move |pool| submit(pool, &other, 2));
        submit(&pool, &log, 1);
        drop(other.join());
        assert_no_stranded_job(&pool);
        stop_resolving(&pool, 2);
        assert_eq!(log.seen_in_any_order(), [1, 2]);
    });
}

// Checks: B31, B41, R3
// Races: submit × failed start
#[test]
fn a_resize_whose_start_fails_against_a_submission_loses_no_job() {
    explore_calm(|chaos| {
        let pool = failing(0, 0);
        pool.start().unwrap();
        let log = Log::default();
        let other = log.clone();
        let other = client(&pool, chaos, move |pool| submit(pool, &other, 1));
        pool.adjust_pool_size(1, 1).unwrap();
        drop(other.join());
        assert_no_stranded_job(&pool);
        // The next resize starts the missing minimum.
        pool.adjust_pool_size(1, 1).unwrap();
        assert_eq!(pool.stats().live, 1);
        stop_resolving(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B31, B41, R3
// Races: grow × failed start
#[test]
fn a_start_that_fails_against_a_resize_that_asks_for_one_loses_no_job() {
    explore_calm(|chaos| {
        let pool = failing(0, 1);
        let log = Log::default();
        submit(&pool, &log, 1);
        let other = client(&pool, chaos, |pool| pool.adjust_pool_size(1, 1).unwrap());
        pool.start().unwrap();
        drop(other.join());
        assert_no_stranded_job(&pool);
        stop_resolving(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B28, B31, B41, R3
// Races: shrink × failed start
#[test]
fn a_start_that_fails_against_a_pause_leaves_its_job_to_the_stop_or_fails_it() {
    explore_calm(|chaos| {
        let pool = failing(0, 1);
        let log = Log::default();
        submit(&pool, &log, 1);
        let other = client(&pool, chaos, |pool| pool.adjust_pool_size(0, 0).unwrap());
        pool.start().unwrap();
        drop(other.join());
        assert_eq!(pool.stats().live, 0);
        stop_resolving(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B40, B41, R3, R29
// Races: stop × failed start
#[test]
fn a_start_that_fails_against_a_stop_fails_its_job_and_the_pool_stops() {
    explore(|chaos| {
        let pool = failing(0, 1);
        pool.start().unwrap();
        let submit = |pool: &ThreadPool| pool.call_in_thread(|| unreachable!("there is no thread")).is_ok();
        let other = client(&pool, chaos, submit);
        let _chaos_thread = chaos.start(|| pool.clone(), ThreadPool::wake_stoppers_spuriously);
        pool.stop().unwrap();
        let accepted = u64::from(other.join().0);
        stop_resolving(&pool, accepted);
        assert_eq!(pool.stats().failed, accepted);
    });
}

// Checks: B41, B43, R3
// Races: cancel × failed start
#[test]
fn a_job_that_is_cancelled_against_a_start_that_fails_is_resolved_once() {
    explore_calm(|chaos| {
        let pool = failing(0, 1);
        let ticket = pool.call_in_thread_ticketed(|| unreachable!("there is no thread")).unwrap();
        let failed = Log::default();
        let seen = failed.clone();
        let other = client(&pool, chaos, move |_| (seen.seen(), ticket.cancel(), ticket));
        pool.start().unwrap();
        failed.note(1);
        let (failed, cancelled, ticket) = other.join().0;
        let stats = pool.stats();
        let never_runs = cancelled == Cancellation::NeverRuns;
        assert!(failed.is_empty() || !never_runs, "the job had failed before");
        assert_eq!((stats.cancelled, stats.failed), if never_runs { (1, 0) } else { (0, 1) });
        assert_eq!((stats.live, stats.queued, ticket.cancel()), (0, 0, Cancellation::Over));
    });
}

// Checks: B34, B41, R3
// Races: keep-alive × failed start
#[test]
fn a_start_that_fails_in_the_place_of_a_worker_that_expires_loses_no_job() {
    explore_calm(|_| {
        let pool = failing(1, 1);
        pool.fail_starts(0);
        pool.start().unwrap();
        pool.adjust_pool_size(0, 1).unwrap();
        pool.fail_starts(1);
        // The worker is about to exit, has found the new job, or sleeps again.
        pool.let_deadlines_pass();
        let log = Log::default();
        submit(&pool, &log, 1);
        assert_no_stranded_job(&pool);
        stop_resolving(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}
