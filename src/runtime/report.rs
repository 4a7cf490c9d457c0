//! Reports: failures that nothing else can handle go to a sink, once each.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::task::Waker;

use super::job_label::JobLabel;
use super::sync::{StdArc, catch, thread_local};

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Incident {
    /// A call posted to the reactor.
    Call,
    /// A timer.
    Timer,
    /// An event trigger, or the Deferred it returned.
    Trigger,
    /// A job on a pool thread.
    Job,
    /// The `on_result` of a job.
    OnResult,
    /// A Deferred was dropped with a failure that nobody handled.
    Unhandled,
    /// A failure that a program asked to be reported, with `log_error`.
    Logged,
    /// A Deferred's canceller.
    Canceller,
    /// The waker of a future that awaits a Deferred.
    Waker,
    /// The drop of a value that a reactor, a pool or a Deferred owned.
    Drop,
    /// A call to a reactor-owned value that is gone or in use.
    OwnedValue,
    /// A worker thread that could not be started.
    ThreadStart,
    /// Jobs wait in a pool whose threads are all blocked, and no thread may be added. Reported once, until that
    /// changes.
    Saturated,
    /// A pool's hook: at the start or end of a worker, around a job, or of a context.
    Hook,
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "a call on the reactor's thread failed",
            Self::Timer => "a timer failed",
            Self::Trigger => "an event trigger failed",
            Self::Job => "a job in the thread pool failed",
            Self::OnResult => "the callback for a job's result failed",
            Self::Unhandled => "unhandled failure in a Deferred",
            Self::Logged => "failure",
            Self::Canceller => "the canceller of a Deferred failed",
            Self::Waker => "waking what awaits a Deferred failed",
            Self::Drop => "dropping a value failed",
            Self::OwnedValue => "a call to a reactor-owned value failed",
            Self::ThreadStart => "a worker thread could not be started",
            Self::Saturated => "a thread pool is saturated",
            Self::Hook => "a hook of the thread pool failed",
        })
    }
}

/// One failure, as the sink is given it.
///
/// Sinks are set with [`ReactorBuilder::on_report`](crate::reactor::ReactorBuilder::on_report) and
/// [`PoolBuilder::on_report`](crate::pool::PoolBuilder::on_report); the default writes one line to stderr.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Report<'a> {
    /// What failed.
    pub incident: Incident,
    /// The error. The original one is reached by downcast, or along `source`.
    pub error: &'a (dyn Error + 'static),
    /// Where the failed thing was made, if known: for a job, where it was submitted.
    pub location: Option<&'static Location<'static>>,
    /// The name of the failed job, if it has one: see [`Job::named`](crate::Job::named).
    pub job: Option<&'a str>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.incident, self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        match (self.job, self.location) {
            (Some(job), Some(location)) => write!(f, " (job {job:?}, made at {location})"),
            (None, Some(location)) => write!(f, " (made at {location})"),
            (_, None) => Ok(()),
        }
    }
}

/// A shared sink; without one, reports go to stderr. It may be called on any thread, and never under a lock.
#[derive(Clone, Default)]
pub(crate) struct Reporter(Option<StdArc<dyn Fn(&Report<'_>) + Send + Sync>>);

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Reporter(custom)" } else { "Reporter(stderr)" })
    }
}

impl Reporter {
    pub(crate) fn new(sink: impl Fn(&Report<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(StdArc::new(sink)))
    }

    pub(crate) fn report(
        &self,
        incident: Incident,
        error: &(dyn Error + 'static),
        location: Option<&'static Location<'static>>,
    ) {
        self.send(&Report { incident, error, location, job: None });
    }

    fn send(&self, report: &Report<'_>) {
        let sent = match &self.0 {
            // A sink that panics must not end the loop or a worker, and its report must not be lost.
            Some(sink) => catch(|| sink(report)).is_ok(),
            None => false,
        };
        if !sent {
            to_stderr(report);
        }
    }

    /// Runs user code; a panic is reported.
    pub(crate) fn contain<T>(&self, incident: Incident, body: impl FnOnce() -> T) -> Option<T> {
        catch(body).map_err(|panic| self.report(incident, &panic, None)).ok()
    }

    /// Directs all reports of this thread to this sink until the scope is dropped. A Deferred has no reference to its
    /// reactor, but it is fired and dropped on the reactor's thread.
    pub(crate) fn enter(&self) -> Scope {
        let entered = CURRENT.try_with(|current| current.borrow_mut().push(self.clone()));
        Scope { entered: entered.is_ok() }
    }
}

/// A sink for the failures of one job, with its label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobReporter<'a> {
    pub(crate) reporter: &'a Reporter,
    pub(crate) label: &'a JobLabel,
}

impl JobReporter<'_> {
    pub(crate) fn report(&self, incident: Incident, error: &(dyn Error + 'static)) {
        let (location, job) = (Some(self.label.location()), self.label.name());
        self.reporter.send(&Report { incident, error, location, job });
    }

    /// Runs user code; a panic is reported.
    pub(crate) fn contain<T>(&self, incident: Incident, body: impl FnOnce() -> T) -> Option<T> {
        catch(body).map_err(|panic| self.report(incident, &panic)).ok()
    }
}

/// Not `eprintln!`, which panics when stderr is closed.
fn to_stderr(report: &Report<'_>) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "selvedge: {report}");
}

thread_local! {
    /// The reporters that were entered on this thread, outermost first.
    static CURRENT: RefCell<Vec<Reporter>> = RefCell::new(Vec::new());
}

/// Until it is dropped, reports of this thread go to the reporter that was entered last.
#[derive(Debug)]
#[must_use]
pub(crate) struct Scope {
    entered: bool,
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.entered {
            let left = CURRENT.try_with(|current| current.borrow_mut().pop());
            drop(left);
        }
    }
}

/// Reports to the sink of this thread's innermost scope, or to stderr without one.
pub(crate) fn report(incident: Incident, error: &(dyn Error + 'static), location: Option<&'static Location<'static>>) {
    let reporter = CURRENT.try_with(|current| current.borrow().last().cloned());
    reporter.ok().flatten().unwrap_or_default().report(incident, error, location);
}

/// Drops a user's value; a panic is reported to this thread's sink.
#[inline]
pub(crate) fn drop_contained<T>(value: T) {
    if std::mem::needs_drop::<T>()
        && let Err(panic) = catch(|| drop(value))
    {
        report(Incident::Drop, &panic, None);
    }
}

/// Wakes a task, which is user code: a panic is reported to this thread's sink.
pub(crate) fn wake_contained(waker: Waker) {
    if let Err(panic) = catch(|| waker.wake()) {
        report(Incident::Waker, &panic, None);
    }
}
