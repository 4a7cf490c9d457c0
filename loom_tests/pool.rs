//! Shell 3, the pool: accepted jobs run once, in order, before `stop` returns, whatever else starts, stops, panics or
//! is dropped.

use loom::sync::Arc;
use selvedge::loom::{ThreadPool, testing::Injected};
use selvedge::{
    Failure,
    error::{NeverRan, Panic, Rejection},
};

use crate::explore::{Chaos, ChaosThread, Part, explore, explore_calm};
use crate::probes::{Log, MustRun, Signal};
use crate::witness::reached;

/// A pool that is not started, and reports nothing.
pub fn pool(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::builder().size(min, max).compensation(16).without_joins();
    pool.on_report(|report| panic!("nothing should be reported: {report}")).build().unwrap()
}

pub fn started(min: usize, max: usize) -> ThreadPool {
    let pool = pool(min, max);
    pool.start().unwrap();
    pool
}

/// Idle workers may wake spuriously from now on.
pub fn start_chaos(pool: &ThreadPool, chaos: Chaos) -> ChaosThread<ThreadPool> {
    chaos.start(|| pool.clone(), ThreadPool::wake_spuriously)
}

/// Another user of the pool, which returns its handle.
pub fn client<T: 'static>(
    pool: &ThreadPool,
    chaos: Chaos,
    act: impl FnOnce(&ThreadPool) -> T + 'static,
) -> Part<(T, ThreadPool)> {
    let pool = pool.clone();
    chaos.spawn(move || (act(&pool), pool))
}

/// Stops the pool, and checks that nothing is left of it.
pub fn stop(pool: &ThreadPool, jobs: u64) {
    pool.stop().unwrap();
    let stats = pool.stats();
    assert_eq!((stats.live, stats.idle, stats.busy, stats.queued), (0, 0, 0, 0), "{stats:?}");
    assert_eq!((stats.started, stats.completed), (jobs, jobs), "{stats:?}");
}

// Checks: B30, B40, R9, R12
// Races: submit × stop
#[test]
fn a_job_submitted_against_stop_has_run_when_stop_returns_or_is_returned() {
    explore(|chaos| {
        let pool = started(1, 1);
        let log = Log::default();
        let job = log.job(1);
        let client = client(&pool, chaos, move |pool| pool.call_in_thread(job));
        let _chaos_thread = start_chaos(&pool, chaos);
        pool.stop().unwrap();
        let ran_in_pool = log.seen();
        match client.join().0 {
            Ok(()) => {
                reached("accepted");
                assert_eq!(ran_in_pool, [1], "it was accepted");
            }
            Err(rejected) => {
                reached("returned");
                assert_eq!((rejected.reason, ran_in_pool), (Rejection::PoolStopped, vec![]));
                rejected.job.run();
                assert_eq!(log.seen(), [1], "the error returned the job itself");
            }
        }
    });
}

// Checks: B29, B40, R9
#[test]
fn a_job_submitted_against_start_is_run() {
    explore(|chaos| {
        let pool = pool(0, 1);
        let log = Log::default();
        let job = log.job(1);
        let client = client(&pool, chaos, move |pool| pool.call_in_thread(job).unwrap());
        pool.start().unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        drop(client.join());
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B36, B40, R12, R27
#[test]
fn a_job_of_a_pool_that_is_stopped_unstarted_fails_or_is_returned() {
    explore(|chaos| {
        let pool = pool(1, 1);
        let notified = Log::default();
        let note = notified.clone();
        let client = client(&pool, chaos, move |pool| {
            pool.call_in_thread_with_callback(
                move |result: Result<(), Failure>| {
                    assert!(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::PoolStopped)));
                    note.note(1);
                },
                || panic!("the pool was never started"),
            )
        });
        let _chaos_thread = start_chaos(&pool, chaos);
        pool.stop().unwrap();
        let notified_in_stop = notified.seen();
        assert_eq!(client.join().0.is_ok(), notified_in_stop == [1]);
    });
}

// Checks: B30, B31, R11
#[test]
fn one_worker_runs_its_jobs_in_the_order_of_submission() {
    explore(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        for number in [1, 2] {
            pool.call_in_thread(log.job(number)).unwrap();
        }
        let _chaos_thread = start_chaos(&pool, chaos);
        stop(&pool, 2);
        assert_eq!(log.seen(), [1, 2]);
    });
}

// Checks: B30, R2, R17
#[test]
fn a_worker_that_was_woken_sees_the_next_job_too() {
    explore_calm(|_| {
        let pool = started(1, 1);
        let (done, notifier) = Signal::pair();
        pool.call_in_thread(|| ()).unwrap();
        pool.call_in_thread(move || notifier.notify()).unwrap();
        // Nothing else wakes the worker: the pool is not stopped before.
        done.wait();
    });
}

// Checks: B30, R1, R2
// Races: submit × submit
#[test]
fn two_clients_jobs_each_run_once() {
    explore(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        let job = log.job(1);
        let client = client(&pool, chaos, move |pool| pool.call_in_thread(job).unwrap());
        pool.call_in_thread(log.job(2)).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        drop(client.join());
        stop(&pool, 2);
        assert_eq!(log.seen_in_any_order(), [1, 2]);
    });
}

// Checks: B30, R1, R15
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn two_jobs_of_which_one_waits_for_the_other_run_at_the_same_time() {
    explore_calm(|_| {
        let pool = pool(0, 2);
        let due = MustRun::of(2);
        let (first, second) = Signal::pair();
        pool.call_in_thread(due.job(move || first.wait())).unwrap();
        pool.start().unwrap();
        pool.call_in_thread(due.job(move || second.notify())).unwrap();
    });
}

// Checks: B40, R9, R29
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn two_stops_of_a_pool_both_wait_for_its_end() {
    explore_calm(|chaos| {
        let pool = pool(0, 1);
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        pool.start().unwrap();
        let ran = log.clone();
        let other = client(&pool, chaos, move |pool| {
            pool.stop().unwrap();
            assert_eq!(ran.seen(), [1]);
        });
        pool.stop().unwrap();
        assert_eq!(log.seen(), [1]);
        drop(other.join());
    });
}

// Checks: B40, R5, R29
#[test]
fn a_stop_that_wakes_spuriously_goes_on_waiting() {
    explore_calm(|chaos| {
        let pool = pool(0, 1);
        let notified = Log::default();
        let (note, own) = (notified.clone(), pool.clone());
        let on_result = move |_: Result<(), Failure>| {
            // The other of the two stops may be waiting by now, and must go on waiting.
            own.wake_stoppers_spuriously();
            let _ = own.stats();
            note.note(1);
        };
        pool.call_in_thread_with_callback(on_result, || panic!("the pool was never started")).unwrap();
        let other = client(&pool, chaos, |pool| pool.stop().unwrap());
        pool.stop().unwrap();
        assert_eq!(notified.seen(), [1]);
        drop(other.join());
    });
}

// Checks: B40, R30
#[test]
fn a_worker_that_stops_its_own_pool_is_refused_and_another_is_not() {
    explore(|chaos| {
        let pool = started(0, 1);
        let own = pool.clone();
        pool.call_in_thread(move || assert!(own.stop().is_err())).unwrap();
        let _chaos_thread = chaos.start(|| pool.clone(), ThreadPool::wake_stoppers_spuriously);
        stop(&pool, 1);
    });
}

// Checks: B40, R9, R27
#[test]
fn a_pool_whose_last_handle_is_dropped_finishes_its_accepted_jobs() {
    explore(|chaos| {
        let pool = started(1, 1);
        let (done, notifier) = Signal::pair();
        pool.call_in_thread(move || notifier.notify()).unwrap();
        // The chaos thread has a handle of its own, and hands it back.
        drop((start_chaos(&pool, chaos), pool));
        // If the job is lost this is a deadlock, and if the worker does not end, so is the end of the model.
        done.wait();
    });
}

// Checks: B36, B37, B38
#[test]
fn a_panic_of_a_job_reaches_its_callback_and_the_worker_goes_on() {
    explore(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        let (note, tracked) = (log.clone(), Arc::new(()));
        let on_result = move |result: Result<(), Failure>| {
            assert!(result.unwrap_err().is::<Panic>());
            note.note(1);
        };
        let job = move || {
            let _tracked = tracked;
            std::panic::resume_unwind(Box::new(Injected));
        };
        pool.call_in_thread_with_callback(on_result, job).unwrap();
        pool.call_in_thread(log.job(2)).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        stop(&pool, 2);
        assert_eq!(log.seen(), [1, 2]);
        assert_eq!(pool.stats().panicked, 1);
    });
}

/// A capture whose drop uses its pool: under a lock, that is a deadlock.
struct UsesPoolOnDrop(ThreadPool);

impl Drop for UsesPoolOnDrop {
    fn drop(&mut self) {
        let _ = self.0.stats();
        let _ = self.0.call_in_thread(|| ());
    }
}

// Checks: B37, R14, R20
#[test]
fn captures_of_a_job_may_use_the_pool_when_they_are_dropped() {
    explore(|chaos| {
        let pool = pool(0, 1);
        let capture = UsesPoolOnDrop(pool.clone());
        pool.call_in_thread_with_callback(|result: Result<(), Failure>| drop(result), move || drop(capture)).unwrap();
        // If start comes first, the job runs and its capture submits; if stop comes first, both are refused.
        let other = client(&pool, chaos, |pool| pool.start().is_ok());
        let _chaos_thread = start_chaos(&pool, chaos);
        pool.stop().unwrap();
        drop(other.join());
    });
}
