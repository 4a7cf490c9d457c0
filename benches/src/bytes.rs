//! Memory of a queued job, as the operating system counts it, in a child process for each contender: an allocator keeps
//! memory that was used once, so that a second measurement in the same process would be too small.

use std::env;
use std::fs;
use std::process::Command;

use crate::measure::{Comparison, Contender, Setting, Unit};
use crate::payload::{Job, Sink};
use crate::pools::Pool;

/// Environment variable of the child: the contender's name and the number of jobs.
const CHILD: &str = "SELVEDGE_BENCHES_CHILD";

pub fn comparisons() -> Vec<Comparison> {
    let contenders = const {
        &[
            Contender::value("selvedge", |_: Setting, jobs| run_child("selvedge", jobs)),
            Contender::value("with a ticket", |_: Setting, jobs| run_child("ticketed", jobs)).no_peer(),
            Contender::value("crossbeam pool", |_: Setting, jobs| run_child("crossbeam", jobs)),
            Contender::value("rayon", |_: Setting, jobs| run_child("rayon", jobs)),
            Contender::value("threadpool", |_: Setting, jobs| run_child("threadpool", jobs)),
            Contender::value("rusty_pool", |_: Setting, jobs| run_child("rusty_pool", jobs)),
            Contender::value("tokio", |_: Setting, jobs| run_child("tokio", jobs)),
        ]
    };
    vec![Comparison {
        unit: Unit::Bytes,
        ..Comparison::new("A queued job that captures one word", 500_000, contenders)
    }]
}

fn run_child(contender: &str, jobs: u64) -> f64 {
    let program = env::current_exe().expect("this program has a path");
    let child = Command::new(program).env(CHILD, format!("{contender} {jobs}")).output().expect("it can be run again");
    let output = String::from_utf8_lossy(&child.stdout);
    let errors = String::from_utf8_lossy(&child.stderr);
    output.trim().parse().unwrap_or_else(|_| panic!("{contender} wrote {output:?} {errors}"))
}

/// In a child process: writes the bytes of each job, and exits. Otherwise does nothing.
pub fn run_if_child() {
    let Ok(arguments) = env::var(CHILD) else { return };
    let (contender, jobs) = arguments.split_once(' ').expect("two words");
    let jobs = jobs.parse().expect("a number");
    match contender {
        "selvedge" => hold(selvedge::ThreadPool::of(0), jobs),
        "ticketed" => hold(Ticketed(selvedge::ThreadPool::of(0)), jobs),
        "crossbeam" => hold(crossbeam_channel::unbounded::<Job>(), jobs),
        "rayon" => hold(rayon::ThreadPool::of(1), jobs),
        "threadpool" => hold(threadpool::ThreadPool::of(1), jobs),
        "rusty_pool" => hold(rusty_pool::ThreadPool::of(1), jobs),
        "tokio" => hold(tokio::runtime::Runtime::of(1), jobs),
        other => panic!("there is no contender {other}"),
    }
}

/// A queue without workers.
impl Sink for (crossbeam_channel::Sender<Job>, crossbeam_channel::Receiver<Job>) {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.0.put(job);
    }
}

struct Ticketed(selvedge::ThreadPool);

impl Sink for Ticketed {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        drop(self.0.call_in_thread_ticketed(job).expect("the pool is not stopped"));
    }
}

fn hold(sink: impl Sink, jobs: u64) -> ! {
    // Occupies the only thread, if there is one.
    sink.put(|| {
        loop {
            std::thread::park();
        }
    });
    let put = |number: u64| sink.put(move || _ = std::hint::black_box(number));
    (0..1000).for_each(put);
    let before = resident();
    (0..jobs).for_each(put);
    println!("{:.1}", (resident() - before) / jobs as f64);
    // Without dropping the pool, which would wait for the queued jobs.
    std::process::exit(0)
}

fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.expect("the system reports resident memory") * 1024.0
}
