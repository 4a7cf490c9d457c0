//! Starts, resizes and stops a pool, and takes snapshots of it.

use std::time::Duration;

use super::super::deadline::Deadline;
use super::super::sync::{Arc, Instant};
use super::shared::{Queue, Shared, StopCallback};
use super::stats::{JobHistograms, PoolStats, PoolTimes};
use super::stop::StopWithinError;
use crate::error::{NeverRan, PoolStopped, SizeError};
use crate::machine::pool::{self as machine, Notify, Policy, PoolState, Sizes, SubmitQueue, Workers};

/// The target of these sizes, unless `min` is above `max`.
pub(super) fn checked_sizes(min: usize, max: usize) -> Result<Sizes, SizeError> {
    if min > max { Err(SizeError { min, max }) } else { Ok(Sizes { min, max }) }
}

impl Shared {
    pub(super) fn start(this: &Arc<Self>, lazily: bool) -> Result<(), PoolStopped> {
        let wakeups = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::start(&mut workers.machine, &mut submit_queue, lazily).map_err(|()| PoolStopped)?
        };
        Self::carry_out(this, wakeups);
        Ok(())
    }

    pub(super) fn resize(this: &Arc<Self>, target: impl FnOnce(Sizes) -> Sizes) {
        let wakeups = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let target = target(workers.machine.target());
            machine::resize(&mut workers.machine, &mut submit_queue, target)
        };
        Self::carry_out(this, wakeups);
    }

    /// Accepts no more jobs. `callback` is called when the pool has stopped, which may be now.
    pub(super) fn begin_stop(this: &Arc<Self>, policy: Policy, callback: Option<StopCallback>) {
        let (stop, stop_callbacks) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let stop = machine::stop(&mut workers.machine, &mut submit_queue, policy);
            workers.stop_callbacks.extend(callback);
            let stop_callbacks = workers.take_stop_callbacks(stop.stopped);
            (stop, stop_callbacks)
        };
        // Before the jobs are refused, which runs user code: those that are woken need not wait for that.
        Self::carry_out(this, stop.wakeups);
        let why = if stop.unstarted { NeverRan::PoolStopped } else { NeverRan::CancelledByStop };
        let after_refusing = this.refuse_jobs(stop.cancelled, &why);
        this.run_stop_callbacks(stop_callbacks.or(after_refusing));
    }

    /// Waits until the pool has stopped, for at most `timeout`, then joins its threads.
    pub(super) fn join(&self, timeout: Option<Duration>) -> Result<(), StopWithinError> {
        let asked = Instant::now();
        let mut workers = self.workers.lock();
        let deadline = Deadline::new(timeout, workers.deadline_epoch);
        while workers.machine.state() != PoolState::Stopped {
            if deadline.has_passed(workers.deadline_epoch) || !self.host.has_threads() {
                let queued = workers.machine.queue().len() + self.submit_queue.lock().queue().len();
                return Err(StopWithinError::Unfinished { stragglers: workers.running.stragglers(asked), queued });
            }
            workers = self.stopped.wait_for(workers, deadline.remaining());
        }
        drop(workers);
        self.join_all();
        Ok(())
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.workers.lock().machine.state() == PoolState::Stopped
    }

    pub(super) fn stats(&self) -> PoolStats {
        let workers = self.workers.lock();
        snapshot(&workers.machine, &self.submit_queue.lock())
    }

    /// The copy's memory is allocated before the locks are taken; under them, only numbers are copied.
    pub(super) fn times(&self) -> Option<PoolTimes> {
        if !self.hooks.timed {
            return None;
        }
        let mut copy = JobHistograms::default();
        let workers = self.workers.lock();
        copy.copy_from(workers.times.as_ref()?);
        let stats = snapshot(&workers.machine, &self.submit_queue.lock());
        Some(copy.with(stats))
    }

    /// Lets every deadline pass that a thread or a worker waits for now.
    pub(super) fn let_deadlines_pass(&self) {
        self.workers.lock().deadline_epoch.advance();
        self.wake_workers(Notify::All);
        self.not_full.notify_all();
        self.stopped.notify_all();
    }
}

/// With both halves of the machine locked.
fn snapshot(workers: &Workers<Queue>, submit_queue: &SubmitQueue<Queue>) -> PoolStats {
    let Sizes { min, max } = workers.target();
    let counts = workers.counts();
    let queued = workers.queue().len() + submit_queue.queue().len();
    PoolStats {
        min,
        max,
        live: workers.live(),
        idle: workers.idle(),
        busy: workers.busy(),
        blocked: workers.blocked(),
        queued,
        waiting: workers.waiting_submitters(),
        saturated: queued > 0 && workers.is_saturated(),
        peak: counts.peak,
        started: counts.started,
        completed: counts.completed,
        panicked: counts.panicked,
        cancelled: counts.cancelled,
        failed: counts.failed,
        rejected: submit_queue.rejected(),
    }
}
