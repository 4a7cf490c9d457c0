//! Refuses jobs that will never run, and runs the stop callbacks if the pool has stopped with that.

use std::mem;

use super::super::report::Incident;
use super::context::RefusingJobs;
use super::job_queue::drain;
use super::shared::{LockedWorkers, Queue, Shared, StopCallback};
use crate::error::NeverRan;
use crate::machine::pool::RefusedJobs;

impl Shared {
    /// Tells each of these jobs that it will never run, and then tells the machine that all have been told. The pool
    /// cannot stop before that.
    ///
    /// Returns the stop callbacks if the pool has stopped with that.
    pub(super) fn refuse_jobs(&self, backlog: RefusedJobs<Queue>, why: &NeverRan) -> Option<Vec<StopCallback>> {
        if backlog.is_empty() {
            return None;
        }
        {
            let _refusing = RefusingJobs::of(self);
            for job in drain(backlog) {
                job.refuse(why.clone(), &self.hooks, &self.reporter);
            }
        }
        let mut workers = self.workers.lock();
        let stopped = workers.machine.refusals_done();
        workers.take_stop_callbacks(stopped)
    }

    /// Wakes the threads that wait for the stop, and runs the callbacks. With `None`, which means that the
    /// pool has not stopped, it does nothing. Called without a lock.
    pub(super) fn run_stop_callbacks(&self, callbacks: Option<Vec<StopCallback>>) {
        let Some(callbacks) = callbacks else { return };
        self.stopped.notify_all();
        for callback in callbacks {
            self.reporter.contain(Incident::Job, callback);
        }
    }
}

impl LockedWorkers {
    /// The stop callbacks if a transition has returned `stopped`. To be called under the same hold of the lock as the
    /// transition, so that only the first caller that learns of the stop gets them; they are owed to
    /// [`run_stop_callbacks`](Shared::run_stop_callbacks).
    pub(super) fn take_stop_callbacks(&mut self, stopped: bool) -> Option<Vec<StopCallback>> {
        stopped.then(|| mem::take(&mut self.stop_callbacks))
    }
}
