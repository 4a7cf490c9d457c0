//! The machine of a task: a future that is polled on one thread and woken from any.
//!
//! ```text
//!              wake                begin
//!    Idle ──────────▶ Scheduled ──────────▶ Polling ─────┐
//!     ▲                   ▲                  │    │      │ pending
//!     │                   │ pending     wake │    │      │
//!     │                   └── PollingWoken ◀─┘    │      │
//!     └───────────────────────────────────────────┼──────┘        finish: from anywhere to Done, for good
//! ```
//!
//! The hazard is the lost wake: the future finds nothing and returns, what it waits for comes, and nobody polls it again. It cannot happen, because a wake that comes
//! while the future is polled is remembered, and the poll's end and falling idle are one transition. However often a task is woken, it is posted
//! to its loop once until it is polled.

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Task {
    /// It waits to be woken. No call that would poll it is under way.
    Idle,
    /// One call that will poll it is under way. Further wakes owe nothing.
    Scheduled,
    /// It is being polled, and nothing has come since that began.
    Polling,
    /// It is being polled, and was woken meanwhile: what it has looked at may have changed since. It is polled once more.
    PollingWoken,
    /// It is never polled again: it is finished, was cancelled, or its reactor has ended.
    Done,
}

/// What somebody who wakes a task, or who has polled it, owes once the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// It will be polled anyway, or never again.
    OweNothing,
    /// Post the call that polls it.
    Schedule,
}

/// What the call that came to poll a task may do.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Poll it.
    Poll,
    /// Leave it: it is over.
    Leave,
}

impl Task {
    /// A new task. The call that polls it first is its maker's to post.
    pub(crate) fn new() -> Self {
        Self::Scheduled
    }

    /// Somebody says that it is worth while to poll it.
    pub(crate) fn wake(&mut self) -> Woken {
        match self {
            Self::Idle => {
                *self = Self::Scheduled;
                Woken::Schedule
            }
            Self::Polling => {
                *self = Self::PollingWoken;
                Woken::OweNothing
            }
            Self::Scheduled | Self::PollingWoken | Self::Done => Woken::OweNothing,
        }
    }

    /// The call that was posted is here.
    pub(crate) fn begin(&mut self) -> Begin {
        match self {
            Self::Scheduled => {
                *self = Self::Polling;
                Begin::Poll
            }
            Self::Idle | Self::Polling | Self::PollingWoken | Self::Done => Begin::Leave,
        }
    }

    /// The poll is over and the future is not.
    pub(crate) fn pending(&mut self) -> Woken {
        match self {
            Self::Polling => {
                *self = Self::Idle;
                Woken::OweNothing
            }
            Self::PollingWoken => {
                *self = Self::Scheduled;
                Woken::Schedule
            }
            Self::Idle | Self::Scheduled | Self::Done => Woken::OweNothing,
        }
    }

    /// The future is gone.
    pub(crate) fn finish(&mut self) {
        *self = Self::Done;
    }
}
