//! Statistics: counts that agree at every instant, times taken on demand, and threads as the operating system sees
//! them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use selvedge::{
    ThreadPool,
    pool::{Cancellation, Histogram, PoolBuilder, PoolStats},
    threads,
};

use crate::support::{Gate, Log, wait_until, with_watchdog};

fn started(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

/// What is true of every snapshot of a pool, whatever it is doing.
fn check(stats: &PoolStats) {
    assert!(stats.busy + stats.idle <= stats.live.min(stats.peak), "{stats:?}");
    assert_eq!(stats.started, stats.completed + stats.busy as u64, "{stats:?}");
    assert!(stats.panicked <= stats.completed && stats.blocked <= stats.busy, "{stats:?}");
}

/// How many jobs the pool has accepted.
fn accepted(stats: &PoolStats) -> u64 {
    stats.started + stats.queued as u64 + stats.cancelled + stats.failed
}

// Checks: B35, P65
#[test]
fn whenever_it_is_asked_the_numbers_of_a_snapshot_fit_together() {
    with_watchdog(|| {
        let pool = started(ThreadPool::builder().size(0, 4).on_report(|_| ()).take_times());
        let over = Arc::new(AtomicBool::new(false));
        let watchers: Vec<_> = (0..2)
            .map(|_| {
                let (pool, over) = (pool.clone(), Arc::clone(&over));
                thread::spawn(move || {
                    let mut before = pool.stats();
                    while !over.load(Ordering::Relaxed) {
                        let times = pool.times().unwrap();
                        let stats = times.stats;
                        check(&stats);
                        assert_eq!((times.wait.count(), times.run.count()), (stats.completed, stats.completed));
                        assert!(before.started <= stats.started && before.completed <= stats.completed);
                        before = stats;
                        check(&pool.stats());
                    }
                })
            })
            .collect();
        let submitter = pool.clone();
        for number in 0..2_000 {
            let job = move || assert!(number % 10 > 0, "every tenth panics");
            submitter.call_in_thread(job).unwrap();
            if number % 100 == 0 {
                submitter.adjust_pool_size(0, number / 100 % 5).unwrap();
            }
        }
        submitter.adjust_pool_size(0, 4).unwrap();
        pool.stop().unwrap();
        over.store(true, Ordering::Relaxed);
        watchers.into_iter().for_each(|watcher| watcher.join().unwrap());
        let stats = pool.stats();
        assert_eq!((stats.started, stats.completed, stats.panicked, stats.queued), (2_000, 2_000, 200, 0));
        assert_eq!((accepted(&stats), stats.rejected), (2_000, 0));
    });
}

// Checks: B35, B43, P2
#[test]
fn every_job_that_was_accepted_is_in_one_column_whatever_becomes_of_it() {
    with_watchdog(|| {
        let pool = started(ThreadPool::builder().size(0, 2));
        let over = Arc::new(AtomicBool::new(false));
        let watcher = {
            let (pool, over) = (pool.clone(), Arc::clone(&over));
            thread::spawn(move || {
                let mut before = 0;
                while !over.load(Ordering::Relaxed) {
                    let now = accepted(&pool.stats());
                    // Only submissions move the sum, and only upwards.
                    assert!(before <= now && now <= 2_000, "{before} and then {now}");
                    before = now;
                }
            })
        };
        let mut never_run = 0;
        for number in 0..2_000 {
            let blocks = move || assert_eq!(threads::blocked(|| number), number);
            let ticket = pool.call_in_thread_ticketed(blocks).unwrap();
            if number % 3 == 0 {
                never_run += u64::from(ticket.cancel() == Cancellation::NeverRuns);
            }
        }
        pool.stop().unwrap();
        assert!(pool.call_in_thread(|| ()).is_err());
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        let stats = pool.stats();
        check(&stats);
        assert_eq!((stats.completed, stats.cancelled, stats.rejected), (2_000 - never_run, never_run, 1));
        assert_eq!((stats.queued, stats.blocked, accepted(&stats)), (0, 0, 2_000));
    });
}

// Checks: B35
#[test]
fn what_runs_what_waits_and_what_is_over_is_told_apart() {
    with_watchdog(|| {
        let pool = started(ThreadPool::builder().size(2, 2).on_report(|_| ()));
        let (gate, running) = (Gate::new(), Log::new());
        for number in 0..5 {
            let (gate, running) = (gate.clone(), running.clone());
            let job = move || {
                running.note(number);
                gate.pass();
            };
            pool.call_in_thread(job).unwrap();
        }
        wait_until(|| running.len() == 2);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.busy, stats.idle, stats.queued), (2, 2, 0, 3));
        assert_eq!((stats.started, stats.completed), (2, 0));
        gate.open();
        wait_until(|| pool.stats().idle == 2);
        let stats = pool.stats();
        assert_eq!((stats.started, stats.completed, stats.queued, stats.peak), (5, 5, 0, 2));
        pool.stop().unwrap();
    });
}

// ---- times

// Checks: P65
#[test]
fn no_times_are_taken_unless_the_pool_was_built_to() {
    with_watchdog(|| {
        let pool = started(ThreadPool::builder().size(1, 1));
        pool.call_in_thread(|| ()).unwrap();
        pool.stop().unwrap();
        assert!(pool.times().is_none());
    });
}

// Checks: P65
#[test]
fn a_job_that_waits_and_one_that_runs_for_long_are_found_in_the_right_histogram() {
    with_watchdog(|| {
        let pool = started(ThreadPool::builder().size(1, 1).take_times());
        pool.call_in_thread(|| ()).unwrap();
        wait_until(|| pool.stats().completed == 1);
        // Longer than the first job took on this machine, however slow it is.
        let times = pool.times().unwrap();
        let long = Duration::from_millis(20) + 4 * times.run.max().unwrap().max(times.wait.max().unwrap());
        let both_are_submitted = Gate::new();
        let gate = both_are_submitted.clone();
        let long_job = move || {
            gate.pass();
            thread::sleep(long);
        };
        pool.call_in_thread(long_job).unwrap();
        pool.call_in_thread(|| ()).unwrap();
        both_are_submitted.open();
        pool.stop().unwrap();
        let times = pool.times().unwrap();
        assert!(times.run.max().unwrap() >= long, "{times:?}");
        assert!(times.wait.max().unwrap() >= long, "{times:?}");
        assert!(times.run.quantile(0.01).unwrap() < times.run.max().unwrap(), "{times:?}");
        assert!(times.wait.quantile(0.01).unwrap() < times.wait.max().unwrap(), "{times:?}");
        assert_eq!((times.wait.count(), times.run.count(), times.stats.completed), (3, 3, 3));
    });
}

// Checks: P65
#[test]
fn the_hooks_around_a_job_count_as_its_run() {
    with_watchdog(|| {
        struct Slow;
        impl Drop for Slow {
            fn drop(&mut self) {
                thread::sleep(Duration::from_millis(5));
            }
        }
        let pool = started(ThreadPool::builder().size(1, 1).take_times().around_jobs(|_| Slow));
        pool.call_in_thread(|| ()).unwrap();
        pool.stop().unwrap();
        assert!(pool.times().unwrap().run.max().unwrap() >= Duration::from_millis(5));
    });
}

// Checks: P65, P2
#[test]
fn a_job_that_is_handed_back_or_refused_is_in_no_histogram() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(1, 1).take_times().on_report(|_| ()).build().unwrap();
        pool.call_in_thread(|| ()).unwrap();
        pool.stop().unwrap();
        let rejected = pool.call_in_thread(|| ()).unwrap_err();
        let other = started(ThreadPool::builder().size(1, 1).take_times());
        // Its wait begins when it is submitted again.
        thread::sleep(Duration::from_millis(5));
        let submitted = Instant::now();
        other.call_in_thread(rejected.job).unwrap();
        other.stop().unwrap();
        assert!(other.times().unwrap().wait.max().unwrap() <= submitted.elapsed());
        assert_eq!(pool.times().unwrap().wait.count(), 0);
    });
}

// ---- histograms

// Checks: P64
#[test]
fn an_empty_histogram_has_no_least_greatest_or_mean() {
    let empty = Histogram::new();
    assert_eq!((empty.count(), empty.max(), empty.mean(), empty.quantile(0.5)), (0, None, None, None));
    assert_eq!(empty.buckets().count(), 0);
    assert_eq!(empty, Histogram::default());
}

// Checks: P64
#[test]
fn shares_that_are_no_shares_are_taken_for_the_nearest() {
    let histogram: Histogram = [1, 2, 3].map(Duration::from_nanos).into_iter().collect();
    let at = |share| histogram.quantile(share).unwrap().as_nanos();
    assert_eq!([at(-1.0), at(0.0), at(f64::NAN), at(f64::NEG_INFINITY)], [1; 4]);
    assert_eq!([at(0.34), at(0.5), at(0.67), at(1.0), at(7.0), at(f64::INFINITY)], [2, 2, 3, 3, 3, 3]);
}

// Checks: P64
#[test]
fn the_shortest_and_the_longest_of_durations_have_a_bucket() {
    let mut histogram = Histogram::new();
    histogram.record(Duration::ZERO);
    histogram.record(Duration::MAX);
    let buckets: Vec<_> = histogram.buckets().map(|bucket| (bucket.from, bucket.count)).collect();
    assert_eq!(buckets, [(Duration::ZERO, 1), (Duration::from_nanos(15 << 60), 1)]);
    assert_eq!(histogram.max(), Some(Duration::from_nanos(u64::MAX)), "584 years");
    assert_eq!(histogram.buckets().last().map(|bucket| bucket.to), histogram.max());
    histogram.merge(&histogram.clone());
    assert_eq!(histogram.mean(), Some(Duration::from_nanos(u64::MAX / 2)));
}

// ---- threads, as the operating system sees them

// Checks: B42
#[cfg(target_os = "linux")]
#[test]
fn the_system_shows_each_threads_number_however_long_the_pools_name_is() {
    use std::collections::BTreeSet;
    use std::fs;

    with_watchdog(|| {
        let names = || -> BTreeSet<String> {
            let tasks = fs::read_dir("/proc/self/task").unwrap();
            let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
            names.map(|name| name.trim_end().to_owned()).collect()
        };
        let told = Log::new();
        let telling = |told: &Log<(String, String)>| {
            let told = told.clone();
            move || told.note((thread::current().name().unwrap().to_owned(), String::new()))
        };
        for (name, threads, expected) in [
            ("short", 3, ["short-0", "short-1", "short-2"].as_slice()),
            ("slow-disk-and-network", 11, &["slow-disk-and-0", "slow-disk-and-9", "slow-disk-an-10"]),
            // A letter of two bytes that does not fit whole is left out whole.
            ("zwölf-großöfen", 1, &["zwölf-groß-0"]),
            ("", 1, &["-0"]),
        ] {
            let pool = started(ThreadPool::builder().name(name).size(threads, threads));
            wait_until(|| pool.stats().idle == threads);
            assert_eq!(pool.name(), name);
            // A listing may miss a thread while others, of other tests, come and go.
            wait_until(|| expected.iter().all(|expected| names().contains(*expected)));
            pool.call_in_thread(telling(&told)).unwrap();
            pool.stop().unwrap();
        }
        // Rust shows the same as the system.
        assert!(told.entries().iter().all(|(name, _)| name.len() <= 15), "{told:?}");
        assert_eq!(told.len(), 4);
    });
}

// Checks: B42
#[test]
fn a_stack_of_the_size_that_was_asked_for_is_there() {
    /// Uses about this many kilobytes of stack.
    fn deep(kilobytes: usize) -> usize {
        let frame = std::hint::black_box([kilobytes; 128]);
        if kilobytes == 0 { 0 } else { deep(kilobytes - 1) + frame[127] - kilobytes + 1 }
    }
    with_watchdog(|| {
        // Four times as much as threads have by default.
        let pool = started(ThreadPool::builder().size(1, 1).stack_size(16 << 20));
        let log = Log::new();
        let deepest = log.clone();
        pool.call_in_thread(move || deepest.note(deep(6 << 10))).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, [6 << 10]);
    });
}
