//! How long to wait before a connection is tried again: longer and longer, up to a limit, and not all at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Between half of a doubled wait and all of it; `chance` is anything that differs between workers, so that they do
    /// not all come back in the same moment. `None` if nothing has failed.
    pub fn wait(&self, chance: u32) -> Option<Duration> {
        let doublings = self.failures.checked_sub(1)?;
        let longest = FIRST.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(LONGEST);
        Some(longest / 2 + longest.mul_f64(f64::from(chance) / f64::from(u32::MAX)) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_doubled_up_to_a_limit_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.wait(0), None);
        for longest in [50, 100, 200, 400, 800, 1600, 2000, 2000] {
            backoff.failed();
            assert_eq!(backoff.wait(u32::MAX), Some(Duration::from_millis(longest)));
            assert_eq!(backoff.wait(0), Some(Duration::from_millis(longest / 2)));
        }
        (0..100).for_each(|_| backoff.failed());
        assert_eq!(backoff.wait(u32::MAX), Some(LONGEST));
        backoff.succeeded();
        assert_eq!(backoff.wait(0), None);
    }
}
