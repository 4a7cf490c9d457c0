//! The same names as in the crate's `src/sync/std.rs`, over threads that the explorer schedules and events it decides.

use std::any::Any;
use std::future::poll_fn;
use std::io;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{self, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

pub(crate) use shuttle::thread::ThreadId;
pub(crate) use shuttle::thread_local;
pub(crate) use std::sync::{Arc, Arc as StdArc, OnceLock};
pub(crate) use std::thread::panicking;

use crate::decisions::{self, choose, happens};
use crate::failure::{Injected, Panic};
use crate::locks;

/// What a model's trace shows; an explorer's failure is replayed instead, as often as one likes.
pub(crate) mod trace {
    use std::borrow::Cow;
    use std::panic::Location;

    pub(crate) fn call<F>(_verb: &'static str) {}

    pub(crate) fn job(_verb: &'static str, _origin: &'static Location<'static>) {}

    pub(crate) fn other(_verb: &'static str, _what: impl FnOnce() -> Cow<'static, str>) {}
}

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: shuttle::sync::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        locks::taken::<T>();
        MutexGuard { mutex: self, guard: self.0.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    pub(crate) fn lock_spinning(&self) -> MutexGuard<'_, T> {
        self.lock()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// One thread in `wait`. The locks here are never contended: no other thread is scheduled while one is held.
#[derive(Debug, Default)]
struct Waiter {
    notified: AtomicBool,
    waker: sync::Mutex<Option<Waker>>,
}

impl Waiter {
    fn is_notified(&self) -> bool {
        self.notified.load(Ordering::Relaxed)
    }

    fn notify(&self) {
        self.notified.store(true, Ordering::Relaxed);
        locks::one_waits_less();
        if let Some(waker) = uncontended(&self.waker).take() {
            waker.wake();
        }
    }

    /// Unlike parking, this does not end for no reason.
    fn sleep(&self) {
        shuttle::future::block_on(poll_fn(|context| {
            if self.is_notified() {
                return Poll::Ready(());
            }
            *uncontended(&self.waker) = Some(context.waker().clone());
            Poll::Pending
        }));
    }
}

fn uncontended<T>(mutex: &sync::Mutex<T>) -> sync::MutexGuard<'_, T> {
    mutex.try_lock().unwrap_or_else(|_| unreachable!("no thread is scheduled while it is held"))
}

/// A moment at which another thread may be scheduled.
fn switch() {
    shuttle::thread::sleep(Duration::ZERO);
}

/// shuttle's own never times out and never wakes spuriously.
#[derive(Debug, Default)]
pub(crate) struct Condvar(sync::Mutex<Vec<Arc<Waiter>>>);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Wakes any one of those that wait.
    pub(crate) fn notify_one(&self) {
        switch();
        let mut waiters = uncontended(&self.0);
        if !waiters.is_empty() {
            let chosen = choose(waiters.len());
            waiters.swap_remove(chosen).notify();
        }
    }

    pub(crate) fn notify_all(&self) {
        switch();
        for waiter in uncontended(&self.0).drain(..) {
            waiter.notify();
        }
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wait_for(guard, None)
    }

    pub(crate) fn wait_for<'a, T>(&self, guard: MutexGuard<'a, T>, timeout: Option<Duration>) -> MutexGuard<'a, T> {
        let deadline = timeout.map(|timeout| decisions::now().saturating_add(timeout));
        let waiter = Arc::new(Waiter::default());
        uncontended(&self.0).push(Arc::clone(&waiter));
        locks::one_waits_more();
        let mutex = guard.mutex;
        drop(guard);
        match deadline {
            None if happens(|odds| odds.spurious_wake) => (0..choose(4)).for_each(|_| switch()),
            None => waiter.sleep(),
            Some(deadline) => {
                while !waiter.is_notified() {
                    if happens(|odds| odds.timeout) {
                        decisions::advance_to(deadline);
                        break;
                    }
                    shuttle::thread::yield_now();
                }
            }
        }
        uncontended(&self.0).retain(|other| !Arc::ptr_eq(other, &waiter));
        if !waiter.is_notified() {
            locks::one_waits_less();
        }
        mutex.lock()
    }
}

/// A hint that may be stale: correctness does not depend on it.
#[derive(Debug, Default)]
pub(crate) struct Hint(AtomicBool);

impl Hint {
    pub(crate) fn set(&self, value: bool) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        switch();
        self.0.load(Ordering::Relaxed) != happens(|odds| odds.stale_hint)
    }
}

#[derive(Debug)]
pub(crate) struct BacklogHint(AtomicUsize);

impl BacklogHint {
    pub(crate) const IS_READ: bool = true;
    pub(crate) const NEVER: usize = usize::MAX;

    pub(crate) fn set(&self, backlog: usize) {
        self.0.store(backlog, Ordering::Relaxed);
    }

    /// Any backlog reaches it, at times: there are few jobs in a schedule.
    pub(crate) fn get(&self) -> usize {
        switch();
        if happens(|odds| odds.stale_hint) { 0 } else { self.0.load(Ordering::Relaxed) }
    }
}

impl Default for BacklogHint {
    fn default() -> Self {
        Self(AtomicUsize::new(Self::NEVER))
    }
}

/// Looks at the hint a few times.
#[derive(Debug)]
pub(crate) struct Spin {
    several_cores: bool,
}

impl Spin {
    pub(crate) const WAITS: bool = true;

    pub(crate) fn new() -> Self {
        Self { several_cores: choose(2) == 0 }
    }

    pub(crate) fn several_cores(&self) -> bool {
        self.several_cores
    }

    pub(crate) fn until(&self, hint: &Hint) -> bool {
        let rounds = choose(3);
        (0..=rounds).any(|_| hint.get())
    }

    pub(crate) fn yield_after_job(&self, hint: &Hint) {
        _ = self.until(hint);
    }
}

pub(crate) fn pause(rounds: u32) {
    if rounds > 0 {
        switch();
    }
}

/// A moment of the explorer's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(decisions::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().saturating_duration_since(*self)
    }

    pub(crate) fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[derive(Debug)]
pub(crate) struct JoinHandle(shuttle::thread::JoinHandle<()>);

impl JoinHandle {
    pub(crate) fn join(self) {
        if let Err(payload) = self.0.join() {
            resume_unwind(payload);
        }
    }
}

/// May fail. As in a model, `last` follows upon `body`.
pub(crate) fn spawn<F, L>(name: String, _stack_size: Option<usize>, body: F, last: L) -> io::Result<()>
where
    F: FnOnce() + Send + 'static,
    L: FnOnce(JoinHandle) + Send + 'static,
{
    if happens(|odds| odds.failed_start) {
        return Err(io::Error::other("the explorer lets no thread start here"));
    }
    let own = Arc::new(sync::Mutex::new(None));
    let left = Arc::clone(&own);
    let run = move || {
        body();
        loop {
            if let Some(handle) = uncontended(&left).take() {
                return last(handle);
            }
            shuttle::thread::yield_now();
        }
    };
    let handle = shuttle::thread::Builder::new().name(name).spawn(run)?;
    *uncontended(&own) = Some(JoinHandle(handle));
    Ok(())
}

pub(crate) fn current_thread() -> ThreadId {
    shuttle::thread::current().id()
}

/// A number that is unique in this process. Nothing depends on its order.
pub(crate) fn unique_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Runs user code. Contains only panics that a program injects: any other is a failed assertion.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload: Box<dyn Any + Send>| {
        if payload.is::<Injected>() { Panic::new(payload) } else { resume_unwind(payload) }
    })
}
