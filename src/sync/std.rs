//! Locks, condition variables, threads and the clock, over std. Only this folder names `std::sync`, `std::thread` or
//! loom; `tests/tidy/architecture.rs` lists the few exceptions, with their reasons.

use std::cell::Cell;
use std::hint::spin_loop;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{self, PoisonError, TryLockError};
use std::thread::yield_now;
use std::time::Duration;

mod spin;

pub(crate) use std::sync::Arc;
/// std's `Arc` in both builds: for unsized types, which loom's `Arc` cannot hold, and where a model need not track
/// references.
pub(crate) use std::sync::Arc as StdArc;
pub(crate) use std::sync::OnceLock;
pub(crate) use std::thread::ThreadId;
pub(crate) use std::thread::panicking;
pub(crate) use std::thread_local;
pub(crate) use std::time::Instant;

pub(crate) use spin::Spin;

use crate::failure::{Panic, contained};

/// What a model's trace shows. Nothing is traced outside of models.
pub(crate) mod trace {
    use std::borrow::Cow;
    use std::panic::Location;

    #[inline(always)]
    pub(crate) fn call<F>(_verb: &'static str) {}

    #[inline(always)]
    pub(crate) fn job(_verb: &'static str, _origin: &'static Location<'static>) {}

    #[inline(always)]
    pub(crate) fn other(_verb: &'static str, _what: impl FnOnce() -> Cow<'static, str>) {}
}

/// A mutex without poisoning: no user code runs under a lock here, so the state behind a poisoned one is still
/// consistent.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

/// How often [`lock_spinning`](Mutex::lock_spinning) tries to take a lock that is held, in about a microsecond.
const TRIES: u32 = 10;
const PAUSES_BEFORE_TRY: u32 = 4;

pub(crate) type MutexGuard<'a, T> = sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`lock`](Self::lock) for a mutex that many threads want one after the other, each for a moment. Before a thread
    /// sleeps until it is woken, it tries some times, gives up the core, and tries again.
    #[inline]
    pub(crate) fn lock_spinning(&self) -> MutexGuard<'_, T> {
        match self.try_lock() {
            Some(guard) => guard,
            None => self.lock_held(),
        }
    }

    #[cold]
    fn lock_held(&self) -> MutexGuard<'_, T> {
        for _ in 0..TRIES {
            pause(PAUSES_BEFORE_TRY);
            if let Some(guard) = self.try_lock() {
                return guard;
            }
        }
        // Whoever has the lock may have lost its core.
        yield_now();
        self.try_lock().unwrap_or_else(|| self.lock())
    }

    #[inline]
    fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A condition variable. Wakes may be spurious: every caller checks its state again.
#[derive(Debug, Default)]
pub(crate) struct Condvar(sync::Condvar);

/// The longest single sleep. Some platforms overflow on huge timeouts, and every waiter checks its deadline again
/// anyway.
const MAX_SLEEP: Duration = Duration::from_secs(60 * 60 * 24);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a notification, at most `timeout` long.
    pub(crate) fn wait_for<'a, T>(&self, guard: MutexGuard<'a, T>, timeout: Option<Duration>) -> MutexGuard<'a, T> {
        let Some(timeout) = timeout else {
            return self.wait(guard);
        };
        let timeout = timeout.min(MAX_SLEEP);
        match self.0.wait_timeout(guard, timeout) {
            Ok((guard, _)) => guard,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }
}

/// A hint that a queue may not be empty, read without a lock before a sleep. Correctness does not depend on it: the
/// state itself is read under the lock, and a stale hint costs one needless check or sleep.
#[derive(Debug, Default)]
pub(crate) struct Hint(AtomicBool);

impl Hint {
    #[inline]
    pub(crate) fn set(&self, value: bool) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A hint: from how many jobs in its queue on a submitter wakes one worker more.
#[derive(Debug)]
pub(crate) struct BacklogHint(AtomicUsize);

impl BacklogHint {
    /// What is set makes a difference.
    pub(crate) const IS_READ: bool = true;
    /// Whatever waits.
    pub(crate) const NEVER: usize = usize::MAX;

    #[inline]
    pub(crate) fn set(&self, backlog: usize) {
        // It seldom changes. Without a write, the cache line stays shared by all cores that read it.
        if self.get() != backlog {
            self.0.store(backlog, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for BacklogHint {
    fn default() -> Self {
        Self(AtomicUsize::new(Self::NEVER))
    }
}

/// Busy-waits for about `rounds` pauses of the processor.
pub(crate) fn pause(rounds: u32) {
    for _ in 0..rounds {
        spin_loop();
    }
}

#[derive(Debug)]
pub(crate) struct JoinHandle(std::thread::JoinHandle<()>);

impl JoinHandle {
    /// Waits for the thread to end. If it panicked, the payload is dropped here, contained: the panic has been reported
    /// where it was caught.
    pub(crate) fn join(self) {
        if let Err(payload) = self.0.join() {
            drop(Panic::new(payload));
        }
    }
}

/// What a thread does last.
struct AtEnd(Cell<Option<Box<dyn FnOnce()>>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd(Cell::new(None)) };
}

/// Where a thread finds its own handle, which its spawner has only when the thread runs.
#[derive(Default)]
struct OwnHandle {
    handle: Mutex<Option<JoinHandle>>,
    left: sync::Condvar,
}

impl OwnHandle {
    fn leave(&self, handle: JoinHandle) {
        *self.handle.lock() = Some(handle);
        self.left.notify_one();
    }

    /// Waits for the spawner, which is about to leave it.
    fn take(&self) -> JoinHandle {
        let mut handle = self.handle.lock();
        loop {
            match handle.take() {
                Some(own) => return own,
                None => handle = self.left.wait(handle).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Starts a thread, with a name for the operating system, that runs `body`, then the destructors of its thread-locals,
/// and then `last`, with its own handle. `last` must not panic.
///
/// `last` is the destructor of a thread-local itself, of the first that the thread uses: they run in reverse order.
/// Where a platform runs them in another order, some may run after `last`. A thread is joined when all have run.
pub(crate) fn spawn<F, L>(name: String, stack_size: Option<usize>, body: F, last: L) -> io::Result<()>
where
    F: FnOnce() + Send + 'static,
    L: FnOnce(JoinHandle) + Send + 'static,
{
    let mut builder = std::thread::Builder::new().name(name);
    if let Some(bytes) = stack_size {
        builder = builder.stack_size(bytes);
    }
    let own = Arc::new(OwnHandle::default());
    let left = Arc::clone(&own);
    let run = move || {
        AT_END.with(|at_end| at_end.0.set(Some(Box::new(move || last(left.take())))));
        body();
    };
    own.leave(JoinHandle(builder.spawn(run)?));
    Ok(())
}

pub(crate) fn current_thread() -> ThreadId {
    std::thread::current().id()
}

/// A number that is unique in this process. It is an identity; nothing depends on its order.
pub(crate) fn unique_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Runs user code and catches its panic.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    // A match, as wherever panics are caught: it is compiled for each closure, and so would a combinator be.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => Ok(value),
        Err(payload) => Err(contained(payload)),
    }
}

/// Runs a unit test of the runtime. The loom build has the same function, where the test has to be a model.
#[cfg(test)]
pub(crate) fn check(test: fn()) {
    test();
}

/// Runs a unit test of the runtime that needs the threads of the system. In the loom build it is not run.
#[cfg(test)]
pub(crate) fn check_on_threads(test: fn()) {
    test();
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};
    use std::thread::{self, yield_now};

    use super::{BacklogHint, Mutex, spawn};

    // Checks: P9
    #[test]
    fn a_lock_that_is_held_is_waited_for_however_long_that_takes() {
        let lock = Arc::new(Mutex::new(0));
        let mut held = lock.lock_spinning();
        let (ask, asked) = mpsc::channel();
        let waiter = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                ask.send(()).expect("it is waited for");
                *lock.lock_spinning() += 1;
            })
        };
        asked.recv().expect("it asks");
        // A thread that does not wait is over by then.
        (0..1000).for_each(|_| yield_now());
        *held = 10;
        drop(held);
        waiter.join().expect("it does not panic");
        assert_eq!(*lock.lock(), 11);
    }

    // Checks: P9
    #[test]
    fn a_lock_is_taken_though_a_thread_has_panicked_that_held_it() {
        let lock = Arc::new(Mutex::new(7));
        let held = Arc::clone(&lock);
        let panics = thread::spawn(move || {
            let _held = held.lock();
            resume_unwind(Box::new(()));
        });
        assert!(panics.join().is_err());
        assert_eq!(*lock.lock(), 7);
        assert_eq!(*lock.lock_spinning(), 7);
    }

    // Checks: P4
    #[test]
    fn no_backlog_wakes_one_worker_more_unless_somebody_has_said_which() {
        let hint = BacklogHint::default();
        assert_eq!(hint.get(), BacklogHint::NEVER);
        for backlog in [1, 16, BacklogHint::NEVER] {
            hint.set(backlog);
            assert_eq!(hint.get(), backlog);
        }
    }

    // Checks: B42
    #[test]
    fn a_join_waits_for_what_a_thread_does_after_it_has_given_its_handle_away() {
        let (give, given) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ended);
        let last = move |own| {
            give.send(own).expect("it is waited for");
            goes_on.recv().expect("it is told");
            // A join that does not wait is over by then.
            (0..1000).for_each(|_| yield_now());
            ends.store(true, Ordering::Relaxed);
        };
        spawn("a test".to_owned(), None, || (), last).expect("a thread can be started");
        let own = given.recv().expect("it gives its handle away");
        go_on.send(()).expect("it waits");
        own.join();
        assert!(ended.load(Ordering::Relaxed));
    }
}
