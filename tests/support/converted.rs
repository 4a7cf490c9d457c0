//! An error of a program's own, whose conversion from a failure may do anything.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

use selvedge::Failure;

thread_local! {
    /// What the next conversions on this thread do, one each.
    static NEXT: RefCell<VecDeque<Box<dyn FnOnce()>>> = const { RefCell::new(VecDeque::new()) };
}

/// The error.
#[derive(Debug)]
pub struct Converted(pub Failure);

impl Error for Converted {}

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Failure> for Converted {
    fn from(failure: Failure) -> Self {
        let deed = NEXT.with_borrow_mut(VecDeque::pop_front);
        if let Some(deed) = deed {
            deed();
        }
        Self(failure)
    }
}

/// The next conversion on this thread does this; after those that were given a deed before.
pub fn on_conversion(deed: impl FnOnce() + 'static) {
    NEXT.with_borrow_mut(|next| next.push_back(Box::new(deed)));
}
