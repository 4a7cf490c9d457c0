//! Jobs in: a job goes into the submit queue, and a worker is woken or started for it if the machine says so.

use super::super::deadline::WhenFull;
use super::super::sync::{Arc, trace};
use super::super::typed_queue;
use super::blocked::Blocked;
use super::job::{BoxedJob, InlineJob, JobBody, QueuedJob};
use super::shared::{Shared, Tell};
use super::slot_watchers::WatchKey;
use super::ticket::Ticket;
use crate::error::{Rejected, Rejection};
use crate::machine::pool::{self as machine, Accepted, SubmitError, TicketId};

impl Shared {
    /// Submits a job by value, or boxed if it is too large or the pool's hooks add something to it.
    #[inline]
    pub(super) fn submit_inline<B: JobBody>(
        this: &Arc<Self>,
        job: InlineJob<B>,
        when_full: WhenFull,
    ) -> Result<(), Rejected<BoxedJob>> {
        if typed_queue::fits::<InlineJob<B>>() && !this.hooks.needs_boxed_jobs() {
            Self::submit(this, job, when_full)
        } else {
            Self::submit_boxed(this, job.into_job(), when_full)
        }
    }

    pub(super) fn submit_boxed(this: &Arc<Self>, job: BoxedJob, when_full: WhenFull) -> Result<(), Rejected<BoxedJob>> {
        Self::with_context(this, job, |job| Self::submit(this, job, when_full))
    }

    /// Submits a job that can be cancelled.
    pub(super) fn submit_ticketed(
        this: &Arc<Self>,
        job: BoxedJob,
        when_full: WhenFull,
    ) -> Result<Ticket, Rejected<BoxedJob>> {
        Self::with_context(this, job, |mut job| {
            let token = job.give_token();
            let origin = job.origin();
            let (submitted, backlog) = {
                let mut submit_queue = this.submit_queue.lock();
                trace::job("submits", origin);
                (submit_queue.submit_ticketed(job), submit_queue.queue().len())
            };
            let id = match submitted {
                Ok(accepted) => {
                    Self::accepted(this, accepted, backlog);
                    accepted.ticket
                }
                Err(error) => Self::hand_back_or_wait(this, error, true, when_full)?,
            };
            // A ticketed submission that is accepted always has an id.
            let id = id.unwrap_or(TicketId::MAX);
            Ok(Ticket { shared: Arc::clone(this), id, token })
        })
    }

    /// Adds what the job's limits need and the pool's contexts capture, on this thread, before the job is offered. One
    /// that is handed back is handed back as it was.
    fn with_context<T>(
        this: &Arc<Self>,
        mut job: BoxedJob,
        submit: impl FnOnce(BoxedJob) -> Result<T, Rejected<BoxedJob>>,
    ) -> Result<T, Rejected<BoxedJob>> {
        Self::prepare(this, &mut job);
        submit(job).map_err(|mut rejected| {
            rejected.job.drop_context(&this.reporter);
            rejected
        })
    }

    /// Adds what the job's limits need and the pool's contexts capture.
    pub(super) fn prepare(this: &Self, job: &mut BoxedJob) {
        job.begin_limits(true);
        if this.hooks.adds_extras() {
            job.capture_context(&this.hooks, &this.reporter);
        }
    }

    /// Submits a prepared job that can be cancelled. If there is no slot for it, `tell` is called once there may be
    /// one.
    ///
    /// # Errors
    /// The job, and where its watcher is; without one, the pool has been stopped.
    pub(super) fn submit_or_watch(
        this: &Arc<Self>,
        mut job: BoxedJob,
        tell: Tell,
    ) -> Result<Ticket, (BoxedJob, Option<WatchKey>)> {
        let token = job.give_token();
        let mut workers = this.workers.lock();
        let mut submit_queue = this.submit_queue.lock();
        let submitted = machine::submit_when_full(&mut workers.machine, &mut submit_queue, job, true);
        drop(submit_queue);
        let (accepted, wakeups) = match submitted {
            Ok(accepted) => accepted,
            Err(SubmitError::Closed(job)) => return Err((job, None)),
            Err(SubmitError::Full(job)) => {
                workers.machine.begin_slot_wait();
                let key = workers.slot_watchers.push(tell);
                return Err((job, Some(key)));
            }
        };
        drop(workers);
        this.maybe_work.set(true);
        Self::carry_out(this, wakeups);
        Ok(Ticket { shared: Arc::clone(this), id: accepted.ticket.unwrap_or(TicketId::MAX), token })
    }

    /// One short lock and a push; another lock if a worker has to be woken or started.
    #[inline]
    fn submit<J: QueuedJob>(this: &Arc<Self>, job: J, when_full: WhenFull) -> Result<(), Rejected<BoxedJob>> {
        let origin = job.origin();
        let (submitted, backlog, unknown_type) = {
            let mut submit_queue = this.submit_queue.lock();
            trace::job("submits", origin);
            (submit_queue.submit(job), submit_queue.queue().len(), submit_queue.store().take_unknown_type())
        };
        if unknown_type {
            this.unknown_type();
        }
        match submitted {
            Ok(accepted) => Self::accepted(this, accepted, backlog),
            Err(error) => drop(Self::hand_back_or_wait(this, error.map(J::into_job), false, when_full)?),
        }
        Ok(())
    }

    /// The job is in the queue, the last of `backlog` that submitters have put there. Wakes or starts a worker if need
    /// be.
    #[inline]
    fn accepted(this: &Arc<Self>, accepted: Accepted, backlog: usize) {
        this.maybe_work.set(true);
        if accepted.must_wake {
            let wakeups = {
                let mut workers = this.workers.lock();
                let wakeups = workers.machine.wake_or_spawn();
                if workers.machine.may_report_saturation() {
                    machine::report_saturation(&mut workers.machine, &mut this.submit_queue.lock())
                } else {
                    wakeups
                }
            };
            Self::carry_out(this, wakeups);
        } else if backlog >= this.wake_ahead_at.get() {
            Self::wake_ahead(this);
        }
    }

    /// The submit queue alone has no slot for the job. With both locks there may be one after all; otherwise the job
    /// waits for one, or is handed back.
    #[cold]
    fn hand_back_or_wait(
        this: &Arc<Self>,
        error: SubmitError<BoxedJob>,
        ticketed: bool,
        when_full: WhenFull,
    ) -> Result<Option<TicketId>, Rejected<BoxedJob>> {
        let mut job = match error {
            SubmitError::Closed(job) => return Err(Rejected::new(job, Rejection::PoolStopped)),
            SubmitError::Full(job) => job,
        };
        // A worker of another pool that waits here is blocked there. Declared before the guards of the locks, so that
        // they are dropped first.
        let _blocked = (when_full != WhenFull::Return).then(Blocked::enter);
        let mut workers = this.workers.lock();
        let deadline = when_full.deadline(workers.deadline_epoch);
        loop {
            let mut submit_queue = this.submit_queue.lock();
            match machine::submit_when_full(&mut workers.machine, &mut submit_queue, job, ticketed) {
                Ok((accepted, wakeups)) => {
                    drop((submit_queue, workers));
                    this.maybe_work.set(true);
                    Self::carry_out(this, wakeups);
                    return Ok(accepted.ticket);
                }
                Err(SubmitError::Closed(job)) => return Err(Rejected::new(job, Rejection::PoolStopped)),
                Err(SubmitError::Full(full)) => job = full,
            }
            let reason = match deadline {
                None => Some(Rejection::QueueFull),
                Some(deadline) if deadline.has_passed(workers.deadline_epoch) || !this.host.has_threads() => {
                    Some(Rejection::TimedOut)
                }
                Some(_) => None,
            };
            if let Some(reason) = reason {
                submit_queue.count_rejection();
                return Err(Rejected::new(job, reason));
            }
            drop(submit_queue);
            workers.machine.begin_slot_wait();
            workers = this.not_full.wait_for(workers, deadline.and_then(|deadline| deadline.remaining()));
            workers.machine.end_slot_wait();
        }
    }
}
