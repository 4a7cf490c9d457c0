//! Shell 3 while its target moves: no job is stranded by a resize, and the last one asked for is what the pool comes to.

use loom::thread;

use crate::explore::{explore, explore_calm};
use crate::pool::{client, pool, shake, started, stop};
use crate::witness::{Log, Signal};

// Checks: B30, B31, R1, R9
#[test]
#[ignore = "a long search: run it by name, with --ignored"]
fn a_job_submitted_against_a_shrink_is_run() {
    explore_calm(|chaos| {
        let size = chaos.fewer(2, 1);
        let pool = started(size, size);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        pool.adjust_pool_size(size - 1, size - 1).unwrap();
        let _shaking = shake(&pool, chaos);
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B30, B31, R4
#[test]
fn an_idle_worker_above_the_target_retires_now() {
    explore(|chaos| {
        let pool = started(1, 1);
        let _shaking = shake(&pool, chaos);
        pool.adjust_pool_size(0, 0).unwrap();
        while pool.stats().live > 0 {
            thread::yield_now();
        }
        stop(&pool, 0);
    });
}

// Checks: B28, B31, R10, R11
#[test]
fn a_job_submitted_while_the_last_worker_retires_is_run_when_there_is_room_again() {
    explore_calm(|chaos| {
        let pool = started(1, 1);
        let (done, tell) = Signal::pair();
        pool.adjust_pool_size(0, 0).unwrap();
        pool.call_in_thread(move || tell.give()).unwrap();
        let _shaking = shake(&pool, chaos);
        pool.adjust_pool_size(0, 1).unwrap();
        done.wait();
        stop(&pool, 1);
    });
}

// Checks: B28, B31, R9, R11
#[test]
fn a_job_submitted_against_the_end_of_a_pause_is_run() {
    explore_calm(|chaos| {
        let pool = started(0, 0);
        let (done, tell) = Signal::pair();
        let client = client(&pool, chaos, move |pool| pool.call_in_thread(move || tell.give()).unwrap());
        pool.adjust_pool_size(0, 1).unwrap();
        let _shaking = shake(&pool, chaos);
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
        let _shaking = shake(&pool, chaos);
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B31, R1, R11
#[test]
#[ignore = "a long search: run it by name, with --ignored"]
fn growing_serves_a_job_that_another_one_waits_for() {
    explore_calm(|chaos| {
        let pool = pool(0, 1);
        let (first, second) = Signal::pair();
        pool.call_in_thread(move || first.wait()).unwrap();
        pool.call_in_thread(move || second.give()).unwrap();
        pool.start().unwrap();
        // The only worker may be waiting in the first job by now, and nobody else will come.
        pool.adjust_pool_size(0, 2).unwrap();
        let _shaking = shake(&pool, chaos);
        stop(&pool, 2);
    });
}

// Checks: B31, B33, R10, R13
#[test]
fn of_two_resizes_at_once_the_later_is_what_the_pool_comes_to() {
    explore_calm(|chaos| {
        let pool = started(1, 1);
        let other = client(&pool, chaos, |pool| pool.adjust_pool_size(0, 0).unwrap());
        pool.adjust_pool_size(1, 1).unwrap();
        let _shaking = shake(&pool, chaos);
        drop(other.join());
        let asked = pool.stats();
        assert!(asked.live >= asked.min, "below its minimum, and nobody will start one: {asked:?}");
        stop(&pool, 0);
    });
}
