//! Refuses jobs that will never run.

use super::at_rest::notify_rest_waiters;
use super::job_queue::drain;
use super::shared::{Queue, Shared};
use crate::error::NeverRan;
use crate::machine::pool::RefusedJobs;

impl Shared {
    /// Tells each of these jobs that it will never run, and then tells the machine that all have been told. The pool
    /// cannot stop before that; returns whether it has stopped with that.
    #[must_use]
    pub(super) fn refuse_jobs(&self, backlog: RefusedJobs<Queue>, why: &NeverRan) -> bool {
        if backlog.is_empty() {
            return false;
        }
        for job in drain(backlog) {
            job.refuse(why.clone(), &self.hooks, &self.reporter);
        }
        let (stopped, at_rest) = {
            let mut workers = self.workers.lock();
            (workers.machine.refusals_done(), workers.take_rest_waiters())
        };
        notify_rest_waiters(at_rest);
        stopped
    }
}
