//! The state machine of the one-shot channel: one sender, one receiver that blocks, at most one value.
//!
//! ```text
//!   Empty ──receive──▶ Awaited         send:       ▶ Sent, and wakes the receiver if it was awaited
//!     │                   │            disconnect: ▶ Disconnected, likewise
//!     └──── time_out ─────┴──▶ TimedOut   (a value that is sent now is handed back)
//! ```
//!
//! Of `send`, `disconnect` and `time_out` the first decides; those that come later change nothing.

use std::mem;

/// The state of the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Oneshot<T> {
    /// No value yet. The receiver is not asleep.
    Empty,
    /// No value yet. The receiver is asleep, or about to be: whoever leaves this state wakes it.
    Awaited,
    /// The value lies here until the receiver takes it.
    Sent(T),
    /// The sender was dropped without sending. There will be no value.
    Disconnected,
    /// The receiver's timeout passed and it went away. No value can be sent any more.
    TimedOut,
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
pub(crate) enum Receive<T> {
    /// Nothing yet: wait to be woken, then call `receive` again.
    Wait,
    Value(T),
    /// No value will come: the sender is gone.
    Disconnected,
    /// No value will come: the timeout has passed.
    TimedOut,
}

impl<T> Oneshot<T> {
    /// The value is sent. If the receiver has gone, it is handed back, to be dropped on the sender's thread.
    pub(crate) fn send(&mut self, value: T) -> Result<ReceiverWake, T> {
        match self {
            Self::Empty => {
                *self = Self::Sent(value);
                Ok(ReceiverWake::NotNeeded)
            }
            Self::Awaited => {
                *self = Self::Sent(value);
                Ok(ReceiverWake::Needed)
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut | Self::Received => Err(value),
        }
    }

    /// The sender is dropped. If it has sent, this changes nothing.
    pub(crate) fn disconnect(&mut self) -> ReceiverWake {
        match self {
            Self::Empty => {
                *self = Self::Disconnected;
                ReceiverWake::NotNeeded
            }
            Self::Awaited => {
                *self = Self::Disconnected;
                ReceiverWake::Needed
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut | Self::Received => ReceiverWake::NotNeeded,
        }
    }

    /// The receiver looks for the value, before its first sleep and after each.
    pub(crate) fn receive(&mut self) -> Receive<T> {
        match mem::replace(self, Self::Received) {
            Self::Empty | Self::Awaited => {
                *self = Self::Awaited;
                Receive::Wait
            }
            Self::Sent(value) => Receive::Value(value),
            Self::Disconnected | Self::Received => Receive::Disconnected,
            Self::TimedOut => {
                *self = Self::TimedOut;
                Receive::TimedOut
            }
        }
    }

    /// The receiver's timeout passes. If a value was sent, or the sender is gone, this changes nothing.
    pub(crate) fn time_out(&mut self) -> ReceiverWake {
        match self {
            Self::Empty => {
                *self = Self::TimedOut;
                ReceiverWake::NotNeeded
            }
            Self::Awaited => {
                *self = Self::TimedOut;
                ReceiverWake::Needed
            }
            Self::Sent(_) | Self::Disconnected | Self::TimedOut | Self::Received => ReceiverWake::NotNeeded,
        }
    }

    /// Whether a value could still be sent.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self, Self::Empty | Self::Awaited)
    }
}
