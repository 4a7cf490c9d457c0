//! What models look at: a log of what ran, and a meeting of jobs that wait for each other.

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

/// A place where `expected` threads wait until all of them are there. Waiting in it is how a job depends on another one.
#[derive(Clone)]
pub struct Meeting(Arc<Place>);

struct Place {
    expected: u32,
    here: Mutex<u32>,
    complete: Condvar,
}

impl Meeting {
    pub fn of(expected: u32) -> Self {
        Self(Arc::new(Place { expected, here: Mutex::new(0), complete: Condvar::new() }))
    }

    pub fn attend(&self) {
        let mut here = self.0.here.lock().unwrap();
        *here += 1;
        if *here == self.0.expected {
            self.0.complete.notify_all();
        }
        while *here < self.0.expected {
            here = self.0.complete.wait(here).unwrap();
        }
    }
}
