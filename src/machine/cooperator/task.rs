//! The state machine of a cooperator's task: whether it is ready, in a step, waiting, paused or finished.
//!
//! ```text
//!            begin step             yielded
//!   Ready ─────────────▶ Stepping ───────────▶ Ready
//!     ▲                   │     │
//!     │        yielded a  │     │ exhausted, failed
//!     │         Deferred  ▼     ▼
//!     └───────────── Waiting   Finished
//!      it fired        │          ▲
//!                      └──────────┘
//!                       it failed
//!
//!   pause    Ready ▶ Paused, and out of the run queue; in Stepping and Waiting it is counted, and takes effect later
//!   resume   takes back one pause; after the last, Paused ▶ Ready, and back into the run queue
//!   stop     any state but Finished ▶ Finished
//! ```
//!
//! The run queue, which holds the tasks that are ready, is not part of the machine.

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EndReason {
    /// Its iterator is exhausted.
    Done,
    /// It was stopped.
    Stopped,
    /// A step failed, or a Deferred that it yielded.
    Failed,
    /// Its cooperator was stopped.
    SchedulerStopped,
    /// The reactor has ended.
    ReactorStopped,
}

/// What a task is doing. `pauses` are those that were not resumed; they are counted apart from waits for a Deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CooperativeTask {
    /// In the run queue. Not paused.
    Ready,
    /// Its iterator runs.
    Stepping { pauses: usize },
    /// Its iterator has yielded a Deferred that has not fired.
    Waiting { pauses: usize },
    /// Only pauses hold it back. There is at least one.
    Paused { pauses: usize },
    /// Ended, and its iterator dropped. Never left.
    Finished { reason: EndReason, pauses: usize },
}

/// What the caller of a task's transition owes.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CooperativeAction {
    Nothing,
    /// Append it to the run queue.
    Enqueue,
    /// Remove it from the run queue.
    Dequeue,
    /// Remove it from the run queue, then notify those who wait for its end.
    DequeueAndNotify,
    /// Notify those who wait for its end.
    Notify,
    /// Cancel the Deferred that it waits for, then notify.
    CancelAndNotify,
    /// Cancel the Deferred that it has just yielded: the task was ended by its own step.
    CancelYielded,
}

/// Result of one step of an iterator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StepResult {
    /// A value.
    Yielded,
    /// A Deferred that has not fired.
    YieldedDeferred,
    /// No more values.
    Exhausted,
    /// An error, or a panic.
    Failed,
}

/// [`resume`](CooperativeTask::resume) without a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NotPaused;

impl CooperativeTask {
    /// The cooperator has taken it out of the run queue, and calls its iterator.
    pub(crate) fn begin_step(&mut self) {
        debug_assert_eq!(*self, Self::Ready, "a task in the run queue is ready");
        *self = Self::Stepping { pauses: 0 };
    }

    pub(crate) fn step_ended(&mut self, result: StepResult) -> CooperativeAction {
        let Self::Stepping { pauses } = *self else {
            // Its own step has ended it.
            return if result == StepResult::YieldedDeferred {
                CooperativeAction::CancelYielded
            } else {
                CooperativeAction::Nothing
            };
        };
        match result {
            StepResult::Yielded => self.ready_or_paused(pauses),
            StepResult::YieldedDeferred => {
                *self = Self::Waiting { pauses };
                CooperativeAction::Nothing
            }
            StepResult::Exhausted => self.finish(EndReason::Done, pauses, CooperativeAction::Notify),
            StepResult::Failed => self.finish(EndReason::Failed, pauses, CooperativeAction::Notify),
        }
    }

    /// The Deferred that it waits for has fired.
    pub(crate) fn deferred_fired(&mut self, failed: bool) -> CooperativeAction {
        match *self {
            Self::Waiting { pauses } if failed => self.finish(EndReason::Failed, pauses, CooperativeAction::Notify),
            Self::Waiting { pauses } => self.ready_or_paused(pauses),
            Self::Ready | Self::Stepping { .. } | Self::Paused { .. } | Self::Finished { .. } => {
                CooperativeAction::Nothing
            }
        }
    }

    /// No further step until [`resume`](Self::resume).
    pub(crate) fn pause(&mut self) -> Result<CooperativeAction, EndReason> {
        match self {
            Self::Ready => {
                *self = Self::Paused { pauses: 1 };
                return Ok(CooperativeAction::Dequeue);
            }
            Self::Stepping { pauses } | Self::Waiting { pauses } | Self::Paused { pauses } => *pauses += 1,
            Self::Finished { reason, .. } => return Err(*reason),
        }
        Ok(CooperativeAction::Nothing)
    }

    /// Takes back one pause.
    pub(crate) fn resume(&mut self) -> Result<CooperativeAction, NotPaused> {
        match self {
            Self::Paused { pauses: 1 } => {
                *self = Self::Ready;
                return Ok(CooperativeAction::Enqueue);
            }
            Self::Ready => return Err(NotPaused),
            Self::Stepping { pauses }
            | Self::Waiting { pauses }
            | Self::Paused { pauses }
            | Self::Finished { pauses, .. } => {
                *pauses = pauses.checked_sub(1).ok_or(NotPaused)?;
            }
        }
        Ok(CooperativeAction::Nothing)
    }

    /// Ends it, for this reason.
    pub(crate) fn stop(&mut self, reason: EndReason) -> Result<CooperativeAction, EndReason> {
        match *self {
            Self::Ready => Ok(self.finish(reason, 0, CooperativeAction::DequeueAndNotify)),
            Self::Stepping { pauses } | Self::Paused { pauses } => {
                Ok(self.finish(reason, pauses, CooperativeAction::Notify))
            }
            Self::Waiting { pauses } => Ok(self.finish(reason, pauses, CooperativeAction::CancelAndNotify)),
            Self::Finished { reason, .. } => Err(reason),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn end_reason(self) -> Option<EndReason> {
        match self {
            Self::Finished { reason, .. } => Some(reason),
            Self::Ready | Self::Stepping { .. } | Self::Waiting { .. } | Self::Paused { .. } => None,
        }
    }

    fn ready_or_paused(&mut self, pauses: usize) -> CooperativeAction {
        if pauses == 0 {
            *self = Self::Ready;
            CooperativeAction::Enqueue
        } else {
            *self = Self::Paused { pauses };
            CooperativeAction::Nothing
        }
    }

    fn finish(&mut self, reason: EndReason, pauses: usize, action: CooperativeAction) -> CooperativeAction {
        *self = Self::Finished { reason, pauses };
        action
    }
}
