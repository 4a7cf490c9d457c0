//! Twisted's `twisted._threads.test`, translated for what is built here: the quit flag, the team, the thread worker.
//!
//! Twisted builds its pool from a *team*: a coordinator that hands work to workers and is told to grow and to shrink.
//! Here the pool is one state machine with a target size, and growing and shrinking move the target.
//!
//! States that threads seldom reach are reached by stepping the pool on one thread (`B69`), as in Twisted; the same
//! tests also run with threads.
//!
//! Left out: `LockWorkerTests`. The lock has no counterpart: it guards a state machine that never runs a job under a
//! lock.

use std::thread;

use selvedge::{
    Reactor, ThreadPool,
    error::StopError,
    pool::StopPolicy,
    reactor::Turn,
    report::Incident,
    testing::{Stage, Step, Stepper},
};

use crate::support::{Gate, Log, wait_until, with_watchdog};

// ---- QuitTests. The flag that says "no more" is the pool's submit queue: open until the pool is stopped.

// Checks: B40
#[test]
fn is_initially_set() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        assert!(pool.call_in_thread(|| ()).is_ok());
        pool.start().unwrap();
        pool.stop().unwrap();
    });
}

// Checks: B40
#[test]
fn set_sets_set() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.stop().unwrap();
        assert!(pool.call_in_thread(|| ()).is_err());
    });
}

// Checks: B40
#[test]
fn check_does_nothing() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.start().unwrap();
        pool.start().unwrap();
        assert_eq!(pool.stats().live, 0);
        pool.stop().unwrap();
    });
}

// Checks: B40
#[test]
fn check_after_set_raises() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.stop().unwrap();
        assert!(pool.start().is_err());
    });
}

/// Stopping a pool twice is harmless here (`B40`); it is stopping a *reactor* twice that is an error.
// Checks: B3
#[test]
fn set_twice_raises() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        assert_ne!(reactor.turn(), Ok(Turn::Ended));
        reactor.stop().unwrap();
        assert_eq!(reactor.stop(), Err(StopError::AlreadyStopping));
        wait_until(|| reactor.turn() == Ok(Turn::Ended));
    });
}

// ---- TeamTests

fn team(workers: usize) -> ThreadPool {
    let pool = ThreadPool::new(0, workers).unwrap();
    pool.start().unwrap();
    pool
}

/// A team whose workers have no threads, and what steps them.
fn memory_team(workers: usize) -> (ThreadPool, Stepper) {
    let (team, stepper) = ThreadPool::builder().size(0, workers).build_stepped().unwrap();
    team.start().unwrap();
    (team, stepper)
}

fn perform_all_outstanding_work(stepper: &Stepper) {
    while stepper.step().is_some() {}
}

/// Gives the team jobs that wait at a gate; returns the gate when all of them run.
fn busy(pool: &ThreadPool, workers: usize) -> Gate {
    let gate = Gate::new();
    for _ in 0..workers {
        let gate = gate.clone();
        pool.call_in_thread(move || gate.pass()).unwrap();
    }
    wait_until(|| pool.stats().busy == workers);
    gate
}

// Checks: B30
#[test]
fn do_does_work_in_worker() {
    with_watchdog(|| {
        let team = team(1);
        let log = Log::new();
        let gate = busy(&team, 1);
        assert_eq!(team.stats().busy, 1);
        let who = log.clone();
        team.call_in_thread(move || who.note(thread::current().name().map(str::to_owned))).unwrap();
        gate.open();
        wait_until(|| team.stats().idle == 1);
        assert_eq!(log, [Some("pool-0".to_owned())]);
        assert_eq!(team.stats().busy, 0);
        team.stop().unwrap();
    });
}

// Checks: B35
#[test]
fn initial_statistics() {
    let stats = ThreadPool::new(0, 10).unwrap().stats();
    assert_eq!((stats.idle, stats.busy, stats.queued), (0, 0, 0));
}

// Checks: B31
#[test]
fn grow_creates_idle_workers() {
    with_watchdog(|| {
        let team = team(10);
        team.adjust_pool_size(5, 10).unwrap();
        wait_until(|| team.stats().idle == 5);
        team.stop().unwrap();
    });
}

// Checks: B28, B31
#[test]
fn grow_create_limit() {
    with_watchdog(|| {
        let team = team(3);
        team.adjust_pool_size(5, 3).unwrap_err();
        assert_eq!(team.stats().live, 0);
        team.adjust_pool_size(3, 3).unwrap();
        wait_until(|| team.stats().idle == 3);
        team.stop().unwrap();
    });
}

// Checks: B31
#[test]
fn shrink_quits_workers() {
    with_watchdog(|| {
        let team = team(5);
        team.adjust_pool_size(5, 5).unwrap();
        wait_until(|| team.stats().idle == 5);
        team.adjust_pool_size(0, 2).unwrap();
        wait_until(|| team.stats().live == 2);
        team.stop().unwrap();
    });
}

// Checks: B28, B31
#[test]
fn shrink_to_zero() {
    with_watchdog(|| {
        let team = team(10);
        team.adjust_pool_size(10, 10).unwrap();
        wait_until(|| team.stats().idle == 10);
        team.adjust_pool_size(0, 0).unwrap();
        wait_until(|| team.stats().live == 0);
        team.stop().unwrap();
    });
}

// Checks: B30
#[test]
fn more_work_when_no_workers_available() {
    with_watchdog(|| {
        let team = team(3);
        let gate = busy(&team, 3);
        let log = Log::new();
        let something = log.clone();
        team.call_in_thread(move || something.note(())).unwrap();
        assert_eq!((team.stats().idle, team.stats().queued), (0, 1));
        gate.open();
        wait_until(|| log.len() == 1);
        assert_eq!(team.stats().queued, 0);
        team.stop().unwrap();
    });
}

// Checks: B36
#[test]
fn exception_in_task() {
    with_watchdog(|| {
        let log = Log::new();
        let team = ThreadPool::builder().size(0, 1).on_report(log.sink_of_words()).build().unwrap();
        team.start().unwrap();
        team.call_in_thread(|| panic!("division by zero")).unwrap();
        team.stop().unwrap();
        assert_eq!(log.entries(), [format!("{:?}: panicked: division by zero", Incident::Job)]);
    });
}

/// Of the two things that an `AlreadyQuit` is raised for, one is harmless here: to quit again.
// Checks: B40
#[test]
fn quit() {
    with_watchdog(|| {
        let team = team(1);
        team.stop().unwrap();
        team.stop().unwrap();
        assert!(team.call_in_thread(|| ()).is_err());
    });
}

// Checks: B40
#[test]
fn quit_quits() {
    with_watchdog(|| {
        let team = team(10);
        for _ in 0..10 {
            team.call_in_thread(|| ()).unwrap();
        }
        wait_until(|| team.stats().completed == 10);
        team.stop().unwrap();
        assert_eq!(team.stats().live, 0);
    });
}

// Checks: B40
#[test]
fn quit_quits_later_when_busy() {
    with_watchdog(|| {
        let team = team(10);
        team.adjust_pool_size(10, 10).unwrap();
        let gate = busy(&team, 5);
        let stopped = team.clone();
        let stopper = thread::spawn(move || stopped.stop().unwrap());
        wait_until(|| team.stats().live == 5);
        assert_eq!(team.stats().busy, 5);
        gate.open();
        stopper.join().unwrap();
        assert_eq!(team.stats().live, 0);
    });
}

// Checks: B40, R2
#[test]
fn quit_concurrent_with_work_happening() {
    with_watchdog(|| {
        for _ in 0..200 {
            let (team, log) = (team(2), Log::new());
            let submitter = {
                let (team, log) = (team.clone(), log.clone());
                thread::spawn(move || {
                    let accepted = (0..100).take_while(|_| {
                        let log = log.clone();
                        team.call_in_thread(move || log.note(())).is_ok()
                    });
                    accepted.count()
                })
            };
            team.stop().unwrap();
            // Whatever was accepted is done, and nothing is accepted any more.
            let accepted = submitter.join().unwrap();
            assert_eq!(log.len(), accepted);
            assert!(team.call_in_thread(|| ()).is_err());
        }
    });
}

/// The same, stepped: work happens between the closing of the submit queue and the rest of the stop.
// Checks: B40
#[test]
fn quit_concurrent_with_work_happening_stepped() {
    let (team, stepper) = memory_team(10);
    let log = Log::new();
    for _ in 0..3 {
        let log = log.clone();
        team.call_in_thread(move || log.note(())).unwrap();
    }
    assert_eq!(stepper.step(), Some(Step::Took));
    team.ask_to_stop(StopPolicy::Drain);
    perform_all_outstanding_work(&stepper);
    assert!(team.has_stopped());
    team.ask_to_stop(StopPolicy::Drain);
    assert!(team.call_in_thread(|| ()).is_err());
    assert_eq!(log.len(), 3);
}

// Checks: B31, R10
#[test]
fn shrink_when_busy_stepped() {
    let (team, stepper) = memory_team(10);
    for _ in 0..10 {
        team.call_in_thread(|| ()).unwrap();
    }
    // Each worker takes its job, and none has run it yet.
    while stepper.workers().iter().any(|(_, stage)| *stage == Stage::Starting) {
        let arriving = stepper.workers().into_iter().find(|(_, stage)| *stage == Stage::Starting);
        assert_eq!(arriving.and_then(|(worker, _)| stepper.step_worker(worker)), Some(Step::Took));
    }
    assert_eq!((team.stats().live, team.stats().busy), (10, 10));
    team.adjust_pool_size(0, 3).unwrap();
    assert_eq!(team.stats().live, 10);
    perform_all_outstanding_work(&stepper);
    assert_eq!(team.stats().live, 3);
}

// Checks: B31, R10
#[test]
fn shrink_when_busy() {
    with_watchdog(|| {
        let team = team(10);
        let gate = busy(&team, 10);
        team.adjust_pool_size(0, 3).unwrap();
        assert_eq!(team.stats().live, 10);
        gate.open();
        wait_until(|| team.stats().live == 3);
        team.stop().unwrap();
    });
}

// ---- ThreadWorkerTests

// Checks: B29, B30
#[test]
fn starts_thread_and_performs_work() {
    with_watchdog(|| {
        let worker = ThreadPool::new(1, 1).unwrap();
        let log = Log::new();
        let does_it = log.clone();
        worker.call_in_thread(move || does_it.note(thread::current().id())).unwrap();
        assert_eq!(log.len(), 0);
        worker.start().unwrap();
        assert_eq!(worker.stats().live, 1);
        wait_until(|| log.len() == 1);
        assert_ne!(log, [thread::current().id()]);
        worker.stop().unwrap();
    });
}

// Checks: B40
#[test]
fn quit_prevents_future_calls() {
    with_watchdog(|| {
        let worker = ThreadPool::new(1, 1).unwrap();
        worker.start().unwrap();
        worker.stop().unwrap();
        assert!(worker.call_in_thread(|| ()).is_err());
        assert!(worker.start().is_err());
    });
}

// ---- MemoryWorkerTests. One worker without a thread, which performs by being stepped until it has run one job.

/// Whether it did anything useful.
fn performs(worker: &Stepper) -> bool {
    loop {
        match worker.step() {
            Some(Step::Ran) => return true,
            Some(_) => {}
            None => return false,
        }
    }
}

// Checks: B30, B69
#[test]
fn create_worker_and_perform() {
    let (worker, performer) = memory_team(1);
    let done = Log::new();
    for number in [3, 4] {
        let done = done.clone();
        worker.call_in_thread(move || done.note(number)).unwrap();
    }
    assert_eq!(done, []);
    assert!(performs(&performer));
    assert_eq!(done, [3]);
    assert!(performs(&performer));
    assert_eq!(done, [3, 4]);
}

// Checks: B40, B69
#[test]
fn memory_worker_quit_quits() {
    let (worker, performer) = memory_team(1);
    let done = Log::new();
    let more_work = done.clone();
    worker.call_in_thread(move || more_work.note(7)).unwrap();
    worker.ask_to_stop(StopPolicy::Drain);
    assert!(worker.call_in_thread(|| ()).is_err());
    assert!(!worker.has_stopped(), "what was accepted is still to be done");
    assert!(performs(&performer));
    assert_eq!(done, [7]);
    assert!(!performs(&performer));
    assert!(worker.has_stopped());
}

// Checks: B69
#[test]
fn perform_when_nothing_to_do_yet() {
    let (_worker, performer) = memory_team(1);
    assert!(!performs(&performer));
}
