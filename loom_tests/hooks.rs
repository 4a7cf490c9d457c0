//! Shell 3, worker hooks while the pool is used, resized and stopped: they delay no job, and no worker is replaced
//! before its stop hooks have returned.

use std::sync::{Arc as StdArc, Mutex as StdMutex};

use selvedge::loom::{ThreadPool, pool::PoolBuilder};

use crate::explore::{explore, explore_calm};
use crate::pool::{client, start_chaos, stop};
use crate::probes::{Log, Signal};

fn builder(min: usize, max: usize) -> PoolBuilder {
    ThreadPool::builder()
        .size(min, max)
        .without_joins()
        .on_report(|report| panic!("nothing should be reported: {report}"))
}

fn started(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

/// Returns the value once, to the first caller; hooks run once for each worker.
fn take_once<T: Send + 'static>(value: T) -> impl Fn() -> Option<T> + Send + Sync {
    let slot = StdArc::new(StdMutex::new(Some(value)));
    move || slot.lock().unwrap().take()
}

// Checks: B39, B40
#[test]
fn worker_hooks_run_before_and_after_its_jobs_and_end_before_stop_returns() {
    explore(|chaos| {
        let log = Log::default();
        let (started_log, stopped_log) = (log.clone(), log.clone());
        let builder =
            builder(0, 1).on_worker_start(move |_| started_log.note(1)).on_worker_stop(move |_| stopped_log.note(3));
        let pool = started(builder);
        pool.call_in_thread(log.job(2)).unwrap();
        let _chaos_thread = start_chaos(&pool, chaos);
        stop(&pool, 1);
        assert_eq!(log.seen(), [1, 2, 3]);
    });
}

// Checks: B39, B42, R13, R29
#[test]
fn a_stop_hook_may_wait_for_another_thread_that_resizes_the_pool_and_the_pool_still_ends() {
    explore_calm(|chaos| {
        let (done, notifier) = Signal::pair();
        let first = take_once(done);
        let builder = builder(1, 1).on_worker_stop(move |_| {
            if let Some(done) = first() {
                done.wait();
            }
        });
        let pool = started(builder);
        let client = client(&pool, chaos, move |pool| {
            pool.adjust_pool_size(0, 0).unwrap();
            pool.adjust_pool_size(0, 1).unwrap();
            assert!(pool.stats().live <= 1);
            notifier.notify();
        });
        drop(client.join());
        let _chaos_thread = start_chaos(&pool, chaos);
        stop(&pool, 0);
    });
}
