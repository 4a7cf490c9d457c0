//! A pool without threads, single-stepped: it runs the same code as every pool, in an order that the test chooses.
//!
//! Checks: B69, P55

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge::{
    Failure, Job, ThreadPool,
    error::{NeverRan, Rejection},
    pool::{CancelToken, Cancellation, StopPolicy, StopWithinError, WhenFull},
    report::Incident,
    testing::{Stage, Step, Stepper},
    threads,
};

use crate::support::{self, PanicOnDrop, hold};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u32>>>);

impl Log {
    fn job(&self, number: u32) -> impl FnOnce() + Send + 'static {
        let log = self.clone();
        move || log.note(number)
    }

    fn note(&self, number: u32) {
        self.0.lock().unwrap().push(number);
    }

    fn seen(&self) -> Vec<u32> {
        self.0.lock().unwrap().clone()
    }
}

fn pool(min: usize, max: usize) -> (ThreadPool, Stepper) {
    let (pool, stepper) = ThreadPool::builder().size(min, max).compensation(16).build_stepped().unwrap();
    pool.start().unwrap();
    (pool, stepper)
}

/// Steps until no worker can do a step.
fn settle(stepper: &Stepper) {
    while stepper.step().is_some() {}
}

// Checks: B30, B69
#[test]
fn one_item_per_step_first_in_first_out() {
    let (pool, stepper) = pool(0, 1);
    let log = Log::default();
    (1..=3).for_each(|number| pool.call_in_thread(log.job(number)).unwrap());
    for ran in 1..=3 {
        assert_eq!(stepper.step(), Some(Step::Took));
        assert_eq!(log.seen().len(), ran - 1, "it is taken, and not run yet");
        assert_eq!(stepper.step(), Some(Step::Ran));
        assert_eq!(log.seen().len(), ran);
    }
    assert_eq!(stepper.step(), Some(Step::Slept));
    assert_eq!(stepper.step(), None);
    assert_eq!(log.seen(), [1, 2, 3]);
}

// Checks: B69, P55
#[test]
fn nothing_runs_but_when_it_is_stepped_and_a_job_may_step_others() {
    let (pool, stepper) = pool(0, 2);
    let log = Log::default();
    let (inner, others) = (log.clone(), stepper.clone());
    pool.call_in_thread(move || {
        inner.note(1);
        settle(&others);
        inner.note(3);
    })
    .unwrap();
    pool.call_in_thread(log.job(2)).unwrap();
    assert!(log.seen().is_empty());
    settle(&stepper);
    assert_eq!(log.seen(), [1, 2, 3], "the second worker went on inside of the first one's job");
}

// Checks: B34, P50, R4
#[test]
fn after_a_burst_live_returns_to_the_minimum_when_the_keep_alive_has_passed() {
    let (pool, stepper) = pool(1, 4);
    let log = Log::default();
    (0..8).for_each(|number| pool.call_in_thread(log.job(number)).unwrap());
    // Each worker takes a job before any of them runs one.
    while stepper.workers().iter().any(|(_, stage)| !matches!(stage, Stage::Holding | Stage::Running)) {
        let able = stepper.workers().into_iter().find(|(_, stage)| !matches!(stage, Stage::Holding)).unwrap();
        assert!(stepper.step_worker(able.0).is_some());
    }
    settle(&stepper);
    assert_eq!((pool.stats().live, pool.stats().idle), (4, 4));
    pool.wake_spuriously();
    settle(&stepper);
    assert_eq!(pool.stats().idle, 4, "a wake for nothing ends nobody");
    pool.let_deadlines_pass();
    settle(&stepper);
    assert_eq!((pool.stats().live, pool.stats().idle), (1, 1));
}

// Checks: B34, P86
#[test]
fn a_keep_alive_that_is_never_over_passes_with_no_deadline() {
    for (never, live) in [(None, 1), (Some(Duration::MAX), 1), (Some(Duration::MAX - Duration::from_nanos(1)), 0)] {
        let (pool, stepper) = ThreadPool::builder().size(0, 1).keep_alive(never).build_stepped().unwrap();
        pool.start().unwrap();
        pool.call_in_thread(|| ()).unwrap();
        settle(&stepper);
        pool.let_deadlines_pass();
        settle(&stepper);
        assert_eq!(pool.stats().live, live, "with a keep-alive of {never:?}");
    }
}

// Checks: B34, P50
#[test]
fn a_worker_that_would_expire_takes_the_job_that_came_first() {
    let (pool, stepper) = pool(0, 1);
    let log = Log::default();
    pool.call_in_thread(log.job(1)).unwrap();
    settle(&stepper);
    pool.let_deadlines_pass();
    pool.call_in_thread(log.job(2)).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    settle(&stepper);
    pool.wake_spuriously();
    settle(&stepper);
    assert_eq!((log.seen(), pool.stats().live), (vec![1, 2], 1), "its time began anew with the job");
}

// Checks: B31, B34
#[test]
fn a_worker_that_has_slept_for_long_ends_when_the_minimum_is_lowered() {
    let (pool, stepper) = pool(2, 2);
    settle(&stepper);
    pool.let_deadlines_pass();
    settle(&stepper);
    assert_eq!(pool.stats().live, 2);
    pool.adjust_pool_size(1, 2).unwrap();
    settle(&stepper);
    pool.let_deadlines_pass();
    settle(&stepper);
    assert_eq!(pool.stats().live, 1, "its time began when it was one too many");
}

// Checks: B43, P51, P5
#[test]
fn a_queued_job_that_is_cancelled_is_dropped_at_once_and_gone_from_the_counts() {
    let (pool, stepper) = pool(0, 1);
    let log = Log::default();
    let capture = Arc::new(());
    pool.call_in_thread(log.job(1)).unwrap();
    let held = Arc::clone(&capture);
    let ticket = pool.call_in_thread_ticketed(move || drop(held)).unwrap();
    pool.call_in_thread(log.job(3)).unwrap();
    assert_eq!((pool.stats().queued, Arc::strong_count(&capture)), (3, 2));
    assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
    assert_eq!((pool.stats().queued, pool.stats().cancelled, Arc::strong_count(&capture)), (2, 1, 1));
    assert_eq!(ticket.cancel(), Cancellation::Over);
    settle(&stepper);
    assert_eq!(log.seen(), [1, 3]);
}

// Checks: B43
#[test]
fn a_running_job_that_is_cancelled_sees_it_in_its_token_and_in_the_current_one() {
    let (pool, stepper) = pool(0, 1);
    let cell: Arc<Mutex<Option<selvedge::pool::Ticket>>> = Arc::default();
    let own = Arc::clone(&cell);
    let ticket = pool
        .call_in_thread_ticketed(Job::with_token(move |token| {
            assert!(!token.is_cancelled() && token.check().is_ok());
            let ticket = own.lock().unwrap().take().unwrap();
            assert_eq!(ticket.cancel(), Cancellation::Asked);
            assert!(token.is_cancelled() && CancelToken::current().unwrap().check().is_err());
        }))
        .unwrap();
    *cell.lock().unwrap() = Some(ticket.clone());
    settle(&stepper);
    assert_eq!((pool.stats().completed, pool.stats().panicked, pool.stats().cancelled), (1, 0, 0));
    assert_eq!(ticket.cancel(), Cancellation::Over);
    assert!(CancelToken::current().is_none());
}

// Checks: B40, P2, P52
#[test]
fn a_stop_that_cancels_strengthens_one_that_drains() {
    let (pool, stepper) = pool(0, 1);
    let log = Log::default();
    let told = log.clone();
    pool.call_in_thread(log.job(1)).unwrap();
    pool.call_in_thread_with_callback(
        move |result: Result<(), Failure>| {
            assert!(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::CancelledByStop)));
            told.note(20);
        },
        || (),
    )
    .unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    pool.stop().unwrap();
    assert!(!pool.has_stopped() && log.seen().is_empty());
    pool.stop_with(StopPolicy::CancelQueued).unwrap();
    assert_eq!(log.seen(), [20]);
    pool.stop_with(StopPolicy::Drain).unwrap();
    settle(&stepper);
    assert_eq!(log.seen(), [20, 1]);
    assert!(pool.has_stopped());
    let stats = pool.stats();
    assert_eq!((stats.completed, stats.cancelled, stats.live), (1, 1, 0));
}

// Checks: B40, R29
#[test]
fn a_stop_that_runs_out_of_time_names_those_that_run() {
    let (pool, stepper) = pool(0, 2);
    pool.call_in_thread(Job::new(|| ()).named("slow")).unwrap();
    pool.call_in_thread(|| ()).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    let error = pool.stop_within(StopPolicy::Drain, Duration::ZERO).unwrap_err();
    let StopWithinError::Unfinished { stragglers, queued, .. } = &error else { unreachable!() };
    assert_eq!(
        (stragglers.len(), stragglers[0].job().unwrap().name(), stragglers[0].worker, *queued),
        (1, Some("slow"), 0, 1)
    );
    assert!(error.to_string().contains("slow"), "{error}");
    settle(&stepper);
    assert_eq!(pool.stop_within(StopPolicy::Drain, Duration::ZERO), Ok(()));
}

// Checks: B40, R29
#[test]
fn a_stop_that_runs_out_of_time_names_no_job_that_has_ended_and_says_where_one_without_a_name_was_made() {
    let (pool, stepper) = pool(0, 1);
    let unfinished = || match pool.stop_within(StopPolicy::Drain, Duration::ZERO) {
        Err(StopWithinError::Unfinished { stragglers, queued, .. }) => (stragglers, queued),
        other => panic!("{other:?}"),
    };
    pool.call_in_thread(Job::new(|| ()).named("over")).unwrap();
    settle(&stepper);
    let line = line!() + 1;
    pool.call_in_thread(|| ()).unwrap();
    assert_eq!(unfinished(), (vec![], 1));
    assert_eq!(stepper.step(), Some(Step::Took));
    let (stragglers, queued) = unfinished();
    assert_eq!((stragglers.len(), queued), (1, 0));
    assert_eq!((stragglers[0].job().unwrap().name(), stragglers[0].job().unwrap().location().line()), (None, line));
    settle(&stepper);
}

// Checks: B40, R30
#[test]
fn a_job_may_ask_its_own_pool_to_stop_but_not_wait_for_it() {
    let (pool, stepper) = pool(0, 1);
    let own = pool.clone();
    pool.call_in_thread(move || {
        assert!(own.stop().is_err());
        let refused = own.stop_within(StopPolicy::Drain, Duration::ZERO).unwrap_err();
        assert_eq!(refused, StopWithinError::WouldDeadlock);
        assert_eq!(refused.to_string(), own.stop().unwrap_err().to_string());
        own.ask_to_stop(StopPolicy::Drain);
    })
    .unwrap();
    settle(&stepper);
    assert!(pool.has_stopped());
}

// Checks: B44, P53
#[test]
fn a_full_queue_hands_jobs_back_until_one_is_taken_or_cancelled() {
    let two = NonZeroUsize::new(2).unwrap();
    let (pool, stepper) = ThreadPool::builder().size(0, 1).queue_bound(two).build_stepped().unwrap();
    let log = Log::default();
    pool.call_in_thread(log.job(1)).unwrap();
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    let full = pool.call_in_thread(log.job(2)).unwrap_err();
    assert_eq!((full.reason, pool.stats().rejected), (Rejection::QueueFull, 1));
    ticket.cancel();
    pool.call_in_thread(full.job).unwrap();
    assert_eq!(pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap_err().reason, Rejection::TimedOut);
    pool.start().unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    pool.call_in_thread(log.job(3)).unwrap();
    settle(&stepper);
    assert_eq!(log.seen(), [1, 2, 3]);
}

// Checks: B45, P54, R1, R10
#[test]
fn one_more_worker_stands_in_for_one_that_is_blocked_and_goes_when_it_goes_on() {
    let (pool, stepper) = pool(0, 1);
    let log = Log::default();
    let (inner, own, others) = (log.clone(), pool.clone(), stepper.clone());
    pool.call_in_thread(move || {
        threads::blocked(|| {
            // Inside of another region: it makes no difference.
            let _too = threads::Blocked::enter();
            assert_eq!((own.stats().blocked, own.stats().live), (1, 2));
            settle(&others);
            assert_eq!(inner.seen(), [2], "this job has waited for that one");
        });
        assert_eq!(own.stats().blocked, 0);
        settle(&others);
        assert_eq!(own.stats().live, 1, "the idle one was one too many");
    })
    .unwrap();
    pool.call_in_thread(log.job(2)).unwrap();
    settle(&stepper);
    assert_eq!((pool.stats().completed, pool.stats().panicked, pool.stats().peak), (2, 0, 2));
}

// Checks: B45, P54
#[test]
fn that_all_are_blocked_is_reported_once_until_it_changes() {
    let told = Arc::new(Mutex::new(0));
    let sink = Arc::clone(&told);
    let builder = ThreadPool::builder().size(0, 1).compensation(0);
    let builder = builder.on_report(move |report| {
        assert_eq!(report.incident, Incident::Saturated);
        *sink.lock().unwrap() += 1;
    });
    let (pool, stepper) = builder.build_stepped().unwrap();
    pool.start().unwrap();
    let (own, count) = (pool.clone(), Arc::clone(&told));
    pool.call_in_thread(move || {
        for episode in 1..=2 {
            let _blocked = threads::Blocked::enter();
            own.call_in_thread(|| ()).unwrap();
            own.call_in_thread(|| ()).unwrap();
            assert!(own.stats().saturated);
            assert_eq!(*count.lock().unwrap(), episode);
        }
        assert!(!own.stats().saturated);
    })
    .unwrap();
    settle(&stepper);
    assert_eq!((pool.stats().completed, pool.stats().panicked), (5, 0));
}

// Checks: B41, B45, R3
#[test]
fn a_start_that_fails_is_tried_again_whatever_it_was_for() {
    let (pool, stepper) = ThreadPool::builder().size(0, 2).on_report(|_| ()).build_stepped().unwrap();
    pool.start().unwrap();
    let log = Log::default();
    let told = log.clone();
    pool.fail_starts(1);
    pool.call_in_thread_with_callback(
        move |result: Result<(), Failure>| {
            assert!(matches!(result.unwrap_err().downcast_ref(), Some(NeverRan::ThreadStart(_))));
            told.note(0);
        },
        || (),
    )
    .unwrap();
    assert_eq!((log.seen(), pool.stats().live, pool.stats().failed), (vec![0], 0, 1));
    pool.call_in_thread(log.job(1)).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    pool.fail_starts(1);
    pool.call_in_thread(log.job(2)).unwrap();
    assert_eq!((pool.stats().live, pool.stats().queued), (1, 1), "a worker lives: the job stays");
    pool.call_in_thread(log.job(3)).unwrap();
    assert_eq!(pool.stats().live, 2, "the next submission has tried again");
    settle(&stepper);
    assert_eq!(pool.stats().completed, 3);
}

// Checks: B45, P54, R44
#[test]
fn a_pool_of_one_runs_one_job_at_a_time_unless_compensation_was_asked_for() {
    for (builder, most) in [(ThreadPool::builder(), 1), (ThreadPool::builder().compensation(16), 4)] {
        let (pool, stepper) = builder.size(1, 1).build_stepped().unwrap();
        pool.start().unwrap();
        for _ in 0..4 {
            let others = stepper.clone();
            pool.call_in_thread(move || threads::blocked(|| settle(&others))).unwrap();
        }
        settle(&stepper);
        assert_eq!(pool.stats().peak, most, "one for each job that waits, if that was asked for");
        assert_eq!((pool.stats().completed, pool.stats().live), (4, 1));
    }
}

// Checks: B45, P54, R44
#[test]
fn a_pool_that_is_shrunk_to_one_thread_is_not_compensated_by_default() {
    let (pool, stepper) = ThreadPool::builder().size(0, 2).build_stepped().unwrap();
    pool.start().unwrap();
    let (own, others) = (pool.clone(), stepper.clone());
    let log = Log::default();
    let inner = log.clone();
    pool.call_in_thread(move || {
        own.adjust_pool_size(0, 1).unwrap();
        threads::blocked(|| {
            assert!(!own.stats().saturated, "no job waits");
            own.call_in_thread(inner.job(1)).unwrap();
            settle(&others);
            assert!(inner.seen().is_empty());
            assert!(own.stats().saturated);
        });
        inner.note(2);
    })
    .unwrap();
    settle(&stepper);
    assert_eq!(log.seen(), [2, 1]);
}

// Checks: P2, P77, B36
#[test]
fn jobs_of_a_pool_that_nobody_steps_any_more_are_refused_whatever_their_drops_do() {
    let (log, reports) = (support::Log::<String>::new(), support::Log::<String>::new());
    let contexts = reports.clone();
    let (pool, stepper) = ThreadPool::builder()
        .size(1, 1)
        .on_report(reports.sink_of_words())
        .context(move || (PanicOnDrop, hold(&contexts)), |_captured| ())
        .build_stepped()
        .unwrap();
    pool.start().unwrap();
    let job = |name: &'static str| {
        let (log, captured) = (log.clone(), PanicOnDrop);
        let on_result = move |result: Result<(), Failure>| {
            let why = result.unwrap_err();
            assert!(matches!(why.downcast_ref(), Some(NeverRan::CancelledByStop)));
            log.note(name.to_owned());
        };
        Job::with_callback(on_result, move || hold(&captured)).named(name)
    };
    pool.call_in_thread(job("held")).unwrap();
    pool.call_in_thread(job("queued")).unwrap();
    drop(pool.call_in_thread_ticketed(job("ticketed")).unwrap());
    assert_eq!(stepper.step(), Some(Step::Took));
    drop(pool);
    assert_eq!((log.len(), reports.len()), (0, 0), "they might still be run");
    drop(stepper);
    assert_eq!(log.entries(), ["held", "queued", "ticketed"]);
    // Of each job the context and the captures.
    assert_eq!(reports.len(), 6, "{:?}", reports.entries());
}
