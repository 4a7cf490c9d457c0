//! A thread that cannot be started while another lives. Alone in its program, because it takes the address space from all of it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use selvedge::{Incident, ThreadPool};
use support::{Gate, Log, ends, until};

/// Larger than anything else that this program may still want.
const STACK: usize = 1 << 32;

/// The address space that this process has now, in bytes.
fn address_space() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kilobytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or_else(|| panic!("no size in\n{status}")) * 1024
}

// Checks: B41, B8, R3
#[test]
fn a_job_stays_queued_while_a_worker_lives_if_no_other_can_be_started() {
    ends(|| {
        let reports = Log::new();
        let pool = ThreadPool::builder().size(0, 3).stack_size(STACK).on_report(reports.sink()).build().unwrap();
        pool.start().unwrap();
        let (gate, running, log) = (Gate::new(), Gate::new(), Log::new());
        let (closed, runs) = (gate.clone(), running.clone());
        let job = move || {
            runs.open();
            closed.pass();
        };
        pool.call_in_thread(job).unwrap();
        running.pass();
        let before = getrlimit(Resource::As);
        setrlimit(Resource::As, Rlimit { current: Some(address_space() + STACK as u64 / 2), ..before }).unwrap();
        for number in 0..3 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        let stats = pool.stats();
        assert_eq!((stats.live, stats.busy, stats.queued), (1, 1, 3), "counts roll back");
        assert_eq!(reports, [Incident::ThreadStart; 3], "each submission tries again");
        gate.open();
        until(|| log.len() == 3);
        assert_eq!(log, [0, 1, 2]);
        setrlimit(Resource::As, before).unwrap();
        pool.stop().unwrap();
    });
}
