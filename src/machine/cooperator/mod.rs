//! The machines of a cooperator: what each of its tasks is doing, and whether a tick is to come.

mod scheduler;
mod task;

pub(crate) use self::scheduler::Scheduler;
#[cfg(test)]
pub(in crate::machine) use self::task::NotPaused;
pub(crate) use self::task::{CooperativeAction, CooperativeTask, EndReason, StepResult};
