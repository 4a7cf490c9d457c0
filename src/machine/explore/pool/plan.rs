//! What may happen in a pool's world, and the bugs that can be put into it.

use crate::machine::pool::{Policy, Sizes};

/// What may happen in a world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) bug: Bug,
    /// How many threads call the pool at the same time.
    pub(super) clients: usize,
    pub(super) sizes: Sizes,
    /// What the pool may be resized to.
    pub(super) targets: &'static [Sizes],
    pub(super) budget: Budget,
    /// The policies with which the pool may be stopped.
    pub(super) policies: &'static [Policy],
    /// The most jobs that may be queued.
    pub(super) bound: usize,
    /// How far blocked workers may raise the limit.
    pub(super) compensation: usize,
    /// Jobs have tickets.
    pub(super) ticketed: bool,
    /// A blocked job waits until the next one has ended.
    pub(super) chained: bool,
    /// Workers have a keep-alive.
    pub(super) keep_alive: bool,
    /// There are start and stop hooks.
    pub(super) hooks: bool,
    /// Workers may search before they sleep, or not, each time.
    pub(super) searches: bool,
    /// Workers may wake spuriously.
    pub(super) spurious: bool,
}

/// How often each thing may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Budget {
    pub(super) submits: u8,
    pub(super) starts: u8,
    pub(super) lazy_starts: u8,
    pub(super) resizes: u8,
    pub(super) stops: u8,
    pub(super) spawn_failures: u8,
    pub(super) cancels: u8,
    pub(super) blocks: u8,
    /// Wakes of workers that nobody is sure to need.
    pub(super) wakes_ahead: u8,
    /// Waits of clients that may time out.
    pub(super) timeouts: u8,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    /// A submitter does not carry out what `wake_or_spawn` returned (R6).
    ForgetsWakeForSubmit,
    /// A worker that is woken does not say so: the count of idle workers is one too many (R1, R2).
    KeepsIdleCount,
    /// A thread does not say that it has started, and is counted as starting for ever (R17).
    NeverStarts,
    /// A worker that leaves jobs behind does not wake another before it runs its own (R1).
    WakesNobodyForTheRest,
    /// The machine is not told that a thread could not be spawned (R3).
    HidesSpawnFailure,
    /// A woken worker does not wake the next of those that must not sleep on (R4).
    PassesNoWakeOn,
    /// A client that waits for a free slot is not notified of one (R6).
    NotifiesNoSubmitter,
    /// A cancelled job counts as queued.
    RunsCancelledJob,
    /// A blocked job goes on, there is a worker too many, and no idle worker is woken (R4).
    UnblockWakesNobody,
}
