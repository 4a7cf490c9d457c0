//! A reactor before it is made: the size and name of its pool, its sink for failures, its clock.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::super::inbox::Inbox;
use super::super::pool::ThreadPool;
use super::super::report::{Report, Reporter};
use super::super::residence::Residence;
use super::super::sync::{Arc, Spin, current_thread};
use super::clock::{Clock, VirtualClock};
use super::handle::Shared;
use super::owned::Table;
use super::timers::Timers;
use super::triggers::Triggers;
use super::{Core, Reactor};
use crate::error::SizeError;
use crate::machine::lifecycle::Lifecycle;

/// Describes a reactor: what [`Reactor::builder`] returns.
///
/// ```
/// use selvedge::Reactor;
///
/// let reactor = Reactor::builder()
///     .pool_size(2, 30)
///     .pool_name("lookups")
///     .on_report(|report| eprintln!("{report}"))
///     .build()?;
/// # Ok::<(), selvedge::SizeError>(())
/// ```
#[must_use]
pub struct Builder {
    min: usize,
    max: usize,
    pool_name: String,
    reporter: Reporter,
    clock: Option<VirtualClock>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self { min: 5, max: 10, pool_name: "reactor".to_owned(), reporter: Reporter::default(), clock: None }
    }

    /// At least `min` and at most `max` threads in the reactor's pool, once it has anything to do. By default 5 and 10.
    pub fn pool_size(mut self, min: usize, max: usize) -> Self {
        (self.min, self.max) = (min, max);
        self
    }

    /// The name of the pool: its threads are called `<name>-<n>`. By default `reactor`.
    pub fn pool_name(mut self, name: impl Into<String>) -> Self {
        self.pool_name = name.into();
        self
    }

    /// Where failures are told that nobody else can handle: panics of calls, timers, triggers and jobs, failed Deferreds that were
    /// dropped. By default a line on stderr.
    ///
    /// Called on the thread that met the failure, never under a lock. Should the sink panic, the report goes to stderr.
    pub fn on_report<F>(mut self, sink: F) -> Self
    where
        F: Fn(&Report<'_>) + Send + Sync + 'static,
    {
        self.reporter = Reporter::new(sink);
        self
    }

    /// The clock for the reactor's timers. By default the monotonic clock of the system.
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The reactor, on this thread, where it stays.
    ///
    /// # Errors
    /// The pool's minimum is above its maximum.
    pub fn build(self) -> Result<Reactor, SizeError> {
        let pool = ThreadPool::builder().size(self.min, self.max).or(&self.pool_name, &self.reporter).build()?;
        Ok(Reactor::assemble(pool, self.reporter, self.clock.map_or_else(Clock::real, Clock::Virtual)))
    }
}

impl Reactor {
    pub(super) fn assemble(pool: ThreadPool, reporter: Reporter, clock: Clock) -> Self {
        let core = Core {
            shared: Arc::new(Shared { inbox: Inbox::new(), pool, thread: current_thread(), spin: Spin::new() }),
            reporter,
            clock,
            lifecycle: Cell::new(Lifecycle::new()),
            turning: Cell::new(false),
            batch: Cell::default(),
            timers: Timers::default(),
            triggers: Triggers::new(),
            owned: Table::default(),
            _residence: Residence::here(),
        };
        let reactor = Self { core: Rc::new(core) };
        reactor.attach_own_triggers();
        reactor
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("pool_name", &self.pool_name)
            .field("pool_size", &(self.min..=self.max))
            .field("reporter", &self.reporter)
            .field("clock", &self.clock)
            .finish()
    }
}
