//! What the critical sections of inbox and pool cost: on one core alone, when two cores take turns, and when two cores
//! contend. Nanoseconds each, by the public API; `scaling` computes from the first two kinds, and is checked by the
//! third.

use std::hint::spin_loop;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use core_affinity::CoreId;
use crossbeam_utils::CachePadded;
use selvedge::threads::blocking_call_from_thread;
use selvedge::{Handle, Reactor, ThreadPool};

use crate::statistics::Spread;

/// Operations of one round.
const OPERATIONS: u64 = 10_000;
/// As many calls as fit into the first-level cache.
const BATCH: u64 = 200;
/// Operations that are timed together where cores contend.
const CHUNK: u64 = 1_000;
const WAKES: u64 = 100;
/// The two cores.
const HERE: usize = 0;
const AWAY: usize = 1;
/// Longer than a thread takes to fall asleep, and its core with it.
const UNTIL_ASLEEP: Duration = Duration::from_micros(300);
/// Longer than a thread takes to fall asleep, but its core does not.
const SOON: Duration = Duration::from_micros(20);

/// What is measured, by the name under which `benches/results/holds.txt` lists it.
pub const MEASUREMENTS: [(&str, fn() -> f64); 24] = [
    ("lock", lock),
    ("pause", pause),
    ("system call", || timed(OPERATIONS, thread::yield_now)),
    ("handoff", handoff),
    ("handoff, 8 lines more", handoff_of_lines),
    ("wake call", || wake(UNTIL_ASLEEP).0),
    ("wake latency", || wake(UNTIL_ASLEEP).1),
    ("wake latency, soon", || wake(SOON).1),
    ("post", post),
    ("post in turns", post_in_turns),
    ("take", take),
    ("run", run),
    ("submit", submit),
    ("submit in turns", submit_in_turns),
    ("job", || workers_run(&[AWAY], |_| ())),
    ("job submitted here", || workers_run(&[HERE], |_| ())),
    ("job in turns", job_in_turns),
    ("check: 2 threads, one lock", two_lockers),
    ("check: 2 posters", two_posters),
    ("check: 1 poster and the loop", poster_and_loop),
    ("check: 1 blocking caller and the loop", caller_and_loop),
    ("check: 2 submitters", two_submitters),
    ("check: 1 submitter, 1 worker", submitter_and_worker),
    ("check: 2 workers", || workers_run(&[HERE, AWAY], |_| ())),
];

/// Runs this thread, and those that it starts from now on, on one core only.
fn pin(core: usize) {
    assert!(core_affinity::set_for_current(CoreId { id: core }), "two cores are needed");
}

fn each(elapsed: Duration, operations: u64) -> f64 {
    elapsed.as_secs_f64() * 1e9 / operations as f64
}

fn timed(operations: u64, mut operation: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..operations).for_each(|_| operation());
    each(start.elapsed(), operations)
}

fn median(sample: Vec<f64>) -> f64 {
    Spread::quartiles(sample).median
}

/// Runs the operation on both cores at once, again and again: so many in each chunk, half of them on each core.
/// `between` runs on this thread after each chunk. Returns the median of the chunks: few of them are interrupted.
fn on_both_cores(chunk: u64, operation: impl Fn(u64) + Sync, mut between: impl FnMut()) -> f64 {
    let arrived = CachePadded::new(AtomicU64::new(0));
    let wait_for = |arrivals| while arrived.load(Acquire) < arrivals {};
    let run = |number: u64, core: u64| {
        arrived.fetch_add(1, AcqRel);
        wait_for(2 * number + 2);
        let start = Instant::now();
        (0..chunk / 2).for_each(|n| operation(number * chunk + 2 * n + core));
        (start, Instant::now())
    };
    let chunks = OPERATIONS / chunk;
    pin(HERE);
    let spans: Vec<_> = thread::scope(|scope| {
        let other = scope.spawn(|| {
            pin(AWAY);
            let spans: Vec<_> = (0..chunks).map(|number| run(number, 1)).collect();
            arrived.fetch_add(1, AcqRel);
            spans
        });
        let own: Vec<_> = (0..chunks)
            .map(|number| {
                let span = run(number, 0);
                // The other core has ended this chunk, and waits at the next.
                wait_for(2 * number + 3);
                between();
                span
            })
            .collect();
        own.into_iter().zip(other.join().expect("an operation does not panic")).collect()
    });
    median(spans.into_iter().map(|(one, other)| each(one.1.max(other.1) - one.0.min(other.0), chunk)).collect())
}

/// The same, but the cores take turns: each operation ends before the other core begins the next.
fn in_turns(operation: impl Fn() + Sync, between: impl FnMut()) -> f64 {
    let turn = CachePadded::new(AtomicU64::new(0));
    let wait_and_do = |number| {
        while turn.load(Acquire) != number {}
        operation();
        turn.store(number + 1, Release);
    };
    on_both_cores(BATCH, wait_and_do, between)
}

fn lock() -> f64 {
    let count = Mutex::new(0_u64);
    timed(OPERATIONS, || *count.lock().expect("nothing panics") += 1)
}

fn two_lockers() -> f64 {
    let count = Mutex::new(0_u64);
    on_both_cores(CHUNK, |_| *count.lock().expect("nothing panics") += 1, || ())
}

fn pause() -> f64 {
    timed(OPERATIONS, spin_loop)
}

/// A value that one core stores is read by the other: the line comes to the writer, then to the reader.
fn handoff() -> f64 {
    in_turns(|| (), || ())
}

/// The same, and in each turn eight lines that the other core has written are written, one after the other.
fn handoff_of_lines() -> f64 {
    let lines = [const { CachePadded::new(AtomicU64::new(0)) }; 8];
    let write = || {
        lines.iter().for_each(|line| {
            line.fetch_add(1, AcqRel);
        })
    };
    in_turns(write, || ())
}

/// How long a wake takes whoever wakes a thread that has slept on the other core for so long, and until that runs.
fn wake(asleep: Duration) -> (f64, f64) {
    pin(HERE);
    let begun = Instant::now();
    let now = move || begun.elapsed().as_nanos() as u64;
    let (asked, woken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sleeper = {
        let (asked, woken) = (Arc::clone(&asked), Arc::clone(&woken));
        thread::spawn(move || {
            pin(AWAY);
            for _ in 0..WAKES {
                while !asked.swap(false, Acquire) {
                    thread::park();
                }
                woken.store(now(), Release);
            }
        })
    };
    let (mut calls, mut latencies) = (0, 0);
    for _ in 0..WAKES {
        let since = Instant::now();
        while since.elapsed() < asleep {}
        asked.store(true, Release);
        let before = now();
        sleeper.thread().unpark();
        calls += now() - before;
        while woken.load(Acquire) == 0 {
            spin_loop();
        }
        latencies += woken.swap(0, Relaxed) - before;
    }
    sleeper.join().expect("it only sleeps");
    (calls as f64 / WAKES as f64, latencies as f64 / WAKES as f64)
}

fn post_one(handle: &Handle) {
    handle.call_from_thread(|_| ()).expect("it has not stopped");
}

fn turn(reactor: &Reactor) {
    reactor.turn().expect("this is not inside a turn");
}

/// Many batches, after each of which the loop takes all, so that the next uses its memory.
fn post() -> f64 {
    pin(HERE);
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let batch = |_| {
        let posts = timed(BATCH, || post_one(&handle));
        turn(&reactor);
        posts
    };
    median((0..OPERATIONS / BATCH).map(batch).collect())
}

fn post_in_turns() -> f64 {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    in_turns(|| post_one(&handle), || turn(&reactor))
}

fn two_posters() -> f64 {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    on_both_cores(CHUNK, |_| post_one(&handle), || turn(&reactor))
}

/// A turn that finds nothing.
fn take() -> f64 {
    pin(HERE);
    let reactor = Reactor::new();
    timed(OPERATIONS, || turn(&reactor))
}

/// What a turn takes for each call that was posted on the other core.
fn run() -> f64 {
    pin(HERE);
    let reactor = Reactor::new();
    let batch = |_| {
        let handle = reactor.handle();
        let poster = thread::spawn(move || {
            pin(AWAY);
            (0..BATCH).for_each(|_| post_one(&handle));
        });
        poster.join().expect("it only posts");
        timed(1, || turn(&reactor)) / BATCH as f64
    };
    median((0..OPERATIONS / BATCH).map(batch).collect())
}

/// Runs the reactor on core 0 and `work` on core 1, which returns when it began; until the reactor has stopped.
fn beside_loop(operations: u64, work: impl FnOnce(&Handle) -> Instant + Send + 'static) -> f64 {
    pin(HERE);
    let reactor = Reactor::new();
    let handle = reactor.handle();
    let running = Arc::new(Barrier::new(2));
    let other = {
        let running = Arc::clone(&running);
        thread::spawn(move || {
            pin(AWAY);
            running.wait();
            let start = work(&handle);
            handle.stop();
            start
        })
    };
    reactor.call_when_running(move |_| {
        running.wait();
    });
    reactor.run();
    let end = Instant::now();
    each(end - other.join().expect("it only posts"), operations)
}

fn poster_and_loop() -> f64 {
    beside_loop(OPERATIONS, |handle| {
        let start = Instant::now();
        (0..OPERATIONS).for_each(|_| post_one(handle));
        start
    })
}

fn caller_and_loop() -> f64 {
    beside_loop(CHUNK, |handle| {
        let start = Instant::now();
        (0..CHUNK).for_each(|_| blocking_call_from_thread(handle, |_| ()).expect("it runs"));
        start
    })
}

/// A pool without threads until it is resized.
fn paused_pool() -> ThreadPool {
    let pool = ThreadPool::new(0, 0).expect("the sizes are valid");
    pool.start().expect("it is new");
    pool
}

fn submit_one(pool: &ThreadPool, job: impl FnOnce() + Send + 'static) {
    pool.call_in_thread(job).expect("it is running");
}

fn submit() -> f64 {
    pin(HERE);
    let pool = paused_pool();
    let value = median((0..OPERATIONS / BATCH).map(|_| timed(BATCH, || submit_one(&pool, || ()))).collect());
    pool.stop().expect("this is no worker");
    value
}

fn submit_in_turns() -> f64 {
    let pool = paused_pool();
    let value = in_turns(|| submit_one(&pool, || ()), || ());
    pool.stop().expect("this is no worker");
    value
}

fn two_submitters() -> f64 {
    let pool = paused_pool();
    let value = on_both_cores(CHUNK, |_| submit_one(&pool, || ()), || ());
    pool.stop().expect("this is no worker");
    value
}

/// Workers on these cores run jobs that were submitted before they began. The median time of a job.
fn workers_run(cores: &[usize], job: impl Fn(u64) + Clone + Send + 'static) -> f64 {
    pin(HERE);
    let workers = cores.len();
    let (pool, times) = (paused_pool(), Arc::new(Mutex::new(Vec::new())));
    // The first jobs wait for each other, so each worker has one.
    let all = Arc::new(Barrier::new(workers));
    for &core in cores {
        let all = Arc::clone(&all);
        submit_one(&pool, move || {
            pin(core);
            all.wait();
        });
    }
    for number in 0..OPERATIONS {
        if number % CHUNK == 0 {
            let times = Arc::clone(&times);
            submit_one(&pool, move || times.lock().expect("nothing panics").push(Instant::now()));
        }
        let job = job.clone();
        submit_one(&pool, move || job(number));
    }
    pool.adjust_pool_size(workers, workers).expect("the sizes are valid");
    pool.stop().expect("this is no worker");
    let times = times.lock().expect("nothing panics");
    median(times.windows(2).map(|pair| each(pair[1].saturating_duration_since(pair[0]), CHUNK)).collect())
}

/// Each job ends as the next begins, on the other core: so the workers take turns at their lock.
fn job_in_turns() -> f64 {
    let begun = Arc::new(CachePadded::new(AtomicU64::new(0)));
    workers_run(&[HERE, AWAY], move |number| {
        begun.store(number + 1, Release);
        while number % CHUNK != CHUNK - 1 && begun.load(Acquire) == number + 1 {}
    })
}

/// A submitter beside a worker, from the first submission to the end of the last job.
fn submitter_and_worker() -> f64 {
    pin(HERE);
    let (pool, end) = (paused_pool(), Arc::new(OnceLock::new()));
    let ready = Arc::new(AtomicBool::new(false));
    let is_ready = Arc::clone(&ready);
    submit_one(&pool, move || {
        pin(AWAY);
        is_ready.store(true, Release);
    });
    pool.adjust_pool_size(1, 1).expect("the sizes are valid");
    while !ready.load(Acquire) {}
    let start = Instant::now();
    (0..OPERATIONS).for_each(|_| submit_one(&pool, || ()));
    let last = Arc::clone(&end);
    submit_one(&pool, move || last.set(Instant::now()).expect("one job is the last"));
    pool.stop().expect("this is no worker");
    each(*end.get().expect("it has run") - start, OPERATIONS)
}
