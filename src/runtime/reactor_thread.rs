//! Thread-local: does a reactor live on this thread, or is one ending there? Such a thread must not block on what
//! another thread does, because that may wait for this reactor, directly or through others.

use std::cell::Cell;

use super::sync::thread_local;

thread_local! {
    /// How many reactors live on this thread and have not ended.
    static REACTORS: Cell<usize> = Cell::new(0);
    /// How many reactors run their last calls on this thread, or drop what they have.
    static ENDING: Cell<usize> = Cell::new(0);
}

/// Marks this thread as one that a reactor lives on, until it is dropped. A reactor holds one until it has ended: after
/// that nobody can wait for it.
#[derive(Debug)]
pub(crate) struct ReactorThreadGuard;

impl ReactorThreadGuard {
    pub(crate) fn enter() -> Self {
        let _ = REACTORS.try_with(|reactors| reactors.set(reactors.get() + 1));
        Self
    }
}

impl Drop for ReactorThreadGuard {
    fn drop(&mut self) {
        let _ = REACTORS.try_with(|reactors| reactors.set(reactors.get().saturating_sub(1)));
    }
}

/// Whether any reactor lives on this thread that has not ended.
pub(crate) fn is_reactor_thread() -> bool {
    REACTORS.try_with(|reactors| reactors.get() > 0).unwrap_or(false)
}

/// Marks this thread as one on which a reactor ends, until it is dropped.
#[must_use]
pub(crate) struct EndingGuard;

impl EndingGuard {
    pub(crate) fn enter() -> Self {
        let _ = ENDING.try_with(|ending| ending.set(ending.get() + 1));
        Self
    }
}

impl Drop for EndingGuard {
    fn drop(&mut self) {
        let _ = ENDING.try_with(|ending| ending.set(ending.get().saturating_sub(1)));
    }
}

/// Whether a reactor of this thread ends just now, or none lives here: that a reactor has stopped is no news then.
pub(crate) fn has_no_running_reactor() -> bool {
    ENDING.try_with(|ending| ending.get() > 0).unwrap_or(true) || !is_reactor_thread()
}
