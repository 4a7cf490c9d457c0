//! The specifications: the pool and the inbox, as if one thread alone ever used them.

use std::collections::{BTreeSet, VecDeque};

use super::checker::Specification;

/// Names a call or a job.
pub type Name = u32;

/// The inbox: a deque that is closed at some time, with so many places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Deque {
    calls: VecDeque<Name>,
    bound: usize,
    /// Places that are not free: those of calls which the loop has not taken, with all others that it found.
    taken: usize,
    closed: bool,
}

impl Deque {
    pub fn new(bound: usize) -> Self {
        Self { calls: VecDeque::new(), bound, taken: 0, closed: false }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboxOperation {
    /// A call is posted; whether it was accepted. If not, the inbox was closed.
    Post(Name, bool),
    /// A call is posted, and there is no place for it.
    Full,
    /// The loop takes all that are there, to run them.
    Take,
    /// It runs the oldest.
    Run(Name),
    /// No more calls are accepted, and those that are there are taken.
    Close,
    /// All is over, and nothing may be left.
    End,
}

impl Specification for Deque {
    type Operation = InboxOperation;

    fn step(&self, operation: &InboxOperation) -> Option<Self> {
        let mut after = self.clone();
        let possible = match *operation {
            InboxOperation::Post(call, accepted) => {
                if accepted {
                    after.calls.push_back(call);
                    after.taken += 1;
                }
                accepted != self.closed && after.taken <= self.bound
            }
            InboxOperation::Full => !self.closed && self.taken == self.bound,
            InboxOperation::Take => {
                after.taken = 0;
                true
            }
            InboxOperation::Run(call) => after.calls.pop_front() == Some(call),
            InboxOperation::Close => {
                after.closed = true;
                after.taken = 0;
                true
            }
            InboxOperation::End => self.closed && self.calls.is_empty(),
        };
        possible.then_some(after)
    }
}

/// The pool: one line of jobs, those that run, and a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pool {
    phase: Phase,
    max: usize,
    queue: VecDeque<Name>,
    running: BTreeSet<Name>,
    /// Of these, those whose function has returned: they can no longer be asked to end.
    over: BTreeSet<Name>,
    /// Jobs that will never run, and have not been told.
    refused: BTreeSet<Name>,
    /// Jobs cancelled by their ticket and not yet told so. They no longer belong to the pool: no stop waits for the
    /// canceller.
    cancelled: BTreeSet<Name>,
    begun: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Unstarted,
    Running,
    Draining,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolOperation {
    /// Whether it could be started.
    Start(bool),
    /// A job is submitted; whether it was accepted.
    Submit(Name, bool),
    /// A worker takes the oldest job.
    Take(Name),
    /// A job's function has returned.
    End(Name),
    /// Its worker is through with it.
    Finish(Name),
    /// A ticket is cancelled.
    Cancel(Name, Came),
    /// A job is told that it will never run.
    Refuse(Name),
    /// The maximum is moved.
    Resize(usize),
    /// No more jobs are accepted; those that wait are cancelled, or not.
    Close { cancels: bool },
    /// Somebody has waited for the end.
    Stopped,
    /// The statistics were read.
    Look { max: usize, queued: usize, busy: usize, started: u64, completed: u64 },
}

/// What cancelling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    NeverRuns,
    Asked,
    Over,
}

impl Pool {
    pub fn new(max: usize) -> Self {
        Self {
            phase: Phase::Unstarted,
            max,
            queue: VecDeque::new(),
            running: BTreeSet::new(),
            over: BTreeSet::new(),
            refused: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            begun: 0,
        }
    }

    /// Even a paused pool drains with one worker.
    fn limit(&self) -> usize {
        match self.phase {
            Phase::Unstarted => 0,
            Phase::Running => self.max,
            Phase::Draining => self.max.max(1),
        }
    }
}

impl Specification for Pool {
    type Operation = PoolOperation;

    fn step(&self, operation: &PoolOperation) -> Option<Self> {
        let mut after = self.clone();
        let possible = match *operation {
            PoolOperation::Start(started) => {
                if started {
                    after.phase = Phase::Running;
                }
                started != (self.phase == Phase::Draining)
            }
            PoolOperation::Submit(job, accepted) => {
                if accepted {
                    after.queue.push_back(job);
                }
                accepted != (self.phase == Phase::Draining)
            }
            PoolOperation::Take(job) => {
                after.running.insert(job);
                after.begun += 1;
                self.running.len() < self.limit() && after.queue.pop_front() == Some(job)
            }
            PoolOperation::End(job) => self.running.contains(&job) && after.over.insert(job),
            PoolOperation::Finish(job) => after.over.remove(&job) && after.running.remove(&job),
            PoolOperation::Cancel(job, Came::NeverRuns) => {
                after.queue.retain(|queued| *queued != job);
                after.cancelled.insert(job);
                self.queue.contains(&job)
            }
            // One that a stop or somebody else is cancelling just now may be asked as well: it is not told yet.
            PoolOperation::Cancel(job, Came::Asked) => {
                let runs = self.running.contains(&job) && !self.over.contains(&job);
                runs || self.refused.contains(&job) || self.cancelled.contains(&job)
            }
            PoolOperation::Cancel(job, Came::Over) => {
                let runs = self.running.contains(&job) && !self.over.contains(&job);
                !runs && !self.queue.contains(&job)
            }
            PoolOperation::Refuse(job) => after.refused.remove(&job) || after.cancelled.remove(&job),
            PoolOperation::Resize(max) => {
                after.max = max;
                true
            }
            PoolOperation::Close { cancels } => {
                if cancels || self.phase == Phase::Unstarted {
                    after.refused.extend(after.queue.drain(..));
                }
                after.phase = Phase::Draining;
                true
            }
            PoolOperation::Stopped => {
                self.phase == Phase::Draining
                    && self.queue.is_empty()
                    && self.running.is_empty()
                    && self.refused.is_empty()
            }
            PoolOperation::Look { max, queued, busy, started, completed } => {
                let completes = self.begun - self.running.len() as u64;
                (max, queued, busy) == (self.max, self.queue.len(), self.running.len())
                    && (started, completed) == (self.begun, completes)
            }
        };
        possible.then_some(after)
    }
}
