//! Reports: failures that nothing else can handle go to a sink, once each.

mod current;

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::panic::Location;
use std::task::Waker;

use super::job_label::JobLabel;
use super::reactor_thread::has_no_running_reactor;
use super::sync::{StdArc, catch, thread_local};
use crate::error::is_stop;
use crate::failure::{ChainError, Failure, Panic, message_with_causes};
use crate::machine::chunked_queue::ChunkedQueue;
use crate::thread_value::ThreadValue;

pub(crate) use self::current::DefaultGuard;

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
    /// A thread of a pool could not be started: a worker's, which is reported once, until one has started; or the one
    /// that ends the pool, without which a stop with a time limit waits for the end of the last worker's thread.
    ThreadStart,
    /// Jobs wait in a pool whose threads are all blocked, and no thread may be added. Reported once, until that
    /// changes.
    Saturated,
    /// A pool's hook: at the start or end of a worker, around a job, or of a context; or a job's, at its
    /// [start](crate::Job::on_start).
    Hook,
    /// A function of [`CancelToken::on_cancel`](crate::pool::CancelToken::on_cancel).
    OnCancel,
    /// The [hook](crate::reactor::ReactorBuilder::on_wake) that wakes the loop which hosts a reactor.
    OnWake,
    /// A hook [around turns](crate::reactor::ReactorBuilder::around_turns).
    TurnHook,
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
            Self::ThreadStart => "a thread of a pool could not be started",
            Self::Saturated => "a thread pool is saturated",
            Self::Hook => "a hook of the thread pool failed",
            Self::OnCancel => "what a job's cancel calls failed",
            Self::OnWake => "waking the loop that hosts a reactor failed",
            Self::TurnHook => "a hook around a reactor's turns failed",
        })
    }
}

/// One failure, as the sink is given it.
///
/// Sinks are set with [`ReactorBuilder::on_report`](crate::reactor::ReactorBuilder::on_report) and
/// [`PoolBuilder::on_report`](crate::pool::PoolBuilder::on_report); the default writes one line to stderr.
///
/// It can always be displayed: where the `Display` of the error or of one of its causes panics or fails, it says so.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Report<'a> {
    /// What failed.
    pub incident: Incident,
    /// The error. The original one is reached by downcast, or along `source`. If a sink caused this report, it is only
    /// the message.
    pub error: &'a (dyn Error + 'static),
    /// Where the failed thing was made, if known: for a job, its [label's](crate::pool::JobLabel::location).
    pub location: Option<&'static Location<'static>>,
    /// The name of the failed job, if it has one: see [`Job::named`](crate::Job::named).
    pub job: Option<&'a str>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.incident, message_with_causes(self.error, ": "))?;
        match (self.job, self.location) {
            (Some(job), Some(location)) => write!(f, " (job {job:?}, made at {location})"),
            (None, Some(location)) => write!(f, " (made at {location})"),
            (_, None) => Ok(()),
        }
    }
}

/// What a report says of the failed thing, apart from the error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    location: Option<&'static Location<'static>>,
    job: Option<&'a str>,
}

impl From<Option<&'static Location<'static>>> for Origin<'_> {
    fn from(location: Option<&'static Location<'static>>) -> Self {
        Self { location, job: None }
    }
}

impl<'a> From<&'a JobLabel> for Origin<'a> {
    fn from(label: &'a JobLabel) -> Self {
        Self { location: Some(label.location()), job: label.name() }
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

impl Drop for Reporter {
    /// The last one drops what the sink captured.
    fn drop(&mut self) {
        if let Some(sink) = self.0.take() {
            drop_contained(sink);
        }
    }
}

thread_local! {
    /// How deep this thread is in user code that a report calls: sinks, and `Display` of errors. Zero outside.
    static DEPTH: Cell<usize> = Cell::new(0);
    /// The reports that this thread's sink has caused, until it returns from the one that it was given. `None` if there
    /// are none.
    static CAUSED: ThreadValue<Option<ChunkedQueue<CausedReport>>> = ThreadValue::new(None);
}

/// At this depth an error is no longer asked for its message.
const MAX_DEPTH: usize = 4;

/// A report that was caused inside a sink, to be delivered when that has returned. It has the error's message only: the
/// error lives no longer than its own report.
struct CausedReport {
    reporter: Reporter,
    incident: Incident,
    message: Failure,
    location: Option<&'static Location<'static>>,
    job: Option<String>,
    depth: usize,
}

/// Runs user code of a report. It must not panic.
fn at_depth<T>(depth: usize, body: impl FnOnce() -> T) -> T {
    let outer = DEPTH.try_with(|own| own.replace(depth)).unwrap_or(0);
    let result = body();
    let _ = DEPTH.try_with(|own| own.set(outer));
    result
}

impl Reporter {
    pub(crate) fn new(sink: impl Fn(&Report<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(StdArc::new(sink)))
    }

    /// This one, or one for `sink` if this is the default.
    pub(crate) fn or(self, sink: impl Fn(&Report<'_>) + Send + Sync + 'static) -> Self {
        if self.0.is_some() { self } else { Self::new(sink) }
    }

    pub(crate) fn report<'a>(&self, incident: Incident, error: &(dyn Error + 'static), origin: impl Into<Origin<'a>>) {
        let Origin { location, job } = origin.into();
        self.send(&Report { incident, error, location, job });
    }

    /// Passes a report to the sink, and then those that it causes there, on this thread. A sink is never called inside
    /// a sink: it may hold a lock of its own, and what it causes each time would overflow the stack.
    fn send(&self, report: &Report<'_>) {
        let depth = DEPTH.try_with(Cell::get).unwrap_or(0);
        if depth == 0 {
            at_depth(1, || {
                self.deliver(report);
                while let Some(caused) = CausedReport::next() {
                    at_depth(caused.depth, || caused.deliver());
                }
            });
        } else if depth < MAX_DEPTH {
            at_depth(depth + 1, || CausedReport::new(self, report, depth + 1).defer());
        } else {
            to_stderr(&format_args!("{}; without its message, because reports go on causing reports", report.incident));
        }
    }

    fn deliver(&self, report: &Report<'_>) {
        // A sink that panics must not end the loop or a worker, and its report must not be lost.
        let delivered = self.0.as_ref().is_some_and(|sink| catch(|| sink(report)).is_ok());
        if !delivered {
            to_stderr(report);
        }
    }

    /// Runs user code; a panic is reported.
    #[inline]
    pub(crate) fn contain<T>(&self, incident: Incident, body: impl FnOnce() -> T) -> Option<T> {
        match catch(body) {
            Ok(value) => Some(value),
            Err(panic) => {
                self.report(incident, &panic, None);
                None
            }
        }
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
        self.reporter.report(incident, error, self.label);
    }

    /// Runs user code; a panic is reported.
    pub(crate) fn contain<T>(&self, incident: Incident, body: impl FnOnce() -> T) -> Option<T> {
        match catch(body) {
            Ok(value) => Some(value),
            Err(panic) => {
                self.report(incident, &panic);
                None
            }
        }
    }
}

impl CausedReport {
    fn new(reporter: &Reporter, report: &Report<'_>, depth: usize) -> Self {
        Self {
            reporter: reporter.clone(),
            incident: report.incident,
            message: Failure::msg(message_with_causes(report.error, ": ")),
            location: report.location,
            job: report.job.map(str::to_owned),
            depth,
        }
    }

    /// Leaves it to the report that is under way on this thread.
    fn defer(self) {
        let mut this = Some(self);
        let _ = CAUSED.try_with(|caused| {
            caused.with(|caused| {
                let caused = caused.get_or_insert_with(ChunkedQueue::new);
                this.take().into_iter().for_each(|this| caused.push_back(this));
            });
        });
        // The thread is ending, on a platform where nothing can be kept for it.
        if let Some(this) = this {
            this.deliver();
        }
    }

    fn next() -> Option<Self> {
        CAUSED.try_with(|caused| caused.with(ChunkedQueue::pop_or_close)).ok().flatten()
    }

    fn deliver(self) {
        let Self { incident, location, .. } = self;
        self.reporter.deliver(&Report { incident, error: self.message.error(), location, job: self.job.as_deref() });
    }
}

/// Formats the line first: an error's `Display` is user code, and stderr has a lock. Not `eprintln!`, which panics when
/// stderr is closed.
fn to_stderr(report: &dyn fmt::Display) {
    let line = format!("selvedge: {report}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Reports to the sink of this thread's innermost scope, or to stderr without one.
pub(crate) fn report<'a>(incident: Incident, error: &(dyn Error + 'static), origin: impl Into<Origin<'a>>) {
    Reporter::current().report(incident, error, origin);
}

/// Reports an error that no code of the program handles, unless it only says that this thread's reactor has stopped:
/// whoever has stopped it knows.
pub(crate) fn report_unhandled<'a>(incident: Incident, error: &(dyn Error + 'static), origin: impl Into<Origin<'a>>) {
    if !(has_no_running_reactor() && is_stop(error)) {
        report(incident, error, origin);
    }
}

/// [Reports](report_unhandled) an error to this thread's sink, and drops it.
pub(crate) fn report_and_drop<'a>(incident: Incident, error: impl ChainError, origin: impl Into<Origin<'a>>) {
    report_unhandled(incident, error.as_error(), origin);
    drop_contained(error);
}

/// Drops a user's value; a panic is reported to this thread's sink.
#[inline]
pub(crate) fn drop_contained<T>(value: T) {
    if std::mem::needs_drop::<T>() {
        report_drop(catch(|| drop(value)));
    }
}

/// Reports what a drop has panicked with. Not generic over the value's type: compiled once.
#[inline]
pub(crate) fn report_drop(dropped: Result<(), Panic>) {
    if let Err(panic) = dropped {
        report(Incident::Drop, &panic, None);
    }
}

/// A value of a program whose drop is contained, wherever that happens.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn get(&self) -> &T {
        let Some(value) = &self.0 else { unreachable!("it is taken only when this is consumed") };
        value
    }

    pub(crate) fn into_inner(mut self) -> T {
        let Some(value) = self.0.take() else { unreachable!("it is taken only when this is consumed") };
        value
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        drop_contained(self.0.take());
    }
}

/// Wakes a task, which is user code: a panic is reported to this thread's sink.
pub(crate) fn wake_contained(waker: Waker) {
    if let Err(panic) = catch(|| waker.wake()) {
        report(Incident::Waker, &panic, None);
    }
}
