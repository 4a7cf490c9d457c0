//! The time limits of a job: in the queue, and from its start.

use std::time::Duration;

use super::super::deadline::{Deadline, Epoch};
use super::super::sync::{OnceLock, StdArc};
use crate::exclusive::Exclusive;

/// The time limits that a job was given. Few jobs have any.
#[derive(Default)]
pub(crate) struct Limits {
    /// In the queue.
    pub(crate) queue: Option<Duration>,
    /// From its start.
    pub(crate) run: Option<Duration>,
    /// When its time in the queue is over. Set by a submission.
    queue_end: Option<Deadline>,
    /// Called on the worker when the job begins.
    on_start: Option<Exclusive<Box<dyn FnOnce() + Send>>>,
    /// Present if a reactor watches the limits, or has.
    pub(super) watched: Option<Watched>,
}

/// Whether a reactor watches the limits of a job, by its own clock. When that has ended, they hold by the system's
/// clock.
#[derive(Clone)]
pub(crate) struct Watched {
    ended: StdArc<OnceLock<()>>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self { ended: StdArc::new(OnceLock::new()) }
    }

    pub(crate) fn end(&self) {
        let _ = self.ended.set(());
    }

    pub(super) fn is_watched(&self) -> bool {
        self.ended.get().is_none()
    }
}

impl Limits {
    /// A reactor watches the same limits; `notice` tells it that the job begins.
    pub(crate) fn watched(&self, watched: Watched, notice: Option<impl FnOnce() + Send + 'static>) -> Self {
        let on_start = notice.map(|notice| Exclusive::new(Box::new(notice) as _));
        Self { queue: self.queue, run: self.run, queue_end: None, on_start, watched: Some(watched) }
    }

    /// The job is about to be offered, or to be run without having been `queued`.
    pub(super) fn begin(&mut self, queued: bool) {
        self.queue_end = self.queue.filter(|_| queued).map(|limit| Deadline::new(Some(limit), Epoch::default()));
    }

    /// The limit in the queue, if it has passed.
    pub(super) fn passed_in_queue(&self) -> Option<Duration> {
        let limit = self.queue.filter(|_| !self.watched.as_ref().is_some_and(Watched::is_watched));
        limit.filter(|_| self.queue_end.is_some_and(|end| end.has_passed(Epoch::default())))
    }

    /// The job begins.
    pub(super) fn job_starts(self) {
        if let Some(notice) = self.on_start {
            notice.into_inner()();
        }
    }
}
