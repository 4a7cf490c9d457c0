//! The cache as it was written first, with a bug: an invalidation that comes while the value is computed is lost.

use std::rc::Rc;
use std::sync::Arc;

use super::selvedge::deferred::Plain;
use super::selvedge::{Address, Deferred, LocalHandle, Owned, Reactor};

/// Lives on the reactor's thread.
pub struct Cache<T: 'static> {
    reactor: LocalHandle,
    compute: Arc<dyn Fn() -> T + Send + Sync>,
    /// `None` before it was computed, and when it was invalidated.
    value: Owned<Option<Rc<T>>>,
}

/// Invalidates a cache, from any thread.
pub struct Invalidator<T: 'static>(Address<Option<Rc<T>>>);

impl<T: Plain + Send> Cache<T> {
    /// Nothing is computed before somebody asks. `compute` runs on threads of the reactor's pool.
    pub fn new(reactor: &Reactor, compute: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { reactor: reactor.local(), compute: Arc::new(compute), value: reactor.own(None) }
    }

    /// For other threads.
    pub fn invalidator(&self) -> Invalidator<T> {
        Invalidator(self.value.address())
    }

    /// The value, which is computed if need be.
    pub fn get(&self) -> Deferred<Rc<T>> {
        if let Ok(Some(value)) = self.value.with(|value| value.clone()) {
            return Deferred::succeed(value);
        }
        let (compute, local, value) = (Arc::clone(&self.compute), self.reactor.clone(), self.value.address());
        self.reactor.defer_to_thread(move || compute()).add_callback(move |computed| {
            // It may have been invalidated since the computation began.
            local.ask(move |reactor| value.with(reactor, |value| Rc::clone(value.insert(Rc::new(computed)))))
        })
    }
}

impl<T: 'static> Invalidator<T> {
    /// Returns at once. Whoever asks after this has run on the reactor's thread is to get a value that was computed
    /// later.
    pub fn invalidate(&self) {
        // An error means that the reactor has ended, and the cache with it.
        let _ = self.0.call(|value, _| drop(value.take()));
    }
}
