//! A program with something to see: jobs that take different times, calls from another thread, and a loop that is
//! blocked now and then.
//!
//! ```text
//! cargo run --manifest-path examples/monitor/Cargo.toml
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use selvedge::{Job, Reactor};
use selvedge_monitor::Monitor;

/// Names of jobs, how long each takes, and how often there is one.
const JOBS: [(&str, Duration, Duration); 4] = [
    ("thumbnail", Duration::from_millis(4), Duration::from_millis(3)),
    ("lookup", Duration::from_millis(1), Duration::from_millis(2)),
    ("report", Duration::from_millis(300), Duration::from_millis(900)),
    ("backup", Duration::from_secs(3), Duration::from_secs(10)),
];
const BLOCKED_FOR: Duration = Duration::from_millis(80);

/// Submits such a job, and then again and again.
fn submit(reactor: &Reactor, at: usize) {
    let Some((name, takes, every)) = JOBS.get(at).copied() else { return };
    // An error means that the pool has stopped, and then nobody needs the job.
    let _ = reactor.call_in_thread(Job::new(move || thread::sleep(takes)).named(name));
    reactor.call_later(every, move |reactor| submit(reactor, at));
}

/// Blocks the loop now and then, which it should not.
fn block(reactor: &Reactor) {
    thread::sleep(BLOCKED_FOR);
    reactor.call_later(50 * BLOCKED_FOR, block);
}

fn main() -> Result<(), Box<dyn Error>> {
    let monitor = Monitor::new();
    let reactor = monitor.attach(Reactor::builder().pool_size(1, 4)).build()?;
    (0..JOBS.len()).for_each(|at| submit(&reactor, at));
    reactor.call_later(20 * BLOCKED_FOR, block);
    let view = monitor.show(reactor.handle())?;
    reactor.run();
    Ok(view.join()?)
}
