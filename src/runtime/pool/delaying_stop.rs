//! Thread-local: the pools that this thread stops, or of which it starts threads. Their stop waits for it.

use super::super::sync::thread_local;
use crate::thread_value::ThreadValue;

thread_local! {
    /// The addresses of the pools, the innermost last.
    static DELAYING: ThreadValue<Vec<usize>> = ThreadValue::new(Vec::new());
}

/// Marks this thread as one that stops a pool or starts threads of it, until it is dropped. Both run user code, as they
/// report what fails, ask jobs to end, and refuse others. The pool has not stopped before they return, so that code
/// must not wait for the stop.
pub(super) struct DelayingStop;

impl DelayingStop {
    /// Of the pool at this address.
    pub(super) fn of(address: usize) -> Self {
        let _ = DELAYING.try_with(|all| all.with(|all| all.push(address)));
        Self
    }

    /// Whether this thread stops the pool at this address, or starts threads of it.
    pub(super) fn is_of(address: usize) -> bool {
        DELAYING.try_with(|all| all.with(|all| all.contains(&address))).unwrap_or(false)
    }
}

impl Drop for DelayingStop {
    fn drop(&mut self) {
        let _ = DELAYING.try_with(|all| {
            all.with(|all| {
                all.pop();
                if all.is_empty() {
                    *all = Vec::new();
                }
            });
        });
    }
}
