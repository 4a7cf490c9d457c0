//! What the pool's transitions return: the actions that are owed once the locks are released.

use super::super::count::{Count, ZERO};
use super::sleepers::WorkerSlot;
use super::state::WorkerId;

/// How many of those who wait on one condition variable are to be notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) enum Notify {
    #[default]
    Nobody,
    One,
    All,
}

/// Threads to spawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Spawn {
    /// The first new worker's number. The others are given theirs, or given up, when their turn
    /// [comes](super::spawn_next).
    pub(crate) first: WorkerId,
    pub(crate) count: Count,
}

/// Whom to notify and what to spawn, once the locks are released.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Wakeups {
    /// The idle worker to notify. It is no longer [asleep](super::Workers::sleepers) for the machine, which counts on
    /// it to look.
    pub(crate) wake: Option<WorkerSlot>,
    pub(crate) spawn: Spawn,
    /// Submitters that wait for a free slot: one, for one slot; all, for many slots, or if there never will be one.
    pub(crate) submitters: Notify,
    /// `Saturated` is to be reported: jobs wait, every worker is blocked, and no thread may be spawned.
    pub(crate) report_saturation: bool,
}

impl Wakeups {
    pub(crate) const NONE: Self = Self {
        wake: None,
        spawn: Spawn { first: 0, count: ZERO },
        submitters: Notify::Nobody,
        report_saturation: false,
    };

    pub(super) fn wake(slot: WorkerSlot) -> Self {
        Self { wake: Some(slot), ..Self::NONE }
    }
}

/// What a worker does next.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum WorkerAction<T> {
    /// Take the job, carry out the wakeups, then run the job.
    Run(T, Wakeups),
    /// Release the locks and spin for a moment, then call [`searched`](super::Workers::searched) and
    /// [`next_action`](super::next_action).
    Search,
    /// Wait to be notified, then call [`woken`](super::Workers::woken), carry out what it returns, and call
    /// [`next_action`](super::next_action).
    Sleep {
        /// There are more workers than the minimum: wait for the rest of the keep-alive at most. (When the minimum
        /// sinks below workers that sleep without a timeout, they are notified.)
        timed: bool,
    },
    /// Carry out the wakeups, run the stop hooks, then call [`exited`](super::exited).
    Exit(Wakeups),
}

/// What a worker owes after its last transition. Then its thread [ends](super::JoinState::ended).
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Exited {
    pub(crate) wakeups: Wakeups,
    /// The pool has stopped with this: it is [drained](super::JoinState::drained).
    pub(crate) stopped: bool,
}

/// What becomes of the rest of a [`Spawn`].
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpawnNext {
    /// So many are not to be spawned.
    pub(crate) given_up: Count,
    /// The number of the next to be spawned, unless none is left.
    pub(crate) worker: Option<WorkerId>,
    pub(crate) wakeups: Wakeups,
    /// The pool has stopped with this: it is drained.
    pub(crate) stopped: bool,
}

/// What is owed after threads could not be spawned.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpawnFailed<B> {
    /// Jobs that no worker is left to run.
    pub(crate) refused: B,
    pub(crate) wakeups: Wakeups,
    /// `ThreadStart` is to be reported: it was not since a thread has last started.
    pub(crate) report: bool,
    /// The pool has stopped with this, because it waited for these threads only: it is drained.
    pub(crate) stopped: bool,
}

/// What is owed after a stop.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop<B> {
    /// Jobs that never run.
    pub(crate) cancelled: B,
    /// They never run because the pool was never started.
    pub(crate) unstarted: bool,
    pub(crate) wakeups: Wakeups,
    /// The pool has stopped, now or before: it is drained.
    pub(crate) stopped: bool,
}
