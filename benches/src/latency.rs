//! Worst cases: how long single operations take under a sustained load, as histograms.
//!
//! A load is paced, so that nobody falls behind for good and what is measured is no queue's length.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use selvedge::Reactor;

use crate::payload::{Job, Sink};
use crate::pools::{self, Pool};
use crate::promises;
use crate::tasks::{self, Executor};
use crate::timers::{self, Timers};

/// An operation that is measured, and those who do it. The first is selvedge.
pub struct Operation {
    pub title: &'static str,
    pub contenders: &'static [(&'static str, fn(u64, &mut Latencies))],
}

/// Longer than any operation, in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// Of single operations, in nanoseconds.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Latencies(Histogram::new_with_bounds(1, HOUR, 3).expect("these bounds are possible"))
    }
}

impl Latencies {
    fn time<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = operation();
        self.add(start.elapsed());
        outcome
    }

    fn add(&mut self, latency: Duration) {
        self.0.record(latency.as_nanos() as u64).expect("it took less than an hour");
    }

    /// p50, p99, p99.99, and the longest.
    pub fn summary(&self) -> [u64; 4] {
        [0.5, 0.99, 0.9999, 1.0].map(|quantile| self.0.value_at_quantile(quantile))
    }
}

pub const OPERATIONS: &[Operation] = &[
    Operation {
        title: "Post a call",
        contenders: &[
            ("selvedge", |times, latencies| selvedge_loop(|sink| put(sink, times, latencies))),
            ("crossbeam", |times, latencies| crossbeam_loop(|sink| put(sink, times, latencies))),
            ("std mpsc", |times, latencies| std_loop(|sink| put(sink, times, latencies))),
            ("tokio", |times, latencies| tokio_loop(|sink| put(sink, times, latencies))),
        ],
    },
    Operation {
        title: "From a post until the call runs",
        contenders: &[
            ("selvedge", |times, latencies| selvedge_loop(|sink| delivered(sink, times, latencies))),
            ("crossbeam", |times, latencies| crossbeam_loop(|sink| delivered(sink, times, latencies))),
            ("std mpsc", |times, latencies| std_loop(|sink| delivered(sink, times, latencies))),
            ("tokio", |times, latencies| tokio_loop(|sink| delivered(sink, times, latencies))),
        ],
    },
    Operation {
        title: "Submit a job",
        contenders: &[
            ("selvedge", submit::<selvedge::ThreadPool>),
            ("crossbeam pool", submit::<pools::Crossbeam>),
            ("rayon", submit::<rayon::ThreadPool>),
            ("threadpool", submit::<threadpool::ThreadPool>),
            ("tokio", submit::<tokio::runtime::Runtime>),
        ],
    },
    Operation {
        title: "From a submit until the job runs",
        contenders: &[
            ("selvedge", started::<selvedge::ThreadPool>),
            ("crossbeam pool", started::<pools::Crossbeam>),
            ("rayon", started::<rayon::ThreadPool>),
            ("threadpool", started::<threadpool::ThreadPool>),
            ("tokio", started::<tokio::runtime::Runtime>),
        ],
    },
    Operation {
        title: "Add a timer, 100,000 wait",
        contenders: &[("selvedge", add_timer::<timers::Selvedge>), ("tokio", add_timer::<timers::Tokio>)],
    },
    Operation {
        title: "Cancel a timer, 100,000 wait",
        contenders: &[("selvedge", cancel_timer::<timers::Selvedge>), ("tokio", cancel_timer::<timers::Tokio>)],
    },
    Operation {
        title: "Reset a timer, 100,000 wait",
        contenders: &[("selvedge", reset_timer::<timers::Selvedge>), ("tokio", reset_timer::<timers::Tokio>)],
    },
    Operation {
        title: "Spawn a task, and run it",
        contenders: &[
            ("selvedge", task::<Reactor>),
            ("tokio LocalSet", task::<tasks::Tokio>),
            ("LocalExecutor", task::<async_executor::LocalExecutor>),
        ],
    },
    Operation {
        title: "A chain of ten callbacks, fired",
        contenders: &[
            ("selvedge", |times, latencies| chain(times, latencies, promises::selvedge_chain)),
            ("futures, boxed", |times, latencies| chain(times, latencies, promises::futures_chain)),
            ("tokio oneshot", |times, latencies| chain(times, latencies, promises::tokio_chain)),
        ],
    },
];

/// Between two calls of a load that keeps its consumer awake, and of one that lets it sleep.
const BUSY: Duration = Duration::from_micros(2);
const LEISURELY: Duration = Duration::from_micros(50);

/// Calls `each` at regular times. Who is late does not hurry.
fn paced(times: u64, pause: Duration, mut each: impl FnMut(u64)) {
    for number in 0..times {
        let start = Instant::now();
        each(number);
        while start.elapsed() < pause {
            std::hint::spin_loop();
        }
    }
}

fn put(sink: &impl Sink, times: u64, latencies: &mut Latencies) {
    paced(times, BUSY, |number| latencies.time(|| sink.put(move || _ = std::hint::black_box(number))));
}

fn delivered(sink: &impl Sink, times: u64, latencies: &mut Latencies) {
    let times = times / 10;
    let latest: Arc<[AtomicU64]> = (0..times).map(|_| AtomicU64::new(0)).collect();
    paced(times, LEISURELY, |number| {
        let (latest, posted) = (Arc::clone(&latest), Instant::now());
        sink.put(move || latest[number as usize].store(posted.elapsed().as_nanos() as u64, Relaxed));
    });
    let (told, last) = mpsc::channel();
    sink.put(move || told.send(()).expect("somebody waits"));
    last.recv().expect("it runs");
    // With several workers, one of the jobs before the last may still run.
    thread::sleep(Duration::from_millis(1));
    latest.iter().for_each(|latency| latencies.add(Duration::from_nanos(latency.load(Relaxed))));
}

fn selvedge_loop(work: impl FnOnce(&selvedge::Handle)) {
    let ((), thread) = Reactor::builder().spawn(|_| ()).expect("a thread starts");
    work(thread.handle());
    thread.handle().stop();
    thread.join().expect("the loop does not panic");
}

/// Runs `consume` on a thread of its own until `sender` is dropped.
fn channel_loop<S: Sink>(sender: S, consume: impl FnOnce() + Send, work: impl FnOnce(&S)) {
    thread::scope(|scope| {
        scope.spawn(consume);
        work(&sender);
        drop(sender);
    });
}

fn crossbeam_loop(work: impl FnOnce(&crossbeam_channel::Sender<Job>)) {
    let (sender, receiver) = crossbeam_channel::unbounded::<Job>();
    channel_loop(sender, move || receiver.into_iter().for_each(|job| job()), work);
}

fn std_loop(work: impl FnOnce(&mpsc::Sender<Job>)) {
    let (sender, receiver) = mpsc::channel::<Job>();
    channel_loop(sender, move || receiver.into_iter().for_each(|job| job()), work);
}

fn tokio_loop(work: impl FnOnce(&tokio::sync::mpsc::UnboundedSender<Job>)) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
    let consume = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        runtime.block_on(async {
            while let Some(job) = receiver.recv().await {
                job();
            }
        });
    };
    channel_loop(sender, consume, work);
}

const WORKERS: usize = 2;

fn submit<P: Pool>(times: u64, latencies: &mut Latencies) {
    let pool = P::of(WORKERS);
    put(&pool, times, latencies);
    pool.end();
}

fn started<P: Pool>(times: u64, latencies: &mut Latencies) {
    let pool = P::of(WORKERS);
    delivered(&pool, times, latencies);
    pool.end();
}

/// Timers that wait while others are added, cancelled and reset.
const TIMERS: u64 = 100_000;

fn add_timer<T: Timers>(times: u64, latencies: &mut Latencies) {
    T::with(|timers| {
        let _waiting = timers::waiting(timers, TIMERS);
        for delay in timers::delays().take(times as usize) {
            let added = latencies.time(|| timers.add(delay));
            timers.cancel(added);
        }
    });
}

fn cancel_timer<T: Timers>(times: u64, latencies: &mut Latencies) {
    T::with(|timers| {
        let _waiting = timers::waiting(timers, TIMERS);
        for delay in timers::delays().take(times as usize) {
            let added = timers.add(delay);
            latencies.time(|| timers.cancel(added));
        }
    });
}

fn reset_timer<T: Timers>(times: u64, latencies: &mut Latencies) {
    T::with(|timers| {
        let mut waiting = timers::waiting(timers, TIMERS);
        for (number, delay) in timers::delays().take(times as usize).enumerate() {
            let timer = &mut waiting[number % TIMERS as usize];
            latencies.time(|| timers.reset(timer, delay));
        }
    });
}

fn task<E: Executor>(times: u64, latencies: &mut Latencies) {
    let mut executor = E::default();
    for number in 0..times {
        latencies.time(|| {
            executor.spawn(async move { _ = std::hint::black_box(number) });
            executor.run_all();
        });
    }
}

fn chain(times: u64, latencies: &mut Latencies, chain: fn(u64) -> u64) {
    for number in 0..times {
        latencies.time(|| chain(number));
    }
}
