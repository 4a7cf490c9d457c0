//! A queue of jobs that knows how many it holds, and at which position one job is, whichever that is.

use std::marker::PhantomData;

use super::super::count::{Count, ZERO};
use crate::explore::{any, assume, choose, prove};
use crate::symbol::{Condition, Int};

pub(crate) type TicketId = u64;

pub(crate) trait JobStore: Default {
    type Job: Default;
    type Location: Default;
}

pub(crate) trait PushJob<J>: JobStore {}

/// Jobs without any content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Jobs;

impl JobStore for Jobs {
    type Job = ();
    type Location = ();
}

impl PushJob<()> for Jobs {}

pub(crate) enum Popped<S: JobStore> {
    InStore(S::Location),
}

pub(crate) struct Unused<J>(PhantomData<J>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CancellableQueue<S> {
    pub(super) len: Count,
    /// Of the job that is watched: 1 if it is next. 0 if it is not in this queue.
    pub(super) position: Int,
    store: S,
}

impl<S: JobStore> Default for CancellableQueue<S> {
    fn default() -> Self {
        Self { len: ZERO, position: Int::ZERO, store: S::default() }
    }
}

impl<S: JobStore> CancellableQueue<S> {
    pub(crate) fn len(&self) -> Count {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push<J>(&mut self, _job: J)
    where
        S: PushJob<J>,
    {
        self.len += 1;
    }

    pub(super) fn push_ticketed(&mut self, _ticket: TicketId, _job: S::Job) {
        self.len += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Popped<S>> {
        if self.is_empty() {
            return None;
        }
        self.len -= 1;
        self.position = (self.position - 1).max(0);
        Some(Popped::InStore(S::Location::default()))
    }

    /// The job may be in this queue, if there are any: before the one that is watched, behind it, or that one.
    pub(super) fn cancel(&mut self, _ticket: TicketId) -> Option<S::Job> {
        if self.is_empty() || !choose("the job is in the queue that is looked into") {
            return None;
        }
        self.len -= 1;
        let position = any("position once a job is cancelled");
        let is_moved = position.equals(self.position - 1) & self.position.is_positive();
        let is_cancelled = position.is_zero() & self.position.is_positive();
        assume((position.equals(self.position) | is_moved | is_cancelled) & position.at_most(self.len.0))?;
        self.position = position;
        Some(S::Job::default())
    }

    /// Whether the watched job can be where it is.
    pub(super) fn has_position(&self) -> Condition {
        Int::ZERO.at_most(self.position) & self.position.at_most(self.len.0)
    }

    pub(super) fn take_all(&mut self, other: &mut Self) {
        prove("a queue is filled only when it is empty", self.len.0.is_zero());
        std::mem::swap(self, other);
    }

    pub(crate) fn take_unused(&mut self) -> Option<Unused<S::Job>> {
        None
    }

    pub(crate) fn store(&mut self) -> &mut S {
        &mut self.store
    }
}

pub(crate) struct RefusedJobs<S> {
    len: Count,
    jobs: PhantomData<S>,
}

impl<S: JobStore> Default for RefusedJobs<S> {
    fn default() -> Self {
        Self { len: ZERO, jobs: PhantomData }
    }
}

impl<S: JobStore> RefusedJobs<S> {
    pub(super) fn take(first: &mut CancellableQueue<S>, rest: &mut CancellableQueue<S>) -> Self {
        let len = std::mem::take(first).len + std::mem::take(rest).len;
        Self { len, jobs: PhantomData }
    }

    pub(crate) fn len(&self) -> Count {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}
