//! Which sink is told of what fails on this thread: that of its innermost scope, else that of a reactor that lives
//! here.

use std::collections::BTreeMap;

use super::super::sync::{thread_local, unique_number};
use super::Reporter;
use crate::thread_value::ThreadValue;

thread_local! {
    /// The reporter that was entered last on this thread; its scope keeps the one before.
    static CURRENT: ThreadValue<Option<Reporter>> = ThreadValue::new(None);
    /// Those of the reactors that live on this thread, in the order in which they were made.
    static RESIDENT: ThreadValue<BTreeMap<usize, Reporter>> = ThreadValue::new(BTreeMap::new());
}

/// Until it is dropped, reports of this thread go to the reporter that was entered last.
#[must_use]
pub(crate) struct Scope {
    outer: Option<Reporter>,
}

/// Until it is dropped, reports of this thread that are made in no scope go to this reporter, unless a later one is
/// there.
#[must_use]
pub(crate) struct Resident {
    number: usize,
}

impl Reporter {
    /// That of this thread's innermost scope, or of the reactor that was made last of those that live here, or the
    /// default.
    pub(crate) fn current() -> Self {
        let entered = CURRENT.try_with(|current| current.with(|current| current.clone())).ok().flatten();
        entered.unwrap_or_else(Self::of_resident)
    }

    fn of_resident() -> Self {
        let last = RESIDENT.try_with(|all| all.with(|all| all.last_key_value().map(|(_, last)| last.clone())));
        last.ok().flatten().unwrap_or_default()
    }

    /// Directs all reports of this thread to this sink until the scope is dropped. A Deferred has no reference to its
    /// reactor, but it is fired and dropped on the reactor's thread.
    #[inline]
    pub(crate) fn enter(&self) -> Scope {
        let entered = Some(self.clone());
        Scope { outer: CURRENT.try_with(|current| current.replace(entered)).ok().flatten() }
    }

    /// Directs the reports to it that are made on this thread outside of any scope: between the turns of a reactor, and
    /// before the first.
    pub(crate) fn reside(&self) -> Resident {
        let number = unique_number();
        let _ = RESIDENT.try_with(|all| all.with(|all| all.insert(number, self.clone())));
        Resident { number }
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

impl Drop for Resident {
    fn drop(&mut self) {
        let left = RESIDENT.try_with(|all| all.with(|all| all.remove(&self.number)));
        drop(left);
    }
}
