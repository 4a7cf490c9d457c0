//! Every call that blocks is refused on a thread on which a reactor lives, and has a way that does not block.

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use selvedge::error::{Abandoned, BlockingCallError, Cancelled, ReactorStopped, Rejection, WouldDeadlock};
use selvedge::pool::{StopPolicy, StopWithinError, WhenFull};
use selvedge::report::Incident;
use selvedge::testing::{TestReactor, VirtualClock};
use selvedge::{Deferred, Failure, Handle, Job, Reactor, ThreadPool, reactor::Turn, threads};

use crate::support::{DropSignal, Gate, Log, OnDrop, PanicOnDrop, hold, in_own_process, with_watchdog};

/// What every call that blocks says on this thread: whether it was refused.
fn refusals(pool: &ThreadPool, other: &Handle) -> Vec<(&'static str, bool)> {
    let some = Some(Duration::ZERO);
    let refused = |result: Result<(), BlockingCallError>| matches!(result, Err(BlockingCallError::WouldDeadlock));
    let rejected = |reason| reason == Rejection::WouldDeadlock;
    let submitted = |when_full| {
        pool.call_in_thread(Job::new(|| ()).when_full(when_full)).is_err_and(|error| rejected(error.reason))
    };
    vec![
        ("stop", matches!(pool.stop(), Err(WouldDeadlock { .. }))),
        ("stop_with", matches!(pool.stop_with(StopPolicy::CancelQueued), Err(WouldDeadlock { .. }))),
        ("stop_within", pool.stop_within(StopPolicy::Drain, Duration::MAX) == Err(StopWithinError::WouldDeadlock)),
        (
            "stop_within, at once",
            pool.stop_within(StopPolicy::Drain, Duration::ZERO) == Err(StopWithinError::WouldDeadlock),
        ),
        ("submit", submitted(WhenFull::Wait)),
        ("submit, at once", submitted(WhenFull::WaitUpTo(Duration::ZERO))),
        ("post", other.call_from_thread_waiting(None, |_| ()).is_err_and(|error| rejected(error.reason))),
        ("post, at once", other.call_from_thread_waiting(some, |_| ()).is_err_and(|error| rejected(error.reason))),
        ("call", refused(threads::blocking_call_from_thread(other, |_| ()))),
        ("call, at once", refused(threads::blocking_call_from_thread_timeout(other, Duration::ZERO, |_| ()))),
    ]
}

fn started() -> ThreadPool {
    let pool = ThreadPool::new(1, 1).unwrap();
    pool.start().unwrap();
    pool
}

/// A reactor that runs on another thread until it is asked to stop.
fn elsewhere() -> (Handle, thread::JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let reactor = Reactor::new();
        sender.send(reactor.handle()).unwrap();
        reactor.run();
    });
    (receiver.recv().unwrap(), thread)
}

// Checks: P78, R39, B44
#[test]
fn every_call_that_blocks_is_refused_where_a_reactor_lives_that_has_not_ended() {
    with_watchdog(|| {
        let (other, thread) = elsewhere();
        let pool = started();
        let all_refused = |when: &str| {
            for (call, refused) in refusals(&pool, &other) {
                assert!(refused, "{call}, {when}");
            }
        };
        let reactor = Reactor::new();
        all_refused("before it runs");
        let second = Reactor::new();
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        all_refused("between turns");
        drop(second);
        all_refused("beside one that was dropped");
        let (own, log) = ((pool.clone(), other.clone()), Log::new());
        let noted = log.clone();
        reactor
            .call_from_thread(move |_| refusals(&own.0, &own.1).into_iter().for_each(|one| noted.note(one)))
            .unwrap();
        reactor.turn().unwrap();
        assert_eq!(log.len(), 10);
        assert!(log.entries().iter().all(|(_, refused)| *refused), "in a turn: {log:?}");
        assert_eq!(pool.stats().rejected, 0, "nothing has changed");
        // It has ended, and is still held: nobody can wait for it.
        let (own, noted) = ((pool.clone(), other.clone()), Log::new());
        let log = noted.clone();
        let dropped_at_the_end = reactor.own(OnDrop::new(move || {
            refusals(&own.0, &own.1).into_iter().for_each(|one| noted.note(one));
        }));
        reactor.stop().unwrap();
        while reactor.turn() != Ok(Turn::Ended) {}
        assert!(log.len() == 10 && log.entries().iter().all(|(_, refused)| *refused), "at the end: {log:?}");
        drop(dropped_at_the_end);
        pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap();
        other.call_from_thread_waiting(None, |_| ()).unwrap();
        assert_eq!(threads::blocking_call_from_thread(&other, |_| 42).unwrap(), 42);
        let own = threads::blocking_call_from_thread(&reactor.handle(), |_| ());
        assert!(matches!(own, Err(BlockingCallError::ReactorStopped)));
        pool.stop().unwrap();
        other.stop();
        thread.join().unwrap();
    });
}

// Checks: P78, R39
#[test]
fn a_shared_pool_is_stopped_in_a_callback_while_its_job_asks_the_loop() {
    with_watchdog(|| {
        let (reactor, pool, log) = (Reactor::new(), started(), Log::new());
        let (handle, gate) = (reactor.handle(), Gate::new());
        let (asker, begun, noted) = (handle.clone(), gate.clone(), log.clone());
        pool.call_in_thread(move || {
            begun.pass();
            noted.note(threads::blocking_call_from_thread(&asker, |_| "answered").unwrap());
        })
        .unwrap();
        let (shared, noted) = (pool.clone(), log.clone());
        reactor.call_when_running(move |reactor| {
            assert!(matches!(shared.stop(), Err(WouldDeadlock { .. })));
            shared.ask_to_stop(StopPolicy::Drain);
            gate.open();
            let _ = shared.stopped(reactor).add_callback(move |()| {
                noted.note("stopped");
                handle.stop();
            });
        });
        reactor.run();
        assert_eq!(log, ["answered", "stopped"]);
        assert!(pool.has_stopped());
        pool.stop().unwrap();
    });
}

// Checks: P78
#[test]
fn whoever_watches_a_pools_stop_may_give_up_and_a_pool_that_has_stopped_says_so_at_once() {
    with_watchdog(|| {
        let (reactor, pool, log) = (Reactor::new(), started(), Log::new());
        let cancelled = pool.stopped(&reactor).add_both(|result| assert!(result.unwrap_err().is::<Cancelled>()));
        cancelled.cancel();
        drop(pool.stopped(&reactor));
        let noted = log.clone();
        let _ = pool.stopped(&reactor).add_callback(move |()| noted.note("stopped"));
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        assert_eq!(log, [], "it was not asked to stop");
        let other = Reactor::new();
        let noted = log.clone();
        let _ = pool.stopped(&other).add_errback(move |failure| {
            noted.note(if failure.is::<ReactorStopped>() { "reactor stopped" } else { "another failure" });
        });
        drop(other);
        assert_eq!(log, ["reactor stopped"]);
        // The Deferred does not keep the pool: the last handle stops it.
        drop(pool);
        while log.len() < 2 {
            reactor.turn().unwrap();
            thread::yield_now();
        }
        let pool = started();
        pool.ask_to_stop(StopPolicy::Drain);
        while !pool.has_stopped() {
            thread::yield_now();
        }
        let noted = log.clone();
        let _ = pool.stopped(&reactor).add_callback(move |()| noted.note("stopped before"));
        while log.len() < 3 {
            reactor.turn().unwrap();
        }
        assert_eq!(log, ["reactor stopped", "stopped", "stopped before"]);
    });
}

// Checks: P78, B48
#[test]
fn two_reactors_ask_each_other_at_the_same_time_and_both_are_answered() {
    with_watchdog(|| {
        let answers = Log::new();
        let side = |own: mpsc::Sender<Handle>, others: mpsc::Receiver<Handle>, name: &'static str| {
            let answers = answers.clone();
            thread::spawn(move || {
                let reactor = Reactor::new();
                own.send(reactor.handle()).unwrap();
                let other = others.recv().unwrap();
                reactor.call_when_running(move |reactor| {
                    let handle = reactor.handle();
                    // The answer needs the thread that asks.
                    let back = handle.clone();
                    let question = threads::defer_to_reactor(reactor, &other, move |other| {
                        threads::defer_to_reactor(other, &back, move |_| name)
                    });
                    let _ = question.add_callback(move |name| {
                        answers.note(name);
                        if answers.len() == 2 {
                            handle.stop();
                            other.stop();
                        }
                    });
                });
                reactor.run();
            })
        };
        let (left, right) = (mpsc::channel(), mpsc::channel());
        let both = [side(left.0, right.1, "left"), side(right.0, left.1, "right")];
        both.into_iter().for_each(|side| side.join().unwrap());
        assert!(answers == ["left", "right"] || answers == ["right", "left"], "{answers:?}");
    });
}

// Checks: P78, P80, B48
#[test]
fn a_question_to_another_reactor_is_answered_fails_or_is_given_up_as_a_blocking_call_is() {
    with_watchdog(|| {
        let reports = Log::new();
        let clock = VirtualClock::new();
        let other = Reactor::builder().on_report(reports.sink()).clock(clock).build().unwrap();
        let reactor = Reactor::builder().on_report(reports.sink()).build().unwrap();
        let both = || {
            for _ in 0..4 {
                other.turn().unwrap();
                reactor.turn().unwrap();
            }
        };
        let log = Log::new();
        let ask = |name: &'static str, question: Deferred<u32>| {
            let log = log.clone();
            question.add_both(move |result: Result<u32, Failure>| {
                log.note(format!(
                    "{name}: {}",
                    result.map_or_else(|failure| failure.to_string(), |value| value.to_string())
                ));
            })
        };
        let to = other.handle();
        let _ = ask("a value", threads::defer_to_reactor(&reactor, &to, |_| 1_u32));
        let _ = ask("an error", threads::defer_to_reactor(&reactor, &to, |_| Err::<u32, _>(Failure::msg("no"))));
        let panics = |_: &Reactor| -> u32 { panic_any("a panic") };
        let _ = ask("a panic", threads::defer_to_reactor(&reactor, &to, panics));
        let _ = ask("itself", threads::defer_to_reactor(&reactor, &reactor.handle(), |_| 2_u32));
        let later = |other: &Reactor| other.sleep(Duration::from_secs(1)).map(|()| 3);
        let _ = ask("later", threads::defer_to_reactor(&reactor, &to, later));
        both();
        assert_eq!(log.entries(), ["a value: 1", "an error: no", "a panic: panicked: a panic", "itself: 2"]);
        other.advance(Duration::from_secs(1)).unwrap();
        both();
        assert_eq!(log.entries()[4], "later: 3");

        // Given up before it began: it never runs. Given up later: what it waits for is cancelled.
        let (signal, dropped) = DropSignal::new();
        let unbegun = ask(
            "unbegun",
            threads::defer_to_reactor(&reactor, &to, move |_| -> u32 {
                drop(signal);
                unreachable!("it was cancelled");
            }),
        );
        unbegun.cancel();
        let waiting =
            ask("waiting", threads::defer_to_reactor(&reactor, &to, |other| other.sleep(Duration::MAX).map(|()| 4)));
        both();
        dropped.try_recv().unwrap();
        assert_eq!(other.delayed_calls(), 1);
        waiting.cancel();
        both();
        assert_eq!(other.delayed_calls(), 0);
        assert_eq!(
            log.entries()[5..],
            ["unbegun: cancelled before there was a result", "waiting: cancelled before there was a result"]
        );
        assert_eq!(reports, []);

        // Either reactor ends first.
        let _ =
            ask("other ends", threads::defer_to_reactor(&reactor, &to, |other| other.sleep(Duration::MAX).map(|()| 5)));
        both();
        drop(other);
        both_of(&reactor);
        let _ = ask("other has ended", threads::defer_to_reactor(&reactor, &to, |_| 6_u32));
        both_of(&reactor);
        let _ = ask("own ends", threads::defer_to_reactor(&reactor, &to, |_| 7_u32));
        drop(reactor);
        let ends = log.entries()[7..].to_vec();
        assert!(ends.len() == 3 && ends.iter().all(|end| end.contains("has stopped")), "{ends:?}");
        assert_eq!(reports, []);
    });
}

fn both_of(reactor: &Reactor) {
    for _ in 0..4 {
        reactor.turn().unwrap();
    }
}

// Checks: P78
#[test]
fn a_question_is_accepted_by_a_full_inbox() {
    let other = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build().unwrap();
    other.call_from_thread(|_| ()).unwrap();
    let (reactor, log) = (Reactor::new(), Log::new());
    let noted = log.clone();
    let _ =
        threads::defer_to_reactor(&reactor, &other.handle(), |_| 1_u32).add_callback(move |value| noted.note(value));
    for _ in 0..4 {
        other.turn().unwrap();
        reactor.turn().unwrap();
    }
    assert_eq!(log, [1]);
}

// Checks: P78
#[test]
fn a_future_that_makes_a_reactor_where_it_is_polled_cannot_wait_there() {
    let polled = Log::new();
    let noted = polled.clone();
    let mut reactor = None;
    let future = poll_fn(move |context| {
        noted.note(());
        if reactor.replace(Reactor::new()).is_some() {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    });
    assert!(matches!(threads::block_on(future), Err(WouldDeadlock { .. })));
    assert_eq!(polled.len(), 1);
    assert!(matches!(threads::block_on(async { 42 }), Ok(42)));
}

// Checks: P77
#[test]
fn a_future_whose_drop_panics_has_its_output_all_the_same() {
    let (outputs, reports) = (Log::new(), Log::new());
    let pool = ThreadPool::builder().size(0, 1).on_report(reports.sink()).build().unwrap();
    pool.start().unwrap();
    let noted = outputs.clone();
    pool.call_in_thread(move || {
        let held = PanicOnDrop;
        let output = threads::block_on(poll_fn(move |_| {
            hold(&held);
            Poll::Ready(42)
        }));
        noted.note(output.ok());
    })
    .unwrap();
    pool.stop().unwrap();
    assert_eq!(outputs, [Some(42)]);
    assert_eq!(reports, [Incident::Drop]);
}

// Checks: P77
#[test]
fn a_future_that_panics_and_whose_drop_panics_too_is_one_panic() {
    in_own_process(
        "never_block::a_future_that_panics_and_whose_drop_panics_too_is_one_panic",
        |_| (),
        || {
            let held = OnDrop::new(|| panic_any("dropped"));
            let future = poll_fn(move |_| -> Poll<()> {
                hold(&held);
                panic_any("polled")
            });
            let panic = catch_unwind(AssertUnwindSafe(|| threads::block_on(future))).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"polled"));
        },
    );
}

// Checks: P20
#[test]
fn a_future_in_block_on_inside_an_errback_is_told_of_what_was_dropped_there() {
    with_watchdog(|| {
        let abandoned = |awaited: Result<(), Failure>| awaited.unwrap_err().is::<Abandoned>();
        let waits: [fn(Deferred<()>) -> Result<(), Failure>; 4] = [
            |dropped| threads::block_on(dropped).unwrap(),
            |_| threads::block_on(async { unfired().await }).unwrap(),
            |dropped| Reactor::new().block_on(dropped),
            |dropped| TestReactor::new().block_on(dropped),
        ];
        for wait in waits {
            let (outer, resolver) = Deferred::<()>::new();
            let outer = outer.add_errback(move |_| assert!(abandoned(wait(unfired()))));
            drop(resolver);
            assert!(outer.try_result().is_ok_and(|result| result.is_ok()));
        }
    });
}

/// A Deferred whose resolver was dropped.
fn unfired() -> Deferred<()> {
    let (deferred, resolver) = Deferred::new();
    drop(resolver);
    deferred
}
