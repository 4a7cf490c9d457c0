//! A clean end reports nothing: nobody is told that what he has stopped has stopped.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::OnceLock;
use std::time::Duration;

use selvedge::deferred::{gather_results, race};
use selvedge::error::FailureGroup;
use selvedge::report::Incident;
use selvedge::task::{Cooperator, LoopingCall, defer_later};
use selvedge::{Deferred, Failure, Reactor, threads};

use crate::support::deferred::Oops;
use crate::support::{reporting, with_watchdog};

const HOUR: Duration = Duration::from_secs(3600);

/// One of everything that a reactor keeps until its end, each with its Deferred.
fn keep_one_of_each(reactor: &Reactor) -> Vec<Deferred<()>> {
    let (local, steps) = (reactor.local(), reactor.local());
    let looping = LoopingCall::new(|_| ()).start_later(reactor, HOUR).unwrap();
    let waits = LoopingCall::new(|tick| tick.reactor().sleep(HOUR)).start(reactor, HOUR).unwrap();
    let cooperative = Cooperator::new(reactor).cooperate((0..).map(move |_| steps.sleep(HOUR))).when_done();
    let first = race([reactor.sleep(HOUR), reactor.sleep(HOUR)]).map(|_| ());
    vec![
        reactor.sleep(HOUR),
        defer_later(reactor, HOUR, |_| ()),
        reactor.spawn(pending::<()>()),
        reactor.spawn(async move { local.sleep(HOUR).await }),
        gather_results([reactor.sleep(HOUR), reactor.sleep(HOUR)]).map(|_| ()),
        first,
        looping,
        waits,
        cooperative,
    ]
}

// Checks: P106
#[test]
fn what_a_reactor_kept_until_its_end_ends_without_a_report() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        drop(keep_one_of_each(&reactor));
        keep_one_of_each(&reactor).into_iter().for_each(Deferred::log_error);
        let held = keep_one_of_each(&reactor);
        reactor.handle().stop();
        reactor.run();
        assert_eq!(reports.len(), 0, "{:?}", reports.entries());
        // Each has failed; dropped later, they are quiet too.
        for deferred in held {
            assert!(deferred.try_result().unwrap().is_err());
        }
        assert_eq!(reports.len(), 0, "{:?}", reports.entries());
    });
}

// Checks: P106
#[test]
fn a_reactor_that_is_dropped_unrun_ends_without_a_report() {
    let (reactor, reports) = reporting();
    drop(keep_one_of_each(&reactor));
    keep_one_of_each(&reactor).into_iter().for_each(Deferred::log_error);
    drop(reactor);
    assert_eq!(reports.len(), 0, "{:?}", reports.entries());
}

/// Begins a task and posts itself again, until that is refused: then it is one of the last calls.
fn begin_a_task(reactor: &Reactor) {
    drop(reactor.spawn(pending::<()>()));
    let failed = reactor.spawn(pending::<()>()).try_result().is_ok();
    let refused = reactor.handle().call_from_thread(begin_a_task).is_err();
    assert_eq!(failed, refused, "in the last calls a task fails at once, and not before");
}

// Checks: P106
#[test]
fn what_a_last_call_begins_fails_without_a_report() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        reactor.handle().call_from_thread(begin_a_task).unwrap();
        reactor.handle().stop();
        reactor.run();
        assert_eq!(reports.len(), 0, "{:?}", reports.entries());
    });
}

// Checks: P106, B60
#[test]
fn what_fails_for_another_reason_while_a_reactor_ends_is_reported() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        drop(reactor.sleep(HOUR).add_errback(|_| Err::<(), _>(Oops(1))));
        reactor.sleep(HOUR).add_errback(|_| Err::<(), _>(Oops(2))).log_error();
        drop(reactor.sleep(HOUR).add_both(|_| -> () { panic!("on the way") }));
        // Of a group, all have to be so.
        drop(race([reactor.sleep(HOUR), reactor.sleep(HOUR).add_errback(|_| Err::<(), _>(Oops(3)))]));
        reactor.handle().stop();
        reactor.run();
        let mut told = reports.entries();
        told.sort_by_key(|incident| *incident == Incident::Logged);
        assert_eq!(told, [Incident::Unhandled, Incident::Unhandled, Incident::Unhandled, Incident::Logged]);
    });
}

// Checks: P106, B60
#[test]
fn that_another_reactor_has_stopped_is_reported_where_one_runs() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let stopped = Reactor::new().handle();
        drop(threads::defer_to_reactor(&reactor, &stopped, |_| ()));
        let handle = reactor.handle();
        let _ = reactor.call_later(Duration::ZERO, move |_| handle.stop());
        reactor.run();
        assert_eq!(reports.entries(), [Incident::Unhandled]);
    });
}

// Checks: P106
#[test]
fn a_job_that_a_stop_has_cancelled_is_reported_to_nobody_once_its_reactor_ends() {
    let (reactor, reports) = reporting();
    let held: Deferred<(), Failure> = threads::defer_to_thread(&reactor, || ());
    drop(threads::defer_to_thread(&reactor, || ()));
    drop(reactor);
    drop(held);
    assert_eq!(reports.len(), 0, "{:?}", reports.entries());
}

/// An error whose source is a group that it is a member of.
#[derive(Debug)]
struct OfItsOwnGroup;

impl fmt::Display for OfItsOwnGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member of its own source")
    }
}

impl Error for OfItsOwnGroup {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        static GROUP: OnceLock<FailureGroup> = OnceLock::new();
        Some(GROUP.get_or_init(|| FailureGroup { failures: vec![Failure::new(Self)] }))
    }
}

// Checks: P106, P75
#[test]
fn an_error_that_is_in_a_ring_of_groups_is_reported() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        drop(reactor.sleep(HOUR).add_errback(|_| Err::<(), _>(OfItsOwnGroup)));
        reactor.handle().stop();
        reactor.run();
        assert_eq!(reports.entries(), [Incident::Unhandled]);
    });
}
