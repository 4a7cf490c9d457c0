//! Handles to a reactor: [`Handle`] for any thread, [`LocalHandle`] for its own.

use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deadline::WhenFull;
use super::super::deferred::Plain;
use super::super::pool::{Blocked, IntoJob, Job, ThreadPool, Work};
use super::super::reactor_thread::is_reactor_thread;
use super::super::report::drop_contained;
use super::super::sync::{Arc, Spin, current_thread};
use super::super::typed_queue;
use super::calls::BoxedCall;
use super::{Call, Core, Reactor, Shared};
use crate::error::{ReactorStopped, Rejected, Rejection, UnknownPool};

/// A handle to a reactor, for any thread. It is cheap to clone.
///
/// It does not keep the reactor alive. Once the reactor has stopped, it hands back what it is given.
///
/// ```
/// use selvedge::Reactor;
///
/// let reactor = Reactor::new();
/// let handle = reactor.handle();
/// std::thread::spawn(move || {
///     handle.call_from_thread(|reactor| {
///         println!("on the reactor's thread");
///         reactor.stop().ok();
///     })
/// });
/// reactor.run();
/// ```
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Handle {
    /// Runs `f` on the reactor's thread in a later turn, after everything that was posted before, from any thread.
    /// Returns at once.
    ///
    /// May be called on the reactor's own thread: `f` still runs later, not inside this call. Before the reactor runs,
    /// calls wait for it. An accepted call runs, unless the reactor is dropped before it has run to its end: then the
    /// call is dropped on that thread.
    ///
    /// Cost: one short lock, and one wake if the loop sleeps. Posting to a loop that is awake, or being woken, makes no
    /// system call. Usually nothing is allocated: calls of one type lie side by side in memory that earlier ones have
    /// left. A closure is boxed if it captures more than 128 bytes, or if calls of 32 other types are waiting already.
    ///
    /// # Errors
    /// The call is handed back, not run: the reactor has stopped, or its inbox is
    /// [bounded](crate::reactor::ReactorBuilder::inbox_bound) and full. It never waits for a slot:
    /// [`call_from_thread_waiting`](Self::call_from_thread_waiting) does.
    pub fn call_from_thread<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        self.post_bounded(f, WhenFull::Return)
    }

    /// [`call_from_thread`](Self::call_from_thread) that waits for a slot if the inbox is
    /// [bounded](crate::reactor::ReactorBuilder::inbox_bound) and full, at most for `timeout`; without a limit if that
    /// is `None`.
    ///
    /// A pool's thread that waits here counts as [blocked](crate::threads::blocked).
    ///
    /// ```
    /// use selvedge::{Reactor, error::Rejection};
    /// use std::num::NonZeroUsize;
    ///
    /// let reactor = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build()?;
    /// let handle = reactor.handle();
    /// handle.call_from_thread(|_| ())?;
    /// assert_eq!(handle.call_from_thread(|_| ()).unwrap_err().reason, Rejection::InboxFull);
    /// // On this thread, the loop would wait for itself.
    /// assert_eq!(handle.call_from_thread_waiting(None, |_| ()).unwrap_err().reason, Rejection::WouldDeadlock);
    /// let poster = std::thread::spawn(move || {
    ///     handle.call_from_thread_waiting(None, |reactor| reactor.stop().unwrap_or_default()).is_ok()
    /// });
    /// reactor.run();
    /// assert!(poster.join().unwrap());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// **Cancel safety.** A caller that gives up leaves nothing behind: its call is handed back.
    ///
    /// # Errors
    /// The call is handed back with the reason: the timeout passed, the reactor has stopped, or a reactor lives on this
    /// thread that has not ended: it must not wait then. The last is an error even if a slot is free, so that it does
    /// not depend on timing. There, use [`call_from_thread`](Self::call_from_thread), which does not wait.
    pub fn call_from_thread_waiting<F>(&self, timeout: Option<Duration>, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        if is_reactor_thread() {
            return Err(Rejected::new(Call::new(f), Rejection::WouldDeadlock));
        }
        match self.post_bounded(f, WhenFull::Return) {
            Err(Rejected { job, reason: Rejection::InboxFull, .. }) => {
                let _blocked = Blocked::enter();
                self.post_bounded(move |reactor: &Reactor| job.call(reactor), WhenFull::wait_at_most(timeout))
            }
            outcome => outcome,
        }
    }

    /// Posts a call if a slot is free. One too large to be moved under the lock is boxed first.
    fn post_bounded<F>(&self, f: F, when_full: WhenFull) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        let inbox = &self.shared.inbox;
        let handed_back = if typed_queue::fits::<F>() {
            inbox.post_bounded(f, when_full).map_err(|(f, reason)| (Call::new(f), reason))
        } else {
            let call: BoxedCall = Box::new(f);
            inbox.post_bounded(call, when_full).map_err(|(call, reason)| (Call::new(call), reason))
        };
        handed_back.map_err(|(call, reason)| Rejected::new(call, reason))
    }

    /// Posts a call whatever the inbox's bound: it carries what must not be lost, as a result or a value to drop on the
    /// loop's thread.
    pub(crate) fn post_unbounded<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        self.shared.post_unbounded(f)
    }

    /// Runs a job, a function or a [`Job`], on a thread of the reactor's pool, and returns at once: see
    /// [`ThreadPool::call_in_thread`].
    ///
    /// Before the reactor runs, jobs wait for it.
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

    /// Asks the reactor to stop. The request is posted like a call: calls posted before it run first.
    ///
    /// **Signals** are not caught here, because that needs `unsafe` or a dependency. A thread that waits for them (that
    /// of the crate `signal-hook`, for example) calls this; or it posts a call that fires a
    /// [`Resolver`](crate::Resolver), and the signal is a Deferred.
    ///
    /// A reactor that has not started stops in its first turn. If it has stopped or is stopping, this does nothing.
    pub fn stop(&self) {
        // An error means that the reactor has stopped already.
        let _ = self.post_unbounded(|reactor| {
            let _ = reactor.stop();
        });
    }

    /// How many posted calls wait, results of jobs and wakes of tasks included. The calls of the turn that runs do not
    /// count: it has taken them. An ended reactor has none.
    ///
    /// A short lock, as for a post. The answer may be out of date at once: it is for those who watch a program.
    #[must_use]
    pub fn queued_calls(&self) -> usize {
        self.shared.inbox.queued()
    }

    /// The reactor's thread pool.
    #[must_use]
    pub fn thread_pool(&self) -> &ThreadPool {
        self.shared.pools.main()
    }

    /// The reactor's pool of this name: see [`Reactor::pool`].
    ///
    /// # Errors
    /// There is no such pool. The error lists the names of all.
    pub fn pool(&self, name: &str) -> Result<&ThreadPool, UnknownPool> {
        self.shared.pools.get(name)
    }

    /// Sets the maximum number of threads of the reactor's pool, before the reactor runs or while it does. Zero pauses
    /// the pool.
    ///
    /// A minimum above the new maximum is lowered to it.
    pub fn suggest_thread_pool_size(&self, size: usize) {
        self.thread_pool().suggest_size(size);
    }

    /// Whether this is the thread that this reactor lives on. Other reactors do not count.
    #[must_use]
    pub fn is_in_reactor_thread(&self) -> bool {
        current_thread() == self.shared.thread
    }

    pub(crate) fn spin(&self) -> &Spin {
        &self.shared.spin
    }

    /// A spurious wake of the loop, for models.
    #[doc(hidden)]
    pub fn wake_spuriously(&self) {
        self.shared.inbox.wake_spuriously();
    }
}

/// What a job or another reactor returns may be a handle.
impl Plain for Handle {}

impl Shared {
    /// [`Handle::post_unbounded`], for whoever has no handle.
    pub(super) fn post_unbounded<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        let handed_back = if typed_queue::fits::<F>() {
            self.inbox.post(f).map_err(Call::new)
        } else {
            let call: BoxedCall = Box::new(f);
            self.inbox.post(call).map_err(Call::new)
        };
        handed_back.map_err(|call| Rejected::new(call, Rejection::ReactorStopped))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("inbox", &self.shared.inbox).field("pool", self.thread_pool()).finish()
    }
}

/// A weak handle to a reactor, for its own thread: for callbacks of Deferreds and for reactor-owned values.
///
/// It does not keep the reactor alive, so it makes no reference cycle.
///
/// ```
/// use selvedge::{Deferred, Reactor};
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let (answer, resolver) = Deferred::<u32>::new();
/// let local = reactor.local();
/// answer.add_callback(move |answer| {
///     assert_eq!(answer, 42);
///     local.stop();
/// });
/// reactor.call_later(Duration::from_millis(1), move |_| resolver.callback(42));
/// reactor.run();
/// ```
#[derive(Clone)]
pub struct LocalHandle {
    core: Weak<Core>,
    handle: Handle,
}

impl LocalHandle {
    pub(super) fn new(reactor: &Reactor) -> Self {
        Self { core: Rc::downgrade(&reactor.core), handle: reactor.handle() }
    }

    /// Calls `f` with the reactor, now. If the program drops the [`Reactor`] meanwhile, it ends when `f` has returned.
    ///
    /// # Errors
    /// The reactor has ended; `f` is dropped without being called.
    pub fn with<R>(&self, f: impl FnOnce(&Reactor) -> R) -> Result<R, ReactorStopped> {
        match self.reactor() {
            Ok(reactor) => Ok(f(&reactor)),
            Err(stopped) => {
                drop_contained(f);
                Err(stopped)
            }
        }
    }

    /// The reactor. Do not keep it: that would keep the reactor alive.
    pub(crate) fn reactor(&self) -> Result<Reactor, ReactorStopped> {
        let core = self.core.upgrade().ok_or(ReactorStopped)?;
        if core.has_ended() { Err(ReactorStopped) } else { Ok(Reactor { core }) }
    }

    /// Whether the reactor has ended: then the other methods fail at once, and do nothing. While it winds down it has
    /// not.
    ///
    /// ```
    /// use selvedge::Reactor;
    ///
    /// let reactor = Reactor::new();
    /// let local = reactor.local();
    /// let inside = local.clone();
    /// reactor.call_later(std::time::Duration::ZERO, move |_| {
    ///     assert!(!inside.has_ended());
    ///     inside.stop();
    /// });
    /// reactor.run();
    /// assert!(local.has_ended());
    /// ```
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.core.upgrade().is_none_or(|core| core.has_ended())
    }

    /// The handle for other threads.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl fmt::Debug for LocalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHandle").field("handle", &self.handle).finish()
    }
}
