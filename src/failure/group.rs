//! `FirstError` and `FailureGroup`: the errors of several Deferreds that became one.

use std::error::Error;
use std::fmt;

use super::message::display;
use super::{ChainError, Failure};

/// The first of several Deferreds that failed: its index and its error.
///
/// The error of [`gather_results`](crate::deferred::gather_results) and
/// [`DeferredList::fire_on_one_errback`](crate::deferred::DeferredList::fire_on_one_errback). In a Deferred with
/// [`Failure`]s it is the original error of a failure; a program's own error type implements `From<FirstError<Own>>`.
///
/// ```
/// use selvedge::{Deferred, deferred::gather_results, error::FirstError};
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
    /// The index of the Deferred that failed, in the order of input.
    pub index: usize,
    /// The error it failed with.
    pub error: E,
}

impl<E> fmt::Display for FirstError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Deferred at index {} failed", self.index)
    }
}

impl<E: ChainError> Error for FirstError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.error.as_error())
    }
}

/// The errors of several Deferreds of which none succeeded.
///
/// The error of [`race`](crate::deferred::race) and
/// [`DeferredList::fire_on_one_callback`](crate::deferred::DeferredList::fire_on_one_callback), also when there were no
/// Deferreds at all. A program's own error type implements `From<FailureGroup<Own>>`.
///
/// ```
/// use selvedge::{Deferred, deferred::race, error::FailureGroup};
///
/// let winner = race([Deferred::<u32>::fail(std::fmt::Error), Deferred::fail(std::fmt::Error)]);
/// winner.add_errback(|failure| {
///     assert!(failure.downcast_ref::<FailureGroup>().is_some_and(|group| group.failures.len() == 2));
///     (0, 0)
/// });
/// ```
#[derive(Debug)]
pub struct FailureGroup<E = Failure> {
    /// The error of each Deferred, in the order of input.
    pub failures: Vec<E>,
}

impl<E> FailureGroup<E> {
    /// Writes the first words of the message; returns the separator that goes before the next part.
    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> Result<&'static str, fmt::Error> {
        if self.failures.is_empty() {
            f.write_str("there were no Deferreds, so none could succeed")?;
            return Ok("; ");
        }
        write!(f, "none of {} Deferreds succeeded", self.failures.len())?;
        Ok(": ")
    }
}

impl<E: ChainError> fmt::Display for FailureGroup<E> {
    /// Nested groups are written by a loop over a list of what is left: recursion could overflow the stack.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = self.write_summary(f)?;
        let mut left: Vec<_> = self.failures.iter().rev().map(E::as_error).collect();
        while let Some(failure) = left.pop() {
            f.write_str(separator)?;
            separator = match failure.downcast_ref::<FailureGroup>() {
                Some(group) => {
                    left.extend(group.failures.iter().rev().map(Failure::as_error));
                    group.write_summary(f)?
                }
                None => {
                    display(&failure, f)?;
                    "; "
                }
            };
        }
        Ok(())
    }
}

impl<E: ChainError> Error for FailureGroup<E> {}
