//! A deadline that can be let pass: by the clock, or by a test.

use std::time::Duration;

use super::super::sync::Instant;

/// How often all deadlines of a pool were let pass. Guarded by the crew's lock, as those who wait are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tick(u64);

impl Tick {
    pub(super) fn advance(&mut self) {
        self.0 += 1;
    }
}

/// When somebody's patience ends. One without a limit never does.
///
/// It starts when the wait does and not anew with each wake: a spurious one does not prolong it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    since: Instant,
    after: Option<Duration>,
    tick: Tick,
}

impl Deadline {
    pub(super) fn new(after: Option<Duration>, tick: Tick) -> Self {
        Self { since: Instant::now(), after, tick }
    }

    pub(super) fn has_passed(&self, now: Tick) -> bool {
        self.after.is_some() && (now != self.tick || self.left() == Some(Duration::ZERO))
    }

    /// How long to wait at most.
    pub(super) fn left(&self) -> Option<Duration> {
        self.after.map(|after| after.saturating_sub(self.since.elapsed()))
    }
}
