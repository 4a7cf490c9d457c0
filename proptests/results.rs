//! The order of results: what a job posted before it returned comes before its result, and one worker's results come in
//! the order of the jobs.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge::{Failure, Reactor, threads};

use crate::reactor_script::trace::Refused;
use crate::regressions;

/// What a job does.
#[derive(Debug, Clone, Copy)]
struct Job {
    /// How many calls it posts.
    posts: u8,
    yields: u8,
    end: End,
    /// It is cancelled at once.
    cancelled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Value,
    Error,
    Panic,
}

/// What arrives at the reactor.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Arrival {
    Post(usize, u8),
    Result(usize, Option<End>),
}

fn job() -> impl Strategy<Value = Job> {
    let end = prop_oneof![3 => Just(End::Value), 1 => Just(End::Error), 1 => Just(End::Panic)];
    (0u8..4, 0u8..3, end, prop::bool::weighted(0.1)).prop_map(|(posts, yields, end, cancelled)| Job {
        posts,
        yields,
        end,
        cancelled,
    })
}

/// Runs the jobs on a reactor with this many workers until all results are there; returns what arrived, in order.
fn run(jobs: &[Job], workers: usize) -> Vec<Arrival> {
    let reactor = Reactor::builder().pool_size(workers, workers).build().unwrap();
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let home = thread::current().id();
    let left = Rc::new(RefCell::new(jobs.len()));
    for (n, &job) in jobs.iter().enumerate() {
        let (handle, out) = (reactor.handle(), Arc::clone(&arrivals));
        let deferred = threads::defer_to_thread(&reactor, move || {
            (0..job.yields).for_each(|_| thread::yield_now());
            for post in 0..job.posts {
                let out = Arc::clone(&out);
                handle.call_from_thread(move |_| out.lock().unwrap().push(Arrival::Post(n, post))).unwrap();
            }
            match job.end {
                End::Value => Ok(n),
                End::Error => Err(Refused),
                End::Panic => std::panic::resume_unwind(Box::new("planned")),
            }
        });
        let (out, local, left) = (Arc::clone(&arrivals), reactor.local(), Rc::clone(&left));
        let deferred = deferred.add_both(move |result: Result<usize, Failure>| {
            assert_eq!(thread::current().id(), home);
            let end = match &result {
                Ok(value) if *value == n => Some(End::Value),
                Err(failure) if failure.is::<Refused>() => Some(End::Error),
                Err(failure) if failure.is_panic() => Some(End::Panic),
                _ => None,
            };
            out.lock().unwrap().push(Arrival::Result(n, end));
            *left.borrow_mut() -= 1;
            if *left.borrow() == 0 {
                let _ = local.with(Reactor::stop);
            }
        });
        if job.cancelled {
            deferred.cancel();
        }
    }
    if *left.borrow() == 0 {
        reactor.handle().stop();
    }
    reactor.run();
    arrivals.lock().unwrap().clone()
}

proptest! {
    #![proptest_config(regressions::config("results", 60))]

    // Checks: B6, B30, B46
    #[test]
    fn with_one_worker_posts_and_results_come_in_the_order_of_the_jobs(jobs in vec(job(), 1..30)) {
        let mut expected: Vec<Arrival> = Vec::new();
        // No job begins before the reactor runs: the cancelled ones fail at once, and never run.
        for (n, _) in jobs.iter().enumerate().filter(|(_, job)| job.cancelled) {
            expected.push(Arrival::Result(n, None));
        }
        for (n, job) in jobs.iter().enumerate().filter(|(_, job)| !job.cancelled) {
            expected.extend((0..job.posts).map(|post| Arrival::Post(n, post)));
            expected.push(Arrival::Result(n, Some(job.end)));
        }
        prop_assert_eq!(run(&jobs, 1), expected);
    }

    // Checks: B6, B46
    #[test]
    fn with_many_workers_each_result_comes_once_and_after_what_its_job_posted(
        jobs in vec(job(), 1..30),
        workers in 2usize..6,
    ) {
        let arrivals = run(&jobs, workers);
        for (n, job) in jobs.iter().enumerate() {
            let mine: Vec<Arrival> = arrivals
                .iter()
                .copied()
                .filter(|arrivals| matches!(arrivals, Arrival::Post(m, _) | Arrival::Result(m, _) if *m == n))
                .collect();
            let expected: Vec<Arrival> = if job.cancelled {
                vec![Arrival::Result(n, None)]
            } else {
                (0..job.posts).map(|post| Arrival::Post(n, post)).chain([Arrival::Result(n, Some(job.end))]).collect()
            };
            prop_assert_eq!(mine, expected);
        }
    }
}
