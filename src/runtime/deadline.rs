//! How long a thread waits: what to do when a queue is full, and deadlines that pass by the clock or on a test's
//! command.

use std::time::Duration;

use super::sync::Instant;

/// What a caller does that finds a bounded queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Return at once, with what did not fit.
    Return,
    /// Wait for a free slot, for this long at most; without a limit if `None`.
    Wait(Option<Duration>),
}

impl WhenFull {
    /// The end of the wait, if there is one. `now` is the tick of the lock that the caller waits with.
    #[inline]
    pub(crate) fn deadline(self, now: Tick) -> Option<Deadline> {
        match self {
            Self::Return => None,
            Self::Wait(timeout) => Some(Deadline::new(timeout, now)),
        }
    }
}

/// Counts how often a test has let all current deadlines pass. Guarded by the lock that the waiting threads wait with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tick(u64);

impl Tick {
    pub(crate) fn advance(&mut self) {
        self.0 += 1;
    }
}

/// The end of a wait, which may be never. It counts from the start of the wait, so a spurious wake does not prolong it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    start: Instant,
    timeout: Option<Duration>,
    tick: Tick,
}

impl Deadline {
    pub(crate) fn new(timeout: Option<Duration>, now: Tick) -> Self {
        Self { start: Instant::now(), timeout, tick: now }
    }

    pub(crate) fn has_passed(&self, now: Tick) -> bool {
        self.timeout.is_some() && (now != self.tick || self.remaining() == Some(Duration::ZERO))
    }

    /// How much longer to wait; `None` for ever.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.timeout.map(|timeout| timeout.saturating_sub(self.start.elapsed()))
    }
}
