//! The data of a pool that its handles and its workers share. The operations on it are in other files: see `mod.rs`.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use super::super::cache_padded::CachePadded;
use super::super::deadline::{BY_EPOCH_ONLY, Epoch};
use super::super::report::Reporter;
use super::super::sync::{Arc, BacklogHint, Condvar, Hint, Mutex, MutexGuard, Spin};
use super::activities::Activities;
use super::hooks::Hooks;
use super::job::JobResult;
use super::job_queue::{JobQueue, drain};
use super::slot_watchers::Watchers;
use super::stats::JobHistograms;
use super::stepper::SteppedWorkers;
use super::thread_ends::{RestNote, ThreadEnds, ThreadExit};
use super::wait_places::WaitPlaces;
use super::wake_ahead::BlockingEstimate;
use super::worker_state::WorkerState;
use crate::error::NeverRan;
use crate::machine::pool::{self as machine, Compensation, Policy, Sizes, SubmitQueue, Wakeups, WorkerId, Workers};

/// A pool. Locks are taken in this order: `workers`, `submit_queue`, and last the one of stepped workers. A submitter
/// that finds a free slot holds one lock at a time: `submit_queue`, and after it `workers` if a worker has to be woken
/// or started. The lock of `thread_ends` is held alone.
///
/// The operations are functions of `this: &Arc<Shared>` where they may have to start a thread, which needs an `Arc` of
/// its own; they are not methods, because loom's `Arc` cannot be a method's receiver.
pub(crate) struct Shared {
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) reporter: Reporter,
    pub(super) hooks: Hooks,
    /// How long a worker above the minimum stays without a job; `None` for ever.
    pub(super) keep_alive: Option<Duration>,
    pub(super) workers: CachePadded<Mutex<LockedWorkers>>,
    /// Idle workers wait here, each at its own place, with `workers`.
    pub(super) places: WaitPlaces,
    /// Callers that wait for a slot in a full queue wait here, with `workers`.
    pub(super) not_full: Condvar,
    pub(super) submit_queue: CachePadded<Mutex<SubmitQueue<Queue>>>,
    /// A hint: jobs are queued.
    pub(super) maybe_work: CachePadded<Hint>,
    /// A hint: from how many jobs in the submit queue on a submitter wakes a worker [ahead](super::wake_ahead).
    pub(super) wake_ahead_at: CachePadded<BacklogHint>,
    /// How long a worker spins before it sleeps.
    pub(super) spin: Spin,
    /// Joins its threads. Callers that wait for the pool to stop wait there.
    pub(super) ends: Arc<ThreadEnds>,
    pub(super) host: WorkerHost,
}

/// The pool's queue of jobs.
pub(super) type Queue = JobQueue<RunFn>;

/// Takes the first job of a lane, releases the workers' lock, carries out the wakeups, and runs the job.
#[derive(Clone, Copy)]
pub(super) struct RunFn(
    pub(super) fn(usize, &Wakeups, &Arc<Shared>, &WorkerState, MutexGuard<'_, LockedWorkers>) -> JobResult,
);

/// Who runs the workers.
pub(super) enum WorkerHost {
    /// A thread for each, which runs this function.
    Threads(fn(Arc<Shared>, WorkerId, &ThreadExit)),
    /// The program, by a stepper. No thread may be blocked then, because it might be the one that steps.
    Stepper(SteppedWorkers),
}

/// The workers' half of the machine, and what else its lock guards.
pub(super) struct LockedWorkers {
    pub(super) machine: Workers<Queue>,
    pub(super) rest_waiters: RestWaiters,
    /// How many jobs do nothing until they are woken. Less than none while one is woken as it begins to.
    pub(super) parked: isize,
    /// Those who wait for a slot without blocking a thread.
    pub(super) slot_watchers: Watchers<Tell>,
    /// Present if the pool takes times.
    pub(super) times: Option<JobHistograms>,
    pub(super) activities: Activities,
    /// How often a test has let all deadlines pass.
    pub(super) deadline_epoch: Epoch,
    pub(super) estimate: BlockingEstimate,
}

/// Those who wait until the pool is [at rest](super::at_rest), by asker.
pub(super) type RestWaiters = BTreeMap<usize, RestWaiter>;

pub(super) struct RestWaiter {
    /// How many workers wait for the asker.
    pub(super) wait_for_asker: usize,
    pub(super) notify: RestNote,
}

/// How a watcher is told of a slot. Not by a program's code.
pub(crate) type Tell = Box<dyn FnOnce(FreeSlot) + Send>;

/// What a watcher is told: there may be a free slot, or the pool has been stopped. Dropped unused, it tells the
/// [next](super::slot_watch).
pub(crate) struct FreeSlot(pub(super) Option<Arc<Shared>>);

/// What a worker owes after its last transition, once the locks are released.
pub(super) struct Exit {
    pub(super) wakeups: Wakeups,
    /// The pool has stopped with this: no job and no worker is left.
    pub(super) stopped: bool,
    pub(super) at_rest: Option<RestWaiters>,
}

/// How a pool is built: see [`PoolBuilder`](super::PoolBuilder).
pub(super) struct Config {
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) reporter: Reporter,
    pub(super) hooks: Hooks,
    pub(super) target: Sizes,
    pub(super) compensation: Compensation,
    pub(super) keep_alive: Option<Duration>,
    /// Threads are joined.
    pub(super) joins: bool,
    /// The most jobs that may wait.
    pub(super) bound: usize,
    pub(super) host: WorkerHost,
}

impl Shared {
    pub(super) fn new(config: Config) -> Self {
        let times = config.hooks.timed.then(JobHistograms::default);
        let has_threads = config.host.has_threads();
        let workers = LockedWorkers {
            machine: Workers::new(config.target, config.compensation),
            rest_waiters: RestWaiters::new(),
            parked: 0,
            slot_watchers: Watchers::default(),
            times,
            activities: Activities::default(),
            deadline_epoch: Epoch::default(),
            estimate: BlockingEstimate::default(),
        };
        Self {
            ends: Arc::new(ThreadEnds::new(&config.name, config.joins)),
            name: config.name,
            stack_size: config.stack_size,
            reporter: config.reporter,
            hooks: config.hooks,
            keep_alive: match config.keep_alive {
                None | Some(Duration::MAX) => None,
                Some(time) if has_threads => Some(time),
                Some(_) => Some(BY_EPOCH_ONLY),
            },
            workers: CachePadded(Mutex::new(workers)),
            places: WaitPlaces::new(),
            not_full: Condvar::new(),
            submit_queue: CachePadded(Mutex::new(SubmitQueue::new(config.bound))),
            maybe_work: CachePadded(Hint::default()),
            wake_ahead_at: CachePadded(BacklogHint::default()),
            spin: Spin::new(),
            host: config.host,
        }
    }

    /// Identifies this pool among those that exist now, or of which a thread exists.
    pub(super) fn address(&self) -> usize {
        self.ends.address()
    }
}

impl Drop for Shared {
    /// Jobs of a pool that nobody steps any more are refused: workers that have threads hold the pool until they have
    /// run theirs. Then what the hooks captured is dropped; its panics, too, go to the pool's sink, if it has one.
    fn drop(&mut self) {
        let _scope = self.reporter.enter_sink();
        if let WorkerHost::Stepper(stepped) = &self.host {
            let (mut workers, mut submit_queue) = (self.workers.lock(), self.submit_queue.lock());
            let queued = machine::stop(&mut workers.machine, &mut submit_queue, Policy::CancelQueued).cancelled;
            drop((submit_queue, workers));
            for job in stepped.take_jobs().into_iter().chain(drain(queued)) {
                job.refuse(NeverRan::CancelledByStop, &self.hooks, &self.reporter);
            }
        }
        drop(mem::take(&mut self.hooks));
    }
}

impl WorkerHost {
    /// Whether workers have threads, so that a thread may be blocked until they have done something.
    #[inline]
    pub(super) fn has_threads(&self) -> bool {
        matches!(self, Self::Threads(_))
    }
}
