//! How several Deferreds fail together: the first error with its place, and all of them when none succeeded.

use std::error::Error;
use std::fmt;

use crate::failure::Failure;

/// One of several Deferreds failed, and that was enough: which one, and with what.
///
/// What [`gather_results`](crate::gather_results) and [`DeferredList::fire_on_one_errback`](crate::DeferredList::fire_on_one_errback) fail
/// with. In a chain of [`Failure`]s it is the failure's original error; an error type of a program's own says what it makes of one, with
/// `impl From<FirstError<Own>> for Own`.
///
/// ```
/// use selvedge::{Deferred, FirstError, gather_results};
///
/// let both = gather_results([Deferred::succeed(1), Deferred::fail(std::fmt::Error)]);
/// both.add_errback(|failure| {
///     let first = failure.downcast::<FirstError>()?;
///     assert_eq!(first.index, 1);
///     assert!(first.error.is::<std::fmt::Error>());
///     Ok::<_, selvedge::Failure>(vec![])
/// });
/// ```
#[derive(Debug)]
pub struct FirstError<E = Failure> {
    /// The place of the one that failed, in the order of input.
    pub index: usize,
    /// What it failed with.
    pub error: E,
}

impl<E> fmt::Display for FirstError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Deferred at index {} failed, and with it the whole", self.index)
    }
}

impl<E: Error + 'static> Error for FirstError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<FirstError> for Failure {
    fn from(first: FirstError) -> Self {
        Self::new(first)
    }
}

/// None of several Deferreds succeeded: what each of them failed with.
///
/// What [`race`](crate::race) and [`DeferredList::fire_on_one_callback`](crate::DeferredList::fire_on_one_callback) fail with; of no
/// Deferreds at all none succeeded either. Own error types: as for [`FirstError`].
///
/// ```
/// use selvedge::{Deferred, FailureGroup, race};
///
/// let winner = race([Deferred::<u32>::fail(std::fmt::Error), Deferred::fail(std::fmt::Error)]);
/// winner.add_errback(|failure| {
///     assert!(failure.downcast_ref::<FailureGroup>().is_some_and(|group| group.failures.len() == 2));
///     (0, 0)
/// });
/// ```
#[derive(Debug)]
pub struct FailureGroup<E = Failure> {
    /// One of each member, in the order of input.
    pub failures: Vec<E>,
}

impl<E: fmt::Display> fmt::Display for FailureGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.failures.is_empty() {
            return f.write_str("there was no Deferred that could have succeeded");
        }
        write!(f, "none of {} Deferreds succeeded", self.failures.len())?;
        let mut before = ": ";
        for failure in &self.failures {
            write!(f, "{before}{failure}")?;
            before = "; ";
        }
        Ok(())
    }
}

impl<E: Error + 'static> Error for FailureGroup<E> {}

impl From<FailureGroup> for Failure {
    fn from(group: FailureGroup) -> Self {
        Self::new(group)
    }
}
