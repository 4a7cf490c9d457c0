//! Jobs that a pool has handed back, and that are offered again.

use std::num::NonZeroUsize;
use std::time::Duration;

use selvedge::{
    Job, ThreadPool,
    error::Rejection,
    pool::{CancelToken, Cancellation, StopPolicy, StopWithinError, WhenFull},
    testing::Step,
};

use crate::support::{Gate, Log, wait_until, with_watchdog};

/// A pool whose worker is at the gate and whose queue, of one, is full.
fn full() -> (ThreadPool, Gate) {
    let pool = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).build().unwrap();
    pool.start().unwrap();
    let gate = Gate::new();
    let held = gate.clone();
    pool.call_in_thread(move || held.pass()).unwrap();
    wait_until(|| pool.stats().busy == 1);
    pool.call_in_thread(|| ()).unwrap();
    (pool, gate)
}

// Checks: B44, P68, R47
#[test]
fn a_job_that_came_back_is_offered_again_in_every_way_and_keeps_its_name_and_place() {
    with_watchdog(|| {
        let (pool, gate) = full();
        let ran = Log::new();
        let inner = ran.clone();
        let job = Job::new(move || inner.note(CancelToken::current().is_some())).named("again");
        let label = job.label();
        let moment = WhenFull::WaitUpTo(Duration::from_millis(1));
        let rejected = pool.call_in_thread(job).unwrap_err();
        assert_eq!(rejected.reason, Rejection::QueueFull);
        let rejected = pool.call_in_thread(rejected.job.when_full(moment)).unwrap_err();
        assert_eq!(rejected.reason, Rejection::TimedOut);
        let rejected = pool.call_in_thread_ticketed(rejected.job.when_full(WhenFull::Return)).unwrap_err();
        assert_eq!(rejected.reason, Rejection::QueueFull);
        let rejected = pool.call_in_thread_ticketed(rejected.job.when_full(moment)).unwrap_err();
        assert_eq!((rejected.reason, rejected.job.label()), (Rejection::TimedOut, label));
        assert_eq!(pool.stats().rejected, 4);
        gate.open();
        let ticket = pool.call_in_thread_ticketed(rejected.job.when_full(WhenFull::Wait)).unwrap();
        wait_until(|| ran.len() == 1);
        wait_until(|| pool.stats().busy == 0);
        assert_eq!((ran.entries(), ticket.cancel()), (vec![true], Cancellation::Over));
        pool.stop().unwrap();
        assert_eq!(pool.stats().completed, 3);
    });
}

// Checks: P68, R47
#[test]
fn a_waiting_submission_of_a_job_is_refused_where_it_would_wait_for_itself() {
    with_watchdog(|| {
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (own, seen) = (pool.clone(), Log::new());
        let inner = seen.clone();
        pool.call_in_thread(move || {
            let waits = || Job::new(|| ()).when_full(WhenFull::Wait);
            inner.note(own.call_in_thread(waits()).unwrap_err().reason);
            inner.note(own.call_in_thread_ticketed(waits()).unwrap_err().reason);
        })
        .unwrap();
        pool.stop().unwrap();
        assert_eq!(seen.entries(), [Rejection::WouldDeadlock; 2]);
    });
}

// Checks: B43, P68, R47
#[test]
fn a_job_that_came_back_from_a_ticketed_submission_has_its_token_and_its_start_time() {
    let (first, stepper) = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).build_stepped().unwrap();
    first.call_in_thread(|| ()).unwrap();
    let rejected = first.call_in_thread_ticketed(Job::with_token(|token| assert!(token.is_cancelled()))).unwrap_err();
    first.start().unwrap();
    while stepper.step().is_some() {}
    // Without a ticket now: it is the same job all the same.
    first.call_in_thread(rejected.job).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    std::thread::sleep(Duration::from_millis(2));
    match first.stop_within(StopPolicy::CancelAll, Duration::ZERO) {
        Err(StopWithinError::Unfinished { stragglers, .. }) => {
            assert!(
                stragglers[0].running_for >= Duration::from_millis(2),
                "since it was taken, not since it was asked"
            );
        }
        other => panic!("{other:?}"),
    }
    while stepper.step().is_some() {}
    assert_eq!((first.stats().completed, first.stats().panicked), (2, 0));
}
