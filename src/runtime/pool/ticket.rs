//! Tickets: cancelling a job takes it out of the queue while it waits, and asks it to end while it runs.

use std::fmt;
use std::time::Duration;

use super::super::sync::Arc;
use super::cancel_token::CancelToken;
use super::shared::Shared;
use crate::error::NeverRan;
use crate::machine::pool::{self as machine, CancelRequest, TicketId};

/// The right to cancel one job, returned where the job was submitted: see
/// [`ThreadPool::call_in_thread_ticketed`](crate::ThreadPool::call_in_thread_ticketed).
///
/// Cheap to clone; usable from any thread. Dropping it does not cancel the job.
#[derive(Clone)]
pub struct Ticket {
    pub(super) shared: Arc<Shared>,
    pub(super) id: TicketId,
    pub(super) token: CancelToken,
}

/// What [`Ticket::cancel`] achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cancellation {
    /// No worker had taken the job. It never runs, and what it captured has been dropped, on this thread.
    NeverRuns,
    /// A worker has taken the job, or another caller is cancelling it just now. From now on its [`CancelToken`] asks it
    /// to end; whether and when it does is up to the job.
    Asked,
    /// The job is over: it has run, or was cancelled or refused before.
    Over,
}

impl Ticket {
    /// Cancels the job. While it waits, this call takes it out of the queue and drops it, with no lock held: it never
    /// runs. While it runs, it is asked to end. From any thread, also from the job itself.
    ///
    /// Cost: four short locks, the token's twice and both of the pool's, however long the queue is.
    #[allow(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn cancel(&self) -> Cancellation {
        // The token first: if a worker takes the job meanwhile, the job starts with a token that is set.
        match self.token.cancel() {
            CancelRequest::TooLate => Cancellation::Over,
            CancelRequest::Sent if Shared::cancel(&self.shared, self.id, NeverRan::Cancelled) => {
                Cancellation::NeverRuns
            }
            CancelRequest::Sent => Cancellation::Asked,
        }
    }

    /// Takes the job out of the queue because its time there is over. Returns whether it was there: if not, a worker
    /// has taken it, and goes on undisturbed.
    pub(crate) fn expire(&self, limit: Duration) -> bool {
        Shared::cancel(&self.shared, self.id, NeverRan::TimedOut(limit))
    }

    /// The token that the job looks at to see whether it was asked to end.
    #[must_use]
    pub fn token(&self) -> CancelToken {
        self.token.clone()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("id", &self.id).field("token", &self.token).finish()
    }
}

impl Shared {
    /// Takes a job out of the queue and refuses it. Returns whether it was there.
    fn cancel(this: &Arc<Self>, ticket: TicketId, why: NeverRan) -> bool {
        let (job, wakeups, unused, somebody_waits_for_rest) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let (job, wakeups) = machine::cancel(&mut workers.machine, &mut submit_queue, ticket);
            let unused = (workers.machine.take_unused(), submit_queue.take_unused());
            (job, wakeups, unused, !workers.rest_waiters.is_empty())
        };
        drop(unused);
        let Some(job) = job else { return false };
        Self::carry_out(this, wakeups);
        job.refuse(why, &this.hooks, &this.reporter);
        if somebody_waits_for_rest {
            this.notify_if_at_rest();
        }
        true
    }
}
