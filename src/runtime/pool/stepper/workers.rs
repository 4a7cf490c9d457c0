//! The workers of a pool without threads, each where its last step left it.

use std::mem;

use super::super::super::sync::Mutex;
use super::super::job::{BoxedJob, JobResult};
use super::super::worker_state::WorkerState;
use crate::machine::pool::{WorkerId, WorkerSlot};

/// What a worker of a pool without threads is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// It was started. Its next step is its first look at the queues.
    Starting,
    /// It has taken a job, which its next step runs. It is busy.
    Holding,
    /// It is running its job: this is seen only by code that the job itself calls.
    Running,
    /// Its job has returned, which its next step records. Until then it is busy.
    Finished,
    /// It waits for a wake, and cannot be stepped.
    Asleep,
    /// It was woken. Its next step is a look at the queues.
    Woken,
}

/// A worker's next step, with what it needs.
pub(super) enum NextStep {
    Start,
    Run(BoxedJob),
    Finish(JobResult),
    Wake,
}

/// The workers by age, oldest first. This lock is taken last of all, and nothing is called under it.
pub(in super::super) struct SteppedWorkers(Mutex<Vec<SteppedWorker>>);

struct SteppedWorker {
    id: WorkerId,
    stage: Stage,
    /// `None` while the worker is checked out, in a step.
    state: Option<(WorkerState, NextStep)>,
}

impl SteppedWorker {
    fn is_ready(&self) -> bool {
        self.stage != Stage::Asleep && self.state.is_some()
    }
}

impl SteppedWorkers {
    pub(in super::super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(in super::super) fn start(&self, id: WorkerId) {
        let state = Some((WorkerState::new(id), NextStep::Start));
        let mut workers = self.0.lock();
        workers.push(SteppedWorker { id, stage: Stage::Starting, state });
        // Two threads that start workers may get here in either order.
        workers.sort_by_key(|worker| worker.id);
    }

    /// Wakes the worker in this slot, if it is asleep.
    pub(in super::super) fn wake(&self, slot: WorkerSlot) {
        let mut workers = self.0.lock();
        let is_meant = |worker: &&mut SteppedWorker| {
            let in_slot = worker.state.as_ref().is_some_and(|(state, _)| state.slot == slot);
            worker.stage == Stage::Asleep && in_slot
        };
        if let Some(worker) = workers.iter_mut().find(is_meant) {
            worker.stage = Stage::Woken;
        }
    }

    /// Takes out the oldest worker that can be stepped, or the one asked for, for one step.
    pub(super) fn checkout(&self, id: Option<WorkerId>) -> Option<(WorkerState, NextStep)> {
        let mut workers = self.0.lock();
        let mut ready = workers.iter_mut().filter(|worker| worker.is_ready());
        let worker = ready.find(|worker| id.is_none_or(|id| worker.id == id))?;
        let state = worker.state.take();
        if matches!(state, Some((_, NextStep::Run(_)))) {
            worker.stage = Stage::Running;
        }
        state
    }

    /// Puts it back after its step.
    pub(super) fn checkin(&self, state: WorkerState, stage: Stage, next: NextStep) {
        let mut workers = self.0.lock();
        if let Some(worker) = workers.iter_mut().find(|worker| worker.id == state.id) {
            worker.stage = stage;
            worker.state = Some((state, next));
        }
    }

    pub(super) fn remove(&self, id: WorkerId) {
        self.0.lock().retain(|worker| worker.id != id);
    }

    /// The jobs that workers hold, which nobody steps any more.
    pub(in super::super) fn take_jobs(&self) -> Vec<BoxedJob> {
        let workers = mem::take(&mut *self.0.lock());
        let held = |worker: SteppedWorker| match worker.state {
            Some((_, NextStep::Run(job))) => Some(job),
            _ => None,
        };
        workers.into_iter().filter_map(held).collect()
    }

    /// The workers that can do a step.
    pub(super) fn ready(&self) -> Vec<WorkerId> {
        let workers = self.0.lock();
        workers.iter().filter(|worker| worker.is_ready()).map(|worker| worker.id).collect()
    }

    pub(super) fn stages(&self) -> Vec<(WorkerId, Stage)> {
        self.0.lock().iter().map(|worker| (worker.id, worker.stage)).collect()
    }
}
