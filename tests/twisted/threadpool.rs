//! Twisted's `twisted.test.test_threadpool`, translated: one test for each of its names.
//!
//! Left out: `test_persistence`, because a pool of threads cannot be written to a file; `test_q`, which checks a
//! private attribute.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::thread;

use selvedge::{Failure, ThreadPool, error::Panic, report::Incident};

use crate::support::{Gate, Log, hold, wait_until, with_watchdog};

fn pool(min: usize, max: usize) -> (ThreadPool, Log<Incident>) {
    let reports = Log::new();
    let pool = ThreadPool::builder().size(min, max).on_report(reports.sink()).build();
    (pool.unwrap(), reports)
}

// Checks: B27, B35
#[test]
fn attributes() {
    let (pool, _) = pool(12, 22);
    assert_eq!((pool.stats().min, pool.stats().max), (12, 22));
}

// Checks: B29
#[test]
fn start() {
    with_watchdog(|| {
        for (min, max) in [(0, 5), (3, 10)] {
            let (pool, _) = pool(min, max);
            assert_eq!(pool.stats().live, 0);
            pool.start().unwrap();
            assert_eq!(pool.stats().live, min);
            pool.stop().unwrap();
        }
    });
}

// Checks: B31, B40
#[test]
fn adjusting_when_pool_stopped() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 5);
        pool.start().unwrap();
        pool.stop().unwrap();
        pool.adjust_pool_size(2, 5).unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

// Checks: B37
#[test]
fn thread_creation_arguments() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 1);
        pool.start().unwrap();
        let unique = Arc::new(());
        let seen = Arc::downgrade(&unique);
        pool.call_in_thread(move || hold(&unique)).unwrap();
        let done = Gate::new();
        let opens = done.clone();
        pool.call_in_thread(move || opens.open()).unwrap();
        done.pass();
        // The one worker is alive, and holds nothing of the job before.
        assert!(seen.upgrade().is_none());
        assert_eq!(pool.stats().live, 1);
        pool.stop().unwrap();
    });
}

// Checks: B37
#[test]
fn thread_creation_arguments_call_in_thread_with_callback() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 1);
        pool.start().unwrap();
        let (unique, of_callback) = (Arc::new(()), Arc::new(()));
        let (seen, callback_seen) = (Arc::downgrade(&unique), Arc::downgrade(&of_callback));
        let worker_seen = Weak::clone(&seen);
        let (tell, told) = mpsc::channel();
        pool.call_in_thread_with_callback(
            move |result: Result<Arc<()>, Failure>| {
                hold(&of_callback);
                let result = result.unwrap();
                tell.send((worker_seen.upgrade().is_none(), Arc::downgrade(&result))).unwrap();
            },
            move || {
                hold(&unique);
                Arc::new(())
            },
        )
        .unwrap();
        let (gone_in_callback, result_seen) = told.recv().unwrap();
        assert!(gone_in_callback);
        let done = Gate::new();
        let opens = done.clone();
        pool.call_in_thread(move || opens.open()).unwrap();
        done.pass();
        assert!(callback_seen.upgrade().is_none());
        assert!(result_seen.upgrade().is_none());
        pool.stop().unwrap();
    });
}

// Checks: B30
#[test]
fn call_in_thread() {
    with_watchdog(|| {
        let (pool, _) = pool(5, 20);
        pool.start().unwrap();
        let log = Log::new();
        for number in 0..10 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        wait_until(|| log.len() == 10);
        pool.stop().unwrap();
        let mut numbers = log.entries();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..10));
    });
}

// Checks: B36
#[test]
fn call_in_thread_exception() {
    with_watchdog(|| {
        let (pool, reports) = pool(0, 1);
        pool.call_in_thread(|| panic!("new error")).unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(reports, [Incident::Job]);
    });
}

// Checks: B36
#[test]
fn call_in_thread_with_callback() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 1);
        let log = Log::new();
        let results = log.clone();
        pool.call_in_thread_with_callback(move |result| results.note(result.unwrap()), || "test").unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(log, ["test"]);
    });
}

// Checks: B36
#[test]
fn call_in_thread_with_callback_exception_in_callback() {
    with_watchdog(|| {
        let (pool, reports) = pool(0, 1);
        let log = Log::new();
        let results = log.clone();
        pool.call_in_thread_with_callback(
            move |result: Result<(), Failure>| results.note(result.unwrap_err().is::<Panic>()),
            || panic!("new error"),
        )
        .unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [true]);
        assert_eq!(reports, [], "whoever is told need not be told twice");
    });
}

// Checks: B36
#[test]
fn call_in_thread_with_callback_exception_in_on_result() {
    with_watchdog(|| {
        let (pool, reports) = pool(0, 1);
        let log = Log::new();
        let (results, next) = (log.clone(), log.clone());
        pool.call_in_thread_with_callback(
            move |result| {
                results.note(result.is_ok());
                panic!("new error");
            },
            || (),
        )
        .unwrap();
        pool.call_in_thread(move || next.note(true)).unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [true, true]);
        assert_eq!(reports, [Incident::OnResult]);
    });
}

// Checks: B36
#[test]
fn callback_thread() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 1);
        let log = Log::new();
        let (results, runs) = (log.clone(), log.clone());
        pool.call_in_thread_with_callback(
            move |_| results.note(thread::current().id()),
            move || runs.note(thread::current().id()),
        )
        .unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        let [ran_on, told_on] = log.entries()[..] else { panic!("{log:?}") };
        assert_eq!(ran_on, told_on);
    });
}

// Checks: B36, B39
#[test]
fn callback_context() {
    thread_local! {
        static CONTEXT: Cell<&'static str> = const { Cell::new("a thread's own") };
    }

    /// Leaves the thread as it was.
    struct Within(&'static str);

    impl Drop for Within {
        fn drop(&mut self) {
            CONTEXT.set(self.0);
        }
    }

    with_watchdog(|| {
        let builder = ThreadPool::builder().size(0, 1);
        let pool = builder.context(|| CONTEXT.get(), |carried| Within(CONTEXT.replace(carried))).build().unwrap();
        let contexts = Log::new();
        CONTEXT.set("this must be present");
        let (on_result, func) = (contexts.clone(), contexts.clone());
        pool.call_in_thread_with_callback(move |_| on_result.note(CONTEXT.get()), move || func.note(CONTEXT.get()))
            .unwrap();
        CONTEXT.set("something else by now");
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(contexts, ["this must be present"; 2]);
    });
}

// Checks: B29
#[test]
fn existing_work() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 1);
        let done = Gate::new();
        let opens = done.clone();
        pool.call_in_thread(move || opens.open()).unwrap();
        pool.start().unwrap();
        done.pass();
        pool.stop().unwrap();
    });
}

// Checks: B30, B35
#[test]
fn worker_state_transition() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 1);
        pool.start().unwrap();
        let workers = || (pool.stats().live, pool.stats().idle, pool.stats().busy);
        assert_eq!(workers(), (0, 0, 0));
        let (working, finish) = (Gate::new(), Gate::new());
        let (works, finishes) = (working.clone(), finish.clone());
        let job = move || {
            works.open();
            finishes.pass();
        };
        pool.call_in_thread(job).unwrap();
        working.pass();
        assert_eq!(workers(), (1, 0, 1));
        finish.open();
        wait_until(|| workers() == (1, 1, 0));
        pool.stop().unwrap();
    });
}

// Checks: B30, R1
#[test]
fn synchronization() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 10);
        pool.start().unwrap();
        for _ in 0..200 {
            let event = Gate::new();
            for _ in 0..3 {
                let event = event.clone();
                pool.call_in_thread(move || event.pass()).unwrap();
            }
            // Three wait, and there is room for more: what frees them must not queue behind them.
            let sets = event.clone();
            pool.call_in_thread(move || sets.open()).unwrap();
            event.pass();
        }
        pool.stop().unwrap();
    });
}

/// An unstarted pool with this many jobs, which wait at a gate, and the gate.
fn backlog(max: usize, jobs: usize) -> (ThreadPool, Gate) {
    let (pool, _) = pool(0, max);
    let gate = Gate::new();
    for _ in 0..jobs {
        let gate = gate.clone();
        pool.call_in_thread(move || gate.pass()).unwrap();
    }
    (pool, gate)
}

// Checks: B29
#[test]
fn work_before_starting() {
    with_watchdog(|| {
        let (pool, gate) = backlog(10, 5);
        assert_eq!(pool.stats().live, 0);
        pool.start().unwrap();
        assert!(pool.stats().live >= 5);
        wait_until(|| pool.stats().busy == 5);
        gate.open();
        pool.stop().unwrap();
    });
}

// Checks: B29
#[test]
fn too_much_work_before_starting() {
    with_watchdog(|| {
        let (pool, gate) = backlog(10, 50);
        assert_eq!(pool.stats().live, 0);
        pool.start().unwrap();
        assert_eq!(pool.stats().live, 10);
        wait_until(|| pool.stats().busy == 10);
        gate.open();
        pool.stop().unwrap();
        assert_eq!(pool.stats().peak, 10);
    });
}

/// Like `test_singleThread` of older Twisteds, with one difference: there, a worker counts as idle while `on_result`
/// runs; here, `on_result` is part of the job (`B37`). So the test waits for the worker to be idle.
// Checks: B30, B37
#[test]
fn single_thread() {
    with_watchdog(|| {
        let (pool, _) = pool(0, 10);
        pool.start().unwrap();
        for _ in 0..10 {
            let told = Arc::new(AtomicBool::new(false));
            let tell = Arc::clone(&told);
            pool.call_in_thread_with_callback(move |_| tell.store(true, Ordering::Relaxed), || ()).unwrap();
            wait_until(|| told.load(Ordering::Relaxed) && pool.stats().idle == 1);
        }
        assert_eq!(pool.stats().peak, 1);
        pool.stop().unwrap();
    });
}
