//! Hooks around each job, and contexts that travel from where a job is submitted to where it runs.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;

use selvedge::{
    Job, Reactor, ThreadPool,
    error::NeverRan,
    pool::{Cancellation, JobLabel, PoolBuilder, WhenFull},
    report::Incident,
    threads,
};

use crate::support::{Log, Note, PanicOnDrop, hold, wait_until, with_watchdog};

/// What happened, in order.
type TextLog = Log<String>;

/// The builder of a pool of one worker.
fn one() -> PoolBuilder {
    ThreadPool::builder().size(1, 1)
}

fn started(builder: PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

/// Adds a hook around jobs that notes when it is entered and left.
fn noting(builder: PoolBuilder, log: &TextLog, name: &'static str) -> PoolBuilder {
    let log = log.clone();
    builder.around_jobs(move |_| enter(&log, name))
}

fn enter(log: &TextLog, name: &str) -> Note<String> {
    log.note(format!("enter {name}"));
    log.when_dropped(format!("leave {name}"))
}

fn note(log: &TextLog, words: &str) {
    log.note(words.to_owned());
}

thread_local! {
    /// A thread-local that a context carries from the submitter's thread to the worker's.
    static REQUEST: Cell<u32> = const { Cell::new(0) };
}

/// Restores the previous value.
struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        REQUEST.set(self.0);
    }
}

fn carrying_the_request(builder: PoolBuilder) -> PoolBuilder {
    builder.context(|| REQUEST.get(), |request| Restore(REQUEST.replace(request)))
}

// ---- contexts

// Checks: B39
#[test]
fn a_job_sees_the_context_of_where_it_was_submitted_and_leaves_none_behind() {
    with_watchdog(|| {
        let pool = started(carrying_the_request(one()));
        let log = Log::new();
        for request in [7, 0, 9] {
            let log = log.clone();
            REQUEST.set(request);
            pool.call_in_thread(move || log.note(REQUEST.replace(99))).unwrap();
        }
        REQUEST.set(1);
        pool.stop().unwrap();
        assert_eq!(log, [7, 0, 9], "each its own, whatever a job makes of it");
    });
}

// Checks: B39
#[test]
fn a_context_is_captured_on_the_submitters_thread_before_the_submission_returns_and_entered_on_the_workers() {
    with_watchdog(|| {
        let (captured, entered) = (Log::new(), Log::new());
        let (capture, enter) = (captured.clone(), entered.clone());
        let pool = one()
            .context(move || capture.note(thread::current().id()), move |()| enter.note(thread::current().id()))
            .build()
            .unwrap();
        let log = Log::new();
        let ran = log.clone();
        pool.call_in_thread(move || ran.note(thread::current().id())).unwrap();
        assert_eq!(captured, [thread::current().id()]);
        assert_eq!(entered.len(), 0);
        pool.start().unwrap();
        pool.stop().unwrap();
        assert_eq!(entered.entries(), log.entries());
    });
}

// Checks: B39, B46
#[test]
fn contexts_follow_every_way_into_a_thread() {
    with_watchdog(|| {
        let reactor = Reactor::builder().pool_size(1, 1).configure_pool(carrying_the_request).build().unwrap();
        let log = Log::new();
        let seen = || {
            let log = log.clone();
            move || log.note(REQUEST.get())
        };
        let set_and = |request| REQUEST.set(request);
        set_and(1);
        reactor.call_in_thread(seen()).unwrap();
        set_and(2);
        reactor.handle().call_in_thread(seen()).unwrap();
        set_and(3);
        let result = seen();
        reactor.thread_pool().call_in_thread_with_callback(move |_| result(), || ()).unwrap();
        set_and(4);
        threads::call_multiple_in_thread(&reactor.handle(), vec![Box::new(seen()), Box::new(seen())]).unwrap();
        set_and(5);
        reactor.thread_pool().call_in_thread(Job::new(seen())).unwrap();
        set_and(6);
        let (last, handle) = (seen(), reactor.handle());
        let _ = threads::defer_to_thread(&reactor, move || {
            last();
            handle.stop();
        });
        reactor.run();
        assert_eq!(log, [1, 2, 3, 4, 4, 5, 6]);
    });
}

// Checks: B39, B37
#[test]
fn a_guard_is_dropped_after_the_job_its_captures_and_its_callback_and_before_the_next_job() {
    with_watchdog(|| {
        let log = TextLog::new();
        let (entering, capturing) = (log.clone(), log.clone());
        let builder = one().context(move || note(&capturing, "capture"), move |()| enter(&entering, "context"));
        let pool = builder.build().unwrap();
        let (work, captured, told, next) =
            (log.clone(), log.when_dropped("captures".to_owned()), log.clone(), log.clone());
        let told_captures = log.when_dropped("the callback's captures".to_owned());
        pool.call_in_thread_with_callback(
            move |_| {
                hold(&told_captures);
                note(&told, "callback");
            },
            move || {
                hold(&captured);
                note(&work, "job");
            },
        )
        .unwrap();
        pool.call_in_thread(move || note(&next, "next")).unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
        let expected = [
            "capture",
            "capture",
            "enter context",
            "job",
            "captures",
            "callback",
            "the callback's captures",
            "leave context",
            "enter context",
            "next",
            "leave context",
        ];
        assert_eq!(log, expected.map(str::to_owned));
    });
}

// Checks: B39
#[test]
fn what_was_added_first_is_entered_first_and_left_last_be_it_a_context_or_a_hook() {
    with_watchdog(|| {
        let log = TextLog::new();
        let (first, third) = (log.clone(), log.clone());
        let builder = one().context(|| "1", move |name| enter(&first, name));
        let builder = noting(builder, &log, "2").context(|| "3", move |name| enter(&third, name));
        let pool = started(noting(builder, &log, "4"));
        let job = log.clone();
        pool.call_in_thread(move || note(&job, "job")).unwrap();
        pool.stop().unwrap();
        let expected = ["enter 1", "enter 2", "enter 3", "enter 4", "job", "leave 4", "leave 3", "leave 2", "leave 1"];
        assert_eq!(log, expected.map(str::to_owned));
    });
}

// Checks: B39, P5
#[test]
fn a_job_that_is_handed_back_has_its_context_dropped_there_and_is_captured_for_anew_elsewhere() {
    with_watchdog(|| {
        let stopped = carrying_the_request(one()).build().unwrap();
        stopped.stop().unwrap();
        let dropped = Log::new();
        let drops = dropped.clone();
        let noting = one().context(move || drops.when_dropped(thread::current().id()), |captured| captured);
        let noting = noting.build().unwrap();
        noting.stop().unwrap();
        let other = started(carrying_the_request(one()));
        let log = Log::new();
        let ran = log.clone();
        REQUEST.set(1);
        let rejected = stopped.call_in_thread(move || ran.note(REQUEST.get())).unwrap_err();
        let rejected = noting.call_in_thread(rejected.job).unwrap_err();
        assert_eq!(dropped, [thread::current().id()]);
        REQUEST.set(2);
        other.call_in_thread(rejected.job).unwrap();
        other.stop().unwrap();
        assert_eq!(log, [2]);
        // Nor does one that is run by hand have any.
        let ran = log.clone();
        let rejected = other.call_in_thread(move || ran.note(REQUEST.get())).unwrap_err();
        REQUEST.set(3);
        rejected.job.run();
        assert_eq!(log, [2, 3]);
    });
}

// Checks: B39
#[test]
fn a_job_that_is_refused_is_told_so_within_its_context_but_not_within_the_hooks_around_jobs() {
    with_watchdog(|| {
        let log = TextLog::new();
        let pool = noting(carrying_the_request(one()), &log, "hook").build().unwrap();
        let told = log.clone();
        REQUEST.set(5);
        pool.call_in_thread_with_callback(
            move |result| {
                let refused = result.is_err_and(|failure| failure.is::<NeverRan>());
                told.note(format!("{refused} {}", REQUEST.get()));
            },
            || (),
        )
        .unwrap();
        REQUEST.set(6);
        pool.stop().unwrap();
        assert_eq!(log, ["true 5".to_owned()]);
        assert_eq!(REQUEST.get(), 6);
    });
}

// Checks: B39, B43
#[test]
fn a_job_that_is_cancelled_is_dropped_within_its_context_on_the_cancellers_thread() {
    with_watchdog(|| {
        struct Witness(Log<(u32, thread::ThreadId)>);
        impl Drop for Witness {
            fn drop(&mut self) {
                self.0.note((REQUEST.get(), thread::current().id()));
            }
        }
        let log = Log::new();
        let pool = carrying_the_request(one()).build().unwrap();
        let witness = Witness(log.clone());
        REQUEST.set(5);
        let ticket = pool.call_in_thread_ticketed(move || hold(&witness)).unwrap();
        REQUEST.set(6);
        assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
        assert_eq!(log, [(5, thread::current().id())]);
        assert_eq!(REQUEST.get(), 6);
        pool.stop().unwrap();
    });
}

// ---- hooks that panic

/// A pool of one worker with hooks that panic wherever one can, and a log of the incidents.
fn hostile(log: &Log<Incident>) -> ThreadPool {
    let builder = one()
        .on_report(log.sink())
        .around_jobs(|_| panic!("on entering"))
        .around_jobs(|_| PanicOnDrop)
        .context(|| panic!("on capturing"), |()| ())
        .context(|| (), |()| panic!("on restoring"))
        .context(|| (), |()| PanicOnDrop);
    started(builder)
}

// Checks: B38, B39, P62
#[test]
fn hooks_that_panic_are_reported_and_the_job_still_runs_exactly_once() {
    with_watchdog(|| {
        let (reports, log) = (Log::new(), Log::new());
        let pool = hostile(&reports);
        for number in 0..3 {
            let log = log.clone();
            pool.call_in_thread(move || log.note(number)).unwrap();
        }
        pool.stop().unwrap();
        assert_eq!(log, [0, 1, 2]);
        assert_eq!(reports, [Incident::Hook; 15], "five ends of hooks, three jobs");
        let stats = pool.stats();
        assert_eq!((stats.completed, stats.panicked, stats.peak), (3, 0, 1), "it was no job that panicked");
    });
}

// Checks: B38, P62
#[test]
fn a_job_that_panics_is_left_by_its_hooks_as_any_other() {
    with_watchdog(|| {
        let (log, reports) = (TextLog::new(), Log::new());
        let pool = started(noting(one().on_report(reports.sink()), &log, "hook"));
        pool.call_in_thread(|| panic!("a job")).unwrap();
        pool.stop().unwrap();
        assert_eq!(log, ["enter hook", "leave hook"].map(str::to_owned));
        assert_eq!((reports.entries(), pool.stats().panicked), (vec![Incident::Job], 1));
    });
}

// Checks: P9, B39
#[test]
fn a_hook_may_use_the_pool_that_runs_it() {
    with_watchdog(|| {
        let (pool, ran) = (Arc::new(RwLock::new(None::<ThreadPool>)), Log::new());
        let more = ran.clone();
        let use_pool = {
            let pool = Arc::clone(&pool);
            move || {
                let Some(pool) = pool.read().unwrap().clone() else { return };
                assert!(pool.stats().live <= 3);
                pool.adjust_pool_size(0, 3).unwrap();
                if more.len() < 2 {
                    let ran = more.clone();
                    more.note(0);
                    pool.call_in_thread(move || ran.note(1)).unwrap();
                }
            }
        };
        let (around, capture, restore) = (use_pool.clone(), use_pool.clone(), use_pool.clone());
        let built =
            ThreadPool::builder().size(0, 3).around_jobs(move |_| around()).context(capture, move |()| restore());
        let built = started(built);
        *pool.write().unwrap() = Some(built.clone());
        let first = ran.clone();
        built.call_in_thread(move || first.note(1)).unwrap();
        wait_until(|| built.stats().queued == 0 && built.stats().busy == 0);
        assert!(ran.entries().contains(&1));
        assert_eq!(built.stats().panicked, 0);
        built.stop().unwrap();
        // The pool owns the hooks, which own this handle.
        *pool.write().unwrap() = None;
    });
}

// Checks: B39
#[test]
fn a_guard_need_not_be_send_and_is_dropped_where_it_was_made() {
    with_watchdog(|| {
        struct Here(Rc<()>, thread::ThreadId, Arc<AtomicUsize>);
        impl Drop for Here {
            fn drop(&mut self) {
                assert_eq!((Rc::strong_count(&self.0), self.1), (1, thread::current().id()));
                self.2.fetch_add(1, Ordering::Relaxed);
            }
        }
        let left = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&left);
        let pool = started(one().around_jobs(move |_| Here(Rc::new(()), thread::current().id(), Arc::clone(&count))));
        pool.call_in_thread(|| ()).unwrap();
        pool.stop().unwrap();
        assert_eq!(left.load(Ordering::Relaxed), 1);
    });
}

// ---- which job it was

/// What the sink was given: the incident, the job's name, and the line where it was made.
type Reports = Log<(Incident, Option<String>, Option<u32>)>;

fn reporting(builder: PoolBuilder, reports: &Reports) -> PoolBuilder {
    let reports = reports.clone();
    builder.on_report(move |report| {
        let line = report.location.filter(|place| place.file() == file!()).map(std::panic::Location::line);
        reports.note((report.incident, report.job.map(str::to_owned), line));
    })
}

// Checks: P63, B38
#[test]
fn a_panic_is_reported_with_the_place_where_its_job_was_submitted_whichever_way_that_was() {
    with_watchdog(|| {
        let reports = Reports::new();
        let reactor =
            Reactor::builder().pool_size(1, 1).configure_pool(|pool| reporting(pool, &reports)).build().unwrap();
        let handle = reactor.handle();
        let pool = reactor.thread_pool();
        let mut lines = vec![line!() + 1];
        pool.call_in_thread(|| panic!("a job")).unwrap();
        lines.push(line!() + 1);
        reactor.call_in_thread(|| panic!("a job")).unwrap();
        lines.push(line!() + 1);
        handle.call_in_thread(|| panic!("a job")).unwrap();
        lines.push(line!() + 1);
        threads::call_multiple_in_thread(&handle, vec![Box::new(|| panic!("a job"))]).unwrap();
        lines.push(line!() + 1);
        pool.call_in_thread(Job::new(|| panic!("a job"))).unwrap();
        let stop = reactor.handle();
        pool.call_in_thread(move || stop.stop()).unwrap();
        reactor.run();
        let expected: Vec<_> = lines.into_iter().map(|line| (Incident::Job, None, Some(line))).collect();
        assert_eq!(reports.entries(), expected);
    });
}

// Checks: P63, B39, B46
#[test]
fn hooks_see_the_place_of_a_job_whichever_way_it_was_submitted() {
    with_watchdog(|| {
        let seen = Log::new();
        let lines = seen.clone();
        let hook = move |job: &JobLabel| {
            lines.note((job.location().file() == file!()).then(|| job.location().line()));
        };
        let reactor =
            Reactor::builder().pool_size(1, 1).configure_pool(move |pool| pool.around_jobs(hook)).build().unwrap();
        let pool = reactor.thread_pool().clone();
        let mut expected = vec![line!() + 1];
        pool.call_in_thread_ticketed(|| ()).unwrap();
        expected.push(line!() + 1);
        pool.call_in_thread(|| ()).unwrap();
        expected.push(line!() + 1);
        pool.call_in_thread_with_callback(|_| (), || ()).unwrap();
        expected.push(line!() + 1);
        let _ = threads::defer_to_thread_pool(&reactor, &pool, || ());
        expected.push(line!() + 3);
        let (other, handle) = (pool.clone(), reactor.handle());
        let waiter = thread::spawn(move || {
            other.call_in_thread(Job::new(move || handle.stop()).when_full(WhenFull::Wait)).unwrap();
        });
        waiter.join().unwrap();
        expected.push(line!() + 1);
        let _ = threads::defer_to_thread(&reactor, || ());
        reactor.run();
        assert_eq!(seen.entries(), expected.into_iter().map(Some).collect::<Vec<_>>());
    });
}

// Checks: P63, B36
#[test]
fn failures_of_a_callback_and_jobs_that_never_run_have_the_jobs_place_too() {
    with_watchdog(|| {
        let reports = Reports::new();
        let pool = reporting(one(), &reports).build().unwrap();
        let mut lines = vec![line!() + 1];
        pool.call_in_thread_with_callback(|_| panic!("told"), || ()).unwrap();
        lines.push(line!() + 1);
        pool.call_in_thread(|| ()).unwrap();
        pool.stop().unwrap();
        let expected = [(Incident::OnResult, None, Some(lines[0])), (Incident::Job, None, Some(lines[1]))];
        assert_eq!(reports, expected);
    });
}

// Checks: P63
#[test]
fn a_named_job_is_reported_by_its_name_and_hooks_see_its_label() {
    with_watchdog(|| {
        let (reports, labels, words) = (Reports::new(), Log::new(), TextLog::new());
        let (seen, shown) = (labels.clone(), words.clone());
        let builder = reporting(one(), &reports).around_jobs(move |job| seen.note(job.clone()));
        let pool = started(builder);
        let line = line!() + 1;
        let job = Job::new(|| panic!("a job")).named("thumbnail");
        let label = job.label();
        assert_eq!((label.name(), label.location().line()), (Some("thumbnail"), line));
        assert_eq!(label.to_string(), format!("\"thumbnail\", made at {}", label.location()));
        pool.call_in_thread(job).unwrap();
        let from_string = Job::with_callback(|_| (), || ()).named(format!("number {}", 2));
        let other = from_string.label();
        pool.call_in_thread(from_string).unwrap();
        pool.stop().unwrap();
        assert_eq!(labels, [label, other]);
        assert_eq!(reports, [(Incident::Job, Some("thumbnail".to_owned()), Some(line))]);
        // As people see it.
        let pool = started(one().on_report(move |report| shown.note(report.to_string())));
        pool.call_in_thread(Job::new(|| panic!("a job")).named("thumbnail")).unwrap();
        pool.stop().unwrap();
        let place = format!("{}:{}:", file!(), line!() - 2);
        let expected = format!("a job in the thread pool failed: panicked: a job (job \"thumbnail\", made at {place}");
        assert!(words.entries()[0].starts_with(&expected), "{words:?}");
    });
}
