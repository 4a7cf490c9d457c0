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
        Self::without_backtrace(first)
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

impl<E> FailureGroup<E> {
    /// Writes what they have in common, and says what stands before the next.
    fn begin(&self, f: &mut fmt::Formatter<'_>) -> Result<&'static str, fmt::Error> {
        if self.failures.is_empty() {
            f.write_str("there was no Deferred that could have succeeded")?;
            return Ok("; ");
        }
        write!(f, "none of {} Deferreds succeeded", self.failures.len())?;
        Ok(": ")
    }
}

impl<E: Error + 'static> fmt::Display for FailureGroup<E> {
    /// A race of races of races fails with a group of groups of groups: what is still to be written is kept here, and not on the stack.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = self.begin(f)?;
        let mut left: Vec<&(dyn Error + 'static)> = self.failures.iter().rev().map(|failure| failure as _).collect();
        while let Some(failure) = left.pop() {
            f.write_str(before)?;
            before = match failure.downcast_ref::<Failure>().and_then(Failure::downcast_ref::<FailureGroup>) {
                Some(group) => {
                    left.extend(group.failures.iter().rev().map(|failure| failure as &(dyn Error + 'static)));
                    group.begin(f)?
                }
                None => {
                    write!(f, "{failure}")?;
                    "; "
                }
            };
        }
        Ok(())
    }
}

impl<E: Error + 'static> Error for FailureGroup<E> {}

impl From<FailureGroup> for Failure {
    fn from(group: FailureGroup) -> Self {
        Self::without_backtrace(group)
    }
}
