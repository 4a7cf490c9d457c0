//! What models look at: a log of what ran, and a signal by which one job waits for another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc as StdArc, Mutex as StdMutex, PoisonError};
use std::thread;

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

/// Jobs that are due in a pool that nobody waits for. What came of them is looked at when the last who knows of them is gone: all must have run.
#[derive(Clone)]
pub struct Tally(StdArc<Due>);

struct Due {
    jobs: usize,
    ran: AtomicUsize,
}

impl Tally {
    pub fn of(jobs: usize) -> Self {
        Self(StdArc::new(Due { jobs, ran: AtomicUsize::new(0) }))
    }

    /// A job that does this, and counts.
    pub fn job(&self, act: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
        let due = StdArc::clone(&self.0);
        move || {
            act();
            due.ran.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(*self.ran.get_mut(), self.jobs, "jobs were accepted, and never ran");
        }
    }
}

/// One thread's word to another: a job that waits for it depends on whoever gives it.
///
/// Shared by std's `Arc`, and rung only where somebody waits: what is not the pool's adds as few interleavings as it can.
pub struct Signal(StdArc<(Mutex<Word>, Condvar)>);

#[derive(Default)]
struct Word {
    given: bool,
    awaited: bool,
}

impl Signal {
    /// One end to wait with, one to give with.
    pub fn pair() -> (Self, Self) {
        let shared = StdArc::new((Mutex::new(Word::default()), Condvar::new()));
        (Self(StdArc::clone(&shared)), Self(shared))
    }

    pub fn give(self) {
        let mut word = self.0.0.lock().unwrap();
        word.given = true;
        let awaited = word.awaited;
        drop(word);
        if awaited {
            self.0.1.notify_one();
        }
    }

    pub fn wait(self) {
        let mut word = self.0.0.lock().unwrap();
        while !word.given {
            word.awaited = true;
            word = self.0.1.wait(word).unwrap();
        }
    }
}
