//! A resolver that the reactor keeps until the result comes.

use std::rc::Rc;

use super::super::report::{Incident, Origin, drop_contained, report_and_drop};
use super::head::{Head, Producer, Source};
use super::outcome::Settled;
use super::resolver::{Resolver, fire_settled};
use crate::error::is_cancellation;
use crate::failure::Failure;

/// The resolver of a Deferred whose result a timer, a job or a task will deliver. If the reactor drops it at its end,
/// the Deferred fails with `ReactorStopped`.
pub(crate) struct PendingResolver<T>(Option<Resolver<T>>);

impl<T: 'static> PendingResolver<T> {
    pub(crate) fn new(resolver: Resolver<T>) -> Self {
        Self(Some(resolver))
    }

    pub(crate) fn of_head<P: Producer>(head: Rc<Head<T, Failure, P>>) -> Self {
        Self::new(Resolver::new(head))
    }

    pub(crate) fn deliver(mut self, settled: Settled<T, Failure>) {
        if let Some(source) = self.0.take().and_then(Resolver::into_source) {
            deliver_to(source, settled);
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

/// Fires a chain, unless it was cancelled.
pub(crate) fn deliver_to<T: 'static, S: Source<T, Failure> + ?Sized>(source: Rc<S>, settled: Settled<T, Failure>) {
    if source.is_decided() {
        drop_late(Incident::Unhandled, settled, None);
    } else {
        fire_settled(source, settled);
    }
}

/// Drops a result that comes when nobody waits for it any more. What it waits for is cancelled. A failure is reported,
/// unless it only says that it was cancelled or that the reactor stopped.
pub(crate) fn drop_late<'a, T: 'static>(
    incident: Incident,
    settled: Settled<T, Failure>,
    origin: impl Into<Origin<'a>>,
) {
    match settled {
        Settled::Later(deferred) => drop(deferred.cancel_on_drop()),
        Settled::Now(Err(failure)) if !is_cancellation(failure.error()) => report_and_drop(incident, failure, origin),
        Settled::Now(result) => drop_contained(result),
    }
}

impl<T> Drop for PendingResolver<T> {
    fn drop(&mut self) {
        if let Some(resolver) = self.0.take() {
            resolver.reactor_stopped();
        }
    }
}
