//! Many pools: reactors on several threads, each with its own pools and one that all share, ending in any order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{Failure, Reactor, ThreadPool, threads};

use crate::regressions;

/// One reactor: the pool of each of its jobs, and after how many results it stops.
#[derive(Debug, Clone)]
struct User {
    pools: usize,
    jobs: Vec<usize>,
    stop_after: usize,
}

fn user() -> impl Strategy<Value = User> {
    (0..3_usize, vec(0..5_usize, 1..12), 0..12_usize).prop_map(|(pools, jobs, stop_after)| User {
        pools,
        jobs: jobs.into_iter().map(|pool| pool % (pools + 2)).collect(),
        stop_after,
    })
}

/// For each job, one entry for each firing of its Deferred: whether with its value.
type Outcomes = BTreeMap<usize, Vec<bool>>;

/// Runs a reactor; returns its own pools, and the outcome of each job.
fn run_reactor(user: &User, shared: &ThreadPool) -> (Vec<ThreadPool>, Outcomes) {
    let mut builder = Reactor::builder().pool_size(0, 2).share_pool("shared", shared);
    for number in 0..user.pools {
        builder = builder.add_pool(format!("own {number}"), ThreadPool::builder().size(0, 2));
    }
    let reactor = builder.build().unwrap();
    let pools: Vec<ThreadPool> = (0..user.pools)
        .map(|number| reactor.pool(&format!("own {number}")).unwrap().clone())
        .chain([reactor.thread_pool().clone()])
        .collect();
    let outcomes = Arc::new(Mutex::new(Outcomes::new()));
    for (number, &pool) in user.jobs.iter().enumerate() {
        let (outcomes, local, stop_after) = (Arc::clone(&outcomes), reactor.local(), user.stop_after);
        let all = user.jobs.len();
        let pool = pools.get(pool).unwrap_or(shared);
        let result = threads::defer_to_thread_pool(&reactor, pool, move || number);
        let _ = result.add_both(move |result: Result<usize, Failure>| {
            let mut outcomes = outcomes.lock().unwrap();
            outcomes.entry(number).or_default().push(result.is_ok_and(|value| value == number));
            if outcomes.len() >= stop_after.min(all) {
                let _ = local.with(Reactor::stop);
            }
        });
    }
    reactor.run();
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    (pools, outcomes)
}

proptest! {
    #![proptest_config(regressions::config("many_pools", 60))]

    // Checks: P60, P61, P2
    #[test]
    fn every_job_of_every_reactor_has_one_outcome_and_each_ends_with_its_own_pools_alone(
        users in vec(user(), 1..4),
    ) {
        let shared = ThreadPool::new(0, 2).unwrap();
        shared.start().unwrap();
        let threads: Vec<_> = users
            .iter()
            .map(|user| {
                let (user, shared) = (user.clone(), shared.clone());
                thread::spawn(move || run_reactor(&user, &shared))
            })
            .collect();
        for (user, thread) in users.iter().zip(threads) {
            let (own, outcomes) = thread.join().unwrap();
            for (job, pool) in user.jobs.iter().enumerate() {
                let outcome = outcomes.get(&job).map(Vec::as_slice);
                prop_assert!(matches!(outcome, Some([_])), "{job}: {outcome:?}");
                // The reactor waits until its own pools have finished their jobs. It does not wait for the shared pool.
                prop_assert!(*pool > user.pools || outcome == Some(&[true]), "{job}: {outcome:?}");
            }
            for pool in own {
                prop_assert_eq!(pool.stats().live, 0);
                prop_assert!(pool.call_in_thread(|| ()).is_err());
            }
        }
        prop_assert!(shared.call_in_thread(|| ()).is_ok(), "nobody has stopped it");
        shared.stop().unwrap();
        let jobs: usize = users.iter().map(|user| user.jobs.iter().filter(|pool| **pool > user.pools).count()).sum();
        prop_assert_eq!(shared.stats().completed, jobs as u64 + 1);
    }
}
