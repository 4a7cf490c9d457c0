//! Giving up: a thread that no longer waits for the reactor cancels what it waited for, and what comes of that later is
//! told once.

use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Reactor, coordination::DeferredQueue, error::BlockingCallError, report::Incident, threads,
};

use crate::support::{Gate, Log, reporting, wait_until, with_watchdog};

/// Long enough for the reactor to begin the function; if it is not, the function never runs, and all that is asserted
/// holds too.
const PATIENCE: Duration = Duration::from_millis(50);

thread_local! {
    static QUEUE: DeferredQueue<u32> = DeferredQueue::new();
}

/// Asks a reactor that turns only here. Calls `begun` when the function has run, and the reactor turns again when the
/// caller has given up.
fn give_up_on(
    reactor: &Reactor,
    function: impl FnOnce(&Reactor) -> Deferred<u32> + Send + 'static,
    begun: impl FnOnce(),
) {
    let handle = reactor.handle();
    let asker = thread::spawn(move || threads::blocking_call_from_thread_timeout(&handle, PATIENCE, function));
    wait_until(|| format!("{:?}", reactor.handle()).contains("calls: 1"));
    reactor.turn().unwrap();
    begun();
    assert!(matches!(asker.join().unwrap(), Err(BlockingCallError::TimedOut(PATIENCE))));
    reactor.turn().unwrap();
}

// Checks: P80, B48, R33, R40
#[test]
fn blocking_calls_that_time_out_take_no_items_from_the_queue_they_waited_for() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let queue = QUEUE.with(Clone::clone);
        for _ in 0..4 {
            give_up_on(&reactor, |_| QUEUE.with(|queue| queue.get().unwrap()), || ());
        }
        assert_eq!(queue.waiting(), 0);
        (0..8).for_each(|item| queue.put(item).unwrap());
        assert_eq!(queue.len(), 8);
        assert_eq!(reports.entries(), []);
    });
}

// Checks: P80, B48, R33
#[test]
fn a_deferred_that_its_caller_no_longer_waits_for_is_cancelled_once_and_nothing_is_reported() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let cancelled = Log::new();
        let noted = cancelled.clone();
        give_up_on(
            &reactor,
            move |_| {
                let (deferred, resolver) = Deferred::with_canceller(move || noted.note(thread::current().id()));
                std::mem::forget(resolver);
                deferred
            },
            || (),
        );
        assert_eq!(cancelled.entries(), [thread::current().id()]);
        assert_eq!(reports.entries(), []);
    });
}

// Checks: P80, R41
#[test]
fn a_call_that_panics_or_fails_after_its_caller_gave_up_is_reported_once() {
    with_watchdog(|| {
        for panics in [true, false] {
            let (reactor, reports) = reporting();
            let handle = reactor.handle();
            let (begun, given_up) = (Gate::new(), Gate::new());
            let (begins, gave_up) = (begun.clone(), given_up.clone());
            let asker = thread::spawn(move || {
                threads::blocking_call_from_thread_timeout(&handle, PATIENCE, move |_| {
                    begins.open();
                    gave_up.pass();
                    assert!(!panics, "later");
                    Err::<(), _>(std::fmt::Error)
                })
            });
            let loops = thread::spawn(move || {
                begun.pass();
                assert!(matches!(asker.join().unwrap(), Err(BlockingCallError::TimedOut(_))));
                given_up.open();
            });
            wait_until(|| format!("{:?}", reactor.handle()).contains("calls: 1"));
            reactor.turn().unwrap();
            loops.join().unwrap();
            assert_eq!(reports.entries(), [Incident::Call]);
        }
    });
}

// Checks: P80, R41
#[test]
fn a_deferred_that_fails_when_it_is_cancelled_for_want_of_a_caller_is_reported_once() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        give_up_on(
            &reactor,
            |_| {
                let (deferred, resolver) = Deferred::<u32>::new();
                std::mem::forget(resolver);
                deferred.add_errback(|_: Failure| -> Result<u32, std::fmt::Error> { Err(std::fmt::Error) })
            },
            || (),
        );
        assert_eq!(reports.entries(), [Incident::Unhandled]);
    });
}

// Checks: P80, B48
#[test]
fn a_caller_that_gives_up_while_the_function_runs_has_its_deferred_cancelled_at_once() {
    with_watchdog(|| {
        let (reactor, _reports) = reporting();
        let handle = reactor.handle();
        let queue = QUEUE.with(Clone::clone);
        let (begun, given_up) = (Gate::new(), Gate::new());
        let (begins, gave_up) = (begun.clone(), given_up.clone());
        let asker = thread::spawn(move || {
            threads::blocking_call_from_thread_timeout(&handle, PATIENCE, move |_| {
                begins.open();
                gave_up.pass();
                QUEUE.with(|queue| queue.get().unwrap())
            })
        });
        let giving_up = thread::spawn(move || {
            begun.pass();
            assert!(asker.join().unwrap().is_err());
            given_up.open();
        });
        wait_until(|| format!("{:?}", reactor.handle()).contains("calls: 1"));
        reactor.turn().unwrap();
        giving_up.join().unwrap();
        assert_eq!(queue.waiting(), 0);
    });
}
