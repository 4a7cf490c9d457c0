//! The errors with which a Deferred fails by itself, and the error of resuming what is not paused.

use std::error::Error;
use std::time::Duration;

use super::messages::messages;
use super::pool::NeverRan;
use super::reactor::ReactorStopped;
use crate::failure::{ChainError, FailureGroup, causes_and_self, original};

/// The Deferred was cancelled before it had a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cancelled;

/// The [`Resolver`](crate::Resolver) was dropped without firing: nothing else can fire the Deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Abandoned;

/// A callback returned a Deferred that waits, directly or through others, for the chain of that same callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitsForItself;

/// A Deferred or a cooperative task that is not paused was resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotPaused;

/// A Deferred had no result when a time limit passed: that of its [timeout](crate::Deferred::add_timeout), or one of
/// its job's, from the [start](crate::Job::time_limit) or in the [queue](crate::Job::queue_limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimedOut {
    /// The limit.
    pub after: Duration,
    /// Whether the job had begun when a limit of its own passed: if not, it never runs. `None` for a timeout of the
    /// Deferred, which knows of no job.
    pub started: Option<bool>,
}

/// Whether the error only says that something was cancelled: it is [`Cancelled`], or was caused by one. Of a group, all
/// have to be.
pub(crate) fn is_cancelled(error: &(dyn Error + 'static)) -> bool {
    is_only(error, <dyn Error>::is::<Cancelled>)
}

/// The same of [`Cancelled`] or [`ReactorStopped`].
///
/// A future that awaits a Deferred and is dropped unfinished drops such an error without a report. A Deferred that is
/// dropped with such an error reports it, as any other.
pub(crate) fn is_cancellation(error: &(dyn Error + 'static)) -> bool {
    is_only(error, |error| error.is::<Cancelled>() || error.is::<ReactorStopped>())
}

/// Whether the error only says that something has ended with what it belonged to: it is a [`ReactorStopped`], or a job
/// of a pool whose queue was [cancelled](NeverRan::CancelledByStop), or was caused by one. Of a group, all have to be.
pub(crate) fn is_stop(error: &(dyn Error + 'static)) -> bool {
    is_only(error, |error| {
        error.is::<ReactorStopped>() || matches!(error.downcast_ref(), Some(NeverRan::CancelledByStop))
    })
}

/// How many members of groups are looked at: an error may be caused by a group that it is a member of.
const MAX_MEMBERS: usize = 1 << 20;

fn is_only(error: &(dyn Error + 'static), is_one: impl Fn(&(dyn Error + 'static)) -> bool) -> bool {
    // A loop, because groups nest.
    let (mut next, mut left) = (Some(error), Vec::new());
    for _ in 0..MAX_MEMBERS {
        let Some(error) = next else { return true };
        match causes_and_self(error).map(original).find_map(|error| Found::of(error, &is_one)) {
            Some(Found::One) => {}
            Some(Found::AllOf(group)) if !group.failures.is_empty() => {
                left.extend(group.failures.iter().map(ChainError::as_error));
            }
            _ => return false,
        }
        next = left.pop();
    }
    false
}

/// What says what an error is, among it and its causes.
enum Found<'a> {
    One,
    AllOf(&'a FailureGroup),
}

impl<'a> Found<'a> {
    fn of(error: &'a (dyn Error + 'static), is_one: impl Fn(&(dyn Error + 'static)) -> bool) -> Option<Self> {
        if is_one(error) { Some(Self::One) } else { error.downcast_ref().map(Self::AllOf) }
    }
}

messages! {
    Cancelled {
        Self => "cancelled before there was a result",
    }
    Abandoned {
        Self => "abandoned: the resolver was dropped without firing, so there can be no result",
    }
    WaitsForItself {
        Self => "a callback returned a Deferred that waits for that callback's own chain: it would wait for ever; \
                 return another one, or a value",
    }
    NotPaused {
        Self => "not paused: every pause has already ended",
    }
    TimedOut {
        Self { after, started: None } => "no result within {after:?}",
        Self { after, started: Some(true) } => "the job had not ended {after:?} after its start, and was asked to end",
        Self { after, started: Some(false) } => "the job had not begun after {after:?} in the queue, and never runs",
    }
}
