//! One description of a job, whichever way it goes to a thread.

use std::num::NonZeroUsize;

use selvedge::{
    Job, Reactor, ThreadPool,
    pool::{CancelToken, Cancellation, StopPolicy, StopWithinError, WhenFull},
    report::Incident,
    testing::Step,
    threads,
};
use std::time::Duration;

use crate::support::{Gate, Log, wait_until, with_watchdog};

// Checks: P115, B43, B44
#[test]
fn a_job_has_a_name_and_a_ticket_and_waits_for_a_slot_all_at_once() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).build().unwrap();
        let (gate, held) = (Gate::new(), Gate::new());
        pool.start().unwrap();
        let first = gate.clone();
        pool.call_in_thread(move || first.pass()).unwrap();
        wait_until(|| pool.stats().busy == 1);
        pool.call_in_thread(|| ()).unwrap();
        let (submitter, inner) = (pool.clone(), held.clone());
        let waiting = std::thread::spawn(move || {
            let asked = move || {
                inner.pass();
                assert!(CancelToken::current().unwrap().is_cancelled());
            };
            submitter.call_in_thread_ticketed(Job::new(asked).named("slow").when_full(WhenFull::Wait)).unwrap()
        });
        gate.open();
        let ticket = waiting.join().unwrap();
        wait_until(|| pool.stats().completed == 2 && pool.stats().busy == 1);
        assert_eq!(ticket.cancel(), Cancellation::Asked);
        match pool.stop_within(StopPolicy::Drain, Duration::ZERO) {
            Err(StopWithinError::Unfinished { stragglers, .. }) => {
                assert_eq!(stragglers[0].job().and_then(|job| job.name()), Some("slow"));
            }
            other => panic!("{other:?}"),
        }
        held.open();
        pool.stop().unwrap();
        assert_eq!((pool.stats().completed, pool.stats().panicked), (3, 0));
    });
}

// Checks: P115
#[test]
fn every_way_into_a_pool_takes_a_function_or_its_description() {
    let names = Log::new();
    let noted = names.clone();
    let reactor = Reactor::builder()
        .configure_pool(move |pool| pool.around_jobs(move |label| noted.note(label.name().map(str::to_owned))))
        .build_test()
        .unwrap();
    let (pool, handle, local) = (reactor.thread_pool(), reactor.handle(), reactor.local());
    let named = || Job::new(|| ()).named("it");
    pool.call_in_thread(|| ()).unwrap();
    pool.call_in_thread(named()).unwrap();
    pool.call_in_thread(named().boxed()).unwrap();
    handle.call_in_thread(|| ()).unwrap();
    handle.call_in_thread(named()).unwrap();
    reactor.call_in_thread(|| ()).unwrap();
    reactor.call_in_thread(named()).unwrap();
    pool.call_in_thread_ticketed(|| ()).unwrap();
    pool.call_in_thread_ticketed(named()).unwrap();
    pool.call_in_thread_ticketed(Job::with_token(|token| assert!(!token.is_cancelled())).named("it")).unwrap();
    pool.call_in_thread_with_callback(|result| assert_eq!(result.unwrap(), 1), || 1).unwrap();
    pool.call_in_thread_with_callback(|_| (), named()).unwrap();
    pool.call_in_thread(Job::with_callback(|_| (), || ()).named("it")).unwrap();
    reactor.call_in_thread(Job::multiple(vec![Box::new(|| ())]).named("it")).unwrap();
    let _ = threads::defer_to_thread(&reactor, || ());
    let _ = threads::defer_to_thread(&reactor, named());
    let _ = threads::defer_to_thread(&reactor, Job::with_token(CancelToken::check).named("it"));
    let _ = threads::defer_to_thread_pool(&reactor, pool, named());
    let _ = local.defer_to_thread(named());
    reactor.settle();
    let names: Vec<_> = names.entries().into_iter().map(|name| name.is_some()).collect();
    let (plain, it) = (false, true);
    let expected = [plain, it, it, plain, it, plain, it, plain, it, it, plain, it, it, it, plain, it, it, it, it];
    assert_eq!(names, expected);
}

// Checks: P116
#[test]
fn who_asks_is_told_on_the_worker_that_a_job_begins_and_the_job_runs_even_if_that_panics() {
    let (log, reports) = (Log::new(), Log::new());
    let noted = reports.clone();
    let sink = move |report: &selvedge::report::Report<'_>| noted.note((report.incident, report.error.to_string()));
    let (pool, stepper) = ThreadPool::builder().size(0, 1).on_report(sink).build_stepped().unwrap();
    let reactor = Reactor::new();
    let job = |name: &'static str| {
        let (told, run) = (log.clone(), log.clone());
        let told = move || {
            assert_eq!(CancelToken::current().is_some(), name == "limited", "it is part of the job");
            told.note(format!("{name} begins"));
        };
        Job::new(move || run.note(name.to_owned())).on_start(told)
    };
    pool.call_in_thread(job("plain")).unwrap();
    // A reactor that watches the limit is told too.
    let _limited = threads::defer_to_thread_pool(&reactor, &pool, job("limited").time_limit(Duration::from_secs(9)));
    pool.call_in_thread(job("loud").on_start(|| panic!("start"))).unwrap();
    let dropped = Log::new();
    let guard = DropNote(dropped.clone());
    let ticket = pool.call_in_thread_ticketed(Job::new(|| ()).on_start(move || drop(guard))).unwrap();
    ticket.cancel();
    assert_eq!(dropped.entries(), ["dropped"]);
    assert!(log.entries().is_empty(), "none has begun");
    pool.start().unwrap();
    while stepper.step().is_some_and(|step| step != Step::Slept) {}
    reactor.turn().unwrap();
    assert_eq!(log.entries(), ["plain begins", "plain", "limited begins", "limited", "loud"]);
    assert_eq!(reports.entries(), [(Incident::Hook, "panicked: start".to_owned())]);
}

/// Notes that it is dropped.
struct DropNote(Log<&'static str>);

impl Drop for DropNote {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

// Checks: P115, P63
#[test]
fn a_deferred_function_has_its_name_and_the_place_where_it_was_described() {
    let labels = Log::new();
    let noted = labels.clone();
    let (pool, stepper) =
        ThreadPool::builder().size(0, 1).around_jobs(move |label| noted.note(label.clone())).build_stepped().unwrap();
    pool.start().unwrap();
    let reactor = Reactor::new();
    let job = Job::new(|| 6 * 7).named("answer");
    let label = job.label();
    let answer = threads::defer_to_thread_pool(&reactor, &pool, job);
    let (plain, line) = (threads::defer_to_thread_pool(&reactor, &pool, || 1), line!());
    while stepper.step().is_some_and(|step| step != Step::Slept) {}
    reactor.turn().unwrap();
    assert_eq!(answer.try_result().ok().and_then(Result::ok), Some(42));
    assert_eq!(plain.try_result().ok().and_then(Result::ok), Some(1));
    let labels = labels.entries();
    assert_eq!((&labels[0], labels[0].name()), (&label, Some("answer")));
    assert_eq!((labels[1].name(), labels[1].location().line()), (None, line));
}
