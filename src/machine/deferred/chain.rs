//! The state machine of a chain: what its head, its callbacks and the result in it are doing, and how often it is
//! paused.
//!
//! ```text
//!               fire, abandon                    rest                take
//!   Unfired ───────────────────────▶ Running ──────────▶ Resting ──────────▶ Over
//!      │                            ▲ ▲ ▲ │ ▲               │                 ▲
//!      │ cancel   fire,             │ │ │ │ └─────add───────┘                 │
//!      │          canceller returned│ │ │ ├───────────hand over───────────────┘
//!      └───────▶ Cancelling ────────┘ │ │ ├──────────hold─────────▶ Held
//!                              resume │ │ │ wait                     │
//!                                     │ │ ▼                          │
//!                                  Waiting └────────unpause──────────┘
//! ```
//!
//! The number of pauses is independent of the stage: a chain may be paused in any stage, and waiting for a Deferred
//! that a callback returned is no pause (`B53`). Pauses matter in one place only: where a result is about to go from
//! one link to the next.

/// What a chain is doing, and how often it is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ChainState {
    stage: ChainStage,
    /// Somebody other than the holder of the tail may pause the chain. Such a chain is never bypassed: a pause would
    /// not reach the result.
    shared: bool,
    /// Pauses that have not ended. 32 bits, which fit beside the stage without making the chain larger.
    pauses: u32,
}

/// What a chain is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ChainStage {
    /// Not fired. No callback of it has run.
    Unfired,
    /// Cancelled, and the canceller is running, which may still fire the chain. It cannot be cancelled again.
    Cancelling,
    /// The result is moving: a callback runs or is about to. The loop that runs it is further up on this thread's
    /// stack.
    Running,
    /// A callback returned a Deferred that has no result yet. No callback of this chain runs.
    Waiting,
    /// Paused, with a result that could go on to a callback, to a waiting chain or to an awaiting task. Impossible
    /// without a pause.
    Held,
    /// The result lies at the tail; no callback has taken it.
    Resting,
    /// The result has left the chain, to another chain or to the program. Nothing can be added any more.
    Over,
}

/// What to do when a pause has ended.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpause {
    /// The chain has other pauses, or holds no result.
    Nothing,
    /// Let the held result go on.
    Release,
    /// The chain was not paused.
    NotPaused,
}

/// What to do with a result for the chain.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fire {
    /// It is the chain's result: send it to the first callback.
    Run,
    /// The chain was cancelled and has its result already: drop this one silently.
    Discard,
}

/// What to do when a chain is cancelled.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    /// Call the canceller, if there is one, then call [`canceller_returned`](ChainState::canceller_returned).
    CallCanceller,
    /// Cancel the Deferred that this chain waits for instead.
    Forward,
    /// The chain has its result, or is being cancelled already.
    Nothing,
}

impl ChainState {
    /// A chain that is neither paused nor shared.
    pub(crate) fn new(stage: ChainStage) -> Self {
        Self { stage, shared: false, pauses: 0 }
    }

    pub(crate) fn stage(self) -> ChainStage {
        self.stage
    }

    pub(crate) fn pauses(self) -> u32 {
        self.pauses
    }

    /// Whether a result has to stay where it is.
    pub(crate) fn is_paused(self) -> bool {
        self.pauses > 0
    }

    /// From now on somebody other than the holder of the tail may pause the chain.
    pub(crate) fn share(&mut self) {
        self.shared = true;
    }

    /// Whether what waits for this chain may wait directly for what this chain would wait for: only if nobody can pause
    /// it, now or later.
    pub(crate) fn may_be_bypassed(self) -> bool {
        !self.shared && self.pauses == 0
    }

    /// No result goes on in this chain until the pause ends.
    pub(crate) fn pause(&mut self) {
        self.pauses = self.pauses.saturating_add(1);
    }

    /// One pause ends.
    pub(crate) fn unpause(&mut self) -> Unpause {
        match self.pauses {
            0 => return Unpause::NotPaused,
            1 => {}
            _ => {
                self.pauses -= 1;
                return Unpause::Nothing;
            }
        }
        self.pauses = 0;
        match self.stage {
            ChainStage::Held => {
                self.stage = ChainStage::Running;
                Unpause::Release
            }
            ChainStage::Unfired
            | ChainStage::Cancelling
            | ChainStage::Running
            | ChainStage::Waiting
            | ChainStage::Resting
            | ChainStage::Over => Unpause::Nothing,
        }
    }

    /// All pauses end, because nobody is left who could end them.
    pub(crate) fn unpause_all(&mut self) -> Unpause {
        self.pauses = self.pauses.min(1);
        self.unpause()
    }

    /// A result could go on, but the chain is paused.
    pub(crate) fn hold(&mut self) {
        debug_assert!(self.is_paused(), "nothing is held without a pause");
        self.change(ChainStage::Running, ChainStage::Held);
    }

    /// The resolver brings a result, perhaps too late.
    pub(crate) fn fire(&mut self) -> Fire {
        match self.stage {
            ChainStage::Unfired | ChainStage::Cancelling => self.run(),
            ChainStage::Running | ChainStage::Waiting | ChainStage::Held | ChainStage::Resting | ChainStage::Over => {
                Fire::Discard
            }
        }
    }

    /// The resolver is dropped unfired. While the canceller runs, which may drop it to stop the work, the result is
    /// `Cancelled` instead.
    pub(crate) fn abandon(&mut self) -> Fire {
        match self.stage {
            ChainStage::Unfired => self.run(),
            ChainStage::Cancelling
            | ChainStage::Running
            | ChainStage::Waiting
            | ChainStage::Held
            | ChainStage::Resting
            | ChainStage::Over => Fire::Discard,
        }
    }

    /// The holder of the tail wants no result any more.
    pub(crate) fn cancel(&mut self) -> Cancel {
        match self.stage {
            ChainStage::Unfired => {
                self.stage = ChainStage::Cancelling;
                Cancel::CallCanceller
            }
            ChainStage::Waiting => Cancel::Forward,
            ChainStage::Cancelling
            | ChainStage::Running
            | ChainStage::Held
            | ChainStage::Resting
            | ChainStage::Over => Cancel::Nothing,
        }
    }

    /// The canceller has returned, or there is none. If it did not fire the chain, the result is `Cancelled`.
    pub(crate) fn canceller_returned(&mut self) -> Fire {
        match self.stage {
            ChainStage::Cancelling => self.run(),
            ChainStage::Unfired
            | ChainStage::Running
            | ChainStage::Waiting
            | ChainStage::Held
            | ChainStage::Resting
            | ChainStage::Over => Fire::Discard,
        }
    }

    fn run(&mut self) -> Fire {
        self.stage = ChainStage::Running;
        Fire::Run
    }

    /// The callback that ran returned a Deferred without a result.
    pub(crate) fn wait(&mut self) {
        self.change(ChainStage::Running, ChainStage::Waiting);
    }

    /// The Deferred that a callback had returned has its result now.
    pub(crate) fn resume(&mut self) {
        self.change(ChainStage::Waiting, ChainStage::Running);
    }

    /// The result reached the tail; no callback is left to take it.
    pub(crate) fn rest(&mut self) {
        self.change(ChainStage::Running, ChainStage::Resting);
    }

    /// A callback or an awaiting task comes to a tail where the result lies: the result goes on at once, unless it has
    /// to be held.
    pub(crate) fn add(&mut self) {
        self.change(ChainStage::Resting, ChainStage::Running);
    }

    /// The result, or the wait for it, goes to the chain that waits for this one.
    pub(crate) fn hand_over(&mut self) {
        self.change(ChainStage::Running, ChainStage::Over);
    }

    /// The result that lay at the tail is taken away.
    pub(crate) fn take(&mut self) {
        self.change(ChainStage::Resting, ChainStage::Over);
    }

    /// Whether a result that the resolver brought now would be dropped.
    pub(crate) fn is_decided(self) -> bool {
        !matches!(self.stage, ChainStage::Unfired | ChainStage::Cancelling)
    }

    fn change(&mut self, from: ChainStage, to: ChainStage) {
        debug_assert_eq!(self.stage, from, "a chain that goes to {to:?}");
        self.stage = to;
    }
}
