//! Questions to a reactor, which other threads, executors and reactors await.

use std::pin::pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use selvedge::error::{OwnedError, Panic, ReactorStopped, Unavailable};
use selvedge::{Deferred, Failure, Reactor, reactor::Ask, report::Incident};
use static_assertions::assert_impl_all;

use crate::support::{DropSignal, Gate, Log, reporting, virtual_time, wait_until_asleep, with_watchdog};

assert_impl_all!(Ask<u32>: Send, Sync, Unpin);

// Checks: P110
#[test]
fn a_value_a_result_and_a_deferred_are_answers_and_a_panic_is_a_failure() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        let here = thread::current().id();
        let elsewhere = thread::spawn(move || {
            block_on(async {
                assert_eq!(handle.ask(Reactor::delayed_calls).await.unwrap(), 0);
                assert!(handle.ask(move |_| thread::current().id() == here).await.unwrap());
                let slept = handle.ask(|reactor| reactor.sleep(Duration::from_millis(1)).add_callback(|()| 7_u32));
                assert_eq!(slept.await.unwrap(), 7);
                let failed = handle.ask(|_| Err::<(), _>(std::fmt::Error)).await.unwrap_err();
                assert!(failed.is::<std::fmt::Error>());
                let panicked = handle.ask(|_| -> () { panic!("no") }).await.unwrap_err();
                assert!(panicked.is::<Panic>());
            });
            handle.stop();
        });
        reactor.run();
        elsewhere.join().unwrap();
        assert_eq!(reports, []);
    });
}

// Checks: P110
#[test]
fn a_question_is_posted_before_its_future_is_polled() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    let (first, second) = (log.clone(), log.clone());
    let asked = reactor.handle().ask(move |_| first.note(0));
    reactor.call_from_thread(move |_| second.note(1)).unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, [0, 1]);
    block_on(asked).unwrap();
    assert_eq!(reports, []);
}

// Checks: P110
#[test]
fn a_question_that_is_dropped_before_its_turn_is_never_asked_and_is_dropped_on_the_loop() {
    with_watchdog(|| {
        for polled in [false, true] {
            let (reactor, reports) = reporting();
            let (drop_signal, buried) = DropSignal::new();
            let (handle, ran) = (reactor.handle(), Log::new());
            let running = ran.clone();
            thread::spawn(move || {
                let mut asked = handle.ask(move |_| {
                    running.note("nobody waits for the answer");
                    drop(drop_signal);
                });
                if polled {
                    assert!(pin!(&mut asked).poll(&mut Context::from_waker(Waker::noop())).is_pending());
                }
            })
            .join()
            .unwrap();
            reactor.turn().unwrap();
            assert_eq!(buried.recv().unwrap(), thread::current().id());
            assert_eq!(ran, []);
            assert_eq!(reports, []);
        }
    });
}

// Checks: P110
#[test]
fn dropping_a_question_cancels_the_deferred_that_its_function_has_returned() {
    for polled in [false, true] {
        let (reactor, reports) = reporting();
        let cancelled = Log::new();
        let noted = cancelled.clone();
        let kept = Rc::new(std::cell::Cell::new(None));
        let resolver = reactor.own(Rc::clone(&kept)).detach();
        let mut asked = resolver.ask(move |kept, _| {
            let (deferred, resolver) = Deferred::<()>::with_canceller(move || noted.note(()));
            kept.set(Some(resolver));
            deferred
        });
        reactor.turn().unwrap();
        if polled {
            assert!(pin!(&mut asked).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(cancelled, []);
        drop(asked);
        reactor.turn().unwrap();
        assert_eq!(cancelled, [()]);
        assert_eq!(reports, []);
    }
}

// Checks: P110
#[test]
fn an_error_that_has_come_and_that_nobody_takes_is_reported() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        let posting = handle.clone();
        let give_up = move |_: &Reactor| {
            let asked = handle.ask(|_| Err::<(), _>(std::fmt::Error));
            let posted = handle.call_from_thread(move |reactor| {
                drop(asked);
                reactor.stop().unwrap();
            });
            posted.unwrap();
        };
        posting.call_from_thread(give_up).unwrap();
        reactor.run();
        assert_eq!(reports, [Incident::Unhandled]);
    });
}

// Checks: P110
#[test]
fn a_reactor_that_has_ended_answers_at_once_and_one_that_ends_answers_then() {
    let stopped = |answer: Result<(), Failure>| assert!(answer.unwrap_err().is::<ReactorStopped>());
    let (reactor, reports) = reporting();
    let handle = reactor.handle();
    let value = reactor.own(()).detach();
    let unasked = handle.ask(|_| ());
    let never = handle.ask(|reactor| reactor.sleep(Duration::MAX));
    drop(reactor);
    let (drop_signal, buried) = DropSignal::new();
    let late = handle.ask(move |_| drop(drop_signal));
    assert_eq!(buried.try_recv().unwrap(), thread::current().id());
    for answer in [unasked, never, late, value.ask(|(), _| ())] {
        stopped(block_on(answer));
    }

    let reactor = Reactor::new();
    let never = reactor.handle().ask(|reactor| reactor.sleep(Duration::MAX));
    reactor.handle().stop();
    reactor.run();
    stopped(block_on(never));
    assert_eq!(reports, []);
}

// Checks: P110
#[test]
fn a_value_is_free_while_the_deferred_of_a_question_to_it_is_waited_for() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        let value = reactor.own(1_u32).detach();
        let elsewhere = thread::spawn(move || {
            let soon = Duration::from_millis(1);
            let waits = value.ask(move |value, reactor| {
                *value += 1;
                reactor.sleep(soon).add_callback(|()| "slept")
            });
            let seen = value.blocking_call(move |value, reactor| {
                let value = *value;
                reactor.sleep(soon).add_callback(move |()| value)
            });
            assert_eq!((seen.unwrap(), block_on(waits).unwrap()), (2, "slept"));
            value.release().unwrap();
            let gone = block_on(value.ask(|value, _| *value)).unwrap_err();
            handle.stop();
            gone.downcast::<OwnedError>().unwrap()
        });
        reactor.run();
        assert_eq!(elsewhere.join().unwrap().reason, Unavailable::Gone);
        assert_eq!(reports, []);
    });
}

// Checks: P110
#[test]
fn a_task_of_a_reactor_awaits_the_answer_of_another_and_holds_its_virtual_time_meanwhile() {
    with_watchdog(|| {
        let (send, other) = mpsc::channel();
        let elsewhere = thread::spawn(move || {
            let reactor = Reactor::new();
            send.send((reactor.handle(), reactor.own(5_u32).detach())).unwrap();
            reactor.run();
        });
        let (other, five) = other.recv().unwrap();
        let (reactor, _, reports) = virtual_time();
        let _ =
            reactor.call_later(Duration::from_secs(60), |_| unreachable!("time passes while an answer is on its way"));
        let (asleep, handle) = (Gate::new(), reactor.handle());
        let sleeping = asleep.clone();
        thread::spawn(move || {
            wait_until_asleep(&handle);
            sleeping.open();
        });
        let answer = reactor.block_on(async move {
            let five = five.ask(move |five, _| {
                // The one that asks has nothing else to do.
                asleep.pass();
                *five
            });
            let five = five.await?;
            let slept = other.ask(|reactor| reactor.sleep(Duration::from_millis(5))).await;
            other.stop();
            slept.map(|()| five)
        });
        assert_eq!(answer.unwrap(), 5);
        assert_eq!(reports, []);
        elsewhere.join().unwrap();
    });
}

// Checks: P110
#[test]
fn a_question_that_has_been_answered_is_pending_if_it_is_polled_again() {
    let (reactor, _) = reporting();
    // More than a call holds without a box.
    let large = [7; 1_000];
    let mut asked = pin!(reactor.handle().ask(move |_| large[999]));
    let mut context = Context::from_waker(Waker::noop());
    reactor.turn().unwrap();
    assert!(matches!(asked.as_mut().poll(&mut context), Poll::Ready(Ok(7))));
    assert!(asked.as_mut().poll(&mut context).is_pending());
}
