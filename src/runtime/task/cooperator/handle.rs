//! The public handles: `Cooperator`, which runs iterators, and `CooperativeTask`, one iterator that it runs.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::super::super::deferred::{Deferred, Outcome};
use super::super::completion::discard_value;
use super::shared::{CooperatorCore, Step, TaskCore};
use crate::error::{NotPaused, TaskFinished};
use crate::failure::Failure;
use crate::machine::cooperator::EndReason;

/// Runs iterators step by step, for a slice of time in each of the reactor's turns, so that long computations leave the
/// loop responsive.
///
/// A step is one call of an iterator's `next`. What it yields may be `()` or any other [`Outcome`]: a Deferred is
/// waited for before the next step; an error or a panic fails the task. In each turn there is one tick, which steps the
/// tasks in turn (round robin), beginning where the last tick ended, until its slice is used up: 10 ms by default, and
/// never less than one step. A [`builder`](Self::builder) sets other slices.
///
/// ```
/// use selvedge::task::Cooperator;
/// use selvedge::{Reactor, testing::VirtualClock};
/// use std::time::Duration;
///
/// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
/// let cooperator = Cooperator::new(&reactor);
/// let squares = cooperator.cooperate((1..=3).map(|n| println!("{n}² = {}", n * n)));
/// let cubes = cooperator.cooperate((1..=3).map(|n| println!("{n}³ = {}", n * n * n))); // They take turns.
/// let done = squares.when_done();
/// reactor.advance(Duration::ZERO)?;
/// assert!(done.try_result().is_ok_and(|done| done.is_ok()));
/// # drop(cubes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones are handles to the same cooperator, which runs on when they are dropped, as long as there is a task to step.
/// When the reactor ends, all tasks end with [`ReactorStopped`](crate::error::ReactorStopped), whatever they wait for:
/// paused ones, and those of a cooperator that was never started, too. So do tasks that are added after that.
#[derive(Clone)]
pub struct Cooperator {
    core: Rc<CooperatorCore>,
}

impl Cooperator {
    pub(super) fn new_handle(core: Rc<CooperatorCore>) -> Self {
        Self { core }
    }

    /// Adds a task: steps this iterator to its end, in turn with the others. The first step is made in a later turn.
    ///
    /// [`when_done`](CooperativeTask::when_done) gives its end or its error. If nobody asks, an error is reported when
    /// the task is dropped, with the place of this call.
    #[track_caller]
    pub fn cooperate<I, R>(&self, iterator: I) -> CooperativeTask
    where
        I: IntoIterator<Item = R, IntoIter: 'static>,
        R: Outcome<Failure>,
    {
        let mut iterator = iterator.into_iter();
        let step: Step = Box::new(move || iterator.next().map(discard_value));
        let task = TaskCore::new(step, Rc::downgrade(&self.core), Location::caller());
        let key = self.core.unfinished.borrow_mut().push(Rc::downgrade(&task));
        task.unfinished_key.set(Some(key));
        self.core.enqueue(Rc::clone(&task));
        CooperativeTask { task, cooperator: Rc::clone(&self.core) }
    }

    /// Adds a task, and returns its [`when_done`](CooperativeTask::when_done).
    ///
    /// **Cancel safety.** Cancelling the Deferred, or dropping its future, stops the task, as
    /// [`CooperativeTask::stop`] does: its iterator is dropped, after a step that runs, and the Deferred that the task
    /// waits for is cancelled. If the Deferred is only dropped, the task runs on.
    #[track_caller]
    pub fn coiterate<I, R>(&self, iterator: I) -> Deferred<()>
    where
        I: IntoIterator<Item = R, IntoIter: 'static>,
        R: Outcome<Failure>,
    {
        let CooperativeTask { task, cooperator } = self.cooperate(iterator);
        let cooperator = Rc::downgrade(&cooperator);
        task.when_done(move |task| {
            if let Some(cooperator) = cooperator.upgrade() {
                let _ = task.stop(&cooperator, EndReason::Stopped);
            }
        })
    }

    /// Starts it, also after it was stopped. If it runs already, or if the reactor has ended, nothing changes.
    pub fn start(&self) {
        self.core.start();
    }

    /// Stops it. All its tasks, paused and waiting ones included, end with [`TaskFinished::SchedulerStopped`]; so do
    /// tasks that are added before it is started again.
    pub fn stop(&self) {
        self.core.stop();
    }

    /// Whether it runs: it was started, and has not been stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.core.scheduler.get().is_running()
    }
}

impl fmt::Debug for Cooperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Read first: what `f` writes to is user code, which may use the cooperator.
        let (ready, tasks) = (self.core.ready.borrow().len(), self.core.unfinished.borrow().len());
        f.debug_struct("Cooperator")
            .field("scheduler", &self.core.scheduler.get())
            .field("ready", &ready)
            .field("tasks", &tasks)
            .finish()
    }
}

/// One iterator that a [`Cooperator`] runs: returned by [`cooperate`](Cooperator::cooperate).
///
/// Clones are handles to the same task, which runs on when they are dropped. If it is paused then, nobody is left who
/// could resume it: its iterator is dropped, and the Deferreds of its end fail with
/// [`Abandoned`](crate::error::Abandoned).
#[derive(Clone)]
pub struct CooperativeTask {
    task: Rc<TaskCore>,
    cooperator: Rc<CooperatorCore>,
}

impl CooperativeTask {
    /// Makes no more steps until [`resume`](Self::resume) has been called as often as this. A wait for a Deferred
    /// continues, and its result is kept.
    ///
    /// # Errors
    /// The task has ended; the error says how.
    pub fn pause(&self) -> Result<(), TaskFinished> {
        self.task.pause(&self.cooperator)
    }

    /// Takes back one [`pause`](Self::pause). After the last, the task is appended to those that are ready.
    ///
    /// # Errors
    /// It is not paused. (Waiting for a Deferred is not a pause, and `resume` does not end it.)
    pub fn resume(&self) -> Result<(), NotPaused> {
        self.task.resume(&self.cooperator)
    }

    /// Ends the task. Its iterator is dropped (after the step, if called inside one), the Deferred that it waits for is
    /// cancelled, and the Deferreds of its end fail with [`TaskFinished::Stopped`].
    ///
    /// # Errors
    /// The task has ended; the error says how.
    pub fn stop(&self) -> Result<(), TaskFinished> {
        self.task.stop(&self.cooperator, EndReason::Stopped)
    }

    /// A Deferred that fires when the iterator is exhausted; it fails with the iterator's error, or with
    /// [`TaskFinished`] if the task was stopped.
    ///
    /// **Cancel safety.** Cancelling the Deferred, or dropping its future, does not affect the task. If only the
    /// Deferred is dropped, its entry is kept until the task ends: a program that asks often cancels what it no longer
    /// waits for.
    ///
    /// May be called any number of times, also after the end. An error has one owner: the first who asked gets it, the
    /// others [`TaskFinished::Failed`].
    #[track_caller]
    #[must_use = "it only returns the Deferred"]
    pub fn when_done(&self) -> Deferred<()> {
        self.task.when_done(|_| ())
    }
}

impl fmt::Debug for CooperativeTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CooperativeTask").field(&self.task).finish()
    }
}
