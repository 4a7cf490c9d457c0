//! A value that is computed once, on a thread of the pool, and again after it was invalidated.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::selvedge::{Address, Deferred, Failure, LocalHandle, Reactor, Resolver};

/// Lives on the reactor's thread. A clone is the same cache.
pub struct Cache<T: 'static> {
    reactor: LocalHandle,
    compute: Arc<dyn Fn() -> T + Send + Sync>,
    entry: Rc<RefCell<Entry<T>>>,
}

struct Entry<T: 'static> {
    value: Option<T>,
    /// The resolvers of those who have asked while the value is computed.
    waiting: Vec<Resolver<T>>,
    /// How often the value was invalidated.
    version: u64,
}

/// Invalidates a cache, from any thread.
pub struct Invalidator<T: 'static>(Address<Rc<RefCell<Entry<T>>>>);

impl<T: Clone + Send + 'static> Cache<T> {
    /// Nothing is computed before somebody asks. `compute` runs on threads of the reactor's pool.
    pub fn new(reactor: &Reactor, compute: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let entry = Entry { value: None, waiting: Vec::new(), version: 0 };
        Self { reactor: reactor.local(), compute: Arc::new(compute), entry: Rc::new(RefCell::new(entry)) }
    }

    /// For other threads.
    pub fn invalidator(&self, reactor: &Reactor) -> Invalidator<T> {
        Invalidator(reactor.own(Rc::clone(&self.entry)).detach())
    }

    /// The value, which is computed if need be, once for all who wait.
    pub fn get(&self) -> Deferred<T> {
        let mut entry = self.entry.borrow_mut();
        if let Some(value) = &entry.value {
            return Deferred::succeed(value.clone());
        }
        let (deferred, resolver) = Deferred::new();
        entry.waiting.push(resolver);
        if entry.waiting.len() == 1 {
            drop(entry);
            self.compute();
        }
        deferred
    }

    fn compute(&self) {
        let version = self.entry.borrow().version;
        let (cache, compute) = (self.clone(), Arc::clone(&self.compute));
        self.reactor.defer_to_thread(move || [compute()]).add_both(move |result| match result {
            Ok([value]) => {
                cache.computed(version, value);
                Ok(())
            }
            // All that wait fail, because their resolvers are dropped. The failure itself is reported.
            Err(failure) => {
                cache.entry.borrow_mut().waiting.clear();
                Err::<(), Failure>(failure)
            }
        });
    }

    fn computed(&self, version: u64, value: T) {
        let mut entry = self.entry.borrow_mut();
        if entry.version != version {
            // It was computed from what there was before.
            drop(entry);
            return self.compute();
        }
        entry.value = Some(value.clone());
        let waiting = std::mem::take(&mut entry.waiting);
        drop(entry);
        for resolver in waiting {
            resolver.callback(value.clone());
        }
    }
}

impl<T: 'static> Invalidator<T> {
    /// Returns at once. Whoever asks after this has run on the reactor's thread gets a value that was computed later.
    pub fn invalidate(&self) {
        // An error means that the reactor has ended, and the cache with it.
        let _ = self.0.call(|entry, _| {
            let mut entry = entry.borrow_mut();
            entry.version += 1;
            entry.value = None;
        });
    }
}

impl<T: 'static> Clone for Cache<T> {
    fn clone(&self) -> Self {
        Self { reactor: self.reactor.clone(), compute: Arc::clone(&self.compute), entry: Rc::clone(&self.entry) }
    }
}
