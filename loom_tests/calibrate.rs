//! Checks of loom itself: its known holes, and planted bugs that a search must report. Litmus tests of its memory model
//! are in `litmus.rs`.
//!
//! A hole is pinned as it is: when an upgrade of loom closes one, its test fails, and the workaround can be removed.
//!
//! Checks: P13

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::sync::{Arc as StdArc, Mutex as StdMutex};

use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};
use loom::sync::atomic::{AtomicUsize, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use selvedge::loom::ThreadPool;

use crate::explore::{Chaos, explore, litmus};

/// All outcomes that a program has in a whole search.
pub fn outcomes<T: Ord + Clone + Send + 'static>(program: impl Fn() -> T + Send + Sync + 'static) -> Vec<T> {
    let seen = StdArc::new(StdMutex::new(BTreeSet::new()));
    litmus({
        let seen = StdArc::clone(&seen);
        move || {
            let outcome = program();
            seen.lock().unwrap().insert(outcome);
        }
    });
    let seen = seen.lock().unwrap();
    seen.iter().cloned().collect()
}

/// Two threads, each of which accesses the same two atomics and returns what it saw.
pub fn two_halves(
    first: impl Fn(&AtomicUsize, &AtomicUsize) -> usize + Clone + Send + Sync + 'static,
    second: impl Fn(&AtomicUsize, &AtomicUsize) -> usize + Clone + Send + Sync + 'static,
) -> Vec<(usize, usize)> {
    outcomes(move || {
        let both = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = thread::spawn({
            let (both, second) = (Arc::clone(&both), second.clone());
            move || second(&both.0, &both.1)
        });
        let seen = first(&both.0, &both.1);
        (seen, other.join().unwrap())
    })
}

#[test]
fn every_order_of_three_threads_at_one_lock_is_seen() {
    let orders = outcomes(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let others = [1, 2].map(|number| {
            let log = Arc::clone(&log);
            thread::spawn(move || log.lock().unwrap().push(number))
        });
        log.lock().unwrap().push(0);
        for other in others {
            other.join().unwrap();
        }
        log.lock().unwrap().clone()
    });
    assert_eq!(orders, [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]);
}

#[test]
fn every_outcome_of_read_modify_writes_is_seen() {
    let seen = two_halves(
        |x, y| 10 * x.fetch_add(1, AcqRel) + y.fetch_add(1, AcqRel),
        |x, y| 10 * x.fetch_add(1, AcqRel) + y.fetch_add(1, AcqRel),
    );
    assert_eq!(seen, [(0, 11), (1, 10), (10, 1), (11, 0)]);
}

#[test]
fn fences_forbid_what_store_buffers_would_show() {
    let seen = two_halves(
        |x, y| {
            x.store(1, Relaxed);
            fence(SeqCst);
            y.load(Relaxed)
        },
        |x, y| {
            y.store(1, Relaxed);
            fence(SeqCst);
            x.load(Relaxed)
        },
    );
    assert_eq!(seen, [(0, 1), (1, 0), (1, 1)]);
}

#[test]
fn hole_load_buffering_is_not_explored() {
    let seen = two_halves(
        |x, y| {
            let seen = x.load(Relaxed);
            y.store(1, Relaxed);
            seen
        },
        |x, y| {
            let seen = y.load(Relaxed);
            x.store(1, Relaxed);
            seen
        },
    );
    assert!(!seen.contains(&(1, 1)), "allowed by the language, and not found until now: {seen:?}");
}

#[test]
fn hole_a_weak_exchange_never_fails_spuriously() {
    let seen = outcomes(|| AtomicUsize::new(0).compare_exchange_weak(0, 1, AcqRel, Acquire).is_ok());
    assert_eq!(seen, [true]);
}

/// Waits for `flag` with an `if` in place of a `while`, which is wrong as soon as the waiter wakes spuriously.
fn waits_once(chaos: Chaos) {
    let place = Arc::new((Mutex::new(false), Condvar::new()));
    let _chaos_thread = chaos.start(|| Arc::clone(&place), |place| place.1.notify_all());
    let other = thread::spawn({
        let place = Arc::clone(&place);
        move || {
            *place.0.lock().unwrap() = true;
            place.1.notify_one();
        }
    });
    let mut flag = place.0.lock().unwrap();
    if !*flag {
        flag = place.1.wait(flag).unwrap();
    }
    assert!(*flag, "woken spuriously");
    drop(flag);
    other.join().unwrap();
}

#[test]
fn hole_no_condvar_wakes_spuriously_and_a_chaos_thread_makes_up_for_it() {
    litmus(|| waits_once(Chaos::none()));
    must_be_reported("an if in place of a while", "woken spuriously");
}

#[test]
fn hole_notify_one_always_takes_the_waiter_that_came_first() {
    let woken = outcomes(|| {
        let place = Arc::new((Mutex::new((Vec::new(), Vec::new())), Condvar::new()));
        let waiters = [1, 2].map(|number| {
            let place = Arc::clone(&place);
            thread::spawn(move || {
                let mut orders = place.0.lock().unwrap();
                orders.0.push(number);
                orders = place.1.wait(orders).unwrap();
                orders.1.push(number);
                drop(orders);
                place.1.notify_one();
            })
        });
        while place.0.lock().unwrap().0.len() < 2 {
            thread::yield_now();
        }
        place.1.notify_one();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        let orders = place.0.lock().unwrap();
        orders.0 == orders.1
    });
    assert_eq!(woken, [true], "any waiter may be woken in reality: the search of the pool's machine explores that");
}

#[test]
fn hole_a_wait_with_a_timeout_never_times_out() {
    must_be_reported("a timeout that would pass", "deadlock");
}

#[test]
fn hole_try_lock_never_meets_a_lock_that_is_held_for_a_moment() {
    let tried = outcomes(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.try_lock().is_ok()
        });
        let held = lock.lock().unwrap();
        drop(held);
        other.join().unwrap()
    });
    assert_eq!(tried, [true], "it never finds the lock held");
}

#[test]
fn hole_five_threads_and_no_more() {
    assert_eq!(loom::MAX_THREADS, 5);
}

/// Issue 422 of loom: in reality nothing ends this wait, and a search should report it.
#[test]
fn hole_a_wait_is_ended_by_an_unpark() {
    litmus(|| {
        let (lock, wake) = (Mutex::new(()), Condvar::new());
        let waiter = thread::current();
        let other = thread::spawn(move || waiter.unpark());
        drop(wake.wait(lock.lock().unwrap()).unwrap());
        other.join().unwrap();
    });
}

/// Issue 249 of loom.
#[test]
fn hole_an_unpark_of_a_thread_that_joins_fails() {
    must_be_reported("an unpark of a thread that joins", "state.notified");
}

#[test]
fn a_deadlock_is_reported() {
    must_be_reported("two locks in two orders", "deadlock");
}

#[test]
fn a_lost_wake_is_reported() {
    must_be_reported("a flag set without its lock", "deadlock");
}

#[test]
fn a_leak_is_reported() {
    must_be_reported("an Arc that is forgotten", "Arc leaked");
}

#[test]
fn a_loop_without_end_is_reported() {
    must_be_reported("a loop without end", "exceeded maximum number of branches");
}

// Checks: B38
#[test]
fn a_failed_assertion_in_a_job_fails_the_model_though_jobs_are_contained() {
    must_be_reported("an assertion in a job", "the job says no");
}

#[test]
fn a_variable_that_makes_the_search_smaller_is_refused() {
    for variable in ["LOOM_MAX_PREEMPTIONS", "LOOM_MAX_PERMUTATIONS", "LOOM_MAX_DURATION", "LOOM_CHECKPOINT_INTERVAL"] {
        let ran = run_planted("nothing wrong", Some((variable, "1")));
        assert!(ran.is_err_and(|output| output.contains("Unset it")), "{variable} was accepted");
    }
    assert!(run_planted("nothing wrong", None).is_ok(), "a child without a bug succeeds");
}

#[test]
fn a_search_that_is_not_in_the_ledger_is_reported() {
    must_be_reported("a model without a row", "the ledger has no row");
}

/// Environment variable of the child: the name of its planted bug.
const PLANT: &str = "SELVEDGE_PLANT";

/// Runs a planted bug in a child process, because a failing search may abort it, and demands that it is reported.
fn must_be_reported(bug: &str, message: &str) {
    match run_planted(bug, None) {
        Ok(output) => panic!("“{bug}” was not reported: {output}"),
        Err(output) => assert!(output.contains(message), "“{bug}” was reported, but not as “{message}”: {output}"),
    }
}

/// The output of a child, as an error if it failed.
fn run_planted(bug: &str, variable: Option<(&str, &str)>) -> Result<String, String> {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "calibrate::planted", "--ignored", "--nocapture", "--test-threads=1"]).env(PLANT, bug);
    child.env_remove("SELVEDGE_BLESS").envs(variable);
    let output = child.output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(text.contains("running 1 test"), "the child did not run: {text}");
    if output.status.success() { Ok(text) } else { Err(text) }
}

#[test]
#[ignore = "a planted bug: other tests run it in a child process, and demand that it fails"]
fn planted() {
    let Some(plant) = env::var_os(PLANT) else { return };
    match &*plant.to_string_lossy() {
        "nothing wrong" => drop(litmus(|| waits_once(Chaos::none()))),
        "an if in place of a while" => explore(waits_once),
        "a timeout that would pass" => drop(litmus(|| {
            let (lock, wake) = (Mutex::new(()), Condvar::new());
            drop(wake.wait_timeout(lock.lock().unwrap(), std::time::Duration::ZERO));
        })),
        "an unpark of a thread that joins" => drop(litmus(|| {
            let joiner = thread::current();
            let other = thread::spawn(move || {
                joiner.unpark();
                thread::yield_now();
            });
            other.join().unwrap();
        })),
        "two locks in two orders" => drop(litmus(|| {
            let locks = Arc::new((Mutex::new(()), Mutex::new(())));
            let other = thread::spawn({
                let locks = Arc::clone(&locks);
                move || drop((locks.1.lock().unwrap(), locks.0.lock().unwrap()))
            });
            drop((locks.0.lock().unwrap(), locks.1.lock().unwrap()));
            other.join().unwrap();
        })),
        "a flag set without its lock" => drop(litmus(|| {
            let place = Arc::new((AtomicUsize::new(0), Mutex::new(()), Condvar::new()));
            let other = thread::spawn({
                let place = Arc::clone(&place);
                move || {
                    place.0.fetch_add(1, AcqRel);
                    place.2.notify_one();
                }
            });
            let mut held = place.1.lock().unwrap();
            while place.0.fetch_add(0, AcqRel) == 0 {
                held = place.2.wait(held).unwrap();
            }
            drop(held);
            other.join().unwrap();
        })),
        "an Arc that is forgotten" => drop(litmus(|| std::mem::forget(Arc::new(())))),
        "a loop without end" => drop(litmus(|| {
            let never = AtomicUsize::new(0);
            while never.fetch_add(0, AcqRel) == 0 {}
        })),
        "an assertion in a job" => drop(litmus(|| {
            let pool = ThreadPool::new(1, 1).unwrap();
            pool.start().unwrap();
            pool.call_in_thread(|| panic!("the job says no")).unwrap();
            pool.stop().unwrap();
        })),
        "a model without a row" => explore(|_| ()),
        unknown => panic!("there is no planted bug {unknown}"),
    }
}
