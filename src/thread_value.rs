//! [`ThreadValue`]: what a thread-local holds that must still work in destructors of other thread-locals.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

/// A value without a destructor. std destroys a thread's thread-locals in the reverse order of their first use, but
/// one without a destructor works until the thread has ended; only on platforms where each thread-local is allocated,
/// and in models, it may be gone before.
///
/// Its user leaves it empty, owning no memory, as soon as it is not needed: what is in it at the thread's end is
/// leaked.
pub(crate) struct ThreadValue<T>(RefCell<ManuallyDrop<T>>);

impl<T> ThreadValue<T> {
    pub(crate) const fn new(empty: T) -> Self {
        Self(RefCell::new(ManuallyDrop::new(empty)))
    }

    /// `f` runs no code of a program.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }

    /// Returns the old value, to be dropped while nothing is borrowed.
    #[must_use]
    pub(crate) fn replace(&self, value: T) -> T {
        ManuallyDrop::into_inner(self.0.replace(ManuallyDrop::new(value)))
    }
}
