//! What makes a job: a function, or its description; and how a pool takes it.

use super::super::super::sync::Arc;
use super::super::job::{self, BoxedJob, InlineJob, JobBody};
use super::super::shared::Shared;
use super::{BoxedWork, Job};
use crate::error::Rejected;

/// What a pool runs without looking for a result: a function without one, or [`BoxedWork`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the function of a job for a pool",
    note = "a job for `call_in_thread` runs a function without arguments and result that is `Send` and `'static`; one \
            whose result is wanted goes to `threads::defer_to_thread`"
)]
#[allow(
    private_interfaces,
    reason = "its methods are for this crate alone, which keeps it from being implemented elsewhere"
)]
pub trait Work: Send + Sized + 'static {
    /// The job as a queue holds it.
    #[doc(hidden)]
    fn into_boxed(job: Job<Self>) -> BoxedJob;

    /// Submits it without a ticket: by value, if it has neither a name nor limits.
    #[doc(hidden)]
    fn submit(job: Job<Self>, pool: &Arc<Shared>) -> Result<(), Rejected<BoxedJob>>;
}

/// A function, or a [`Job`] that describes one: what every way into a pool takes.
pub trait IntoJob: Sized {
    /// The function.
    type Function;

    /// The job. That of a plain function is made where this is called.
    #[track_caller]
    fn into_job(self) -> Job<Self::Function>;
}

impl<R, F: FnOnce() -> R> IntoJob for F {
    type Function = F;

    #[inline]
    fn into_job(self) -> Job<F> {
        Job::new(self)
    }
}

impl<F> IntoJob for Job<F> {
    type Function = F;

    #[inline]
    fn into_job(self) -> Self {
        self
    }
}

impl Job<()> {
    /// The job with this body.
    pub(crate) fn with_body<B: JobBody>(self, body: B) -> Job<Body<B>> {
        let Self { work: (), origin, extras, when_full } = self;
        Job { work: Body(body), origin, extras, when_full }
    }
}

/// The body of a job, with what becomes of it if it is refused.
pub(crate) struct Body<B>(B);

#[allow(private_interfaces, reason = "as the trait")]
impl<B: JobBody> Work for Body<B> {
    fn into_boxed(job: Job<Self>) -> BoxedJob {
        BoxedJob::new(job.work.0, job.origin, job.extras)
    }

    #[inline]
    fn submit(job: Job<Self>, pool: &Arc<Shared>) -> Result<(), Rejected<BoxedJob>> {
        let Job { work: Self(body), origin, extras, when_full } = job;
        match extras {
            None => Shared::submit_inline(pool, InlineJob::made_at(origin, body), when_full),
            extras => Shared::submit_boxed(pool, BoxedJob::new(body, origin, extras), when_full),
        }
    }
}

#[allow(private_interfaces, reason = "as the trait")]
impl<F: FnOnce() + Send + 'static> Work for F {
    fn into_boxed(job: Job<Self>) -> BoxedJob {
        let (f, job) = job.split();
        Work::into_boxed(job.with_body(job::plain(f)))
    }

    #[inline]
    fn submit(job: Job<Self>, pool: &Arc<Shared>) -> Result<(), Rejected<BoxedJob>> {
        let (f, job) = job.split();
        Work::submit(job.with_body(job::plain(f)), pool)
    }
}

#[allow(private_interfaces, reason = "as the trait")]
impl Work for BoxedWork {
    fn into_boxed(job: Job) -> BoxedJob {
        let Job { work: Self { body, token }, origin, extras, .. } = job;
        BoxedJob::from_parts(body.into_inner(), origin, extras, token)
    }

    fn submit(job: Job, pool: &Arc<Shared>) -> Result<(), Rejected<BoxedJob>> {
        let when_full = job.when_full;
        Shared::submit_boxed(pool, Self::into_boxed(job), when_full)
    }
}
