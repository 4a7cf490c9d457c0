//! Hooks: user code that runs when a worker starts or stops, and around each job.

use std::fmt;
use std::mem;

use super::super::job_label::JobLabel;
use super::super::report::{Contained, Incident, JobReporter, Reporter, drop_contained};
use super::super::sync::StdArc;
use crate::exclusive::Exclusive;
use crate::machine::pool::WorkerId;

/// Identifies a worker to its start and stop hooks. It displays as `<pool>-<n>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Worker<'a> {
    /// The pool's full name. The thread's own name may be shorter.
    pub pool: &'a str,
    /// The worker's number, which no other worker of the pool has or ever had.
    pub number: usize,
}

impl<'a> Worker<'a> {
    pub(super) fn new(pool: &'a str, number: WorkerId) -> Self {
        Self { pool, number }
    }

    /// The thread's name. Where the system limits it, the pool's name is shortened, never the number, which tells
    /// threads apart.
    pub(super) fn thread_name(self) -> String {
        let number = format!("-{}", self.number);
        // A name with a zero byte could not be given to a thread.
        let pool = self.pool.replace('\0', "?");
        let mut room = MAX_THREAD_NAME.saturating_sub(number.len()).min(pool.len());
        while !pool.is_char_boundary(room) {
            room -= 1;
        }
        let (kept, _) = pool.split_at(room);
        format!("{kept}{number}")
    }
}

impl fmt::Display for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pool, self.number)
    }
}

/// How many bytes of a thread's name the operating system keeps.
const MAX_THREAD_NAME: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    15
} else if cfg!(target_vendor = "apple") {
    63
} else {
    usize::MAX
};

type WorkerHook = StdArc<dyn Fn(&Worker<'_>) + Send + Sync>;

/// All hooks of a pool, each list in the order in which they were added.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    starts: Vec<WorkerHook>,
    stops: Vec<WorkerHook>,
    around: Vec<Around>,
    /// How many of `around` are contexts.
    contexts: usize,
    /// The wait and run time of each job is measured.
    pub(super) timed: bool,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_worker_start", &self.starts.len())
            .field("on_worker_stop", &self.stops.len())
            .field("around_jobs", &self.around.len())
            .field("timed", &self.timed)
            .finish()
    }
}

impl Drop for Hooks {
    /// The last one drops what each hook captured.
    fn drop(&mut self) {
        let workers = mem::take(&mut self.starts).into_iter().chain(mem::take(&mut self.stops));
        workers.for_each(drop_contained);
        mem::take(&mut self.around).into_iter().for_each(drop_contained);
    }
}

/// What surrounds each job.
#[derive(Clone)]
enum Around {
    /// A hook, called on the worker with the job's label.
    Job(StdArc<dyn Enter>),
    /// A context, captured on the submitter's thread and restored on the worker's.
    Context(StdArc<dyn Capture>),
}

impl Hooks {
    pub(super) fn add_start(&mut self, hook: impl Fn(&Worker<'_>) + Send + Sync + 'static) {
        self.starts.push(StdArc::new(hook));
    }

    pub(super) fn add_stop(&mut self, hook: impl Fn(&Worker<'_>) + Send + Sync + 'static) {
        self.stops.push(StdArc::new(hook));
    }

    pub(super) fn add_around<G>(&mut self, enter: impl Fn(&JobLabel) -> G + Send + Sync + 'static) {
        self.around.push(Around::Job(StdArc::new(enter)));
    }

    pub(super) fn add_context<C: Send + 'static, G>(
        &mut self,
        capture: impl Fn() -> C + Send + Sync + 'static,
        enter: impl Fn(C) -> G + Send + Sync + 'static,
    ) {
        self.contexts += 1;
        self.around.push(Around::Context(StdArc::new(Context {
            capture: Contained::new(capture),
            enter: StdArc::new(enter),
        })));
    }

    pub(super) fn has_start_hooks(&self) -> bool {
        !self.starts.is_empty()
    }

    pub(super) fn has_stop_hooks(&self) -> bool {
        !self.stops.is_empty()
    }

    /// In the order in which they were added.
    pub(super) fn run_start_hooks(&self, worker: &Worker<'_>, reporter: &Reporter) {
        for hook in &self.starts {
            reporter.contain(Incident::Hook, || hook(worker));
        }
    }

    /// In reverse of the order in which they were added, so that what an early start hook set up for later ones
    /// outlives them.
    pub(super) fn run_stop_hooks(&self, worker: &Worker<'_>, reporter: &Reporter) {
        for hook in self.stops.iter().rev() {
            reporter.contain(Incident::Hook, || hook(worker));
        }
    }

    /// Whether something travels with each job: a captured context, or its time of submission.
    pub(super) fn adds_extras(&self) -> bool {
        self.timed || self.contexts > 0
    }

    /// Whether each job has to be boxed, because hooks surround it or something travels with it.
    pub(super) fn needs_boxed_jobs(&self) -> bool {
        self.timed || self.has_job_hooks()
    }

    /// Whether there are hooks around jobs, or contexts.
    pub(super) fn has_job_hooks(&self) -> bool {
        !self.around.is_empty()
    }

    /// Captures each context, on the submitter's thread. A job does without one whose capture panics.
    pub(super) fn capture(&self, reporter: &JobReporter<'_>) -> Box<[Option<Captured>]> {
        if self.contexts == 0 {
            return Box::default();
        }
        let contexts = self.around.iter().filter_map(|around| match around {
            Around::Job(_) => None,
            Around::Context(context) => Some(context),
        });
        // Of exactly this capacity, so that the box is the same allocation.
        let mut captured = Vec::with_capacity(self.contexts);
        captured.extend(contexts.map(|context| reporter.contain(Incident::Hook, || context.capture())));
        captured.into_boxed_slice()
    }

    /// Runs the body once, within all hooks: the one added first is entered first and left last. The body must not
    /// panic.
    pub(super) fn run_around(
        &self,
        captured: Box<[Option<Captured>]>,
        reporter: &JobReporter<'_>,
        body: &mut dyn FnMut(),
    ) {
        nest(&self.around, true, &mut captured.into_iter(), reporter, body);
    }

    /// Runs the body once, within the contexts only.
    pub(super) fn run_within_contexts(
        &self,
        captured: Box<[Option<Captured>]>,
        reporter: &JobReporter<'_>,
        body: &mut dyn FnMut(),
    ) {
        nest(&self.around, false, &mut captured.into_iter(), reporter, body);
    }
}

fn nest(
    hooks: &[Around],
    job_runs: bool,
    captured: &mut dyn Iterator<Item = Option<Captured>>,
    reporter: &JobReporter<'_>,
    body: &mut dyn FnMut(),
) {
    let Some((outer, inner)) = hooks.split_first() else { return body() };
    let own = match outer {
        Around::Job(_) => None,
        Around::Context(_) => captured.next().flatten(),
    };
    let mut rest = || nest(inner, job_runs, captured, reporter, body);
    match (outer, own) {
        (Around::Job(hook), _) if job_runs => hook.enter(reporter, &mut rest),
        (_, Some(captured)) => captured.0.into_inner().restore(reporter, &mut rest),
        _ => rest(),
    }
}

/// Enters a scope, runs the body, and leaves the scope. User code that panics in `enter` or in the guard's drop does
/// not keep the body from running once; it could, if it were handed the body to call.
fn scope<G>(reporter: &JobReporter<'_>, enter: impl FnOnce() -> G, body: &mut dyn FnMut()) {
    let guard = reporter.contain(Incident::Hook, enter);
    body();
    reporter.contain(Incident::Hook, || drop(guard));
}

/// A hook around each job: a function that returns a guard, of any type. The guard stays on the worker's stack.
trait Enter: Send + Sync {
    fn enter(&self, reporter: &JobReporter<'_>, body: &mut dyn FnMut());
}

impl<G, F: Fn(&JobLabel) -> G + Send + Sync> Enter for F {
    fn enter(&self, reporter: &JobReporter<'_>, body: &mut dyn FnMut()) {
        scope(reporter, || self(reporter.label), body);
    }
}

struct Context<S, E> {
    /// Contained, because both may panic when they are dropped, and the second panic would abort.
    capture: Contained<S>,
    /// Shared with each job that is queued.
    enter: StdArc<E>,
}

/// A [`Context`] of any type.
trait Capture: Send + Sync {
    fn capture(&self) -> Captured;
}

impl<C, G, S, E> Capture for Context<S, E>
where
    C: Send + 'static,
    S: Fn() -> C + Send + Sync,
    E: Fn(C) -> G + Send + Sync + 'static,
{
    fn capture(&self) -> Captured {
        Captured(Exclusive::new(Box::new(Restorable {
            value: self.capture.get()(),
            enter: StdArc::clone(&self.enter),
        })))
    }
}

/// What a context captured on the submitter's thread, with the function that restores it on the worker's.
pub(super) struct Captured(Exclusive<Box<dyn Restore>>);

struct Restorable<C, E> {
    value: C,
    enter: StdArc<E>,
}

/// A [`Restorable`] of any type.
trait Restore: Send {
    fn restore(self: Box<Self>, reporter: &JobReporter<'_>, body: &mut dyn FnMut());
}

impl<C: Send, G, E: Fn(C) -> G + Send + Sync> Restore for Restorable<C, E> {
    fn restore(self: Box<Self>, reporter: &JobReporter<'_>, body: &mut dyn FnMut()) {
        let Self { value, enter } = *self;
        scope(reporter, move || enter(value), body);
    }
}
