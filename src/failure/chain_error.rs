//! [`ChainError`]: which types can be the error of a chain of callbacks.

use std::error::Error;
use std::fmt;

use super::Failure;

/// What can be the `E` of a [`Deferred<T, E>`](crate::Deferred): a [`Failure`], or a program's own error type.
///
/// A chain itself fails when a callback panics or when it is cancelled, so the type must be able to hold a [`Failure`].
/// Every `Error` that is `From<Failure>` is a `ChainError`; there is nothing to implement but these two.
///
/// ```
/// use selvedge::{Deferred, Failure};
/// use std::fmt;
///
/// #[derive(Debug)]
/// enum Fetch {
///     NotFound,
///     Other(Failure),
/// }
///
/// impl From<Failure> for Fetch {
///     fn from(failure: Failure) -> Self {
///         Fetch::Other(failure)
///     }
/// }
///
/// impl std::error::Error for Fetch {
///     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
///         match self {
///             Fetch::NotFound => None,
///             Fetch::Other(failure) => Some(failure.error()),
///         }
///     }
/// }
///
/// impl fmt::Display for Fetch {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         match self {
///             Fetch::NotFound => f.write_str("no such page"),
///             Fetch::Other(failure) => failure.fmt(f),
///         }
///     }
/// }
///
/// let (page, fire) = Deferred::<String, Fetch>::typed();
/// page.add_errback(|error| match error {
///     Fetch::NotFound => Ok(String::new()),
///     other => Err(other),
/// });
/// fire.errback(Fetch::NotFound);
/// ```
///
/// Its [`source`](Error::source) should be the [original error](Failure::error) of a failure that it holds: that is
/// where a time limit and a dropped future look for the cancellation that they caused.
///
/// `From<Failure>` runs on the thread of the chain, under no lock. If it panics, it is called once more, with the
/// [`Panic`](crate::error::Panic). If it panics again there is no error, and the panic goes on to the call that fired.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a chain",
    label = "neither `Failure`, nor an `Error` that is `From<Failure>`",
    note = "a chain fails by itself when a callback panics or when it is cancelled: implement `Error` and \
            `From<Failure>`"
)]
pub trait ChainError: From<Failure> + fmt::Debug + fmt::Display + 'static {
    /// The error; of a [`Failure`], the original one.
    fn as_error(&self) -> &(dyn Error + 'static);
}

impl ChainError for Failure {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self.error()
    }
}

impl<E: Error + From<Failure> + 'static> ChainError for E {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}
