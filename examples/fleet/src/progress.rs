//! What the modules of hash_tree tell while they walk and read. Here the job's token interrupts them, and a worker can
//! be held back to a rate.

use std::num::NonZeroU64;
use std::thread;
use std::time::Duration;

use selvedge::pool::CancelToken;

/// The longest sleep between two looks at the token.
const NAP: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Bytes in a second, for each thread.
    pub rate: Option<NonZeroU64>,
}

impl Progress {
    pub fn found(&self, _bytes: u64) {}

    pub fn found_all(&self) {}

    /// A chunk of a file went through the hash: sleeps for as long as it should have taken.
    pub fn hashed_bytes(&self, count: usize) {
        let Some(rate) = self.rate else { return };
        let mut rest = Duration::from_secs_f64(count as f64 / rate.get() as f64);
        while !rest.is_zero() && !self.is_interrupted() {
            thread::sleep(rest.min(NAP));
            rest = rest.saturating_sub(NAP);
        }
    }

    /// Whether the job is to end before it is done.
    pub fn is_interrupted(&self) -> bool {
        CancelToken::current().is_some_and(|token| token.is_cancelled())
    }
}
