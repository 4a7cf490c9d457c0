//! A value on cache lines of its own, so that threads that write to neighbouring fields do not slow each other down
//! (false sharing).

use std::ops::Deref;

/// Aligned to two lines of 64 bytes, because some processors prefetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct CachePadded<T>(pub(crate) T);

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
