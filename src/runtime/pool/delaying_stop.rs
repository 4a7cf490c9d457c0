//! Thread-local: the pools that this thread stops, of which it starts threads, or whose job steps another pool here.
//! Their stop waits for it.

use super::super::sync::thread_local;
use crate::thread_value::ThreadValue;

thread_local! {
    /// The innermost last.
    static DELAYING: ThreadValue<Vec<DelayedPool>> = ThreadValue::new(Vec::new());
}

struct DelayedPool {
    address: usize,
    /// This thread is a worker of it.
    by_worker: bool,
}

/// Marks this thread as one that stops a pool, starts threads of it, or is its worker though it steps another pool just
/// now, until it is dropped. Each runs user code: what reports failures, is asked to end, is refused, or is stepped.
/// The pool has not stopped before that returns, so it must not wait for the stop.
pub(super) struct DelayingStop;

impl DelayingStop {
    /// Of the pool at this address.
    pub(super) fn of(address: usize) -> Self {
        Self::push(DelayedPool { address, by_worker: false })
    }

    /// Of the pool at this address, of which this thread is a worker.
    pub(super) fn by_worker_of(address: usize) -> Self {
        Self::push(DelayedPool { address, by_worker: true })
    }

    fn push(pool: DelayedPool) -> Self {
        let _ = DELAYING.try_with(|all| all.with(|all| all.push(pool)));
        Self
    }

    /// Whether this thread delays the stop of the pool at this address.
    pub(super) fn is_of(address: usize) -> bool {
        Self::is_any(|pool| pool.address == address)
    }

    /// The same, as a worker of it.
    pub(super) fn is_by_worker_of(address: usize) -> bool {
        Self::is_any(|pool| pool.address == address && pool.by_worker)
    }

    fn is_any(asked_for: impl Fn(&DelayedPool) -> bool) -> bool {
        DELAYING.try_with(|all| all.with(|all| all.iter().any(asked_for))).unwrap_or(false)
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
