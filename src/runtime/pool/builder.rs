//! A pool before it is made: its name and sizes, its threads' stacks, its sink for failures.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::super::label::JobLabel;
use super::super::report::{Report, Reporter};
use super::super::sync::Arc;
use super::hooks::{Hooks, Worker};
use super::memory::Stepper;
use super::shared::{Shared, Terms};
use super::{Owner, ThreadPool, sizes};
use crate::error::SizeError;

/// Describes a pool before it is made. By default 5 to 20 threads named `pool-<n>`, with the platform's stack size.
#[derive(Debug, Clone)]
#[must_use]
pub struct PoolBuilder {
    name: Option<String>,
    min: usize,
    max: usize,
    stack_size: Option<usize>,
    reporter: Option<Reporter>,
    hooks: Hooks,
    keep_alive: Option<Duration>,
    bound: Option<NonZeroUsize>,
    compensation: usize,
}

impl Default for PoolBuilder {
    fn default() -> Self {
        Self {
            name: None,
            min: 5,
            max: 20,
            stack_size: None,
            reporter: None,
            hooks: Hooks::default(),
            keep_alive: Some(Duration::from_secs(10)),
            bound: None,
            compensation: 16,
        }
    }
}

impl PoolBuilder {
    /// The name that the pool's threads share. A NUL byte, which no thread's name can have, is left out.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().replace('\0', ""));
        self
    }

    /// At least `min`, at most `max` threads.
    pub fn size(mut self, min: usize, max: usize) -> Self {
        (self.min, self.max) = (min, max);
        self
    }

    /// The stack size of each thread, in bytes; the platform may round it up.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How long a thread above the minimum goes without a job before it ends, so that after any burst as many are left as the minimum says. By default ten
    /// seconds. Zero: it ends as soon as it finds no job. `None`: it stays.
    ///
    /// A thread whose time has passed looks once more before it ends. Waking for nothing does not prolong the time.
    pub fn keep_alive(mut self, time: Option<Duration>) -> Self {
        self.keep_alive = time;
        self
    }

    /// The most accepted jobs that may wait for a thread at a time. By default as many as there is memory for.
    ///
    /// When as many wait, [`call_in_thread`](ThreadPool::call_in_thread) hands its job back
    /// ([`QueueFull`](crate::error::Rejection::QueueFull)), and [`call_in_thread_waiting`](ThreadPool::call_in_thread_waiting) waits for a place. The bound is exact. A
    /// queue that has been full costs a submitter both of the pool's locks in place of one.
    pub fn queue_bound(mut self, jobs: NonZeroUsize) -> Self {
        self.bound = Some(jobs);
        self
    }

    /// How many threads there may be beyond the maximum, one in place of each that is [blocked](crate::threads::blocked). By default 16; zero for none.
    pub fn compensation(mut self, threads: usize) -> Self {
        self.compensation = threads;
        self
    }

    /// Where failures are told that nobody else can handle. Called on the worker that met it, never under a lock.
    pub fn on_report<F>(mut self, sink: F) -> Self
    where
        F: Fn(&Report<'_>) + Send + Sync + 'static,
    {
        self.reporter = Some(Reporter::new(sink));
        self
    }

    /// Runs `hook` on each thread of the pool when it begins, before its first job: for thread-locals, priorities, a runtime to attach to.
    ///
    /// Several run in the order in which they were added. No lock is held meanwhile: a hook may use the pool, and one that blocks delays no job while another
    /// worker is idle or may be added. Should it panic, that is reported ([`Incident::Hook`](crate::report::Incident::Hook)), and the thread goes on.
    ///
    /// ```
    /// use selvedge::ThreadPool;
    ///
    /// let pool = ThreadPool::builder()
    ///     .on_worker_start(|worker| println!("{worker} begins"))
    ///     .on_worker_stop(|worker| println!("{worker} ends"))
    ///     .build()?;
    /// # Ok::<(), selvedge::error::SizeError>(())
    /// ```
    pub fn on_worker_start<F>(mut self, hook: F) -> Self
    where
        F: Fn(&Worker<'_>) + Send + Sync + 'static,
    {
        self.hooks.add_start(hook);
        self
    }

    /// Runs `hook` on each thread of the pool when it ends: after its last job, and before it counts as gone, so
    /// [`stop`](crate::ThreadPool::stop) waits for it and no thread is started in its place sooner.
    ///
    /// Several run in reverse of the order in which they were added, each after those that were added later. The rest is as for
    /// [`on_worker_start`](Self::on_worker_start).
    pub fn on_worker_stop<F>(mut self, hook: F) -> Self
    where
        F: Fn(&Worker<'_>) + Send + Sync + 'static,
    {
        self.hooks.add_stop(hook);
        self
    }

    /// Calls `enter` before each job, on its worker, and drops what that returns after the job and all that the job captured is gone.
    ///
    /// Several nest, with the [contexts](Self::context) among them: what was added first is entered first and left last. A hook is not handed the job, so it
    /// cannot lose it: should `enter` or the guard's drop panic, that is reported, and the job runs, once. The guard stays on the
    /// worker's stack: it need not be `Send`, and costs no allocation. (But the job is boxed then.)
    ///
    /// ```
    /// use selvedge::ThreadPool;
    /// use std::time::{Duration, Instant};
    ///
    /// struct Slow(String, Instant);
    ///
    /// impl Drop for Slow {
    ///     fn drop(&mut self) {
    ///         if self.1.elapsed() > Duration::from_secs(1) {
    ///             eprintln!("a slow job: {}", self.0);
    ///         }
    ///     }
    /// }
    ///
    /// let pool = ThreadPool::builder().around_jobs(|job| Slow(job.to_string(), Instant::now())).build()?;
    /// # Ok::<(), selvedge::error::SizeError>(())
    /// ```
    pub fn around_jobs<F, G>(mut self, enter: F) -> Self
    where
        F: Fn(&JobLabel) -> G + Send + Sync + 'static,
    {
        self.hooks.add_around(enter);
        self
    }

    /// Lets a context travel with each job: `capture` is called where and when the job is submitted, `enter` on the worker with what it returned, and what
    /// `enter` returns is dropped when the job and all that it captured is gone, before the worker takes another.
    ///
    /// For what hangs on a thread and has to follow the work: a tracing span, a request's id, a locale. Several nest, with the hooks
    /// [around jobs](Self::around_jobs) among them: what was added first is entered first and left last. A job that is refused or cancelled is told so,
    /// and dropped, within its contexts, too, on whatever thread that happens; one that is handed back has them dropped. Panics are reported, and the job runs all the same: without the context, if it is
    /// `capture` that panicked.
    ///
    /// Cost: three small allocations for a job with one context, one more for each further, and the job's box.
    ///
    /// ```
    /// use selvedge::ThreadPool;
    /// use std::cell::Cell;
    ///
    /// thread_local! {
    ///     static REQUEST: Cell<u64> = Cell::new(0);
    /// }
    ///
    /// /// Restores what was there before.
    /// struct Within(u64);
    ///
    /// impl Drop for Within {
    ///     fn drop(&mut self) {
    ///         REQUEST.set(self.0);
    ///     }
    /// }
    ///
    /// let pool = ThreadPool::builder()
    ///     .size(1, 1)
    ///     .context(|| REQUEST.get(), |request| Within(REQUEST.replace(request)))
    ///     .build()?;
    /// pool.start()?;
    /// REQUEST.set(42);
    /// pool.call_in_thread(|| assert_eq!(REQUEST.get(), 42, "as where it was submitted"))?;
    /// pool.stop()?;
    /// assert_eq!(pool.stats().panicked, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn context<C, G, S, E>(mut self, capture: S, enter: E) -> Self
    where
        C: Send + 'static,
        S: Fn() -> C + Send + Sync + 'static,
        E: Fn(C) -> G + Send + Sync + 'static,
    {
        self.hooks.add_context(capture, enter);
        self
    }

    /// Takes the times of each job, how long it waited and how long it ran, for [`ThreadPool::times`](crate::ThreadPool::times).
    ///
    /// Off by default, because it costs each job three looks at the clock and two small allocations: 0.2 to 0.6 µs, as measured on two cores, the more the busier
    /// they were.
    pub fn take_times(mut self) -> Self {
        self.hooks.timed = true;
        self
    }

    /// The sink and the name that the pool has unless it was given its own.
    pub(crate) fn or(mut self, name: &str, reporter: &Reporter) -> Self {
        self.name.get_or_insert_with(|| name.replace('\0', ""));
        self.reporter.get_or_insert_with(|| reporter.clone());
        self
    }

    pub(crate) fn name_or_default(&self) -> &str {
        self.name.as_deref().unwrap_or("pool")
    }

    /// The pool, not started.
    ///
    /// # Errors
    /// The minimum is above the maximum.
    pub fn build(self) -> Result<ThreadPool, SizeError> {
        let shared = self.shared(false)?;
        Ok(ThreadPool { owner: Arc::new(Owner { shared }) })
    }

    /// The same pool without threads, and the hand that steps its workers: for tests and simulations, in which whoever steps decides what happens when.
    ///
    /// All else is as ever, with two exceptions. Nothing waits on its thread, which might be the one that steps: [`stop`](ThreadPool::stop) asks the pool to stop and
    /// returns, [`stop_within`](ThreadPool::stop_within) and [`call_in_thread_waiting`](ThreadPool::call_in_thread_waiting) find their time over at once. And the
    /// keep-alive passes when it is told to.
    ///
    /// # Errors
    /// The minimum is above the maximum.
    pub fn memory(self) -> Result<(ThreadPool, Stepper), SizeError> {
        let shared = self.shared(true)?;
        let stepper = Stepper::new(Arc::clone(&shared));
        Ok((ThreadPool { owner: Arc::new(Owner { shared }) }, stepper))
    }

    fn shared(self, in_memory: bool) -> Result<Arc<Shared>, SizeError> {
        Ok(Arc::new(Shared::new(Terms {
            name: self.name_or_default().to_owned(),
            stack_size: self.stack_size,
            reporter: self.reporter.unwrap_or_default(),
            hooks: self.hooks,
            target: sizes(self.min, self.max)?,
            compensation: self.compensation,
            keep_alive: self.keep_alive,
            bound: self.bound.map_or(usize::MAX, NonZeroUsize::get),
            in_memory,
        })))
    }
}
