//! Jobs inside jobs: when the inner one has ended, its thread is again that of the outer one, whatever the inner was.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Job, ThreadPool,
    error::Rejection,
    pool::{CancelToken, Cancellation, StopPolicy, WhenFull},
    testing::Stepper,
    threads,
};

use crate::support::{Log, OnDrop, with_watchdog};

/// A pool that reports to this log under its name.
fn pool(name: &'static str, reports: &Log<&'static str>) -> (ThreadPool, Stepper) {
    let reports = reports.clone();
    let builder = ThreadPool::builder().size(0, 1).compensation(1).on_report(move |_| reports.note(name));
    let (pool, stepper) = builder.build_stepped().unwrap();
    pool.start().unwrap();
    (pool, stepper)
}

fn settle(stepper: &Stepper) {
    while stepper.step().is_some() {}
}

/// Runs something in a job with a ticket, and hands it the ticket.
fn in_a_job(pool: &ThreadPool, stepper: &Stepper, job: impl FnOnce(selvedge::pool::Ticket) + Send + 'static) {
    let own = Arc::new(Mutex::new(None));
    let given = Arc::clone(&own);
    let ticket = pool.call_in_thread_ticketed(move || job(given.lock().unwrap().take().unwrap())).unwrap();
    *own.lock().unwrap() = Some(ticket);
    settle(stepper);
    assert_eq!((pool.stats().completed, pool.stats().panicked), (1, 0));
}

/// The ways in which a job runs inside another: of another pool, with and without a token, panicking, refused, and run
/// in place. Each is told what is the current token meanwhile.
fn inner_jobs(seen: &Log<Option<bool>>) -> Vec<Box<dyn FnOnce(&ThreadPool, &Stepper) + Send>> {
    let noting = || {
        let seen = seen.clone();
        move || seen.note(CancelToken::current().map(|token| token.is_cancelled()))
    };
    let (plain, ticketed, panics, in_place) = (noting(), noting(), noting(), noting());
    vec![
        Box::new(move |inner, stepper| {
            inner.call_in_thread(plain).unwrap();
            settle(stepper);
        }),
        Box::new(move |inner, stepper| {
            let ticket = inner.call_in_thread_ticketed(ticketed).unwrap();
            settle(stepper);
            assert_eq!(ticket.cancel(), Cancellation::Over);
        }),
        Box::new(move |inner, stepper| {
            let job = move || {
                panics();
                panic!("an inner job");
            };
            drop(inner.call_in_thread_ticketed(job).unwrap());
            settle(stepper);
        }),
        Box::new(move |_, _| Job::new(in_place).time_limit(Duration::from_secs(3600)).run()),
        Box::new(move |inner, stepper| {
            drop(inner.call_in_thread_ticketed(|| unreachable!("it is cancelled")).unwrap());
            inner.ask_to_stop(StopPolicy::CancelAll);
            settle(stepper);
        }),
    ]
}

// Checks: B43, P55
#[test]
fn the_outer_jobs_token_is_back_whatever_ran_inside() {
    let seen = Log::new();
    for inner_job in inner_jobs(&seen) {
        let reports = Log::new();
        let ((outer, outer_stepper), (inner, inner_stepper)) = (pool("outer", &reports), pool("inner", &reports));
        in_a_job(&outer, &outer_stepper, move |ticket| {
            inner_job(&inner, &inner_stepper);
            assert!(!CancelToken::current().unwrap().is_cancelled());
            assert_eq!(ticket.cancel(), Cancellation::Asked, "it has not ended with the inner one");
            assert!(CancelToken::current().unwrap().is_cancelled(), "and it is the same one");
        });
        assert!(CancelToken::current().is_none());
    }
    assert_eq!(seen, [None, Some(false), Some(false), Some(false)]);
}

// Checks: B40, P78
#[test]
fn after_an_inner_job_its_thread_belongs_to_the_outer_pool_again() {
    let reports = Log::new();
    let ((outer, outer_stepper), (inner, inner_stepper)) = (pool("outer", &reports), pool("inner", &reports));
    let (own, others) = (outer.clone(), inner.clone());
    in_a_job(&outer, &outer_stepper, move |_| {
        let (outer, inner) = (own.clone(), others.clone());
        others
            .call_in_thread(move || {
                assert!(inner.stop().is_err(), "it is its worker");
                assert_eq!(outer.stats().blocked, 0);
                threads::blocked(|| assert_eq!((outer.stats().blocked, inner.stats().blocked), (0, 1)));
                drop(Deferred::<()>::fail(Failure::msg("reported by the inner job")));
            })
            .unwrap();
        settle(&inner_stepper);
        assert!(own.stop().is_err());
        threads::blocked(|| assert_eq!((own.stats().blocked, others.stats().blocked), (1, 0)));
        drop(Deferred::<()>::fail(Failure::msg("reported by the outer job")));
        // Not its worker any more.
        others.ask_to_stop(StopPolicy::Drain);
        settle(&inner_stepper);
        others.stop().unwrap();
    });
    assert_eq!(reports, ["inner", "outer"]);
}

// Checks: B45
#[test]
fn an_inner_job_ends_no_region_of_the_outer_one_that_blocks() {
    let reports = Log::new();
    let ((outer, outer_stepper), (inner, inner_stepper)) = (pool("outer", &reports), pool("inner", &reports));
    let own = outer.clone();
    in_a_job(&outer, &outer_stepper, move |_| {
        let blocked = threads::Blocked::enter();
        let others = inner.clone();
        inner
            .call_in_thread(move || {
                // It ends with the job.
                std::mem::forget(threads::Blocked::enter());
                assert_eq!(others.stats().blocked, 1);
            })
            .unwrap();
        settle(&inner_stepper);
        assert_eq!((own.stats().blocked, inner.stats().blocked), (1, 0));
        drop(blocked);
        assert_eq!(own.stats().blocked, 0);
    });
}

// Checks: B45
#[test]
fn a_guard_that_an_earlier_job_has_left_ends_no_region_of_a_later_one() {
    thread_local!(static LEFT: RefCell<Option<threads::Blocked>> = const { RefCell::new(None) });
    let (pool, stepper) = pool("pool", &Log::new());
    pool.call_in_thread(|| LEFT.set(Some(threads::Blocked::enter()))).unwrap();
    settle(&stepper);
    let (log, own) = (Log::new(), pool.clone());
    let note = log.clone();
    let job = move || {
        threads::blocked(|| {
            drop(LEFT.take());
            threads::blocked(|| ());
            note.note(own.stats().blocked);
        });
        note.note(own.stats().blocked);
    };
    pool.call_in_thread(job).unwrap();
    settle(&stepper);
    assert_eq!(log, [1, 0]);
}

// Checks: B40, P78
#[test]
fn who_refuses_jobs_of_one_pool_while_it_refuses_those_of_another_may_stop_neither() {
    with_watchdog(|| {
        let [outer, inner] = [(); 2].map(|()| ThreadPool::builder().on_report(|_| ()).build().unwrap());
        let log = Log::new();
        let (first, second, noted) = (outer.clone(), inner.clone(), log.clone());
        let in_inner = OnDrop::new(move || noted.note((first.stop().is_err(), second.stop().is_err())));
        inner.call_in_thread(move || drop(in_inner)).unwrap();
        let (first, second, noted) = (outer.clone(), inner.clone(), log.clone());
        let in_outer = OnDrop::new(move || {
            second.stop().unwrap();
            noted.note((first.stop().is_err(), second.stop().is_err()));
        });
        outer.call_in_thread(move || drop(in_outer)).unwrap();
        outer.stop().unwrap();
        assert_eq!(log, [(true, true), (true, false)]);
        outer.stop().unwrap();
    });
}

// Checks: B40, B44, P78
#[test]
fn a_job_that_another_pools_job_steps_may_wait_for_neither_pool() {
    with_watchdog(|| {
        let bound = 1.try_into().unwrap();
        let outer = ThreadPool::builder().size(1, 1).queue_bound(bound).build().unwrap();
        let reports = Log::new();
        let (inner, stepper) = pool("inner", &reports);
        outer.start().unwrap();
        let (log, own, (ends, ended)) = (Log::new(), outer.clone(), mpsc::channel());
        let noted = log.clone();
        let steps = move || {
            let (first, second) = (own, inner.clone());
            let waits = move || {
                noted.note(first.stop().is_err() && second.stop().is_err());
                first.call_in_thread(|| ()).unwrap();
                let waiting = Job::new(|| ()).when_full(WhenFull::Wait);
                noted.note(first.call_in_thread(waiting).unwrap_err().reason == Rejection::WouldDeadlock);
            };
            inner.call_in_thread(waits).unwrap();
            settle(&stepper);
            ends.send(()).unwrap();
        };
        outer.call_in_thread(steps).unwrap();
        ended.recv().unwrap();
        outer.stop().unwrap();
        assert_eq!(log, [true, true]);
    });
}
