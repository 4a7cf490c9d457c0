//! The machine of a looping call: when it is called next, and who is told when it ends.
//!
//! ```text
//!            start later                    due
//!   Idle ─────────────────▶ Scheduled ──────────────▶ Busy ───stop──▶ Busy, stop asked
//!    ▲ ▲ ▲     start now        ▲ │                   │ │ ▲                 │
//!    │ │ └──────────────────────┼─┼───────────────────┼─┘ └── start now     │
//!    │ │   stop, cancel, lost   │ │   over            │ failed              │ over, failed
//!    │ └────────────────────────┼─┘◀──────────────────┘                     │
//!    └──────────────────────────┴───────────────────────────────────────────┘
//! ```
//!
//! Ticks lie at start + n·interval, whatever the calls take: those that pass during a call are skipped. Times are exact, so nothing drifts.

use std::time::Duration;

/// What a loop is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// It does not run.
    Idle,
    /// A timer is set for the next call.
    Scheduled,
    /// The function runs, or what it returned is waited for.
    Busy {
        /// It ends when that is over.
        stop: bool,
    },
}

/// A looping call's state and its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Looping {
    state: State,
    start: Duration,
    interval: Duration,
    /// The first call is at `start` and not one interval later.
    at_once: bool,
    /// So many ticks were counted.
    counted: u128,
}

/// What is to be done next.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Next {
    /// Call the function.
    Call,
    /// Set a timer for this time; where there is one, instead of it.
    Schedule(Duration),
    /// It has ended: there is no timer any more, and its Deferred is to be fired.
    End,
    /// It ends when the present call is over, or there is nothing to do.
    Nothing,
}

/// Why something cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Refused {
    /// It was started before, and has not ended.
    Running,
    /// It was not started, or was stopped.
    NotRunning,
}

impl Looping {
    pub(crate) const fn new() -> Self {
        let zero = Duration::ZERO;
        Self { state: State::Idle, start: zero, interval: zero, at_once: false, counted: 0 }
    }

    /// It is to run from `now` on, every `interval`: for the first time at once, or when the first has passed.
    pub(crate) fn start(&mut self, now: Duration, interval: Duration, at_once: bool) -> Result<Next, Refused> {
        if self.state != State::Idle {
            return Err(Refused::Running);
        }
        *self = Self { state: State::Busy { stop: false }, start: now, interval, at_once, counted: 0 };
        Ok(if at_once { Next::Call } else { self.schedule(now) })
    }

    /// Its timer runs.
    pub(crate) fn due(&mut self) -> Next {
        match self.state {
            State::Scheduled => {
                self.state = State::Busy { stop: false };
                Next::Call
            }
            State::Idle | State::Busy { .. } => Next::Nothing,
        }
    }

    /// How many ticks have come since the last that were counted, that of now included. Without an interval, each call is one.
    pub(crate) fn count(&mut self, now: Duration) -> u64 {
        let passed = match self.interval.as_nanos() {
            0 => self.counted + 1,
            interval => self.running_for(now).as_nanos() / interval + u128::from(self.at_once),
        };
        let count = passed.saturating_sub(self.counted);
        self.counted = self.counted.max(passed);
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// The call is over, and went well.
    pub(crate) fn over(&mut self, now: Duration) -> Next {
        match self.state {
            State::Busy { stop: false } => self.schedule(now),
            State::Busy { stop: true } => self.end(),
            State::Idle | State::Scheduled => Next::Nothing,
        }
    }

    /// The call has failed, or there can be no other any more.
    pub(crate) fn failed(&mut self) -> Next {
        self.end()
    }

    /// It is to end: now, or when the present call is over.
    pub(crate) fn stop(&mut self) -> Result<Next, Refused> {
        match self.state {
            State::Scheduled => Ok(self.end()),
            State::Busy { stop: false } => {
                self.state = State::Busy { stop: true };
                Ok(Next::Nothing)
            }
            State::Idle | State::Busy { stop: true } => Err(Refused::NotRunning),
        }
    }

    /// Its timer was dropped uncalled. Unless this loop did that itself, nobody will ever call it again.
    pub(crate) fn lost(&mut self) -> Next {
        match self.state {
            State::Scheduled => self.end(),
            State::Idle | State::Busy { .. } => Next::Nothing,
        }
    }

    /// Its time begins anew, now. In the middle of a call, nothing changes.
    pub(crate) fn reset(&mut self, now: Duration) -> Result<Next, Refused> {
        match self.state {
            State::Scheduled => {
                self.start = now;
                self.counted = u128::from(self.at_once);
                Ok(self.schedule(now))
            }
            State::Busy { stop: false } => Ok(Next::Nothing),
            State::Idle | State::Busy { stop: true } => Err(Refused::NotRunning),
        }
    }

    pub(crate) fn is_running(self) -> bool {
        matches!(self.state, State::Scheduled | State::Busy { stop: false })
    }

    fn end(&mut self) -> Next {
        if self.state == State::Idle {
            return Next::Nothing;
        }
        self.state = State::Idle;
        Next::End
    }

    /// The next tick after `now`.
    fn schedule(&mut self, now: Duration) -> Next {
        self.state = State::Scheduled;
        let into = match self.interval.as_nanos() {
            0 => return Next::Schedule(now),
            interval => from_nanos(self.running_for(now).as_nanos() % interval),
        };
        Next::Schedule(now.saturating_add(self.interval.saturating_sub(into)))
    }

    fn running_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.start)
    }

    #[cfg(test)]
    pub(crate) fn label(self) -> &'static str {
        match self.state {
            State::Idle => "Idle",
            State::Scheduled => "Scheduled",
            State::Busy { stop: false } => "Busy",
            State::Busy { stop: true } => "Busy, stop asked",
        }
    }
}

/// A remainder by a Duration is one.
fn from_nanos(nanos: u128) -> Duration {
    const SECOND: u128 = Duration::from_secs(1).as_nanos();
    let (seconds, rest) = (u64::try_from(nanos / SECOND), u32::try_from(nanos % SECOND));
    Duration::new(seconds.unwrap_or(u64::MAX), rest.unwrap_or_default())
}
