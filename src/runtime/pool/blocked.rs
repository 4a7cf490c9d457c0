//! Jobs that declare that they wait: meanwhile the pool may run one more worker in place of theirs.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use super::super::sync::{Arc, thread_local, unique_number};
use super::context::current_pool;
use super::shared::Shared;
use crate::machine::pool as machine;

thread_local! {
    static JOB_STATE: Cell<JobState> = Cell::new(JobState::NO_JOB);
}

/// What this thread is doing for its pool.
#[derive(Clone, Copy)]
struct JobState {
    /// A pool runs a job on this thread.
    runs_job: bool,
    /// How many nested [`Blocked`] regions the job is in.
    depth: u32,
    /// Tells the outermost of them, with all in it, from those of other jobs.
    region: usize,
}

/// No region has this number.
const NO_REGION: usize = usize::MAX;

impl JobState {
    const NO_JOB: Self = Self { runs_job: false, depth: 0, region: NO_REGION };
}

/// Replaces this thread's state and returns the old one. A thread whose thread-locals are gone runs no job.
fn update(to: impl FnOnce(JobState) -> JobState) -> JobState {
    JOB_STATE.try_with(|state| state.replace(to(state.get()))).unwrap_or(JobState::NO_JOB)
}

/// Runs `f`. Meanwhile this thread, if a pool runs a job on it, counts as blocked, and the pool may run one more
/// thread.
///
/// For a job that is about to wait for another job of the same pool: without this, as many such jobs as the pool has
/// threads would wait for ever. [`blocking_call_from_thread`](super::super::threads::blocking_call_from_thread) does it
/// by itself. How many threads there may be beyond the maximum is
/// [`PoolBuilder::compensation`](crate::pool::PoolBuilder::compensation): by default none where the maximum is one.
/// When `f` returns and there is a thread too many, an idle one ends, or the next that finishes its job.
///
/// On a thread that runs no job this only calls `f`. Regions may be nested; only the outermost counts. Cost: two short
/// locks to enter, one to leave.
///
/// ```
/// use selvedge::{ThreadPool, threads};
/// use std::sync::mpsc;
///
/// let pool = ThreadPool::builder().size(0, 1).compensation(1).build()?;
/// pool.start()?;
/// let (sender, receiver) = mpsc::channel();
/// pool.call_in_thread(move || {
///     // The pool's only thread waits for the job behind it.
///     threads::blocked(|| receiver.recv().unwrap_or_default());
/// })?;
/// pool.call_in_thread(move || sender.send(()).unwrap_or_default())?;
/// pool.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn blocked<R>(f: impl FnOnce() -> R) -> R {
    let _blocked = Blocked::enter();
    f()
}

/// The region of [`blocked()`] as a guard: from [`enter`](Self::enter) until it is dropped.
#[must_use]
pub struct Blocked {
    region: usize,
    /// Not `Send`: the region belongs to the job that entered it, and so to its thread.
    not_send: PhantomData<*const ()>,
}

impl Blocked {
    /// From now on this pool thread counts as blocked. On other threads this does nothing.
    pub fn enter() -> Self {
        let mut region = NO_REGION;
        let before = update(|state| {
            if !state.runs_job {
                return state;
            }
            region = if state.depth == 0 { unique_number() } else { state.region };
            JobState { depth: state.depth + 1, region, ..state }
        });
        if before.runs_job
            && before.depth == 0
            && let Some(pool) = current_pool()
        {
            Shared::block(&pool);
        }
        Self { region, not_send: PhantomData }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // The end of the job has ended the region of a guard that outlives it. It ends no region of a later job.
        let is_own = |state: JobState| state.region == self.region;
        let before = update(|state| JobState { depth: state.depth.saturating_sub(u32::from(is_own(state))), ..state });
        if before.depth == 1
            && is_own(before)
            && let Some(pool) = current_pool()
        {
            Shared::unblock(&pool);
        }
    }
}

impl fmt::Debug for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocked")
    }
}

/// Runs a job of this pool on this thread, and ends the regions that it leaves open.
pub(super) fn run_as_job<R>(pool: &Arc<Shared>, job: impl FnOnce() -> R) -> R {
    let outer = update(|_| JobState { runs_job: true, ..JobState::NO_JOB });
    // Does not unwind: a job's panic is contained further in.
    let result = job();
    let left_open = update(|_| outer);
    if left_open.depth > 0 {
        Shared::unblock(pool);
    }
    result
}

impl Shared {
    fn block(this: &Arc<Self>) {
        let wakeups = {
            let mut workers = this.workers.lock();
            let mut submit_queue = this.submit_queue.lock();
            machine::block(&mut workers.machine, &mut submit_queue)
        };
        Self::carry_out(this, wakeups);
    }

    fn unblock(this: &Arc<Self>) {
        let wakeups = this.workers.lock().machine.unblock();
        Self::carry_out(this, wakeups);
    }
}
