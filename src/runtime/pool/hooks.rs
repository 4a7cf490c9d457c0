//! What a program has run around the life of a worker and around each job.

use std::fmt;

use super::super::label::JobLabel;
use super::super::report::{Incident, JobReporter, Reporter};
use super::super::sync::SharedFn;
use crate::machine::pool::WorkerId;

/// A thread of a pool, as the hooks for its start and its end see it. To be shown, it is `<pool>-<n>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Worker<'a> {
    /// The pool's name, whole: the thread's own may have to be shorter.
    pub pool: &'a str,
    /// The number that no other thread of the pool has, or ever had.
    pub number: usize,
}

impl<'a> Worker<'a> {
    pub(super) fn new(pool: &'a str, number: WorkerId) -> Self {
        Self { pool, number }
    }

    /// The name for its thread. Where names are short, it is the pool's that is shortened: the number is what tells threads apart.
    pub(super) fn thread_name(self) -> String {
        let number = format!("-{}", self.number);
        let mut room = LONGEST_NAME.saturating_sub(number.len()).min(self.pool.len());
        while !self.pool.is_char_boundary(room) {
            room -= 1;
        }
        let (kept, _) = self.pool.split_at(room);
        format!("{kept}{number}")
    }
}

impl fmt::Display for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pool, self.number)
    }
}

/// How many bytes of a thread's name the operating system keeps.
const LONGEST_NAME: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    15
} else if cfg!(target_vendor = "apple") {
    63
} else {
    usize::MAX
};

type WorkerHook = SharedFn<dyn Fn(&Worker<'_>) + Send + Sync>;

/// All hooks of a pool, each list in the order in which they were added.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    starts: Vec<WorkerHook>,
    stops: Vec<WorkerHook>,
    around: Vec<Around>,
    /// How many of these are contexts.
    contexts: usize,
    /// Times are taken of each job.
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

#[derive(Clone)]
enum Around {
    Job(SharedFn<dyn Enter>),
    Context(SharedFn<dyn Capture>),
}

impl Hooks {
    pub(super) fn add_start(&mut self, hook: impl Fn(&Worker<'_>) + Send + Sync + 'static) {
        self.starts.push(SharedFn::new(hook));
    }

    pub(super) fn add_stop(&mut self, hook: impl Fn(&Worker<'_>) + Send + Sync + 'static) {
        self.stops.push(SharedFn::new(hook));
    }

    pub(super) fn add_around<G>(&mut self, enter: impl Fn(&JobLabel) -> G + Send + Sync + 'static) {
        self.around.push(Around::Job(SharedFn::new(enter)));
    }

    pub(super) fn add_context<C: Send + 'static, G>(
        &mut self,
        capture: impl Fn() -> C + Send + Sync + 'static,
        enter: impl Fn(C) -> G + Send + Sync + 'static,
    ) {
        self.contexts += 1;
        self.around.push(Around::Context(SharedFn::new(Context { capture, enter: SharedFn::new(enter) })));
    }

    pub(super) fn on_start(&self) -> bool {
        !self.starts.is_empty()
    }

    pub(super) fn on_stop(&self) -> bool {
        !self.stops.is_empty()
    }

    /// First added, first run.
    pub(super) fn started(&self, worker: &Worker<'_>, reporter: &Reporter) {
        for hook in &self.starts {
            reporter.contain(Incident::Hook, || hook(worker));
        }
    }

    /// First added, last run: what a start hook set up for those behind it is there until they are done.
    pub(super) fn stopping(&self, worker: &Worker<'_>, reporter: &Reporter) {
        for hook in self.stops.iter().rev() {
            reporter.contain(Incident::Hook, || hook(worker));
        }
    }

    /// Whether anything is to travel with a job.
    pub(super) fn pack_anything(&self) -> bool {
        self.timed || self.contexts > 0
    }

    /// Whether a job is more than its work here.
    pub(super) fn concern_jobs(&self) -> bool {
        self.pack_anything() || self.any_around()
    }

    pub(super) fn any_around(&self) -> bool {
        !self.around.is_empty()
    }

    /// On the submitter's thread. Where a capture panics the job does without it.
    pub(super) fn capture(&self, reporter: &JobReporter<'_>) -> Vec<Option<Captured>> {
        if self.contexts == 0 {
            return Vec::new();
        }
        let contexts = self.around.iter().filter_map(|around| match around {
            Around::Job(_) => None,
            Around::Context(context) => Some(context),
        });
        contexts.map(|context| reporter.contain(Incident::Hook, || context.capture())).collect()
    }

    /// Runs the body, which must not panic, once, within all hooks: the one that was added first is entered first and left last.
    pub(super) fn around(&self, captured: Vec<Option<Captured>>, reporter: &JobReporter<'_>, body: &mut dyn FnMut()) {
        nest(&self.around, true, &mut captured.into_iter(), reporter, body);
    }

    /// The same, within the contexts alone.
    pub(super) fn within_contexts(
        &self,
        captured: Vec<Option<Captured>>,
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
        (_, Some(captured)) => captured.0.restore(reporter, &mut rest),
        _ => rest(),
    }
}

/// Enters a scope, runs the body in it, and leaves it. The scope is the program's own and may panic at both ends; the body runs once
/// all the same, which it could not if it were handed to the program to be called.
fn scope<G>(reporter: &JobReporter<'_>, enter: impl FnOnce() -> G, body: &mut dyn FnMut()) {
    let guard = reporter.contain(Incident::Hook, enter);
    body();
    reporter.contain(Incident::Hook, || drop(guard));
}

/// A hook around each job: a function that returns a guard. The guard lives on the worker's stack, whatever its type.
trait Enter: Send + Sync {
    fn enter(&self, reporter: &JobReporter<'_>, body: &mut dyn FnMut());
}

impl<G, F: Fn(&JobLabel) -> G + Send + Sync> Enter for F {
    fn enter(&self, reporter: &JobReporter<'_>, body: &mut dyn FnMut()) {
        scope(reporter, || self(reporter.label), body);
    }
}

struct Context<S, E> {
    capture: S,
    enter: SharedFn<E>,
}

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
        Captured(Box::new(Restorable { value: (self.capture)(), enter: SharedFn::clone(&self.enter) }))
    }
}

/// What a context took on the submitter's thread, and how it is restored on the worker's.
pub(super) struct Captured(Box<dyn Restore>);

struct Restorable<C, E> {
    value: C,
    enter: SharedFn<E>,
}

trait Restore: Send {
    fn restore(self: Box<Self>, reporter: &JobReporter<'_>, body: &mut dyn FnMut());
}

impl<C: Send, G, E: Fn(C) -> G + Send + Sync> Restore for Restorable<C, E> {
    fn restore(self: Box<Self>, reporter: &JobReporter<'_>, body: &mut dyn FnMut()) {
        let Self { value, enter } = *self;
        scope(reporter, || enter(value), body);
    }
}
