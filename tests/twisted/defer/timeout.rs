//! `test_defer`: timeouts.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Reactor, Resolver,
    error::{Cancelled, TimedOut},
    testing::VirtualClock,
};

use super::{GenericError, Results, error, value};

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn reactor() -> Reactor {
    Reactor::builder().clock(VirtualClock::new()).build().unwrap()
}

fn pass_ten_seconds(reactor: &Reactor) {
    reactor.advance(TEN_SECONDS).unwrap();
}

/// Twisted's `_CustomCancellation`: what was given to it, and the value that it makes of it.
#[derive(Clone, Default)]
struct Custom(Rc<RefCell<Option<Result<&'static str, Failure>>>>);

impl Custom {
    fn on_timeout(&self) -> impl FnOnce(Result<&'static str, Failure>, Duration) -> &'static str + use<> {
        let given = Rc::clone(&self.0);
        move |result, after| {
            assert_eq!(after, TEN_SECONDS);
            given.replace(Some(result));
            "custom"
        }
    }

    fn given(&self) -> Option<Result<&'static str, Failure>> {
        self.0.take()
    }
}

fn unfired() -> (Deferred<&'static str>, Resolver<&'static str>) {
    Deferred::new()
}

/// A Deferred whose canceller fires it.
fn fired_by_its_canceller(fire: impl FnOnce(Resolver<&'static str>) + 'static) -> Deferred<&'static str> {
    let slot: Rc<RefCell<Option<Resolver<&'static str>>>> = Rc::default();
    let of_the_canceller = Rc::clone(&slot);
    let (deferred, resolver) = Deferred::with_canceller(move || fire(of_the_canceller.take().unwrap()));
    slot.replace(Some(resolver));
    deferred
}

// Checks: B59
#[test]
fn timeout_chainable() {
    let reactor = reactor();
    let (deferred, resolver) = unfired();
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS).add_timeout(&reactor, TEN_SECONDS);
    resolver.callback("value");
    assert_eq!(value(deferred), "value");
}

// Checks: B59
#[test]
fn success_result_before_timeout() {
    let reactor = reactor();
    let (deferred, resolver) = unfired();
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS);
    resolver.callback("value");
    assert_eq!(reactor.delayed_calls(), 0, "the timer is cancelled");
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "value");
}

// Checks: B59
#[test]
fn success_result_before_timeout_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let (deferred, resolver) = unfired();
    let deferred = deferred.add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    resolver.callback("value");
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "value");
    assert!(custom.given().is_none());
}

// Checks: B59
#[test]
fn failure_before_timeout() {
    let reactor = reactor();
    let (deferred, resolver) = unfired();
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS);
    resolver.errback(GenericError);
    pass_ten_seconds(&reactor);
    assert!(error(deferred).is::<GenericError>());
}

// Checks: B59
#[test]
fn failure_before_timeout_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let (deferred, resolver) = unfired();
    let deferred = deferred.add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    resolver.errback(GenericError);
    pass_ten_seconds(&reactor);
    assert!(error(deferred).is::<GenericError>());
    assert!(custom.given().is_none());
}

// Checks: B59
#[test]
fn timed_out() {
    let reactor = reactor();
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS);
    pass_ten_seconds(&reactor);
    assert_eq!(error(deferred).downcast::<TimedOut>().unwrap(), TimedOut { after: TEN_SECONDS, started: None });
}

// Checks: B59
#[test]
fn timed_out_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "custom");
    assert!(custom.given().unwrap().unwrap_err().is::<Cancelled>());
}

// Checks: B56, B59
#[test]
fn timed_out_provided_cancel_success() {
    let reactor = reactor();
    let deferred = fired_by_its_canceller(|resolver| resolver.callback("the canceller's"));
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS);
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "the canceller's");
}

// Checks: B56, B59
#[test]
fn timed_out_provided_cancel_failure() {
    let reactor = reactor();
    let deferred = fired_by_its_canceller(|resolver| resolver.errback(GenericError));
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS);
    pass_ten_seconds(&reactor);
    assert!(error(deferred).is::<GenericError>());
}

// Checks: B59
#[test]
fn cancel_before_timeout() {
    let reactor = reactor();
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_timeout(&reactor, TEN_SECONDS);
    deferred.cancel();
    pass_ten_seconds(&reactor);
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B59
#[test]
fn cancel_before_timeout_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    deferred.cancel();
    pass_ten_seconds(&reactor);
    assert!(error(deferred).is::<Cancelled>());
    assert!(custom.given().is_none());
}

// Checks: B56, B59
#[test]
fn provided_cancel_called_before_timeout_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let deferred = fired_by_its_canceller(|resolver| resolver.callback("the canceller's"));
    let deferred = deferred.add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "custom");
    assert_eq!(custom.given().unwrap().unwrap(), "the canceller's");
}

// Checks: B59
#[test]
fn errback_added_before_timeout() {
    let (reactor, results) = (reactor(), Results::default());
    let (deferred, _resolver) = unfired();
    let seen = results.clone();
    let deferred = deferred
        .add_errback(move |failure| {
            seen.push(&failure.to_string());
            Err::<&str, _>(failure)
        })
        .add_timeout(&reactor, TEN_SECONDS);
    pass_ten_seconds(&reactor);
    assert_eq!(results.seen(), Cancelled.to_string(), "it is within the timeout");
    assert!(error(deferred).is::<TimedOut>());
}

// Checks: B59
#[test]
fn errback_added_before_timeout_suppresses_cancellation() {
    let reactor = reactor();
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_errback(|_| "suppressed").add_timeout(&reactor, TEN_SECONDS);
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "suppressed");
}

// Checks: B59
#[test]
fn errback_added_before_timeout_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_errback(|_| Err::<&str, _>(GenericError)).add_timeout_with(
        &reactor,
        TEN_SECONDS,
        custom.on_timeout(),
    );
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "custom");
    assert!(custom.given().unwrap().unwrap_err().is::<GenericError>());
}

// Checks: B59
#[test]
fn errback_added_before_timeout_suppresses_cancellation_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let (deferred, _resolver) = unfired();
    let deferred = deferred.add_errback(|_| "suppressed").add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "custom");
    assert_eq!(custom.given().unwrap().unwrap(), "suppressed");
}

// Checks: B56, B59
#[test]
fn callback_added_to_canceler_before_timeout() {
    let reactor = reactor();
    let deferred = fired_by_its_canceller(|resolver| resolver.callback("the canceller's"));
    let deferred = deferred
        .add_callback(|text| {
            assert_eq!(text, "the canceller's");
            "the callback's"
        })
        .add_timeout(&reactor, TEN_SECONDS);
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "the callback's");
}

// Checks: B56, B59
#[test]
fn callback_added_to_canceler_before_timeout_custom() {
    let (reactor, custom) = (reactor(), Custom::default());
    let deferred = fired_by_its_canceller(|resolver| resolver.callback("the canceller's"));
    let deferred =
        deferred.add_callback(|_| "the callback's").add_timeout_with(&reactor, TEN_SECONDS, custom.on_timeout());
    pass_ten_seconds(&reactor);
    assert_eq!(value(deferred), "custom");
    assert_eq!(custom.given().unwrap().unwrap(), "the callback's");
}
