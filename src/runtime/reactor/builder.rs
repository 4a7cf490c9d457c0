//! Building a reactor: its pools, its sink for reports, its clock, the bound of its inbox.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use super::super::inbox::Inbox;
use super::super::pool::{PoolBuilder, Stepper, StopPolicy, ThreadPool};
use super::super::reactor_thread::ReactorThreadGuard;
use super::super::report::{Report, Reporter};
use super::super::sync::{Arc, Spin, current_thread};
use super::super::wake_hook::{OnWake, WakeHook};
#[allow(unused_imports, reason = "links of the documentation")]
use super::Turn;
use super::around_turns::{LoopActivity, TurnHooks};
use super::calls::Calls;
use super::clock::{Clock, VirtualClock};
use super::owned::Table;
use super::pools::{MAIN_POOL, PoolSource, Pools};
#[allow(unused_imports, reason = "a link of the documentation")]
use super::shutdown::Shutdown;
use super::shutdown::ShutdownState;
use super::slot_queue::SlotQueues;
use super::timers::Timers;
use super::triggers::Triggers;
use super::{Core, Reactor, Shared};
use crate::error::BuildError;
use crate::machine::lifecycle::Lifecycle;

/// Builds a reactor: what [`Reactor::builder`] returns.
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
///
/// It is `Send`, and the reactor is not: it lives on the thread that calls [`build`](Self::build).
#[must_use]
pub struct ReactorBuilder {
    pool: PoolBuilder,
    added: Vec<(String, PoolSource)>,
    reporter: Reporter,
    clock: Option<VirtualClock>,
    inbox_bound: usize,
    on_wake: Option<OnWake>,
    hooks: TurnHooks,
    stop_policy: StopPolicy,
    stop_within: Option<Duration>,
}

impl ReactorBuilder {
    pub(super) fn new() -> Self {
        let pool = ThreadPool::builder().size(5, 10).compensated();
        Self {
            pool,
            added: Vec::new(),
            reporter: Reporter::default(),
            clock: None,
            inbox_bound: usize::MAX,
            on_wake: None,
            hooks: TurnHooks::default(),
            stop_policy: StopPolicy::Drain,
            stop_within: None,
        }
    }

    /// The minimum and maximum number of threads in the reactor's pool. By default 5 and 10. None is started before
    /// there is a job.
    pub fn pool_size(mut self, min: usize, max: usize) -> Self {
        self.pool = self.pool.size(min, max);
        self
    }

    /// The name of the pool: its threads are called `<name>-<n>`. By default `reactor`.
    pub fn pool_name(mut self, name: impl Into<String>) -> Self {
        self.pool = self.pool.name(name);
        self
    }

    /// Everything else about the reactor's pool, such as its stack size, hooks and contexts.
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

    /// Adds a pool of the reactor's own, so that quick jobs need not queue behind slow ones. It is reached with
    /// [`Reactor::pool`] and [`Handle::pool`](super::Handle::pool).
    ///
    /// The reactor starts it and, at shutdown, stops and joins it, all of its pools at the same time. The name is also
    /// that of its threads, and it reports to the reactor's sink, unless the pool's builder was given others.
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
        self.added.push((name.into(), PoolSource::Own(Box::new(pool))));
        self
    }

    /// Adds a pool that several reactors share, to be reached by this name. The reactor neither starts nor stops it.
    /// Results that come after this reactor's end are dropped; those for other reactors still reach them.
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
        self.added.push((name.into(), PoolSource::Shared(pool.clone())));
        self
    }

    /// Sets the sink for failures that nothing else can handle: panics of calls, timers, triggers and jobs, and
    /// Deferreds that were dropped with an error. The default writes a line to stderr.
    ///
    /// The sink is called on the thread where the failure happened, never under a lock. If it panics, the report goes
    /// to stderr. It is never called inside itself: reports that it causes are delivered when it has returned, on the
    /// same thread, each with the message in place of the error. If those cause others again and again, these go to
    /// stderr.
    ///
    /// A sink that captures a [`Handle`](super::Handle) is never dropped: the handle keeps the pools, and they keep the
    /// sink.
    ///
    /// A Deferred does not know its reactor. If it is dropped with an error, that goes to the sink of the reactor that
    /// this thread runs, turns or drops; outside of these, as before [`run`](Reactor::run), to that of the reactor that
    /// was made last of those that are on this thread. In a job it goes to the sink of its pool, on any other thread to
    /// stderr.
    pub fn on_report<F>(mut self, sink: F) -> Self
    where
        F: Fn(&Report<'_>) + Send + Sync + 'static,
    {
        self.reporter = Reporter::new(sink);
        self
    }

    /// The maximum number of posted calls that wait for the loop. By default there is none.
    ///
    /// When it is reached, [`call_from_thread`](crate::Handle::call_from_thread) hands its call back with
    /// [`InboxFull`](crate::error::Rejection::InboxFull), also on the loop's own thread, and
    /// [`call_from_thread_waiting`](crate::Handle::call_from_thread_waiting) waits for a slot. What must not be lost
    /// ignores the bound: results of jobs, blocking calls, `stop`, and values that are to be dropped on the reactor's
    /// thread. Calls that the loop has taken to run no longer count.
    pub fn inbox_bound(mut self, calls: NonZeroUsize) -> Self {
        self.inbox_bound = calls.get();
        self
    }

    /// Hosts the reactor in a loop of another kind: `hook` is to wake that loop, which then [turns](Reactor::turn) the
    /// reactor.
    ///
    /// A turn that returns [`Turn::Wait`] or [`Turn::Idle`] leaves the reactor asleep. The first thing that makes an
    /// earlier turn necessary calls the hook, **once for each sleep**, however much follows; it is not called while the
    /// reactor is awake: during a turn, after [`Turn::Again`], before the first turn. A turn that begins for another
    /// reason, such as the passing of `Turn::Wait`'s time, ends the sleep too; a hook that was to be called by then may
    /// still be called a moment later, so a host has to accept a wake that it has no reason for.
    ///
    /// Two kinds of things call it: what other threads post, that is calls, [`stop`](crate::Handle::stop), results of
    /// jobs, wakes of tasks, blocking calls, cancels, and the end of a pool; and what the host does on the reactor's
    /// own thread between turns: `Reactor::stop`, a timer that is due before `Turn::Wait`'s time is over, a Deferred
    /// that shutdown waited for. [`VirtualClock::advance`] does not: whoever advances the clock turns the reactor.
    ///
    /// The hook runs on the thread that posts, before its post returns, under no lock. So it should be short, and only
    /// tell the host: write to its waker, send it an event, unpark it. It may post, stop the reactor, and drop the last
    /// handle; a panic goes to the [sink](Self::on_report). On the reactor's own thread it may even turn the reactor:
    /// that is a turn like any other, inside the post, or inside what made a turn due: a timer that is due at once has
    /// run before `call_later` returns. If it then wakes the reactor, it is called again when it has returned, all
    /// inside the first post: on that thread it is never called inside itself. No other thread can turn a reactor; a
    /// hook there may wait until its own thread has. It is dropped when the reactor has ended or is dropped, or by
    /// [`Reactor::run`], which waits by itself; if it is being called then, by the thread that calls it. A second hook
    /// replaces the first.
    ///
    /// Nobody waits for the thread that calls it to tell of a pool's end: where the hook is slow, that thread may
    /// outlive the pool and the reactor.
    ///
    /// Reactors that share a host may share what their hooks do, as each is turned until it is asleep.
    ///
    /// A host that misses a wake, or no longer turns the reactor, loses nothing: what is posted stays in the inbox, for
    /// the next turn or for the drop of the reactor. But whoever waits for it goes on waiting.
    ///
    /// Cost: nothing on a post to a reactor that is awake; a wake costs a second short lock and the hook.
    ///
    /// A host that waits with `park`. The repository's `examples/hosted/` has whole programs: for `polling`, tokio, mio
    /// and winit.
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::Turn};
    /// use std::thread;
    ///
    /// let host = thread::current();
    /// let reactor = Reactor::builder().on_wake(move || host.unpark()).build()?;
    /// let handle = reactor.handle();
    /// thread::spawn(move || handle.stop());
    /// loop {
    ///     match reactor.turn()? {
    ///         Turn::Again => {}
    ///         Turn::Wait(time) => thread::park_timeout(time),
    ///         Turn::Idle => thread::park(),
    ///         Turn::Ended => break,
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_wake(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_wake = Some(OnWake::new(hook));
        self
    }

    /// Adds a hook that surrounds what the loop does. `enter` is called before each turn, and inside it before each
    /// posted call and each timer, with what is about to run; what it returns is dropped when that has run. All on the
    /// reactor's thread, under no lock.
    ///
    /// For watching: how long turns take, and what in them; see [observing](crate::guide::observing). Event triggers
    /// run inside their turn; callbacks of Deferreds inside the call or timer that fires them; and a task is polled in
    /// a call. Several hooks nest: the one added first is entered first and left last. A panic goes to the
    /// [sink](Self::on_report), and what was to run runs all the same, once. The hook may post, set timers and stop the
    /// reactor, which cannot be turned inside. It is dropped with the reactor, after its last turn, on its thread.
    ///
    /// Cost: nothing for a call or a timer of a reactor without hooks, but for a comparison; with one, the hook.
    ///
    /// ```
    /// use selvedge::Reactor;
    /// use std::time::{Duration, Instant};
    ///
    /// struct Slow(String, Instant);
    ///
    /// impl Drop for Slow {
    ///     fn drop(&mut self) {
    ///         if self.1.elapsed() > Duration::from_millis(50) {
    ///             eprintln!("{} took {:?}", self.0, self.1.elapsed());
    ///         }
    ///     }
    /// }
    ///
    /// let reactor = Reactor::builder().around_turns(|_, what| Slow(what.to_string(), Instant::now())).build()?;
    /// reactor.call_later(Duration::ZERO, |reactor| reactor.stop().unwrap_or_default());
    /// reactor.run();
    /// # Ok::<(), selvedge::error::BuildError>(())
    /// ```
    pub fn around_turns<F, G>(mut self, enter: F) -> Self
    where
        F: Fn(&Reactor, LoopActivity) -> G + Send + 'static,
    {
        self.hooks.add(enter);
        self
    }

    /// What becomes of the jobs of the reactor's own pools when it shuts down. By default they are
    /// [run](StopPolicy::Drain).
    pub fn stop_policy(mut self, policy: StopPolicy) -> Self {
        self.stop_policy = policy;
        self
    }

    /// The most time that shutdown may take, on the reactor's clock, from its beginning. By default there is no limit.
    ///
    /// When it is over, nothing is waited for any more, neither a thread nor a trigger's Deferred: the triggers that
    /// are left run, then accepted calls, and the reactor ends. What was late is in the [`Shutdown`] that
    /// [`run`](Reactor::run) returns. A late pool goes on stopping without the reactor; blocking calls of its jobs
    /// return [`ReactorStopped`](crate::error::BlockingCallError::ReactorStopped). A job that runs keeps a
    /// [`VirtualClock`] from advancing by itself: there the limit is reached by hand only.
    pub fn stop_within(mut self, time: Duration) -> Self {
        self.stop_within = Some(time);
        self
    }

    /// Sets a clock for the reactor's timers. By default they use the system's monotonic clock.
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The name of the reactor's pool, for a thread of the reactor's own.
    pub(super) fn thread_name(&self) -> &str {
        self.pool.name_or(MAIN_POOL)
    }

    /// Makes the reactor on this thread, where it stays; [`spawn`](Self::spawn) makes it on a new one.
    ///
    /// # Errors
    /// The minimum of a pool is above its maximum, or two pools have the same name.
    pub fn build(self) -> Result<Reactor, BuildError> {
        self.build_with(None)
    }

    /// Its own pools have no threads: they are stepped.
    pub(crate) fn build_stepped(self) -> Result<(Reactor, Vec<Stepper>), BuildError> {
        let mut steppers = Vec::new();
        let reactor = self.build_with(Some(&mut steppers))?;
        Ok((reactor, steppers))
    }

    /// Sets the sink, unless one was set before.
    pub(crate) fn or_report_to(mut self, sink: impl Fn(&Report<'_>) + Send + Sync + 'static) -> Self {
        self.reporter = self.reporter.or(sink);
        self
    }

    /// Sets the clock, unless one was set before.
    pub(crate) fn or_clock(mut self, clock: VirtualClock) -> Self {
        self.clock.get_or_insert(clock);
        self
    }

    fn build_with(self, steppers: Option<&mut Vec<Stepper>>) -> Result<Reactor, BuildError> {
        let pools = Pools::build(self.pool, self.added, &self.reporter, steppers)?;
        let mut inbox = Inbox::bounded(self.inbox_bound);
        if let Some(hook) = self.on_wake {
            inbox = inbox.hosted(WakeHook::new(hook, self.reporter.clone()));
        }
        let clock = self.clock.map_or_else(Clock::real, Clock::virtual_from);
        let shutdown = ShutdownState::new(self.stop_policy, self.stop_within);
        Ok(Reactor::assemble(inbox, pools, self.reporter, clock, shutdown, self.hooks))
    }
}

impl Reactor {
    fn assemble(
        inbox: Inbox<Calls>,
        pools: Pools,
        reporter: Reporter,
        clock: Clock,
        shutdown: ShutdownState,
        hooks: TurnHooks,
    ) -> Self {
        let core = Core {
            shared: Arc::new(Shared { inbox, pools, thread: current_thread(), spin: Spin::new() }),
            _default_reporter: reporter.set_default(),
            reporter,
            clock,
            lifecycle: Cell::new(Lifecycle::new()),
            turning: Cell::new(false),
            parked: Cell::default(),
            batch: RefCell::default(),
            hooks,
            timers: Timers::default(),
            triggers: Triggers::new(),
            owned: Table::default(),
            shutdown,
            slot_queues: SlotQueues::default(),
            thread: Cell::new(Some(ReactorThreadGuard::enter())),
        };
        let reactor = Self { core: Rc::new(core) };
        reactor.core.shared.pools.all().for_each(|named| reactor.use_pool(&named.pool));
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
            .field("on_wake", &self.on_wake.is_some())
            .field("around_turns", &self.hooks.len())
            .field("stop_policy", &self.stop_policy)
            .field("stop_within", &self.stop_within)
            .finish()
    }
}
