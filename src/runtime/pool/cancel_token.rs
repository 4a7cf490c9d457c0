//! The token by which a job can be asked to end while it runs.

mod on_cancel;

use std::fmt;
use std::time::Duration;

pub use self::on_cancel::OnCancel;
use self::on_cancel::{Listener, Listeners};
use super::super::deadline::{Deadline, Epoch};
use super::super::sync::{Mutex, OnceLock, StdArc, thread_local};
use super::limits::Watched;
use crate::error::Cancelled;
use crate::machine::pool::{CancelRequest, TicketState};
use crate::thread_value::ThreadValue;

thread_local! {
    /// The token of the job that runs on this thread.
    static CURRENT_TOKEN: ThreadValue<Option<CancelToken>> = ThreadValue::new(None);
}

/// Asks a running job to end: [`Ticket::cancel`](crate::pool::Ticket::cancel) sets the token, and so does a
/// [time limit](crate::Job::time_limit) that passes; the job looks at it.
///
/// Cheap to clone; usable from any thread, so that what a job has started elsewhere can look at it too. Cost of a look:
/// one short lock, which is hardly ever contended.
///
/// ```
/// use selvedge::{Job, ThreadPool};
///
/// let pool = ThreadPool::new(0, 1)?;
/// pool.start()?;
/// let ticket = pool.call_in_thread_ticketed(Job::with_token(|token| while token.check().is_ok() {}))?;
/// ticket.cancel();
/// pool.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CancelToken(StdArc<Token>);

struct Token {
    state: Mutex<State>,
    /// Few jobs have one.
    limit: Option<Box<TimeLimit>>,
}

struct State {
    ticket: TicketState,
    /// What is called when the job is asked to end. Empty once all were called, or the job is over without having been
    /// asked; those of a job that was asked are called even if it ends meanwhile. Few jobs have any.
    listeners: Option<Box<Listeners>>,
}

/// A job's time limit: whoever looks at the token looks at the clock, unless a reactor does.
struct TimeLimit {
    after: Duration,
    watched: Option<Watched>,
    /// Set when the job begins.
    end: OnceLock<Deadline>,
}

/// Makes a token the current one of this thread while its job runs. When dropped, the job is over, and can no longer be
/// asked to end.
pub(super) struct CurrentTokenGuard {
    outer: Option<CancelToken>,
}

impl CancelToken {
    /// The token of a job that, once it runs, is to end within `limit`.
    pub(super) fn with_limit(limit: Option<Duration>, watched: Option<Watched>) -> Self {
        let limit = limit.map(|after| Box::new(TimeLimit { after, watched, end: OnceLock::new() }));
        let state = State { ticket: TicketState::Live, listeners: None };
        Self(StdArc::new(Token { state: Mutex::new(state), limit }))
    }

    /// For a job that has no token of its own.
    pub(super) fn unlimited() -> Self {
        Self::with_limit(None, None)
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.0.limit.as_ref().map(|limit| limit.after)
    }

    pub(super) fn cancel(&self) -> CancelRequest {
        self.transition(TicketState::cancel)
    }

    /// The job is over: it can no longer be asked to end.
    pub(super) fn end(&self) {
        self.transition(TicketState::end);
    }

    /// One transition. Before it, a limit that has passed cancels the job, unless that is over. If this cancels the
    /// job, its listeners are called; if this ends it uncancelled, they are dropped: both here, once the lock is
    /// released.
    fn transition<A>(&self, event: impl FnOnce(&mut TicketState) -> A) -> A {
        self.transition_with(|state| event(&mut state.ticket))
    }

    fn transition_with<A>(&self, event: impl FnOnce(&mut State) -> A) -> A {
        let passed = self.0.limit.as_ref().is_some_and(|limit| limit.has_passed());
        let (action, asked, unneeded) = {
            let mut state = self.0.state.lock();
            let before = state.ticket.is_cancelled();
            if passed {
                // Too late if the job is over.
                let _ = state.ticket.cancel();
            }
            let action = event(&mut state);
            let is_cancelled = state.ticket.is_cancelled();
            let asked = is_cancelled && !before && state.listeners.is_some();
            let over = !is_cancelled && state.ticket != TicketState::Live;
            (action, asked, if over { state.listeners.take() } else { None })
        };
        drop(unneeded);
        if asked {
            self.call_listeners();
        }
        action
    }

    /// Calls the listeners, one after the other, with no lock held. None is added any more.
    fn call_listeners(&self) {
        loop {
            let next = self.0.state.lock().listeners.as_mut().and_then(|listeners| listeners.pop());
            let Some(listener) = next else { return };
            listener.call();
        }
    }

    fn remove_listener(&self, number: u64) -> Option<Listener> {
        let (listener, _emptied) = self.0.state.lock().listeners.as_mut()?.remove(number);
        listener
    }

    /// Calls `f` once when the job is asked to end, on the thread that asks it: that of
    /// [`Ticket::cancel`](crate::pool::Ticket::cancel), of a cancel of the Deferred, or of a stop with
    /// [`CancelAll`](crate::pool::StopPolicy::CancelAll). If the job has a [time limit](crate::Job::time_limit) that no
    /// reactor watches, that is the thread which looks at the token next, or the worker as the job ends. It is for work
    /// that cannot look at the token and has to be interrupted, such as a query of a database.
    ///
    /// If the job was asked already, `f` is called now, on this thread. If the job ends unasked, or is refused, `f` is
    /// dropped uncalled. Several are called in the order in which they were given. A panic is reported; no lock is
    /// held, so `f` may cancel, look and register. It should be short: whoever cancels waits for it.
    ///
    /// The repository's `examples/database.rs` interrupts a query so, when its Deferred is cancelled.
    ///
    /// Dropping the guard removes `f`. Cost: a box, two more allocations for the first of a token, and one short
    /// lock; removing takes another.
    ///
    /// ```
    /// use selvedge::{Job, ThreadPool};
    /// use std::sync::mpsc;
    ///
    /// let pool = ThreadPool::new(0, 1)?;
    /// pool.start()?;
    /// let (interrupt, interrupted) = mpsc::channel();
    /// let ticket = pool.call_in_thread_ticketed(Job::with_token(move |token| {
    ///     let _guard = token.on_cancel(move || interrupt.send(()).unwrap_or_default());
    ///     interrupted.recv().unwrap_or_default(); // Blocks until somebody interrupts it.
    /// }))?;
    /// ticket.cancel();
    /// pool.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_cancel(&self, f: impl FnOnce() + Send + 'static) -> OnCancel {
        let mut listener = Some(Listener::new(f));
        let number = self.transition_with(|state| match state.ticket {
            TicketState::Live => {
                let listeners = state.listeners.get_or_insert_default();
                listener.take().map(|listener| listeners.add(listener))
            }
            TicketState::Cancelled | TicketState::Over { .. } => None,
        });
        if let Some(listener) = listener {
            if self.is_cancelled() { listener.call() } else { listener.discard() }
        }
        OnCancel::new(self.clone(), number)
    }

    /// The token of the job that runs on this thread, if it has a ticket or a time limit. For code deep inside a job
    /// that is not handed the token, and for what [`defer_to_thread`](crate::threads::defer_to_thread) runs.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT_TOKEN.try_with(|current| current.with(|current| current.clone())).ok().flatten()
    }

    /// Whether the job was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.transition(|ticket| ticket.is_cancelled())
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
        // No transition, which could call listeners.
        let passed = self.0.limit.as_ref().is_some_and(|limit| limit.has_passed());
        let ticket = self.0.state.lock().ticket;
        let cancelled = ticket.is_cancelled() || passed && ticket == TicketState::Live;
        f.debug_struct("CancelToken").field("cancelled", &cancelled).finish()
    }
}

impl TimeLimit {
    fn has_passed(&self) -> bool {
        !self.watched.as_ref().is_some_and(Watched::is_watched)
            && self.end.get().is_some_and(|end| end.has_passed(Epoch::default()))
    }
}

impl CurrentTokenGuard {
    /// The job begins: its time limit counts from now on.
    pub(super) fn enter(token: CancelToken) -> Self {
        if let Some(limit) = &token.0.limit {
            let _ = limit.end.set(Deadline::new(Some(limit.after), Epoch::default()));
        }
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
    let outer = CURRENT_TOKEN.try_with(|current| current.replace(None)).ok().flatten();
    let result = job();
    let own = CURRENT_TOKEN.try_with(|current| current.replace(outer));
    drop(own);
    result
}
