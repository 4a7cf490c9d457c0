//! A job: what a worker runs, or is told will never run.

use std::fmt;

use super::super::report::{Incident, Reporter};
use super::super::sync::catch;
use crate::error::NeverRan;
use crate::failure::Failure;

/// What a pool can be given to do.
pub(crate) trait Work: Send {
    /// Does it; says whether it panicked. Its captures are gone when this returns.
    fn run(self: Box<Self>, reporter: &Reporter) -> bool;

    /// It will never be run.
    fn refuse(self: Box<Self>, why: NeverRan, reporter: &Reporter);
}

/// A job that a pool did not accept.
pub struct Job(Box<dyn Work>);

impl Job {
    pub(crate) fn new(work: impl Work + 'static) -> Self {
        Self(Box::new(work))
    }

    /// Runs the job on this thread, as a worker would have: a panic is reported to the pool's default sink, not thrown.
    pub fn run(self) {
        self.run_reporting(&Reporter::default());
    }

    /// Says whether it panicked.
    pub(crate) fn run_reporting(self, reporter: &Reporter) -> bool {
        reporter.contain(Incident::Job, || self.0.run(reporter)).unwrap_or(true)
    }

    pub(crate) fn refuse(self, why: NeverRan, reporter: &Reporter) {
        reporter.contain(Incident::Job, || self.0.refuse(why, reporter));
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// A function whose result nobody waits for.
pub(crate) struct Plain<F>(pub(crate) F);

impl<F: FnOnce() + Send> Work for Plain<F> {
    fn run(self: Box<Self>, _: &Reporter) -> bool {
        // A panic passes on to the worker, which contains, counts and reports it.
        (self.0)();
        false
    }

    fn refuse(self: Box<Self>, why: NeverRan, reporter: &Reporter) {
        drop(self);
        reporter.report(Incident::Job, &why, None);
    }
}

/// A function, and who is told its result on the same thread.
pub(crate) struct WithCallback<F, C> {
    pub(crate) work: F,
    pub(crate) on_result: C,
}

impl<T, F, C> Work for WithCallback<F, C>
where
    F: FnOnce() -> T + Send,
    C: FnOnce(Result<T, Failure>) + Send,
{
    fn run(self: Box<Self>, reporter: &Reporter) -> bool {
        let Self { work, on_result } = *self;
        // `work` is consumed by being called: its captures are dropped before `on_result` runs.
        let result = catch(work).map_err(Failure::new);
        let panicked = result.is_err();
        reporter.contain(Incident::OnResult, || on_result(result));
        panicked
    }

    fn refuse(self: Box<Self>, why: NeverRan, reporter: &Reporter) {
        let Self { work, on_result } = *self;
        reporter.contain(Incident::Drop, || drop(work));
        reporter.contain(Incident::OnResult, || on_result(Err(Failure::new(why))));
    }
}
