//! The pool: its sizes, who runs what and in which order, what is dropped when, and how it ends.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use selvedge::{
    Failure, Reactor, ThreadPool,
    error::{BuildError, NeverRan, Panic, Rejection, SizeError},
    pool::{PoolBuilder, PoolStats},
    report::Incident,
};

use crate::support::{DropSignal, Gate, Log, PanicOnDrop, hold, wait_until, with_watchdog};

fn started(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::new(min, max).unwrap();
    pool.start().unwrap();
    pool
}

/// Makes `count` workers of the pool wait at a gate, and returns when all do.
fn occupy(pool: &ThreadPool, count: usize) -> Gate {
    let (gate, waiting) = (Gate::new(), Log::new());
    for _ in 0..count {
        let (gate, waiting) = (gate.clone(), waiting.clone());
        let job = move || {
            waiting.note(());
            gate.pass();
        };
        pool.call_in_thread(job).unwrap();
    }
    wait_until(|| waiting.len() == count);
    gate
}

fn wait_until_stats(pool: &ThreadPool, mut come_to: impl FnMut(PoolStats) -> bool) {
    wait_until(|| come_to(pool.stats()));
}

// ---- sizes

// Checks: B27
#[test]
fn a_lone_pool_has_five_to_twenty_threads_unless_told_otherwise() {
    let stats = PoolBuilder::default().build().unwrap().stats();
    assert_eq!((stats.min, stats.max), (5, 20));
}

// Checks: B27
#[test]
fn the_reactors_pool_has_no_thread_until_the_first_job_comes() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        reactor.call_when_running(|reactor| {
            assert_eq!(reactor.thread_pool().stats().live, 0);
            reactor.call_in_thread(|| ()).unwrap();
            wait_until_stats(reactor.thread_pool(), |stats| stats.live == 5);
            reactor.stop().unwrap();
        });
        assert_eq!(reactor.thread_pool().stats().live, 0);
        reactor.run();
    });
}

// Checks: B28
#[test]
fn a_minimum_above_the_maximum_is_refused_wherever_it_can_be_said() {
    let refusal = ThreadPool::new(2, 1).unwrap_err();
    assert_eq!((refusal.min, refusal.max), (2, 1));
    assert_eq!(refusal.to_string(), "the minimum of 2 threads is above the maximum of 1");
    assert_eq!(ThreadPool::builder().size(2, 1).build().unwrap_err(), refusal);
    let BuildError::Size { error, .. } = Reactor::builder().pool_size(2, 1).build().unwrap_err() else { panic!() };
    assert_eq!(error, refusal);
    let pool = ThreadPool::new(3, 4).unwrap();
    let refused: Result<(), SizeError> = pool.adjust_pool_size(2, 1);
    assert_eq!(refused, Err(refusal));
    assert_eq!((pool.stats().min, pool.stats().max), (3, 4), "nothing has changed");
}

// Checks: B28
#[test]
fn a_maximum_of_zero_is_a_paused_pool_whose_jobs_wait_for_a_resize() {
    with_watchdog(|| {
        let pool = started(0, 0);
        let log = Log::new();
        let ran = log.clone();
        pool.call_in_thread(move || ran.note("ran")).unwrap();
        assert_eq!((pool.stats().live, pool.stats().queued), (0, 1));
        pool.adjust_pool_size(0, 1).unwrap();
        wait_until(|| log.len() == 1);
        pool.stop().unwrap();
    });
}

// Checks: B28, B40
#[test]
fn a_paused_pool_still_finishes_what_it_accepted_when_it_is_stopped() {
    with_watchdog(|| {
        let pool = started(0, 0);
        let log = Log::new();
        let ran = log.clone();
        pool.call_in_thread(move || ran.note("ran")).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, ["ran"]);
    });
}

// Checks: B29
#[test]
fn before_start_jobs_queue_and_no_thread_exists() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(2, 4).on_report(|_| ()).build().unwrap();
        for _ in 0..3 {
            pool.call_in_thread(|| ()).unwrap();
        }
        assert_eq!((pool.stats().live, pool.stats().queued), (0, 3));
    });
}

/// How many threads a pool starts for `backlog` jobs that do not end.
fn threads_for(min: usize, max: usize, backlog: usize) -> usize {
    let pool = ThreadPool::new(min, max).unwrap();
    let gate = Gate::new();
    for _ in 0..backlog {
        let gate = gate.clone();
        pool.call_in_thread(move || gate.pass()).unwrap();
    }
    pool.start().unwrap();
    wait_until_stats(&pool, |stats| stats.busy == backlog.min(max) && stats.busy + stats.idle == stats.live);
    let live = pool.stats().live;
    pool.start().unwrap();
    assert_eq!(pool.stats().live, live, "starting again changes nothing");
    gate.open();
    pool.stop().unwrap();
    assert_eq!(pool.stats().completed, backlog as u64);
    live
}

// Checks: B29
#[test]
fn start_brings_up_the_minimum_and_for_a_backlog_up_to_the_maximum() {
    with_watchdog(|| {
        assert_eq!(threads_for(0, 5, 0), 0);
        assert_eq!(threads_for(3, 10, 0), 3);
        assert_eq!(threads_for(0, 10, 50), 10);
        assert_eq!(threads_for(4, 4, 9), 4);
    });
}

// Checks: B29
#[test]
fn start_brings_up_no_more_threads_than_the_backlog_needs() {
    with_watchdog(|| {
        for _ in 0..50 {
            assert_eq!(threads_for(3, 10, 7), 7);
            assert_eq!(threads_for(0, 10, 5), 5);
        }
    });
}

// ---- dispatch

// Checks: B30
#[test]
fn an_idle_worker_is_taken_before_a_new_one_is_made() {
    with_watchdog(|| {
        let pool = started(0, 10);
        for done in 1..=100 {
            pool.call_in_thread(|| ()).unwrap();
            wait_until_stats(&pool, |stats| (stats.completed, stats.idle) == (done, 1));
        }
        assert_eq!(pool.stats().peak, 1);
        pool.stop().unwrap();
    });
}

// Checks: B30, R15
#[test]
fn a_new_worker_is_made_before_a_job_queues() {
    with_watchdog(|| {
        let pool = started(0, 3);
        let gate = occupy(&pool, 3);
        pool.call_in_thread(|| ()).unwrap();
        let stats = pool.stats();
        assert_eq!((stats.live, stats.busy, stats.queued), (3, 3, 1));
        gate.open();
        pool.stop().unwrap();
    });
}

// Checks: B30
#[test]
fn the_backlog_is_served_first_in_first_out() {
    with_watchdog(|| {
        let pool = started(1, 1);
        let gate = occupy(&pool, 1);
        let log = Log::new();
        for number in 0..1000 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        gate.open();
        pool.stop().unwrap();
        assert!(log.entries().into_iter().eq(0..1000));
    });
}

// Checks: B30, R1
#[test]
fn a_worker_takes_no_job_behind_one_that_blocks_while_another_is_idle() {
    with_watchdog(|| {
        let pool = started(2, 2);
        for _ in 0..200 {
            let gate = Gate::new();
            let closed = gate.clone();
            // The first job ends only when the second has run, on another worker.
            pool.call_in_thread(move || closed.pass()).unwrap();
            pool.call_in_thread(move || gate.open()).unwrap();
        }
        pool.stop().unwrap();
    });
}

// ---- resizing

// Checks: B31
#[test]
fn idle_workers_above_the_maximum_exit_at_once_and_busy_ones_after_their_job() {
    with_watchdog(|| {
        let pool = started(5, 5);
        let gate = occupy(&pool, 3);
        pool.adjust_pool_size(0, 1).unwrap();
        wait_until_stats(&pool, |stats| stats.live == 3);
        assert_eq!(pool.stats().busy, 3);
        gate.open();
        wait_until_stats(&pool, |stats| stats.live == 1);
        pool.stop().unwrap();
    });
}

// Checks: B30, B31
#[test]
fn a_worker_over_the_target_exits_though_jobs_wait_and_the_others_serve_them() {
    with_watchdog(|| {
        let pool = started(4, 4);
        let gate = occupy(&pool, 4);
        let log = Log::new();
        for _ in 0..20 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(thread::current().id())).unwrap();
        }
        pool.adjust_pool_size(1, 1).unwrap();
        gate.open();
        pool.stop().unwrap();
        assert_eq!(log.len(), 20);
        assert!(log.entries().windows(2).all(|pair| pair[0] == pair[1]));
    });
}

// Checks: B31
#[test]
fn a_raised_minimum_is_filled_at_once() {
    with_watchdog(|| {
        let pool = started(0, 10);
        pool.adjust_pool_size(6, 10).unwrap();
        assert_eq!(pool.stats().live, 6);
        pool.stop().unwrap();
    });
}

// Checks: B31, R11
#[test]
fn a_raised_maximum_serves_the_backlog_at_once_and_nothing_overtakes_it() {
    with_watchdog(|| {
        let pool = started(1, 1);
        let gate = occupy(&pool, 1);
        let log = Log::new();
        for number in 0..4 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        pool.adjust_pool_size(1, 2).unwrap();
        let later = log.clone();
        pool.call_in_thread(move || later.note(4)).unwrap();
        // The first worker is still busy: it was the second that did all this.
        wait_until(|| log.len() == 5);
        assert_eq!(log, [0, 1, 2, 3, 4]);
        gate.open();
        pool.stop().unwrap();
    });
}

// Checks: B33, R10
#[test]
fn shrinking_twice_owes_nothing_when_the_minimum_is_restored() {
    with_watchdog(|| {
        let pool = started(5, 5);
        let gate = occupy(&pool, 5);
        pool.adjust_pool_size(2, 2).unwrap();
        pool.adjust_pool_size(2, 2).unwrap();
        pool.adjust_pool_size(5, 5).unwrap();
        assert_eq!(pool.stats().live, 5);
        gate.open();
        wait_until_stats(&pool, |stats| stats.idle == 5);
        assert_eq!(pool.stats().peak, 5);
        pool.stop().unwrap();
    });
}

// Checks: B33
#[test]
fn in_whatever_order_a_pool_was_resized_before_it_comes_to_what_was_asked_last() {
    with_watchdog(|| {
        let resizes = [(1, 1), (0, 6), (4, 4), (0, 0)];
        for first in 0..4 {
            for second in (0..4).filter(|second| *second != first) {
                let pool = started(3, 3);
                let gate = occupy(&pool, 3);
                for (min, max) in [resizes[first], resizes[second], (2, 2)] {
                    pool.adjust_pool_size(min, max).unwrap();
                }
                gate.open();
                wait_until_stats(&pool, |stats| (stats.live, stats.idle) == (2, 2));
                pool.stop().unwrap();
            }
        }
    });
}

// ---- statistics

// Checks: B35, R2
#[test]
fn statistics_are_one_consistent_snapshot() {
    with_watchdog(|| {
        let pool = started(1, 3);
        let submitter = {
            let pool = pool.clone();
            thread::spawn(move || {
                for number in 0..3000 {
                    pool.call_in_thread_with_callback(drop, move || assert_ne!(number % 10, 0)).unwrap();
                }
            })
        };
        while !submitter.is_finished() || pool.stats().completed < 3000 {
            let stats = pool.stats();
            assert_eq!(stats.started - stats.completed, stats.busy as u64, "{stats:?}");
            assert!(stats.idle + stats.busy <= stats.live && stats.live <= stats.max, "{stats:?}");
            assert!(stats.panicked <= stats.completed, "{stats:?}");
        }
        submitter.join().unwrap();
        pool.stop().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.started, stats.completed, stats.panicked), (3000, 3000, 300));
        assert_eq!((stats.live, stats.idle, stats.busy, stats.queued), (0, 0, 0, 0));
    });
}

// ---- callbacks and drops

// Checks: B36
#[test]
fn on_result_gets_the_value_on_the_thread_that_made_it() {
    with_watchdog(|| {
        let pool = started(0, 4);
        let log = Log::new();
        let told = log.clone();
        pool.call_in_thread_with_callback(
            move |result| told.note((result.unwrap(), thread::current().id())),
            || thread::current().id(),
        )
        .unwrap();
        pool.stop().unwrap();
        let [(ran_on, told_on)] = log.entries()[..] else { panic!("{log:?}") };
        assert_eq!(ran_on, told_on);
        assert_ne!(ran_on, thread::current().id());
    });
}

// Checks: B36
#[test]
fn on_result_gets_the_panic_with_its_payload() {
    with_watchdog(|| {
        let pool = started(0, 1);
        let log = Log::new();
        let told = log.clone();
        pool.call_in_thread_with_callback(
            move |result: Result<(), Failure>| {
                let panic = result.unwrap_err().downcast::<Panic>().unwrap();
                told.note(panic.into_payload().downcast::<u32>().unwrap());
            },
            || std::panic::panic_any(42_u32),
        )
        .unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [Box::new(42)]);
    });
}

fn reporting(max: usize) -> (ThreadPool, Log<Incident>) {
    let reports = Log::new();
    let pool = ThreadPool::builder().size(0, max).on_report(reports.sink()).build();
    let pool = pool.unwrap();
    pool.start().unwrap();
    (pool, reports)
}

// Checks: B36, B38
#[test]
fn what_panics_is_reported_and_its_worker_survives() {
    with_watchdog(|| {
        let (pool, reports) = reporting(1);
        let log = Log::new();
        let note = |log: &Log<_>| {
            let log = log.clone();
            move || log.note(thread::current().id())
        };
        pool.call_in_thread(note(&log)).unwrap();
        pool.call_in_thread(|| panic!("a job")).unwrap();
        pool.call_in_thread_with_callback(|_| panic!("on_result"), || ()).unwrap();
        pool.call_in_thread(note(&log)).unwrap();
        pool.stop().unwrap();
        assert_eq!(reports, [Incident::Job, Incident::OnResult]);
        assert_eq!(log.entries()[0], log.entries()[1]);
        assert_eq!(pool.stats().panicked, 1);
    });
}

// Checks: B38
#[test]
fn panics_in_dropping_captures_or_a_result_are_contained() {
    with_watchdog(|| {
        let (pool, reports) = reporting(1);
        let (captured, result) = (PanicOnDrop, PanicOnDrop);
        pool.call_in_thread(move || drop(captured)).unwrap();
        pool.call_in_thread_with_callback(drop, move || result).unwrap();
        let captured = PanicOnDrop;
        let told = Log::new();
        let tell = told.clone();
        let on_result = move |result: Result<(), Failure>| tell.note(result.is_err());
        pool.call_in_thread_with_callback(on_result, move || hold(&captured)).unwrap();
        pool.stop().unwrap();
        assert_eq!(reports, [Incident::Job, Incident::OnResult]);
        assert_eq!(told, [true], "a job that fails to drop what it captured has failed");
    });
}

// Checks: B37
#[test]
fn captures_go_before_on_result_runs_and_everything_before_the_next_job() {
    with_watchdog(|| {
        let pool = started(0, 1);
        let log = Log::new();
        let (captured, result, callback) =
            (log.when_dropped("captures"), log.when_dropped("result"), log.when_dropped("callback's captures"));
        let (runs, next) = (log.clone(), log.clone());
        let gate = occupy(&pool, 1);
        pool.call_in_thread_with_callback(
            move |result| {
                hold(&callback);
                runs.note("on_result");
                drop(result);
            },
            move || {
                hold(&captured);
                result
            },
        )
        .unwrap();
        pool.call_in_thread(move || next.note("next job")).unwrap();
        gate.open();
        pool.stop().unwrap();
        assert_eq!(log, ["captures", "on_result", "result", "callback's captures", "next job"]);
    });
}

// ---- the end

// Checks: B40, R9
#[test]
fn stop_waits_until_all_that_was_accepted_is_done_and_all_workers_have_ended() {
    with_watchdog(|| {
        let pool = started(2, 4);
        let log = Log::new();
        for number in 0..100 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        pool.stop().unwrap();
        assert_eq!((log.len(), pool.stats().live), (100, 0));
    });
}

// Checks: B40, R9
#[test]
fn a_pool_that_was_never_used_stops_too() {
    with_watchdog(|| {
        started(0, 4).stop().unwrap();
        started(2, 4).stop().unwrap();
        ThreadPool::new(0, 4).unwrap().stop().unwrap();
    });
}

// Checks: B40
#[test]
fn stopping_again_is_harmless_from_one_thread_or_from_many() {
    with_watchdog(|| {
        let pool = started(1, 2);
        let gate = occupy(&pool, 2);
        let stoppers = [(); 4].map(|()| {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.stop().unwrap();
                pool.stats().live
            })
        });
        gate.open();
        assert!(stoppers.into_iter().all(|stopper| stopper.join().unwrap() == 0));
        pool.stop().unwrap();
    });
}

thread_local! {
    static SLOW_EXIT: Cell<Option<SlowThreadExit>> = const { Cell::new(None) };
}

/// As a thread-local, keeps its thread from ending until the gate opens, and notes that then.
struct SlowThreadExit(Gate, Log<&'static str>);

impl Drop for SlowThreadExit {
    fn drop(&mut self) {
        self.0.pass();
        self.1.note("gone");
    }
}

// Checks: B40, B42
#[test]
fn every_stop_waits_for_the_threads_themselves_and_not_only_the_first() {
    with_watchdog(|| {
        let pool = started(0, 1);
        let (gate, log) = (Gate::new(), Log::new());
        let slow_exit = SlowThreadExit(gate.clone(), log.clone());
        pool.call_in_thread(move || SLOW_EXIT.set(Some(slow_exit))).unwrap();
        let stoppers = [(); 3].map(|()| {
            let (stopped, log) = (pool.clone(), log.clone());
            let stopper = thread::spawn(move || {
                stopped.stop().unwrap();
                log.entries()
            });
            // The others come when the first has seen the worker exit and waits for its thread.
            wait_until_stats(&pool, |stats| stats.live == 0);
            thread::sleep(Duration::from_millis(5));
            stopper
        });
        gate.open();
        for stopper in stoppers {
            assert_eq!(stopper.join().unwrap(), ["gone"]);
        }
    });
}

// Checks: B40, R12
#[test]
fn a_job_that_comes_after_the_stop_is_handed_back_and_can_be_run() {
    with_watchdog(|| {
        let pool = started(1, 1);
        pool.stop().unwrap();
        let log = Log::new();
        let (plain, told) = (log.clone(), log.clone());
        let rejected = pool.call_in_thread(move || plain.note("ran")).unwrap_err();
        assert_eq!(rejected.reason, Rejection::PoolStopped);
        let other = pool.call_in_thread_with_callback(move |_| told.note("told"), || ()).unwrap_err();
        assert_eq!(log.len(), 0);
        other.job.run();
        rejected.job.run();
        assert_eq!(log, ["told", "ran"]);
        assert!(pool.start().is_err());
    });
}

// Checks: B40, R30
#[test]
fn stopping_a_pool_from_one_of_its_own_workers_is_an_error_and_changes_nothing() {
    with_watchdog(|| {
        let pool = started(1, 1);
        let log = Log::new();
        let (own, answers) = (pool.clone(), log.clone());
        pool.call_in_thread(move || answers.note(own.stop().is_err())).unwrap();
        wait_until(|| log.len() == 1);
        let answers = log.clone();
        pool.call_in_thread(move || answers.note(true)).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [true, true]);
    });
}

// Checks: B40
#[test]
fn a_worker_may_stop_another_pool() {
    with_watchdog(|| {
        let (one, other) = (started(1, 1), started(1, 1));
        let stopped = other.clone();
        one.call_in_thread(move || stopped.stop().unwrap()).unwrap();
        one.stop().unwrap();
        assert_eq!(other.stats().live, 0);
    });
}

// Checks: B40
#[test]
fn every_job_of_a_pool_that_was_never_started_is_told_that_it_will_not_run() {
    with_watchdog(|| {
        let reports = Log::new();
        let pool = ThreadPool::builder().on_report(reports.sink()).build().unwrap();
        let log = Log::new();
        let (ran, told) = (log.clone(), log.clone());
        pool.call_in_thread_with_callback(
            move |result| {
                let failure = result.unwrap_err();
                told.note(matches!(failure.downcast_ref(), Some(NeverRan::PoolStopped)));
            },
            move || ran.note(false),
        )
        .unwrap();
        let (drop_signal, dropped) = DropSignal::new();
        pool.call_in_thread(move || drop(drop_signal)).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [true]);
        assert_eq!(reports, [Incident::Job]);
        assert_eq!(dropped.try_recv(), Ok(thread::current().id()));
    });
}

// Checks: B40
#[test]
fn a_pool_whose_last_handle_is_dropped_finishes_what_it_accepted() {
    with_watchdog(|| {
        let pool = started(0, 1);
        let gate = occupy(&pool, 1);
        let log = Log::new();
        for number in 0..10 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        drop(pool);
        gate.open();
        wait_until(|| log.len() == 10);
    });
}

// Checks: B40, R30
#[test]
fn the_last_handle_may_be_dropped_by_one_of_the_pools_own_workers() {
    with_watchdog(|| {
        let pool = started(1, 1);
        let (own, gate, log) = (pool.clone(), occupy(&pool, 1), Log::new());
        let next = log.clone();
        pool.call_in_thread(move || drop(own)).unwrap();
        pool.call_in_thread(move || next.note("next")).unwrap();
        drop(pool);
        gate.open();
        wait_until(|| log.len() == 1);
    });
}

// ---- threads

// Checks: B42
#[test]
fn threads_bear_the_pools_name_and_a_number_that_is_not_used_again() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().name("loom\0s").size(0, 3).build().unwrap();
        pool.start().unwrap();
        assert_eq!(pool.name(), "looms");
        let log = Log::new();
        for round in 1..=3 {
            let gate = occupy(&pool, 3);
            gate.open();
            for _ in 0..3 {
                let log = log.clone();
                pool.call_in_thread(move || log.note(thread::current().name().map(str::to_owned))).unwrap();
            }
            wait_until(|| log.len() == 3 * round);
            pool.adjust_pool_size(0, 0).unwrap();
            wait_until_stats(&pool, |stats| stats.live == 0);
            pool.adjust_pool_size(0, 3).unwrap();
        }
        pool.stop().unwrap();
        let names: BTreeSet<_> = log.entries().into_iter().flatten().collect();
        let allowed: BTreeSet<_> = (0..9).map(|number| format!("looms-{number}")).collect();
        assert!(names.is_subset(&allowed), "{names:?}");
        assert!(names.len() >= 3);
    });
}

thread_local! {
    static ALIVE: Cell<Option<Alive>> = const { Cell::new(None) };
}

/// Counts the threads that have run a job and have not ended.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn count(alive: Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(alive)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Long enough for a thread that is started in its place to be there with it.
        thread::sleep(Duration::from_millis(1));
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// Checks: B42, R13
#[test]
fn there_are_never_more_workers_than_the_maximum_though_threads_of_earlier_ones_still_end() {
    with_watchdog(|| {
        let pool = started(0, 2);
        let [alive, running, most] = [0; 3].map(|none| Arc::new(AtomicUsize::new(none)));
        for round in 1..=50 {
            // The first two take a thread each, until all have been submitted: a third is then needed, and not started.
            let meeting = Arc::new(Barrier::new(3));
            for job in 0..4 {
                let (alive, meeting) = (Arc::clone(&alive), Arc::clone(&meeting));
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                pool.call_in_thread(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    if job < 2 {
                        meeting.wait();
                    }
                    ALIVE.set(Some(ALIVE.take().unwrap_or_else(|| Alive::count(alive))));
                    running.fetch_sub(1, Ordering::Relaxed);
                })
                .unwrap();
            }
            wait_until_stats(&pool, |stats| stats.started == 4 * round - 2);
            assert_eq!(pool.stats().live, 2);
            meeting.wait();
            wait_until_stats(&pool, |stats| stats.completed == 4 * round);
            // All exit, and others come in their place while they still end.
            pool.adjust_pool_size(0, 0).unwrap();
            wait_until_stats(&pool, |stats| stats.live == 0);
            pool.adjust_pool_size(0, 2).unwrap();
        }
        pool.stop().unwrap();
        assert_eq!(alive.load(Ordering::Relaxed), 0, "joined, all of them");
        assert_eq!((most.load(Ordering::Relaxed), pool.stats().peak), (2, 2));
    });
}

// Checks: B41, R3
#[test]
fn a_job_that_no_thread_can_be_started_for_fails_with_that_error() {
    with_watchdog(|| {
        let reports = Log::new();
        // No address space is that big.
        let pool = ThreadPool::builder().size(0, 2).stack_size(1 << 60).on_report(reports.sink()).build().unwrap();
        pool.start().unwrap();
        for _ in 0..2 {
            let log = Log::new();
            let told = log.clone();
            pool.call_in_thread_with_callback(
                move |result| {
                    told.note(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::ThreadStart(_))));
                },
                || (),
            )
            .unwrap();
            assert_eq!(log, [true]);
        }
        assert_eq!(reports, [Incident::ThreadStart]);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.idle, stats.busy, stats.queued), (0, 0, 0, 0), "counts roll back");
        pool.stop().unwrap();
    });
}
