//! What waiting does not do, what keeps a pool alive, and what the `loom` feature changes.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use selvedge::{Failure, Reactor, ThreadPool, threads};

use crate::support::{Gate, Log, wait_until, with_watchdog};

// Checks: P14, R14
#[test]
fn a_worker_that_waits_for_the_loop_runs_no_other_job_meanwhile() {
    with_watchdog(|| {
        let reactor = Reactor::builder().pool_size(1, 1).build().unwrap();
        let (log, handle, pool) = (Log::new(), reactor.handle(), reactor.thread_pool().clone());
        let first = log.clone();
        reactor
            .call_in_thread(move || {
                first.note(("the first job waits", thread::current().id()));
                let answer = threads::blocking_call_from_thread(&handle, move |_| {
                    // The worker that waits is all that the pool may have, but for one that stands in for it.
                    wait_until(|| pool.stats().completed == 1);
                    Ok::<_, Failure>(())
                });
                answer.unwrap();
                first.note(("the first job goes on", thread::current().id()));
                handle.stop();
            })
            .unwrap();
        let second = log.clone();
        reactor.call_in_thread(move || second.note(("the second job", thread::current().id()))).unwrap();
        reactor.run();
        let [(waits, first), (other, second), (goes_on, same)] = log.entries()[..] else { panic!("{log:?}") };
        assert_eq!([waits, other, goes_on], ["the first job waits", "the second job", "the first job goes on"]);
        assert_eq!(first, same);
        assert_ne!(first, second, "a worker that waits runs nothing else");
    });
}

// Checks: P14, R14
#[test]
fn a_loop_that_waits_for_a_pool_runs_no_call_meanwhile() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (log, handle) = (Log::new(), reactor.handle());
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (waits, posted, (done, is_done)) = (log.clone(), log.clone(), mpsc::channel());
        pool.call_in_thread(move || {
            let called = posted.clone();
            handle.call_from_thread(move |_| called.note("the call")).unwrap();
            posted.note("the job posts a call");
            handle.stop();
            done.send(()).unwrap();
        })
        .unwrap();
        reactor.call_when_running(move |_| {
            is_done.recv().unwrap();
            waits.note("the loop goes on");
        });
        reactor.run();
        assert_eq!(log, ["the job posts a call", "the loop goes on", "the call"]);
    });
}

// Checks: P6
#[test]
fn dropping_the_last_handle_of_a_pool_waits_for_nobody_and_loses_no_job() {
    with_watchdog(|| {
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (gate, log) = (Gate::new(), Log::new());
        for job in ["first", "second"] {
            let (gate, log) = (gate.clone(), log.clone());
            pool.call_in_thread(move || {
                gate.pass();
                log.note(job);
            })
            .unwrap();
        }
        drop(pool);
        gate.open();
        wait_until(|| log.len() == 2);
        assert_eq!(log, ["first", "second"]);
    });
}

thread_local! {
    static LAST_WORDS: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

/// Does something when its thread ends.
struct AtExit(Option<Box<dyn FnOnce()>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(last_words) = self.0.take() {
            last_words();
        }
    }
}

// Checks: B40, P2, P9
#[test]
fn a_job_that_is_told_it_never_runs_cannot_wait_for_its_pool_to_be_over() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        let (own, told) = (pool.clone(), Log::new());
        let tells = told.clone();
        // The pool is not over before this has returned; so to wait for that here would be to wait for oneself.
        let on_result = move |_: Result<(), Failure>| tells.note(own.stop().is_err());
        pool.call_in_thread_with_callback(on_result, || ()).unwrap();
        pool.stop().unwrap();
        assert_eq!(told, [true]);
    });
}

// Checks: B42, P9
#[test]
fn a_thread_that_ends_may_resize_its_pool_while_another_waits_for_its_end() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.start().unwrap();
        let (ending, waited_for, resized) = (Gate::new(), Gate::new(), Gate::new());
        let gates = (pool.clone(), ending.clone(), waited_for.clone(), resized.clone());
        pool.call_in_thread(move || {
            let (pool, ending, waited_for, resized) = gates;
            let last_words = move || {
                ending.open();
                waited_for.pass();
                pool.adjust_pool_size(2, 2).unwrap();
                resized.open();
            };
            LAST_WORDS.with(|last| *last.borrow_mut() = Some(AtExit(Some(Box::new(last_words)))));
        })
        .unwrap();
        wait_until(|| pool.stats().completed == 1);
        pool.adjust_pool_size(0, 0).unwrap();
        ending.pass();
        let other = pool.clone();
        let starter = thread::spawn(move || other.adjust_pool_size(1, 1));
        wait_until(|| pool.stats().live == 1);
        waited_for.open();
        resized.pass();
        starter.join().unwrap().unwrap();
        wait_until(|| pool.stats().idle == 2);
        pool.stop().unwrap();
    });
}

// Checks: P11
#[test]
fn the_feature_adds_one_module_and_nothing_else_depends_on_it() {
    let mut places = Vec::new();
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut |path, line| {
        // The pages of the book are documentation, whose programs need the feature that they are about.
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        if is_code && line.contains("feature =") && !line.trim_start().starts_with("//") {
            places.push(format!("{}: {line}", path.file_name().unwrap_or_default().to_string_lossy()));
        }
    });
    // The tests of the book's programs, which run with the models; the module, and its note on docs.rs.
    let expected = [
        r#"lib.rs: #[cfg(any(all(doc, not(doctest)), all(doctest, feature = "loom")))]"#,
        r#"lib.rs: #[cfg(feature = "loom")]"#,
        r#"lib.rs: #[cfg_attr(docsrs, doc(cfg(feature = "loom")))]"#,
    ];
    assert_eq!(places, expected);
}

// Checks: P4, P11
#[test]
fn only_the_doors_name_the_locks_and_threads_of_std_or_loom() {
    let mut places = Vec::new();
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/runtime");
    search(&runtime, &mut |path, line| {
        let code = line.split("//").next().unwrap_or_default();
        // What is shared and never waited on may be std's in both builds.
        let door = ["std::thread", "loom::", "std::sync::{", "Mutex;", "Condvar;", "Atomic", "std::time::Instant"];
        if door.iter().any(|name| code.contains(name)) && !code.contains("super::sync") {
            places.push(format!("{}: {line}", path.display()));
        }
    });
    assert_eq!(places, [""; 0]);
}

fn search(place: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, look);
        } else if !path.ends_with("tests.rs") {
            fs::read_to_string(&path).unwrap().lines().for_each(|line| look(&path, line));
        }
    }
}
