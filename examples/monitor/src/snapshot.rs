//! What a view shows at one time.

use std::time::Duration;

use selvedge::pool::{Histogram, PoolStats};

/// What a view shows at one time. Lists of samples have the newest last.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// How long a posted call took to run.
    pub lag: Vec<Duration>,
    /// Turns of the loop in a second.
    pub turns: Vec<u64>,
    pub threads: Threads,
    /// How long turns took.
    pub turn: Histogram,
    /// How long jobs waited.
    pub wait: Histogram,
    /// How long they ran.
    pub run: Histogram,
    /// The slowest first.
    pub slowest: Vec<SlowJob>,
}

/// Threads and jobs of the pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Threads {
    pub min: usize,
    pub max: usize,
    pub live: usize,
    pub busy: usize,
    pub idle: usize,
    pub blocked: usize,
    pub queued: usize,
    pub completed: u64,
    pub panicked: u64,
    pub cancelled: u64,
}

impl From<&PoolStats> for Threads {
    fn from(stats: &PoolStats) -> Self {
        let PoolStats { min, max, live, busy, idle, blocked, queued, completed, panicked, cancelled, .. } = *stats;
        Self { min, max, live, busy, idle, blocked, queued, completed, panicked, cancelled }
    }
}

/// All jobs of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowJob {
    /// Or the place in the program, of jobs without one.
    pub name: String,
    pub count: u64,
    /// Of one that still runs too.
    pub longest: Duration,
    pub total: Duration,
    /// How many run now.
    pub running: usize,
}

impl SlowJob {
    pub fn mean(&self) -> Duration {
        self.total.checked_div(u32::try_from(self.count).unwrap_or(u32::MAX)).unwrap_or_default()
    }
}
