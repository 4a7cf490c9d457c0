//! The machines of a cooperator: what each task is doing, and whether a tick is to come.
//!
//! ```text
//!              begin             more
//!   Ready ─────────────▶ Stepping ───▶ Ready            pause:  Ready ▶ Paused, out of the line
//!     ▲                   │     │                       resume: the last ▶ Ready, back into it
//!     │  woken            │ wait│ done, failed          In Stepping and Waiting pauses are counted, and show when that is over.
//!     └───────── Waiting ◀┘     ▼                       stop:   anywhere ▶ Over
//!                    └───────▶ Over
//! ```

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    Done,
    Stopped,
    Failed,
    SchedulerStopped,
    ReactorStopped,
}

/// What a task is doing. Pauses are a program's own and are counted apart from its waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// It stands in the line of those that are to be stepped.
    Ready,
    /// Its iterator runs.
    Stepping { pauses: usize },
    /// Its iterator has yielded a Deferred that has no result yet.
    Waiting { pauses: usize },
    /// It is paused, and there is nothing else that it waits for. At least one pause.
    Paused { pauses: usize },
    /// It has ended. Nothing of its iterator is left.
    Over { end: End, pauses: usize },
}

/// What is to be done with the task.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Do {
    Nothing,
    /// Put it at the end of the line.
    Join,
    /// Take it out of the line.
    Leave,
    /// Take it out of the line, then tell those who wait for its end.
    LeaveAndTell,
    /// Tell those who wait for its end.
    Tell,
    /// Cancel what it waits for, then tell.
    CancelAndTell,
    /// Cancel what it has just begun to wait for: it has ended meanwhile.
    Cancel,
}

/// What came of one step of an iterator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stepped {
    More,
    Waits,
    Done,
    Failed,
}

/// There is no pause that could end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Unpaused;

impl Task {
    /// The cooperator has taken it out of the line, and steps it.
    pub(crate) fn begin(&mut self) {
        debug_assert_eq!(*self, Self::Ready, "who stands in the line is ready");
        *self = Self::Stepping { pauses: 0 };
    }

    /// The step is over.
    pub(crate) fn stepped(&mut self, stepped: Stepped) -> Do {
        let Self::Stepping { pauses } = *self else {
            // It was ended in its own step.
            return if stepped == Stepped::Waits { Do::Cancel } else { Do::Nothing };
        };
        match stepped {
            Stepped::More => self.go_on(pauses),
            Stepped::Waits => {
                *self = Self::Waiting { pauses };
                Do::Nothing
            }
            Stepped::Done => self.over(End::Done, pauses, Do::Tell),
            Stepped::Failed => self.over(End::Failed, pauses, Do::Tell),
        }
    }

    /// What it waited for has come, or failed.
    pub(crate) fn woken(&mut self, failed: bool) -> Do {
        match *self {
            Self::Waiting { pauses } if failed => self.over(End::Failed, pauses, Do::Tell),
            Self::Waiting { pauses } => self.go_on(pauses),
            Self::Ready | Self::Stepping { .. } | Self::Paused { .. } | Self::Over { .. } => Do::Nothing,
        }
    }

    /// No step until [`resume`](Self::resume).
    pub(crate) fn pause(&mut self) -> Result<Do, End> {
        match self {
            Self::Ready => {
                *self = Self::Paused { pauses: 1 };
                return Ok(Do::Leave);
            }
            Self::Stepping { pauses } | Self::Waiting { pauses } | Self::Paused { pauses } => *pauses += 1,
            Self::Over { end, .. } => return Err(*end),
        }
        Ok(Do::Nothing)
    }

    /// One pause is over.
    pub(crate) fn resume(&mut self) -> Result<Do, Unpaused> {
        match self {
            Self::Paused { pauses: 1 } => {
                *self = Self::Ready;
                return Ok(Do::Join);
            }
            Self::Ready => return Err(Unpaused),
            Self::Stepping { pauses }
            | Self::Waiting { pauses }
            | Self::Paused { pauses }
            | Self::Over { pauses, .. } => {
                *pauses = pauses.checked_sub(1).ok_or(Unpaused)?;
            }
        }
        Ok(Do::Nothing)
    }

    /// It is to end here, as `end` says.
    pub(crate) fn stop(&mut self, end: End) -> Result<Do, End> {
        match *self {
            Self::Ready => Ok(self.over(end, 0, Do::LeaveAndTell)),
            Self::Stepping { pauses } | Self::Paused { pauses } => Ok(self.over(end, pauses, Do::Tell)),
            Self::Waiting { pauses } => Ok(self.over(end, pauses, Do::CancelAndTell)),
            Self::Over { end, .. } => Err(end),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn end(self) -> Option<End> {
        match self {
            Self::Over { end, .. } => Some(end),
            Self::Ready | Self::Stepping { .. } | Self::Waiting { .. } | Self::Paused { .. } => None,
        }
    }

    fn go_on(&mut self, pauses: usize) -> Do {
        if pauses == 0 {
            *self = Self::Ready;
            Do::Join
        } else {
            *self = Self::Paused { pauses };
            Do::Nothing
        }
    }

    fn over(&mut self, end: End, pauses: usize, what: Do) -> Do {
        *self = Self::Over { end, pauses };
        what
    }
}

/// Whether a cooperator runs, and where its next tick is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Crew {
    running: bool,
    stopped: bool,
    tick: Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tick {
    /// None is to come.
    None,
    /// A timer is set.
    Scheduled,
    /// It goes on now.
    Now,
}

impl Crew {
    pub(crate) const fn new(running: bool) -> Self {
        Self { running, stopped: false, tick: Tick::None }
    }

    /// There is a task in the line. True: set a timer for the next tick.
    #[must_use]
    pub(crate) fn joined(&mut self) -> bool {
        self.schedule(true)
    }

    /// It is to run. True: set a timer.
    #[must_use]
    pub(crate) fn start(&mut self, any: bool) -> bool {
        (self.running, self.stopped) = (true, false);
        self.schedule(any)
    }

    /// It is to run no more. True: cancel the timer.
    #[must_use]
    pub(crate) fn stop(&mut self) -> bool {
        (self.running, self.stopped) = (false, true);
        self.emptied()
    }

    /// The last has left the line. True: cancel the timer.
    #[must_use]
    pub(crate) fn emptied(&mut self) -> bool {
        let scheduled = self.tick == Tick::Scheduled;
        if scheduled {
            self.tick = Tick::None;
        }
        scheduled
    }

    /// The timer runs. False: it was stopped meanwhile.
    #[must_use]
    pub(crate) fn begin(&mut self) -> bool {
        let due = self.tick == Tick::Scheduled;
        if due {
            self.tick = Tick::Now;
        }
        due
    }

    /// The tick is over. True: set a timer for the next.
    #[must_use]
    pub(crate) fn over(&mut self, any: bool) -> bool {
        self.tick = Tick::None;
        self.schedule(any)
    }

    /// The timer was dropped uncalled. True: not by `stop`, so there will never be another tick.
    #[must_use]
    pub(crate) fn lost(&mut self) -> bool {
        let lost = self.tick == Tick::Scheduled;
        if lost {
            let _ = self.stop();
        }
        lost
    }

    pub(crate) fn is_running(self) -> bool {
        self.running
    }

    /// It was stopped: no task may join.
    pub(crate) fn is_stopped(self) -> bool {
        self.stopped
    }

    fn schedule(&mut self, any: bool) -> bool {
        let wants = any && self.running && self.tick == Tick::None;
        if wants {
            self.tick = Tick::Scheduled;
        }
        wants
    }

    #[cfg(test)]
    pub(crate) fn label(self) -> &'static str {
        match (self.running, self.stopped, self.tick) {
            (_, _, Tick::Now) => "Ticking",
            (_, _, Tick::Scheduled) => "Scheduled",
            (true, _, Tick::None) => "Idle",
            (false, true, Tick::None) => "Stopped",
            (false, false, Tick::None) => "Unstarted",
        }
    }
}
