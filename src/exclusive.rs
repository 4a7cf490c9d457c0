//! [`Exclusive`]: a value that only its owner reaches, so that what holds it is `Sync` whatever the value is.

use std::sync::{Mutex, PoisonError};

/// A value that is never reached by shared reference. It is never locked either: the mutex is there for its type.
pub(crate) struct Exclusive<T>(Mutex<T>);

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
