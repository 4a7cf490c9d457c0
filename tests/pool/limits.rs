//! The time limits of a job without a Deferred: the worker and whoever looks at the token keep them.

use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::time::Duration;

use selvedge::{
    Failure, Job, ThreadPool,
    error::NeverRan,
    pool::{CancelToken, Cancellation},
    testing::{Step, Stepper},
};

use crate::support::Log;

const NEVER_DURING_A_TEST: Duration = Duration::from_secs(1_000_000);

fn stepped() -> (ThreadPool, Stepper) {
    let (pool, stepper) = ThreadPool::builder().size(0, 1).on_report(|_| ()).build_stepped().unwrap();
    pool.start().unwrap();
    (pool, stepper)
}

fn run(stepper: &Stepper) {
    while stepper.step().is_some_and(|step| step != Step::Slept) {}
}

/// Whether the job that runs here is asked to end; `None` if it has no token.
fn asked() -> Option<bool> {
    CancelToken::current().map(|token| token.is_cancelled())
}

// Checks: P113
#[test]
fn a_job_whose_time_in_the_queue_is_over_is_refused_by_the_worker_that_comes_to_it() {
    let reports = Log::new();
    let builder = ThreadPool::builder().size(0, 1).on_report(reports.sink_of_words()).take_times();
    let (pool, stepper) = builder.build_stepped().unwrap();
    pool.start().unwrap();
    let ((kept, dropped), log) = (mpsc::channel::<()>(), Log::new());
    let told = log.clone();
    let callback = move |result: Result<(), Failure>| {
        // The function was dropped before.
        assert!(dropped.recv().is_err());
        let why = result.unwrap_err().downcast::<NeverRan>().unwrap();
        told.note(matches!(why, NeverRan::TimedOut(Duration::ZERO)));
    };
    pool.call_in_thread(Job::with_callback(callback, move || drop(kept)).queue_limit(Duration::ZERO)).unwrap();
    let ran = log.clone();
    pool.call_in_thread(Job::new(move || ran.note(false)).queue_limit(Duration::ZERO)).unwrap();
    let ticket = pool.call_in_thread_ticketed(Job::new(|| ()).queue_limit(Duration::ZERO)).unwrap();
    let next = log.clone();
    pool.call_in_thread(Job::new(move || next.note(true)).queue_limit(NEVER_DURING_A_TEST)).unwrap();
    run(&stepper);
    assert_eq!(log.entries(), [true, true]);
    assert_eq!((ticket.cancel(), ticket.token().is_cancelled()), (Cancellation::Over, false));
    let stats = pool.stats();
    assert_eq!((stats.started, stats.completed, stats.expired, stats.cancelled), (4, 4, 3, 0));
    assert_eq!(pool.times().unwrap().wait.count(), 4);
    let reports = reports.entries();
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(
        reports.iter().all(|report| report.contains("never ran") && report.contains("in the queue")),
        "{reports:?}"
    );
}

// Checks: P112
#[test]
fn a_job_whose_time_from_its_start_is_over_reads_its_token_as_cancelled_with_a_ticket_or_without() {
    let (pool, stepper) = stepped();
    let log = Log::new();
    let looks = || {
        let log = log.clone();
        Job::new(move || log.note(asked()))
    };
    pool.call_in_thread(looks()).unwrap();
    pool.call_in_thread(looks().time_limit(Duration::MAX)).unwrap();
    pool.call_in_thread(looks().time_limit(NEVER_DURING_A_TEST)).unwrap();
    pool.call_in_thread(looks().time_limit(Duration::ZERO).named("late")).unwrap();
    let in_time = pool.call_in_thread_ticketed(looks().time_limit(NEVER_DURING_A_TEST)).unwrap();
    let late =
        pool.call_in_thread_ticketed(looks().time_limit(Duration::ZERO).queue_limit(NEVER_DURING_A_TEST)).unwrap();
    let callback = log.clone();
    // The callback gets what the job returns.
    let job = Job::with_callback(move |result: Result<_, Failure>| callback.note(result.unwrap()), asked);
    pool.call_in_thread(job.time_limit(Duration::ZERO)).unwrap();
    // The queue does not count.
    assert!(!late.token().is_cancelled());
    run(&stepper);
    assert_eq!(log.entries(), [None, None, Some(false), Some(true), Some(false), Some(true), Some(true)]);
    // What was true when the job ended stays so.
    assert_eq!((in_time.token().is_cancelled(), late.token().is_cancelled()), (false, true));
    assert_eq!((late.cancel(), pool.stats().completed, pool.stats().expired), (Cancellation::Over, 7, 0));
}

// Checks: P112, P113, P68
#[test]
fn a_job_that_came_back_keeps_its_limits_and_may_be_given_others() {
    let (pool, stepper) =
        ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build_stepped().unwrap();
    pool.start().unwrap();
    let log = Log::new();
    let noted = log.clone();
    pool.call_in_thread(Job::new(|| ())).unwrap();
    let job = Job::new(move || noted.note(asked())).time_limit(Duration::ZERO).queue_limit(Duration::ZERO);
    let job = pool.call_in_thread_ticketed(job).unwrap_err().job;
    let job = pool.call_in_thread(job.time_limit(NEVER_DURING_A_TEST)).unwrap_err().job;
    run(&stepper);
    drop(pool.call_in_thread_ticketed(job.queue_limit(NEVER_DURING_A_TEST)).unwrap());
    run(&stepper);
    assert_eq!(log.entries(), [Some(false)]);
}

// Checks: P112, P113
#[test]
fn a_job_that_is_run_where_it_was_made_was_in_no_queue() {
    let log = Log::new();
    let noted = log.clone();
    Job::new(move || noted.note(asked())).time_limit(Duration::ZERO).queue_limit(Duration::ZERO).run();
    assert_eq!(log.entries(), [Some(true)]);
}
