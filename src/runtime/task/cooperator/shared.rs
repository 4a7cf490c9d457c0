//! The data of a cooperator and of its tasks, without their operations.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::super::super::deferred::{Deferred, Resolver, Settled};
use super::super::super::reactor::{DelayedCall, EndNotice, LocalHandle, Owned};
use crate::failure::Failure;
use crate::machine::cooperator::{CooperativeTask as TaskState, Scheduler};
use crate::machine::wait_queue::{Key, WaitQueue};

/// Makes one step of a task's iterator. `None` if that is exhausted.
pub(super) type Step = Box<dyn FnMut() -> Option<Settled<(), Failure>>>;

/// Called after each step of a tick. True ends the tick.
pub(super) type Termination = Box<dyn FnMut() -> bool>;

/// Called at the beginning of each tick.
pub(super) type NewTermination = Box<dyn FnMut() -> Termination>;

/// One cooperator, shared by its handles, its timer and its tasks.
pub(super) struct CooperatorCore {
    pub(super) scheduler: Cell<Scheduler>,
    /// The run queue: tasks that are ready, in the order in which they will be stepped.
    pub(super) ready: RefCell<WaitQueue<Rc<TaskCore>>>,
    /// All tasks that have not ended. Weak, because a task that is neither ready nor waits for a Deferred belongs to
    /// its handles alone.
    pub(super) unfinished: RefCell<WaitQueue<Weak<TaskCore>>>,
    pub(super) timer: Cell<Option<DelayedCall>>,
    pub(super) reactor: LocalHandle,
    /// `None` while it is being called.
    pub(super) new_termination: Cell<Option<NewTermination>>,
    /// Tells this cooperator of the reactor's end. `None` while the cooperator is being constructed.
    pub(super) end_notice: Cell<Option<Owned<EndNotice<CooperatorCore>>>>,
}

/// One task, shared by its handles, the run queue and what it waits for.
pub(super) struct TaskCore {
    pub(super) state: Cell<TaskState>,
    /// `None` while it is being called, and once the task has ended.
    pub(super) step: Cell<Option<Step>>,
    /// Its key in the run queue, while it is there.
    pub(super) ready_key: Cell<Option<Key>>,
    /// Its key among the tasks that have not ended.
    pub(super) unfinished_key: Cell<Option<Key>>,
    /// The Deferred that it waits for.
    pub(super) waiting_for: Cell<Option<Deferred<()>>>,
    /// They fire the Deferreds of its end, in this order.
    pub(super) waiters: RefCell<WaitQueue<Resolver<()>>>,
    /// The error it ended with, until somebody asks for the end.
    pub(super) failure: Cell<Option<Failure>>,
    pub(super) cooperator: Weak<CooperatorCore>,
    /// Where it was added.
    pub(super) made_at: &'static Location<'static>,
}

impl fmt::Debug for TaskCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.state.get(), f)
    }
}
