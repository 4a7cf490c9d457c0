//! The token of a job: by which it can be asked to end while it runs.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use super::super::deadline::{Deadline, Epoch};
use super::super::sync::{Mutex, MutexGuard, StdArc, thread_local};
use crate::error::Cancelled;
use crate::machine::pool::{CancelRequest, TicketState};

thread_local! {
    /// The token of the job that runs on this thread.
    static CURRENT_TOKEN: RefCell<Option<CancelToken>> = RefCell::new(None);
}

/// Asks a running job to end: [`Ticket::cancel`](crate::pool::Ticket::cancel) sets the token, and so does a
/// [time limit](crate::Job::time_limit) that passes; the job looks at it.
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
pub struct CancelToken(StdArc<Token>);

struct Token {
    state: Mutex<TicketState>,
    /// Few jobs have one.
    limit: Option<Box<TimeLimit>>,
}

/// A job's time limit that no timer watches: whoever looks at the token looks at the clock.
struct TimeLimit {
    after: Duration,
    /// `None` until the job begins.
    end: Mutex<Option<Deadline>>,
}

/// Makes a token the current one of this thread while its job runs. When dropped, the job is over, and can no longer be
/// asked to end.
pub(super) struct CurrentTokenGuard {
    outer: Option<CancelToken>,
}

impl CancelToken {
    /// The token of a job that, once it runs, is to end within `limit`.
    pub(super) fn with_limit(limit: Option<Duration>) -> Self {
        let limit = limit.map(|after| Box::new(TimeLimit { after, end: Mutex::new(None) }));
        Self(StdArc::new(Token { state: Mutex::new(TicketState::Live), limit }))
    }

    /// For a job that has no token of its own.
    pub(super) fn unlimited() -> Self {
        Self::with_limit(None)
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.0.limit.as_ref().map(|limit| limit.after)
    }

    /// The job begins.
    fn start(&self) {
        if let Some(limit) = &self.0.limit {
            let end = Deadline::new(Some(limit.after), Epoch::default());
            *limit.end.lock() = Some(end);
        }
    }

    pub(super) fn cancel(&self) -> CancelRequest {
        self.state().cancel()
    }

    /// The job is over: it can no longer be asked to end.
    pub(super) fn end(&self) {
        self.state().end();
    }

    /// The state, in which a limit that has passed has cancelled the job, unless that was over before.
    fn state(&self) -> MutexGuard<'_, TicketState> {
        let passed = self.0.limit.as_ref().is_some_and(|limit| limit.has_passed());
        let mut state = self.0.state.lock();
        if passed {
            // Too late if the job is over.
            let _ = state.cancel();
        }
        state
    }

    /// The token of the job that runs on this thread, if it has a ticket or a time limit. For code deep inside a job
    /// that is not handed the token, and for what [`defer_to_thread`](crate::threads::defer_to_thread) runs.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT_TOKEN.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Whether the job was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state().is_cancelled()
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

impl TimeLimit {
    fn has_passed(&self) -> bool {
        let end = *self.end.lock();
        end.is_some_and(|end| end.has_passed(Epoch::default()))
    }
}

impl CurrentTokenGuard {
    pub(super) fn enter(token: CancelToken) -> Self {
        token.start();
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
