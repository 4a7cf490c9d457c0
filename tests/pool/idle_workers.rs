//! Which idle worker is woken, and that those that are not needed end whatever trickles in.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use selvedge::{ThreadPool, pool::PoolBuilder, testing::Stage};

use crate::support::{Log, wait_until, with_watchdog};

const MOST: usize = 20;

/// A pool of at least one thread, in which a burst of jobs has just brought up the most.
fn after_a_burst(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.size(1, MOST).build().unwrap();
    pool.start().unwrap();
    let all_run = Arc::new(Barrier::new(MOST));
    for _ in 0..MOST {
        let all_run = Arc::clone(&all_run);
        pool.call_in_thread(move || _ = all_run.wait()).unwrap();
    }
    wait_until(|| pool.stats().completed == MOST as u64);
    pool
}

// Checks: P66, R43
#[test]
fn the_worker_that_fell_asleep_last_is_woken() {
    with_watchdog(|| {
        let pool = after_a_burst(ThreadPool::builder().keep_alive(None));
        let ran_on = Log::new();
        for _ in 0..100 {
            wait_until(|| pool.stats().idle == MOST);
            let ran_on = ran_on.clone();
            pool.call_in_thread(move || ran_on.note(thread::current().name().map(str::to_owned))).unwrap();
            wait_until(|| pool.stats().busy == 0 && pool.stats().queued == 0);
        }
        let workers: BTreeSet<_> = ran_on.entries().into_iter().collect();
        // More than one only if the operating system wakes another spuriously.
        assert!(workers.len() < 4, "{workers:?}");
        pool.stop().unwrap();
    });
}

// Checks: B34, P66, R43
#[test]
fn after_a_burst_the_pool_returns_to_its_minimum_whatever_trickles_in() {
    with_watchdog(|| {
        let pool = after_a_burst(ThreadPool::builder().keep_alive(Some(Duration::from_millis(100))));
        // If each job went to another worker, none would ever be without one for so long.
        while pool.stats().live > 1 {
            let done = Arc::new(Barrier::new(2));
            let other_side = Arc::clone(&done);
            pool.call_in_thread(move || _ = other_side.wait()).unwrap();
            done.wait();
            // The next finds the one that ran this asleep again, and last.
            wait_until(|| {
                let stats = pool.stats();
                stats.busy == 0 && stats.idle == stats.live
            });
        }
        assert_eq!(pool.stats().peak, MOST);
        pool.stop().unwrap();
    });
}

// Checks: P66
#[test]
fn a_wake_goes_to_the_worker_that_slept_last_if_one_may_expire_and_a_shrink_to_those_that_have_slept_longest() {
    let (pool, stepper) = ThreadPool::builder().size(4, 5).build_stepped().unwrap();
    pool.start().unwrap();
    let asleep = || {
        stepper.workers().into_iter().filter(|(_, stage)| *stage == Stage::Asleep).map(|(id, _)| id).collect::<Vec<_>>()
    };
    for id in [2, 0, 3, 1] {
        stepper.step_worker(id);
    }
    pool.call_in_thread(|| ()).unwrap();
    assert_eq!(asleep(), [0, 1, 3], "all of them stay: worker 2 has slept longest");
    while stepper.step().is_some() {}
    pool.call_in_thread(|| ()).unwrap();
    assert_eq!(asleep(), [1, 2, 3], "and now worker 0");
    while stepper.step().is_some() {}
    // Each is woken, in the order 3, 1, 2, 0, and sleeps again with a timeout.
    pool.adjust_pool_size(1, 4).unwrap();
    while stepper.step().is_some() {}
    for _ in 0..2 {
        pool.call_in_thread(|| ()).unwrap();
        assert_eq!(asleep(), [1, 2, 3], "worker 0 slept last");
        while stepper.step().is_some() {}
    }
    pool.adjust_pool_size(1, 2).unwrap();
    assert_eq!(asleep(), [0, 1, 2], "worker 3 has slept longest");
    while stepper.step().is_some() {}
    assert_eq!(asleep(), [0, 2]);
    pool.let_deadlines_pass();
    while stepper.step().is_some() {}
    assert_eq!(pool.stats().live, 1);
}
