//! Shell 3 while its target moves: no job is stranded by a resize, and the last one asked for is what the pool comes to.

use loom::thread;

use crate::explore::explore;
use crate::pool::{started, stop};
use crate::witness::{Log, Meeting};

// Checks: B30, B31, R11
#[test]
fn a_job_submitted_against_a_shrink_is_run() {
    explore(|chaos| {
        let pool = started(2, 2, chaos);
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
        let pool = started(1, 1, chaos);
        let log = Log::default();
        let done = Meeting::of(2);
        let client = thread::spawn({
            let (pool, job, done) = (pool.clone(), log.job(1), done.clone());
            move || {
                pool.call_in_thread(move || {
                    job();
                    done.attend();
                })
                .unwrap();
            }
        });
        // The last worker retires, and the job comes before, meanwhile or after.
        pool.adjust_pool_size(0, 0).unwrap();
        pool.adjust_pool_size(0, 1).unwrap();
        done.attend();
        client.join().unwrap();
        stop(&pool, 1);
    });
}

// Checks: B28, B40, R29
#[test]
fn a_paused_pool_that_is_stopped_still_finishes_its_jobs() {
    explore(|chaos| {
        let pool = started(1, 1, chaos);
        let log = Log::default();
        let client = thread::spawn({
            let (pool, job) = (pool.clone(), log.job(1));
            move || pool.call_in_thread(job).unwrap()
        });
        pool.adjust_pool_size(0, 0).unwrap();
        client.join().unwrap();
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B31, R1, R11
#[test]
fn growing_serves_a_job_that_another_one_waits_for() {
    explore(|chaos| {
        let pool = started(1, 1, chaos);
        let meeting = Meeting::of(2);
        let client = thread::spawn({
            let pool = pool.clone();
            move || {
                for _ in 0..2 {
                    let meeting = meeting.clone();
                    pool.call_in_thread(move || meeting.attend()).unwrap();
                }
            }
        });
        pool.adjust_pool_size(0, 2).unwrap();
        client.join().unwrap();
        stop(&pool, 2);
    });
}

// Checks: B31, B33, R10, R13
#[test]
fn of_two_resizes_at_once_the_later_is_what_the_pool_comes_to() {
    explore(|chaos| {
        let pool = started(1, 1, chaos);
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.adjust_pool_size(0, 0).unwrap()
        });
        pool.adjust_pool_size(2, 2).unwrap();
        other.join().unwrap();
        let asked = pool.stats();
        assert!(asked.live >= asked.min, "below its minimum, and nobody will start one: {asked:?}");
        stop(&pool, 0);
        assert!(pool.stats().peak <= 2);
    });
}
