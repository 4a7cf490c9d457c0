//! Hooks of workers while the pool is used, resized and stopped: they hold up no job, and nobody comes in their worker's place too soon.

use std::sync::{Arc as StdArc, Mutex as StdMutex};

use selvedge::loom::{ThreadPool, pool::PoolBuilder};

use crate::explore::{explore, explore_calm};
use crate::pool::{client, shake, stop};
use crate::witness::{Log, Signal};

fn builder(min: usize, max: usize) -> PoolBuilder {
    ThreadPool::builder().size(min, max).on_report(|report| panic!("nothing was to be reported: {report}"))
}

fn started(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

/// Something that one hook, of however many workers, may take.
fn once<T: Send + 'static>(thing: T) -> impl Fn() -> Option<T> + Send + Sync {
    let place = StdArc::new(StdMutex::new(Some(thing)));
    move || place.lock().unwrap().take()
}

// Checks: B39, B40
#[test]
fn a_workers_hooks_are_before_and_behind_its_jobs_and_over_when_stop_returns() {
    explore(|chaos| {
        let log = Log::default();
        let (begins, ends) = (log.clone(), log.clone());
        let hooked = builder(0, 1).on_worker_start(move |_| begins.note(1)).on_worker_stop(move |_| ends.note(3));
        let pool = started(hooked);
        pool.call_in_thread(log.job(2)).unwrap();
        let _shaking = shake(&pool, chaos);
        stop(&pool, 1);
        assert_eq!(log.seen(), [1, 2, 3]);
    });
}

// Checks: B39, B42, R13, R29
#[test]
fn a_stop_hook_may_wait_for_another_thread_that_resizes_the_pool_and_the_pool_still_ends() {
    explore_calm(|chaos| {
        let (done, tell) = Signal::pair();
        let first = once(done);
        let hooked = builder(1, 1).on_worker_stop(move |_| {
            if let Some(done) = first() {
                done.wait();
            }
        });
        let pool = started(hooked);
        let client = client(&pool, chaos, move |pool| {
            pool.adjust_pool_size(0, 0).unwrap();
            pool.adjust_pool_size(0, 1).unwrap();
            assert!(pool.stats().live <= 1);
            tell.give();
        });
        drop(client.join());
        let _shaking = shake(&pool, chaos);
        stop(&pool, 0);
    });
}
