//! The error of a chain that fails by itself: a program's conversion makes it of a failure.

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
