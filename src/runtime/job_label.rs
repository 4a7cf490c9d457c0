//! What identifies a job: its name and origin; and what the pool records of it while it runs.

use std::fmt;
use std::panic::Location;

use super::sync::{Instant, StdArc};

/// Identifies a job: the name it was given, if any, and the place in the program that made it.
///
/// Reports, [hooks](crate::pool::PoolBuilder::around_jobs) and [`Job::label`](crate::Job::label) give it. It displays
/// as the name and the place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobLabel {
    name: Option<StdArc<str>>,
    origin: &'static Location<'static>,
}

impl JobLabel {
    pub(super) fn new(name: Option<StdArc<str>>, origin: &'static Location<'static>) -> Self {
        Self { name, origin }
    }

    /// The label of a job without a name.
    pub(super) fn unnamed(origin: &'static Location<'static>) -> Self {
        Self::new(None, origin)
    }

    /// The name, if the job was given one with [`Job::named`](crate::Job::named).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where the job was made: the caller of `call_in_thread`, of `defer_to_thread`, or of
    /// [`Job::new`](crate::Job::new).
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.origin
    }
}

impl fmt::Display for JobLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name:?}, made at {}", self.origin),
            None => write!(f, "made at {}", self.origin),
        }
    }
}

/// What is recorded of a running job, under the workers' lock.
pub(super) enum JobTrace {
    /// A job without name or ticket: recording it must cost next to nothing, so no clock is read.
    Origin(&'static Location<'static>),
    /// A job with a name or a ticket, and when it started.
    Started(JobLabel, Instant),
}

impl JobTrace {
    #[cold]
    pub(super) fn started(label: JobLabel) -> Self {
        Self::Started(label, Instant::now())
    }
}
