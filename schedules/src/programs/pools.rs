//! Programs with many threads at one pool.

use std::num::NonZeroUsize;
use std::time::Duration;

use shuttle::thread;

use super::support::{Count, crowd, join, started, stop, wait_for_workers};
use crate::decisions;
use crate::pool::{Cancellation, StopPolicy, WhenFull};
use crate::promises::Promises;
use crate::{Failure, Job, ThreadPool, threads};

/// Four submitters, and a thread that resizes all the time. Each submitter waits for its job before it submits the
/// next, so that no later event makes up for a lost wake.
// Checks: B30, B31, B33, R9
pub fn jobs_and_resizes() {
    decisions::all_threads_start();
    let (pool, promises) = (started(1, 2), Promises::default());
    let submitters = crowd(4, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        for _ in 0..3 {
            let (promise, job) = promises.function("job");
            let done = Count::default();
            let signal = done.clone();
            let answer = pool.call_in_thread(move || {
                job.run();
                signal.add_one();
            });
            promise.answered(&answer, true);
            done.wait_for(1);
        }
    });
    for (min, max) in [(0, 1), (2, 3), (1, 1), (0, 3), (1, 2)] {
        pool.adjust_pool_size(min, max).unwrap();
    }
    join(submitters);
    pool.adjust_pool_size(2, 3).unwrap();
    wait_for_workers(&pool, |live| live >= 2);
    pool.adjust_pool_size(0, 0).unwrap();
    wait_for_workers(&pool, |live| live == 0);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Jobs that wait for each other, all of which a pool of that size runs at the same time, whoever submits them.
// Checks: B30, R9
pub fn jobs_that_wait_for_each_other() {
    decisions::all_threads_start();
    let (pool, met, promises) = (started(decisions::choose(6), 5), Count::default(), Promises::default());
    let submitters = crowd(2, &(pool.clone(), met.clone(), promises.clone()), |_, (pool, met, promises)| {
        for _ in 0..3 {
            let ((promise, job), met) = (promises.function("job"), met.clone());
            let answer = pool.call_in_thread(move || {
                job.run();
                met.add_one();
                met.wait_for(5);
            });
            promise.answered(&answer, true);
        }
    });
    met.wait_for(5);
    join(submitters);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Four submitters that wait for the one slot of a queue.
// Checks: B44, R9
pub fn submissions_to_a_full_queue() {
    decisions::all_threads_start();
    let pool = ThreadPool::builder().size(0, 2).queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build().unwrap();
    let promises = Promises::default();
    let submitters = crowd(4, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        for _ in 0..2 {
            let (promise, job) = promises.function("job");
            let answer = pool.call_in_thread(Job::new(move || job.run()).when_full(WhenFull::Wait));
            promise.answered(&answer, true);
        }
    });
    pool.start().unwrap();
    join(submitters);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Eight submitters that wait for a slot, and a stop: each is accepted or told.
// Checks: B40, B44, R9
pub fn submissions_to_a_full_queue_that_is_stopped() {
    decisions::all_threads_start();
    let pool = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build().unwrap();
    let is_started = decisions::choose(2) == 0;
    if is_started {
        pool.start().unwrap();
    }
    let promises = Promises::default();
    let submitters = crowd(8, &(pool.clone(), promises.clone()), move |_, (pool, promises)| {
        let (promise, job) = promises.function("job");
        let answer = pool.call_in_thread(Job::new(move || job.run()).when_full(WhenFull::Wait));
        // A pool that was never started refuses what waits in its queue.
        promise.answered(&answer, is_started);
    });
    stop(&pool);
    join(submitters);
    drop(pool);
    promises.check();
}

/// Three clients cancel each other's jobs while two workers take them.
// Checks: B43
pub fn cancels_against_workers() {
    decisions::all_threads_start();
    let (pool, promises) = (started(1, 2), Promises::default());
    let clients = crowd(3, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        let (promise, job) = promises.function("job");
        promise.answered(&pool.call_in_thread(move || job.run()), true);
        let (promise, job) = promises.function("job with a ticket");
        let ticket = pool.call_in_thread_ticketed(move || job.run()).unwrap();
        match ticket.cancel() {
            Cancellation::NeverRuns => promise.never_runs(),
            Cancellation::Over => {
                assert!(promise.has_run());
                promise.accepted(true);
            }
            Cancellation::Asked => promise.accepted(true),
        }
    });
    join(clients);
    stop(&pool);
    let stats = pool.stats();
    assert_eq!(stats.completed + stats.cancelled, 6, "{stats:?}");
    drop(pool);
    promises.check();
}

/// Seven threads stop a pool in three ways, and two submit to it.
// Checks: B40
pub fn stops_of_many_threads() {
    decisions::all_threads_start();
    let (pool, promises) = (started(decisions::choose(2), 2), Promises::default());
    let submitters = crowd(2, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        for _ in 0..2 {
            let (promise, job) = promises.function("job");
            promise.answered(&pool.call_in_thread(move || job.run()), true);
        }
    });
    let stoppers = crowd(7, &pool, |number, pool| match number {
        0..5 => stop(pool),
        5 => while pool.stop_within(StopPolicy::Drain, Duration::from_secs(1)).is_err() {},
        _ => pool.ask_to_stop(StopPolicy::Drain),
    });
    join(stoppers);
    join(submitters);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Threads may fail to start: each job runs or its callback is told, without a stop that would tell it.
// Checks: B41, R9
pub fn jobs_whose_threads_may_fail_to_start() {
    let (pool, promises) = (started(decisions::choose(3), 3), Promises::default());
    let submitters = crowd(4, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        for _ in 0..2 {
            let (job_promise, job) = promises.function("job");
            let (told_promise, told) = promises.function("what is told of it");
            let done = Count::default();
            let signal = done.clone();
            let on_result = move |_: Result<(), Failure>| {
                told.run();
                signal.add_one();
            };
            let answer = pool.call_in_thread_with_callback(on_result, move || job.run());
            job_promise.answered(&answer, decisions::do_all_threads_start());
            told_promise.answered(&answer, true);
            done.wait_for(1);
        }
    });
    pool.adjust_pool_size(1, 2).unwrap();
    join(submitters);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Workers whose time is over at any moment, and submitters that wait for each of their jobs.
// Checks: B34, P50, R9
pub fn jobs_against_the_keep_alive() {
    decisions::all_threads_start();
    let keep_alive = Some(Duration::from_secs(decisions::choose(2) as u64));
    let pool = ThreadPool::builder().size(0, 3).keep_alive(keep_alive).on_report(|_| ()).build().unwrap();
    pool.start().unwrap();
    let promises = Promises::default();
    let submitters = crowd(3, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        for _ in 0..3 {
            let ((promise, job), done) = (promises.function("job"), Count::default());
            let signal = done.clone();
            let answer = pool.call_in_thread(move || {
                job.run();
                signal.add_one();
            });
            promise.answered(&answer, true);
            done.wait_for(1);
        }
    });
    join(submitters);
    wait_for_workers(&pool, |live| live == 0);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Two threads pause and resume a pool while two submit to it. When both have resumed it, all jobs run.
// Checks: B28, B31, R9
pub fn pauses_and_jobs() {
    decisions::all_threads_start();
    let (pool, ran, promises) = (started(1, 2), Count::default(), Promises::default());
    let submitters = crowd(2, &(pool.clone(), ran.clone(), promises.clone()), |_, (pool, ran, promises)| {
        for _ in 0..3 {
            let ((promise, job), ran) = (promises.function("job"), ran.clone());
            let answer = pool.call_in_thread(move || {
                job.run();
                ran.add_one();
            });
            promise.answered(&answer, true);
        }
    });
    let pausers = crowd(2, &pool, |_, pool| {
        for (min, max) in [(0, 0), (1, 3), (0, 0), (0, 2)] {
            pool.adjust_pool_size(min, max).unwrap();
        }
    });
    join(pausers);
    // Each has resumed after its last pause, and so has whoever came last.
    join(submitters);
    ran.wait_for(6);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Three clients drop their handles while their jobs wait, and nobody stops the pool.
// Checks: P10, R9
pub fn last_handles_that_are_dropped() {
    decisions::all_threads_start();
    let (pool, ran, promises) = (started(decisions::choose(2), 2), Count::default(), Promises::default());
    let clients = crowd(3, &(pool.clone(), ran.clone(), promises.clone()), |_, (pool, ran, promises)| {
        for _ in 0..2 {
            let ((promise, job), ran) = (promises.function("job"), ran.clone());
            let answer = pool.call_in_thread(move || {
                job.run();
                ran.add_one();
            });
            promise.answered(&answer, true);
        }
    });
    drop(pool);
    ran.wait_for(6);
    join(clients);
    promises.wait_until_dropped();
    promises.check();
}

/// One worker and four submitters: jobs run in the order in which the pool took them.
// Checks: B30
pub fn one_worker_keeps_the_order_of_four_submitters() {
    decisions::all_threads_start();
    let (pool, promises) = (started(1, 1), Promises::default());
    let submitters = crowd(4, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        for _ in 0..3 {
            let (promise, job) = promises.function("job");
            let promise = promise.of_queue(0);
            promise.answered(&pool.call_in_thread(move || job.run()), true);
            thread::yield_now();
        }
    });
    join(submitters);
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Jobs that block until other jobs of their pool have run, which may have as many threads more.
// Checks: B45
pub fn blocked_jobs_that_wait_for_others() {
    decisions::all_threads_start();
    let (pool, promises) = (started(0, 2), Promises::default());
    let submitters = crowd(3, &(pool.clone(), promises.clone()), |_, (pool, promises)| {
        let (promise, outer) = promises.function("job that blocks");
        let (inner_promise, inner) = promises.function("job that it waits for");
        let own = pool.clone();
        let answer = pool.call_in_thread(move || {
            outer.run();
            let done = Count::default();
            let signal = done.clone();
            let answer = own.call_in_thread(move || {
                inner.run();
                signal.add_one();
            });
            inner_promise.answered(&answer, true);
            assert!(own.stop().is_err(), "this is one of its workers");
            // A stop may have come before it.
            if answer.is_ok() {
                threads::blocked(|| done.wait_for(1));
            }
        });
        promise.answered(&answer, true);
    });
    join(submitters);
    stop(&pool);
    drop(pool);
    promises.check();
}
