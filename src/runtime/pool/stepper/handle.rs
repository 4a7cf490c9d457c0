//! Runs a pool without threads: the program decides, by a [`Stepper`], which worker does its next step, and when.
//!
//! Except for the threads it is the same pool: the same machine under the same locks, the same transitions. So whatever
//! a program does to such a pool, with its workers' steps in any order, can be replayed step by step on one thread.

use std::fmt;

use super::super::super::sync::{Arc, MutexGuard};
use super::super::blocked::run_as_job;
use super::super::cancel_token::without_current_token;
use super::super::context::{CurrentPool, EnterPool};
use super::super::job::{JobResult, QueuedJob};
use super::super::job_queue::take_job;
use super::super::shared::{LockedWorkers, Queue, Shared, WorkerHost};
use super::super::worker::{Action, finish_exit};
use super::super::worker_state::WorkerState;
use super::workers::{NextStep, Stage, SteppedWorkers};
use crate::machine::pool::{Popped, WorkerId};

/// What a worker did in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// It took a job from the queue, and woke whom it had to.
    Took,
    /// It ran its job to the end.
    Ran,
    /// It found no job and fell asleep.
    Slept,
    /// It found that there are too many workers, or that the pool stops and no job is left, and exited.
    Exited,
}

/// Steps the workers of a pool without threads: see
/// [`PoolBuilder::build_stepped`](crate::pool::PoolBuilder::build_stepped).
///
/// A job may step other workers while it runs, as if they ran at the same time, but never its own.
///
/// ```
/// use selvedge::{ThreadPool, testing::Step};
///
/// let (pool, stepper) = ThreadPool::builder().size(1, 1).build_stepped()?;
/// pool.start()?;
/// pool.call_in_thread(|| println!("on this very thread"))?;
/// assert_eq!(stepper.step(), Some(Step::Took));
/// assert_eq!(stepper.step(), Some(Step::Ran));
/// assert_eq!(stepper.step(), Some(Step::Slept));
/// assert_eq!(stepper.step(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Stepper {
    shared: Arc<Shared>,
}

impl Stepper {
    pub(in super::super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Lets the oldest worker that is not asleep do one step. `None` if all sleep, or there is none.
    #[allow(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn step(&self) -> Option<Step> {
        self.step_one(None)
    }

    /// Lets this worker do one step. `None` if it sleeps, if it runs the job that calls this, or if there is no worker
    /// with this number.
    #[allow(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn step_worker(&self, worker: usize) -> Option<Step> {
        self.step_one(Some(worker))
    }

    /// The number and stage of each worker, the oldest first.
    #[must_use]
    pub fn workers(&self) -> Vec<(usize, Stage)> {
        self.stepped().map(SteppedWorkers::stages).unwrap_or_default()
    }

    /// The numbers of those that can do a step, the oldest first.
    pub(crate) fn ready(&self) -> Vec<usize> {
        self.stepped().map(SteppedWorkers::ready).unwrap_or_default()
    }

    fn stepped(&self) -> Option<&SteppedWorkers> {
        match &self.shared.host {
            WorkerHost::Threads(_) => None,
            WorkerHost::Stepper(workers) => Some(workers),
        }
    }

    fn step_one(&self, id: Option<WorkerId>) -> Option<Step> {
        let shared = &self.shared;
        let stepped = self.stepped()?;
        let (mut worker, next) = stepped.checkout(id)?;
        let entered = EnterPool::new(&CurrentPool::new(Arc::clone(shared)));
        let mut workers = match next {
            NextStep::Start => worker.start(shared),
            NextStep::Run(job) => {
                let run = || run_as_job(shared, || job.run_in(&shared.hooks, &shared.reporter));
                let result = without_current_token(run);
                stepped.checkin(worker, Stage::Finished, NextStep::Finish(result));
                return Some(Step::Ran);
            }
            NextStep::Finish(result) => {
                let mut workers = shared.workers.lock();
                worker.job_finished(&mut workers, &result);
                // It looks for the next job in a step of its own.
                workers.activities.clear(worker.slot);
                workers
            }
            NextStep::Wake => {
                let workers = shared.workers.lock();
                worker.woken(shared, workers)
            }
        };
        match worker.next_action(shared, &mut workers) {
            Action::Run(popped, wakeups) => {
                worker.arrivals_at_start = workers.estimate.job_started();
                take(popped, worker, stepped, workers);
                Shared::carry_out(shared, wakeups);
                Some(Step::Took)
            }
            Action::Sleep { timed } => {
                worker.sleep_timeout(shared, &workers, timed);
                stepped.checkin(worker, Stage::Asleep, NextStep::Wake);
                drop(workers);
                shared.notify_if_at_rest();
                Some(Step::Slept)
            }
            // Never happens: a worker without a thread may not spin.
            Action::Search => {
                stepped.checkin(worker, Stage::Asleep, NextStep::Wake);
                Some(Step::Slept)
            }
            Action::Exit(wakeups) => {
                let exit = worker.begin_exit(shared, &mut workers);
                stepped.remove(worker.id);
                drop(workers);
                finish_exit(shared, &worker, wakeups, exit, entered, None);
                Some(Step::Exited)
            }
        }
    }
}

/// Moves the job from the queue to the worker, which holds it until its next step. Releases the lock.
fn take(
    popped: Popped<Queue>,
    worker: WorkerState,
    stepped: &SteppedWorkers,
    mut workers: MutexGuard<'_, LockedWorkers>,
) {
    let has_ticket = matches!(popped, Popped::Ticketed(_));
    let job = take_job(popped, workers.machine.store());
    let unused = (workers.machine.store().take_used_up(), workers.machine.take_unused());
    if let Some(job) = job {
        let trace = if has_ticket { job.ticketed_trace() } else { job.trace() };
        workers.activities.set_job(worker.slot, worker.id, trace, job.token());
        stepped.checkin(worker, Stage::Holding, NextStep::Run(job));
    } else {
        // Never happens: the lane is that of the job's type.
        stepped.checkin(worker, Stage::Finished, NextStep::Finish(JobResult::default()));
    }
    drop(workers);
    drop(unused);
}

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper").field("workers", &self.workers()).finish()
    }
}
