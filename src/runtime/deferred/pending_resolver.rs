//! A firing half that a reactor keeps until the result comes.

use super::{Resolver, Settled};
use crate::failure::Failure;

/// The firing half of a Deferred whose result is under way: a timer, a job or a task has it in hand. At the reactor's end it is dropped, and says so.
pub(crate) struct PendingResolver<T>(Option<Resolver<T>>);

impl<T> PendingResolver<T> {
    pub(crate) fn new(resolver: Resolver<T>) -> Self {
        Self(Some(resolver))
    }

    pub(crate) fn deliver(mut self, settled: Settled<T, Failure>) {
        if let Some(resolver) = self.0.take() {
            resolver.come_to(settled);
        }
    }

    pub(crate) fn fail(self, failure: Failure) {
        self.deliver(Settled::Now(Err(failure)));
    }
}

impl<T> Drop for PendingResolver<T> {
    fn drop(&mut self) {
        if let Some(resolver) = self.0.take() {
            resolver.reactor_stopped();
        }
    }
}
