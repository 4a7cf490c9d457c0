//! The end of threads: destructors of thread-locals run on a worker's thread after its last transition, and may take
//! any time. Nobody waits for them but who waits for the pool's end.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use selvedge::{
    Deferred, Job, Reactor, ThreadPool,
    error::WouldDeadlock,
    pool::{PoolBuilder, StopPolicy, StopWithinError, Straggler, WhenFull, Worker, WorkerActivity},
    report::Incident,
    threads,
};

use crate::support::{Gate, Log, OnDrop, hold, reporting, wait_until, with_watchdog};

/// Calls a function when it is dropped.
struct CallOnDrop(Option<Box<dyn FnOnce()>>);

impl Drop for CallOnDrop {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

thread_local! {
    static LEFT: RefCell<Option<CallOnDrop>> = const { RefCell::new(None) };
}

/// Calls `f` in a destructor of a thread-local of this thread.
fn at_thread_end(f: impl FnOnce() + 'static) {
    LEFT.set(Some(CallOnDrop(Some(Box::new(f)))));
}

/// Workers exit as soon as they find no job.
fn short_lived(max: usize) -> PoolBuilder {
    ThreadPool::builder().size(0, max).keep_alive(Some(Duration::ZERO))
}

fn started(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

/// Runs a job that leaves a destructor, and waits until its worker has exited.
fn leave_and_exit(pool: &ThreadPool, destructor: impl FnOnce() + Send + 'static) {
    let before = pool.stats().completed;
    pool.call_in_thread(move || at_thread_end(destructor)).unwrap();
    wait_until(|| pool.stats().completed > before && pool.stats().live == 0);
}

/// Stops with a limit that has passed; returns who is late.
fn late(pool: &ThreadPool, policy: StopPolicy) -> Vec<Straggler> {
    match pool.stop_within(policy, Duration::ZERO) {
        Err(StopWithinError::Unfinished { stragglers, .. }) => stragglers,
        other => panic!("{other:?}"),
    }
}

// Checks: P56, B40, R36, R37, R38
#[test]
fn nobody_waits_for_the_destructors_of_a_worker_that_has_exited() {
    with_watchdog(|| {
        let pool = started(short_lived(1).queue_bound(NonZeroUsize::MIN));
        let (gate, dropped) = (Gate::new(), Log::new());
        for round in 0..3 {
            let (gate, dropped) = (gate.clone(), dropped.clone());
            leave_and_exit(&pool, move || {
                gate.pass();
                dropped.note(round);
            });
        }
        // Three threads are in their destructors. Whatever is done now goes on without them.
        for _ in 0..10 {
            pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap();
            pool.adjust_pool_size(0, 0).unwrap();
            pool.adjust_pool_size(1, 1).unwrap();
            pool.adjust_pool_size(0, 1).unwrap();
        }
        drop(pool.clone());
        pool.ask_to_stop(StopPolicy::Drain);
        // Workers that had no such destructor may still be exiting; they are gone soon. The first has taken longest.
        let mut stragglers = Vec::new();
        wait_until(|| {
            stragglers = late(&pool, StopPolicy::Drain);
            stragglers.iter().map(|late| late.worker).eq([0, 1, 2])
        });
        assert!(
            stragglers.iter().all(|late| late.activity == WorkerActivity::Destructors && late.job().is_none()),
            "{stragglers:?}"
        );
        let words = stragglers[0].to_string();
        assert!(words.starts_with("destructors of thread-locals of worker "), "{words}");
        assert!(!pool.has_stopped());
        assert_eq!(dropped.len(), 0);
        gate.open();
        pool.stop_within(StopPolicy::Drain, Duration::MAX).unwrap();
        assert_eq!(dropped.len(), 3, "and a stop without a limit that is used up has waited for all");
        assert!(pool.has_stopped());
    });
}

// Checks: P56, P77
#[test]
fn a_reactor_is_told_of_a_pools_end_when_the_pools_sink_is_gone_so_that_what_that_captured_may_ask_it() {
    with_watchdog(|| {
        let (reactor, log) = (Reactor::new(), Log::new());
        let (handle, noted) = (reactor.handle(), log.clone());
        let captured = OnDrop::new(move || noted.note(handle.queued_calls()));
        let pool = started(ThreadPool::builder().size(1, 1).on_report(move |_| hold(&captured)));
        let stopped = [pool.stopped(&reactor), pool.stopped(&reactor)];
        drop(pool);
        wait_until(|| log.len() == 1);
        assert_eq!(log, [0], "nobody was told before");
        wait_until(|| {
            reactor.turn().unwrap();
            stopped.iter().all(Deferred::has_result)
        });
    });
}

// Checks: P56, R36
#[test]
fn destructors_of_several_workers_run_at_the_same_time() {
    with_watchdog(|| {
        let pool = started(ThreadPool::builder().size(4, 4));
        let (jobs, ends) = (Arc::new(Barrier::new(4)), Arc::new(Barrier::new(4)));
        for _ in 0..4 {
            let (jobs, ends) = (Arc::clone(&jobs), Arc::clone(&ends));
            pool.call_in_thread(move || {
                // Each worker takes one.
                jobs.wait();
                at_thread_end(move || _ = ends.wait());
            })
            .unwrap();
        }
        pool.stop().unwrap();
    });
}

// Checks: P56, R36
#[test]
fn a_destructor_may_submit_to_its_own_pool_and_wait_for_the_job() {
    with_watchdog(|| {
        let pool = started(short_lived(1));
        let log = Log::new();
        let (own, noted) = (pool.clone(), log.clone());
        leave_and_exit(&pool, move || {
            let (gate, noted) = (Gate::new(), noted.clone());
            let opens = gate.clone();
            own.call_in_thread(move || {
                noted.note("job of a destructor");
                opens.open();
            })
            .unwrap();
            gate.pass();
        });
        wait_until(|| log.len() == 1);
        pool.stop().unwrap();
    });
}

// Checks: P56, B26, B48, R36
#[test]
fn a_destructor_may_ask_the_reactor_while_it_runs_and_while_it_shuts_down() {
    with_watchdog(|| {
        let reactor =
            Reactor::builder().configure_pool(|pool| pool.size(0, 2).keep_alive(Some(Duration::ZERO))).build().unwrap();
        let (handle, log) = (reactor.handle(), Log::new());
        let asks = |when: &'static str| {
            let (handle, log) = (handle.clone(), log.clone());
            move || {
                let answer = threads::blocking_call_from_thread(&handle, move |_| when);
                log.note(answer.ok());
            }
        };
        // The first worker expires while the reactor runs.
        reactor
            .thread_pool()
            .call_in_thread({
                let (first, second) = (asks("running"), asks("shutting down"));
                let (handle, log) = (handle.clone(), log.clone());
                move || {
                    at_thread_end(first);
                    let (stopping, began) = (handle.clone(), Gate::new());
                    let begins = began.clone();
                    handle
                        .thread_pool()
                        .call_in_thread(move || {
                            begins.open();
                            wait_until(|| log.len() == 1);
                            at_thread_end(second);
                            stopping.stop();
                        })
                        .unwrap();
                    // The other worker has it.
                    began.pass();
                }
            })
            .unwrap();
        reactor.run();
        assert_eq!(log.entries(), [Some("running"), Some("shutting down")]);
    });
}

// Checks: P56, B40, R30
#[test]
fn a_stop_in_a_destructor_of_the_pools_own_worker_is_an_error() {
    with_watchdog(|| {
        let pool = started(short_lived(1));
        let log = Log::new();
        let (own, noted) = (pool.clone(), log.clone());
        leave_and_exit(&pool, move || noted.note(own.stop()));
        wait_until(|| log.len() == 1);
        assert!(log.entries()[0].is_err_and(|WouldDeadlock { .. }| true), "{:?}", log.entries());
        pool.stop().unwrap();
    });
}

// Checks: P56, B40, R38
#[test]
fn a_limit_bounds_start_and_stop_hooks_too_and_says_that_they_are_late() {
    with_watchdog(|| {
        let gate = Gate::new();
        let passes = || {
            let gate = gate.clone();
            move |_: &Worker<'_>| gate.pass()
        };
        let starting = started(ThreadPool::builder().size(1, 1).on_worker_start(passes()));
        wait_until(|| late(&starting, StopPolicy::Drain).len() == 1);
        let straggler = late(&starting, StopPolicy::Drain).swap_remove(0);
        assert_eq!(straggler.activity, WorkerActivity::StartHook);
        assert!(straggler.to_string().starts_with("start hook of worker 0 for "), "{straggler}");
        let stopping = started(ThreadPool::builder().size(1, 1).on_worker_stop(passes()));
        wait_until(|| late(&stopping, StopPolicy::Drain).len() == 1);
        let straggler = late(&stopping, StopPolicy::Drain).swap_remove(0);
        assert_eq!(straggler.activity, WorkerActivity::StopHook);
        assert!(straggler.to_string().starts_with("stop hook of worker 0 for "), "{straggler}");
        gate.open();
        starting.stop().unwrap();
        stopping.stop().unwrap();
    });
}

// Checks: P56, P67, B41
#[test]
fn a_pool_whose_closing_thread_cannot_be_started_says_so_and_ends_all_the_same() {
    with_watchdog(|| {
        let reports = Log::new();
        let pool = started(ThreadPool::builder().size(1, 1).on_report(reports.sink()));
        wait_until(|| pool.stats().idle == 1);
        pool.fail_starts(1);
        pool.stop_within(StopPolicy::Drain, Duration::MAX).unwrap();
        assert_eq!(reports, [Incident::ThreadStart]);

        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        let pool = reactor.thread_pool().clone();
        reactor
            .thread_pool()
            .call_in_thread(move || {
                wait_until(|| handle.thread_pool().stats().live == handle.thread_pool().stats().min);
                handle.thread_pool().fail_starts(1);
                handle.stop();
            })
            .unwrap();
        reactor.run();
        assert!(pool.has_stopped());
        assert_eq!(reports, [Incident::ThreadStart]);
    });
}

// Checks: P56, P6
#[test]
fn a_pool_whose_handles_are_gone_ends_though_nobody_waits() {
    with_watchdog(|| {
        let (gate, ended) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
        let pool = started(ThreadPool::builder().size(3, 3));
        let meeting = Arc::new(Barrier::new(3));
        for _ in 0..3 {
            let (gate, ended, meeting) = (gate.clone(), Arc::clone(&ended), Arc::clone(&meeting));
            pool.call_in_thread(move || {
                meeting.wait();
                at_thread_end(move || {
                    gate.pass();
                    ended.fetch_add(1, Ordering::Relaxed);
                });
            })
            .unwrap();
        }
        drop(pool);
        gate.open();
        wait_until(|| ended.load(Ordering::Relaxed) == 3);
    });
}

#[cfg(target_os = "linux")]
mod counted {
    use std::fs;

    use super::{Arc, Barrier, Duration, Reactor, StopPolicy, ThreadPool, at_thread_end, started, wait_until};
    use crate::support::{Log, in_own_process};

    fn threads() -> usize {
        fs::read_dir("/proc/self/task").unwrap().count()
    }

    /// Each of twenty workers leaves a destructor.
    fn twenty(pool: &ThreadPool, dropped: &Log<()>) {
        let meeting = Arc::new(Barrier::new(20));
        for _ in 0..20 {
            let (dropped, meeting) = (dropped.clone(), Arc::clone(&meeting));
            pool.call_in_thread(move || {
                meeting.wait();
                at_thread_end(move || dropped.note(()));
            })
            .unwrap();
        }
    }

    // Checks: P56, P72, B42, R13, R36
    #[test]
    fn no_thread_is_left_by_a_stop_of_any_kind_nor_by_a_reactor() {
        in_own_process(
            "endings::counted::no_thread_is_left_by_a_stop_of_any_kind_nor_by_a_reactor",
            |_| (),
            || {
                let (before, dropped) = (threads(), Log::new());
                for round in 1..=10 {
                    let pool = started(ThreadPool::builder().size(0, 20));
                    twenty(&pool, &dropped);
                    pool.stop().unwrap();
                    assert_eq!(dropped.len(), 60 * round - 40);
                    let pool = started(ThreadPool::builder().size(0, 20));
                    twenty(&pool, &dropped);
                    pool.stop_within(StopPolicy::Drain, Duration::MAX).unwrap();
                    assert_eq!(dropped.len(), 60 * round - 20);
                    let reactor = Reactor::builder().pool_size(0, 20).build().unwrap();
                    twenty(reactor.thread_pool(), &dropped);
                    reactor.handle().stop();
                    reactor.run();
                    assert_eq!(dropped.len(), 60 * round);
                    // A thread that has been joined may still be in the system's count for a moment.
                    wait_until(|| threads() == before);
                }
            },
        );
    }
}
