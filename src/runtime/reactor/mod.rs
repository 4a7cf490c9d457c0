//! The reactor: an event loop that owns what is not thread-safe, and what runs on its thread.

mod advance;
mod builder;
mod calls;
mod clock;
mod handle;
mod owned;
mod pools;
mod send_future;
mod sleep;
mod spawn;
mod timeout;
mod timers;
mod triggers;
mod turn;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use self::calls::Calls;
use self::clock::Clock;
use self::handle::Shared;
pub(crate) use self::owned::DropOrder;
use self::owned::Table;
use self::timers::Timers;
use self::triggers::Triggers;
use super::deferred::Outcome;
use super::pool::{Job, ThreadPool};
use super::reactor_thread::ReactorThreadGuard;
use super::report::{Incident, Reporter};
use super::sync::Arc;
use crate::error::{Rejected, StopError, UnknownPool, UnknownTrigger};
use crate::failure::Failure;
use crate::machine::lifecycle::{Lifecycle, StopRefused};

pub use self::builder::ReactorBuilder;
pub use self::clock::VirtualClock;
pub use self::handle::{Handle, LocalHandle};
pub use self::owned::{Address, Owned};
pub use self::send_future::SendFuture;
pub use self::timers::DelayedCall;
pub use self::triggers::{Event, Phase, TriggerId};
pub use self::turn::Turn;

/// A call that a reactor did not accept: it comes back inside [`Rejected`].
pub struct Call(Box<dyn FnOnce(&Reactor) + Send>);

impl Call {
    /// Makes the call, here and now: on the thread of the reactor that is given. A panic is not contained.
    pub fn call(self, reactor: &Reactor) {
        (self.0)(reactor);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

/// A call that never leaves the reactor's thread.
type LocalCall = Box<dyn FnOnce(&Reactor)>;

/// An event loop: it owns what is not thread-safe, runs what other threads post to it, and keeps the timers.
///
/// It lives on the thread that made it, and only a [`Handle`] of it can travel. Whatever runs on it is given a `&Reactor`; Deferred
/// callbacks, which are not, reach it through a [`LocalHandle`]. A panic in any of this is contained and reported
/// ([`ReactorBuilder::on_report`]), and the loop goes on.
///
/// ```
/// use selvedge::Reactor;
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// reactor.call_in_thread(move || {
///     // On a thread of the pool: may block.
///     std::thread::sleep(Duration::from_millis(2));
///     handle.call_from_thread(|reactor| {
///         // On the reactor's thread again: must not.
///         reactor.stop().ok();
///     })
///     .ok();
/// })?;
/// reactor.run();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reactor {
    core: Rc<Core>,
}

/// All of a reactor. Weak references to it are what delayed calls, owners and local handles hold.
struct Core {
    shared: Arc<Shared>,
    reporter: Reporter,
    clock: Clock,
    lifecycle: Cell<Lifecycle>,
    /// A turn is under way.
    turning: Cell<bool>,
    /// The buffer that is exchanged for the inbox's, emptied.
    batch: Cell<Calls>,
    timers: Timers,
    triggers: Triggers,
    owned: Table,
    _thread: ReactorThreadGuard,
}

impl Default for Reactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Reactor {
    /// A reactor on this thread, not running, with a pool of 5 to 10 threads that is started when it is first needed.
    #[must_use]
    pub fn new() -> Self {
        let Ok(reactor) = Self::builder().build() else { unreachable!("the builder's own sizes are in order") };
        reactor
    }

    /// A reactor to be described: see [`ReactorBuilder`].
    pub fn builder() -> ReactorBuilder {
        ReactorBuilder::new()
    }

    /// What other threads hold of this reactor.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.core.shared) }
    }

    /// A weak way back to this reactor, for callbacks and values that live on its thread.
    #[must_use]
    pub fn local(&self) -> LocalHandle {
        LocalHandle::new(self)
    }

    /// Asks the reactor to stop. Nothing stops in here: shutdown begins at the end of the present turn.
    ///
    /// # Errors
    /// The reactor does not run, or is stopping already.
    pub fn stop(&self) -> Result<(), StopError> {
        self.core.step(Lifecycle::request_stop).map_err(|refused| match refused {
            StopRefused::NotRunning => StopError::NotRunning,
            StopRefused::AlreadyStopping => StopError::AlreadyStopping,
        })
    }

    /// Whether the reactor runs: true from the *during* phase of startup to that of shutdown.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.core.lifecycle.get().is_running()
    }

    /// Time since the reactor was made, on its own clock, which never goes back.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.core.clock.now()
    }

    /// Runs `f` in a turn to come: as [`Handle::call_from_thread`], from the reactor's own thread.
    ///
    /// # Errors
    /// The reactor has taken its last calls: this one comes back.
    pub fn call_from_thread<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        self.handle().call_from_thread(f)
    }

    /// Runs `f` now if the reactor runs; else when it has started, in the order of these calls.
    pub fn call_when_running<F>(&self, f: F)
    where
        F: FnOnce(&Reactor) + 'static,
    {
        if self.is_running() {
            self.core.reporter.contain(Incident::Call, || f(self));
        } else {
            let _ = self.add_event_trigger(Phase::After, Event::STARTUP, f);
        }
    }

    /// Runs `f` on this thread when `delay` has passed, or later if the loop is busy. Among equal deadlines, in the order they were added.
    ///
    /// A call that is added by a running timer waits for the next turn, however short its delay. A delay too long for the clock is
    /// the longest one. Cost: two allocations and a place in a search tree.
    #[allow(clippy::needless_pass_by_value)]
    pub fn call_later<F>(&self, delay: Duration, f: F) -> DelayedCall
    where
        F: FnOnce(&Reactor) + 'static,
    {
        self.call_at(self.now().saturating_add(delay), f)
    }

    /// The same, at a time of the reactor's clock.
    pub(crate) fn call_at<F>(&self, at: Duration, f: F) -> DelayedCall
    where
        F: FnOnce(&Reactor) + 'static,
    {
        DelayedCall::schedule(&self.core, at, Box::new(f))
    }

    /// How many delayed calls are still to come.
    #[must_use]
    pub fn delayed_calls(&self) -> usize {
        self.core.timers.len()
    }

    /// Runs `f` on a thread of the reactor's pool: see [`Handle::call_in_thread`].
    ///
    /// # Errors
    /// The reactor has stopped its pool: the job comes back.
    #[track_caller]
    pub fn call_in_thread<F>(&self, f: F) -> Result<(), Rejected<Job>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.thread_pool().call_in_thread(f)
    }

    /// The reactor's pool of threads. It has none until the reactor runs and the first job comes.
    #[must_use]
    pub fn thread_pool(&self) -> &ThreadPool {
        self.core.shared.pools.main()
    }

    /// The pool of this name among those that the reactor was built with, with [`ReactorBuilder::add_pool`] or [`ReactorBuilder::share_pool`]. Its own one goes by its own name,
    /// which is `reactor` unless [`ReactorBuilder::pool_name`] said otherwise.
    ///
    /// ```
    /// use selvedge::{Reactor, ThreadPool, threads};
    ///
    /// let reactor = Reactor::builder()
    ///     .add_pool("slow disk", ThreadPool::builder().size(0, 2))
    ///     .build()?;
    /// let local = reactor.local();
    /// let read = threads::defer_to_thread_pool(&reactor, reactor.pool("slow disk")?, || std::fs::read("Cargo.toml"));
    /// let _ = read.add_both(move |_| local.with(|reactor| reactor.stop()).ok());
    /// reactor.run();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is none; the error says which there are.
    pub fn pool(&self, name: &str) -> Result<&ThreadPool, UnknownPool> {
        self.core.shared.pools.get(name)
    }

    /// Sets how many threads the reactor's pool has at most: see [`Handle::suggest_thread_pool_size`].
    pub fn suggest_thread_pool_size(&self, size: usize) {
        self.thread_pool().suggest_size(size);
    }

    /// Gives a value to the reactor: it never leaves this thread, but its [`Address`] can.
    pub fn own<T: 'static>(&self, value: T) -> Owned<T> {
        Owned::new(self, DropOrder::Value, value)
    }

    /// Runs `f` once, when `event` is fired, in its `phase` and in the order of adding. If it returns a Deferred, the next phase waits for that.
    ///
    /// A failure, returned or of the Deferred, is reported, and holds nothing up. Triggers may add and remove others while the event fires.
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::{Event, Phase}};
    ///
    /// let reactor = Reactor::new();
    /// let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, |_| println!("goodbye"));
    /// reactor.call_when_running(|reactor| reactor.stop().unwrap_or_default());
    /// reactor.run();
    /// ```
    pub fn add_event_trigger<R, F>(&self, phase: Phase, event: impl Into<Event>, f: F) -> TriggerId
    where
        F: FnOnce(&Reactor) -> R + 'static,
        R: Outcome<Failure, Value = ()>,
    {
        self.core.triggers.add(phase, event.into(), f)
    }

    /// Removes a trigger that has not run. What it captured is dropped at once.
    ///
    /// # Errors
    /// There is none with this id, or not any more.
    pub fn remove_event_trigger(&self, id: TriggerId) -> Result<(), UnknownTrigger> {
        let _scope = self.core.reporter.enter();
        self.core.triggers.remove(id)
    }

    /// Fires an event: runs its triggers. One without any is nothing.
    pub fn fire_event(&self, event: impl Into<Event>) {
        let _scope = self.core.reporter.enter();
        triggers::fire(self, event.into(), Box::new(|_| ()));
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("lifecycle", &self.core.lifecycle.get())
            .field("delayed_calls", &self.delayed_calls())
            .field("handle", &self.handle())
            .finish()
    }
}
