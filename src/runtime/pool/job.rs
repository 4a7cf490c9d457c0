//! A job: a function that a worker runs, or that is told that it never will run, and what travels with it.

use std::panic::Location;

use super::super::job_label::{JobLabel, JobTrace};
use super::super::report::{Contained, Incident, JobReporter, Reporter};
use super::super::sync::{Instant, StdArc, catch};
use super::cancel_token::{CancelToken, CurrentTokenGuard};
use super::hooks::{Captured, Hooks};
use super::limits::Limits;
use super::stats::JobTimes;
use crate::error::NeverRan;
use crate::exclusive::Exclusive;
use crate::failure::Failure;

/// What becomes of a job: one of these, once.
pub(crate) enum Fate {
    /// A worker runs it.
    Run,
    /// It never will run.
    Refuse(NeverRan),
}

/// A job's work, as one function that is called once, with the job's fate. Returns whether the work panicked and
/// contained that itself.
///
/// One function and not two methods, because a boxed `FnOnce` can be called as it is; its captures are gone when it
/// returns.
pub(crate) trait JobBody: FnOnce(Fate, &JobReporter<'_>) -> bool + Send + 'static {}

impl<F: FnOnce(Fate, &JobReporter<'_>) -> bool + Send + 'static> JobBody for F {}

/// A job as it lies in a queue, whatever its type.
pub(crate) struct BoxedJob {
    body: Box<dyn JobBody>,
    /// Not inside the box: a worker reads it under its lock, and the box's memory is in the submitter's cache.
    origin: &'static Location<'static>,
    /// What few jobs have, so that the others pay only a pointer for it.
    extras: Option<Box<JobExtras>>,
    /// Present if the job has a ticket.
    token: Option<CancelToken>,
}

/// It is moved under the locks. What only a submission needs to know is in `Job` instead.
const _: () = assert!(size_of::<BoxedJob>() == 5 * size_of::<usize>());

#[derive(Default)]
pub(super) struct JobExtras {
    pub(super) name: Option<StdArc<str>>,
    /// One for each context of the pool; `None` where the capture panicked.
    captured: Box<[Option<Captured>]>,
    /// When the job was submitted, if the pool takes times.
    submitted: Option<Instant>,
    pub(super) limits: Option<Box<Limits>>,
    /// Told on the worker that the job begins.
    pub(super) on_start: Option<StartNotice>,
}

/// A program's function for the start of a job. Contained, because the job's own function is dropped beside it.
pub(super) type StartNotice = Exclusive<Contained<Box<dyn FnOnce() + Send>>>;

/// A job by value, for a pool without hooks around its jobs: it has no name, and nothing travels with it.
pub(super) struct InlineJob<B> {
    body: B,
    origin: &'static Location<'static>,
}

/// A job as it lies in a queue: a [`BoxedJob`] or an [`InlineJob`].
pub(super) trait QueuedJob: Send + 'static {
    /// What is recorded while it runs, under the workers' lock.
    fn trace(&self) -> JobTrace;

    /// Where it was made.
    fn origin(&self) -> &'static Location<'static>;

    /// Its token, if it has a ticket.
    fn token(&self) -> Option<CancelToken>;

    /// Runs it within the pool's hooks, on the worker.
    fn run_in(self, hooks: &Hooks, reporter: &Reporter) -> JobResult;

    /// The same job, boxed.
    fn into_job(self) -> BoxedJob;
}

/// How a job ended.
#[derive(Debug, Default)]
pub(super) struct JobResult {
    pub(super) panicked: bool,
    /// Boxed, so that the result of most jobs stays small.
    pub(super) details: Option<Box<JobDetails>>,
}

/// What is recorded of the end of a job beside a panic. Few jobs have any of it.
#[derive(Debug, Default)]
pub(super) struct JobDetails {
    /// Its time in the queue was over, so it was refused.
    pub(super) expired: bool,
    /// Present if the pool takes times.
    pub(super) times: Option<JobTimes>,
}

impl BoxedJob {
    pub(super) fn new(body: impl JobBody, origin: &'static Location<'static>, extras: Option<Box<JobExtras>>) -> Self {
        Self { body: Box::new(body), origin, extras, token: None }
    }

    pub(super) fn from_parts(
        body: Box<dyn JobBody>,
        origin: &'static Location<'static>,
        extras: Option<Box<JobExtras>>,
        token: Option<CancelToken>,
    ) -> Self {
        Self { body, origin, extras, token }
    }

    #[allow(clippy::type_complexity, reason = "the inverse of `from_parts`")]
    pub(super) fn take_apart(
        self,
    ) -> (Box<dyn JobBody>, &'static Location<'static>, Option<Box<JobExtras>>, Option<CancelToken>) {
        (self.body, self.origin, self.extras, self.token)
    }

    /// Its token: that of an earlier submission, from which it was handed back, if that has the same time limit, or a
    /// new one.
    pub(super) fn give_token(&mut self) -> CancelToken {
        let limit = self.limits().and_then(|limits| limits.run);
        let watched = self.limits().and_then(|limits| limits.watched.clone());
        let token = self.token.take().filter(|token| token.limit() == limit);
        self.token.insert(token.unwrap_or_else(|| CancelToken::with_limit(limit, watched))).clone()
    }

    /// Its limits begin to count; the limit in the queue only if it is to be `queued`. On the submitter's thread.
    pub(super) fn begin_limits(&mut self, queued: bool) {
        let Some(limits) = self.extras.as_mut().and_then(|extras| extras.limits.as_mut()) else { return };
        limits.begin(queued);
        if limits.run.is_some() {
            drop(self.give_token());
        }
    }

    fn limits(&self) -> Option<&Limits> {
        self.extras.as_ref()?.limits.as_deref()
    }

    /// Its name, and where it was made.
    pub(super) fn label(&self) -> JobLabel {
        let name = self.extras.as_ref().and_then(|extras| extras.name.clone());
        JobLabel::new(name, self.origin)
    }

    /// Adds what the pool's contexts capture, and the time. On the submitter's thread, before the job is offered.
    pub(super) fn capture_context(&mut self, hooks: &Hooks, reporter: &Reporter) {
        let captured = hooks.capture(&JobReporter { reporter, label: &self.label() });
        let extras = self.extras_mut();
        extras.captured = captured;
        extras.submitted = hooks.timed.then(Instant::now);
    }

    /// Drops what was captured for a job that was not accepted, on this thread.
    pub(super) fn drop_context(&mut self, reporter: &Reporter) {
        let Some(extras) = &mut self.extras else { return };
        extras.submitted = None;
        let captured = std::mem::take(&mut extras.captured);
        for one in captured {
            JobReporter { reporter, label: &self.label() }.contain(Incident::Drop, || drop(one));
        }
    }

    /// Tells the job that it never will run, within the contexts captured for it: what it does then is user code too.
    pub(super) fn refuse(mut self, why: NeverRan, hooks: &Hooks, reporter: &Reporter) {
        if let Some(token) = self.token.take() {
            token.end();
        }
        let (label, body, extras) = self.into_parts();
        let reporter = &JobReporter { reporter, label: &label };
        let JobExtras { captured, on_start, .. } = extras.map(|extras| *extras).unwrap_or_default();
        let mut body = Some((body, why, on_start));
        hooks.run_within_contexts(captured, reporter, &mut || {
            let Some((body, why, on_start)) = body.take() else { return };
            if let Some(f) = on_start {
                reporter.contain(Incident::Drop, || drop(f.into_inner().into_inner()));
            }
            reporter.contain(Incident::Job, || body(Fate::Refuse(why), reporter));
        });
    }

    /// Not inlined: few jobs have extras, and the path of the others should be short.
    #[inline(never)]
    fn run_with_extras(self, hooks: &Hooks, reporter: &Reporter) -> JobResult {
        let submitted = self.extras.as_ref().and_then(|extras| extras.submitted);
        let started = submitted.map(|submitted| (submitted, Instant::now()));
        let late = self.limits().and_then(Limits::passed_in_queue);
        let panicked = match late {
            None => self.run_within(hooks, reporter),
            Some(limit) => {
                self.refuse(NeverRan::TimedOut(limit), hooks, reporter);
                false
            }
        };
        let times = started.map(|(submitted, started)| JobTimes {
            wait: started.saturating_duration_since(submitted),
            run: started.elapsed(),
        });
        let expired = late.is_some();
        let details = (expired || times.is_some()).then(|| Box::new(JobDetails { expired, times }));
        JobResult { panicked, details }
    }

    /// Runs it within all hooks. Returns whether it panicked.
    fn run_within(mut self, hooks: &Hooks, reporter: &Reporter) -> bool {
        let token = self.token.take();
        let (label, body, extras) = self.into_parts();
        let reporter = &JobReporter { reporter, label: &label };
        let JobExtras { captured, limits, on_start, .. } = extras.map(|extras| *extras).unwrap_or_default();
        let mut panicked = false;
        // It is called once; an `Option`, because an `FnMut` cannot say so.
        let mut body = Some((body, token, limits, on_start));
        hooks.run_around(captured, reporter, &mut || {
            let Some((body, token, limits, on_start)) = body.take() else { return };
            let run = || {
                let _current = token.map(CurrentTokenGuard::enter);
                if let Some(limits) = limits {
                    limits.job_starts();
                }
                if let Some(f) = on_start {
                    reporter.contain(Incident::Hook, f.into_inner().into_inner());
                }
                body(Fate::Run, reporter)
            };
            panicked = reporter.contain(Incident::Job, run).unwrap_or(true);
        });
        panicked
    }

    /// What is recorded of a job with a ticket while it runs.
    pub(super) fn ticketed_trace(&self) -> JobTrace {
        JobTrace::started(self.label())
    }

    fn extras_mut(&mut self) -> &mut JobExtras {
        self.extras.get_or_insert_default()
    }

    fn into_parts(mut self) -> (JobLabel, Box<dyn JobBody>, Option<Box<JobExtras>>) {
        let name = self.extras.as_mut().and_then(|extras| extras.name.take());
        (JobLabel::new(name, self.origin), self.body, self.extras)
    }
}

impl QueuedJob for BoxedJob {
    #[inline]
    fn trace(&self) -> JobTrace {
        if self.extras.is_some() || self.token.is_some() {
            JobTrace::started(self.label())
        } else {
            JobTrace::Origin(self.origin)
        }
    }

    #[inline]
    fn origin(&self) -> &'static Location<'static> {
        self.origin
    }

    fn token(&self) -> Option<CancelToken> {
        self.token.clone()
    }

    fn run_in(self, hooks: &Hooks, reporter: &Reporter) -> JobResult {
        if self.extras.is_some() || hooks.has_job_hooks() {
            return self.run_with_extras(hooks, reporter);
        }
        let Self { body, origin, token, .. } = self;
        match token {
            None => InlineJob { body, origin }.run_in(hooks, reporter),
            Some(token) => InlineJob { body: with_token(token, body), origin }.run_in(hooks, reporter),
        }
    }

    fn into_job(self) -> BoxedJob {
        self
    }
}

impl<B: JobBody> InlineJob<B> {
    #[inline]
    pub(super) fn made_at(origin: &'static Location<'static>, body: B) -> Self {
        Self { body, origin }
    }
}

impl<B: JobBody> QueuedJob for InlineJob<B> {
    #[inline]
    fn trace(&self) -> JobTrace {
        JobTrace::Origin(self.origin)
    }

    #[inline]
    fn origin(&self) -> &'static Location<'static> {
        self.origin
    }

    #[inline]
    fn token(&self) -> Option<CancelToken> {
        None
    }

    #[inline]
    fn run_in(self, _: &Hooks, reporter: &Reporter) -> JobResult {
        let reporter = &JobReporter { reporter, label: &JobLabel::unnamed(self.origin) };
        let panicked = reporter.contain(Incident::Job, || (self.body)(Fate::Run, reporter)).unwrap_or(true);
        JobResult { panicked, details: None }
    }

    fn into_job(self) -> BoxedJob {
        BoxedJob { body: Box::new(self.body), origin: self.origin, extras: None, token: None }
    }
}

/// A body that runs with this token as the current one of its thread.
fn with_token(token: CancelToken, body: Box<dyn JobBody>) -> impl JobBody {
    move |fate: Fate, reporter: &JobReporter<'_>| {
        let _current = CurrentTokenGuard::enter(token);
        body(fate, reporter)
    }
}

/// A function without a result.
pub(super) fn plain(f: impl FnOnce() + Send + 'static) -> impl JobBody {
    move |fate: Fate, reporter: &JobReporter<'_>| {
        match fate {
            // A panic is left to the worker, which contains, counts and reports it.
            Fate::Run => f(),
            Fate::Refuse(why) => {
                reporter.contain(Incident::Drop, || drop(f));
                // Cancelling was intended, so it is no failure to report.
                if !matches!(why, NeverRan::Cancelled | NeverRan::CancelledByStop) {
                    reporter.report(Incident::Job, &why);
                }
            }
        }
        false
    }
}

/// A function, and a callback for its result on the same thread.
pub(super) fn with_callback<T, F, C>(f: F, on_result: C) -> impl JobBody
where
    F: FnOnce() -> T + Send + 'static,
    C: FnOnce(Result<T, Failure>) + Send + 'static,
{
    // If the job is handed back and dropped, both drops may panic: one of them is contained, or the second would abort.
    let on_result = Contained::new(on_result);
    move |fate: Fate, reporter: &JobReporter<'_>| match fate {
        Fate::Run => {
            // The call consumes `f`: its captures are dropped before `on_result` runs.
            let result = catch(f).map_err(Failure::new);
            let panicked = result.is_err();
            reporter.contain(Incident::OnResult, || on_result.into_inner()(result));
            panicked
        }
        Fate::Refuse(why) => {
            reporter.contain(Incident::Drop, || drop(f));
            reporter.contain(Incident::OnResult, || on_result.into_inner()(Err(Failure::new(why))));
            false
        }
    }
}
