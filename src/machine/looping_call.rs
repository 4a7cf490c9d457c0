//! The state machine of a looping call: when the next call is made, and when the loop has ended.
//!
//! ```text
//!            start later                 timer fired
//!   Idle ─────────────────▶ Scheduled ──────────────▶ Busy ───stop──▶ Busy, stop requested
//!    ▲ ▲ ▲     start now        ▲ │                   │ │ ▲                 │
//!    │ │ └──────────────────────┼─┼───────────────────┼─┘ └── start now     │
//!    │ │   stop, reactor ended  │ │   call succeeded  │ call failed         │ call succeeded, call failed
//!    │ └────────────────────────┼─┘◀──────────────────┘                     │
//!    └──────────────────────────┴───────────────────────────────────────────┘
//! ```
//!
//! The end of the reactor ends the loop in every state: at once, or, while the function itself runs, when that returns.
//!
//! Ticks lie at start + n·interval, however long the calls take; those that pass during a call are skipped. Times are
//! computed from the start, so no error adds up.

use std::time::Duration;

/// What the loop is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// Not started, or ended.
    Idle,
    /// A timer is set for the next call.
    Scheduled,
    /// The function runs, or the Deferred that it returned has not fired.
    Busy {
        /// The loop ends when this call does.
        stop_requested: bool,
        call: CallState,
    },
}

/// What a call is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum CallState {
    /// The function runs.
    Running,
    /// The function runs, and the reactor has ended: the loop ends when the function returns.
    LastRunning,
    /// The Deferred that the function returned has not fired.
    Awaiting,
}

/// A looping call: its state and its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LoopingCall {
    state: State,
    start: Duration,
    interval: Duration,
    /// The first call is made at `start`, and not one interval later.
    at_once: bool,
    /// Ticks since `start` that are counted: [`count_ticks`](Self::count_ticks) has returned them, or a reset has begun
    /// a new schedule with them.
    counted: u128,
}

/// What the caller of a transition owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LoopAction {
    /// Call the function.
    Call,
    /// Set the timer to this time, or move the one that is set.
    SetTimer(Duration),
    /// The loop has ended: cancel the timer, and fire the Deferred.
    End,
    /// The reactor has ended, and the loop with it: cancel what the call waits for, and fail the Deferred.
    EndWithReactor,
    Nothing,
}

/// Why a transition was not made. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LoopRefused {
    /// It was started and has not ended.
    AlreadyRunning,
    /// It was not started, has ended, or is to end with the present call.
    NotRunning,
}

impl State {
    /// The function runs, and another call follows.
    const CALLING: Self = Self::Busy { stop_requested: false, call: CallState::Running };
}

impl LoopingCall {
    pub(crate) const fn new() -> Self {
        let zero = Duration::ZERO;
        Self { state: State::Idle, start: zero, interval: zero, at_once: false, counted: 0 }
    }

    /// Starts the loop at `now`: the first call is made at once, or after one interval.
    pub(crate) fn start(
        &mut self,
        now: Duration,
        interval: Duration,
        at_once: bool,
    ) -> Result<LoopAction, LoopRefused> {
        if self.state != State::Idle {
            return Err(LoopRefused::AlreadyRunning);
        }
        *self = Self { state: State::CALLING, start: now, interval, at_once, counted: 0 };
        Ok(if at_once { LoopAction::Call } else { self.schedule(now) })
    }

    pub(crate) fn timer_fired(&mut self) -> LoopAction {
        match self.state {
            State::Scheduled => {
                self.state = State::CALLING;
                LoopAction::Call
            }
            State::Idle | State::Busy { .. } => LoopAction::Nothing,
        }
    }

    /// Ticks since the last that was counted, that of `now` included; at most `u64::MAX`, and then the rest at the next
    /// call. With an interval of zero each call counts one.
    pub(crate) fn count_ticks(&mut self, now: Duration) -> u64 {
        let passed = match self.interval.as_nanos() {
            0 => self.counted + 1,
            interval => self.running_for(now).as_nanos() / interval + u128::from(self.at_once),
        };
        let count = u64::try_from(passed.saturating_sub(self.counted)).unwrap_or(u64::MAX);
        // What does not fit is left for the next call.
        self.counted += u128::from(count);
        count
    }

    /// The function has returned a Deferred that has not fired.
    pub(crate) fn call_waits(&mut self) -> LoopAction {
        match self.state {
            State::Busy { call: CallState::LastRunning, .. } => self.end_with_reactor(),
            State::Busy { stop_requested, .. } => {
                self.state = State::Busy { stop_requested, call: CallState::Awaiting };
                LoopAction::Nothing
            }
            State::Idle | State::Scheduled => LoopAction::Nothing,
        }
    }

    /// The call has succeeded, at `now`. Without a time, because the reactor has ended, no other can be made.
    pub(crate) fn call_succeeded(&mut self, now: Option<Duration>) -> LoopAction {
        match (self.state, now) {
            (State::Busy { stop_requested: true, .. }, _) => self.end(),
            (State::Busy { call: CallState::Running | CallState::Awaiting, .. }, Some(now)) => self.schedule(now),
            (State::Busy { .. }, _) => self.end_with_reactor(),
            (State::Idle | State::Scheduled, _) => LoopAction::Nothing,
        }
    }

    /// The call has failed, or could not be made.
    pub(crate) fn call_failed(&mut self) -> LoopAction {
        self.end()
    }

    /// Ends the loop, now or with the present call.
    pub(crate) fn stop(&mut self) -> Result<LoopAction, LoopRefused> {
        match self.state {
            State::Scheduled => Ok(self.end()),
            State::Busy { stop_requested: false, call } => {
                self.state = State::Busy { stop_requested: true, call };
                Ok(LoopAction::Nothing)
            }
            State::Idle | State::Busy { stop_requested: true, .. } => Err(LoopRefused::NotRunning),
        }
    }

    /// The reactor has ended: no call will be made any more.
    pub(crate) fn reactor_ended(&mut self) -> LoopAction {
        match self.state {
            State::Busy { stop_requested, call: CallState::Running | CallState::LastRunning } => {
                self.state = State::Busy { stop_requested, call: CallState::LastRunning };
                LoopAction::Nothing
            }
            State::Scheduled | State::Busy { call: CallState::Awaiting, .. } => self.end_with_reactor(),
            State::Idle => LoopAction::Nothing,
        }
    }

    /// Moves the start of the schedule to `now`. During a call nothing changes.
    pub(crate) fn reset(&mut self, now: Duration) -> Result<LoopAction, LoopRefused> {
        match self.state {
            State::Scheduled => {
                self.start = now;
                self.counted = u128::from(self.at_once);
                Ok(self.schedule(now))
            }
            State::Busy { stop_requested: false, .. } => Ok(LoopAction::Nothing),
            State::Idle | State::Busy { stop_requested: true, .. } => Err(LoopRefused::NotRunning),
        }
    }

    pub(crate) fn is_running(self) -> bool {
        matches!(self.state, State::Scheduled | State::Busy { stop_requested: false, .. })
    }

    fn end(&mut self) -> LoopAction {
        if self.state == State::Idle {
            return LoopAction::Nothing;
        }
        self.state = State::Idle;
        LoopAction::End
    }

    fn end_with_reactor(&mut self) -> LoopAction {
        self.state = State::Idle;
        LoopAction::EndWithReactor
    }

    /// Schedules the first tick after `now`.
    fn schedule(&mut self, now: Duration) -> LoopAction {
        self.state = State::Scheduled;
        let since_tick = match self.interval.as_nanos() {
            0 => return LoopAction::SetTimer(now),
            interval => from_nanos(self.running_for(now).as_nanos() % interval),
        };
        LoopAction::SetTimer(now.saturating_add(self.interval.saturating_sub(since_tick)))
    }

    fn running_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.start)
    }

    #[cfg(test)]
    pub(crate) fn label(self) -> &'static str {
        match self.state {
            State::Idle => "Idle",
            State::Scheduled => "Scheduled",
            State::Busy { stop_requested: false, call: CallState::Running } => "Calling",
            State::Busy { stop_requested: false, call: CallState::Awaiting } => "Awaiting",
            State::Busy { stop_requested: false, call: CallState::LastRunning } => "Calling, reactor ended",
            State::Busy { stop_requested: true, call: CallState::Running } => "Calling, stop requested",
            State::Busy { stop_requested: true, call: CallState::Awaiting } => "Awaiting, stop requested",
            State::Busy { stop_requested: true, call: CallState::LastRunning } => {
                "Calling, stop requested, reactor ended"
            }
        }
    }
}

/// `Duration::from_nanos` takes a `u64`. The remainder by a Duration's nanoseconds always fits a Duration.
fn from_nanos(nanos: u128) -> Duration {
    const SECOND: u128 = Duration::from_secs(1).as_nanos();
    let (seconds, rest) = (u64::try_from(nanos / SECOND), u32::try_from(nanos % SECOND));
    Duration::new(seconds.unwrap_or(u64::MAX), rest.unwrap_or_default())
}
