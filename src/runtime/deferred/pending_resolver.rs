//! A resolver that the reactor keeps until the result comes.

use super::outcome::Settled;
use super::resolver::Resolver;
use crate::failure::Failure;

/// The resolver of a Deferred whose result a timer, a job or a task will deliver. If the reactor drops it at its end,
/// the Deferred fails with `ReactorStopped`.
pub(crate) struct PendingResolver<T>(Option<Resolver<T>>);

impl<T> PendingResolver<T> {
    pub(crate) fn new(resolver: Resolver<T>) -> Self {
        Self(Some(resolver))
    }

    pub(crate) fn deliver(mut self, settled: Settled<T, Failure>) {
        if let Some(resolver) = self.0.take() {
            resolver.fire_settled(settled);
        }
    }

    /// Whether a result would be dropped.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_none_or(Resolver::is_cancelled)
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
