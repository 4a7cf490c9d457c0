//! Timers as Deferreds.

use std::time::Duration;

use selvedge::error::{Cancelled, ReactorStopped};

use crate::support::{Log, virtual_time};

// Checks: P24
#[test]
fn sleep_fires_when_its_time_has_passed_and_not_before() {
    let (reactor, clock, _) = virtual_time();
    let log = Log::new();
    for seconds in [2, 1] {
        let fired = log.clone();
        reactor.sleep(Duration::from_secs(seconds)).add_callback(move |()| fired.note(seconds));
    }
    for expected in [&[][..], &[1], &[1, 2]] {
        reactor.turn().unwrap();
        assert_eq!(log.entries(), expected);
        clock.advance(Duration::from_secs(1));
    }
}

// Checks: P24
#[test]
fn cancelling_a_sleep_cancels_its_timer() {
    let (reactor, _, reports) = virtual_time();
    let sleep = reactor.sleep(Duration::from_secs(1));
    assert_eq!(reactor.delayed_calls(), 1);
    sleep.cancel();
    assert_eq!(reactor.delayed_calls(), 0);
    assert!(sleep.try_result().unwrap().unwrap_err().is::<Cancelled>());
    assert_eq!(reports.len(), 0);
}

// Checks: P24, B13
#[test]
fn at_the_reactors_end_a_sleep_fails_with_reactor_stopped() {
    let (reactor, _, reports) = virtual_time();
    let log = Log::new();
    let told = log.clone();
    reactor.sleep(Duration::MAX).add_errback(move |failure| told.note(failure.is::<ReactorStopped>()));
    reactor.handle().stop();
    reactor.run();
    assert_eq!((log.entries(), reports.len()), (vec![true], 0));
}
