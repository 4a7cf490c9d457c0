//! A queue of jobs that is made of given fields, and read back.

use super::super::count::{Count, ZERO};
use super::super::radix_map::RadixMap;
use super::cancellable_queue::{CancellableQueue, JobStore, Popped, PushJob, TicketedJob};
use crate::symbol::{Condition, Int};

/// The queue. A job with a ticket is named by it.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobQueue(CancellableQueue<Store>);

impl JobQueue {
    pub(crate) fn push(&mut self) {
        self.0.push(());
    }

    pub(crate) fn push_ticketed(&mut self, ticket: Int) {
        self.0.push_ticketed(Count(ticket), ticket);
    }

    pub(crate) fn pop(&mut self) -> Option<Popped<Store>> {
        self.0.pop()
    }

    pub(crate) fn cancel(&mut self, ticket: Int) -> Option<Int> {
        self.0.cancel(Count(ticket))
    }

    pub(crate) fn take_all(&mut self, other: &mut Self) {
        self.0.take_all(&mut other.0);
    }
}

/// Jobs without a ticket. Each is named by how many were pushed before it.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    len: Count,
    /// The next to be popped.
    head: Int,
}

impl Default for Store {
    fn default() -> Self {
        Self { len: ZERO, head: Int::ZERO }
    }
}

impl JobStore for Store {
    type Job = Int;
    type Location = Int;

    fn len(&self) -> Count {
        self.len
    }

    fn pop(&mut self) -> Option<Int> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        self.head = self.head + 1;
        Some(self.head - 1)
    }

    fn take_all(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }
}

impl PushJob<()> for Store {
    fn push(&mut self, (): ()) {
        self.len += 1;
    }
}

/// A job with a ticket in the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queued {
    pub(crate) ticket: Int,
    pub(crate) position: Int,
    pub(crate) job: Int,
}

/// What the proof speaks of, of a queue.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) popped: Int,
    pub(crate) head: Int,
    pub(crate) plain: Int,
    /// The jobs of the two tickets that are watched, and whether each is there.
    pub(crate) watched: [(Condition, Queued); 2],
    pub(crate) ticketed: Int,
}

/// A queue of jobs. `map`: its first job with a ticket, those of the watched tickets that are behind it, and how many
/// others are. `None` if it never had one.
pub(crate) fn queue(
    popped: Int,
    plain: Int,
    tickets: [Int; 2],
    map: Option<(Option<Queued>, [Option<Queued>; 2], Int)>,
) -> JobQueue {
    let entry = |queued: Queued| (queued.ticket, TicketedJob { position: Count(queued.position), job: queued.job });
    let ticketed = map.map(|(first, watched, others)| {
        Box::new(RadixMap::of(tickets, first.map(entry), watched.map(|each| each.map(entry)), Count(others)))
    });
    let store = Store { len: Count(plain), head: popped };
    JobQueue(CancellableQueue { store, popped: Count(popped), ticketed })
}

pub(crate) fn fields(JobQueue(queue): &JobQueue) -> Fields {
    let none = Queued { ticket: Int::ZERO, position: Int::ZERO, job: Int::ZERO };
    let watched = |which: usize| {
        let Some(map) = &queue.ticketed else { return (Condition::FALSE, none) };
        let mut found = (Condition::FALSE, none);
        for (ticket, job) in map.known() {
            let is = ticket.equals(map.ticket(which));
            let (is_there, other) = found;
            let queued = Queued {
                ticket,
                position: Int::choose(is, job.position.0, other.position),
                job: Int::choose(is, job.job, other.job),
            };
            found = (is_there | is, queued);
        }
        found
    };
    Fields {
        popped: queue.popped.0,
        head: queue.store.head,
        plain: queue.store.len.0,
        watched: [watched(0), watched(1)],
        ticketed: queue.ticketed.as_ref().map_or(Int::ZERO, |map| map.len().0),
    }
}
