//! The state machine of a task: a spawned future, polled on the reactor's thread and woken from any.
//!
//! ```text
//!             wake
//!   Idle ──────────────▶ Scheduled        finish: any state to Done, which is never left
//!    ▲                       │
//!    └─────── begin ─────────┘
//! ```
//!
//! # Hazard: a lost wake
//!
//! The future finds nothing and returns pending; what it waits for arrives before the poll is over; nobody polls it
//! again. It cannot happen: a task is idle from the moment before it is polled, so a wake during a poll posts it like
//! any other. However often a task is woken, it is posted to its reactor at most once until it is polled.

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Being polled, or waits to be woken. No call that would poll it is posted.
    Idle,
    /// One call that will poll it is posted, or about to be. Further wakes owe nothing.
    Scheduled,
    /// Finished, cancelled, or its reactor has ended. Never polled again.
    Done,
}

/// What the caller of [`wake`](Task::wake) owes after the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollRequest {
    /// It will be polled without another post, or it is done.
    Nothing,
    /// Post the call that polls it.
    Post,
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
            Self::Scheduled | Self::Done => PollRequest::Nothing,
        }
    }

    /// The posted call is about to poll the future, which is there.
    pub(crate) fn begin(&mut self) {
        *self = Self::Idle;
    }

    /// The future is dropped.
    pub(crate) fn finish(&mut self) {
        *self = Self::Done;
    }
}
