//! Locks, condition variables, threads and the clock, over std. Only this folder names `std::sync`, `std::thread` or
//! loom; `tests/tidy/architecture.rs` lists the few exceptions, with their reasons.

use std::cell::Cell;
use std::hint::spin_loop;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{self, PoisonError};
use std::time::Duration;

pub(crate) use std::sync::Arc;
/// std's `Arc` in both builds: for unsized types, which loom's `Arc` cannot hold, and where a model need not track
/// references.
pub(crate) use std::sync::Arc as StdArc;
pub(crate) use std::sync::OnceLock;
pub(crate) use std::thread::ThreadId;
pub(crate) use std::thread::panicking;
pub(crate) use std::thread_local;
pub(crate) use std::time::Instant;

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

pub(crate) type MutexGuard<'a, T> = sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A short wait before a sleep: first by spinning, then by yielding the core. Both adapt to whether they help.
///
/// Waking a core takes tens of microseconds, so a spin pays when the other party is about to act on a core of its own.
/// If that party needs this very core, spinning only delays it, and yielding lets it act. Each spin that ends without
/// the hint halves the next, and each that ends with it makes the next a full one. In a long series of misses one in
/// [`PROBE_INTERVAL`](Self::PROBE_INTERVAL) is a full spin all the same, because the parties may have moved to cores of
/// their own. After yields that end without the hint a few of the next are left out, and many after a yield that took
/// long: somebody else needs the core then, and is not done soon. The counts are hints too: a racing update may be
/// lost, and correctness does not depend on it.
#[derive(Debug, Default)]
pub(crate) struct Spin {
    /// Spins in a row that ended without the hint.
    misses: AtomicU32,
    /// How many waits are still to leave out their yields because those before were in vain.
    left_out_after_miss: AtomicU32,
    /// How many are to leave them out because one took long.
    left_out_after_long_yield: AtomicU32,
    several_cores: bool,
}

impl Spin {
    /// There is a wait before a sleep.
    pub(crate) const WAITS: bool = true;
    /// Rounds of a full spin. It takes longer than waking a core: if both parties spun for less, each would find the
    /// other asleep every time.
    const FULL_SPIN: u32 = 4096;
    /// Misses halve the spin at most this often.
    const MAX_HALVINGS: u32 = 8;
    /// One in this many misses is a full spin.
    const PROBE_INTERVAL: u32 = 256;
    /// After a spin. A few microseconds, where nobody else needs the core.
    const YIELDS: u32 = 8;
    /// Of a worker whose job has ended, where jobs block.
    const YIELDS_AFTER_JOB: u32 = 32;
    /// Far longer than a yield where nobody else needs the core, or where the other party soon sleeps itself.
    const LONG_YIELD: Duration = Duration::from_micros(500);
    /// So that where yields do not help, only one wait in four takes longer for them.
    const LEFT_OUT_AFTER_MISS: u32 = 3;
    /// So that long yields, which take milliseconds, cost less than the sleeps between them.
    const LEFT_OUT_AFTER_LONG_YIELD: u32 = 1000;

    pub(crate) fn new() -> Self {
        // With one core, the other party cannot run while this one spins. Cached, because the query may read files.
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        Self { several_cores: cores > 1, ..Self::default() }
    }

    pub(crate) fn several_cores(&self) -> bool {
        self.several_cores
    }

    /// Waits until the hint is set, for a limited time; returns whether it is.
    pub(crate) fn until(&self, hint: &Hint) -> bool {
        if self.several_cores && self.spin_until(hint) {
            return true;
        }
        if count_down(&self.left_out_after_miss) {
            return hint.get();
        }
        let was_set = self.yield_until(hint, Self::YIELDS);
        if !was_set {
            self.left_out_after_miss.store(Self::LEFT_OUT_AFTER_MISS, Ordering::Relaxed);
        }
        was_set
    }

    /// Lets others have the core until the hint is set, for a limited time. For a worker whose job has ended.
    pub(crate) fn yield_after_job(&self, hint: &Hint) {
        self.yield_until(hint, Self::YIELDS_AFTER_JOB);
    }

    /// Without `yield_now`: that is a system call, and made a round trip several times slower.
    fn spin_until(&self, hint: &Hint) -> bool {
        let misses = self.misses.load(Ordering::Relaxed);
        let probe = misses % Self::PROBE_INTERVAL == Self::PROBE_INTERVAL - 1;
        let rounds = if probe { Self::FULL_SPIN } else { Self::FULL_SPIN >> misses.min(Self::MAX_HALVINGS) };
        for round in 0..rounds {
            if hint.get() {
                // A hint that was set from the start says nothing about how long to spin.
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

    fn yield_until(&self, hint: &Hint, times: u32) -> bool {
        if count_down(&self.left_out_after_long_yield) {
            return hint.get();
        }
        let mut before = Instant::now();
        for _ in 0..times {
            if hint.get() {
                return true;
            }
            std::thread::yield_now();
            let after = Instant::now();
            if after - before > Self::LONG_YIELD {
                self.left_out_after_long_yield.store(Self::LEFT_OUT_AFTER_LONG_YIELD, Ordering::Relaxed);
                break;
            }
            before = after;
        }
        hint.get()
    }
}

/// Whether it was above zero. A racing update may be lost.
fn count_down(count: &AtomicU32) -> bool {
    let value = count.load(Ordering::Relaxed);
    if value > 0 {
        count.store(value - 1, Ordering::Relaxed);
    }
    value > 0
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
