//! The job store of the search: jobs are numbers, and a popped job has left the store.

use std::collections::VecDeque;

use crate::machine::pool::{CancellableQueue, Entry, JobStore, Popped, PushJob, RefusedJobs, TicketId};

pub(super) type PlainStore<J> = VecDeque<Entry<J>>;

impl<J> JobStore for PlainStore<J> {
    type Job = J;
    type Location = J;

    fn len(&self) -> usize {
        self.len()
    }

    fn push_ticket(&mut self, ticket: TicketId) {
        self.push_back(Entry::Ticket(ticket));
    }

    fn pop(&mut self) -> Option<Entry<J>> {
        self.pop_front()
    }

    fn retain_tickets(&mut self, keep: impl Fn(TicketId) -> bool) {
        self.retain(|entry| !matches!(entry, Entry::Ticket(ticket) if !keep(*ticket)));
    }

    fn take_all(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }
}

impl<J> PushJob<J> for PlainStore<J> {
    fn push(&mut self, job: J) {
        self.push_back(Entry::Job(job));
    }
}

pub(super) fn job<J>(popped: Popped<PlainStore<J>>) -> J {
    match popped {
        Popped::InStore(job) | Popped::Cancellable(job) => job,
    }
}

/// The queued jobs, in order.
pub(super) fn jobs<J: Clone>(queue: &CancellableQueue<PlainStore<J>>) -> impl Iterator<Item = J> {
    let mut queue = queue.clone();
    std::iter::from_fn(move || queue.pop().map(job))
}

/// Queued jobs and tombstones.
pub(super) fn entries<J: Clone>(queue: &CancellableQueue<PlainStore<J>>) -> usize {
    queue.clone().store().len()
}

impl<J> Iterator for RefusedJobs<PlainStore<J>> {
    type Item = J;

    fn next(&mut self) -> Option<J> {
        self.pop().map(job)
    }
}

// Checks: P72
#[test]
fn a_queue_frees_the_memory_of_a_burst_of_tickets() {
    let mut queue = CancellableQueue::<PlainStore<u64>>::default();
    // Ten times as many as an empty queue keeps memory for.
    let count = 10 << 14;
    (0..count).for_each(|job| queue.push_ticketed(job, job));
    while queue.pop().is_some() {}
    assert!(queue.cancellable.is_none());
    (0..count).for_each(|job| queue.push_ticketed(job, job));
    (0..count).for_each(|ticket| _ = queue.cancel(ticket));
    assert!(queue.is_empty() && queue.cancellable.is_none());
}
