//! The pool at scale, as the operating system counts it: a thousand threads, a million jobs, and none of them left
//! over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use selvedge::{
    ThreadPool,
    pool::{Cancellation, StopPolicy},
};

use crate::support::{in_own_process, process_status, wait_until};

/// Enough for these jobs. A thousand stacks of the default size would take much address space.
const STACK: usize = 64 * 1024;

fn pool(min: usize, max: usize) -> ThreadPool {
    ThreadPool::builder().size(min, max).stack_size(STACK).build().unwrap()
}

// Checks: B27, B31, B34, B42, P72, R4, R13
#[test]
fn a_thousand_threads_come_meet_and_are_gone() {
    in_own_process(
        "at_scale::a_thousand_threads_come_meet_and_are_gone",
        |_| (),
        || {
            let before = process_status("Threads");
            let pool = pool(0, 1000);
            pool.start().unwrap();
            // None ends before all have begun: it takes a thread for each.
            let meeting = Arc::new(Barrier::new(1001));
            for _ in 0..1000 {
                let meeting = Arc::clone(&meeting);
                pool.call_in_thread(move || _ = meeting.wait()).unwrap();
            }
            wait_until(|| pool.stats().busy == 1000);
            assert_eq!(process_status("Threads"), before + 1000);
            meeting.wait();
            wait_until(|| pool.stats().busy == 0);
            pool.adjust_pool_size(0, 10).unwrap();
            wait_until(|| pool.stats().live <= 10);
            wait_until(|| process_status("Threads") <= before + 10);
            pool.stop().unwrap();
            // A thread that has been joined may still be in the system's count for a moment.
            wait_until(|| process_status("Threads") == before);
        },
    );
}

// Checks: B34, B42, P72, R4
#[test]
fn after_a_burst_and_the_keep_alive_there_are_as_many_threads_as_before_it() {
    in_own_process(
        "at_scale::after_a_burst_and_the_keep_alive_there_are_as_many_threads_as_before_it",
        |_| (),
        || {
            let pool = ThreadPool::builder().size(2, 100).keep_alive(Some(Duration::from_millis(20))).build().unwrap();
            pool.start().unwrap();
            wait_until(|| pool.stats().idle == 2);
            let before = process_status("Threads");
            for _ in 0..3 {
                let meeting = Arc::new(Barrier::new(50));
                for _ in 0..50 {
                    let meeting = Arc::clone(&meeting);
                    pool.call_in_thread(move || _ = meeting.wait()).unwrap();
                }
                wait_until(|| pool.stats().busy == 0 && pool.stats().queued == 0);
                wait_until(|| pool.stats().live == 2);
                wait_until(|| process_status("Threads") == before);
            }
            assert!(pool.stats().peak >= 50);
            pool.stop().unwrap();
        },
    );
}

// Checks: B34, B42, P72
#[test]
fn threads_that_have_expired_leave_no_memory_though_nothing_comes_after_them() {
    in_own_process(
        "at_scale::threads_that_have_expired_leave_no_memory_though_nothing_comes_after_them",
        // An arena for each core would be as large as the stacks.
        |command| _ = command.env("MALLOC_ARENA_MAX", "1"),
        || {
            let keep_alive = Some(Duration::from_millis(20));
            let pool =
                ThreadPool::builder().size(0, 500).stack_size(1024 * 1024).keep_alive(keep_alive).build().unwrap();
            pool.start().unwrap();
            let before = process_status("VmSize");
            let meeting = Arc::new(Barrier::new(500));
            for _ in 0..500 {
                let meeting = Arc::clone(&meeting);
                pool.call_in_thread(move || _ = meeting.wait()).unwrap();
            }
            wait_until(|| pool.stats().peak == 500 && pool.stats().live == 0);
            // A thread that has ended and is not joined keeps its stack: 500 MB for all. Half of that is allowed for
            // what the allocator and the thread library cache.
            wait_until(|| process_status("VmSize") < before + 250 * 1024);
            pool.stop().unwrap();
        },
    );
}

/// Queues a million jobs, calls `and_then`, and waits until no job is queued or runs.
fn a_million(pool: &ThreadPool, ran: &Arc<AtomicUsize>, and_then: impl FnOnce()) {
    for _ in 0..1_000_000 {
        let ran = Arc::clone(ran);
        pool.call_in_thread(move || _ = ran.fetch_add(1, Ordering::Relaxed)).unwrap();
    }
    assert_eq!(pool.stats().queued, 1_000_000);
    and_then();
    wait_until(|| pool.stats().queued == 0 && pool.stats().busy == 0);
}

// Checks: B28, B40, P72
#[test]
fn a_million_jobs_wait_are_run_and_leave_no_memory_behind() {
    in_own_process(
        "at_scale::a_million_jobs_wait_are_run_and_leave_no_memory_behind",
        |_| (),
        || {
            let (pool, ran) = (pool(0, 0), Arc::new(AtomicUsize::new(0)));
            pool.start().unwrap();
            let mut kept = Vec::new();
            for round in 1..=3 {
                a_million(&pool, &ran, || pool.adjust_pool_size(0, 2).unwrap());
                assert_eq!(ran.load(Ordering::Relaxed), round * 1_000_000);
                pool.adjust_pool_size(0, 0).unwrap();
                wait_until(|| pool.stats().live == 0);
                kept.push(process_status("VmRSS"));
            }
            // What the allocator keeps of the first round, it uses again in the next.
            assert!(kept[2] <= kept[0] + kept[0] / 5, "kB after each round: {kept:?}");
            pool.stop().unwrap();
            assert_eq!(Arc::strong_count(&ran), 1);
        },
    );
}

// Checks: B40, P72
#[test]
fn a_million_jobs_wait_and_are_cancelled_by_the_stop() {
    in_own_process(
        "at_scale::a_million_jobs_wait_and_are_cancelled_by_the_stop",
        |_| (),
        || {
            let (pool, ran) = (pool(0, 0), Arc::new(AtomicUsize::new(0)));
            pool.start().unwrap();
            a_million(&pool, &ran, || pool.stop_with(StopPolicy::CancelQueued).unwrap());
            assert_eq!((ran.load(Ordering::Relaxed), Arc::strong_count(&ran)), (0, 1), "dropped, each of them");
            assert_eq!(pool.stats().cancelled, 1_000_000);
        },
    );
}

// Checks: B43, P72
#[test]
fn a_million_jobs_wait_and_are_cancelled_one_by_one_from_the_middle_of_the_queue() {
    in_own_process(
        "at_scale::a_million_jobs_wait_and_are_cancelled_one_by_one_from_the_middle_of_the_queue",
        |_| (),
        || {
            let (pool, ran) = (pool(0, 0), Arc::new(AtomicUsize::new(0)));
            pool.start().unwrap();
            let tickets: Vec<_> = (0..1_000_000)
                .map(|_| {
                    let ran = Arc::clone(&ran);
                    pool.call_in_thread_ticketed(move || _ = ran.fetch_add(1, Ordering::Relaxed)).unwrap()
                })
                .collect();
            // Any scan of the queue would take a million times a million steps.
            let (first, last) = tickets.split_at(500_000);
            for (one, other) in last.iter().zip(first.iter().rev()) {
                assert_eq!((one.cancel(), other.cancel()), (Cancellation::NeverRuns, Cancellation::NeverRuns));
            }
            let stats = pool.stats();
            assert_eq!((stats.queued, stats.cancelled, Arc::strong_count(&ran)), (0, 1_000_000, 1));
            pool.stop().unwrap();
        },
    );
}
