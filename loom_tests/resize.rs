//! Shell 3, resizes: no job is left behind, and the pool reaches the last size that was asked for.

use loom::thread;

use crate::explore::{explore, explore_calm};
use crate::pool::{client, pool, start_chaos, started, stop};
use crate::probes::{Log, MustRun, Signal};

/// The job is submitted before the start, because a search in which it races the start of two workers had not ended
/// after 2,350,000 iterations. A submission that races one retiring worker is in the third model; more workers are in
/// the machine's exhaustive search.
// Checks: B30, B31, R1, R9
// Races: submit × shrink
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_job_that_waits_while_its_pool_shrinks_is_run() {
    explore_calm(|_| {
        let pool = pool(2, 2);
        pool.call_in_thread(MustRun::of(1).job(|| ())).unwrap();
        pool.start().unwrap();
        pool.adjust_pool_size(1, 1).unwrap();
    });
}

// Checks: B30, B31, R4
#[test]
fn an_idle_worker_above_the_target_retires_now() {
    explore(|chaos| {
        let pool = started(1, 1);
        let _chaos_thread = start_chaos(&pool, chaos);
        pool.adjust_pool_size(0, 0).unwrap();
        while pool.stats().live > 0 {
            thread::yield_now();
        }
        stop(&pool, 0);
    });
}

// Checks: B28, B31, R10, R11
// Races: submit × shrink
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_job_submitted_while_the_last_worker_retires_is_run_when_there_is_room_again() {
    explore_calm(|chaos| {
        let pool = started(1, 1);
        let (done, notifier) = Signal::pair();
        pool.adjust_pool_size(0, 0).unwrap();
        pool.call_in_thread(move || notifier.notify()).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        pool.adjust_pool_size(0, 1).unwrap();
        done.wait();
        stop(&pool, 1);
    });
}

// Checks: B28, B31, R9, R11
// Races: submit × grow
#[test]
fn a_job_submitted_against_the_end_of_a_pause_is_run() {
    explore_calm(|chaos| {
        let pool = started(0, 0);
        let (done, notifier) = Signal::pair();
        let client = client(&pool, chaos, move |pool| pool.call_in_thread(move || notifier.notify()).unwrap());
        pool.adjust_pool_size(0, 1).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        done.wait();
        drop(client.join());
        stop(&pool, 1);
    });
}

// Checks: B28, B40, R29
#[test]
fn a_paused_pool_that_is_stopped_still_finishes_its_jobs() {
    explore(|chaos| {
        let pool = started(1, 1);
        let log = Log::default();
        pool.adjust_pool_size(0, 0).unwrap();
        pool.call_in_thread(log.job(1)).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B31, R1, R11
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn growing_serves_a_job_that_another_one_waits_for() {
    explore_calm(|_| {
        let pool = pool(0, 1);
        let due = MustRun::of(2);
        let (first, second) = Signal::pair();
        pool.call_in_thread(due.job(move || first.wait())).unwrap();
        pool.call_in_thread(due.job(move || second.notify())).unwrap();
        pool.start().unwrap();
        // The only worker may be waiting in the first job by now; only the resize brings another.
        pool.adjust_pool_size(0, 2).unwrap();
    });
}

// Checks: B31, B33, R10, R13
// Races: grow × shrink
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn of_two_resizes_at_once_the_later_one_holds() {
    explore_calm(|chaos| {
        let pool = started(1, 1);
        let other = client(&pool, chaos, |pool| pool.adjust_pool_size(0, 0).unwrap());
        pool.adjust_pool_size(1, 1).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        drop(other.join());
        let asked = pool.stats();
        assert!(asked.live >= asked.min, "below its minimum, and nobody will start one: {asked:?}");
        stop(&pool, 0);
    });
}

// Checks: B31, B40, R10, R29
// Races: grow × stop
#[test]
fn a_pause_that_ends_against_a_stop_brings_up_one_worker_for_its_job() {
    explore_calm(|chaos| {
        let pool = started(0, 0);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        let other = client(&pool, chaos, |pool| pool.adjust_pool_size(0, 1).unwrap());
        stop(&pool, 1);
        drop(other.join());
        assert_eq!((log.seen(), pool.stats().peak), (vec![1], 1));
    });
}

// Checks: B28, B31, B40, R10, R29
// Races: shrink × stop
#[test]
fn a_pause_against_a_stop_leaves_no_job_behind() {
    explore_calm(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        let other = client(&pool, chaos, |pool| pool.adjust_pool_size(0, 0).unwrap());
        stop(&pool, 1);
        drop(other.join());
        assert_eq!((log.seen(), pool.stats().peak), (vec![1], 1));
    });
}
