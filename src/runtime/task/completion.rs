//! The result of a user's function or iterator without its value: looping calls and cooperators only need to know when
//! it comes and whether it is an error.

use super::super::deferred::{Deferred, Outcome, Settled};
use super::super::report::drop_contained;
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
