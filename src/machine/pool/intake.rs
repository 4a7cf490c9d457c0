//! The submitters' half of the pool's machine, guarded by the first lock.

use std::mem;

use super::History;
use super::queue::{Accept, Queue, Slots, TicketId};

/// Where jobs come in. In this order, what every submission needs lies together, next to the lock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[repr(C)]
pub(crate) struct Intake<Q> {
    /// Jobs that may come in without a look at the crew's queue. There may be more places, never fewer: only the workers' half knows what has left.
    places: usize,
    pub(super) open: bool,
    /// Somebody will look at this queue without being told of a new job.
    pub(super) watched: bool,
    /// Fewer places than there can be are counted.
    is_bounded: bool,
    pub(super) queue: Q,
    /// The most jobs that may wait, in both queues together.
    bound: usize,
    next_ticket: TicketId,
    /// Jobs that were handed back.
    rejected: History<u64>,
}

/// A job was taken.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Accepted {
    /// What the submitter owes once the intake's lock is released: to lock the crew and [`summon`](super::Crew::summon).
    pub(crate) summon: bool,
    /// The job's number, if it was to have a ticket.
    pub(crate) ticket: Option<TicketId>,
}

/// A job was not taken: here it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Refused<J> {
    /// The pool has been stopped.
    Closed(J),
    /// No place is known of. Where that was said without a look at the crew, [`squeeze`](super::squeeze) knows better.
    Full(J),
}

impl<J> Refused<J> {
    pub(crate) fn map<K>(self, to: impl FnOnce(J) -> K) -> Refused<K> {
        match self {
            Self::Closed(job) => Refused::Closed(to(job)),
            Self::Full(job) => Refused::Full(to(job)),
        }
    }
}

impl<S: Slots> Intake<Queue<S>> {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            queue: Queue::default(),
            places: bound,
            open: true,
            watched: true,
            is_bounded: bound != usize::MAX,
            bound,
            next_ticket: 0,
            rejected: History::default(),
        }
    }

    /// A job comes in. A closed intake hands it back, a full one too.
    #[inline]
    pub(crate) fn submit<J>(&mut self, job: J) -> Result<Accepted, Refused<J>>
    where
        S: Accept<J>,
    {
        self.admit(job, |intake, job| {
            intake.queue.push(job);
            None
        })
    }

    /// The same, for a job that is to have a ticket.
    pub(crate) fn submit_ticketed(&mut self, job: S::Job) -> Result<Accepted, Refused<S::Job>> {
        self.admit(job, |intake, job| {
            let ticket = intake.next_ticket;
            intake.next_ticket += 1;
            intake.queue.push_ticketed(ticket, job);
            Some(ticket)
        })
    }

    #[inline]
    fn admit<J>(
        &mut self,
        job: J,
        queue: impl FnOnce(&mut Self, J) -> Option<TicketId>,
    ) -> Result<Accepted, Refused<J>> {
        if !self.open {
            self.count_rejection();
            return Err(Refused::Closed(job));
        }
        if self.places == 0 {
            return Err(Refused::Full(job));
        }
        if self.is_bounded {
            self.places -= 1;
        }
        let ticket = queue(self, job);
        Ok(Accepted { summon: !mem::replace(&mut self.watched, true), ticket })
    }

    /// A job is handed back for another reason than that the pool has stopped.
    pub(crate) fn count_rejection(&mut self) {
        self.rejected.0 += 1;
    }

    /// So many jobs wait, in both queues.
    pub(super) fn settle_places(&mut self, queued: usize) {
        if self.is_bounded {
            self.places = self.bound.saturating_sub(queued);
        }
    }

    pub(crate) fn queue(&self) -> &Queue<S> {
        &self.queue
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.0
    }
}

/// What nobody but the exhaustive search has to look at.
#[cfg(test)]
impl<S: Slots> Intake<Queue<S>> {
    pub(in crate::machine) fn is_open(&self) -> bool {
        self.open
    }

    pub(in crate::machine) fn is_watched(&self) -> bool {
        self.watched
    }

    pub(in crate::machine) fn places(&self) -> usize {
        self.places
    }
}
