//! What a stop asks of the jobs that wait and of those that run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use selvedge::{
    Job, Reactor, ThreadPool,
    error::NeverRan,
    pool::{CancelToken, StopPolicy, StopWithinError},
    testing::{Stage, Step},
    threads,
};

use crate::support::{Gate, Log, wait_until, with_watchdog};

fn started(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::new(min, max).unwrap();
    pool.start().unwrap();
    pool
}

/// Submits a job that runs until it is asked to end; returns its token when it runs.
fn runs_until_asked(pool: &ThreadPool) -> CancelToken {
    let began = Gate::new();
    let begins = began.clone();
    let ticket = pool
        .call_in_thread_ticketed(Job::with_token(move |token| {
            begins.open();
            while token.check().is_ok() {
                std::thread::yield_now();
            }
        }))
        .unwrap();
    began.pass();
    ticket.token()
}

// Checks: P57, B40, R46
#[test]
fn a_stop_that_cancels_all_asks_the_running_jobs_to_end_and_refuses_those_that_wait() {
    with_watchdog(|| {
        let pool = started(0, 1);
        let token = runs_until_asked(&pool);
        let refused = Log::new();
        let told = refused.clone();
        let on_result = move |result: Result<(), selvedge::Failure>| {
            told.note(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::CancelledByStop)));
        };
        pool.call_in_thread_with_callback(on_result, || unreachable!("it waits until it is refused")).unwrap();
        pool.stop_with(StopPolicy::CancelAll).unwrap();
        assert!(token.is_cancelled());
        assert_eq!(refused.entries(), [true]);
    });
}

// Checks: P52, P57, R46
#[test]
fn a_stop_may_be_made_stricter_and_never_laxer() {
    with_watchdog(|| {
        let pool = started(2, 2);
        let tokens = [runs_until_asked(&pool), runs_until_asked(&pool)];
        let asked = || tokens.iter().filter(|token| token.is_cancelled()).count();
        pool.ask_to_stop(StopPolicy::Drain);
        pool.ask_to_stop(StopPolicy::CancelQueued);
        assert_eq!(asked(), 0, "neither asks running jobs");
        pool.ask_to_stop(StopPolicy::CancelAll);
        pool.ask_to_stop(StopPolicy::Drain);
        assert_eq!(asked(), 2);
        pool.stop().unwrap();
    });
}

// Checks: P57, B43
#[test]
fn a_job_without_a_ticket_is_finished_and_one_of_a_deferred_finds_its_token_set() {
    with_watchdog(|| {
        let pool = started(0, 2);
        let (began, gate, finished) = (Gate::new(), Gate::new(), Arc::new(AtomicBool::new(false)));
        pool.call_in_thread({
            let (began, gate, finished) = (began.clone(), gate.clone(), Arc::clone(&finished));
            move || {
                began.open();
                gate.pass();
                finished.store(true, Ordering::Relaxed);
            }
        })
        .unwrap();
        began.pass();
        let reactor = Reactor::new();
        let (pool_of_job, opens) = (pool.clone(), gate.clone());
        let asked = threads::defer_to_thread_pool(&reactor, &pool, move || {
            let token = CancelToken::current().unwrap();
            let before = token.is_cancelled();
            pool_of_job.ask_to_stop(StopPolicy::CancelAll);
            opens.open();
            (before, token.is_cancelled())
        });
        let log = Log::new();
        let noted = log.clone();
        let handle = reactor.handle();
        let _ = asked.map(move |asked| {
            noted.note(asked);
            handle.stop();
        });
        reactor.run();
        pool.stop().unwrap();
        assert_eq!(log.entries(), [(false, true)]);
        assert!(finished.load(Ordering::Relaxed));
    });
}

// Checks: P57, B69
#[test]
fn a_job_that_was_taken_before_the_stop_begins_with_its_token_set() {
    let (pool, stepper) = ThreadPool::builder().size(1, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let log = Log::new();
    let noted = log.clone();
    pool.call_in_thread_ticketed(Job::with_token(move |token| noted.note(token.is_cancelled()))).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    assert_eq!(stepper.workers(), [(0, Stage::Holding)]);
    pool.ask_to_stop(StopPolicy::CancelAll);
    while stepper.step().is_some() {}
    assert_eq!(log.entries(), [true]);
    assert!(pool.has_stopped());
}

// Checks: P57, B43
#[test]
fn the_token_of_a_job_that_is_over_is_not_set_by_a_stop() {
    with_watchdog(|| {
        let pool = started(1, 1);
        let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
        wait_until(|| pool.stats().completed == 1);
        pool.stop_with(StopPolicy::CancelAll).unwrap();
        assert!(!ticket.token().is_cancelled());
    });
}

// Checks: B40
#[test]
fn of_jobs_without_a_name_a_stop_that_runs_out_of_time_names_the_one_that_runs() {
    with_watchdog(|| {
        let pool = started(0, 1);
        let gates = [Gate::new(), Gate::new(), Gate::new(), Gate::new()];
        let [first, second, third, fourth] = gates.clone();
        pool.call_in_thread(move || first.pass()).unwrap();
        wait_until(|| pool.stats().busy == 1);
        // The worker finds these three at once, and takes one after the other without looking elsewhere.
        pool.call_in_thread(move || second.pass()).unwrap();
        let line = line!() + 1;
        pool.call_in_thread(move || third.pass()).unwrap();
        pool.call_in_thread(move || fourth.pass()).unwrap();
        gates[..2].iter().for_each(Gate::open);
        wait_until(|| pool.stats().completed == 2 && pool.stats().busy == 1);
        match pool.stop_within(StopPolicy::Drain, Duration::ZERO) {
            Err(StopWithinError::Unfinished { stragglers, .. }) => {
                let lines: Vec<_> = stragglers.iter().filter_map(|late| Some(late.job()?.location().line())).collect();
                assert_eq!(lines, [line]);
            }
            other => panic!("{other:?}"),
        }
        gates.iter().for_each(Gate::open);
        pool.stop().unwrap();
    });
}
