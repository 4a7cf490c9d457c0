//! Types that both halves of the pool's machine use: the pool's state, its target, its counts.

use super::super::count::{Count, ZERO};

/// A worker's number, unique within its pool and part of its thread's name.
pub(crate) type WorkerId = usize;

/// The state of the pool as a whole. It only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum PoolState {
    /// Jobs queue. No thread exists.
    Unstarted,
    /// Jobs queue and are run.
    Running,
    /// No job is accepted; those accepted before are finished. Some worker is live, or some thread still refuses jobs.
    Draining,
    /// No job and no worker is left, and none will come.
    Stopped,
}

/// The target: how many workers there should be. The pool moves towards it. Only the last of several resizes matters:
/// workers that an earlier target made too many are not recorded anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sizes {
    pub(crate) min: Count,
    pub(crate) max: Count,
}

/// How many workers there may be beyond the maximum, one in place of each blocked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Compensation {
    pub(crate) most: Count,
    /// Also while the maximum is one or zero. Without that, such a pool is a serialiser.
    pub(crate) for_one: bool,
}

impl Compensation {
    pub(super) fn at(self, target: Sizes) -> Count {
        if target.max > 1 || self.for_one { self.most } else { ZERO }
    }
}

/// What stopping does with queued jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Policy {
    /// They are run.
    Drain,
    /// They are handed out, to be refused.
    CancelQueued,
}

/// Totals since the pool was made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) started: u64,
    pub(crate) completed: u64,
    pub(crate) panicked: u64,
    /// Accepted jobs that never ran because a ticket or a stop cancelled them.
    pub(crate) cancelled: u64,
    /// Accepted jobs that never ran because no thread could be spawned.
    pub(crate) failed: u64,
    /// Completed jobs that were refused in place of being run, because they were in the queue for too long.
    pub(crate) expired: u64,
    /// How often a thread could not be spawned.
    pub(crate) start_failures: u64,
    /// The most threads that ran at any time.
    pub(crate) peak: Count,
}

/// Records that no transition reads. They are equal to every other and add nothing to a hash, so that two states of the
/// machine that differ only in them are one state to the exhaustive search.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct History<T>(pub(crate) T);

impl<T> PartialEq for History<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for History<T> {}

impl<T> std::hash::Hash for History<T> {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}
