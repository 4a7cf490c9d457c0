//! What locks, semaphores and queues refuse.

use std::error::Error;
use std::fmt;

/// More permits were released than had been kept: what a [`Permit`](crate::Permit) guards is given back by dropping that, and not from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OverRelease;

impl fmt::Display for OverRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no permit was kept that could be released: one that has its guard is given back by dropping that")
    }
}

impl Error for OverRelease {}

/// The queue is full: the item comes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct QueueOverflow<T> {
    /// What was not put.
    pub item: T,
}

impl<T> QueueOverflow<T> {
    pub(crate) fn new(item: T) -> Self {
        Self { item }
    }
}

impl<T> fmt::Display for QueueOverflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue holds as many items as it may; this one is in the error's `item`")
    }
}

// By hand: a derive would ask `Debug` of the item, and then the error of one without could not be unwrapped or `?`ed.
impl<T> fmt::Debug for QueueOverflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueOverflow").finish_non_exhaustive()
    }
}

impl<T> Error for QueueOverflow<T> {}

/// As many wait for an item of the queue as may: nobody was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueUnderflow;

impl fmt::Display for QueueUnderflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is empty, and as many wait for its items as may")
    }
}

impl Error for QueueUnderflow {}
