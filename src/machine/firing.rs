//! The state machine of an event that is being fired: its three phases, and what the present one waits for.
//!
//! ```text
//!   begin ──▶ Running Before ──triggers done──▶ Running During ──triggers done──▶ Running After ──▶ over,
//!                  │  ▲                              │  ▲                              │  ▲        or begin again
//!    triggers done │  │ last Deferred fired          │  │                              │  │
//!                  ▼  │                              ▼  │                              ▼  │
//!             Waiting Before                    Waiting During                    Waiting After
//! ```
//!
//! A phase ends only when its triggers have run and no Deferred is left, so triggers that were added to it while it
//! waited run too. Firings of one event do not overlap: one that is asked for meanwhile begins when this one is over.

/// When a trigger runs, relative to its event. A phase begins when all triggers of the phase before have run and all
/// Deferreds that they returned have fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// First, while everything still works as before.
    Before,
    /// Second: the event itself.
    During,
    /// Last.
    After,
}

impl Phase {
    fn next(self) -> Option<Self> {
        match self {
            Self::Before => Some(Self::During),
            Self::During => Some(Self::After),
            Self::After => None,
        }
    }
}

/// An event that is being fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Firing {
    phase: Phase,
    /// The triggers of the phase are being run.
    running: bool,
    /// Deferreds of the phase's triggers that have not fired.
    unfired: usize,
    /// Firings of the same event that were asked for meanwhile.
    queued: usize,
    /// Deferreds are not waited for any more, and no longer counted.
    hurried: bool,
}

/// What the caller of a transition owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FiringAction {
    Nothing,
    /// Run the triggers of this phase that have not run, then say [`triggers_done`](Firing::triggers_done). `first` is
    /// true once for each phase.
    Run {
        phase: Phase,
        first: bool,
    },
    /// The event has been fired as often as was asked for.
    Over,
}

impl Firing {
    pub(crate) fn begin() -> (Self, FiringAction) {
        let phase = Phase::Before;
        let firing = Self { phase, running: true, unfired: 0, queued: 0, hurried: false };
        (firing, FiringAction::Run { phase, first: true })
    }

    /// The event is to be fired once more, when this firing is over.
    pub(crate) fn fire_again(&mut self) {
        self.queued += 1;
    }

    /// A trigger of the phase has returned a Deferred that has not fired.
    pub(crate) fn wait(&mut self) {
        self.unfired += usize::from(!self.hurried);
    }

    /// Such a Deferred has fired.
    pub(crate) fn deferred_fired(&mut self) -> FiringAction {
        if self.hurried {
            return FiringAction::Nothing;
        }
        self.unfired -= 1;
        self.run_rest()
    }

    /// Deferreds are waited for no more, neither in this phase nor in those that follow.
    pub(crate) fn hurry(&mut self) -> FiringAction {
        (self.hurried, self.unfired) = (true, 0);
        self.run_rest()
    }

    /// All triggers that the phase has now were run.
    pub(crate) fn triggers_done(&mut self) -> FiringAction {
        if self.unfired > 0 {
            self.running = false;
            return FiringAction::Nothing;
        }
        self.phase = match self.phase.next() {
            Some(next) => next,
            None if self.queued > 0 => {
                self.queued -= 1;
                Phase::Before
            }
            None => return FiringAction::Over,
        };
        FiringAction::Run { phase: self.phase, first: true }
    }

    /// Whether a trigger of this phase still runs in this firing.
    pub(crate) fn reaches(self, phase: Phase) -> bool {
        phase >= self.phase
    }

    fn run_rest(&mut self) -> FiringAction {
        if self.running || self.unfired > 0 {
            return FiringAction::Nothing;
        }
        self.running = true;
        FiringAction::Run { phase: self.phase, first: false }
    }

    #[cfg(test)]
    pub(crate) fn label(self) -> &'static str {
        match (self.phase, self.running) {
            (Phase::Before, true) => "Running Before",
            (Phase::Before, false) => "Waiting Before",
            (Phase::During, true) => "Running During",
            (Phase::During, false) => "Waiting During",
            (Phase::After, true) => "Running After",
            (Phase::After, false) => "Waiting After",
        }
    }
}
