//! The time limits of a job: in the queue, and from its start.

use std::fmt;
use std::time::Duration;

use super::super::deadline::{Deadline, Epoch};
use crate::exclusive::Exclusive;

/// The time limits that a job was given. Few jobs have any.
#[derive(Default)]
pub(crate) struct Limits {
    /// In the queue.
    pub(crate) queue: Option<Duration>,
    /// From its start.
    pub(crate) run: Option<Duration>,
    /// When its time in the queue is over. Set by a submission, unless a reactor watches the limits.
    queue_end: Option<Deadline>,
    /// Called on the worker when the job begins.
    on_start: Option<Exclusive<Box<dyn FnOnce() + Send>>>,
}

impl Limits {
    /// No limit is kept here: a reactor watches them, and `notice` tells it that the job begins.
    pub(crate) fn on_start(notice: impl FnOnce() + Send + 'static) -> Self {
        Self { on_start: Some(Exclusive::new(Box::new(notice))), ..Self::default() }
    }

    /// The job is about to be offered, or to be run without having been `queued`.
    pub(super) fn begin(&mut self, queued: bool) {
        self.queue_end = self.queue.filter(|_| queued).map(|limit| Deadline::new(Some(limit), Epoch::default()));
    }

    /// The limit in the queue, if it has passed.
    pub(super) fn passed_in_queue(&self) -> Option<Duration> {
        self.queue.filter(|_| self.queue_end.is_some_and(|end| end.has_passed(Epoch::default())))
    }

    /// The job begins.
    pub(super) fn job_starts(self) {
        if let Some(notice) = self.on_start {
            notice.into_inner()();
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("queue", &self.queue).field("run", &self.run).finish_non_exhaustive()
    }
}
