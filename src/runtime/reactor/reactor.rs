//! The methods of [`Reactor`] that do not belong to one of its parts.

use std::fmt;
use std::time::Duration;

use super::super::deferred::Outcome;
use super::super::pool::{IntoJob, Job, ThreadPool, Work};
use super::super::report::{Incident, drop_contained};
use super::super::sync::Arc;
#[allow(unused_imports, reason = "a link of the documentation")]
use super::Address;
use super::owned::DropOrder;
use super::triggers::{Event, Phase, TriggerId};
use super::{Call, DelayedCall, Handle, LocalHandle, Owned, Reactor, ReactorBuilder};
use crate::error::{FireEventError, Rejected, StopError, UnknownPool, UnknownTrigger};
use crate::failure::Failure;
use crate::machine::lifecycle::{Lifecycle, StopRefused};

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

    /// Starts to describe a reactor: see [`ReactorBuilder`].
    pub fn builder() -> ReactorBuilder {
        ReactorBuilder::new()
    }

    /// A handle to this reactor, for other threads.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.core.shared) }
    }

    /// A weak handle to this reactor, for callbacks and values on its own thread.
    #[must_use]
    pub fn local(&self) -> LocalHandle {
        LocalHandle::new(self)
    }

    /// Asks the reactor to stop. Shutdown begins at the end of the current turn, not inside this call. If startup is
    /// still waiting for a Deferred then, its triggers that are left never run, and are dropped.
    ///
    /// # Errors
    /// The reactor is not running, or is stopping already. [`Handle::stop`] can be called before it runs.
    pub fn stop(&self) -> Result<(), StopError> {
        self.core.transition(Lifecycle::request_stop).map_err(|refused| match refused {
            StopRefused::NotRunning => StopError::NotRunning,
            StopRefused::AlreadyStopping => StopError::AlreadyStopping,
        })
    }

    /// Whether the reactor is running: from the *during* phase of startup to the *during* phase of shutdown.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.core.lifecycle.get().is_running()
    }

    /// Whether it begins nothing new: it runs its last calls, or has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.core.lifecycle.get().is_closed()
    }

    /// Drops what will never be used, with a panic contained.
    pub(super) fn refuse<T>(&self, value: T) {
        let _scope = self.core.reporter.enter();
        drop_contained(value);
    }

    /// The time since the reactor was made, on its own clock, which is monotonic.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.core.clock.now()
    }

    /// Runs `f` in a later turn: see [`Handle::call_from_thread`].
    ///
    /// # Errors
    /// The reactor takes no more calls, or its bounded inbox is full: the call is handed back.
    pub fn call_from_thread<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        self.handle().call_from_thread(f)
    }

    /// Runs `f` now if the reactor is running; otherwise when it has started, in the order of these calls.
    ///
    /// If shutdown has begun before that, or has passed its *before* phase, `f` never runs and is dropped at once.
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

    /// Runs `f` on this thread when `delay` has passed, or later if the loop is busy. Calls with equal deadlines run in
    /// the order in which they were added.
    ///
    /// A call that is added by a running timer waits for the next turn, however short its delay. [`Duration::MAX`] is
    /// never, and so is a delay too long for the clock. While the machine is suspended, the system's monotonic clock
    /// stands still on Linux and macOS: the delay takes that much longer. If the reactor has ended, the call is
    /// cancelled already, and `f` is dropped before this returns. If it is running its last calls, `f` is dropped after
    /// them.
    ///
    /// Cost: one allocation and an entry in a heap, O(log n) in the worst case; to cancel or to move it costs the same.
    /// A closure of more than 128 bytes has an allocation of its own.
    #[allow(clippy::needless_pass_by_value)]
    pub fn call_later<F>(&self, delay: Duration, f: F) -> DelayedCall
    where
        F: FnOnce(&Reactor) + 'static,
    {
        let at = self.now().saturating_add(delay);
        let call = self.add_call_at(at, f);
        self.wake_host_by(at);
        call
    }

    /// [`call_later`](Self::call_later), whose call is given to `keep` before a host is woken, whose hook may turn the
    /// reactor at once, and do anything else.
    pub(crate) fn call_later_kept<F>(&self, delay: Duration, f: F, keep: impl FnOnce(DelayedCall))
    where
        F: FnOnce(&Reactor) + 'static,
    {
        let at = self.now().saturating_add(delay);
        keep(self.add_call_at(at, f));
        self.wake_host_by(at);
    }

    /// [`call_later`](Self::call_later), at a time of the reactor's clock and without waking a host that sleeps. It is
    /// [woken](Self::wake_host_by) when the call is kept where its function looks for it.
    pub(crate) fn add_call_at<F>(&self, at: Duration, f: F) -> DelayedCall
    where
        F: FnOnce(&Reactor) + 'static,
    {
        // Not before it has ended: what the last calls add is dropped at the end, after blocked callers were told.
        if self.core.has_ended() {
            self.refuse(f);
            return DelayedCall::cancelled(&self.core, at);
        }
        DelayedCall::add(&self.core, at, f)
    }

    /// Wakes a host that sleeps past this time.
    pub(crate) fn wake_host_by(&self, at: Duration) {
        self.core.due_by(at);
    }

    /// The number of delayed calls that are pending.
    #[must_use]
    pub fn delayed_calls(&self) -> usize {
        self.core.timers.len()
    }

    /// Runs a job, a function or a [`Job`], on a thread of the reactor's pool: see [`Handle::call_in_thread`].
    ///
    /// # Errors
    /// The reactor has stopped its pool, or the pool's bounded queue is full: the job is handed back.
    #[track_caller]
    pub fn call_in_thread<J>(&self, job: J) -> Result<(), Rejected<Job>>
    where
        J: IntoJob<Function: Work>,
    {
        self.thread_pool().call_in_thread(job)
    }

    /// The reactor's thread pool. It starts its first thread when the reactor runs and there is a job.
    #[must_use]
    pub fn thread_pool(&self) -> &ThreadPool {
        self.core.shared.pools.main()
    }

    /// The reactor's pool of this name: one that was added with [`ReactorBuilder::add_pool`] or
    /// [`ReactorBuilder::share_pool`], or its own, which is called `reactor` unless [`ReactorBuilder::pool_name`]
    /// changed that.
    ///
    /// ```
    /// use selvedge::{Reactor, ThreadPool, threads};
    ///
    /// let reactor = Reactor::builder()
    ///     .add_pool("slow disk", ThreadPool::builder().size(0, 2))
    ///     .build()?;
    /// let handle = reactor.handle();
    /// let read = threads::defer_to_thread_pool(&reactor, reactor.pool("slow disk")?, || std::fs::read("Cargo.toml"));
    /// read.add_both(move |_| handle.stop());
    /// reactor.run();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such pool. The error lists the names of all.
    pub fn pool(&self, name: &str) -> Result<&ThreadPool, UnknownPool> {
        self.core.shared.pools.get(name)
    }

    /// Sets the maximum number of threads of the reactor's pool: see [`Handle::suggest_thread_pool_size`].
    pub fn suggest_thread_pool_size(&self, size: usize) {
        self.thread_pool().suggest_size(size);
    }

    /// Gives a value to the reactor. The value stays on this thread; its [`Address`] can go anywhere.
    ///
    /// If the reactor has ended, the value is dropped inside this call, and the owner is empty. Cost: two allocations
    /// and an entry in a radix tree.
    #[track_caller]
    pub fn own<T: 'static>(&self, value: T) -> Owned<T> {
        Owned::new(self, DropOrder::Value, value)
    }

    /// Runs `f` once when `event` is fired, in its `phase`, in the order in which triggers were added. If `f` returns a
    /// Deferred, the next phase waits for it.
    ///
    /// What `f` returns has no value: one of another type than `()` is dropped by `.map(drop)`, and what is a Deferred
    /// inside a `Result`, as from [`Address::with`], becomes one by `.unwrap_or_else(Deferred::fail)`.
    ///
    /// A failure, returned or of the Deferred, is reported and delays nothing. Triggers may add and remove others while
    /// the event fires. One that can never run is dropped inside this call: in a phase of startup or shutdown that is
    /// over, of startup once shutdown has begun, or of a reactor that has ended. Cost: an allocation and an entry in a
    /// search tree, which is found by the event's name.
    ///
    /// What `f` captures is dropped when it has returned: an [`Owned`] that is moved into a shutdown trigger takes its
    /// value along, while the inbox still accepts calls to its address. `detach` leaves the value to the reactor's end.
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::{Event, Phase}};
    ///
    /// let reactor = Reactor::new();
    /// reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, |_| println!("goodbye"));
    /// reactor.call_when_running(|reactor| reactor.stop().unwrap_or_default());
    /// reactor.run();
    /// ```
    pub fn add_event_trigger<R, F>(&self, phase: Phase, event: impl Into<Event>, f: F) -> TriggerId
    where
        F: FnOnce(&Reactor) -> R + 'static,
        R: Outcome<Failure, Value = ()>,
    {
        let _scope = self.core.reporter.enter();
        self.core.triggers.add(self.core.lifecycle.get(), phase, event.into(), f)
    }

    /// Removes a trigger that has not run. Its captures are dropped at once.
    ///
    /// # Errors
    /// No trigger with this id is pending: it has run, was removed, or belongs to another reactor.
    pub fn remove_event_trigger(&self, id: TriggerId) -> Result<(), UnknownTrigger> {
        let _scope = self.core.reporter.enter();
        self.core.triggers.remove(id)
    }

    /// Fires an event of the program's own: runs its triggers, if it has any, inside this call, up to one that returns
    /// a Deferred which has not fired.
    ///
    /// Firings of one event do not overlap: one that is asked for while the event is being fired, by a trigger for
    /// example, begins when that is over. So a trigger that adds itself again and fires its own event does so for ever,
    /// inside the first call.
    ///
    /// # Errors
    /// The event is [`STARTUP`](Event::STARTUP) or [`SHUTDOWN`](Event::SHUTDOWN), which only the reactor fires, or the
    /// reactor has ended.
    pub fn fire_event(&self, event: impl Into<Event>) -> Result<(), FireEventError> {
        let event = event.into();
        if event.is_built_in() {
            return Err(FireEventError::BuiltIn);
        }
        if self.core.has_ended() {
            return Err(FireEventError::ReactorStopped);
        }
        let _scope = self.core.reporter.enter();
        self.fire(event);
        Ok(())
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
