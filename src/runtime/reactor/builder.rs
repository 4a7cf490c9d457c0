//! A reactor before it is made: the size and name of its pool, its sink for failures, its clock.

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroUsize;
use std::rc::Rc;

use super::super::inbox::Inbox;
use super::super::pool::{PoolBuilder, ThreadPool};
use super::super::reactor_thread::ReactorThreadGuard;
use super::super::report::{Report, Reporter};
use super::super::sync::{Arc, Spin, current_thread};
use super::calls::Calls;
use super::clock::{Clock, VirtualClock};
use super::owned::Table;
use super::pools::{Added, Pools};
use super::timers::Timers;
use super::triggers::Triggers;
use super::{Core, Reactor, Shared};
use crate::error::BuildError;
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
/// # Ok::<(), selvedge::error::BuildError>(())
/// ```
#[must_use]
pub struct ReactorBuilder {
    pool: PoolBuilder,
    added: Vec<(String, Added)>,
    reporter: Reporter,
    clock: Option<VirtualClock>,
    inbox_bound: usize,
}

impl ReactorBuilder {
    pub(super) fn new() -> Self {
        let pool = ThreadPool::builder().size(5, 10);
        Self { pool, added: Vec::new(), reporter: Reporter::default(), clock: None, inbox_bound: usize::MAX }
    }

    /// At least `min` and at most `max` threads in the reactor's pool, once it has anything to do. By default 5 and 10.
    pub fn pool_size(mut self, min: usize, max: usize) -> Self {
        self.pool = self.pool.size(min, max);
        self
    }

    /// The name of the pool: its threads are called `<name>-<n>`. By default `reactor`.
    pub fn pool_name(mut self, name: impl Into<String>) -> Self {
        self.pool = self.pool.name(name);
        self
    }

    /// Whatever else can be said of the reactor's pool: its stacks, its hooks, the contexts that travel with its jobs.
    ///
    /// ```
    /// use selvedge::Reactor;
    ///
    /// let reactor = Reactor::builder()
    ///     .configure_pool(|pool| pool.stack_size(1 << 20).on_worker_start(|worker| println!("{worker} begins")))
    ///     .build()?;
    /// # Ok::<(), selvedge::error::BuildError>(())
    /// ```
    pub fn configure_pool(mut self, configure: impl FnOnce(PoolBuilder) -> PoolBuilder) -> Self {
        self.pool = configure(self.pool);
        self
    }

    /// One more pool, of the reactor's own: so that quick jobs need not queue behind slow ones. It is reached with [`Reactor::pool`] and [`Handle::pool`](super::Handle::pool).
    ///
    /// It is to the reactor what its first pool is: started with it, without a thread until the first job comes, and wound down and joined when it
    /// shuts down, all pools at the same time. Its threads are called by this name, and it reports to the reactor's sink,
    /// unless it was given its own.
    ///
    /// ```
    /// use selvedge::{Reactor, ThreadPool};
    ///
    /// let reactor = Reactor::builder()
    ///     .add_pool("lookups", ThreadPool::builder().size(0, 50))
    ///     .add_pool("disk", ThreadPool::builder().size(0, 2))
    ///     .build()?;
    /// reactor.pool("disk")?.call_in_thread(|| println!("not behind fifty lookups"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_pool(mut self, name: impl Into<String>, pool: PoolBuilder) -> Self {
        self.added.push((name.into(), Added::Own(pool)));
        self
    }

    /// Somebody else's pool, to be reached by this name: one that several reactors share. None of them starts or stops it: results that come after a reactor's end are
    /// dropped, and those of the others still reach them.
    ///
    /// ```
    /// use selvedge::{Reactor, ThreadPool};
    ///
    /// let encoders = ThreadPool::new(0, 4)?;
    /// encoders.start()?;
    /// let reactor = Reactor::builder().share_pool("encoders", &encoders).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn share_pool(mut self, name: impl Into<String>, pool: &ThreadPool) -> Self {
        self.added.push((name.into(), Added::Shared(pool.clone())));
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

    /// The most calls that may wait for the loop, of those posted by [`call_from_thread`](crate::Handle::call_from_thread) and its kin. By default as many as there is memory for.
    ///
    /// When as many wait, [`call_from_thread`](crate::Handle::call_from_thread) hands its call back ([`InboxFull`](crate::error::Rejection::InboxFull)), also on the loop's own thread, and
    /// [`call_from_thread_waiting`](crate::Handle::call_from_thread_waiting) waits for a place. What must not be lost is not bounded: results of jobs, blocking calls, `stop`,
    /// values that come home to be dropped. A batch that the loop has taken waits no more.
    pub fn inbox_bound(mut self, calls: NonZeroUsize) -> Self {
        self.inbox_bound = calls.get();
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
    /// The minimum of a pool is above its maximum, or two pools have one name.
    pub fn build(self) -> Result<Reactor, BuildError> {
        let pools = Pools::build(self.pool, self.added, &self.reporter)?;
        let inbox = Inbox::bounded(self.inbox_bound);
        Ok(Reactor::assemble(inbox, pools, self.reporter, self.clock.map_or_else(Clock::real, Clock::Virtual)))
    }
}

impl Reactor {
    pub(super) fn assemble(inbox: Inbox<Calls>, pools: Pools, reporter: Reporter, clock: Clock) -> Self {
        let core = Core {
            shared: Arc::new(Shared { inbox, pools, thread: current_thread(), spin: Spin::new() }),
            reporter,
            clock,
            lifecycle: Cell::new(Lifecycle::new()),
            turning: Cell::new(false),
            batch: Cell::default(),
            timers: Timers::default(),
            triggers: Triggers::new(),
            owned: Table::default(),
            _thread: ReactorThreadGuard::enter(),
        };
        let reactor = Self { core: Rc::new(core) };
        reactor.add_own_triggers();
        reactor
    }
}

impl fmt::Debug for ReactorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReactorBuilder")
            .field("pool", &self.pool)
            .field("added", &self.added)
            .field("reporter", &self.reporter)
            .field("clock", &self.clock)
            .finish()
    }
}
