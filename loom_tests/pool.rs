//! Shell 3, the pool: what is accepted is run once and before `stop` returns, in order, whoever stops, starts, panics or lets go.

use loom::sync::Arc;
use selvedge::loom::{Injected, ThreadPool};
use selvedge::{
    Failure,
    error::{NeverRan, Panic, Rejection},
};

use crate::explore::{Aside, Chaos, Shaking, explore, explore_calm};
use crate::witness::{Log, Signal, Tally};

/// A pool that is not started yet, and has nothing to report.
pub fn pool(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::builder().size(min, max);
    pool.on_report(|report| panic!("nothing was to be reported: {report}")).build().unwrap()
}

pub fn started(min: usize, max: usize) -> ThreadPool {
    let pool = pool(min, max);
    pool.start().unwrap();
    pool
}

/// Idle workers may wake for no reason from now on.
pub fn shake(pool: &ThreadPool, chaos: Chaos) -> Shaking<ThreadPool> {
    chaos.shake(|| pool.clone(), ThreadPool::wake_spuriously)
}

/// Somebody else who uses the pool, and hands the handle back.
pub fn client<T: 'static>(
    pool: &ThreadPool,
    chaos: Chaos,
    act: impl FnOnce(&ThreadPool) -> T + 'static,
) -> Aside<(T, ThreadPool)> {
    let pool = pool.clone();
    chaos.aside(move || (act(&pool), pool))
}

/// Stops the pool, and sees that nothing is left of it.
pub fn stop(pool: &ThreadPool, jobs: u64) {
    pool.stop().unwrap();
    let stats = pool.stats();
    assert_eq!((stats.live, stats.idle, stats.busy, stats.queued), (0, 0, 0, 0), "{stats:?}");
    assert_eq!((stats.started, stats.completed), (jobs, jobs), "{stats:?}");
}

// Checks: B30, B40, R9, R12
// Races: submit × stop
#[test]
fn a_job_submitted_against_stop_has_run_when_stop_returns_or_comes_back() {
    explore(|chaos| {
        let pool = started(1, 1);
        let log = Log::default();
        let job = log.job(1);
        let client = client(&pool, chaos, move |pool| pool.call_in_thread(job));
        let _shaking = shake(&pool, chaos);
        pool.stop().unwrap();
        let ran_in_pool = log.seen();
        match client.join().0 {
            Ok(()) => assert_eq!(ran_in_pool, [1], "it was accepted"),
            Err(rejected) => {
                assert_eq!((rejected.reason, ran_in_pool), (Rejection::PoolStopped, vec![]));
                rejected.job.run();
                assert_eq!(log.seen(), [1], "what came back is the job itself");
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
        let _shaking = shake(&pool, chaos);
        drop(client.join());
        stop(&pool, 1);
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: B36, B40, R12, R27
#[test]
fn a_job_of_a_pool_that_is_stopped_unstarted_is_told_so_or_comes_back() {
    explore(|chaos| {
        let pool = pool(1, 1);
        let told = Log::default();
        let note = told.clone();
        let client = client(&pool, chaos, move |pool| {
            pool.call_in_thread_with_callback(
                move |result: Result<(), Failure>| {
                    assert!(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::PoolStopped)));
                    note.note(1);
                },
                || panic!("the pool was never started"),
            )
        });
        let _shaking = shake(&pool, chaos);
        pool.stop().unwrap();
        let told_in_stop = told.seen();
        assert_eq!(client.join().0.is_ok(), told_in_stop == [1]);
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
        let _shaking = shake(&pool, chaos);
        stop(&pool, 2);
        assert_eq!(log.seen(), [1, 2]);
    });
}

// Checks: B30, R2, R17
#[test]
fn a_worker_that_was_woken_is_told_of_the_next_job_too() {
    explore_calm(|_| {
        let pool = started(1, 1);
        let (done, tell) = Signal::pair();
        pool.call_in_thread(|| ()).unwrap();
        pool.call_in_thread(move || tell.give()).unwrap();
        // Nothing else wakes it: the pool is not told to stop before.
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
        let _shaking = shake(&pool, chaos);
        drop(client.join());
        stop(&pool, 2);
        assert_eq!(log.seen_in_any_order(), [1, 2]);
    });
}

// Checks: B30, R1, R15
#[test]
fn two_jobs_of_which_one_waits_for_the_other_get_a_worker_each() {
    explore_calm(|_| {
        let pool = pool(0, 2);
        let due = Tally::of(2);
        let (first, second) = Signal::pair();
        pool.call_in_thread(due.job(move || first.wait())).unwrap();
        pool.start().unwrap();
        pool.call_in_thread(due.job(move || second.give())).unwrap();
    });
}

// Checks: B40, R9, R29
#[test]
fn two_that_stop_a_pool_both_wait_for_its_end() {
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
fn one_that_waits_for_the_end_and_wakes_for_no_reason_waits_on() {
    explore_calm(|chaos| {
        let pool = pool(0, 1);
        let told = Log::default();
        let (note, own) = (told.clone(), pool.clone());
        let on_result = move |_: Result<(), Failure>| {
            // Whoever of the two does not tell this job may wait by now, and it is not over.
            own.wake_stoppers_spuriously();
            let _ = own.stats();
            note.note(1);
        };
        pool.call_in_thread_with_callback(on_result, || panic!("the pool was never started")).unwrap();
        let other = client(&pool, chaos, |pool| pool.stop().unwrap());
        pool.stop().unwrap();
        assert_eq!(told.seen(), [1]);
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
        let _shaking = chaos.shake(|| pool.clone(), ThreadPool::wake_stoppers_spuriously);
        stop(&pool, 1);
    });
}

// Checks: B40, R9, R27
#[test]
fn a_pool_whose_last_handle_goes_finishes_what_it_accepted() {
    explore(|chaos| {
        let pool = started(1, 1);
        let (done, tell) = Signal::pair();
        pool.call_in_thread(move || tell.give()).unwrap();
        // The chaos thread has a handle of its own, and hands it back.
        drop((shake(&pool, chaos), pool));
        // Should the job be lost, this waits for ever; should the worker not end, the execution does not.
        done.wait();
    });
}

// Checks: B36, B37, B38
#[test]
fn a_job_that_panics_is_told_to_its_callback_and_the_worker_goes_on() {
    explore(|chaos| {
        let pool = started(0, 1);
        let log = Log::default();
        let (note, cargo) = (log.clone(), Arc::new(()));
        let on_result = move |result: Result<(), Failure>| {
            assert!(result.unwrap_err().is::<Panic>());
            note.note(1);
        };
        let job = move || {
            let _cargo = cargo;
            std::panic::resume_unwind(Box::new(Injected));
        };
        pool.call_in_thread_with_callback(on_result, job).unwrap();
        pool.call_in_thread(log.job(2)).unwrap();
        let _shaking = shake(&pool, chaos);
        stop(&pool, 2);
        assert_eq!(log.seen(), [1, 2]);
        assert_eq!(pool.stats().panicked, 1);
    });
}

/// A capture whose drop comes back to the pool it was given to: under a lock, that is a deadlock.
struct ComesBack(ThreadPool);

impl Drop for ComesBack {
    fn drop(&mut self) {
        let _ = self.0.stats();
        let _ = self.0.call_in_thread(|| ());
    }
}

// Checks: B37, R14, R20
#[test]
fn what_a_job_captured_may_use_the_pool_when_it_is_dropped() {
    explore(|chaos| {
        let pool = pool(0, 1);
        let capture = ComesBack(pool.clone());
        pool.call_in_thread_with_callback(|result: Result<(), Failure>| drop(result), move || drop(capture)).unwrap();
        // Started first, it runs and submits; stopped first, it is refused and submits in vain.
        let other = client(&pool, chaos, |pool| pool.start().is_ok());
        let _shaking = shake(&pool, chaos);
        pool.stop().unwrap();
        drop(other.join());
    });
}
