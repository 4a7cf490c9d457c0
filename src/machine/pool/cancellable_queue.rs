//! A FIFO queue of jobs, from the middle of which a job with a ticket can be taken in constant time.
//!
//! A job without a ticket lies in the queue's [`JobStore`] and pays nothing for cancellation. Of a job with a ticket
//! the store holds only the number; the job itself lies in a map, under that number. Cancelling takes the job out of
//! the map and leaves the number behind as a **tombstone**, so it costs the same at any depth. Tombstones are removed
//! as soon as there are more of them than of queued jobs. So a cancellation costs two steps of removal, amortized, and
//! the store never has more than twice as many entries as there are queued jobs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::state::History;

/// The number of a job with a ticket, unique within its pool.
pub(crate) type TicketId = u64;

/// The most tickets for which an empty queue keeps its memory. What a larger burst took is freed.
const RETAINED_CAPACITY: usize = 1 << 14;

/// What a [`JobStore`] pops.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Entry<T> {
    /// A job without a ticket.
    Job(T),
    /// A job with this ticket, which lies in the map; a tombstone, if it does not.
    Ticket(TicketId),
}

/// Holds, in FIFO order, jobs without a ticket and the numbers of those with one.
///
/// How it holds them is not the machine's concern. The pool's store holds jobs of many types by value, where only code
/// that knows the type can take them; in the exhaustive search jobs are numbers.
pub(crate) trait JobStore: Default {
    /// A job of any type, boxed.
    type Job;
    /// Where a popped job lies. It must be taken from there under the same hold of the lock.
    type Location;

    fn len(&self) -> usize;

    fn push_ticket(&mut self, ticket: TicketId);

    fn pop(&mut self) -> Option<Entry<Self::Location>>;

    /// Removes the tickets for which `keep` is false.
    fn retain_tickets(&mut self, keep: impl Fn(TicketId) -> bool);

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
    /// It had a ticket.
    Cancellable(S::Job),
}

/// The queue. `S` holds the jobs without a ticket, and the order of all.
#[derive(Debug, Clone)]
pub(crate) struct CancellableQueue<S: JobStore> {
    store: S,
    /// `None` until the first ticket, and after a burst of them.
    pub(in crate::machine) cancellable: Option<Box<CancellableJobs<S::Job>>>,
}

/// The jobs with a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::machine) struct CancellableJobs<J> {
    jobs: JobMap<J>,
    /// Tickets in the store whose job was cancelled. At most as many as queued jobs, once a transition is over.
    tombstones: usize,
    /// The most jobs that were in the map at a time. It may still have the memory for as many.
    peak: History<usize>,
}

impl<J> Default for CancellableJobs<J> {
    fn default() -> Self {
        Self { jobs: JobMap::default(), tombstones: 0, peak: History::default() }
    }
}

impl<S: JobStore> Default for CancellableQueue<S> {
    fn default() -> Self {
        Self { store: S::default(), cancellable: None }
    }
}

/// Memory that is kept for later tickets is not part of the state.
impl<S: JobStore<Job: PartialEq> + PartialEq> PartialEq for CancellableQueue<S> {
    fn eq(&self, other: &Self) -> bool {
        self.store == other.store && self.tickets() == other.tickets()
    }
}

impl<S: JobStore<Job: Eq> + Eq> Eq for CancellableQueue<S> {}

impl<S: JobStore<Job: Hash> + Hash> Hash for CancellableQueue<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.store.hash(state);
        self.tickets().hash(state);
    }
}

impl<S: JobStore> CancellableQueue<S> {
    fn tickets(&self) -> Option<&CancellableJobs<S::Job>> {
        self.cancellable.as_deref().filter(|cancellable| cancellable.tombstones > 0 || !cancellable.jobs.0.is_empty())
    }

    /// Queued jobs, without the cancelled.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.store.len() - self.cancellable.as_ref().map_or(0, |cancellable| cancellable.tombstones)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(super) fn push<J>(&mut self, job: J)
    where
        S: PushJob<J>,
    {
        self.store.push(job);
    }

    pub(in crate::machine) fn push_ticketed(&mut self, ticket: TicketId, job: S::Job) {
        self.store.push_ticket(ticket);
        let cancellable = self.cancellable.get_or_insert_default();
        cancellable.jobs.0.insert(ticket, job);
        cancellable.peak.0 = cancellable.peak.0.max(cancellable.jobs.0.len());
    }

    /// The job that has been queued longest.
    #[inline(always)]
    pub(in crate::machine) fn pop(&mut self) -> Option<Popped<S>> {
        loop {
            let ticket = match self.store.pop()? {
                Entry::Job(location) => {
                    self.compact();
                    return Some(Popped::InStore(location));
                }
                Entry::Ticket(ticket) => ticket,
            };
            let cancellable = self.cancellable.get_or_insert_default();
            match cancellable.jobs.0.remove(&ticket) {
                None => cancellable.tombstones -= 1,
                Some(job) => {
                    self.compact();
                    return Some(Popped::Cancellable(job));
                }
            }
        }
    }

    /// Takes the job with this ticket out of the queue, if it is there.
    pub(in crate::machine) fn cancel(&mut self, ticket: TicketId) -> Option<S::Job> {
        let cancellable = self.cancellable.as_mut()?;
        let job = cancellable.jobs.0.remove(&ticket)?;
        cancellable.tombstones += 1;
        self.compact();
        Some(job)
    }

    /// Moves all that `other` holds into this queue, which must be empty.
    pub(super) fn take_all(&mut self, other: &mut Self) {
        self.store.take_all(&mut other.store);
        std::mem::swap(&mut self.cancellable, &mut other.cancellable);
    }

    /// Where a job whose location was popped is taken from.
    pub(crate) fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Removes tombstones if they are too many, and frees the memory of a burst of tickets.
    #[inline]
    fn compact(&mut self) {
        if let Some(cancellable) = &mut self.cancellable {
            cancellable.remove_tombstones(&mut self.store);
            if cancellable.peak.0 > RETAINED_CAPACITY && cancellable.jobs.0.is_empty() && cancellable.tombstones == 0 {
                self.cancellable = None;
            }
        }
    }
}

impl<J> CancellableJobs<J> {
    fn remove_tombstones(&mut self, store: &mut impl JobStore) {
        if self.tombstones > store.len() - self.tombstones {
            store.retain_tickets(|ticket| self.jobs.0.contains_key(&ticket));
            self.tombstones = 0;
        }
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
    pub(super) fn take(first: &mut CancellableQueue<S>, rest: &mut CancellableQueue<S>) -> Self {
        Self { first: std::mem::take(first), rest: std::mem::take(rest) }
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn pop(&mut self) -> Option<Popped<S>> {
        if self.first.is_empty() {
            self.first.take_all(&mut self.rest);
        }
        self.first.pop()
    }

    /// Where a job whose location was popped is taken from.
    pub(crate) fn store(&mut self) -> &mut S {
        self.first.store()
    }
}

/// The jobs with a ticket, by the number of their ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct JobMap<J>(HashMap<TicketId, J, BuildHasherDefault<TicketHasher>>);

impl<J> Default for JobMap<J> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

/// The jobs in the map follow from the store's tickets less the tombstones, so their number is enough of a hash.
impl<J> Hash for JobMap<J> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
    }
}

/// Hashes a ticket to itself. Tickets are consecutive and nobody outside can choose them, so they fill a table evenly,
/// and neighbours in the queue are neighbours in the table. Only the upper seven or eight bits, by which the table
/// tells apart tickets in one bucket, are mixed.
#[derive(Debug, Clone, Default)]
struct TicketHasher(u64);

impl Hasher for TicketHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(8) ^ number;
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) & !(u64::MAX >> 8)
    }
}
