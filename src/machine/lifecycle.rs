//! The machine of a reactor's life: from made to ended, once.
//!
//! ```text
//!   Fresh ─begin─▶ Starting ─started─▶ Running ─turn_over(asked)─▶ Stopping ─wound_up─▶ WoundUp ─end─▶ Ended
//!                      └──────────────turn_over(asked)────────────────▲
//! ```

/// How far the reactor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Made, not yet run: calls wait.
    Fresh,
    /// The startup event fires; it may wait for Deferreds of *before* triggers, and the loop turns meanwhile.
    Starting,
    /// Startup has reached its *during* phase, and shutdown has not begun.
    Running,
    /// The shutdown event fires; the loop turns on, so that all that winds down can still be served.
    Stopping,
    /// The shutdown event is over: what was accepted is run, and no more is taken.
    WoundUp,
    /// Nothing runs any more.
    Ended,
}

/// Why `stop` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StopRefused {
    NotRunning,
    AlreadyStopping,
}

/// What is owed at the end of a turn.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TurnOver {
    /// Another turn, sooner or later.
    GoOn,
    /// Fire the shutdown event.
    Shutdown,
    /// Run what was accepted, then fail and drop what is left.
    End,
}

/// A reactor's stage, whether a stop was asked for, and whether it counts as running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lifecycle {
    stage: Stage,
    stop_asked: bool,
    /// True from *during startup* to *during shutdown*.
    running: bool,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        Self { stage: Stage::Fresh, stop_asked: false, running: false }
    }

    /// A turn begins. True for the first: fire the startup event.
    #[must_use]
    pub(crate) fn begin(&mut self) -> bool {
        let first = self.stage == Stage::Fresh;
        if first {
            self.stage = Stage::Starting;
        }
        first
    }

    /// Startup reached its *during* phase. If shutdown came first, it stays the truth.
    pub(crate) fn started(&mut self) {
        if self.stage == Stage::Starting {
            self.stage = Stage::Running;
            self.running = true;
        }
    }

    /// Somebody on the reactor's thread asks for the end. It comes when the turn is over.
    pub(crate) fn ask_stop(&mut self) -> Result<(), StopRefused> {
        match self.stage {
            Stage::Fresh | Stage::Ended => Err(StopRefused::NotRunning),
            Stage::Starting | Stage::Running if !self.stop_asked => {
                self.stop_asked = true;
                Ok(())
            }
            Stage::Starting | Stage::Running | Stage::Stopping | Stage::WoundUp => Err(StopRefused::AlreadyStopping),
        }
    }

    /// A turn has run its calls and timers.
    pub(crate) fn turn_over(&mut self) -> TurnOver {
        match self.stage {
            Stage::Starting | Stage::Running if self.stop_asked => {
                self.stage = Stage::Stopping;
                TurnOver::Shutdown
            }
            Stage::WoundUp => TurnOver::End,
            Stage::Fresh | Stage::Starting | Stage::Running | Stage::Stopping | Stage::Ended => TurnOver::GoOn,
        }
    }

    /// Shutdown reached its *during* phase.
    pub(crate) fn no_longer_running(&mut self) {
        self.running = false;
    }

    /// The shutdown event is over.
    pub(crate) fn wound_up(&mut self) {
        if self.stage == Stage::Stopping {
            self.stage = Stage::WoundUp;
        }
    }

    /// Nothing runs any more: after the last turn, or because the reactor was dropped.
    pub(crate) fn end(&mut self) {
        self.stage = Stage::Ended;
        self.running = false;
    }

    pub(crate) fn is_running(self) -> bool {
        self.running
    }

    pub(crate) fn stage(self) -> Stage {
        self.stage
    }
}
