//! Reactor and pool on real threads, with posts, panics, resizes and stops in random order; each call and job is
//! accounted for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use selvedge::{Deferred, Reactor, ThreadPool, error::BlockingCallError, threads};

use crate::support::{Rng, wait_until, wait_until_asleep, with_watchdog};

/// A limit that never passes while a test runs.
const LONG: Duration = Duration::from_secs(3600);

/// Counts what was run and what was dropped; equal in the end, or something is lost.
#[derive(Clone, Default)]
struct Account {
    run: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Account {
    fn entry(&self) -> Entry {
        Entry(self.clone())
    }

    fn run(&self) -> usize {
        self.run.load(Ordering::Relaxed)
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

struct Entry(Account);

impl Entry {
    fn run(&self) {
        self.0.run.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

// Checks: B9, B6, R17
#[test]
fn a_hundred_thousand_posts_to_a_sleeping_loop_all_run() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let account = Account::default();
        let entries = account.clone();
        let poster = thread::spawn(move || {
            wait_until_asleep(&handle);
            for _ in 0..100_000 {
                let entry = entries.entry();
                handle.call_from_thread(move |_| entry.run()).unwrap();
            }
            // It sleeps again: no flag was left set that would keep it awake or make it miss the next post.
            wait_until_asleep(&handle);
            handle.stop();
        });
        reactor.run();
        poster.join().unwrap();
        assert_eq!((account.run(), account.dropped()), (100_000, 100_000));
    });
}

// Checks: B6, R16, R17, R19
#[test]
fn posts_that_race_the_loops_falling_asleep_are_not_slept_over() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let posters: Vec<_> = (0..3)
            .map(|seed| {
                let handle = reactor.handle();
                thread::spawn(move || {
                    let mut rng = Rng::new(seed + 1);
                    for _ in 0..2000 {
                        // Each waits for its call, so the loop falls asleep again and again just when one comes.
                        threads::blocking_call_from_thread(&handle, |_| ()).unwrap();
                        (0..rng.below(300)).for_each(|_| std::hint::spin_loop());
                    }
                })
            })
            .collect();
        let handle = reactor.handle();
        let last = thread::spawn(move || {
            posters.into_iter().for_each(|poster| poster.join().unwrap());
            handle.stop();
        });
        reactor.run();
        last.join().unwrap();
    });
}

// Checks: B31, B33, B38, B40, R1, R2, R4
#[test]
fn ten_thousand_resizes_under_load_lose_no_job_and_end_at_the_target() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(1, 2).on_report(|_| ()).build().unwrap();
        pool.start().unwrap();
        let account = Account::default();
        let submitters: Vec<_> = (0..2)
            .map(|seed| {
                let (pool, account) = (pool.clone(), account.clone());
                thread::spawn(move || {
                    let mut rng = Rng::new(seed + 7);
                    for _ in 0..5000 {
                        let (entry, panics) = (account.entry(), rng.below(20) == 0);
                        let job = move || {
                            entry.run();
                            assert!(!panics, "a job");
                        };
                        pool.call_in_thread(job).unwrap();
                    }
                })
            })
            .collect();
        let mut rng = Rng::new(42);
        for _ in 0..10_000 {
            let max = rng.below(5);
            pool.adjust_pool_size(rng.below(max + 1), max).unwrap();
        }
        pool.adjust_pool_size(2, 3).unwrap();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        wait_until(|| account.run() == 10_000);
        wait_until(|| (2..=3).contains(&pool.stats().live) && pool.stats().busy == 0);
        pool.stop().unwrap();
        assert_eq!((account.run(), account.dropped()), (10_000, 10_000));
        let stats = pool.stats();
        assert_eq!((stats.live, stats.completed), (0, 10_000));
    });
}

// Checks: B30, B31, R1, R10
#[test]
fn jobs_that_wait_for_each_other_never_starve_while_there_is_room() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 4).unwrap();
        pool.start().unwrap();
        let mut rng = Rng::new(3);
        for _ in 0..1000 {
            // Four jobs that meet: none ends before all have begun. Anything less than four threads hangs.
            let meeting = Arc::new(std::sync::Barrier::new(4));
            for _ in 0..4 {
                let meeting = Arc::clone(&meeting);
                pool.call_in_thread(move || _ = meeting.wait()).unwrap();
            }
            pool.adjust_pool_size(rng.below(5), 4).unwrap();
        }
        pool.stop().unwrap();
    });
}

// Checks: B40, R2, R9, R12
#[test]
fn stopping_against_submitting_resolves_each_job_exactly_once() {
    with_watchdog(|| {
        for round in 0..300 {
            let pool = ThreadPool::builder().size(round % 3, 3).on_report(|_| ()).build().unwrap();
            if round % 5 != 0 {
                pool.start().unwrap();
            }
            let (account, told) = (Account::default(), Arc::new(AtomicUsize::new(0)));
            let submitter = {
                let (pool, account, told) = (pool.clone(), account.clone(), Arc::clone(&told));
                thread::spawn(move || {
                    let accepted = (0..50).filter(|_| {
                        let (entry, told) = (account.entry(), Arc::clone(&told));
                        let on_result = move |_| _ = told.fetch_add(1, Ordering::Relaxed);
                        pool.call_in_thread_with_callback(on_result, move || entry.run()).is_ok()
                    });
                    accepted.count()
                })
            };
            (0..round * 20).for_each(|_| std::hint::spin_loop());
            pool.stop().unwrap();
            let accepted = submitter.join().unwrap();
            assert_eq!(told.load(Ordering::Relaxed), accepted, "each of them is told, and once");
            assert_eq!(account.dropped(), 50);
            assert!(account.run() <= accepted);
        }
    });
}

// Checks: B13, B48, R25, R27
#[test]
fn stopping_against_blocking_calls_answers_every_one_of_them() {
    with_watchdog(|| {
        for round in 0..200_u64 {
            let reactor = Reactor::new();
            let askers: Vec<_> = (0..4)
                .map(|seed| {
                    let handle = reactor.handle();
                    thread::spawn(move || {
                        let mut rng = Rng::new(round * 4 + seed + 1);
                        let mut answered = 0;
                        loop {
                            let answer = match rng.below(3) {
                                0 => threads::blocking_call_from_thread(&handle, |_| ()),
                                1 => threads::blocking_call_from_thread(&handle, |reactor| {
                                    let (deferred, resolver) = Deferred::<()>::new();
                                    let _ = reactor.call_later(Duration::ZERO, |_| resolver.callback(()));
                                    deferred
                                }),
                                _ => threads::blocking_call_from_thread_timeout(&handle, LONG, |_| ()),
                            };
                            match answer {
                                Ok(()) => answered += 1,
                                Err(BlockingCallError::ReactorStopped) => return answered,
                                Err(other) => panic!("{other}"),
                            }
                        }
                    })
                })
                .collect();
            let _ = reactor.call_later(Duration::from_micros(round * 5), |reactor| reactor.stop().unwrap());
            reactor.run();
            askers.into_iter().for_each(|asker| _ = asker.join().unwrap());
        }
    });
}

// Checks: B13, B46, B8, B38
#[test]
fn a_reactor_under_every_kind_of_load_accounts_for_all_of_it() {
    with_watchdog(|| {
        let reports = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&reports);
        let reactor =
            Reactor::builder().on_report(move |_| _ = counted.fetch_add(1, Ordering::Relaxed)).build().unwrap();
        let (account, panics) = (Account::default(), Arc::new(AtomicU64::new(0)));
        let loaders: Vec<_> = (0..4)
            .map(|seed| {
                let (handle, account, panics) = (reactor.handle(), account.clone(), Arc::clone(&panics));
                thread::spawn(move || {
                    let mut rng = Rng::new(seed + 11);
                    for _ in 0..1500 {
                        let entry = account.entry();
                        match rng.below(6) {
                            0 => handle.call_from_thread(move |_| entry.run()).unwrap(),
                            1 => handle.call_in_thread(move || entry.run()).unwrap(),
                            2 => {
                                let later = move |reactor: &Reactor| {
                                    drop(reactor.call_later(Duration::from_micros(50), move |_| entry.run()));
                                };
                                handle.call_from_thread(later).unwrap();
                            }
                            3 => {
                                let deferred = move |reactor: &Reactor| {
                                    let result = threads::defer_to_thread(reactor, || "value");
                                    drop(result.add_callback(move |_| entry.run()));
                                };
                                handle.call_from_thread(deferred).unwrap();
                            }
                            4 => {
                                panics.fetch_add(1, Ordering::Relaxed);
                                let panicking = move || {
                                    entry.run();
                                    panic!("a job");
                                };
                                handle.call_in_thread(panicking).unwrap();
                            }
                            _ => {
                                entry.run();
                                handle.suggest_thread_pool_size(1 + rng.below(6));
                            }
                        }
                    }
                })
            })
            .collect();
        let (handle, all) = (reactor.handle(), account.clone());
        let last = thread::spawn(move || {
            loaders.into_iter().for_each(|loader| loader.join().unwrap());
            wait_until(|| all.run() == 6000);
            handle.stop();
        });
        reactor.run();
        last.join().unwrap();
        assert_eq!((account.run(), account.dropped()), (6000, 6000));
        assert_eq!(reports.load(Ordering::Relaxed), panics.load(Ordering::Relaxed));
    });
}
