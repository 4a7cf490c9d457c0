//! How long a job waits for a worker while others block: what a pool for blocking work is there for.
//!
//! Every millisecond so many jobs come, each of which blocks for one millisecond, and there are more workers than such jobs at any time: whatever a job
//! waits is the pool's own doing.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Comparison, Contender, Setting, Unit};
use crate::payload::put_and_wait;
use crate::pools::{self, Pool, contenders};

const WORKERS: usize = 10;
const EACH_TIME: usize = 6;
const BLOCKS: Duration = Duration::from_millis(1);

pub fn comparisons() -> Vec<Comparison> {
    let comparison = |title: &str, contenders| Comparison {
        unit: Unit::Nanoseconds,
        setting: Setting { threads: WORKERS, ..Setting::default() },
        ..Comparison::new(format!("Wait, jobs block 1 ms: {title}"), 300, contenders)
    };
    vec![
        comparison("half of them", contenders!(whole, half)),
        comparison("99 of 100", contenders!(whole, most)),
        comparison("the longest", contenders!(whole, longest)),
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
    for _ in 0..jobs.div_ceil(EACH_TIME as u64) {
        for _ in 0..EACH_TIME {
            let (waits, submitted) = (Arc::clone(&waits), Instant::now());
            pool.put(move || {
                let waited = submitted.elapsed();
                thread::sleep(BLOCKS);
                waits.lock().expect("nothing panics under this lock").push(waited);
            });
        }
        thread::sleep(BLOCKS);
    }
    // Those that still run are waited for, whatever the end of a pool does.
    put_and_wait(1, setting.threads as u64 * 10, &pool);
    thread::sleep(5 * BLOCKS);
    pool.end();
    let mut waits = waits.lock().expect("nothing panics under this lock");
    waits.sort();
    let at = (waits.len() - 1) as f64 * quantile;
    waits[at.round() as usize].as_secs_f64() * 1e9
}
