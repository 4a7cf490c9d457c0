//! The state machine of the one-shot channel: one sender, one receiver that blocks, at most one value.
//!
//! ```text
//!   Empty ──receive──▶ Awaited         send:       ▶ Sent, and wakes the receiver if it was awaited
//!     │                   │            disconnect: ▶ Disconnected, likewise
//!     └──── time_out ─────┴──▶ TimedOut   (a value that is sent now is handed back)
//! ```
//!
//! Of `send`, `disconnect` and `time_out` the first decides; those that come later change nothing.
//!
//! A sender that cannot send at once names the work that will make the value (`start_work`). A receiver that gives up
//! has to cancel that work; if it has given up before, the sender has to.

use std::mem;

/// The state of the channel. `T` is the value, `W` names the work that will make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Oneshot<T, W> {
    /// No value yet. The receiver is not asleep. The work, once it was started.
    Empty(Option<W>),
    /// No value yet. The receiver is asleep, or about to be: whoever leaves this state wakes it. The work, likewise.
    Awaited(Option<W>),
    /// The value lies here until the receiver takes it.
    Sent(T),
    /// The sender was dropped without sending. There will be no value.
    Disconnected,
    /// The receiver's timeout passed. No value can be sent any more. The receiver still has to cancel this work.
    TimedOut(Option<W>),
    /// The receiver has taken the value.
    Received,
}

/// What the sender owes once the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReceiverWake {
    NotNeeded,
    Needed,
}

/// What the receiver finds.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Receive<T, W> {
    /// Nothing yet: wait to be woken, then call `receive` again.
    Wait,
    Value(T),
    /// No value will come: the sender is gone.
    Disconnected,
    /// No value will come: the timeout has passed. This work, if there is any, is to be cancelled.
    TimedOut(Option<W>),
}

/// What the sender has to do with the work that it has started.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing: if the receiver gives up, that cancels it.
    Keep,
    /// Cancel it: the receiver has given up.
    Cancel,
}

/// The work names something by a plain value, so that dropping it under a lock does nothing.
impl<T, W: Copy> Oneshot<T, W> {
    pub(crate) const fn new() -> Self {
        Self::Empty(None)
    }

    /// The sender has started the work that will make the value.
    pub(crate) fn start_work(&mut self, named: W) -> Work {
        match self {
            Self::Empty(work) | Self::Awaited(work) => {
                *work = Some(named);
                Work::Keep
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut(_) | Self::Received => Work::Cancel,
        }
    }

    /// The value is sent. If the receiver has gone, it is handed back, to be dropped on the sender's thread.
    pub(crate) fn send(&mut self, value: T) -> Result<ReceiverWake, T> {
        match self {
            Self::Empty(_) => {
                *self = Self::Sent(value);
                Ok(ReceiverWake::NotNeeded)
            }
            Self::Awaited(_) => {
                *self = Self::Sent(value);
                Ok(ReceiverWake::Needed)
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut(_) | Self::Received => Err(value),
        }
    }

    /// The sender is dropped. If it has sent, this changes nothing.
    pub(crate) fn disconnect(&mut self) -> ReceiverWake {
        match self {
            Self::Empty(_) => {
                *self = Self::Disconnected;
                ReceiverWake::NotNeeded
            }
            Self::Awaited(_) => {
                *self = Self::Disconnected;
                ReceiverWake::Needed
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut(_) | Self::Received => ReceiverWake::NotNeeded,
        }
    }

    /// The receiver looks for the value, before its first sleep and after each.
    pub(crate) fn receive(&mut self) -> Receive<T, W> {
        match mem::replace(self, Self::Received) {
            Self::Empty(work) | Self::Awaited(work) => {
                *self = Self::Awaited(work);
                Receive::Wait
            }
            Self::Sent(value) => Receive::Value(value),
            Self::Disconnected | Self::Received => Receive::Disconnected,
            Self::TimedOut(work) => {
                *self = Self::TimedOut(None);
                Receive::TimedOut(work)
            }
        }
    }

    /// The receiver's timeout passes. If a value was sent, or the sender is gone, this changes nothing.
    pub(crate) fn time_out(&mut self) -> ReceiverWake {
        match self {
            Self::Empty(work) => {
                *self = Self::TimedOut(*work);
                ReceiverWake::NotNeeded
            }
            Self::Awaited(work) => {
                *self = Self::TimedOut(*work);
                ReceiverWake::Needed
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut(_) | Self::Received => ReceiverWake::NotNeeded,
        }
    }

    /// Whether a value could still be sent.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self, Self::Empty(_) | Self::Awaited(_))
    }
}
