//! The machine of a ticket: a job that is queued, until exactly one of a worker and a canceller takes it.

use std::mem;

/// Where the job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ticket<J> {
    /// Nobody has it yet.
    Queued(J),
    /// A worker took it. It can no longer be kept from running.
    Begun,
    /// It was cancelled before a worker took it. It never runs.
    Cancelled,
}

impl<J> Ticket<J> {
    /// A worker comes for the job. There is none if it was cancelled.
    #[must_use]
    pub(crate) fn begin(&mut self) -> Option<J> {
        self.settle(Self::Begun)
    }

    /// The job is no longer wanted: if nobody has it yet, it is handed out to be dropped, at once.
    #[must_use]
    pub(crate) fn cancel(&mut self) -> Option<J> {
        self.settle(Self::Cancelled)
    }

    fn settle(&mut self, to: Self) -> Option<J> {
        match mem::replace(self, Self::Begun) {
            Self::Queued(job) => {
                *self = to;
                Some(job)
            }
            settled => {
                *self = settled;
                None
            }
        }
    }
}
