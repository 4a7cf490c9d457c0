//! A reactor's own shutdown: its policy, its time limit, and what was late.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

use super::super::pool::{StopPolicy, Straggler};
use super::Reactor;
use super::triggers::Event;
use crate::machine::timer_queue::NEVER;

/// How a reactor has shut down: what [`Reactor::run`] and [`Reactor::ended`] return.
///
/// ```
/// use selvedge::{Reactor, pool::StopPolicy};
/// use std::{sync::mpsc, time::Duration};
///
/// let reactor = Reactor::builder()
///     .stop_policy(StopPolicy::CancelAll)
///     .stop_within(Duration::from_millis(10))
///     .build()?;
/// let (release, stuck) = mpsc::channel::<()>();
/// let handle = reactor.handle();
/// reactor.call_in_thread(move || {
///     handle.stop();
///     stuck.recv().unwrap_or_default() // It does not look at its token.
/// })?;
/// let shutdown = reactor.run();
/// assert!(shutdown.timed_out);
/// assert_eq!(shutdown.late[0].stragglers.len(), 1);
/// # drop(release);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// The time for it was over before all that it waited for had ended.
    pub timed_out: bool,
    /// The reactor's own pools that had not stopped then. They go on stopping.
    pub late: Vec<LatePool>,
}

/// A pool that had not stopped when its reactor ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LatePool {
    /// Its name, as of [`Reactor::pool`].
    pub name: String,
    /// What its workers still do, the longest first. None if the pool waits for something else: a thread that starts or
    /// exits, or one that tells a job that it never runs.
    pub stragglers: Vec<Straggler>,
    /// How many jobs still wait to be run.
    pub queued: usize,
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.timed_out {
            return f.write_str("the reactor has shut down");
        }
        f.write_str("the reactor has not shut down in time")?;
        self.late.iter().try_for_each(|pool| write!(f, "; {pool}"))
    }
}

impl fmt::Display for LatePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in pool {:?}", self.name)?;
        for (n, straggler) in self.stragglers.iter().enumerate() {
            write!(f, "{} {straggler}", if n == 0 { "" } else { "," })?;
        }
        if self.queued > 0 { write!(f, ", {} jobs wait", self.queued) } else { Ok(()) }
    }
}

/// What the builder has set, and how far shutdown is.
pub(super) struct ShutdownState {
    pub(super) policy: StopPolicy,
    /// The most time that it may take.
    within: Option<Duration>,
    /// When that has passed, on the reactor's clock. `None` if there is no limit, or it has passed.
    deadline: Cell<Option<Duration>>,
    result: RefCell<Shutdown>,
}

impl ShutdownState {
    pub(super) fn new(policy: StopPolicy, within: Option<Duration>) -> Self {
        Self { policy, within, deadline: Cell::default(), result: RefCell::default() }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline.get()
    }
}

impl Reactor {
    /// How the reactor has shut down. `None` before [`turn`](Self::turn) has returned
    /// [`Ended`](crate::reactor::Turn::Ended).
    #[must_use]
    pub fn ended(&self) -> Option<Shutdown> {
        self.core.has_ended().then(|| self.core.shutdown.result.borrow().clone())
    }

    /// Shutdown begins: its time runs from now on.
    pub(super) fn limit_shutdown(&self) {
        let state = &self.core.shutdown;
        let deadline = state.within.map(|within| self.now().saturating_add(within));
        state.deadline.set(deadline.filter(|&deadline| deadline < NEVER));
    }

    /// If the time for shutdown is over, its triggers run without waiting for what is late.
    pub(super) fn hurry_shutdown(&self) {
        let state = &self.core.shutdown;
        if state.deadline.get().is_some_and(|deadline| deadline <= self.now()) {
            state.deadline.set(None);
            state.result.borrow_mut().timed_out = true;
            self.hurry(&Event::SHUTDOWN);
        }
    }

    /// Shutdown is over: lists what is late, unless all that it waited for has ended.
    pub(super) fn list_late_pools(&self) {
        let state = &self.core.shutdown;
        state.deadline.set(None);
        if !state.result.borrow().timed_out {
            return;
        }
        let late = self.core.shared.pools.late();
        state.result.borrow_mut().late =
            late.map(|(name, stragglers, queued)| LatePool { name, stragglers, queued }).collect();
    }
}
