//! A deadline that can be let pass: by the clock, or by a test.

use std::time::Duration;

use super::sync::Instant;

/// How often all deadlines of those who wait together were let pass. Guarded by the lock that they wait with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tick(u64);

impl Tick {
    pub(crate) fn advance(&mut self) {
        self.0 += 1;
    }
}

/// When somebody's patience ends. One without a limit never does.
///
/// It starts when the wait does and not anew with each wake: a spurious one does not prolong it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    since: Instant,
    after: Option<Duration>,
    tick: Tick,
}

impl Deadline {
    pub(crate) fn new(after: Option<Duration>, tick: Tick) -> Self {
        Self { since: Instant::now(), after, tick }
    }

    pub(crate) fn has_passed(&self, now: Tick) -> bool {
        self.after.is_some() && (now != self.tick || self.left() == Some(Duration::ZERO))
    }

    /// How long to wait at most.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.after.map(|after| after.saturating_sub(self.since.elapsed()))
    }
}
