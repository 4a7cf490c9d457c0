//! Hooks for the start and the end of a worker: they run on its thread, before its first job and after its last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use selvedge::{
    Failure, Reactor, ThreadPool,
    error::WouldDeadlock,
    pool::{PoolBuilder, Worker},
    reactor::{Event, Phase},
    report::Incident,
    threads,
};

use crate::support::{Gate, Log, PanicOnDrop, hold, wait_until, with_watchdog};

type TextLog = Log<String>;

fn note(log: &TextLog, words: &str) {
    log.note(words.to_owned());
}

fn started(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

/// A pool of at most one worker.
fn one() -> PoolBuilder {
    ThreadPool::builder().size(0, 1)
}

/// Where a hook finds its pool, which is built after it.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Option<ThreadPool>>>);

impl Place {
    fn fill(&self, pool: &ThreadPool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(pool.clone());
    }

    fn take(&self) -> Option<ThreadPool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

// Checks: B39
#[test]
fn start_hooks_run_in_order_before_the_first_job_and_stop_hooks_in_reverse_after_the_last() {
    with_watchdog(|| {
        let log = TextLog::new();
        let hook = |words: &'static str| {
            let log = log.clone();
            move |_: &Worker<'_>| note(&log, words)
        };
        let builder = one().on_worker_start(hook("first in")).on_worker_stop(hook("first out"));
        let pool = started(builder.on_worker_start(hook("second in")).on_worker_stop(hook("second out")));
        assert_eq!(log.len(), 0, "no worker yet");
        for job in ["job 1", "job 2"] {
            let log = log.clone();
            pool.call_in_thread(move || note(&log, job)).unwrap();
        }
        pool.stop().unwrap();
        let expected = ["first in", "second in", "job 1", "job 2", "second out", "first out"];
        assert_eq!(log, expected.map(str::to_owned), "and `stop` has waited for all of it");
    });
}

// Checks: B39, B42
#[test]
fn hooks_run_on_the_workers_own_thread_and_see_its_name_and_number() {
    with_watchdog(|| {
        let log: Log<(String, usize, ThreadId)> = Log::new();
        let (ins, outs, jobs) = (log.clone(), log.clone(), log.clone());
        let noting = |log: Log<(String, usize, ThreadId)>| {
            move |worker: &Worker<'_>| log.note((worker.to_string(), worker.number, thread::current().id()))
        };
        let builder = one().name("slow-disk-and-network").on_worker_start(noting(ins)).on_worker_stop(noting(outs));
        let pool = started(builder);
        pool.call_in_thread(move || jobs.note((String::new(), 0, thread::current().id()))).unwrap();
        pool.stop().unwrap();
        let (log, whole) = (log.entries(), "slow-disk-and-network-0");
        assert_eq!(log.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), [whole, "", whole]);
        assert!(log.windows(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].2 == pair[1].2), "{log:?}");
    });
}

// Checks: B39
#[test]
fn every_worker_that_begins_ends_whatever_the_sizes() {
    with_watchdog(|| {
        let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let count = |counter: &Arc<AtomicUsize>| {
            let counter = Arc::clone(counter);
            move |_: &Worker<'_>| {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        let builder = ThreadPool::builder().size(0, 3).on_worker_start(count(&begun)).on_worker_stop(count(&ended));
        let pool = started(builder);
        for number in 0..200 {
            pool.adjust_pool_size(number % 3, number % 3 + number % 2).unwrap();
            pool.call_in_thread(|| ()).unwrap();
        }
        pool.stop().unwrap();
        let begun = begun.load(Ordering::Relaxed);
        assert!(begun > 0);
        assert_eq!(begun, ended.load(Ordering::Relaxed));
        assert_eq!(pool.stats().completed, 200);
    });
}

// Checks: B38, P62
#[test]
fn worker_hooks_that_panic_are_reported_and_neither_jobs_nor_other_hooks_are_lost() {
    with_watchdog(|| {
        let (reports, log) = (Log::new(), TextLog::new());
        let hook = |words: &'static str| {
            let log = log.clone();
            move |_: &Worker<'_>| note(&log, words)
        };
        let builder = one()
            .on_report(reports.sink())
            .on_worker_start(|_| panic!("at the start"))
            .on_worker_start(hook("in"))
            .on_worker_stop(hook("out"))
            .on_worker_stop(|_| drop(PanicOnDrop));
        let pool = started(builder);
        let job = log.clone();
        pool.call_in_thread(move || note(&job, "job")).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, ["in", "job", "out"].map(str::to_owned));
        assert_eq!(reports, [Incident::Hook; 2]);
        assert_eq!((pool.stats().completed, pool.stats().panicked), (1, 0));
    });
}

// Checks: B30, B39, R1
#[test]
fn a_start_hook_that_blocks_delays_no_job_while_another_worker_may_be_added() {
    with_watchdog(|| {
        let gate = Gate::new();
        let closed = gate.clone();
        // The first worker is held up until a job has run: on the second, for there is nobody else.
        let first_only = move |worker: &Worker<'_>| {
            if worker.number == 0 {
                closed.pass();
            }
        };
        let pool = started(ThreadPool::builder().size(0, 2).on_worker_start(first_only));
        pool.call_in_thread(move || gate.open()).unwrap();
        wait_until(|| pool.stats().completed == 1);
        pool.stop().unwrap();
    });
}

// Checks: B30, B39, R1
#[test]
fn a_start_hook_that_blocks_delays_no_job_while_another_worker_is_idle() {
    with_watchdog(|| {
        let (gate, held) = (Gate::new(), Gate::new());
        let (closed, holds) = (gate.clone(), held.clone());
        let second_only = move |worker: &Worker<'_>| {
            if worker.number == 1 {
                holds.open();
                closed.pass();
            }
        };
        let pool = started(ThreadPool::builder().size(1, 2).on_worker_start(second_only));
        wait_until(|| pool.stats().idle == 1);
        pool.adjust_pool_size(2, 2).unwrap();
        held.pass();
        for _ in 0..10 {
            pool.call_in_thread(|| ()).unwrap();
        }
        // The first worker has run them all and waits; the second neither runs a job nor waits for one.
        wait_until(|| (pool.stats().completed, pool.stats().idle) == (10, 1));
        assert_eq!((pool.stats().live, pool.stats().busy), (2, 0));
        gate.open();
        pool.stop().unwrap();
    });
}

// Checks: B39, B42, R13
#[test]
fn a_worker_counts_as_live_until_its_stop_hook_is_over_and_nobody_comes_in_its_place_sooner() {
    with_watchdog(|| {
        let (gate, held) = (Gate::new(), Gate::new());
        let (closed, holds) = (gate.clone(), held.clone());
        let first_only = move |worker: &Worker<'_>| {
            if worker.number == 0 {
                holds.open();
                closed.pass();
            }
        };
        let pool = started(ThreadPool::builder().size(1, 1).on_worker_stop(first_only));
        pool.adjust_pool_size(0, 0).unwrap();
        held.pass();
        assert_eq!((pool.stats().live, pool.stats().idle, pool.stats().busy), (1, 0, 0));
        pool.adjust_pool_size(1, 1).unwrap();
        pool.call_in_thread(|| ()).unwrap();
        assert_eq!((pool.stats().live, pool.stats().queued), (1, 1), "it is too late for this one to stay");
        gate.open();
        wait_until(|| pool.stats().completed == 1);
        assert_eq!((pool.stats().live, pool.stats().peak), (1, 1));
        pool.stop().unwrap();
    });
}

// Checks: B39, P9, B40
#[test]
fn hooks_may_submit_and_resize_but_a_worker_in_its_stop_hook_cannot_wait_for_its_pool() {
    with_watchdog(|| {
        let (place, log) = (Place::default(), TextLog::new());
        let (at_start, at_end) = (place.clone(), place.clone());
        let (started_job, refused, late) = (log.clone(), log.clone(), log.clone());
        let builder = one()
            .on_report(|_| ())
            .on_worker_start(move |_| {
                if let Some(pool) = at_start.take() {
                    let log = started_job.clone();
                    pool.call_in_thread(move || note(&log, "submitted at the start")).unwrap();
                    pool.adjust_pool_size(0, 1).unwrap();
                }
            })
            .on_worker_stop(move |_| {
                if let Some(pool) = at_end.take() {
                    assert!(matches!(pool.stop(), Err(WouldDeadlock { .. })));
                    note(&refused, "not from here");
                    let log = late.clone();
                    // It waits for a pool that is not paused any more.
                    pool.call_in_thread(move || note(&log, "submitted at the end")).unwrap();
                    pool.adjust_pool_size(0, 1).unwrap();
                }
            });
        let pool = builder.build().unwrap();
        place.fill(&pool);
        pool.start().unwrap();
        pool.call_in_thread(|| ()).unwrap();
        wait_until(|| pool.stats().completed == 2 && pool.stats().idle == 1);
        place.fill(&pool);
        pool.adjust_pool_size(0, 0).unwrap();
        wait_until(|| pool.stats().completed == 3);
        pool.stop().unwrap();
        let expected = ["submitted at the start", "not from here", "submitted at the end"];
        assert_eq!(log, expected.map(str::to_owned));
    });
}

// Checks: B39, R29
#[test]
fn a_stop_hook_may_wait_for_the_loop_that_winds_its_pool_down() {
    with_watchdog(|| {
        let (answers, stopping) = (Log::new(), Gate::new());
        let told = answers.clone();
        let handle = Arc::new(Mutex::new(None::<selvedge::Handle>));
        let own = Arc::clone(&handle);
        let hook = move |_: &Worker<'_>| {
            let handle = own.lock().unwrap().clone().unwrap();
            told.note(threads::blocking_call_from_thread(&handle, |_| Ok::<_, Failure>(())).is_ok());
        };
        let reactor =
            Reactor::builder().pool_size(3, 3).configure_pool(|pool| pool.on_worker_stop(hook)).build().unwrap();
        *handle.lock().unwrap() = Some(reactor.handle());
        // Some of its workers end while the loop turns, and the last of them while the loop waits for nothing else.
        let late = stopping.clone();
        reactor.call_in_thread(move || late.pass()).unwrap();
        let _ = reactor.add_event_trigger(Phase::During, Event::SHUTDOWN, move |_| stopping.open());
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(answers, [true; 3]);
        handle.lock().unwrap().take();
    });
}

// Checks: B39, B34
#[test]
fn a_worker_whose_keep_alive_has_passed_runs_its_stop_hooks() {
    with_watchdog(|| {
        let log = TextLog::new();
        let out = log.clone();
        let pool = one().keep_alive(Some(std::time::Duration::ZERO)).on_worker_stop(move |_| note(&out, "out"));
        let pool = started(pool);
        pool.call_in_thread(|| ()).unwrap();
        wait_until(|| pool.stats().live == 0 && pool.stats().completed == 1);
        assert_eq!(log, ["out".to_owned()]);
        pool.stop().unwrap();
    });
}

// Checks: B38, P77
#[test]
fn what_the_drop_of_a_hook_panics_with_is_told_to_the_pools_own_sink() {
    let log = Log::new();
    let [start, around, capture] = [(); 3].map(|()| PanicOnDrop);
    let pool = one()
        .on_report(log.sink())
        .on_worker_start(move |_| hold(&start))
        .around_jobs(move |_| hold(&around))
        .context(move || hold(&capture), |()| ());
    drop(pool.build().unwrap());
    assert_eq!(log, [Incident::Drop; 3]);
}
