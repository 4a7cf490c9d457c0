//! The state machine of a task: a spawned future, polled on the reactor's thread and woken from any.
//!
//! ```text
//!              wake                begin
//!    Idle ──────────▶ Scheduled ──────────▶ Polling ─────┐
//!     ▲                   ▲                  │    │      │ pending
//!     │                   │ pending     wake │    │      │
//!     │                   └── PollingWoken ◀─┘    │      │
//!     └───────────────────────────────────────────┼──────┘        finish: any state to Done, which is never left
//! ```
//!
//! # Hazard: a lost wake
//!
//! The future finds nothing and returns pending; what it waits for arrives before the task is idle; nobody polls it
//! again. It cannot happen: a wake during a poll is recorded (`PollingWoken`), and the transition that ends a poll
//! checks that record and becomes idle in one step. However often a task is woken, it is posted to its reactor at most
//! once until it is polled.

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Waits to be woken. No call that would poll it is posted.
    Idle,
    /// One call that will poll it is posted, or about to be. Further wakes owe nothing.
    Scheduled,
    /// Being polled, and not woken since the poll began.
    Polling,
    /// Being polled, and woken meanwhile: the future may not have seen the reason, so it is polled once more.
    PollingWoken,
    /// Finished, cancelled, or its reactor has ended. Never polled again.
    Done,
}

/// What the caller of [`wake`](Task::wake) or [`pending`](Task::pending) owes after the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollRequest {
    /// It will be polled without another post, or nothing has woken it, or it is done.
    Nothing,
    /// Post the call that polls it.
    Post,
}

/// What the posted call has to do.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Poll the future.
    Poll,
    /// Nothing: the task is done.
    Skip,
}

impl Task {
    /// A new task. Its creator posts the first call.
    pub(crate) fn new() -> Self {
        Self::Scheduled
    }

    /// A waker was used.
    pub(crate) fn wake(&mut self) -> PollRequest {
        match self {
            Self::Idle => {
                *self = Self::Scheduled;
                PollRequest::Post
            }
            Self::Polling => {
                *self = Self::PollingWoken;
                PollRequest::Nothing
            }
            Self::Scheduled | Self::PollingWoken | Self::Done => PollRequest::Nothing,
        }
    }

    /// The posted call runs.
    pub(crate) fn begin(&mut self) -> Begin {
        match self {
            Self::Scheduled => {
                *self = Self::Polling;
                Begin::Poll
            }
            Self::Idle | Self::Polling | Self::PollingWoken | Self::Done => Begin::Skip,
        }
    }

    /// The future returned pending.
    pub(crate) fn pending(&mut self) -> PollRequest {
        match self {
            Self::Polling => {
                *self = Self::Idle;
                PollRequest::Nothing
            }
            Self::PollingWoken => {
                *self = Self::Scheduled;
                PollRequest::Post
            }
            Self::Idle | Self::Scheduled | Self::Done => PollRequest::Nothing,
        }
    }

    /// The future is dropped.
    pub(crate) fn finish(&mut self) {
        *self = Self::Done;
    }
}
