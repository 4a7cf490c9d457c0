//! Programs that were written by hand: each has many threads at one part of the crate.

use shuttle::thread;

use crate::promises::Promises;
use crate::sync::{Arc, Condvar, Mutex};
use crate::{Handle, Reactor, ThreadPool, decisions, threads};

/// A started pool. Thread starts may fail, so nothing that is reported is a failure.
fn started(min: usize, max: usize) -> ThreadPool {
    let pool = ThreadPool::builder().size(min, max).on_report(|_| ()).build().unwrap();
    pool.start().unwrap();
    pool
}

/// Runs a reactor on a thread of its own until it is stopped.
fn run_reactor(make: impl FnOnce() -> Reactor + Send + 'static) -> (Handle, thread::JoinHandle<()>) {
    let (sender, receiver) = shuttle::sync::mpsc::channel();
    let run = move || {
        let reactor = make();
        sender.send(reactor.handle()).unwrap();
        reactor.run();
    };
    let running = thread::Builder::new().name("reactor".to_owned()).spawn(run).unwrap();
    (receiver.recv().unwrap(), running)
}

fn stop(pool: &ThreadPool) {
    pool.stop().unwrap();
    let stats = pool.stats();
    assert_eq!((stats.live, stats.idle, stats.busy, stats.blocked), (0, 0, 0, 0), "{stats:?}");
    assert_eq!((stats.queued, stats.waiting), (0, 0), "{stats:?}");
}

/// Four submitters, three workers at most, and a thread that resizes all the time. Each submitter waits for its last
/// job before it ends, so that no stop saves what was forgotten.
pub fn jobs_and_resizes() {
    decisions::all_threads_start();
    let (pool, promises) = (started(1, 2), Promises::default());
    let submitters = [(); 4].map(|()| {
        let (pool, promises) = (pool.clone(), promises.clone());
        thread::spawn(move || {
            for _ in 0..3 {
                let (promise, job) = promises.function("job");
                let done = Arc::new((Mutex::new(false), Condvar::new()));
                let signal = Arc::clone(&done);
                let answer = pool.call_in_thread(move || {
                    job.run();
                    *signal.0.lock() = true;
                    signal.1.notify_one();
                });
                promise.answered(&answer, true);
                let mut ran = done.0.lock();
                while !*ran {
                    ran = done.1.wait(ran);
                }
            }
        })
    });
    for (min, max) in [(0, 1), (2, 3), (1, 1), (0, 3), (1, 2)] {
        pool.adjust_pool_size(min, max).unwrap();
    }
    for submitter in submitters {
        submitter.join().unwrap();
    }
    stop(&pool);
    drop(pool);
    promises.check();
}

/// Four threads post to one reactor and wait for no answer.
pub fn posts_of_four_threads() {
    let promises = Promises::default();
    let (handle, reactor) = run_reactor(|| Reactor::builder().pool_size(0, 1).build().unwrap());
    let loop_thread = reactor.thread().id();
    let posters = [(); 4].map(|()| {
        let (handle, promises) = (handle.clone(), promises.clone());
        thread::spawn(move || {
            for _ in 0..4 {
                let (promise, call) = promises.function("call");
                let promise = promise.on(loop_thread).of_queue(0);
                let answer = handle.call_from_thread(move |_| call.run());
                promise.answered(&answer, true);
            }
        })
    });
    for poster in posters {
        poster.join().unwrap();
    }
    handle.stop();
    reactor.join().unwrap();
    promises.check();
}

/// Jobs that block until the loop has answered, in a pool that may have one thread more for each of them.
pub fn blocking_calls_from_jobs() {
    decisions::all_threads_start();
    let promises = Promises::default();
    let (handle, reactor) = run_reactor(|| Reactor::builder().pool_size(0, 1).build().unwrap());
    let (pool, loop_thread) = (started(0, 2), reactor.thread().id());
    let clients = [(); 3].map(|()| {
        let (handle, pool, promises) = (handle.clone(), pool.clone(), promises.clone());
        thread::spawn(move || {
            for number in 0..2 {
                let (promise, job) = promises.function("job");
                let (call_promise, call) = promises.function("blocking call");
                let (handle, call_promise) = (handle.clone(), call_promise.on(loop_thread));
                let answer = pool.call_in_thread(move || {
                    job.run();
                    let answer = threads::blocking_call_from_thread(&handle, move |_| {
                        call.run();
                        number
                    });
                    call_promise.accepted(true);
                    assert_eq!(answer.unwrap(), number);
                });
                promise.answered(&answer, true);
            }
        })
    });
    for client in clients {
        client.join().unwrap();
    }
    stop(&pool);
    handle.stop();
    reactor.join().unwrap();
    drop(pool);
    promises.check();
}
