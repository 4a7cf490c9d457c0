//! Describes a pool before it is made, and makes it.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::super::job_label::JobLabel;
use super::super::report::{Report, Reporter};
use super::super::sync::Arc;
use super::control::checked_sizes;
use super::hooks::{Hooks, Worker};
use super::shared::{Config, Shared, WorkerHost};
use super::stepper::{SteppedWorkers, Stepper};
use super::thread_pool::{Owner, ThreadPool};
use super::worker::run_worker;
use crate::error::SizeError;
use crate::machine::pool::Compensation;

const DEFAULT_COMPENSATION: usize = 16;

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
    compensation: Option<usize>,
    /// Threads are joined. Not in most models.
    joins: bool,
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
            compensation: None,
            joins: true,
        }
    }
}

impl ThreadPool {
    /// A pool of at least `min` and at most `max` threads, not started.
    ///
    /// # Errors
    /// `min` is above `max`. (A maximum of zero makes a paused pool: its jobs wait until it is resized.)
    pub fn new(min: usize, max: usize) -> Result<Self, SizeError> {
        Self::builder().size(min, max).build()
    }

    /// Describes a pool: see [`PoolBuilder`].
    #[must_use]
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }
}

impl PoolBuilder {
    /// The pool's name, from which its threads' names are made. A NUL byte, which no thread's name can have, is left
    /// out.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().replace('\0', ""));
        self
    }

    /// At least `min`, at most `max` threads. For jobs that compute and do not block, the number of processors is a
    /// good maximum: [`std::thread::available_parallelism`].
    pub fn size(mut self, min: usize, max: usize) -> Self {
        (self.min, self.max) = (min, max);
        self
    }

    /// The stack size of each thread, in bytes; the platform may round it up.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How long a thread above the minimum stays without a job before it ends, so that after a burst the pool returns
    /// to its minimum. By default ten seconds. Zero: it ends as soon as it finds no job. `None`: it stays.
    ///
    /// A thread whose time has passed looks for a job once more before it ends. A wake without a job does not prolong
    /// the time.
    pub fn keep_alive(mut self, time: Option<Duration>) -> Self {
        self.keep_alive = time;
        self
    }

    /// The most accepted jobs that may wait for a thread at a time. By default unlimited.
    ///
    /// When that many wait, [`call_in_thread`](ThreadPool::call_in_thread) hands its job back
    /// ([`QueueFull`](crate::error::Rejection::QueueFull)), and a job that [says so](crate::Job::when_full) waits for a
    /// slot. The bound is exact. A queue that seems full costs a submitter both of the pool's locks instead of one.
    pub fn queue_bound(mut self, jobs: NonZeroUsize) -> Self {
        self.bound = Some(jobs);
        self
    }

    /// How many threads there may be beyond the maximum, one in place of each that is
    /// [blocked](crate::threads::blocked). By default 16; but none while the maximum is one, because such a pool is
    /// there to run one job at a time. (A reactor's own pool has 16 even then, because its jobs ask the loop, and the
    /// loop may wait for the pool.)
    ///
    /// While a job is blocked, another runs in its place. When it goes on, both run, so for a while more jobs may run
    /// than the maximum, by as many as ran in place of others. Until as many have ended, no thread takes another job.
    pub fn compensation(mut self, threads: usize) -> Self {
        self.compensation = Some(threads);
        self
    }

    /// Has the default compensation also while the maximum is one, unless the program has chosen one.
    pub(crate) fn compensated(mut self) -> Self {
        self.compensation.get_or_insert(DEFAULT_COMPENSATION);
        self
    }

    /// Called with each failure that nobody else can handle, on the thread where it happens, never under a lock and
    /// never inside itself: see [`ReactorBuilder::on_report`](crate::reactor::ReactorBuilder::on_report).
    pub fn on_report<F>(mut self, sink: F) -> Self
    where
        F: Fn(&Report<'_>) + Send + Sync + 'static,
    {
        self.reporter = Some(Reporter::new(sink));
        self
    }

    /// Runs `hook` on each thread of the pool when it starts, before its first job: to set up thread-locals or a
    /// priority, or to attach to a runtime.
    ///
    /// Several hooks run in the order in which they were added. No lock is held meanwhile: a hook may use the pool, and
    /// one that blocks delays no job while another worker is idle or may be added. If it panics, that is reported
    /// ([`Incident::Hook`](crate::report::Incident::Hook)), and the thread goes on.
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

    /// Runs `hook` on each thread of the pool when it ends: after its last job, and while the thread still counts as
    /// live, so [`stop`](crate::ThreadPool::stop) waits for it and no thread is started in its place before.
    ///
    /// What waits for others when a thread ends belongs here rather than into a destructor of a thread-local. Such
    /// destructors run after the hooks, when the thread no longer counts as live; they may block and use the pool too,
    /// but some systems run them under a lock of their own, so that no thread can start meanwhile.
    ///
    /// Several hooks run in reverse of the order in which they were added. The rest is as for
    /// [`on_worker_start`](Self::on_worker_start).
    pub fn on_worker_stop<F>(mut self, hook: F) -> Self
    where
        F: Fn(&Worker<'_>) + Send + Sync + 'static,
    {
        self.hooks.add_stop(hook);
        self
    }

    /// Calls `enter` before each job, on its worker, and drops what that returns, the guard, after the job and all its
    /// captures are gone.
    ///
    /// Several hooks nest, together with the [contexts](Self::context): what was added first is entered first and left
    /// last. A hook is not handed the job, so it cannot lose it: if `enter` or the guard's drop panics, that is
    /// reported, and the job runs once all the same. The guard stays on the worker's stack: it need not be `Send`, and
    /// is not allocated; but each job of such a pool is boxed.
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

    /// Lets a context travel with each job. `capture` is called where and when the job is submitted; `enter` is called
    /// with its result on the worker, before the job; and what `enter` returns is dropped after the job and all its
    /// captures, before the worker takes another job.
    ///
    /// For thread-locals that have to follow the work: a tracing span, the id of a request, a locale. Several contexts
    /// nest, together with the hooks [around jobs](Self::around_jobs): what was added first is entered first and left
    /// last. A job that never runs is told so, and dropped, within its contexts as well, on whatever thread that
    /// happens. For a job that is handed back they are dropped. Panics are reported, and the job runs all the same:
    /// without the context if `capture` panicked.
    ///
    /// Calls that are posted to a reactor and timers have no contexts: they are closures of the program, which capture
    /// what they need where they are made (`let request = REQUEST.get();`). The results of a job reach callbacks, which
    /// do the same.
    ///
    /// Cost: three small allocations for a job with one context, one more for each further context, and the job's box.
    ///
    /// ```
    /// use selvedge::ThreadPool;
    /// use std::cell::Cell;
    ///
    /// thread_local! {
    ///     static REQUEST: Cell<u64> = Cell::new(0);
    /// }
    ///
    /// /// Restores the previous value.
    /// struct Restore(u64);
    ///
    /// impl Drop for Restore {
    ///     fn drop(&mut self) {
    ///         REQUEST.set(self.0);
    ///     }
    /// }
    ///
    /// let pool = ThreadPool::builder()
    ///     .size(1, 1)
    ///     .context(|| REQUEST.get(), |request| Restore(REQUEST.replace(request)))
    ///     .build()?;
    /// pool.start()?;
    /// REQUEST.set(42);
    /// pool.call_in_thread(|| assert_eq!(REQUEST.get(), 42, "the value where the job was submitted"))?;
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

    /// Measures how long each job waits and runs, for [`ThreadPool::times`](crate::ThreadPool::times).
    ///
    /// Off by default, because it costs each job three readings of the clock and two small allocations: 0.2 to 0.6 µs,
    /// measured on two cores, more under load.
    pub fn take_times(mut self) -> Self {
        self.hooks.timed = true;
        self
    }

    /// Sets the name and the sink, unless they were set before.
    pub(crate) fn or(mut self, name: &str, reporter: &Reporter) -> Self {
        self.name.get_or_insert_with(|| name.replace('\0', ""));
        self.reporter.get_or_insert_with(|| reporter.clone());
        self
    }

    pub(crate) fn name_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(default)
    }

    /// The pool, not started.
    ///
    /// # Errors
    /// The minimum is above the maximum.
    pub fn build(self) -> Result<ThreadPool, SizeError> {
        let shared = self.shared(WorkerHost::Threads(run_worker))?;
        Ok(ThreadPool { owner: Arc::new(Owner { shared }) })
    }

    /// No thread is joined, and a stop does not wait for destructors of thread-locals: for models of anything else.
    /// They have no thread-locals, and those with several threads would be three times as large.
    #[doc(hidden)]
    pub fn without_joins(mut self) -> Self {
        self.joins = false;
        self
    }

    /// A pool without threads, and the [`Stepper`] that runs its workers one step at a time: for tests and simulations
    /// that decide what happens when.
    ///
    /// Everything else is as usual, with two exceptions. No thread is blocked, because it might be the one that steps:
    /// [`stop`](ThreadPool::stop) tells the pool to stop and returns; [`stop_within`](ThreadPool::stop_within) and a
    /// job's [wait for a slot](crate::Job::when_full) time out at once. And the keep-alive does not pass by the clock.
    ///
    /// # Errors
    /// The minimum is above the maximum.
    pub fn build_stepped(self) -> Result<(ThreadPool, Stepper), SizeError> {
        let shared = self.shared(WorkerHost::Stepper(SteppedWorkers::new()))?;
        let stepper = Stepper::new(Arc::clone(&shared));
        Ok((ThreadPool { owner: Arc::new(Owner { shared }) }, stepper))
    }

    fn shared(self, host: WorkerHost) -> Result<Arc<Shared>, SizeError> {
        Ok(Arc::new(Shared::new(Config {
            name: self.name_or("pool").to_owned(),
            stack_size: self.stack_size,
            reporter: self.reporter.unwrap_or_default(),
            hooks: self.hooks,
            target: checked_sizes(self.min, self.max)?,
            compensation: Compensation {
                most: self.compensation.unwrap_or(DEFAULT_COMPENSATION),
                for_one: self.compensation.is_some(),
            },
            keep_alive: self.keep_alive,
            joins: self.joins && host.has_threads(),
            bound: self.bound.map_or(usize::MAX, NonZeroUsize::get),
            host,
        })))
    }
}
