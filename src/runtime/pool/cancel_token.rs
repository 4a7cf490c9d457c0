//! The token of a job: by which it can be asked to end while it runs.

use std::cell::RefCell;
use std::fmt;

use super::super::sync::{Mutex, StdArc, thread_local};
use crate::error::Cancelled;
use crate::machine::pool::{CancelRequest, TicketState};

thread_local! {
    /// The token of the job that runs on this thread.
    static CURRENT_TOKEN: RefCell<Option<CancelToken>> = RefCell::new(None);
}

/// Asks a running job to end: [`Ticket::cancel`](crate::pool::Ticket::cancel) sets the token, and the job looks at it.
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
pub(super) struct CurrentTokenGuard {
    outer: Option<CancelToken>,
}

impl CancelToken {
    pub(super) fn new() -> Self {
        Self(StdArc::new(Mutex::new(TicketState::Live)))
    }

    pub(super) fn cancel(&self) -> CancelRequest {
        self.0.lock().cancel()
    }

    /// The job is over: it can no longer be asked to end.
    pub(super) fn end(&self) {
        self.0.lock().end();
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
    pub(super) fn enter(token: CancelToken) -> Self {
        Self { outer: CURRENT_TOKEN.try_with(|current| current.replace(Some(token))).ok().flatten() }
    }
}

impl Drop for CurrentTokenGuard {
    fn drop(&mut self) {
        let outer = self.outer.take();
        if let Ok(Some(own)) = CURRENT_TOKEN.try_with(|current| current.replace(outer)) {
            own.end();
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
