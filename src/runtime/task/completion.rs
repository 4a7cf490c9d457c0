//! The result of a user's function or iterator without its value: looping calls and cooperators only need to know when
//! it comes and whether it is an error.

use super::super::deferred::{Deferred, Outcome, Settled};
use super::super::report::{Incident, Origin, drop_contained, report};
use crate::error::is_cancellation;
use crate::failure::Failure;

/// Drops the value, now or when it arrives.
pub(super) fn discard_value<R: Outcome<Failure>>(outcome: R) -> Settled<(), Failure> {
    match outcome.settle() {
        Settled::Now(result) => Settled::Now(result.map(drop_contained)),
        Settled::Later(deferred) => Settled::Later(deferred.map(drop)),
    }
}

/// Calls `callback` with the result of a Deferred. Returns a Deferred by which to cancel it, or `None` if it had fired
/// already.
pub(super) fn when_fired(
    deferred: Deferred<()>,
    callback: impl FnOnce(Result<(), Failure>) + 'static,
) -> Option<Deferred<()>> {
    deferred.add_both(callback).try_result().err()
}

/// Nobody waits for this result any more: an error is reported, unless a cancel or the reactor's end has caused it.
pub(super) fn unwanted<'a>(result: Result<(), Failure>, origin: impl Into<Origin<'a>>) {
    if let Err(failure) = &result
        && !is_cancellation(failure.error())
    {
        report(Incident::Unhandled, failure.error(), origin);
    }
    drop_contained(result);
}
