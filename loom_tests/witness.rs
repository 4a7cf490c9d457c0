//! What models look at: a log of what ran, and a signal by which one job waits for another.

use std::sync::{Arc as StdArc, Mutex as StdMutex, PoisonError};

use loom::sync::{Arc, Condvar, Mutex};

/// What ran, in order. Of std's parts on purpose: the witness adds no interleaving of its own to the search.
///
/// Read it only where a join or an end of `stop` orders the reader behind the writers: the searches explore no other order of these.
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

    /// A job that notes `what`, and carries something that loom misses if it is never dropped.
    pub fn job(&self, what: u32) -> impl FnOnce() + Send + 'static {
        let (log, cargo) = (self.clone(), Arc::new(()));
        move || {
            let _cargo = cargo;
            log.note(what);
        }
    }
}

/// One thread's word to another: a job that waits for it depends on whoever gives it.
pub struct Signal(Arc<(Mutex<bool>, Condvar)>);

impl Signal {
    /// One end to wait with, one to give with.
    pub fn pair() -> (Self, Self) {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        (Self(Arc::clone(&shared)), Self(shared))
    }

    pub fn give(self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_one();
    }

    pub fn wait(self) {
        let mut given = self.0.0.lock().unwrap();
        while !*given {
            given = self.0.1.wait(given).unwrap();
        }
    }
}
