//! What others hold of a reactor: `Handle` from any thread, `LocalHandle` on its own.

use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deadline::WhenFull;
use super::super::pool::Blocked;
use super::super::pool::{Job, ThreadPool};
use super::super::reactor_thread::is_reactor_thread;
use super::super::sync::{Arc, Spin, current_thread};
use super::calls::Calls;
use super::{Call, Core, Reactor, Shared};
use crate::error::{ReactorStopped, Rejected, Rejection, UnknownPool};

/// What a thread holds of a reactor: cheap to clone, usable from any thread, and valid for ever, though once the reactor has stopped it
/// can only hand back what it is given.
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
    /// Runs `f` on the reactor's thread, in a turn to come: after all that was posted before, from whatever thread. Never runs it here.
    ///
    /// From any thread, the reactor's own included; returns at once. Before the reactor runs, calls wait for it. A call that was accepted
    /// runs, unless the reactor is dropped without having been run to its end: then it is dropped there. Cost: one short
    /// lock, and a wake if the loop sleeps. Posts to a loop that is awake, or being woken, make no system call. No allocation, as a rule: calls of a type lie
    /// side by side, where earlier ones have made room. Captures of more than 128 bytes are boxed, and so are calls of still more types than the 32 first that
    /// wait.
    ///
    /// # Errors
    /// The call comes back, not run: the reactor has stopped, or its inbox is [bounded](crate::reactor::ReactorBuilder::inbox_bound) and full.
    /// It never waits for room: [`call_from_thread_waiting`](Self::call_from_thread_waiting) does.
    pub fn call_from_thread<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        self.post_bounded(f, WhenFull::Return)
    }

    /// The same, but where the inbox is [bounded](crate::reactor::ReactorBuilder::inbox_bound) and full this waits for a place, for as long as `timeout` if there is one. A pool's thread that
    /// waits here counts as [blocked](crate::threads::blocked).
    ///
    /// ```
    /// use selvedge::{Reactor, error::Rejection};
    /// use std::num::NonZeroUsize;
    ///
    /// let reactor = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build()?;
    /// let handle = reactor.handle();
    /// handle.call_from_thread(|_| ())?;
    /// assert_eq!(handle.call_from_thread(|_| ()).unwrap_err().reason, Rejection::InboxFull);
    /// // Here the loop itself would wait for itself.
    /// assert_eq!(handle.call_from_thread_waiting(None, |_| ()).unwrap_err().reason, Rejection::WouldDeadlock);
    /// let poster = std::thread::spawn(move || {
    ///     handle.call_from_thread_waiting(None, |reactor| reactor.stop().unwrap_or_default()).is_ok()
    /// });
    /// reactor.run();
    /// assert!(poster.join().unwrap());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The call comes back, with the reason: the time is over, the reactor has stopped, or this thread must not wait, because a reactor lives on it. That is said even if
    /// there is a place, so that it does not depend on chance.
    pub fn call_from_thread_waiting<F>(&self, timeout: Option<Duration>, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        if is_reactor_thread() {
            return Err(Rejected::new(Call(Box::new(f)), Rejection::WouldDeadlock));
        }
        match self.post_bounded(f, WhenFull::Return) {
            Err(Rejected { job, reason: Rejection::InboxFull, .. }) => {
                let _blocked = Blocked::enter();
                self.post_bounded(move |reactor: &Reactor| job.call(reactor), WhenFull::Wait(timeout))
            }
            outcome => outcome,
        }
    }

    fn post_bounded<F>(&self, f: F, when_full: WhenFull) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        let inbox = &self.shared.inbox;
        let handed_back = if Calls::take_by_value::<F>() {
            inbox.post_bounded(f, when_full).map_err(|(f, reason)| (Call(Box::new(f)), reason))
        } else {
            inbox.post_bounded(Call(Box::new(f)).0, when_full).map_err(|(call, reason)| (Call(call), reason))
        };
        handed_back.map_err(|(call, reason)| Rejected::new(call, reason))
    }

    /// A call that must not be lost, whatever the inbox's bound: a result on its way back, a value to be dropped on the loop's thread.
    pub(crate) fn post_unbounded<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        let inbox = &self.shared.inbox;
        let handed_back = if Calls::take_by_value::<F>() {
            inbox.post(f).map_err(|f| Call(Box::new(f)))
        } else {
            inbox.post(Call(Box::new(f)).0).map_err(Call)
        };
        handed_back.map_err(|call| Rejected::new(call, Rejection::ReactorStopped))
    }

    /// Runs `f` on a thread of the reactor's pool. From any thread; returns at once. See [`ThreadPool::call_in_thread`].
    ///
    /// Before the reactor runs, jobs wait for it.
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

    /// Asks the reactor to stop, in the order of what is posted to it: calls posted before still run first.
    ///
    /// If it has not begun to run, it stops in its first turn. If it has stopped, or is stopping, this does nothing.
    pub fn stop(&self) {
        // A reactor that has stopped needs no more; and nothing is lost with the call that comes back.
        let _ = self.post_unbounded(|reactor| {
            let _ = reactor.stop();
        });
    }

    /// The reactor's pool of threads.
    #[must_use]
    pub fn thread_pool(&self) -> &ThreadPool {
        self.shared.pools.main()
    }

    /// The pool of this name among those that the reactor was built with: its own one goes by its own name.
    ///
    /// # Errors
    /// There is none; the error says which there are.
    pub fn pool(&self, name: &str) -> Result<&ThreadPool, UnknownPool> {
        self.shared.pools.get(name)
    }

    /// Sets how many threads the reactor's pool has at most; a minimum above that is lowered with it. Zero pauses the pool.
    ///
    /// Before the reactor runs or while it does; from any thread.
    pub fn suggest_thread_pool_size(&self, size: usize) {
        self.thread_pool().suggest_size(size);
    }

    /// Whether this is the thread that this reactor lives on. Asked of each reactor for itself: a process may have many.
    #[must_use]
    pub fn is_in_reactor_thread(&self) -> bool {
        current_thread() == self.shared.thread
    }

    pub(crate) fn spin(&self) -> &Spin {
        &self.shared.spin
    }

    /// Wakes a waiting loop for no reason, as an operating system may: for models.
    #[doc(hidden)]
    pub fn wake_spuriously(&self) {
        self.shared.inbox.wake_spuriously();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("inbox", &self.shared.inbox).field("pool", self.thread_pool()).finish()
    }
}

/// The way back to the reactor for what lives on its thread: capture it in a Deferred's callback, or keep it in a reactor-owned value.
///
/// It is weak: it keeps no reactor alive, so no cycle leaks.
///
/// ```
/// use selvedge::{Deferred, Reactor};
/// use std::time::Duration;
///
/// let reactor = Reactor::new();
/// let (answer, resolver) = Deferred::<u32>::new();
/// let local = reactor.local();
/// let _ = answer.add_callback(move |answer| {
///     assert_eq!(answer, 42);
///     local.with(|reactor| reactor.stop()).ok();
/// });
/// let _ = reactor.call_later(Duration::from_millis(1), move |_| resolver.callback(42));
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

    /// Reaches the reactor, here and now.
    ///
    /// # Errors
    /// The reactor has ended; `f` is dropped unrun.
    pub fn with<R>(&self, f: impl FnOnce(&Reactor) -> R) -> Result<R, ReactorStopped> {
        self.reactor().map(|reactor| f(&reactor))
    }

    /// The reactor. It is not to be kept: that would keep it alive.
    pub(crate) fn reactor(&self) -> Result<Reactor, ReactorStopped> {
        let core = self.core.upgrade().ok_or(ReactorStopped)?;
        if core.has_ended() { Err(ReactorStopped) } else { Ok(Reactor { core }) }
    }

    /// The handle that any thread can use.
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
