//! Failures of what reports failures: errors that cannot be displayed, sinks that fail, cause reports, or panic in the
//! drop of what they captured.

use std::error::Error;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use selvedge::coordination::DeferredLock;
use selvedge::error::{BlockingCallError, FailureGroup, Panic};
use selvedge::reactor::{Event, Phase};
use selvedge::report::Incident;
use selvedge::task::Cooperator;
use selvedge::testing::Step;
use selvedge::{Deferred, Failure, Handle, Job, Reactor, ThreadPool, threads};

use crate::support::{Log, Note, hold, on_a_small_stack, with_watchdog};

/// Panics when it is dropped, also while its thread unwinds: where that is not contained, the process aborts.
struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic_any(PanicOnceMore);
    }
}

struct PanicOnceMore;

impl Drop for PanicOnceMore {
    fn drop(&mut self) {
        panic!("the drop of the payload of a drop");
    }
}

/// What the code of an error does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Hostile {
    DisplayPanics,
    DisplayFails,
    DisplayNeverEnds,
    DisplayReports,
    SourcePanics,
    IsItsOwnSource,
    DropPanics,
    /// It panics with a payload whose drop panics with a payload whose drop panics.
    PayloadDropPanics,
}

use Hostile::*;

const ALL: [Hostile; 8] = [
    DisplayPanics,
    DisplayFails,
    DisplayNeverEnds,
    DisplayReports,
    SourcePanics,
    IsItsOwnSource,
    DropPanics,
    PayloadDropPanics,
];

#[derive(Debug)]
struct HostileError(Hostile);

impl fmt::Display for HostileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DisplayPanics => panic!("no words"),
            DisplayFails => return Err(fmt::Error),
            DisplayNeverEnds => loop {
                f.write_str("and so on ")?;
            },
            DisplayReports => drop(Deferred::<()>::fail(HostileError(DisplayReports))),
            PayloadDropPanics => panic_any(PanicOnDrop),
            SourcePanics | IsItsOwnSource | DropPanics => {}
        }
        f.write_str("hostile")
    }
}

impl Error for HostileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.0 {
            SourcePanics => panic!("no cause"),
            IsItsOwnSource => Some(self),
            _ => None,
        }
    }
}

impl Drop for HostileError {
    fn drop(&mut self) {
        match self.0 {
            DropPanics => panic!("a drop"),
            PayloadDropPanics => panic_any(PanicOnDrop),
            _ => {}
        }
    }
}

fn fail_as(hostile: Hostile) -> Result<(), Failure> {
    Err(Failure::new(HostileError(hostile)))
}

// Checks: P75, R34
#[test]
fn no_code_of_an_error_keeps_a_phase_from_its_end_or_a_trigger_from_its_turn() {
    for sink in ["stderr", "displays the report", "displays the error", "debugs the failure"] {
        for hostile in ALL {
            if sink == "displays the error" && hostile == DisplayNeverEnds {
                continue; // Nothing ends that but the sink itself.
            }
            with_watchdog(move || {
                let log = Log::new();
                let builder = match sink {
                    "stderr" => Reactor::builder(),
                    "displays the report" => Reactor::builder().on_report(|report| drop(report.to_string())),
                    "displays the error" => Reactor::builder().on_report(|report| drop(report.error.to_string())),
                    _ => Reactor::builder().on_report(|report| drop(format!("{:?}", report.error))),
                };
                let reactor = builder.build().unwrap();
                for phase in [Phase::Before, Phase::During, Phase::After] {
                    let _ = reactor.add_event_trigger(phase, Event::SHUTDOWN, move |_| fail_as(hostile));
                    let _ = reactor.add_event_trigger(phase, Event::SHUTDOWN, move |_| match fail_as(hostile) {
                        Ok(()) => Deferred::succeed(()),
                        Err(failure) => Deferred::fail(failure),
                    });
                    let log = log.clone();
                    let _ = reactor.add_event_trigger(phase, Event::SHUTDOWN, move |_| log.note(phase));
                }
                reactor.call_in_thread(move || panic_any(HostileError(hostile))).unwrap();
                reactor.call_when_running(move |reactor| {
                    threads::defer_to_thread(reactor, move || fail_as(hostile)).log_error();
                    drop(Deferred::<()>::fail(Failure::new(HostileError(hostile))));
                    reactor.stop().unwrap();
                });
                reactor.run();
                assert_eq!(log, [Phase::Before, Phase::During, Phase::After], "{hostile:?}, {sink}");
            });
        }
    }
}

/// An error whose `Display` uses the reactor and its pool in every way that does not block.
#[derive(Debug)]
struct Meddling(Handle);

impl fmt::Display for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handle = &self.0;
        assert!(handle.call_from_thread(|_| ()).is_ok() && handle.call_in_thread(|| ()).is_ok());
        assert!(handle.thread_pool().stop().is_err() || !handle.is_in_reactor_thread());
        let _ = (handle.thread_pool().stats(), format!("{handle:?}"));
        handle.stop();
        f.write_str("meddling")
    }
}

impl Error for Meddling {}

// Checks: P75, P9, R20
#[test]
fn what_displays_an_error_or_is_written_to_may_use_the_reactor_and_its_pool() {
    with_watchdog(|| {
        let reactor = Reactor::builder().on_report(|report| drop(report.to_string())).build().unwrap();
        let failing = Failure::new(Meddling(reactor.handle()));
        reactor.call_from_thread(move |_| drop(Deferred::<()>::fail(failing))).unwrap();
        let mut meddler = Meddler(reactor.handle(), Cooperator::new(&reactor));
        let (handle, cooperator) = (reactor.handle(), meddler.1.clone());
        write!(meddler, "{handle:?} {reactor:?} {cooperator:?} {:?}", handle.thread_pool()).unwrap();
        reactor.run();
    });
}

/// A writer that uses the reactor, its pool and its cooperator.
struct Meddler(Handle, Cooperator);

impl Write for Meddler {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        self.0.call_from_thread(|_| ()).unwrap();
        self.0.call_in_thread(|| ()).unwrap();
        let _ = self.1.cooperate(std::iter::empty::<()>());
        Ok(())
    }
}

// Checks: P75, P28
#[test]
fn a_failure_can_always_be_displayed_and_says_what_its_error_could_not() {
    let shown = |hostile| fail_as(hostile).unwrap_err().to_string();
    assert_eq!(shown(DisplayPanics), "(its `Display` panicked: no words)");
    assert_eq!(shown(DisplayFails), "(its `Display` failed)");
    // A backtrace follows, if one is asked for.
    let debugged = |hostile| format!("{:?}\n", fail_as(hostile).unwrap_err());
    assert!(debugged(DisplayNeverEnds).matches("and so on ").count() < 7_000);
    assert_eq!(shown(SourcePanics), "hostile");
    assert_eq!(format!("{:>4}", Failure::msg("b")), "   b");
    assert!(debugged(SourcePanics).starts_with("hostile\n"));
    let endless = debugged(IsItsOwnSource);
    assert!(endless.starts_with("hostile\n  caused by: hostile\n") && endless.matches("caused by").count() < 4_000);
    let group = Failure::from(FailureGroup { failures: vec![fail_as(DisplayPanics).unwrap_err(), Failure::msg("b")] });
    assert_eq!(group.to_string(), "none of 2 Deferreds succeeded: (its `Display` panicked: no words); b");
}

// Checks: P75, P20
#[test]
fn a_future_that_is_dropped_asks_an_error_for_its_causes_without_end_or_panic() {
    with_watchdog(|| {
        for hostile in [IsItsOwnSource, SourcePanics] {
            let reports = Log::new();
            let reactor = Reactor::builder().on_report(reports.sink()).build().unwrap();
            reactor
                .call_from_thread(move |_| {
                    let (deferred, resolver) = Deferred::<()>::with_firing_canceller(move |resolver| {
                        resolver.errback(HostileError(hostile));
                    });
                    drop((deferred.into_future(), resolver));
                })
                .unwrap();
            reactor.turn().unwrap();
            assert_eq!(reports, [Incident::Unhandled], "{hostile:?}");
        }
    });
}

// Checks: P76, R35
#[test]
fn a_sink_is_told_of_each_report_that_it_causes_and_never_inside_itself() {
    let (log, inside) = (Log::new(), AtomicBool::new(false));
    let told = log.clone();
    let reactor = Reactor::builder()
        .on_report(move |report| {
            assert!(!inside.swap(true, Ordering::Relaxed), "it is called inside itself");
            told.note(report.to_string());
            if report.incident == Incident::Call {
                drop(Deferred::<()>::fail(Failure::msg("first")));
                Job::new(|| panic!("goes to the sink of no pool")).run();
                drop(Deferred::<()>::fail(Failure::msg("second")));
            }
            inside.store(false, Ordering::Relaxed);
        })
        .build()
        .unwrap();
    reactor.call_from_thread(|_| panic!("a call")).unwrap();
    reactor.turn().unwrap();
    let entries = log.entries();
    assert_eq!(entries.len(), 3, "{entries:?}");
    assert!(entries[0].contains("panicked: a call"), "{entries:?}");
    assert!(entries[1].contains("unhandled failure in a Deferred: first (made at "), "{entries:?}");
    assert!(entries[2].contains("unhandled failure in a Deferred: second (made at "), "{entries:?}");
}

// Checks: P76, R35
#[test]
fn a_sink_that_causes_a_report_of_each_report_is_told_a_bounded_number_of_times_on_a_small_stack() {
    on_a_small_stack(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&count);
        let sink = move |_: &selvedge::report::Report<'_>| {
            told.fetch_add(1, Ordering::Relaxed);
            drop(Deferred::<()>::fail(HostileError(DisplayReports)));
        };
        let reactor = Reactor::builder().on_report(sink).build().unwrap();
        for calls in 1..=3 {
            reactor.call_from_thread(|_| panic!("a call")).unwrap();
            reactor.turn().unwrap();
            let told = count.swap(0, Ordering::Relaxed);
            assert!((2..=20).contains(&told), "told {told} times, at call {calls}");
        }
    });
}

// Checks: P76, R35
#[test]
fn the_sink_is_told_of_a_report_and_of_three_that_each_follow_from_the_one_before() {
    let count = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&count);
    let sink = move |_: &selvedge::report::Report<'_>| {
        told.fetch_add(1, Ordering::Relaxed);
        drop(Deferred::<()>::fail(Failure::msg("follows")));
    };
    let reactor = Reactor::builder().on_report(sink).build().unwrap();
    reactor.call_from_thread(|_| panic!("a call")).unwrap();
    reactor.turn().unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

// Checks: P76, R35
#[test]
fn a_sink_that_submits_failing_jobs_inline_or_to_a_pool_that_cannot_run_them_is_not_called_inside_itself() {
    with_watchdog(|| {
        let (own, told) = (Arc::new(Mutex::new(None::<ThreadPool>)), Log::new());
        let (pools, log) = (Arc::clone(&own), told.clone());
        let pool = ThreadPool::builder()
            .size(0, 1)
            .on_report(move |report| {
                log.note(report.incident);
                let pool = pools.lock().unwrap().clone().unwrap();
                pool.fail_starts(1);
                // No thread can be started for it, so it is refused in this very call, and that is reported.
                let _ = pool.call_in_thread(|| ());
            })
            .build()
            .unwrap();
        *own.lock().unwrap() = Some(pool.clone());
        pool.start().unwrap();
        pool.fail_starts(1);
        pool.call_in_thread(|| ()).unwrap();
        assert!((2..100).contains(&told.len()), "{}", told.len());
        pool.stop().unwrap();
        *own.lock().unwrap() = None;
    });
}

// Checks: P77, B38
#[test]
fn what_a_sink_a_hook_or_a_context_captured_may_panic_in_its_drop_wherever_that_is() {
    let hooked = || {
        let panicking = || PanicOnDrop;
        let (sink, start, stop, around, capture, enter) =
            (panicking(), panicking(), panicking(), panicking(), panicking(), panicking());
        let (start_2, stop_2) = (panicking(), panicking());
        ThreadPool::builder()
            .size(0, 1)
            .on_worker_start(move |_| hold(&start))
            .on_worker_start(move |_| hold(&start_2))
            .on_worker_stop(move |_| hold(&stop))
            .on_worker_stop(move |_| hold(&stop_2))
            .around_jobs(move |_| hold(&around))
            .context(move || hold(&capture), move |()| hold(&enter))
            .on_report(move |_| hold(&sink))
    };
    with_watchdog(move || {
        // A builder that builds nothing, and one whose sizes are wrong.
        drop(hooked());
        assert!(hooked().size(2, 1).build().is_err());
        // A pool that never starts; one that is stopped here; one whose worker has the last pointer to it.
        drop(hooked().build().unwrap());
        let pool = hooked().build().unwrap();
        pool.start().unwrap();
        pool.call_in_thread(|| ()).unwrap();
        pool.stop().unwrap();
        drop(pool);
        let pool = hooked().build().unwrap();
        pool.start().unwrap();
        let (done, is_done) = mpsc::channel::<()>();
        let last = pool.clone();
        pool.call_in_thread(move || drop((last, done))).unwrap();
        drop(pool);
        assert!(is_done.recv().is_err());
        // A reactor: its sink, and that of its pool.
        let sink = PanicOnDrop;
        let reactor = Reactor::builder().configure_pool(|_| hooked()).on_report(move |_| hold(&sink)).build().unwrap();
        reactor.call_in_thread(|| ()).unwrap();
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        let sink = PanicOnDrop;
        let reactor = Reactor::builder().on_report(move |_| hold(&sink)).build().unwrap();
        let handle = reactor.handle();
        drop(reactor);
        drop(handle);
    });
}

// Checks: P77
#[test]
fn a_failure_drops_every_error_inside_whatever_their_drops_do_also_while_a_thread_unwinds() {
    let group = || {
        let log = Log::new();
        let inner =
            FailureGroup { failures: vec![fail_as(DropPanics).unwrap_err(), fail_as(PayloadDropPanics).unwrap_err()] };
        let last = Failure::new(Noted(log.when_dropped("the last")));
        (
            Failure::from(FailureGroup {
                failures: vec![Failure::from(inner), fail_as(DropPanics).unwrap_err(), last],
            }),
            log,
        )
    };
    let (failure, log) = group();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(failure))).is_err(), "the first panic goes on");
    assert_eq!(log, ["the last"]);
    let (failure, log) = group();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _dropped_while_unwinding = failure;
        panic!("unwind");
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"unwind"));
    assert_eq!(log, ["the last"]);
}

/// An error that notes its drop.
struct Noted(#[allow(dead_code, reason = "it is only dropped")] Note<&'static str>);

impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noted")
    }
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("noted")
    }
}

impl Error for Noted {}

// Checks: P77, B47
#[test]
fn a_command_that_panics_may_be_followed_by_commands_whose_drops_panic() {
    with_watchdog(|| {
        let reports = Log::new();
        let reactor = Reactor::builder().on_report(reports.sink()).build().unwrap();
        let (handle, log) = (reactor.handle(), Log::new());
        let (one, other, noted) = (PanicOnDrop, PanicOnDrop, log.clone());
        let commands: Vec<Box<dyn FnOnce() + Send>> = vec![
            Box::new(|| panic!("a command")),
            Box::new(move || hold(&one)),
            Box::new(move || hold(&other)),
            Box::new(move || hold(&noted.when_dropped("the last"))),
        ];
        threads::call_multiple_in_thread(&handle, commands).unwrap();
        reactor.call_in_thread(move || handle.stop()).unwrap();
        reactor.run();
        assert_eq!(reports.entries().iter().filter(|incident| **incident == Incident::Job).count(), 1);
    });
}

// Checks: P77
#[test]
fn a_job_that_is_refused_is_reported_although_the_drop_of_its_captures_panics() {
    let reports = Log::new();
    let pool = ThreadPool::builder().on_report(reports.sink()).build().unwrap();
    let captured = PanicOnDrop;
    pool.call_in_thread(move || hold(&captured)).unwrap();
    pool.stop().unwrap();
    assert_eq!(reports, [Incident::Drop, Incident::Job]);
}

// Checks: P77, B36
#[test]
fn a_job_that_is_handed_back_may_panic_in_the_drop_of_its_function_and_of_its_callback() {
    let pool = ThreadPool::new(0, 1).unwrap();
    pool.stop().unwrap();
    let (function, callback) = (PanicOnDrop, PanicOnDrop);
    let rejected = pool.call_in_thread_with_callback(move |_| hold(&callback), move || hold(&function));
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(rejected))).map_err(Panic::new);
    assert!(dropped.is_err(), "one of them is left to the program");
}

// Checks: P77
#[test]
fn what_is_dropped_while_a_thread_unwinds_reports_to_a_sink_that_panics_and_nothing_aborts() {
    let reactor = Reactor::builder().on_report(|_| panic_any(PanicOnDrop)).build().unwrap();
    let lock = DeferredLock::new();
    let held = lock.acquire().try_result().unwrap().unwrap();
    let _ = lock.acquire().add_callback(|_| -> () { panic_any(PanicOnDrop) });
    let (deferred, resolver) = Deferred::<()>::new();
    let _ = deferred.add_both(|_| -> () { panic_any(PanicOnDrop) });
    let (paused, _) = Deferred::<()>::with_canceller(|| panic_any(PanicOnDrop));
    let (owned, future) = (reactor.own(PanicOnDrop), paused.into_future());
    let ran = Log::new();
    let noted = ran.clone();
    reactor.call_from_thread(move |_| noted.note("ran")).unwrap();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _failed = Deferred::<()>::fail(HostileError(PayloadDropPanics));
        let _dropped_while_unwinding = (held, resolver, owned, future);
        panic!("unwind");
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"unwind"));
    reactor.turn().unwrap();
    assert_eq!(ran, ["ran"]);
}

// Checks: P77, B48
#[test]
fn a_blocking_call_to_a_stopped_reactor_drops_its_function_contained() {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    drop(reactor);
    let captured = PanicOnDrop;
    let call = move || threads::blocking_call_from_thread(&handle, move |_| hold(&captured));
    let called = std::thread::spawn(call).join().unwrap_or_else(|_| panic!("the panic of the drop has left the call"));
    assert!(matches!(called, Err(BlockingCallError::ReactorStopped)));
}

// Checks: B60
#[test]
fn a_deferred_that_fails_in_a_job_is_reported_to_the_sink_of_the_jobs_pool() {
    let reports = Log::new();
    let fail = |why: &'static str| move || drop(Deferred::<()>::fail(Failure::msg(why)));
    let pool = ThreadPool::builder().size(0, 1).on_report(reports.sink()).build().unwrap();
    pool.start().unwrap();
    pool.call_in_thread(fail("on a thread")).unwrap();
    let of_reactor = Log::new();
    let sink = of_reactor.sink();
    pool.call_in_thread(move || {
        let reactor = Reactor::builder().on_report(sink).build().unwrap();
        fail("before it runs")();
        drop(reactor);
        fail("after it")();
    })
    .unwrap();
    pool.stop().unwrap();
    let (stepped, stepper) = ThreadPool::builder().size(0, 1).on_report(reports.sink()).build_stepped().unwrap();
    stepped.start().unwrap();
    stepped.call_in_thread(fail("in a step")).unwrap();
    while stepper.step().is_some_and(|step| step != Step::Slept) {}
    assert_eq!((reports.len(), of_reactor.len()), (3, 1));
}
