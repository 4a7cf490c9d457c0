//! The submitters' half of the pool's machine: the queue that they append to.

use std::mem;

use super::super::count::Count;
use super::cancellable_queue::{CancellableQueue, JobStore, PushJob, TicketId, Unused};
use super::state::History;

/// Where jobs come in, guarded by the submit queue's lock. The order of fields keeps together, next to the lock, what
/// every submission touches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[repr(C)]
pub(crate) struct SubmitQueue<Q> {
    /// Lower bound on free slots; takes by workers are not seen here. `usize::MAX` if unbounded.
    pub(in crate::machine) free_slots: Count,
    /// Jobs are accepted. Once unset it stays so.
    pub(in crate::machine) open: bool,
    /// A worker will look at this queue, or none could come: submitters need not wake anybody. Unset only while both
    /// queues are empty, or after a thread could not be spawned.
    pub(in crate::machine) wake_not_needed: bool,
    /// `free_slots` is counted.
    is_bounded: bool,
    pub(super) queue: Q,
    /// The most jobs that may be queued, in both queues together.
    bound: Count,
    next_ticket: TicketId,
    /// Jobs that were not accepted.
    rejected: History<u64>,
}

/// A job was accepted.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Accepted {
    /// Once it has released the submit queue's lock, the submitter must take the workers' lock and call
    /// [`wake_or_spawn`](super::Workers::wake_or_spawn).
    pub(crate) must_wake: bool,
    /// The job's number, if it has a ticket.
    pub(crate) ticket: Option<TicketId>,
}

/// A job was not accepted; it is handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SubmitError<J> {
    /// The pool has been stopped.
    Closed(J),
    /// The submit queue knows of no free slot. If only its lock was held, there may be one:
    /// [`submit_when_full`](super::submit_when_full) counts both queues.
    Full(J),
}

impl<J> SubmitError<J> {
    pub(crate) fn map<K>(self, to: impl FnOnce(J) -> K) -> SubmitError<K> {
        match self {
            Self::Closed(job) => SubmitError::Closed(to(job)),
            Self::Full(job) => SubmitError::Full(to(job)),
        }
    }
}

impl<S: JobStore> SubmitQueue<CancellableQueue<S>> {
    pub(crate) fn new(bound: Count) -> Self {
        Self {
            queue: CancellableQueue::default(),
            free_slots: bound,
            open: true,
            wake_not_needed: true,
            is_bounded: bound != Count::MAX,
            bound,
            next_ticket: 0,
            rejected: History::default(),
        }
    }

    /// A job is submitted. A closed or a full queue returns it.
    #[inline]
    pub(crate) fn submit<J>(&mut self, job: J) -> Result<Accepted, SubmitError<J>>
    where
        S: PushJob<J>,
    {
        self.admit(job, |submit_queue, job| {
            submit_queue.queue.push(job);
            None
        })
    }

    /// The same, for a job with a ticket.
    pub(crate) fn submit_ticketed(&mut self, job: S::Job) -> Result<Accepted, SubmitError<S::Job>> {
        self.admit(job, |submit_queue, job| {
            let ticket = submit_queue.next_ticket;
            submit_queue.next_ticket += 1;
            submit_queue.queue.push_ticketed(ticket, job);
            Some(ticket)
        })
    }

    #[inline]
    fn admit<J>(
        &mut self,
        job: J,
        push: impl FnOnce(&mut Self, J) -> Option<TicketId>,
    ) -> Result<Accepted, SubmitError<J>> {
        if !self.open {
            self.count_rejection();
            return Err(SubmitError::Closed(job));
        }
        if self.free_slots == 0 {
            return Err(SubmitError::Full(job));
        }
        if self.is_bounded {
            self.free_slots -= 1;
        }
        let ticket = push(self, job);
        Ok(Accepted { must_wake: !mem::replace(&mut self.wake_not_needed, true), ticket })
    }

    /// A job was not accepted. A [closed](SubmitError::Closed) queue has counted it already; for any other reason the
    /// caller counts it here.
    pub(crate) fn count_rejection(&mut self) {
        self.rejected.0 += 1;
    }

    /// Recounts the free slots. `queued` is the number of jobs in both queues together.
    pub(super) fn recount_free_slots(&mut self, queued: Count) {
        if self.is_bounded {
            self.free_slots = self.bound.saturating_sub(queued);
        }
    }

    pub(crate) fn queue(&self) -> &CancellableQueue<S> {
        &self.queue
    }

    /// What holds the jobs without a ticket.
    pub(crate) fn store(&mut self) -> &mut S {
        self.queue.store()
    }

    /// See [`CancellableQueue::take_unused`].
    pub(crate) fn take_unused(&mut self) -> Option<Unused<S::Job>> {
        self.queue.take_unused()
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.0
    }
}
