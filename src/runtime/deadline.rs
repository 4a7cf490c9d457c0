//! How long a thread waits: whether it waits at all for a full queue, and when its deadline passes: by the clock, or
//! because a test says so.

use std::time::Duration;

use super::sync::Instant;

/// A timeout that no clock reaches: it ends only when a test lets all deadlines pass. A wait of `Duration::MAX` would
/// have no deadline, so that a test could not end it.
pub(crate) const BY_EPOCH_ONLY: Duration = Duration::from_secs(u64::MAX);

/// What becomes of a job or a call that finds a bounded queue full: see [`Job::when_full`](crate::Job::when_full).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WhenFull {
    /// Hand back at once what does not fit.
    #[default]
    Return,
    /// Wait for a free slot.
    Wait,
    /// Wait for a free slot, for this long at most. `Duration::MAX` is no limit.
    WaitUpTo(Duration),
}

impl WhenFull {
    /// Waits at most for `timeout`; without a limit if that is `None`.
    pub(crate) fn wait_at_most(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self::Wait, Self::WaitUpTo)
    }

    /// The end of the wait, if there is one. `now` is the present epoch of the lock that the caller waits with.
    #[inline]
    pub(crate) fn deadline(self, now: Epoch) -> Option<Deadline> {
        match self {
            Self::Return => None,
            Self::Wait => Some(Deadline::new(None, now)),
            Self::WaitUpTo(timeout) => Some(Deadline::new(Some(timeout), now)),
        }
    }
}

/// Counts how often a test has let all deadlines pass that existed: a deadline of an earlier epoch has passed. Guarded
/// by the lock that the waiting threads wait with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch(u64);

impl Epoch {
    pub(crate) fn advance(&mut self) {
        self.0 += 1;
    }
}

/// The end of a wait, which is never without a timeout or with one of `Duration::MAX`. It counts from the start of the
/// wait, so a spurious wake does not prolong it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    start: Instant,
    timeout: Option<Duration>,
    epoch: Epoch,
}

impl Deadline {
    pub(crate) fn new(timeout: Option<Duration>, now: Epoch) -> Self {
        let timeout = timeout.filter(|&timeout| timeout < Duration::MAX);
        Self { start: Instant::now(), timeout, epoch: now }
    }

    pub(crate) fn has_passed(&self, now: Epoch) -> bool {
        self.timeout.is_some() && (now != self.epoch || self.remaining() == Some(Duration::ZERO))
    }

    /// How much longer to wait; `None` for ever.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.timeout.map(|timeout| timeout.saturating_sub(self.start.elapsed()))
    }
}
