//! What a pool is doing, as one consistent snapshot.

/// What a pool is doing, at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The target's lower end.
    pub min: usize,
    /// The target's upper end.
    pub max: usize,
    /// Threads that exist or are being started.
    pub live: usize,
    /// Threads that wait for a job.
    pub idle: usize,
    /// Threads that run a job.
    pub busy: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// The most threads there ever were at a time.
    pub peak: usize,
    /// Jobs that a worker took.
    pub started: u64,
    /// Jobs that ended, well or by a panic.
    pub completed: u64,
    /// Jobs that ended by a panic.
    pub panicked: u64,
}
