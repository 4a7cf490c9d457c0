//! The machine of a ticket: what a job that may be cancelled is asked, and whether there is still anybody to ask.
//!
//! Whether it waits is not said here but in the pool's queues, where cancelling takes it out: only a job that a worker has taken is asked to end.

/// Where the job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ticket {
    /// Nobody has asked it to end.
    Wanted,
    /// It was asked to end, and may look whenever it likes. Asking again changes nothing.
    Unwanted,
    /// It has run to its end, or never will run. What was asked before stays asked: parts of it may still look.
    Over {
        /// It was asked to end before it did.
        unwanted: bool,
    },
}

/// What asking came to.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    /// The job can see it.
    Heard,
    /// There is no job any more.
    TooLate,
}

impl Ticket {
    /// The job is no longer wanted.
    pub(crate) fn ask(&mut self) -> Asked {
        match self {
            Self::Wanted | Self::Unwanted => {
                *self = Self::Unwanted;
                Asked::Heard
            }
            Self::Over { .. } => Asked::TooLate,
        }
    }

    /// The job has ended, or it was taken out of the queue.
    pub(crate) fn end(&mut self) {
        *self = Self::Over { unwanted: self.is_unwanted() };
    }

    pub(crate) fn is_unwanted(self) -> bool {
        matches!(self, Self::Unwanted | Self::Over { unwanted: true })
    }
}
