//! Converts failures that the crate makes itself into the error type of a chain, by the program's `From<Failure>`.

use std::error::Error;

use super::super::sync::catch;
use crate::failure::Failure;

/// Converts a failure. If the conversion panics, the error is made of that panic.
#[cold]
pub(crate) fn convert<E: From<Failure>>(failure: Failure) -> E {
    catch(|| E::from(failure)).unwrap_or_else(|panic| E::from(Failure::without_backtrace(panic)))
}

/// Converts an error that this crate makes itself.
#[cold]
pub(crate) fn convert_own<E: From<Failure>>(error: impl Error + Send + Sync + 'static) -> E {
    convert(Failure::without_backtrace(error))
}
