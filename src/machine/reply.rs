//! The machine of the reply: one answerer, one blocked caller, one value at most.
//!
//! ```text
//!   Pending ──ask──▶ Awaited          answer: ▶ Answered, and wakes the one who awaits
//!      │                │             break:  ▶ Broken, likewise
//!      └──── expire ────┴──▶ Expired  (an answer that comes now is handed back to the answerer)
//! ```
//!
//! The first of answer, break and expire decides; the others find the matter closed.

use std::mem;

/// Where the question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reply<T> {
    /// No answer yet, and the caller is not waiting yet: nobody to wake.
    Pending,
    /// No answer yet, and the caller sleeps: whoever settles it wakes it.
    Awaited,
    /// The answer lies here until the caller takes it.
    Answered(T),
    /// The answerer went away without one.
    Broken,
    /// The caller's time ran out and it went away. No answer can be left here any more.
    Expired,
    /// The caller has its answer.
    Taken,
}

/// What the answerer owes once the lock is released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The caller is not asleep.
    OweNothing,
    /// Wake the caller.
    Wake,
}

/// What the caller finds.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asked<T> {
    /// Nothing yet: wait for a wake and ask again.
    Sleep,
    /// The answer.
    Answer(T),
    /// There will be none: the answerer is gone.
    Broken,
    /// There will be none: the time is over.
    Expired,
}

impl<T> Reply<T> {
    /// The answer comes. If the caller has gone, it is handed back: it is the answerer's to drop, on its own thread.
    pub(crate) fn answer(&mut self, value: T) -> Result<Settled, T> {
        match self {
            Self::Pending => {
                *self = Self::Answered(value);
                Ok(Settled::OweNothing)
            }
            Self::Awaited => {
                *self = Self::Answered(value);
                Ok(Settled::Wake)
            }
            Self::Answered(_) | Self::Broken | Self::Expired | Self::Taken => Err(value),
        }
    }

    /// The answerer goes away. After an answer this changes nothing. (`break` is a keyword.)
    pub(crate) fn break_off(&mut self) -> Settled {
        match self {
            Self::Pending => {
                *self = Self::Broken;
                Settled::OweNothing
            }
            Self::Awaited => {
                *self = Self::Broken;
                Settled::Wake
            }
            Self::Answered(_) | Self::Broken | Self::Expired | Self::Taken => Settled::OweNothing,
        }
    }

    /// The caller asks, before its first sleep and after each.
    pub(crate) fn ask(&mut self) -> Asked<T> {
        match mem::replace(self, Self::Taken) {
            Self::Pending | Self::Awaited => {
                *self = Self::Awaited;
                Asked::Sleep
            }
            Self::Answered(value) => Asked::Answer(value),
            Self::Broken | Self::Taken => Asked::Broken,
            Self::Expired => {
                *self = Self::Expired;
                Asked::Expired
            }
        }
    }

    /// The caller's deadline passes. An answer that is already here wins.
    pub(crate) fn expire(&mut self) -> Settled {
        match self {
            Self::Pending => {
                *self = Self::Expired;
                Settled::OweNothing
            }
            Self::Awaited => {
                *self = Self::Expired;
                Settled::Wake
            }
            Self::Answered(_) | Self::Broken | Self::Expired | Self::Taken => Settled::OweNothing,
        }
    }

    /// Whether an answer would still be of use.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self, Self::Pending | Self::Awaited)
    }
}
