//! How long a job waits for a worker while others block, in a pool for blocking work.
//!
//! Every millisecond six jobs are submitted, each of which blocks for one millisecond, to ten workers. There is always
//! an idle worker, so that a job waits for the pool only.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Comparison, Contender, Setting, Unit};
use crate::payload::put_and_wait;
use crate::pools::{self, Pool, contenders};

const WORKERS: usize = 10;
const JOBS_AT_ONCE: usize = 6;
const BLOCKING_TIME: Duration = Duration::from_millis(1);

pub fn comparisons() -> Vec<Comparison> {
    let comparison = |title: &str, contenders| Comparison {
        unit: Unit::Nanoseconds,
        setting: Setting { threads: WORKERS, ..Setting::default() },
        ..Comparison::new(format!("Wait, jobs block 1 ms: {title}"), 300, contenders)
    };
    vec![
        comparison("half of them", contenders!(value, half)),
        comparison("99 of 100", contenders!(value, most)),
        comparison("the longest", contenders!(value, longest)),
    ]
}

fn half<P: Pool>(setting: Setting, jobs: u64) -> f64 {
    quantile::<P>(setting, jobs, 0.5)
}

fn most<P: Pool>(setting: Setting, jobs: u64) -> f64 {
    quantile::<P>(setting, jobs, 0.99)
}

fn longest<P: Pool>(setting: Setting, jobs: u64) -> f64 {
    quantile::<P>(setting, jobs, 1.0)
}

fn quantile<P: Pool>(setting: Setting, jobs: u64, quantile: f64) -> f64 {
    let pool = P::of(setting.threads);
    put_and_wait(1, 1000, &pool);
    let waits = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..jobs.div_ceil(JOBS_AT_ONCE as u64) {
        for _ in 0..JOBS_AT_ONCE {
            let (waits, submitted) = (Arc::clone(&waits), Instant::now());
            pool.put(move || {
                let waited = submitted.elapsed();
                thread::sleep(BLOCKING_TIME);
                waits.lock().expect("nothing panics under this lock").push(waited);
            });
        }
        thread::sleep(BLOCKING_TIME);
    }
    // Waits for jobs that still run: not every pool does at its end.
    put_and_wait(1, setting.threads as u64 * 10, &pool);
    thread::sleep(5 * BLOCKING_TIME);
    pool.end();
    let mut waits = waits.lock().expect("nothing panics under this lock");
    waits.sort();
    let at = (waits.len() - 1) as f64 * quantile;
    waits[at.round() as usize].as_secs_f64() * 1e9
}
