//! What a queued job costs in memory, as the operating system counts it, in a process of its own for each contender: an allocator that has been used keeps
//! what it had.

use std::env;
use std::fs;
use std::process::Command;

use crate::measure::{Comparison, Contender, Setting, Unit};
use crate::payload::{Job, Sink};
use crate::pools::Pool;

/// Set for the child, to what it is to hold so many of.
const HOLD: &str = "SELVEDGE_BENCHES_HOLD";

pub fn comparisons() -> Vec<Comparison> {
    let contenders = const {
        &[
            Contender::whole("selvedge", |_: Setting, jobs| ask("selvedge", jobs)),
            Contender::whole("with a ticket", |_: Setting, jobs| ask("ticketed", jobs)),
            Contender::whole("crossbeam pool", |_: Setting, jobs| ask("crossbeam", jobs)),
            Contender::whole("rayon", |_: Setting, jobs| ask("rayon", jobs)),
            Contender::whole("threadpool", |_: Setting, jobs| ask("threadpool", jobs)),
            Contender::whole("rusty_pool", |_: Setting, jobs| ask("rusty_pool", jobs)),
            Contender::whole("tokio", |_: Setting, jobs| ask("tokio", jobs)),
        ]
    };
    vec![Comparison {
        unit: Unit::Bytes,
        ..Comparison::new("A queued job that captures one word", 500_000, contenders)
    }]
}

fn ask(whom: &str, jobs: u64) -> f64 {
    let program = env::current_exe().expect("this program is somewhere");
    let child = Command::new(program).env(HOLD, format!("{whom} {jobs}")).output().expect("it can be run again");
    let said = String::from_utf8_lossy(&child.stdout);
    said.trim().parse().unwrap_or_else(|_| panic!("{whom} said {said:?} {}", String::from_utf8_lossy(&child.stderr)))
}

/// In the child: says how many bytes each job took, and ends the process. Elsewhere, nothing.
pub fn answer() {
    let Ok(held) = env::var(HOLD) else { return };
    let (whom, jobs) = held.split_once(' ').expect("two words");
    let jobs = jobs.parse().expect("a number");
    match whom {
        "selvedge" => hold(selvedge::ThreadPool::of(0), jobs),
        "ticketed" => hold(Ticketed(selvedge::ThreadPool::of(0)), jobs),
        "crossbeam" => hold(crossbeam_channel::unbounded::<Job>(), jobs),
        "rayon" => hold(rayon::ThreadPool::of(1), jobs),
        "threadpool" => hold(threadpool::ThreadPool::of(1), jobs),
        "rusty_pool" => hold(rusty_pool::ThreadPool::of(1), jobs),
        "tokio" => hold(tokio::runtime::Runtime::of(1), jobs),
        other => panic!("nobody knows {other}"),
    }
}

/// Nobody receives.
impl Sink for (crossbeam_channel::Sender<Job>, crossbeam_channel::Receiver<Job>) {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        self.0.put(job);
    }
}

struct Ticketed(selvedge::ThreadPool);

impl Sink for Ticketed {
    fn put(&self, job: impl FnOnce() + Send + 'static) {
        drop(self.0.call_in_thread_ticketed(|_| job()).expect("it is running"));
    }
}

fn hold(sink: impl Sink, jobs: u64) -> ! {
    // There is one thread at most, and it is held up.
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
    // Without a word to the jobs that wait, and without waiting for them.
    std::process::exit(0)
}

fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.expect("the system says how much is resident") * 1024.0
}
