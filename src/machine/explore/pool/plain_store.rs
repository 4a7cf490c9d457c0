//! The job store of the search: jobs are numbers, and a popped job has left the store. And what makes two queues one
//! state.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use crate::machine::pool::{CancellableQueue, JobStore, Popped, PushJob, RefusedJobs};

pub(super) type PlainStore<J> = VecDeque<J>;

impl<J> JobStore for PlainStore<J> {
    type Job = J;
    type Location = J;

    fn len(&self) -> usize {
        self.len()
    }

    fn pop(&mut self) -> Option<J> {
        self.pop_front()
    }

    fn take_all(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }
}

impl<J> PushJob<J> for PlainStore<J> {
    fn push(&mut self, job: J) {
        self.push_back(job);
    }
}

/// Two queues are one state if they hold the same jobs and tickets in the same order, however they came to hold them.
impl<J: PartialEq> PartialEq for CancellableQueue<PlainStore<J>> {
    fn eq(&self, other: &Self) -> bool {
        self.plain_jobs() == other.plain_jobs() && self.ticketed_jobs() == other.ticketed_jobs()
    }
}

impl<J: Eq> Eq for CancellableQueue<PlainStore<J>> {}

impl<J: Hash> Hash for CancellableQueue<PlainStore<J>> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.plain_jobs().hash(state);
        self.ticketed_jobs().hash(state);
    }
}

pub(super) fn job<J>(popped: Popped<PlainStore<J>>) -> J {
    match popped {
        Popped::InStore(job) | Popped::Ticketed(job) => job,
    }
}

/// The queued jobs, in order.
pub(super) fn jobs<J: Clone>(queue: &CancellableQueue<PlainStore<J>>) -> impl Iterator<Item = J> {
    let mut queue = queue.clone();
    std::iter::from_fn(move || queue.pop().map(job))
}

impl<J> Iterator for RefusedJobs<PlainStore<J>> {
    type Item = J;

    fn next(&mut self) -> Option<J> {
        self.pop().map(job)
    }
}
