//! Tickets: a job that waits is taken out of the queue, one that runs is asked to end.

use std::cell::RefCell;
use std::fmt;

use super::super::report::JobReporter;
use super::super::sync::{Arc, Mutex, SharedFn, thread_local};
use super::job::Work;
use super::shared::Shared;
use crate::error::{Cancelled, NeverRan};
use crate::machine::pool::TicketId;
use crate::machine::ticket::{CancelRequest, Ticket as Machine};

thread_local! {
    /// The token of the job that runs on this thread.
    static CURRENT: RefCell<Option<CancelToken>> = RefCell::new(None);
}

/// What a job was submitted under, and can be cancelled by: see
/// [`ThreadPool::call_in_thread_ticketed`](crate::ThreadPool::call_in_thread_ticketed).
///
/// Cheap to clone; usable from any thread. Dropping it cancels nothing.
#[derive(Clone)]
pub struct Ticket {
    shared: Arc<Shared>,
    id: TicketId,
    token: CancelToken,
}

/// What came of cancelling a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cancellation {
    /// No worker had taken it. It never runs, and what it captured has been dropped, on this thread.
    NeverRuns,
    /// A worker has taken it, or another caller is cancelling it just now. Its [`CancelToken`] says from now on that it is to end; whether and when it does is up to the job.
    Asked,
    /// It is over: it has run, or it was cancelled before.
    Over,
}

impl Ticket {
    pub(super) fn new(shared: Arc<Shared>, id: TicketId, token: CancelToken) -> Self {
        Self { shared, id, token }
    }

    /// Cancels the job. One that waits never runs: it leaves the queue now, and is dropped by this very call, with no lock held. One that runs is
    /// asked to end. From any thread, the job's own included.
    ///
    /// Cost: two short locks, however long the queue is.
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn cancel(&self) -> Cancellation {
        // Asked first: should a worker take it meanwhile, it begins with a token that says so.
        let request = self.token.0.lock().cancel();
        match request {
            CancelRequest::TooLate => Cancellation::Over,
            CancelRequest::Sent if Shared::cancel(&self.shared, self.id) => Cancellation::NeverRuns,
            CancelRequest::Sent => Cancellation::Asked,
        }
    }

    /// What the job looks at to see whether it is to end.
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

/// What a job that runs is asked by whoever holds its [`Ticket`]: to end, when it next looks.
///
/// Cheap to clone; usable from any thread, so that what a job has set going elsewhere can look too. Cost of a look: one short lock that hardly anybody else ever takes.
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
pub struct CancelToken(SharedFn<Mutex<Machine>>);

impl CancelToken {
    pub(super) fn new() -> Self {
        Self(SharedFn::new(Mutex::new(Machine::Live)))
    }

    /// The token of the job that runs on this thread, if it has a ticket: for code that is too far in to be handed it, and for
    /// what [`defer_to_thread`](crate::threads::defer_to_thread) runs.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Whether the job was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().is_cancelled()
    }

    /// The same, for `?`.
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

/// Runs the job of a worker that has no thread of its own: one that is in its midst further up this thread's stack is another worker's, and its token is not
/// this one's. A job's panic is contained further in.
pub(super) fn apart<R>(job: impl FnOnce() -> R) -> R {
    let outer = CURRENT.try_with(RefCell::take).ok().flatten();
    let result = job();
    let own = CURRENT.try_with(|current| current.replace(outer));
    drop(own);
    result
}

/// A job that has a ticket.
pub(crate) struct Ticketed<W> {
    pub(super) work: W,
    pub(super) token: CancelToken,
}

impl<W: Work> Work for Ticketed<W> {
    fn run(self, reporter: &JobReporter<'_>) -> bool {
        let Self { work, token } = self;
        let _tenure = Tenure::begin(token);
        work.run(reporter)
    }

    fn refuse(self, why: NeverRan, reporter: &JobReporter<'_>) {
        let Self { work, token } = self;
        token.0.lock().end();
        work.refuse(why, reporter);
    }

    fn records_start_time(&self) -> bool {
        true
    }
}

/// The time during which a job runs: its token is its thread's, and when this is over there is nobody to ask any more.
struct Tenure {
    token: CancelToken,
    outer: Option<CancelToken>,
}

impl Tenure {
    fn begin(token: CancelToken) -> Self {
        let outer = CURRENT.try_with(|current| current.replace(Some(token.clone()))).ok().flatten();
        Self { token, outer }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let own = CURRENT.try_with(|current| current.replace(outer));
        drop(own);
        self.token.0.lock().end();
    }
}
