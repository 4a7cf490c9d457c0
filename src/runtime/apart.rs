//! A value on cache lines of its own: what different threads write is kept apart, or they slow each other down without sharing anything.

use std::ops::Deref;

/// Two lines of 64 bytes, for processors that fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
