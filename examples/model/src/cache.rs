//! A value that is computed once, on a thread of the pool, and again after it was invalidated.

use std::rc::Rc;
use std::sync::Arc;

use super::selvedge::deferred::{Plain, SharedDeferred};
use super::selvedge::{Address, Deferred, LocalHandle, Owned, Reactor};

/// Lives on the reactor's thread.
pub struct Cache<T: 'static> {
    reactor: LocalHandle,
    compute: Arc<dyn Fn() -> T + Send + Sync>,
    /// What is computed, or has been; `None` if it was invalidated since.
    value: Owned<Option<SharedDeferred<T>>>,
}

/// Invalidates a cache, from any thread.
pub struct Invalidator<T: 'static>(Address<Option<SharedDeferred<T>>>);

impl<T: Plain + Send> Cache<T> {
    /// Nothing is computed before somebody asks. `compute` runs on threads of the reactor's pool.
    pub fn new(reactor: &Reactor, compute: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { reactor: reactor.local(), compute: Arc::new(compute), value: reactor.own(None) }
    }

    /// For other threads.
    pub fn invalidator(&self) -> Invalidator<T> {
        Invalidator(self.value.address())
    }

    /// The value, which is computed if need be, once for all who ask.
    pub fn get(&self) -> Deferred<Rc<T>> {
        let compute = || {
            let compute = Arc::clone(&self.compute);
            self.reactor.defer_to_thread(move || compute()).shared()
        };
        self.value.with(|value| value.get_or_insert_with(compute).get()).unwrap_or_else(Deferred::fail)
    }
}

impl<T: 'static> Invalidator<T> {
    /// Returns at once. Whoever asks after this has run on the reactor's thread gets a value that was computed later.
    pub fn invalidate(&self) {
        // An error means that the reactor has ended, and the cache with it.
        let _ = self.0.call(|value, _| drop(value.take()));
    }
}
