//! A history: operations with the times of their invocation and return, noted by the threads that do them.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use super::Clock;
use super::checker::{Impossible, Record, Specification, linearize};

/// What several threads do to one object.
pub struct History<O> {
    /// A counter: each reading is greater than all earlier ones. In a model it is a loom atomic; otherwise loom would
    /// see two operations that share nothing but the clock as independent, and try them in one order only.
    clock: Clock,
    /// A lock of std, not of loom: recording adds no interleavings.
    records: Mutex<Vec<Record<O>>>,
}

impl<O> History<O> {
    pub fn new() -> Self {
        Self { clock: Clock::new(1), records: Mutex::new(Vec::new()) }
    }

    pub fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::AcqRel)
    }

    /// Does something, and notes what that was.
    pub fn during<T>(&self, act: impl FnOnce() -> T, operation: impl FnOnce(&T) -> O) -> T {
        let invoked = self.now();
        let result = act();
        let returned = self.now();
        self.note(invoked, returned, operation(&result));
        result
    }

    pub fn note(&self, invoked: u64, returned: u64, operation: O) {
        let record = Record { invoked, returned, operation };
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// All that was noted, in the order of invocation.
    pub fn take(&self) -> Vec<Record<O>> {
        let mut records = std::mem::take(&mut *self.records.lock().unwrap_or_else(PoisonError::into_inner));
        records.sort_by_key(|record| record.invoked);
        records
    }
}

/// Fails, and shows the history, unless one thread could have done all this.
#[track_caller]
pub fn assert_linearizable<S: Specification>(initial: S, history: &[Record<S::Operation>]) {
    if let Err(impossible) = linearize(initial, history) {
        panic!("{}", told(history, &impossible));
    }
}

fn told<S: Specification>(history: &[Record<S::Operation>], impossible: &Impossible<S>) -> String {
    let lines: Vec<String> = history.iter().map(|record| format!("    {record:?}\n")).collect();
    format!("a history that one thread could not have made:\n{}{impossible:?}", lines.concat())
}
