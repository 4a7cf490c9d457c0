//! A job that waits says so, and one more worker may stand in for its own meanwhile.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use super::super::sync::{Arc, thread_local};
use super::shared::Shared;
use super::worker::employer;

thread_local! {
    static DUTY: Cell<Duty> = Cell::new(Duty { runs_a_job: false, depth: 0 });
}

/// What this thread is in the midst of.
#[derive(Clone, Copy)]
struct Duty {
    runs_a_job: bool,
    /// Regions that its job is in, one inside the other, in which it waits.
    depth: usize,
}

/// Changes what this thread is in the midst of, and returns what it was. Where thread-locals cannot be had any more, it runs no job.
fn change(to: impl FnOnce(Duty) -> Duty) -> Duty {
    DUTY.try_with(|duty| duty.replace(to(duty.get()))).unwrap_or(Duty { runs_a_job: false, depth: 0 })
}

/// Runs `f`, during which the pool thread that this is counts as blocked: the pool may run one more thread in its place.
///
/// For a job that is about to wait for something that another job of the same pool has to do: without a word of it, as many such jobs
/// as the pool has threads wait for ever. [`blocking_call_from_thread`](super::super::threads::blocking_call_from_thread) says so by itself.
/// How many threads there may be beyond the maximum is [`PoolBuilder::compensation`](crate::pool::PoolBuilder::compensation). When `f` returns and there is a thread too many,
/// an idle one ends, or the next that has finished its job.
///
/// On a thread that runs no job this is `f()` and no more. Regions may stand inside each other; the outermost counts. Cost: two short locks on
/// the way in, one on the way out.
///
/// ```
/// use selvedge::{ThreadPool, threads};
/// use std::sync::mpsc;
///
/// let pool = ThreadPool::new(0, 1)?;
/// pool.start()?;
/// let (tell, told) = mpsc::channel();
/// pool.call_in_thread(move || {
///     // The pool's only thread waits for the job behind it.
///     threads::blocked(|| told.recv().unwrap_or_default());
/// })?;
/// pool.call_in_thread(move || tell.send(()).unwrap_or_default())?;
/// pool.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn blocked<R>(f: impl FnOnce() -> R) -> R {
    let _blocked = Blocked::enter();
    f()
}

/// The region of [`blocked()`], as a guard: from [`enter`](Self::enter) until it is dropped.
#[must_use]
pub struct Blocked {
    /// It belongs to the job that entered, and so to its thread.
    stays: PhantomData<*const ()>,
}

impl Blocked {
    /// From now on this pool thread counts as blocked. Elsewhere this does nothing.
    pub fn enter() -> Self {
        let before = change(|duty| Duty { depth: duty.depth + usize::from(duty.runs_a_job), ..duty });
        if before.runs_a_job
            && before.depth == 0
            && let Some(pool) = employer()
        {
            Shared::block(&pool);
        }
        Self { stays: PhantomData }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // One that was kept beyond its job finds no region: the end of the job has ended it.
        let before = change(|duty| Duty { depth: duty.depth.saturating_sub(1), ..duty });
        if before.depth == 1
            && let Some(pool) = employer()
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

/// Runs a job of this pool on this thread. Whatever regions it leaves open end with it.
pub(super) fn on_duty<R>(pool: &Arc<Shared>, job: impl FnOnce() -> R) -> R {
    let outer = change(|_| Duty { runs_a_job: true, depth: 0 });
    // A job's panic is contained further in, so nothing passes by what follows.
    let result = job();
    let left = change(|_| outer);
    if left.depth > 0 {
        Shared::unblock(pool);
    }
    result
}
