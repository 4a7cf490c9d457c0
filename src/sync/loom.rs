//! The same names as in `std.rs`, over loom: locks, condition variables and threads that the model checker schedules.

pub(crate) mod trace;

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{self, PoisonError};
use std::time::Duration;

pub(crate) use loom::sync::Arc;
pub(crate) use loom::thread::ThreadId;
pub(crate) use loom::thread_local;
/// std's `Arc` in both builds: for unsized types, which loom's `Arc` cannot hold, and where a model need not track
/// references.
pub(crate) use std::sync::Arc as StdArc;
/// std's: what it holds is set before a thread of the model waits for it.
pub(crate) use std::sync::OnceLock;
pub(crate) use std::thread::panicking;

use crate::failure::{Injected, Panic};

#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

pub(crate) type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_spinning(&self) -> MutexGuard<'_, T> {
        self.lock()
    }
}

#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
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

    /// Without the timeout: in a model a deadline passes when one of its threads says so.
    pub(crate) fn wait_for<'a, T>(&self, guard: MutexGuard<'a, T>, _timeout: Option<Duration>) -> MutexGuard<'a, T> {
        self.wait(guard)
    }
}

/// Always set, so that a model takes every path that looks under the lock. Correctness does not depend on hints.
#[derive(Debug, Default)]
pub(crate) struct Hint {}

impl Hint {
    pub(crate) fn set(&self, _value: bool) {}

    pub(crate) fn get(&self) -> bool {
        true
    }
}

/// Never reached: in a model only the machine wakes workers.
#[derive(Debug, Default)]
pub(crate) struct BacklogHint {}

impl BacklogHint {
    pub(crate) const IS_READ: bool = false;
    pub(crate) const NEVER: usize = usize::MAX;

    pub(crate) fn set(&self, _backlog: usize) {}

    pub(crate) fn get(&self) -> usize {
        Self::NEVER
    }
}

/// Never spins.
#[derive(Debug)]
pub(crate) struct Spin;

impl Spin {
    pub(crate) const WAITS: bool = false;

    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn several_cores(&self) -> bool {
        false
    }

    pub(crate) fn until(&self, _hint: &Hint) -> bool {
        false
    }

    pub(crate) fn yield_after_job(&self, _hint: &Hint) {}
}

pub(crate) fn pause(_rounds: u32) {}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant;

impl Instant {
    pub(crate) fn now() -> Self {
        Self
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    pub(crate) fn saturating_duration_since(&self, _earlier: Self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Debug)]
pub(crate) struct JoinHandle(loom::thread::JoinHandle<()>);

impl JoinHandle {
    pub(crate) fn join(self) {
        if let Err(payload) = self.0.join() {
            resume_unwind(payload);
        }
    }
}

/// A model has no thread-locals of its own, so `last` follows upon `body`. No thread runs between the start of this one
/// and the moment when its handle is there for it.
pub(crate) fn spawn<F, L>(name: String, _stack_size: Option<usize>, body: F, last: L) -> io::Result<()>
where
    F: FnOnce() + Send + 'static,
    L: FnOnce(JoinHandle) + Send + 'static,
{
    let own = StdArc::new(sync::Mutex::new(None));
    let left = StdArc::clone(&own);
    let run = move || {
        body();
        let own = left.lock().unwrap_or_else(PoisonError::into_inner).take();
        last(own.unwrap_or_else(|| unreachable!("its spawner has left it")));
    };
    let handle = loom::thread::Builder::new().name(name).spawn(run)?;
    *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(JoinHandle(handle));
    Ok(())
}

pub(crate) fn current_thread() -> ThreadId {
    loom::thread::current().id()
}

/// A number that is unique in this process. Nothing depends on its order, so the counter need not be loom's, nor the
/// number the same in each replay.
pub(crate) fn unique_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Runs user code. Contains only panics that the model injects: any other is a failed assertion of the model.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload: Box<dyn Any + Send>| {
        if payload.is::<Injected>() { Panic::new(payload) } else { resume_unwind(payload) }
    })
}

/// Runs a unit test of the runtime as a model, because loom's types work only inside one.
#[cfg(test)]
pub(crate) fn check(test: fn()) {
    loom::model(test);
}

/// A unit test of the runtime that needs the threads of the system runs in the std build only.
#[cfg(test)]
pub(crate) fn check_on_threads(_test: fn()) {}
