//! What models observe the code with: a log of what ran, a count of jobs that must run, and a signal between two
//! threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc as StdArc, Mutex as StdMutex, PoisonError};
use std::thread;

use loom::sync::{Arc, Condvar, Mutex};

/// What ran, in order. It is made of std's types, so that it adds no interleaving to the search.
///
/// Read it only after a join or after `stop` has returned: the search does not explore reads that race with writes.
#[derive(Clone, Default)]
pub struct Log(StdArc<StdMutex<Vec<u32>>>);

impl Log {
    pub fn note(&self, what: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub fn seen(&self) -> Vec<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn seen_in_any_order(&self) -> Vec<u32> {
        let mut seen = self.seen();
        seen.sort_unstable();
        seen
    }

    /// A job that notes `what`, and captures an `Arc` of loom's, which fails the model if it is leaked.
    pub fn job(&self, what: u32) -> impl FnOnce() + Send + 'static {
        let (log, tracked) = (self.clone(), Arc::new(()));
        move || {
            let _tracked = tracked;
            log.note(what);
        }
    }
}

/// Counts jobs of a pool that nobody waits for. When the last share of the count is dropped, all must have run.
#[derive(Clone)]
pub struct MustRun(StdArc<JobCount>);

struct JobCount {
    jobs: usize,
    ran: AtomicUsize,
}

impl MustRun {
    pub fn of(jobs: usize) -> Self {
        Self(StdArc::new(JobCount { jobs, ran: AtomicUsize::new(0) }))
    }

    /// A job that acts and is counted.
    pub fn job(&self, act: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
        let count = StdArc::clone(&self.0);
        move || {
            act();
            count.ran.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for JobCount {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(*self.ran.get_mut(), self.jobs, "jobs were accepted and never ran");
        }
    }
}

/// Lets one thread wait until another notifies it.
///
/// Shared by std's `Arc`, and notified only if somebody waits, so that it adds as few interleavings as possible.
pub struct Signal(StdArc<(Mutex<SignalState>, Condvar)>);

#[derive(Default)]
struct SignalState {
    notified: bool,
    awaited: bool,
}

impl Signal {
    /// One end to wait with, and one to notify with.
    pub fn pair() -> (Self, Self) {
        let shared = StdArc::new((Mutex::new(SignalState::default()), Condvar::new()));
        (Self(StdArc::clone(&shared)), Self(shared))
    }

    pub fn notify(self) {
        let mut state = self.0.0.lock().unwrap();
        state.notified = true;
        let awaited = state.awaited;
        drop(state);
        if awaited {
            self.0.1.notify_one();
        }
    }

    pub fn wait(self) {
        let mut state = self.0.0.lock().unwrap();
        while !state.notified {
            state.awaited = true;
            state = self.0.1.wait(state).unwrap();
        }
    }
}
