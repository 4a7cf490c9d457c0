//! Jobs out: a worker takes a job and runs it, again and again, and sleeps only when it has found both queues empty
//! while holding both locks.
//!
//! [`run_worker`] is the life of a worker that has a thread. In a pool without threads the [stepper](super::stepper)
//! makes the same transitions, one at a time.
//!
//! A *lane* is the part of the job queue for one type of job: see `typed_queue.rs`. The *estimate* says whether jobs
//! outlast a wake, so that more than one worker should be woken: see `wake_ahead.rs`.

use std::time::Duration;

use super::super::deadline::Deadline;
use super::super::job_label::JobTrace;
use super::super::sync::{Arc, BacklogHint, Instant, MutexGuard, Spin, trace};
use super::super::typed_queue::HasVTable;
use super::activities::Activity;
use super::at_rest::notify_rest_waiters;
use super::blocked::run_as_job;
use super::context::{CurrentPool, EnterPool};
use super::hooks::Worker;
use super::job::{BoxedJob, JobResult, QueuedJob};
use super::shared::{Exit, LockedWorkers, Queue, RunFn, Shared};
use super::thread_ends::ThreadExit;
use super::worker_state::WorkerState;
use crate::machine::pool::{self as machine, Popped, Wakeups, WorkerAction, WorkerHint, WorkerId};

/// What a worker does next, as the machine decides it.
pub(super) type Action = WorkerAction<Popped<Queue>>;

pub(super) fn run_worker(pool: Arc<Shared>, id: WorkerId, thread: &ThreadExit) {
    let current = CurrentPool::new(pool);
    let pool = &current.0;
    let mut entered = EnterPool::new(&current);
    let mut worker = WorkerState::new(id);
    let mut workers = worker.start(pool);
    let (wakeups, exit) = loop {
        match worker.next_action(pool, &mut workers) {
            // Two arms, so that nothing is moved out of the action before it is known where the job lies.
            Action::Run(Popped::InStore(ref position), ref wakeups) => {
                worker.arrivals_at_start = workers.estimate.job_started();
                let result = (position.vtable.run.0)(position.lane, wakeups, pool, &worker, workers);
                workers = worker.lock_after_job(pool, &result);
            }
            Action::Run(Popped::Ticketed(job), ref wakeups) => {
                worker.arrivals_at_start = workers.estimate.job_started();
                let result = run_ticketed(job, wakeups, pool, &worker, workers);
                workers = worker.lock_after_job(pool, &result);
            }
            Action::Search => {
                drop(workers);
                pool.spin.until(&pool.maybe_work);
                workers = pool.workers.lock();
                worker.search_ended(&mut workers);
            }
            Action::Sleep { timed } => {
                let timeout = worker.sleep_timeout(pool, &workers, timed);
                let at_rest = workers.take_rest_waiters();
                if at_rest.is_none() {
                    // Releases the lock under which the queues were found empty, and sleeps, in one step.
                    workers = pool.wait_for_work(worker.slot, workers, timeout);
                } else {
                    // To the machine this is a wait that ends at once: the worker looks again before it sleeps.
                    drop(workers);
                    notify_rest_waiters(at_rest);
                    workers = pool.workers.lock();
                }
                workers = worker.woken(pool, workers);
            }
            Action::Exit(wakeups) => {
                let exit = worker.begin_exit(pool, &mut workers);
                break (wakeups, exit);
            }
        }
    };
    drop(workers);
    entered.keep_address();
    finish_exit(pool, &worker, wakeups, exit, entered, Some(thread));
}

impl WorkerState {
    /// Runs the start hooks, and returns with the lock held, for the worker's first look at the queues.
    pub(super) fn start<'a>(&mut self, pool: &'a Arc<Shared>) -> MutexGuard<'a, LockedWorkers> {
        let has_hooks = pool.hooks.has_start_hooks();
        if has_hooks {
            // Hooks may take long, so the machine must not count on this worker: it wakes or starts another where one
            // is needed.
            let wakeups = {
                let mut workers = pool.lock_with_place();
                self.slot = workers.activities.take_slot();
                workers.activities.set(self.slot, self.id, Activity::StartHooks(Instant::now()));
                let mut submit_queue = pool.submit_queue.lock();
                machine::begin_start_hooks(&mut workers.machine, &mut submit_queue, self.slot)
            };
            Shared::carry_out(pool, wakeups);
            pool.hooks.run_start_hooks(&Worker::new(&pool.name, self.id), &pool.reporter);
        }
        if has_hooks {
            let mut workers = pool.workers.lock();
            workers.activities.clear(self.slot);
            return workers;
        }
        let mut workers = pool.lock_with_place();
        self.slot = workers.activities.take_slot();
        workers.machine.thread_started(self.slot);
        workers
    }

    /// What to do next. The caller takes the job, or begins to sleep, under the same hold of the lock. What is recorded
    /// of the job before is replaced then, or cleared here.
    // Returned through memory, the action costs each job a dozen instructions.
    #[inline(always)]
    pub(super) fn next_action(&mut self, pool: &Shared, workers: &mut LockedWorkers) -> Action {
        match workers.machine.next_job() {
            Some((job, wakeups)) => Action::Run(job, wakeups),
            None => self.look_at_both_queues(pool, workers),
        }
    }

    #[inline(never)]
    fn look_at_both_queues(&mut self, pool: &Shared, workers: &mut LockedWorkers) -> Action {
        workers.activities.clear(self.slot);
        let mut submit_queue = pool.submit_queue.lock();
        // The clock is read only where it can matter: that takes as long as everything else under this lock.
        let no_jobs = workers.machine.queue().is_empty() && submit_queue.queue().is_empty();
        let may_expire = self.was_asleep && no_jobs;
        let expired = may_expire && self.keep_alive_end.is_some_and(|end| end.has_passed(workers.deadline_epoch));
        let may_search = !self.searched && pool.host.has_threads() && Spin::WAITS;
        let hint = WorkerHint { slot: self.slot, may_search, expired };
        let action = machine::next_action(&mut workers.machine, &mut submit_queue, hint);
        pool.maybe_work.set(!workers.machine.queue().is_empty());
        drop(submit_queue);
        match action {
            Action::Search => self.searched = true,
            Action::Sleep { .. } => pool.wake_ahead_at.set(workers.estimate.first_backlog(pool.spin.several_cores())),
            Action::Run(..) | Action::Exit(_) => {}
        }
        action
    }

    /// Takes the lock again after a job. Where jobs block, the worker stays awake for a moment before it looks for the
    /// next: whoever submits such jobs often does so when some have ended. That this worker may come is counted upon by
    /// nobody, so sleeping ones are woken as ever; but no thread is to be spawned instead of it.
    #[inline(always)]
    fn lock_after_job<'a>(&mut self, pool: &'a Arc<Shared>, result: &JobResult) -> MutexGuard<'a, LockedWorkers> {
        let mut workers = pool.workers.lock();
        self.job_finished(&mut workers, result);
        if workers.estimate.jobs_block() && workers.machine.queue().is_empty() && !workers.machine.would_spawn() {
            drop(workers);
            pool.spin.yield_after_job(&pool.maybe_work);
            self.searched = true;
            workers = pool.workers.lock();
            workers.estimate.worker_came();
        }
        workers
    }

    #[inline(always)]
    pub(super) fn job_finished(&mut self, workers: &mut LockedWorkers, result: &JobResult) {
        workers.estimate.job_finished(self.arrivals_at_start);
        workers.machine.finished(result.panicked);
        self.searched = false;
        self.was_asleep = false;
        self.keep_alive_end = None;
        if let Some(details) = &result.details {
            workers.machine.record_expired(details.expired);
            if let (Some(histograms), Some(times)) = (&mut workers.times, &details.times) {
                histograms.record(times);
            }
        }
    }

    fn search_ended(&mut self, workers: &mut LockedWorkers) {
        self.was_asleep = false;
        workers.machine.searched();
    }

    /// How long to sleep at most. A worker above the minimum sleeps until its keep-alive passes, which a wake without a
    /// job does not prolong.
    pub(super) fn sleep_timeout(&mut self, pool: &Shared, workers: &LockedWorkers, timed: bool) -> Option<Duration> {
        if !timed {
            return None;
        }
        match &self.keep_alive_end {
            Some(end) => end.remaining(),
            None => {
                self.keep_alive_end = Some(Deadline::new(pool.keep_alive, workers.deadline_epoch));
                pool.keep_alive
            }
        }
    }

    /// Its wait is over. If others have to be woken, the lock is released meanwhile.
    pub(super) fn woken<'a>(
        &mut self,
        pool: &'a Arc<Shared>,
        mut workers: MutexGuard<'a, LockedWorkers>,
    ) -> MutexGuard<'a, LockedWorkers> {
        self.was_asleep = true;
        let (ended, busy) = (workers.machine.counts().completed, workers.machine.busy());
        workers.estimate.worker_woken(ended, busy);
        if !workers.estimate.jobs_block() {
            // One that is awake wakes the next.
            pool.wake_ahead_at.set(BacklogHint::NEVER);
        }
        let mut wakeups = workers.machine.woken(self.slot);
        loop {
            if wakeups != Wakeups::NONE {
                drop(workers);
                Shared::carry_out(pool, wakeups);
                workers = pool.workers.lock();
            }
            let ahead = workers.estimate.jobs_block();
            wakeups = if ahead { workers.machine.wake_for_jobs_left_behind() } else { Wakeups::NONE };
            if wakeups == Wakeups::NONE {
                return workers;
            }
        }
    }

    /// The worker will not look at the queues again. Without stop hooks its last transition follows at once.
    pub(super) fn begin_exit(&self, pool: &Shared, workers: &mut LockedWorkers) -> Option<Exit> {
        if pool.hooks.has_stop_hooks() {
            workers.activities.set(self.slot, self.id, Activity::StopHooks(Instant::now()));
            return None;
        }
        Some(self.last_transition(pool, workers))
    }

    fn last_transition(&self, pool: &Shared, workers: &mut LockedWorkers) -> Exit {
        workers.activities.free_slot(self.slot);
        let exited = machine::exited(&mut workers.machine, &mut pool.submit_queue.lock());
        Exit { wakeups: exited.wakeups, stopped: exited.stopped, at_rest: workers.take_rest_waiters() }
    }
}

impl<J: QueuedJob> HasVTable<J> for RunFn {
    const VTABLE: Self = Self(run_from_lane::<J>);
}

fn run_from_lane<J: QueuedJob>(
    lane: usize,
    wakeups: &Wakeups,
    pool: &Arc<Shared>,
    worker: &WorkerState,
    mut workers: MutexGuard<'_, LockedWorkers>,
) -> JobResult {
    match workers.machine.store().take::<J>(lane) {
        Some(job) => {
            let trace = job.trace();
            run_job(job, trace, wakeups, pool, worker, workers)
        }
        // Never happens: the lane is that of the job's type.
        None => {
            drop(workers);
            Shared::carry_out(pool, *wakeups);
            JobResult::default()
        }
    }
}

#[inline(never)]
fn run_ticketed(
    job: BoxedJob,
    wakeups: &Wakeups,
    pool: &Arc<Shared>,
    worker: &WorkerState,
    mut workers: MutexGuard<'_, LockedWorkers>,
) -> JobResult {
    let trace = job.ticketed_trace();
    let unused = workers.machine.take_unused();
    let result = run_job(job, trace, wakeups, pool, worker, workers);
    drop(unused);
    result
}

/// Releases the lock, and runs the job.
#[inline]
fn run_job(
    job: impl QueuedJob,
    trace: JobTrace,
    wakeups: &Wakeups,
    pool: &Arc<Shared>,
    worker: &WorkerState,
    mut workers: MutexGuard<'_, LockedWorkers>,
) -> JobResult {
    trace::job("runs", job.origin());
    workers.activities.set_job(worker.slot, worker.id, trace, job.token());
    if workers.machine.store().has_used_up() {
        free_used_up(workers);
    } else {
        drop(workers);
    }
    // Before the job is run: the worker that this wakes must not wait until the job ends.
    Shared::carry_out(pool, *wakeups);
    run_as_job(pool, || job.run_in(&pool.hooks, &pool.reporter))
}

/// Releases the lock, and frees the memory that the queue does not need any more.
#[cold]
#[inline(never)]
fn free_used_up(mut workers: MutexGuard<'_, LockedWorkers>) {
    let used_up = workers.machine.store().take_used_up();
    drop(workers);
    drop(used_up);
}

/// What is left to do for a worker that will not look at the queues again. `exit` is `None` if its stop hooks come
/// first; `thread` is `None` if it has no thread.
pub(super) fn finish_exit(
    pool: &Arc<Shared>,
    worker: &WorkerState,
    wakeups: Wakeups,
    exit: Option<Exit>,
    entered: EnterPool,
    thread: Option<&ThreadExit>,
) {
    Shared::carry_out(pool, wakeups);
    let exit = exit.unwrap_or_else(|| {
        pool.hooks.run_stop_hooks(&Worker::new(&pool.name, worker.id), &pool.reporter);
        worker.last_transition(pool, &mut pool.workers.lock())
    });
    drop(entered);
    if let Some(thread) = thread {
        thread.exited(worker.id, exit.stopped);
    }
    Shared::carry_out(pool, exit.wakeups);
    if thread.is_none() {
        pool.drained_if(exit.stopped);
    }
    notify_rest_waiters(exit.at_rest);
}
