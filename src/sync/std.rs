//! The one door to `std::sync`, `std::thread` and the clock.

use std::any::Any;
use std::hint::spin_loop;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{self, OnceLock, PoisonError, TryLockError};
use std::time::Duration;

pub(crate) use std::sync::Arc;
/// std's `Arc` in both builds: for unsized types, which loom's `Arc` cannot hold, and where a model need not track references.
pub(crate) use std::sync::Arc as StdArc;
pub(crate) use std::thread::ThreadId;
pub(crate) use std::thread_local;
pub(crate) use std::time::Instant;

use crate::failure::Panic;

/// A mutex that nothing can poison: no user code runs under a lock here, so a poisoned one still guards a whole state.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

pub(crate) type MutexGuard<'a, T> = sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing, if somebody has it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A condition variable. A waiter may return for no reason: every caller looks at its state again.
#[derive(Debug, Default)]
pub(crate) struct Condvar(sync::Condvar);

/// No single sleep is longer: some platforms overflow on huge timeouts, and every waiter re-checks anyway.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60 * 24);

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
        let timeout = timeout.min(LONGEST_SLEEP);
        match self.0.wait_timeout(guard, timeout) {
            Ok((guard, _)) => guard,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }
}

/// A hint that something may be there, read without a lock by whoever is about to sleep. It carries no correctness: a
/// stale one costs a look or a sleep, and what is true is read under the lock.
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

/// How many sleep whom nobody has called: a hint like any other.
#[derive(Debug, Default)]
pub(crate) struct IdleHint(AtomicUsize);

impl IdleHint {
    #[inline]
    pub(crate) fn set(&self, count: usize) {
        // Most often it stays as it is: then its cache line stays with all who read it.
        if self.0.load(Ordering::Relaxed) != count {
            self.0.store(count, Ordering::Relaxed);
        }
    }

    /// One more is about to be called; says whether there was one. Two who ask at once may be told of the same.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        let count = self.0.load(Ordering::Relaxed);
        if count > 0 {
            self.set(count - 1);
        }
        count > 0
    }
}

/// How long to spin before a sleep, learnt from how the last spins went.
///
/// A core that goes to sleep takes tens of microseconds to wake, so a spin pays when the other party is about to come;
/// but where that one waits for this very core, spinning only holds it up. So each spin that was in vain halves the
/// next, and one that was not makes the next a full one. Once in a while a full one is tried all the same, for the
/// parties may have been moved to cores of their own since. What is learnt is a hint like any other: racing updates may
/// lose one, and nothing depends on it.
#[derive(Debug)]
pub(crate) struct Spin {
    /// How many spins were in vain since the last that was not.
    misses: AtomicU32,
    pays: bool,
}

impl Spin {
    /// Looks at the hint, in a full spin: longer than a core takes to wake, or two parties that both sleep would never
    /// find each other awake.
    const LONGEST: u32 = 4096;
    /// Misses do not shorten a spin below `LONGEST >> HALVINGS`.
    const HALVINGS: u32 = 8;
    /// Every so many misses, a full spin.
    const PROBE: u32 = 256;

    pub(crate) fn new() -> Self {
        // With one core, the other party cannot come while this one spins. Asked once: the answer is read from files.
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        let pays = cores > 1;
        Self { misses: AtomicU32::new(0), pays }
    }

    /// Whether to spin at all.
    pub(crate) fn pays(&self) -> bool {
        self.pays
    }

    /// Spins until the hint is set, but not for long; says whether it was.
    ///
    /// No `yield_now`: it is a system call, and made a round trip several times slower.
    pub(crate) fn until(&self, hint: &Hint) -> bool {
        if !self.pays {
            return hint.get();
        }
        let misses = self.misses.load(Ordering::Relaxed);
        let probe = misses % Self::PROBE == Self::PROBE - 1;
        let rounds = if probe { Self::LONGEST } else { Self::LONGEST >> misses.min(Self::HALVINGS) };
        for round in 0..rounds {
            if hint.get() {
                // One that needed no spinning says nothing about how long to spin.
                if round > 0 && misses > 0 {
                    self.misses.store(0, Ordering::Relaxed);
                }
                return true;
            }
            spin_loop();
        }
        self.misses.store(misses.wrapping_add(1), Ordering::Relaxed);
        hint.get()
    }
}

/// Lets a batch gather for about `rounds` pauses of the processor.
pub(crate) fn pause(rounds: u32) {
    for _ in 0..rounds {
        spin_loop();
    }
}

#[derive(Debug)]
pub(crate) struct JoinHandle(std::thread::JoinHandle<()>);

impl JoinHandle {
    /// Waits for the thread's end. Its panic was reported where it was caught; what is left of it is dropped,
    /// contained.
    pub(crate) fn join(self) {
        if let Err(payload) = self.0.join() {
            drop(Panic::new(payload));
        }
    }
}

/// Starts a thread with a name that the operating system shows.
pub(crate) fn spawn<F>(name: String, stack_size: Option<usize>, body: F) -> io::Result<JoinHandle>
where
    F: FnOnce() + Send + 'static,
{
    let mut builder = std::thread::Builder::new().name(name);
    if let Some(bytes) = stack_size {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(body).map(JoinHandle)
}

pub(crate) fn current_thread() -> ThreadId {
    std::thread::current().id()
}

/// A number that nothing else in this process has. It names things, and decides nothing.
pub(crate) fn unique_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Runs user code and contains its panic.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload: Box<dyn Any + Send>| Panic::new(payload))
}

/// Runs a unit test of the runtime, which is compiled over loom too: there it has to be a model.
#[cfg(test)]
pub(crate) fn check(test: fn()) {
    test();
}
