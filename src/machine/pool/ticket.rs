//! The state machine of a ticket: whether a job was cancelled, and whether it can still see that.
//!
//! Whether the job is still queued is not recorded here. The pool's queues know, and take a cancelled job out. A job
//! that a worker has taken is only asked to end: it may look at its ticket.

/// The state of the job's cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum TicketState {
    /// Queued or running, and not cancelled.
    Live,
    /// Queued or running, and cancelled. Cancelling again changes nothing.
    Cancelled,
    /// It has run to its end, or will never run. It cannot be cancelled any more.
    Over {
        /// It was cancelled before. Parts of the job that outlive it may still look.
        cancelled: bool,
    },
}

/// The result of [`cancel`](TicketState::cancel).
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CancelRequest {
    /// The job can see it. If it is still queued, it is to be taken out of the queue.
    Sent,
    /// The job is over.
    TooLate,
}

impl TicketState {
    pub(crate) fn cancel(&mut self) -> CancelRequest {
        match self {
            Self::Live | Self::Cancelled => {
                *self = Self::Cancelled;
                CancelRequest::Sent
            }
            Self::Over { .. } => CancelRequest::TooLate,
        }
    }

    /// The job has ended, or was taken out of the queue.
    pub(crate) fn end(&mut self) {
        *self = Self::Over { cancelled: self.is_cancelled() };
    }

    pub(crate) fn is_cancelled(self) -> bool {
        matches!(self, Self::Cancelled | Self::Over { cancelled: true })
    }
}
