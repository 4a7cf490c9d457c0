//! `examples/retry`, tested completely: every number of failures, every end, a thousand orders; no thread and no wait.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use selvedge::deferred::gather_results;
use selvedge::error::Cancelled;
use selvedge::reactor::Turn;
use selvedge::report::Report;
use selvedge::testing::{Answers, schedules};
use selvedge::{Deferred, Reactor};

#[path = "../../examples/retry/retry.rs"]
mod retry;

use self::retry::{Backoff, retry};

const SECOND: Duration = Duration::from_secs(1);
const BACKOFF: Backoff = Backoff { attempts: 5, first_wait: SECOND, longest_wait: Duration::from_secs(3) };
/// When each attempt is made, if all before it fail at once: the waits are 1, 2, 3 and 3 seconds.
const AT: [u64; 5] = [0, 1, 3, 6, 9];

/// A service that refuses the first calls, and then counts them.
type Service = Answers<Result<usize, Error>>;

fn refuses(first_calls: usize) -> Service {
    Answers::new(
        (1..20).map(|call| if call > first_calls { Ok(call) } else { Err(ErrorKind::ConnectionRefused.into()) }),
    )
}

fn start(reactor: &Reactor, service: &Service) -> Deferred<usize> {
    let service = service.clone();
    let refused = |error: &Error| error.kind() == ErrorKind::ConnectionRefused;
    reactor.spawn(retry(reactor.local(), BACKOFF, refused, move || service.next()))
}

// Checks: S7, P121
#[test]
fn it_returns_what_the_first_attempt_returns_that_succeeds_as_soon_as_it_does() {
    schedules(0..5, |reactor| {
        for (refused, at) in AT.into_iter().enumerate() {
            let (service, begun) = (refuses(refused), reactor.now());
            assert_eq!(reactor.block_on(start(reactor, &service)).unwrap(), refused + 1);
            assert_eq!((service.calls(), reactor.now() - begun), (refused + 1, Duration::from_secs(at)));
        }
    });
}

// Checks: S7
#[test]
fn the_error_of_the_last_attempt_and_one_that_does_not_pass_arrive_as_they_are() {
    schedules(0..5, |reactor| {
        let denied = Answers::new([Err(ErrorKind::PermissionDenied.into())]);
        for (service, calls, kind) in
            [(refuses(5), 5, ErrorKind::ConnectionRefused), (denied, 1, ErrorKind::PermissionDenied)]
        {
            let failure = reactor.block_on(start(reactor, &service)).unwrap_err();
            assert_eq!(failure.downcast_ref::<Error>().unwrap().kind(), kind);
            assert_eq!(service.calls(), calls);
        }
    });
}

// Checks: P122
#[test]
fn in_a_thousand_orders_several_share_a_service_that_is_missing_for_a_while() {
    schedules(0..1000, |reactor| {
        let service = refuses(4);
        let all = gather_results([(); 3].map(|()| start(reactor, &service)));
        // Six attempts in the first two rounds: four fail and two succeed. The third round is one attempt.
        reactor.advance(Duration::from_secs(AT[1]));
        assert_eq!(service.calls(), 6);
        let calls: usize = reactor.block_on(all).unwrap().iter().sum();
        assert_eq!((calls, reactor.now()), (5 + 6 + 7, Duration::from_secs(AT[2])));
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
        let service = refuses(usize::MAX);
        let given_up = start(reactor, &service).add_both(|result| assert!(result.unwrap_err().is::<Cancelled>()));
        let given_up = reactor.own(given_up).detach();
        // A thread asks for the end when the second attempt is due: before that attempt, or after it.
        let _ = reactor.call_later(SECOND, move |reactor| {
            let ask = move || given_up.call(|given_up, _| given_up.cancel()).unwrap_or_default();
            reactor.call_in_thread(ask).unwrap();
        });
        reactor.advance(SECOND);
        let calls = service.calls();
        seen[calls] += 1;
        reactor.advance(10 * SECOND);
        assert_eq!(service.calls(), calls);
    }
    assert!(seen[0] == 0 && seen[1] > 0 && seen[2] > 0, "before it, or after: {seen:?}");
}

// Checks: P120, P122
#[test]
fn in_a_thousand_orders_a_stop_ends_it_at_rest() {
    schedules(0..1000, |reactor| {
        let service = refuses(usize::MAX);
        let tried = start(reactor, &service);
        reactor.handle().stop();
        assert_eq!(reactor.settle(), Turn::Ended);
        assert!(service.calls() <= 1);
        assert!(tried.try_result().unwrap().is_err());
    });
}
