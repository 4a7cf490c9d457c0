//! The thread-locals of pools: which pool this thread works for.

use std::cell::Cell;
use std::rc::Rc;

use super::super::report::DefaultGuard;
use super::super::sync::{Arc, thread_local};
use super::delaying_stop::DelayingStop;
use super::shared::Shared;
use crate::thread_value::ThreadValue;

thread_local! {
    /// The address of the pool that this thread is or was a worker of; zero on other threads. Kept to the thread's end,
    /// because destructors of other thread-locals may still ask for it.
    static POOL_ADDRESS: Cell<usize> = Cell::new(0);
    /// That pool, while there is a worker on this thread.
    static POOL: ThreadValue<Option<Rc<CurrentPool>>> = ThreadValue::new(None);
}

/// Identifies a pool among those that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PoolId(usize);

/// A worker's only `Arc` of its pool: a second one would cost a second decrement.
pub(super) struct CurrentPool(pub(super) Arc<Shared>);

/// Makes this thread a worker of a pool, until it is dropped.
pub(super) struct EnterPool {
    outer: Option<Rc<CurrentPool>>,
    outer_address: usize,
    /// If this thread is a worker of another pool, whose job steps this one.
    _outer_worker: Option<DelayingStop>,
    /// What fails on this thread and belongs to no reactor is told to the pool's sink.
    _default: DefaultGuard,
}

/// The pool of which this thread is a worker.
pub(super) fn current_pool() -> Option<Arc<Shared>> {
    POOL.try_with(|pool| pool.with(|pool| pool.as_ref().map(|current| Arc::clone(&current.0)))).ok().flatten()
}

/// Identifies the pool of which this thread is a worker, or was when it began to end.
pub(crate) fn current_pool_id() -> Option<PoolId> {
    let address = POOL_ADDRESS.try_with(Cell::get).unwrap_or(0);
    (address != 0).then_some(PoolId(address))
}

/// Whether this thread is a worker of that pool, which may have a job further up the stack.
pub(super) fn is_worker_of(pool: &Shared) -> bool {
    let address = pool.address();
    current_pool_id() == Some(PoolId(address)) || DelayingStop::is_by_worker_of(address)
}

/// Whether the pool cannot stop before this thread returns: it is a worker of it, stops it, or starts threads of it.
pub(super) fn delays_stop_of(pool: &Shared) -> bool {
    is_worker_of(pool) || DelayingStop::is_of(pool.address())
}

impl PoolId {
    pub(super) fn of(pool: &Shared) -> Self {
        Self(pool.address())
    }
}

impl CurrentPool {
    pub(super) fn new(pool: Arc<Shared>) -> Rc<Self> {
        Rc::new(Self(pool))
    }
}

impl EnterPool {
    pub(super) fn new(pool: &Rc<CurrentPool>) -> Self {
        let outer_address = POOL_ADDRESS.try_with(|address| address.replace(pool.0.address())).unwrap_or(0);
        Self {
            outer: POOL.try_with(|own| own.replace(Some(Rc::clone(pool)))).ok().flatten(),
            outer_address,
            _outer_worker: (outer_address != 0).then(|| DelayingStop::by_worker_of(outer_address)),
            _default: pool.0.reporter.set_default(),
        }
    }

    /// The thread ends: destructors of its thread-locals must not wait for the pool's stop either.
    pub(super) fn keep_address(&mut self) {
        self.outer_address = POOL_ADDRESS.try_with(Cell::get).unwrap_or(0);
    }
}

impl Drop for EnterPool {
    fn drop(&mut self) {
        let outer = self.outer.take();
        // Dropped after the borrow: it may be the last `Arc` of the pool.
        let own = POOL.try_with(|own| own.replace(outer));
        drop(own);
        let _ = POOL_ADDRESS.try_with(|address| address.set(self.outer_address));
    }
}
