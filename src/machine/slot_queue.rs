//! The state machine of the jobs that wait for a slot of a bounded pool: who offers the first of them to the pool, and
//! when the pool is to tell of a slot.
//!
//! ```text
//!   Empty ──begin_offering──▶ Offering ──watch──▶ Watching ──stop_watching──▶ Empty
//!     ▲                           │
//!     └──────first: nobody────────┘
//! ```

use std::mem;

use super::wait_queue::{Key, WaitQueue};

/// The queue. `J` is a job, `D` is what belongs to it and stays while it is offered, `W` is how the pool is told that
/// nobody waits any more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SlotQueue<J, D, W> {
    waiting: WaitQueue<WaitingJob<J, D>>,
    stage: Stage<W>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Stage<W> {
    /// Nobody waits; or the pool has told, and whoever was told goes on.
    Empty,
    /// The pool had no slot for the first, and will tell.
    Watching(W),
    /// A loop offers the first to the pool, until that has no slot, or nobody waits. It calls code of the program, and
    /// sees who joins and leaves there.
    Offering,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WaitingJob<J, D> {
    /// `None` while it is being offered.
    pub(crate) job: Option<J>,
    pub(crate) decided: D,
}

/// What a caller owes whose job has left the queue.
pub(crate) struct Left<J, D, W> {
    pub(crate) waiting: WaitingJob<J, D>,
    /// Nobody waits any more: the pool need not tell.
    pub(crate) withdraw: Option<W>,
}

impl<J, D, W> SlotQueue<J, D, W> {
    pub(crate) fn new() -> Self {
        Self { waiting: WaitQueue::new(), stage: Stage::Empty }
    }

    /// A job joins, behind all others.
    pub(crate) fn push(&mut self, job: J, decided: D) -> Key {
        self.waiting.push(WaitingJob { job: Some(job), decided })
    }

    /// Whether the caller has to offer: jobs wait, and nobody offers them or watches.
    pub(crate) fn begin_offering(&mut self) -> bool {
        let begins = matches!(self.stage, Stage::Empty) && !self.waiting.is_empty();
        if begins {
            self.stage = Stage::Offering;
        }
        begins
    }

    /// The job that the loop offers next. Its place stays. `None`: nobody waits, and the loop ends.
    pub(crate) fn first(&mut self) -> Option<(Key, J)> {
        let next = self.waiting.first_key().and_then(|key| Some((key, self.waiting.get_mut(key)?.job.take()?)));
        if next.is_none() {
            self.stage = Stage::Empty;
        }
        next
    }

    /// The pool has taken the job that was offered. `None`: it has left meanwhile.
    pub(crate) fn accepted(&mut self, key: Key) -> Option<D> {
        Some(self.waiting.remove(key)?.decided)
    }

    /// The pool had no slot for the job that was offered, and will tell: the loop ends. Returns both if the job has
    /// left meanwhile: then the loop goes on.
    pub(crate) fn watch(&mut self, key: Key, job: J, watch: W) -> Result<(), (J, W)> {
        match self.waiting.get_mut(key) {
            Some(waiting) => waiting.job = Some(job),
            None => return Err((job, watch)),
        }
        self.stage = Stage::Watching(watch);
        Ok(())
    }

    /// The pool has told, or no job is to wait any more. What is returned is to be withdrawn: the slot may be that of
    /// an earlier watch, whose jobs have left.
    pub(crate) fn stop_watching(&mut self) -> Option<W> {
        match mem::replace(&mut self.stage, Stage::Empty) {
            Stage::Watching(watch) => Some(watch),
            stage => {
                self.stage = stage;
                None
            }
        }
    }

    /// A job leaves, if it is there.
    pub(crate) fn leave(&mut self, key: Key) -> Option<Left<J, D, W>> {
        let waiting = self.waiting.remove(key)?;
        let withdraw = if self.waiting.is_empty() { self.stop_watching() } else { None };
        Some(Left { waiting, withdraw })
    }

    /// The first leaves: the pool takes no more jobs.
    pub(crate) fn pop(&mut self) -> Option<WaitingJob<J, D>> {
        self.waiting.pop()
    }

    /// It may be dropped: no job waits.
    pub(crate) fn is_unused(&self) -> bool {
        matches!(self.stage, Stage::Empty)
    }

    /// The name of its state, for the table.
    #[cfg(test)]
    pub(in crate::machine) fn label(&self) -> &'static str {
        match self.stage {
            Stage::Empty => "Empty",
            Stage::Watching(_) => "Watching",
            Stage::Offering => "Offering",
        }
    }
}
