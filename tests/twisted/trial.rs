//! What Twisted's test framework, trial, offers its tests: the result of a Deferred, and the errors that were logged.

use std::fmt;

use selvedge::{Deferred, Failure, report::Incident};

use crate::support::deferred::reports;

/// `successResultOf`.
pub fn success<T: 'static>(deferred: Deferred<T>) -> T {
    deferred.try_result().unwrap().unwrap()
}

/// `failureResultOf`.
pub fn failure<T: fmt::Debug + 'static>(deferred: Deferred<T>) -> Failure {
    deferred.try_result().unwrap().unwrap_err()
}

/// `assertNoResult`.
pub fn no_result<T: 'static>(deferred: Deferred<T>) -> Deferred<T> {
    deferred.try_result().map(drop).unwrap_err()
}

/// `flushLoggedErrors`: what is reported while this runs on a reactor's thread.
pub fn logged_errors(body: impl FnOnce() + 'static) -> Vec<(Incident, String)> {
    reports(body).into_iter().map(|(incident, error, _)| (incident, error)).collect()
}
