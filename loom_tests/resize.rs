//! Shell 3 while its target moves: no job is stranded by a resize, and the last one asked for is what the pool comes to.

use crate::explore::explore;
use crate::pool::{client, started, stop};
use crate::witness::{Log, Signal};

// Checks: B30, B31, R11
#[test]
fn a_job_submitted_against_a_shrink_is_run() {
    explore(|chaos| {
        let (pool, _shaking) = started(2, 2, chaos);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        pool.adjust_pool_size(1, 1).unwrap();
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B28, B31, R10
#[test]
fn a_job_submitted_against_a_pause_is_run_when_the_pause_is_over() {
    explore(|chaos| {
        let (pool, _shaking) = started(1, 1, chaos);
        let (done, tell) = Signal::pair();
        let client = client(&pool, move |pool| pool.call_in_thread(move || tell.give()).unwrap());
        // The last worker retires, and the job comes before, meanwhile or after.
        pool.adjust_pool_size(0, 0).unwrap();
        pool.adjust_pool_size(0, 1).unwrap();
        done.wait();
        drop(client.join().unwrap());
        stop(&pool, 1);
    });
}

// Checks: B28, B40, R29
#[test]
fn a_paused_pool_that_is_stopped_still_finishes_its_jobs() {
    explore(|chaos| {
        let (pool, _shaking) = started(1, 1, chaos);
        let log = Log::default();
        let job = log.job(1);
        let client = client(&pool, move |pool| pool.call_in_thread(job).unwrap());
        pool.adjust_pool_size(0, 0).unwrap();
        drop(client.join().unwrap());
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B31, R1, R11
#[test]
fn growing_serves_a_job_that_another_one_waits_for() {
    explore(|chaos| {
        let (pool, _shaking) = started(1, 1, chaos);
        let (first, second) = Signal::pair();
        pool.call_in_thread(move || first.wait()).unwrap();
        pool.call_in_thread(move || second.give()).unwrap();
        // The first worker may be waiting in the first job by now, and nobody else will come.
        pool.adjust_pool_size(0, 2).unwrap();
        stop(&pool, 2);
    });
}

// Checks: B31, B33, R10, R13
#[test]
fn of_two_resizes_at_once_the_later_is_what_the_pool_comes_to() {
    explore(|chaos| {
        let (pool, _shaking) = started(1, 1, chaos);
        let other = client(&pool, |pool| pool.adjust_pool_size(0, 0).unwrap());
        pool.adjust_pool_size(2, 2).unwrap();
        drop(other.join().unwrap());
        let asked = pool.stats();
        assert!(asked.live >= asked.min, "below its minimum, and nobody will start one: {asked:?}");
        stop(&pool, 0);
        assert!(pool.stats().peak <= 2);
    });
}
