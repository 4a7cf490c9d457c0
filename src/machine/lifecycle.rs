//! The state machine of a reactor's lifecycle.
//!
//! ```text
//!   New ─begin_turn─▶ Starting ─started─▶ Running ─end_turn─▶ Stopping ─shutdown_done─▶ Finishing ─┐
//!                        └───────────────end_turn─────────────────▲                              end_turn
//!                                                                          Ended ◀─end─ Closed ◀───┘
//! ```
//!
//! `end_turn` begins shutdown only if a stop was requested. A reactor that is dropped goes to `Ended` from any state.

/// How far the reactor is. It only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum LifecycleState {
    /// No turn has begun. Posted calls wait.
    New,
    /// The startup event fires. It may wait for Deferreds of *before* triggers; turns go on meanwhile.
    Starting,
    /// Startup has reached its *during* phase, and shutdown has not begun.
    Running,
    /// The shutdown event fires. Turns go on, so that whatever the triggers wait for can happen.
    Stopping,
    /// The shutdown event is over. The next turn runs the calls that were accepted, and is the last.
    Finishing,
    /// The inbox is closed, and the calls that it had accepted run. Nothing new is begun.
    Closed,
    /// Nothing runs any more.
    Ended,
}

/// Why a stop is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StopRefused {
    NotRunning,
    AlreadyStopping,
}

/// What is owed at the end of a turn.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EndOfTurn {
    /// Nothing: more turns follow.
    Continue,
    FireShutdown,
    /// Close the inbox, run the calls that it had accepted, then fail and drop all that is left.
    Finish,
}

/// A reactor's lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lifecycle {
    state: LifecycleState,
    stop_requested: bool,
    /// Set from *during startup* to *during shutdown*, so only in `Running` and `Stopping`.
    running: bool,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        Self { state: LifecycleState::New, stop_requested: false, running: false }
    }

    /// A turn begins. Returns true for the first: the startup event is to be fired.
    #[must_use]
    pub(crate) fn begin_turn(&mut self) -> bool {
        let first = self.state == LifecycleState::New;
        if first {
            self.state = LifecycleState::Starting;
        }
        first
    }

    /// Whether triggers of startup still run: not once shutdown has begun.
    pub(crate) fn startup_goes_on(self) -> bool {
        matches!(self.state, LifecycleState::Starting | LifecycleState::Running)
    }

    /// Startup has reached its *during* phase.
    pub(crate) fn started(&mut self) {
        if self.state == LifecycleState::Starting {
            self.state = LifecycleState::Running;
            self.running = true;
        }
    }

    /// A stop is requested, on the reactor's thread. Shutdown begins at the end of the turn.
    pub(crate) fn request_stop(&mut self) -> Result<(), StopRefused> {
        match self.state {
            LifecycleState::New | LifecycleState::Ended => Err(StopRefused::NotRunning),
            LifecycleState::Starting | LifecycleState::Running if !self.stop_requested => {
                self.stop_requested = true;
                Ok(())
            }
            LifecycleState::Starting
            | LifecycleState::Running
            | LifecycleState::Stopping
            | LifecycleState::Finishing
            | LifecycleState::Closed => Err(StopRefused::AlreadyStopping),
        }
    }

    /// A turn has run its calls and timers.
    pub(crate) fn end_turn(&mut self) -> EndOfTurn {
        match self.state {
            LifecycleState::Starting | LifecycleState::Running if self.stop_requested => {
                self.state = LifecycleState::Stopping;
                EndOfTurn::FireShutdown
            }
            LifecycleState::Finishing => {
                self.state = LifecycleState::Closed;
                EndOfTurn::Finish
            }
            LifecycleState::New
            | LifecycleState::Starting
            | LifecycleState::Running
            | LifecycleState::Stopping
            | LifecycleState::Closed
            | LifecycleState::Ended => EndOfTurn::Continue,
        }
    }

    /// Whether another turn has something to do in any case: to start, to begin shutdown, or to end.
    pub(crate) fn owes_turn(mut self) -> bool {
        self.state == LifecycleState::New || self.end_turn() != EndOfTurn::Continue
    }

    /// Shutdown has reached its *during* phase.
    pub(crate) fn no_longer_running(&mut self) {
        self.running = false;
    }

    /// The shutdown event is over.
    pub(crate) fn shutdown_done(&mut self) {
        if self.state == LifecycleState::Stopping {
            self.state = LifecycleState::Finishing;
        }
    }

    /// Nothing runs any more: the last turn is over, or the reactor is dropped.
    pub(crate) fn end(&mut self) {
        self.state = LifecycleState::Ended;
        self.running = false;
    }

    pub(crate) fn is_running(self) -> bool {
        self.running
    }

    /// Whether nothing new is begun any more.
    pub(crate) fn is_closed(self) -> bool {
        self.state >= LifecycleState::Closed
    }

    pub(crate) fn state(self) -> LifecycleState {
        self.state
    }
}
