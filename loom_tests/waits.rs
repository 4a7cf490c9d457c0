//! Shell 3, waits and cancels: keep-alive, full queues, blocked jobs, stops with a deadline and cancelled jobs, raced
//! with other events.

use std::num::NonZeroUsize;
use std::time::Duration;

use loom::sync::Arc;
use loom::thread;
use selvedge::error::Rejection;
use selvedge::loom::{
    Job, ThreadPool,
    pool::{Cancellation, StopPolicy, StopWithinError, WhenFull},
    threads,
};

use crate::explore::{explore, explore_calm};
use crate::pool::{client, pool, start_chaos, started, stop};
use crate::probes::{Log, MustRun, Signal};
use crate::witness::reached;

/// A pool with one worker above its minimum.
fn with_surplus_worker() -> ThreadPool {
    let pool = started(1, 1);
    pool.adjust_pool_size(0, 1).unwrap();
    pool
}

/// A pool whose queue holds one job.
fn with_queue_of_one(min: usize, max: usize) -> ThreadPool {
    ThreadPool::builder()
        .size(min, max)
        .without_joins()
        .queue_bound(NonZeroUsize::MIN)
        .on_report(|_| ())
        .build()
        .unwrap()
}

/// Stops the pool, and checks that each job was resolved once: completed, cancelled or failed.
pub fn stop_resolving(pool: &ThreadPool, jobs: u64) {
    pool.stop().unwrap();
    let stats = pool.stats();
    assert_eq!((stats.live, stats.busy, stats.blocked, stats.queued, stats.waiting), (0, 0, 0, 0, 0), "{stats:?}");
    assert_eq!(stats.completed + stats.cancelled + stats.failed, jobs, "{stats:?}");
}

// Checks: B34, P50, R1, R4
// Races: submit × keep-alive
#[test]
fn a_job_submitted_against_the_keep_alive_is_run() {
    explore_calm(|_| {
        let pool = with_surplus_worker();
        let log = Log::default();
        // The worker is about to exit, has found the new job, or sleeps again.
        pool.let_deadlines_pass();
        pool.call_in_thread(log.job(1)).unwrap();
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B34, R4
#[test]
fn an_idle_worker_above_the_minimum_ends_when_its_time_has_passed() {
    explore_calm(|_| {
        let pool = with_surplus_worker();
        while pool.stats().live > 0 {
            pool.let_deadlines_pass();
            thread::yield_now();
        }
        stop(&pool, 0);
    });
}

// Checks: B33, B34, R10
// Races: grow × keep-alive
#[test]
fn a_minimum_that_is_raised_against_the_keep_alive_is_kept() {
    explore_calm(|_| {
        let pool = with_surplus_worker();
        pool.let_deadlines_pass();
        pool.adjust_pool_size(1, 1).unwrap();
        assert_eq!(pool.stats().live, 1);
        stop(&pool, 0);
    });
}

// Checks: B31, B34, R4
// Races: shrink × keep-alive
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_pause_against_the_keep_alive_leaves_no_worker() {
    explore_calm(|chaos| {
        let pool = with_surplus_worker();
        let time = client(&pool, chaos, ThreadPool::let_deadlines_pass);
        pool.adjust_pool_size(0, 0).unwrap();
        while pool.stats().live > 0 {
            thread::yield_now();
        }
        drop(time.join());
        stop(&pool, 0);
    });
}

// Checks: B34, B40, R29
// Races: stop × keep-alive
#[test]
fn a_pool_that_is_stopped_against_the_keep_alive_stops() {
    explore(|chaos| {
        let pool = with_surplus_worker();
        pool.let_deadlines_pass();
        let _chaos_thread = start_chaos(&pool, chaos);
        stop(&pool, 0);
    });
}

// Explored from when both are asleep until the job has run: how they start and end is for other models.
// Checks: P66, R43
#[test]
fn of_two_idle_workers_that_stay_the_one_that_has_slept_longest_is_woken() {
    explore_calm(|_| {
        loom::stop_exploring();
        let pool = started(1, 1);
        let wait_until_idle = |workers| {
            while pool.stats().idle < workers {
                thread::yield_now();
            }
        };
        wait_until_idle(1);
        pool.adjust_pool_size(2, 2).unwrap();
        wait_until_idle(2);
        loom::explore();
        let ran_on = Log::default();
        let (ran, job_has_run) = Signal::pair();
        let log = ran_on.clone();
        let job = move || {
            log.note(u32::from(thread::current().name() == Some("pool-0")));
            ran.notify();
        };
        pool.call_in_thread(job).unwrap();
        job_has_run.wait();
        loom::stop_exploring();
        stop(&pool, 1);
        assert_eq!(ran_on.seen(), [1]);
    });
}

// Checks: B43, P2, P10
#[test]
fn a_job_that_is_cancelled_against_its_worker_runs_or_is_dropped_by_the_canceller() {
    explore(|chaos| {
        let pool = pool(0, 1);
        let (log, tracked) = (Log::default(), Arc::new(()));
        let ran = log.clone();
        let ticket = pool
            .call_in_thread_ticketed(move || {
                let _tracked = tracked;
                ran.note(1);
            })
            .unwrap();
        pool.start().unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        let cancelled = ticket.cancel();
        stop_resolving(&pool, 1);
        assert_eq!(cancelled == Cancellation::NeverRuns, log.seen().is_empty());
        assert_eq!(ticket.cancel(), Cancellation::Over);
        reached(&format!("{cancelled:?}"));
    });
}

// Checks: B43
#[test]
fn a_job_that_waits_until_it_is_cancelled_sees_it() {
    explore_calm(|_| {
        let pool = pool(0, 1);
        let ticket = pool
            .call_in_thread_ticketed(Job::with_token(|token| {
                while token.check().is_ok() {
                    thread::yield_now();
                }
            }))
            .unwrap();
        pool.start().unwrap();
        ticket.cancel();
        stop_resolving(&pool, 1);
    });
}

// Checks: B40, B43, P2
// Races: stop × cancel
#[test]
fn a_job_that_is_cancelled_against_a_stop_that_cancels_is_resolved_once() {
    explore_calm(|chaos| {
        let pool = pool(0, 0);
        let log = Log::default();
        let ran = log.clone();
        pool.start().unwrap();
        let ticket = pool.call_in_thread_ticketed(move || ran.note(1)).unwrap();
        let other = client(&pool, chaos, move |_| ticket.cancel());
        pool.stop_with(StopPolicy::CancelQueued).unwrap();
        drop(other.join());
        assert!(log.seen().is_empty());
        stop_resolving(&pool, 1);
        assert_eq!(pool.stats().cancelled, 1);
    });
}

// Checks: B43, R1, R9
// Races: submit × cancel
#[test]
fn a_job_submitted_while_another_is_cancelled_is_run() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let log = Log::default();
        let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
        ticket.cancel();
        pool.call_in_thread(log.job(2)).unwrap();
        stop_resolving(&pool, 2);
        assert_eq!(log.seen(), [2]);
    });
}

// Checks: B43, P2, P97
#[test]
fn a_job_that_is_cancelled_against_its_worker_leaves_the_next_one_alone() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let log = Log::default();
        let (first, second) = (log.clone(), log.clone());
        let ticket = pool.call_in_thread_ticketed(move || first.note(1)).unwrap();
        let next = pool.call_in_thread_ticketed(move || second.note(2)).unwrap();
        let cancelled = ticket.cancel();
        stop_resolving(&pool, 2);
        assert_eq!(log.seen(), if cancelled == Cancellation::NeverRuns { vec![2] } else { vec![1, 2] });
        assert_eq!(next.cancel(), Cancellation::Over);
    });
}

// Explored until both jobs have been submitted and the first has been cancelled or taken: how the pool ends is for other
// models.
// Checks: B43, P2, P97
// Races: submit × cancel
#[test]
fn a_ticket_whose_job_was_taken_against_a_submission_leaves_the_new_job_alone() {
    explore_calm(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        let (first, second) = (log.clone(), log.clone());
        let ticket = pool.call_in_thread_ticketed(move || first.note(1)).unwrap();
        let other = client(&pool, chaos, move |_| ticket.cancel());
        let next = pool.call_in_thread_ticketed(move || second.note(2)).unwrap();
        let cancelled = other.join().0;
        loom::stop_exploring();
        stop_resolving(&pool, 2);
        assert_eq!(log.seen(), if cancelled == Cancellation::NeverRuns { vec![2] } else { vec![1, 2] });
        assert_eq!(next.cancel(), Cancellation::Over);
    });
}

// Checks: B31, B43, R11
// Races: grow × cancel
#[test]
fn a_job_that_is_cancelled_against_the_end_of_a_pause_is_resolved_once() {
    explore_calm(|chaos| {
        let pool = started(0, 0);
        let log = Log::default();
        let ran = log.clone();
        let ticket = pool.call_in_thread_ticketed(move || ran.note(1)).unwrap();
        let other = client(&pool, chaos, move |_| ticket.cancel());
        pool.adjust_pool_size(0, 1).unwrap();
        let cancelled = other.join().0;
        stop_resolving(&pool, 1);
        assert_eq!(cancelled == Cancellation::NeverRuns, log.seen().is_empty());
    });
}

// Checks: B28, B31, B43
// Races: shrink × cancel
#[test]
fn a_job_that_is_cancelled_against_a_pause_is_resolved_once() {
    explore_calm(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        let ran = log.clone();
        let ticket = pool.call_in_thread_ticketed(move || ran.note(1)).unwrap();
        let other = client(&pool, chaos, move |_| ticket.cancel());
        pool.adjust_pool_size(0, 0).unwrap();
        let cancelled = other.join().0;
        stop_resolving(&pool, 1);
        assert_eq!(cancelled == Cancellation::NeverRuns, log.seen().is_empty());
    });
}

// Checks: B34, B43, P2
// Races: cancel × keep-alive
#[test]
fn a_job_that_is_cancelled_against_the_keep_alive_is_resolved_once() {
    explore_calm(|_| {
        let pool = with_surplus_worker();
        let log = Log::default();
        let ran = log.clone();
        let ticket = pool.call_in_thread_ticketed(move || ran.note(1)).unwrap();
        pool.let_deadlines_pass();
        let cancelled = ticket.cancel();
        stop_resolving(&pool, 1);
        assert_eq!(cancelled == Cancellation::NeverRuns, log.seen().is_empty());
    });
}

// Checks: B44, R6, R9
#[test]
fn a_submission_to_a_full_queue_is_accepted_when_a_job_is_cancelled() {
    explore(|chaos| {
        let pool = with_queue_of_one(0, 0);
        let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
        let waiting = pool.clone();
        let waiting = thread::spawn(move || {
            waiting.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).map_err(|back| back.reason)
        });
        let _chaos_thread = chaos.start(|| pool.clone(), ThreadPool::wake_waiters_spuriously);
        ticket.cancel();
        assert_eq!(waiting.join().unwrap(), Ok(()));
        stop_resolving(&pool, 2);
    });
}

// Checks: B44, P53, R9
#[test]
fn a_submission_to_a_full_queue_is_accepted_when_a_job_is_taken() {
    explore_calm(|_| {
        let pool = with_queue_of_one(0, 1);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        let (waiting, job) = (pool.clone(), log.job(2));
        let waiting = thread::spawn(move || {
            waiting.call_in_thread(Job::new(job).when_full(WhenFull::Wait)).map_err(|back| back.reason)
        });
        pool.start().unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(()));
        stop(&pool, 2);
        assert_eq!(log.seen(), [1, 2]);
    });
}

// Checks: B40, B44, R25
#[test]
fn a_submission_to_a_full_queue_is_returned_when_the_pool_is_stopped() {
    explore(|chaos| {
        let pool = with_queue_of_one(0, 0);
        pool.call_in_thread(|| ()).unwrap();
        let waiting = pool.clone();
        let waiting = thread::spawn(move || {
            waiting.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).map_err(|back| back.reason)
        });
        let _chaos_thread = chaos.start(|| pool.clone(), ThreadPool::wake_waiters_spuriously);
        pool.stop().unwrap();
        assert_eq!(waiting.join().unwrap(), Err(Rejection::PoolStopped));
        stop_resolving(&pool, 1);
    });
}

// Checks: B44, P50, P53
#[test]
fn a_submission_whose_timeout_races_a_free_place_is_accepted_or_returned() {
    explore_calm(|_| {
        let pool = with_queue_of_one(0, 0);
        let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
        let waiting = pool.clone();
        let waiting = thread::spawn(move || {
            let waited = waiting.call_in_thread(Job::new(|| ()).when_full(WhenFull::WaitUpTo(Duration::from_secs(1))));
            waited.map_err(|back| back.reason)
        });
        let time = pool.clone();
        let time = thread::spawn(move || time.let_deadlines_pass());
        ticket.cancel();
        time.join().unwrap();
        match waiting.join().unwrap() {
            Ok(()) => stop_resolving(&pool, 2),
            Err(reason) => {
                assert_eq!(reason, Rejection::TimedOut);
                stop_resolving(&pool, 1);
            }
        }
    });
}

// Checks: B45, P54
#[test]
fn a_job_that_blocks_until_it_is_notified_ends_with_or_without_a_replacement_worker() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let log = Log::default();
        let (blocked, release) = Signal::pair();
        pool.call_in_thread(move || threads::blocked(|| blocked.wait())).unwrap();
        release.notify();
        stop(&pool, 1);
        assert!(log.seen().is_empty());
    });
}

// Checks: B45, R1
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_job_that_blocks_for_another_in_a_pool_of_one_gets_it() {
    explore_calm(|_| {
        let pool = pool(0, 1);
        let due = MustRun::of(2);
        let (first, second) = Signal::pair();
        pool.call_in_thread(due.job(move || threads::blocked(|| first.wait()))).unwrap();
        pool.call_in_thread(due.job(move || second.notify())).unwrap();
        pool.start().unwrap();
    });
}

// Checks: B40, P52, R29
#[test]
fn a_stop_that_cancels_after_one_that_drains_cancels_jobs_that_have_not_begun() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        pool.ask_to_stop(StopPolicy::Drain);
        pool.stop_with(StopPolicy::CancelQueued).unwrap();
        stop_resolving(&pool, 1);
        assert_eq!(log.seen().len() as u64, pool.stats().completed);
    });
}

// Checks: B40, P50, R29
#[test]
fn a_stop_whose_time_passes_gives_up_and_the_pool_still_stops() {
    explore_calm(|_| {
        let pool = started(0, 1);
        let time = pool.clone();
        pool.call_in_thread(move || time.let_deadlines_pass()).unwrap();
        // If the time passes before it is waited for, the pool ends first.
        match pool.stop_within(StopPolicy::Drain, Duration::from_secs(1)) {
            Ok(()) => assert!(pool.has_stopped()),
            Err(StopWithinError::Unfinished { stragglers, queued, .. }) => {
                assert!(stragglers.len() <= 1);
                assert_eq!(queued, 0);
            }
            Err(_) => unreachable!("this is not a worker"),
        }
        stop(&pool, 1);
    });
}

// Checks: B40, R29
#[test]
fn a_stop_with_no_time_names_the_running_job_which_still_ends() {
    explore(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        match pool.stop_within(StopPolicy::Drain, Duration::ZERO) {
            Ok(()) => assert_eq!(log.seen(), [1]),
            Err(StopWithinError::Unfinished { stragglers, queued, .. }) => assert!(stragglers.len() + queued <= 1),
            Err(_) => unreachable!("this is not a worker"),
        }
        let _chaos_thread = chaos.start(|| pool.clone(), ThreadPool::wake_stoppers_spuriously);
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}
