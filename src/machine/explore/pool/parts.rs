//! The parts of a pool's world: its clients, its threads, and what each of them is doing.

use crate::machine::pool::{Notify, WorkerId, WorkerSlot};

/// A job: its number in the order of submission.
pub(super) type Job = u8;

/// A thread that carries out what a transition returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    Client(usize),
    Worker(WorkerId),
}

/// What an actor still has to carry out, one thing after the other and with no lock of the machine held: notify, then
/// spawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Owed {
    /// The idle worker to notify.
    pub(super) wake: Option<WorkerSlot>,
    /// Waiting submitters to notify.
    pub(super) submitters: Notify,
    /// The next worker to spawn, if it has a number, and how many.
    pub(super) first: Option<u8>,
    pub(super) count: u8,
    /// Jobs are to be refused.
    pub(super) refuses: bool,
}

impl Owed {
    pub(super) fn is_done(self) -> bool {
        let notifies = self.wake.is_some() || self.submitters != Notify::Nobody;
        !notifies && !self.refuses && self.count == 0
    }
}

/// What a client is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Client {
    /// May call anything.
    Free,
    /// Has submitted a job and released the submit queue; must call `wake_or_spawn`.
    OwesWake,
    /// Has a job for which the submit queue knew of no free slot; takes both locks next.
    QueueFull,
    /// Waits for a free slot.
    AwaitsSlot,
    /// That wait is over, and it has not taken the workers' lock since.
    TriesAgain {
        /// The wait was over because its time had passed.
        timed_out: bool,
    },
    /// Carries out what a transition returned.
    CarriesOut(Owed),
    /// The same after a stop; then it waits until the pool has stopped.
    Stops(Owed),
    /// Waits until the pool has stopped.
    AwaitsStop,
}

impl Client {
    pub(super) fn owed(self) -> Option<Owed> {
        match self {
            Self::CarriesOut(owed) | Self::Stops(owed) => Some(owed),
            _ => None,
        }
    }
}

/// A thread of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) activity: Activity,
    /// Its slot in the machine; `None` before it has started.
    pub(super) slot: Option<WorkerSlot>,
    /// It has searched since its last job.
    pub(super) searched: bool,
    /// Its keep-alive has passed without a job.
    pub(super) expired: bool,
    /// It sleeps with the keep-alive as its timeout.
    pub(super) timed: bool,
    /// Its job has said that it waits for something.
    pub(super) blocked: bool,
}

impl Worker {
    pub(super) fn new(id: WorkerId) -> Self {
        Self {
            id,
            activity: Activity::Starting,
            slot: None,
            searched: false,
            expired: false,
            timed: false,
            blocked: false,
        }
    }
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Activity {
    /// Was spawned, and has not taken a lock yet.
    Starting,
    /// Carries out wakeups, then runs the start hooks.
    StartHooks(Owed),
    /// Was woken; carries out wakeups before it asks for its next action.
    PassesOn(Owed),
    /// Has taken a job, and carries out wakeups before it runs it.
    TookJob(Job, Owed),
    /// Runs a job, which may end or not.
    RunsJob(Job),
    /// Spins before it sleeps.
    Searches,
    /// Waits to be notified.
    Idle,
    /// Its wait is over, and it has not taken the workers' lock since.
    Notified,
    /// Takes no more jobs; carries out wakeups, then runs the stop hooks.
    Exiting(Owed),
    /// Has made its last transition, and carries out wakeups. Then this world forgets it: how its thread ends is the
    /// matter of another machine.
    Exited(Owed),
}

impl Activity {
    /// Whether it is live for the machine.
    pub(super) fn is_live(self) -> bool {
        !matches!(self, Self::Exited(_))
    }

    pub(super) fn is_in_hooks(self) -> bool {
        matches!(self, Self::StartHooks(owed) | Self::Exiting(owed) if owed.is_done())
    }

    pub(super) fn owed(self) -> Option<Owed> {
        match self {
            Self::StartHooks(owed)
            | Self::PassesOn(owed)
            | Self::TookJob(_, owed)
            | Self::Exiting(owed)
            | Self::Exited(owed) => Some(owed),
            _ => None,
        }
    }

    pub(super) fn with_owed(self, owed: Owed) -> Self {
        match self {
            Self::TookJob(job, _) if owed.is_done() => Self::RunsJob(job),
            Self::TookJob(job, _) => Self::TookJob(job, owed),
            Self::StartHooks(_) => Self::StartHooks(owed),
            Self::PassesOn(_) => Self::PassesOn(owed),
            Self::Exiting(_) => Self::Exiting(owed),
            Self::Exited(_) => Self::Exited(owed),
            other => other,
        }
    }
}
