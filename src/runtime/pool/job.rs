//! A job: what a worker runs, or is told will never run, and what travels with it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::super::label::{JobLabel, JobTrace};
use super::super::report::{Incident, JobReporter, Reporter};
use super::super::sync::{Instant, catch};
use super::hooks::{Captured, Hooks};
use super::stats::Times;
use crate::error::NeverRan;
use crate::failure::Failure;

/// What a pool can be given to do.
pub(crate) trait Work: Send {
    /// Does it; says whether it panicked. Its captures are gone when this returns.
    fn run(self, reporter: &JobReporter<'_>) -> bool;

    /// It will never be run.
    fn refuse(self, why: NeverRan, reporter: &JobReporter<'_>);

    /// Whether its start time is recorded although it has no name.
    fn records_start_time(&self) -> bool {
        false
    }
}

/// A function for a thread of a pool: what [`ThreadPool::submit`](crate::ThreadPool::submit) takes, and what a pool that accepts no more
/// hands back inside [`Rejected`](crate::error::Rejected).
///
/// Most programs never name it: [`call_in_thread`](crate::ThreadPool::call_in_thread) takes a function. It is for jobs that are to have a name, and for those that
/// came back: they can be run here, or submitted to another pool. One allocation holds what it captures, which a call without a `Job` does not cost; a name takes
/// two more.
///
/// ```
/// use selvedge::{Job, ThreadPool};
///
/// let pool = ThreadPool::builder().on_report(|report| eprintln!("{report}")).build()?;
/// pool.start()?;
/// // Should it panic, the report says so: (job "thumbnail", made at src/main.rs:6:13).
/// pool.submit(Job::new(|| { /* … */ }).named("thumbnail"))?;
/// pool.stop()?;
/// let rejected = pool.call_in_thread(|| println!("done here instead")).unwrap_err();
/// rejected.job.run();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Job {
    work: Box<dyn AnyWork>,
    /// Beside the work and not with it: what a worker notes of a job while it holds the workers' lock lies in the queue, and not in memory that the
    /// submitter's core has.
    tag: Tag,
}

impl Job {
    /// A job that runs `f`. What it panics with is reported.
    #[must_use]
    #[track_caller]
    pub fn new<F>(f: F) -> Self
    where
        F: FnOnce() + Send + 'static,
    {
        Self::of(Plain(f))
    }

    /// A job that runs `f`, then `on_result`, on the same thread, with what it returned or panicked with:
    /// see [`call_in_thread_with_callback`](crate::ThreadPool::call_in_thread_with_callback).
    #[must_use]
    #[track_caller]
    pub fn with_callback<T, F, C>(on_result: C, f: F) -> Self
    where
        T: 'static,
        F: FnOnce() -> T + Send + 'static,
        C: FnOnce(Result<T, Failure>) + Send + 'static,
    {
        Self::of(WithCallback { work: f, on_result })
    }

    #[track_caller]
    pub(crate) fn of(work: impl Work + 'static) -> Self {
        Unboxed::of(work).into_job()
    }

    /// The same job with a name, for reports, hooks and whoever looks at what a pool does. A name of its own, not one that tells it from others.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.tag.baggage_mut().name = Some(name.into());
        self
    }

    /// Its name, and where it was made.
    #[must_use]
    pub fn label(&self) -> JobLabel {
        self.tag.label()
    }

    /// Runs the job on this thread, as a worker would have: a panic is reported to the pool's default sink, not thrown.
    pub fn run(self) {
        self.run_in(&Hooks::default(), &Reporter::default());
    }

    /// On the submitter's thread, before the job is offered: what its contexts capture goes with it, and the time.
    pub(super) fn pack(&mut self, hooks: &Hooks, reporter: &Reporter) {
        let tag = &mut self.tag;
        let captured = hooks.capture(&JobReporter { reporter, label: &tag.label() });
        let baggage = tag.baggage_mut();
        baggage.captured = captured;
        baggage.submitted = hooks.timed.then(Instant::now);
    }

    /// The job was not accepted: what was captured for it is dropped, here.
    pub(super) fn unpack(&mut self, reporter: &Reporter) {
        let tag = &mut self.tag;
        let Some(baggage) = &mut tag.baggage else { return };
        baggage.submitted = None;
        let captured = std::mem::take(&mut baggage.captured);
        for one in captured {
            JobReporter { reporter, label: &tag.label() }.contain(Incident::Drop, || drop(one));
        }
    }

    /// The long way, for what few jobs have. Apart, so that the others have a short one.
    #[inline(never)]
    fn run_within(mut self, hooks: &Hooks, reporter: &Reporter) -> Ran {
        let (label, mut baggage) = self.tag.open();
        let reporter = &JobReporter { reporter, label: &label };
        let submitted = baggage.as_mut().and_then(|baggage| baggage.submitted);
        let begun = submitted.map(|submitted| (submitted, Instant::now()));
        let mut panicked = false;
        let mut work = Some(self.work);
        let captured = baggage.map(|baggage| baggage.captured).unwrap_or_default();
        hooks.around(captured, reporter, &mut || {
            // The body is run once; an option, because `FnMut` cannot say so.
            let Some(work) = work.take() else { return };
            panicked = reporter.contain(Incident::Job, || work.run_boxed(reporter)).unwrap_or(true);
        });
        let times = begun.map(|(submitted, begun)| {
            Box::new(Times { wait: begun.saturating_duration_since(submitted), run: begun.elapsed() })
        });
        Ran { panicked, times }
    }

    /// Tells the job that it will never run, within the contexts that were captured for it: what it does then is the program's own code too.
    pub(super) fn refuse(mut self, why: NeverRan, hooks: &Hooks, reporter: &Reporter) {
        let (label, baggage) = self.tag.open();
        let reporter = &JobReporter { reporter, label: &label };
        let mut work = Some((self.work, why));
        let captured = baggage.map(|baggage| baggage.captured).unwrap_or_default();
        hooks.within_contexts(captured, reporter, &mut || {
            let Some((work, why)) = work.take() else { return };
            reporter.contain(Incident::Job, || work.refuse_boxed(why, reporter));
        });
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// A job as it lies in a queue.
pub(super) trait Queued: Send + 'static {
    /// What is recorded of it when a worker takes it, under the workers' lock.
    fn trace(&self) -> JobTrace;

    /// On the worker: within the pool's hooks.
    fn run_in(self, hooks: &Hooks, reporter: &Reporter) -> Ran;

    /// The same job, whatever its type was.
    fn into_job(self) -> Job;
}

impl Queued for Job {
    #[inline]
    fn trace(&self) -> JobTrace {
        if self.tag.baggage.is_some() || self.work.records_start_time() {
            JobTrace::started(self.label())
        } else {
            JobTrace::Origin(self.tag.origin)
        }
    }

    fn run_in(self, hooks: &Hooks, reporter: &Reporter) -> Ran {
        if self.tag.baggage.is_some() || hooks.any_around() {
            return self.run_within(hooks, reporter);
        }
        run_bare(self.tag.origin, reporter, |reporter| self.work.run_boxed(reporter))
    }

    fn into_job(self) -> Job {
        self
    }
}

/// A job by value, for a pool without hooks around its jobs: it has no name, and nothing travels with it.
pub(super) struct Unboxed<W> {
    work: W,
    origin: &'static Location<'static>,
}

impl<W: Work + 'static> Unboxed<W> {
    #[track_caller]
    pub(super) fn of(work: W) -> Self {
        Self { work, origin: Location::caller() }
    }
}

impl<W: Work + 'static> Queued for Unboxed<W> {
    #[inline]
    fn trace(&self) -> JobTrace {
        JobTrace::Origin(self.origin)
    }

    fn run_in(self, _: &Hooks, reporter: &Reporter) -> Ran {
        run_bare(self.origin, reporter, |reporter| self.work.run(reporter))
    }

    fn into_job(self) -> Job {
        Job { work: Box::new(self.work), tag: Tag { origin: self.origin, baggage: None } }
    }
}

/// Runs work that has a place where it was made, and nothing else.
#[inline]
fn run_bare(
    origin: &'static Location<'static>,
    reporter: &Reporter,
    work: impl FnOnce(&JobReporter<'_>) -> bool,
) -> Ran {
    let reporter = &JobReporter { reporter, label: &JobLabel::unnamed(origin) };
    let panicked = reporter.contain(Incident::Job, || work(reporter)).unwrap_or(true);
    Ran { panicked, times: None }
}

/// What became of a job.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) panicked: bool,
    /// Where the pool takes them. Apart, so that it is little that most jobs leave behind.
    pub(super) times: Option<Box<Times>>,
}

/// What every job has beside its work.
struct Tag {
    origin: &'static Location<'static>,
    /// What few jobs have, so that the others pay a pointer for it.
    baggage: Option<Box<Baggage>>,
}

#[derive(Default)]
struct Baggage {
    name: Option<Arc<str>>,
    /// One for each context of the pool; none for one whose capture panicked.
    captured: Vec<Option<Captured>>,
    /// When it was submitted, to a pool that takes times.
    submitted: Option<Instant>,
}

impl Tag {
    fn label(&self) -> JobLabel {
        let name = self.baggage.as_ref().and_then(|baggage| baggage.name.clone());
        JobLabel::new(name, self.origin)
    }

    fn baggage_mut(&mut self) -> &mut Baggage {
        self.baggage.get_or_insert_default()
    }

    /// The label and the rest, of a job that is about to be used up.
    fn open(&mut self) -> (JobLabel, Option<Box<Baggage>>) {
        let mut baggage = self.baggage.take();
        let name = baggage.as_mut().and_then(|baggage| baggage.name.take());
        (JobLabel::new(name, self.origin), baggage)
    }
}

/// Work, whatever it is. As little as possible of the code for jobs is compiled once for each closure.
trait AnyWork: Send {
    fn records_start_time(&self) -> bool;
    fn run_boxed(self: Box<Self>, reporter: &JobReporter<'_>) -> bool;
    fn refuse_boxed(self: Box<Self>, why: NeverRan, reporter: &JobReporter<'_>);
}

impl<W: Work> AnyWork for W {
    fn records_start_time(&self) -> bool {
        Work::records_start_time(self)
    }

    fn run_boxed(self: Box<Self>, reporter: &JobReporter<'_>) -> bool {
        (*self).run(reporter)
    }

    fn refuse_boxed(self: Box<Self>, why: NeverRan, reporter: &JobReporter<'_>) {
        (*self).refuse(why, reporter);
    }
}

/// A function whose result nobody waits for.
pub(super) struct Plain<F>(pub(super) F);

impl<F: FnOnce() + Send> Work for Plain<F> {
    fn run(self, _: &JobReporter<'_>) -> bool {
        // A panic passes on to the worker, which contains, counts and reports it.
        (self.0)();
        false
    }

    fn refuse(self, why: NeverRan, reporter: &JobReporter<'_>) {
        drop(self);
        // Cancelling it was somebody's wish, and no failure.
        if !matches!(why, NeverRan::Cancelled | NeverRan::CancelledByStop) {
            reporter.report(Incident::Job, &why);
        }
    }
}

/// A function, and who is told its result on the same thread.
pub(super) struct WithCallback<F, C> {
    pub(super) work: F,
    pub(super) on_result: C,
}

impl<T, F, C> Work for WithCallback<F, C>
where
    F: FnOnce() -> T + Send,
    C: FnOnce(Result<T, Failure>) + Send,
{
    fn run(self, reporter: &JobReporter<'_>) -> bool {
        let Self { work, on_result } = self;
        // `work` is consumed by being called: its captures are dropped before `on_result` runs.
        let result = catch(work).map_err(Failure::new);
        let panicked = result.is_err();
        reporter.contain(Incident::OnResult, || on_result(result));
        panicked
    }

    fn refuse(self, why: NeverRan, reporter: &JobReporter<'_>) {
        let Self { work, on_result } = self;
        reporter.contain(Incident::Drop, || drop(work));
        reporter.contain(Incident::OnResult, || on_result(Err(Failure::new(why))));
    }
}
