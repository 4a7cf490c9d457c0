//! A FIFO queue of any number of values, of which the first is known until it is taken: no transition takes two.

use super::count::{Count, ZERO};
use crate::explore::prove;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChunkedQueue<T> {
    pub(super) first: Option<T>,
    /// Those that are not known.
    pub(super) behind: Count,
}

impl<T> ChunkedQueue<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None, behind: ZERO }
    }

    /// A queue of `first`, and of so many others behind it.
    pub(crate) fn of(first: T, behind: Count) -> Self {
        Self { first: Some(first), behind }
    }

    pub(crate) fn len(&self) -> Count {
        Count(self.behind.0 + i64::from(self.first.is_some()))
    }

    pub(crate) fn push_back(&mut self, value: T) {
        if self.len() == 0 {
            self.first = Some(value);
        } else {
            self.behind += 1;
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        prove("no transition takes two items", self.behind.0.is_zero() | self.first.is_some());
        self.first.take()
    }
}
