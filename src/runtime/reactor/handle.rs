//! What others hold of a reactor: `Handle` from any thread, `LocalHandle` on its own.

use std::fmt;
use std::rc::{Rc, Weak};

use super::super::inbox::Inbox;
use super::super::pool::{Job, ThreadPool};
use super::super::sync::{Arc, Spin, ThreadId, current_thread};
use super::calls::{Boxed, ByValue, Calls};
use super::{Call, Core, Reactor};
use crate::error::{Rejected, Rejection};
use crate::failure::ReactorStopped;

/// The part of a reactor that threads share.
pub(super) struct Shared {
    pub(super) inbox: Inbox<Calls>,
    pub(super) pool: ThreadPool,
    pub(super) thread: ThreadId,
    /// How long those spin who wait for an answer of this reactor.
    pub(super) spin: Spin,
}

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
    /// lock; an allocation, unless the call posted before was of the same type, beside which this one then finds room; and a wake if the
    /// loop sleeps. Posts to a loop that is awake, or being woken, make no system call.
    ///
    /// # Errors
    /// The reactor has stopped: the call comes back, not run.
    pub fn call_from_thread<F>(&self, f: F) -> Result<(), Rejected<Call>>
    where
        F: FnOnce(&Reactor) + Send + 'static,
    {
        let shared = &*self.shared;
        let handed_back = if Calls::fits::<F>() && shared.inbox.recent().was::<F>() {
            shared.inbox.post(ByValue(f)).map_err(|ByValue(f)| f)
        } else {
            shared.inbox.post(Boxed::new(f)).map_err(Boxed::into_inner)
        };
        handed_back.map_err(|f| Rejected::new(Call(Box::new(f)), Rejection::ReactorStopped))
    }

    /// Runs `f` on a thread of the reactor's pool. From any thread; returns at once. See [`ThreadPool::call_in_thread`].
    ///
    /// Before the reactor runs, jobs wait for it.
    ///
    /// # Errors
    /// The reactor has stopped its pool: the job comes back.
    pub fn call_in_thread<F>(&self, f: F) -> Result<(), Rejected<Job>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.shared.pool.call_in_thread(f)
    }

    /// Asks the reactor to stop, in the order of what is posted to it: calls posted before still run first.
    ///
    /// If it has not begun to run, it stops in its first turn. If it has stopped, or is stopping, this does nothing.
    pub fn stop(&self) {
        // A reactor that has stopped needs no more; and nothing is lost with the call that comes back.
        let _ = self.call_from_thread(|reactor| {
            let _ = reactor.stop();
        });
    }

    /// The reactor's pool of threads.
    #[must_use]
    pub fn thread_pool(&self) -> &ThreadPool {
        &self.shared.pool
    }

    /// Sets how many threads the reactor's pool has at most; a minimum above that is lowered with it. Zero pauses the pool.
    ///
    /// Before the reactor runs or while it does; from any thread.
    pub fn suggest_thread_pool_size(&self, size: usize) {
        self.shared.pool.suggest_size(size);
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
        f.debug_struct("Handle").field("inbox", &self.shared.inbox).field("pool", &self.shared.pool).finish()
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
/// let here = reactor.local();
/// let _ = answer.add_callback(move |answer| {
///     assert_eq!(answer, 42);
///     here.with(|reactor| reactor.stop()).ok();
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
