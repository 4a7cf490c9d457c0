//! Starts, resizes and stops a pool, and takes snapshots of it.

use std::cmp::Reverse;
use std::time::Duration;

use super::super::sync::{Arc, Instant};
use super::at_rest::notify_rest_waiters;
use super::cancel_token::CancelToken;
use super::delaying_stop::DelayingStop;
use super::shared::{Queue, Shared};
use super::stats::{JobHistograms, PoolStats, PoolTimes};
use super::stop::{StopPolicy, StopWithinError, Straggler, WorkerActivity};
use super::thread_ends::ThreadEnds;
use crate::error::{NeverRan, PoolStopped, SizeError};
use crate::machine::pool::{self as machine, Sizes, SubmitQueue, WorkerSlot, Workers};

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
        let (wakeups, at_rest) = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            let target = target(workers.machine.target());
            let wakeups = machine::resize(&mut workers.machine, &mut submit_queue, target);
            (wakeups, workers.take_rest_waiters())
        };
        Self::carry_out(this, wakeups);
        notify_rest_waiters(at_rest);
    }

    /// Accepts no more jobs.
    pub(super) fn begin_stop(this: &Arc<Self>, policy: StopPolicy) {
        let delaying = DelayingStop::of(this.address());
        let stop = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::stop(&mut workers.machine, &mut submit_queue, policy.into())
        };
        // Before the jobs are refused, which runs user code: those that are woken need not wait for that.
        Self::carry_out(this, stop.wakeups);
        if policy == StopPolicy::CancelAll {
            this.cancel_running();
        }
        let why = if stop.unstarted { NeverRan::PoolStopped } else { NeverRan::CancelledByStop };
        let refused_last = this.refuse_jobs(stop.cancelled, &why);
        drop(delaying);
        this.drained_if(stop.stopped || refused_last);
    }

    /// Asks the running jobs to end. No job begins any more: the stop has taken those that waited.
    fn cancel_running(&self) {
        let mut slot = 0;
        // One at a time, so that the lock is held for a moment only.
        while let Some(token) = self.token_in(slot) {
            if let Some(token) = token {
                // Whether it can still react changes nothing here.
                let _ = token.cancel();
            }
            slot += 1;
        }
    }

    fn token_in(&self, slot: WorkerSlot) -> Option<Option<CancelToken>> {
        self.workers.lock().activities.token(slot)
    }

    /// Waits until all threads of a pool that was told to stop are joined, for at most `timeout`.
    pub(super) fn join(&self, timeout: Option<Duration>) -> Result<(), StopWithinError> {
        let asked = Instant::now();
        // A pool without threads cannot be waited for.
        let timeout = if self.host.has_threads() { timeout } else { Some(Duration::ZERO) };
        let _scope = self.reporter.enter();
        if ThreadEnds::wait(&self.ends, timeout) {
            return Ok(());
        }
        let (stragglers, queued) = self.stragglers(asked);
        Err(StopWithinError::Unfinished { stragglers, queued })
    }

    /// Which workers keep the pool from stopping, and how many jobs wait to be run. An activity without a start time
    /// counts from `asked`.
    pub(super) fn stragglers(&self, asked: Instant) -> (Vec<Straggler>, usize) {
        let (mut stragglers, queued) = {
            let workers = self.workers.lock();
            let queued = workers.machine.queue().len() + self.submit_queue.lock().queue().len();
            (workers.activities.stragglers(asked), queued)
        };
        for exited in self.ends.exited_workers() {
            // It may have exited since.
            stragglers.retain(|straggler| straggler.worker != exited.worker);
            let (activity, running_for) = (WorkerActivity::Destructors, exited.since.elapsed());
            stragglers.push(Straggler { activity, worker: exited.worker, running_for });
        }
        stragglers.sort_by_key(|straggler| (Reverse(straggler.running_for), straggler.worker));
        (stragglers, queued)
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.ends.has_ended()
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
        self.wake_all_workers();
        self.not_full.notify_all();
        self.ends.let_deadlines_pass();
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
        expired: counts.expired,
        cancelled: counts.cancelled,
        failed: counts.failed,
        start_failures: counts.start_failures,
        rejected: submit_queue.rejected(),
    }
}
