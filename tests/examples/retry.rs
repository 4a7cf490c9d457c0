//! `examples/retry`, tested completely: every number of failures, every end, a thousand orders; no thread and no wait.

use std::cell::RefCell;
use std::io::{Error, ErrorKind};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use selvedge::deferred::gather_results;
use selvedge::error::Cancelled;
use selvedge::reactor::Turn;
use selvedge::report::Report;
use selvedge::testing::{TestReactor, schedules};
use selvedge::{Deferred, Reactor};

use crate::example;

#[path = "../../examples/retry/retry.rs"]
mod retry;

use self::retry::{Backoff, retry};

const SECOND: Duration = Duration::from_secs(1);
const BACKOFF: Backoff = Backoff { attempts: 5, first_wait: SECOND, longest_wait: Duration::from_secs(3) };
/// When each attempt is made, if all before it fail at once: the waits are 1, 2, 3 and 3 seconds.
const AT: [u64; 5] = [0, 1, 3, 6, 9];

/// A service that is not there for the first calls, and then counts them.
#[derive(Clone, Default)]
struct Service {
    missing_for: u32,
    calls: Arc<AtomicU32>,
}

impl Service {
    fn call(&self) -> Result<u32, Error> {
        match self.calls.fetch_add(1, Ordering::Relaxed) + 1 {
            call if call <= self.missing_for => Err(ErrorKind::ConnectionRefused.into()),
            call => Ok(call),
        }
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

fn start(reactor: &Reactor, service: &Service) -> Deferred<u32> {
    let service = service.clone();
    let refused = |error: &Error| error.kind() == ErrorKind::ConnectionRefused;
    reactor.spawn(retry(reactor.local(), BACKOFF, refused, move || service.call()))
}

// Checks: S7
#[test]
fn the_program_reads_a_file_that_is_written_later() {
    let output = example::run(&mut Command::new(example::path("retry")));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "written at last\n");
}

// Checks: S7, P121
#[test]
fn it_returns_what_the_first_attempt_returns_that_succeeds_as_soon_as_it_does() {
    for missing_for in 0..5_u32 {
        let reactor = TestReactor::new();
        let service = Service { missing_for, ..Service::default() };
        let result = Rc::new(RefCell::new(None));
        let (local, noted) = (reactor.local(), Rc::clone(&result));
        let _ = start(&reactor, &service).add_callback(move |call| {
            let now = local.with(Reactor::now)?;
            *noted.borrow_mut() = Some((call, now));
            Ok::<_, selvedge::Failure>(())
        });
        assert_eq!(reactor.advance(10 * SECOND), Turn::Idle);
        assert_eq!(result.take(), Some((missing_for + 1, Duration::from_secs(AT[missing_for as usize]))));
        assert_eq!(service.calls(), missing_for + 1);
    }
}

// Checks: S7
#[test]
fn after_the_last_attempt_its_error_arrives_as_it_is() {
    let reactor = TestReactor::new();
    let service = Service { missing_for: 5, ..Service::default() };
    let result = start(&reactor, &service);
    reactor.advance(10 * SECOND);
    let failure = result.try_result().unwrap().unwrap_err();
    assert_eq!(failure.downcast_ref::<Error>().unwrap().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(service.calls(), 5);
}

// Checks: S7
#[test]
fn an_error_that_does_not_pass_is_not_tried_again() {
    let reactor = TestReactor::new();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let job = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(Error::from(ErrorKind::PermissionDenied))
    };
    let never_passes = |error: &Error| error.kind() != ErrorKind::PermissionDenied;
    let result = reactor.spawn(retry(reactor.local(), BACKOFF, never_passes, job));
    reactor.advance(10 * SECOND);
    assert!(result.try_result().unwrap().is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

// Checks: P122
#[test]
fn in_a_thousand_orders_several_share_a_service_that_is_missing_for_a_while() {
    schedules(0..1000, |reactor| {
        let service = Service { missing_for: 4, ..Service::default() };
        let all = gather_results([(); 3].map(|()| start(reactor, &service)));
        // Six attempts in the first two rounds: four fail and two succeed. The third round is one attempt.
        reactor.advance(Duration::from_secs(AT[1]));
        assert_eq!(service.calls(), 6);
        reactor.advance(Duration::from_secs(AT[2]));
        let mut calls = all.try_result().unwrap().unwrap();
        calls.sort_unstable();
        assert_eq!(calls, [5, 6, 7]);
    });
}

// Checks: P122
#[test]
fn in_a_thousand_orders_one_that_is_given_up_makes_no_further_attempt() {
    let mut seen = [0_u32; 3];
    for seed in 0..1000 {
        // An attempt that a thread makes already still says that it has failed.
        let only_refused = |report: &Report<'_>| assert_eq!(report.error.to_string(), "connection refused");
        let reactor = &Reactor::builder().on_report(only_refused).build_test().unwrap().with_seed(seed);
        let service = Service { missing_for: u32::MAX, ..Service::default() };
        let given_up = start(reactor, &service).add_both(|result| assert!(result.unwrap_err().is::<Cancelled>()));
        let given_up = reactor.own(given_up).detach();
        // A thread asks for the end when the second attempt is due: before that attempt, or after it.
        let _ = reactor.call_later(SECOND, move |reactor| {
            let ask = move || given_up.call(|given_up, _| given_up.cancel()).unwrap_or_default();
            reactor.call_in_thread(ask).unwrap();
        });
        reactor.advance(SECOND);
        let calls = service.calls();
        seen[calls as usize] += 1;
        reactor.advance(10 * SECOND);
        assert_eq!(service.calls(), calls);
    }
    let [none, before, after] = seen;
    assert!(none == 0 && before > 0 && after > 0, "{seen:?}");
}

// Checks: P120, P122
#[test]
fn in_a_thousand_orders_a_stop_ends_it_at_rest() {
    schedules(0..1000, |reactor| {
        let service = Service { missing_for: u32::MAX, ..Service::default() };
        let tried = start(reactor, &service);
        reactor.handle().stop();
        assert_eq!(reactor.settle(), Turn::Ended);
        assert!(service.calls() <= 1);
        assert!(tried.try_result().unwrap().is_err());
    });
}
