//! Pool dispatch: submitters hand short jobs to workers, in a stream and in bursts to sleeping workers, and wait until
//! the last job has run.
//!
//! Each pool is started and warmed up before the measurement, which includes no thread start.

use std::thread;
use std::time::Duration;

use crate::measure::{Comparison, Contender, Setting};
use crate::payload::put_and_wait;
use crate::pools::{self, Pool, contenders};

pub fn dispatch() -> Vec<Comparison> {
    let submitters = [1, 4, 16].into_iter();
    submitters.flat_map(|submitters| [2, 4, 10, 64].map(|workers| comparison(submitters, workers))).collect()
}

pub fn comparison(submitters: usize, workers: usize) -> Comparison {
    let title = match submitters {
        1 => format!("Dispatch: {workers} workers"),
        _ => format!("Dispatch: {submitters} submitters, {workers} workers"),
    };
    Comparison { setting: setting(submitters, workers), ..Comparison::new(title, 100_000, contenders!(new, stream)) }
}

pub fn bursts() -> Vec<Comparison> {
    let burst = |workers| Comparison {
        setting: setting(1, workers),
        ..Comparison::new(format!("Burst of {BURST} to {workers} sleepers"), 30 * BURST, contenders!(new, burst))
    };
    [4, 10].map(burst).into()
}

fn setting(submitters: usize, threads: usize) -> Setting {
    Setting { threads, submitters, ..Setting::default() }
}

fn stream<P: Pool>(setting: Setting, operations: u64) -> Duration {
    let pool = P::of(setting.threads);
    put_and_wait(1, operations / 10 + 1, &pool);
    let elapsed = put_and_wait(setting.submitters, operations, &pool);
    pool.end();
    elapsed
}

const BURST: u64 = 100;

/// Pause between bursts: every worker sleeps by then, and so does its core.
const PAUSE: Duration = Duration::from_millis(2);

fn burst<P: Pool>(setting: Setting, operations: u64) -> Duration {
    let pool = P::of(setting.threads);
    put_and_wait(1, 1000, &pool);
    let elapsed = (0..operations.div_ceil(BURST)).map(|_| {
        thread::sleep(PAUSE);
        put_and_wait(setting.submitters, BURST, &pool)
    });
    let elapsed = elapsed.sum();
    pool.end();
    elapsed
}
