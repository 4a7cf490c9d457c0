//! A [`Failure`] where an [`Error`] is asked for: as a type of its own, or as the original error in a box.

use std::error::Error;
use std::fmt;

use super::Failure;

/// A [`Failure`] as a type that implements [`Error`]: what [`Failure::into_error`] returns.
///
/// It reads like the failure, and like it can always be printed. Its source is the source of the original error, so
/// that a printed chain of causes repeats nothing. A `Failure` made of it is the one that it was.
pub struct FailureError(pub(super) Failure);

impl FailureError {
    /// The failure.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        self.0
    }
}

impl fmt::Display for FailureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for FailureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Error for FailureError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error().source()
    }
}

/// The original error.
impl From<Failure> for Box<dyn Error + Send + Sync> {
    fn from(failure: Failure) -> Self {
        failure.into_boxed()
    }
}

/// The original error.
impl From<Failure> for Box<dyn Error + Send> {
    fn from(failure: Failure) -> Self {
        failure.into_boxed()
    }
}

/// The original error.
impl From<Failure> for Box<dyn Error> {
    fn from(failure: Failure) -> Self {
        failure.into_boxed()
    }
}
