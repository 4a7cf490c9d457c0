//! Tickets: cancelling a job takes it out of the queue while it waits, and asks it to end while it runs.

use std::cell::RefCell;
use std::fmt;

use super::super::report::JobReporter;
use super::super::sync::{Arc, Mutex, StdArc, thread_local};
use super::job::{Fate, JobBody};
use super::shared::Shared;
use crate::error::{Cancelled, NeverRan};
use crate::machine::pool::{self as machine, CancelRequest, TicketId, TicketState};

thread_local! {
    /// The token of the job that runs on this thread.
    static CURRENT_TOKEN: RefCell<Option<CancelToken>> = RefCell::new(None);
}

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
    /// The job is over: it has run, or was cancelled before.
    Over,
}

/// Asks a running job to end: [`Ticket::cancel`] sets the token, and the job looks at it.
///
/// Cheap to clone; usable from any thread, so that what a job has started elsewhere can look at it too. Cost of a look:
/// one short lock, which is hardly ever contended.
///
/// ```
/// use selvedge::ThreadPool;
///
/// let pool = ThreadPool::new(0, 1)?;
/// pool.start()?;
/// let ticket = pool.call_in_thread_ticketed(|token| while token.check().is_ok() {})?;
/// ticket.cancel();
/// pool.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CancelToken(StdArc<Mutex<TicketState>>);

/// Makes a token the current one of this thread while its job runs. When dropped, the job is over, and can no longer be
/// asked to end.
struct CurrentTokenGuard {
    token: CancelToken,
    outer: Option<CancelToken>,
}

impl Ticket {
    /// Cancels the job. While it waits, this call takes it out of the queue and drops it, with no lock held: it never
    /// runs. While it runs, it is asked to end. From any thread, also from the job itself.
    ///
    /// Cost: three short locks, the token's and both of the pool's, however long the queue is.
    #[allow(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn cancel(&self) -> Cancellation {
        // The token first: if a worker takes the job meanwhile, the job starts with a token that is set.
        let request = self.token.0.lock().cancel();
        match request {
            CancelRequest::TooLate => Cancellation::Over,
            CancelRequest::Sent if Shared::cancel(&self.shared, self.id) => Cancellation::NeverRuns,
            CancelRequest::Sent => Cancellation::Asked,
        }
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
    /// Takes a job out of the queue and drops it. Returns whether it was there.
    fn cancel(this: &Arc<Self>, ticket: TicketId) -> bool {
        let (job, wakeups) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::cancel(&mut workers.machine, &mut submit_queue, ticket)
        };
        let Some(job) = job else { return false };
        Self::carry_out(this, wakeups);
        job.refuse(NeverRan::Cancelled, &this.hooks, &this.reporter);
        true
    }
}

impl CancelToken {
    pub(super) fn new() -> Self {
        Self(StdArc::new(Mutex::new(TicketState::Live)))
    }

    /// The token of the job that runs on this thread, if it has a ticket. For code deep inside a job that is not handed
    /// the token, and for what [`defer_to_thread`](crate::threads::defer_to_thread) runs.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT_TOKEN.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Whether the job was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().is_cancelled()
    }

    /// [`is_cancelled`](Self::is_cancelled) as a `Result`, for `?`.
    ///
    /// # Errors
    /// The job was asked to end.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

impl CurrentTokenGuard {
    fn enter(token: CancelToken) -> Self {
        let outer = CURRENT_TOKEN.try_with(|current| current.replace(Some(token.clone()))).ok().flatten();
        Self { token, outer }
    }
}

impl Drop for CurrentTokenGuard {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let own = CURRENT_TOKEN.try_with(|current| current.replace(outer));
        drop(own);
        self.token.0.lock().end();
    }
}

/// The body of a job with a ticket: `body`, with the token as the current one of its thread.
pub(super) fn with_token(token: CancelToken, body: impl JobBody) -> impl JobBody {
    let parts = (body, token);
    move |fate: Fate, reporter: &JobReporter<'_>| {
        // Captured as a whole, so that a job that is dropped unrun drops the body first.
        let parts = parts;
        let (body, token) = parts;
        match fate {
            Fate::Run => {
                let _current = CurrentTokenGuard::enter(token);
                body(Fate::Run, reporter)
            }
            Fate::Refuse(why) => {
                token.0.lock().end();
                body(Fate::Refuse(why), reporter)
            }
        }
    }
}

/// Runs the job of a worker without a thread. If this thread is inside another worker's job, that one's token must not
/// be seen by this job. The job does not unwind: its panic is contained further in.
pub(super) fn without_current_token<R>(job: impl FnOnce() -> R) -> R {
    let outer = CURRENT_TOKEN.try_with(RefCell::take).ok().flatten();
    let result = job();
    let own = CURRENT_TOKEN.try_with(|current| current.replace(outer));
    drop(own);
    result
}
