//! Which reporter gets the failures of this thread: that of its innermost scope, or else its default, which belongs to
//! a reactor on this thread, or to the pool whose jobs it runs.

use std::collections::BTreeMap;

use super::super::sync::{thread_local, unique_number};
use super::Reporter;
use crate::thread_value::ThreadValue;

thread_local! {
    /// The reporter that was entered last on this thread; its scope keeps the one before.
    static CURRENT: ThreadValue<Option<Reporter>> = ThreadValue::new(None);
    /// Those of the pool whose jobs this thread runs and of the reactors on it, in the order in which they came. The
    /// last is the default.
    static DEFAULTS: ThreadValue<BTreeMap<usize, Reporter>> = ThreadValue::new(BTreeMap::new());
}

/// Until it is dropped, reports of this thread go to the reporter that was entered last.
#[must_use]
pub(crate) struct Scope {
    outer: Option<Reporter>,
}

/// Until it is dropped, reports that are made on this thread in no scope go to its reporter, unless there is a later
/// guard.
#[must_use]
pub(crate) struct DefaultGuard {
    number: usize,
}

impl Reporter {
    /// That of this thread's innermost scope, or this thread's default, or the one that writes to stderr.
    pub(crate) fn current() -> Self {
        let entered = CURRENT.try_with(|current| current.with(|current| current.clone())).ok().flatten();
        entered.unwrap_or_else(Self::default_of_thread)
    }

    fn default_of_thread() -> Self {
        let last = DEFAULTS.try_with(|all| all.with(|all| all.last_key_value().map(|(_, last)| last.clone())));
        last.ok().flatten().unwrap_or_default()
    }

    /// Directs all reports of this thread to this sink until the scope is dropped. A Deferred has no reference to its
    /// reactor, but it is fired and dropped on the reactor's thread.
    #[inline]
    pub(crate) fn enter(&self) -> Scope {
        let entered = Some(self.clone());
        Scope { outer: CURRENT.try_with(|current| current.replace(entered)).ok().flatten() }
    }

    /// The same, unless this one only writes to stderr.
    pub(crate) fn enter_sink(&self) -> Option<Scope> {
        self.0.as_ref().map(|_| self.enter())
    }

    /// Makes this the default of the thread: for what fails outside of any scope, between the turns of a reactor and
    /// before the first, and in jobs.
    pub(crate) fn set_default(&self) -> DefaultGuard {
        let number = unique_number();
        let _ = DEFAULTS.try_with(|all| all.with(|all| all.insert(number, self.clone())));
        DefaultGuard { number }
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        let outer = self.outer.take();
        // Dropped after the borrow: it may be the last pointer to what a sink captured.
        let left = CURRENT.try_with(|current| current.replace(outer));
        drop(left);
    }
}

impl Drop for DefaultGuard {
    fn drop(&mut self) {
        let left = DEFAULTS.try_with(|all| {
            all.with(|all| {
                let left = all.remove(&self.number);
                // An empty map keeps a node until it is dropped, which nothing does with what a thread leaves behind.
                if all.is_empty() {
                    *all = BTreeMap::new();
                }
                left
            })
        });
        drop(left);
    }
}
