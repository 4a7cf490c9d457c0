//! [`SharedFailure`]: the failure of a Deferred for which several wait.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Failure;

/// The failure of a [`SharedDeferred`](crate::deferred::SharedDeferred): each of its waiters is given one.
///
/// Its [source](Error::source) is the original error; it derefs to the [`Failure`], which knows the error's type:
///
/// ```
/// use selvedge::{Deferred, Failure};
/// use selvedge::error::{SharedFailure, TimedOut};
///
/// let page = Deferred::<u32>::fail(Failure::msg("no network")).shared();
/// let _ = page.get().add_errback(|failure| {
///     let original: &Failure = failure.downcast_ref::<SharedFailure>().expect("it is shared");
///     assert!(!original.is::<TimedOut>());
///     assert_eq!(original.to_string(), "no network");
///     Err(failure)
/// });
/// ```
#[derive(Clone)]
pub struct SharedFailure(Arc<Failure>);

impl SharedFailure {
    pub(crate) fn new(failure: Failure) -> Self {
        Self(Arc::new(failure))
    }

    /// The original, if nobody else holds it.
    pub(super) fn last(self) -> Option<Failure> {
        Arc::into_inner(self.0)
    }
}

impl Deref for SharedFailure {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl fmt::Display for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shared Deferred has failed")
    }
}

impl fmt::Debug for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedFailure").field(&*self.0).finish()
    }
}

impl Error for SharedFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.error())
    }
}
