//! A FIFO queue of jobs, from which a job with a ticket can be taken wherever it is, in constant time.
//!
//! Jobs without a ticket lie in the queue's [`JobStore`] and pay nothing for cancellation. Jobs with one lie in a
//! [`RadixMap`], by the number of their ticket, which ascends in the order of submission. Each knows its **position**:
//! how many jobs without a ticket came into the queue before it. It is the first of the queue when as many of them were
//! taken, and no job with a smaller number is left. So a job that is cancelled leaves nothing behind, and the others
//! stay where they are.

use super::super::count::{Count, ZERO};
use super::super::place::{FIRST, Place, places};
use super::super::radix_map::{Emptied, RadixMap};

/// The number of a job with a ticket, unique within its pool.
pub(crate) type TicketId = Place;

/// Holds jobs without a ticket, in FIFO order.
///
/// How it holds them is not the machine's concern. The pool's store holds jobs of many types by value, where only code
/// that knows the type can take them; in the exhaustive search jobs are numbers.
pub(crate) trait JobStore: Default {
    /// A job of any type, boxed.
    type Job;
    /// Where a popped job lies. It must be taken from there under the same hold of the lock.
    type Location;

    fn len(&self) -> Count;

    fn pop(&mut self) -> Option<Self::Location>;

    /// Moves all that `other` holds into this store, which must be empty. A popped job stays at its location.
    fn take_all(&mut self, other: &mut Self);
}

/// A store that holds jobs of the type `J`.
pub(crate) trait PushJob<J>: JobStore {
    fn push(&mut self, job: J);
}

/// A job that was popped.
pub(crate) enum Popped<S: JobStore> {
    /// It still lies in the store, here.
    InStore(S::Location),
    Ticketed(S::Job),
}

/// A job with a ticket in the queue.
#[derive(Debug, Clone)]
pub(crate) struct TicketedJob<J> {
    /// How many jobs without a ticket were pushed before it.
    pub(in crate::machine) position: Place,
    pub(in crate::machine) job: J,
}

/// Memory that a queue does not need any more.
pub(crate) type Unused<J> = Emptied<TicketedJob<J>>;

/// The queue.
#[derive(Debug, Clone)]
pub(crate) struct CancellableQueue<S: JobStore> {
    /// The jobs without a ticket.
    pub(in crate::machine) store: S,
    /// How many jobs were popped from the store.
    pub(in crate::machine) popped: Place,
    /// The jobs with a ticket, by its number. `None` until the first.
    pub(in crate::machine) ticketed: Option<Box<RadixMap<TicketedJob<S::Job>>>>,
}

impl<S: JobStore> Default for CancellableQueue<S> {
    fn default() -> Self {
        Self { store: S::default(), popped: FIRST, ticketed: None }
    }
}

impl<S: JobStore> CancellableQueue<S> {
    #[inline]
    pub(crate) fn len(&self) -> Count {
        self.store.len() + self.ticketed.as_ref().map_or(ZERO, |ticketed| ticketed.len())
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(in crate::machine) fn push<J>(&mut self, job: J)
    where
        S: PushJob<J>,
    {
        self.store.push(job);
    }

    /// The ticket's number must be greater than all before.
    pub(in crate::machine) fn push_ticketed(&mut self, ticket: TicketId, job: S::Job) {
        let position = self.popped + places(self.store.len());
        self.ticketed.get_or_insert_default().insert(ticket, TicketedJob { position, job });
    }

    /// The job that has been queued longest.
    #[inline(always)]
    pub(in crate::machine) fn pop(&mut self) -> Option<Popped<S>> {
        if self.ticketed.as_ref().is_some_and(|ticketed| ticketed.len() > 0)
            && let Some(job) = self.pop_ticketed()
        {
            return Some(Popped::Ticketed(job));
        }
        let location = self.store.pop()?;
        self.popped += 1;
        Some(Popped::InStore(location))
    }

    /// The job that has been queued longest, if it has a ticket.
    #[inline(never)]
    fn pop_ticketed(&mut self) -> Option<S::Job> {
        let is_next = |first: &TicketedJob<_>| first.position == self.popped;
        Some(self.ticketed.as_mut()?.pop_first_if(is_next)?.job)
    }

    /// Takes the job with this ticket out of the queue, if it is there.
    pub(in crate::machine) fn cancel(&mut self, ticket: TicketId) -> Option<S::Job> {
        Some(self.ticketed.as_mut()?.remove(ticket)?.job)
    }

    /// Memory that is not needed any more since a job with a ticket was popped or cancelled. To be taken under the same
    /// hold of the lock, and dropped after it.
    pub(crate) fn take_unused(&mut self) -> Option<Unused<S::Job>> {
        self.ticketed.as_mut()?.take_emptied()
    }

    /// Moves all that `other` holds into this queue, which must be empty.
    #[inline]
    pub(in crate::machine) fn take_all(&mut self, other: &mut Self) {
        // Most looks of a worker find nothing, and an exchange of empty queues would move hundreds of bytes.
        if !other.is_empty() {
            self.exchange(other);
        }
    }

    #[inline(never)]
    fn exchange(&mut self, other: &mut Self) {
        self.store.take_all(&mut other.store);
        std::mem::swap(&mut self.popped, &mut other.popped);
        std::mem::swap(&mut self.ticketed, &mut other.ticketed);
    }

    /// Where a job whose location was popped is taken from.
    pub(crate) fn store(&mut self) -> &mut S {
        &mut self.store
    }

    #[cfg(test)]
    pub(in crate::machine) fn plain_jobs(&self) -> &S {
        &self.store
    }

    /// The jobs with a ticket: its number, how many of the [plain](Self::plain_jobs) jobs are before it, and the job.
    #[cfg(test)]
    pub(in crate::machine) fn ticketed_jobs(&self) -> Vec<(TicketId, Place, &S::Job)> {
        let ticketed = self.ticketed.iter().flat_map(|ticketed| ticketed.iter());
        ticketed.map(|(ticket, queued)| (ticket, queued.position - self.popped, &queued.job)).collect()
    }
}

/// All jobs of a pool that will never run any of them, in order.
pub(crate) struct RefusedJobs<S: JobStore> {
    first: CancellableQueue<S>,
    /// Those that were submitted after all of `first`.
    rest: CancellableQueue<S>,
}

impl<S: JobStore> Default for RefusedJobs<S> {
    fn default() -> Self {
        Self { first: CancellableQueue::default(), rest: CancellableQueue::default() }
    }
}

impl<S: JobStore> RefusedJobs<S> {
    /// Empties both queues.
    pub(in crate::machine) fn take(first: &mut CancellableQueue<S>, rest: &mut CancellableQueue<S>) -> Self {
        Self { first: std::mem::take(first), rest: std::mem::take(rest) }
    }

    pub(crate) fn len(&self) -> Count {
        self.first.len() + self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn pop(&mut self) -> Option<Popped<S>> {
        if self.first.is_empty() {
            self.first.take_all(&mut self.rest);
        }
        drop(self.first.take_unused());
        self.first.pop()
    }

    /// Where a job whose location was popped is taken from.
    pub(crate) fn store(&mut self) -> &mut S {
        self.first.store()
    }
}
