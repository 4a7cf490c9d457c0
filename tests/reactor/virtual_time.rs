//! Virtual time passes by itself only while nothing is on its way to the reactor.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures::future::{Either, select};
use selvedge::error::{TimedOut, WouldDeadlock};
use selvedge::pool::{Cancellation, StopPolicy, Ticket};
use selvedge::reactor::{Event, Phase, Turn};
use selvedge::{
    Deferred, Failure, Handle, LocalHandle, Reactor, ThreadPool,
    testing::{Stepper, TestReactor, VirtualClock},
    threads,
};

use crate::support::{Gate, Log, OnDrop, hold, virtual_time, wait_until, with_watchdog};

const MINUTE: Duration = Duration::from_secs(60);

fn reactor() -> Reactor {
    Reactor::builder().clock(VirtualClock::new()).build().unwrap()
}

/// Waits until the loop sleeps, or has ended because it did not.
fn wait_until_asleep_or_over(handle: &Handle) {
    wait_until(|| ["Asleep", "Closed"].iter().any(|state| format!("{handle:?}").contains(state)));
}

/// Opens the gate when the loop sleeps: before that, nothing that is behind the gate can happen.
fn open_when_asleep(handle: Handle) -> Gate {
    let gate = Gate::new();
    let opened = gate.clone();
    thread::spawn(move || {
        wait_until_asleep_or_over(&handle);
        opened.open();
    });
    gate
}

/// Another reactor, on a thread of its own. It runs once the gate is open, until it is stopped.
fn another_behind(gate: Gate) -> (Handle, JoinHandle<()>) {
    let (send, receive) = mpsc::channel();
    let other = thread::spawn(move || {
        let other = Reactor::new();
        send.send(other.handle()).unwrap();
        gate.pass();
        other.run();
    });
    (receive.recv().unwrap(), other)
}

/// Runs this with a reactor and the handle of another, which runs on a thread of its own once the first one sleeps.
fn beside_another(test: impl FnOnce(Reactor, Handle) + Send + 'static) {
    with_watchdog(|| {
        let reactor = reactor();
        let (handle, other) = another_behind(open_when_asleep(reactor.handle()));
        test(reactor, handle.clone());
        handle.stop();
        other.join().unwrap();
    });
}

/// Runs a job, which is given the reactor's handle, beside a timer of a minute: the job has to be over first.
fn is_over_before_a_timer(job: impl FnOnce(Handle) + Send + 'static) {
    let (reactor, log) = (reactor(), Log::new());
    let (handle, over, due) = (reactor.handle(), log.clone(), log.clone());
    reactor
        .call_in_thread(move || {
            job(handle);
            over.note("the job is over");
        })
        .unwrap();
    let _ = reactor.call_later(MINUTE, move |reactor| {
        due.note("the timer is due");
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(log, ["the job is over", "the timer is due"]);
}

/// Runs the reactor until this Deferred has a result, and returns what that was.
fn run_until<T: 'static>(reactor: Reactor, deferred: Deferred<T>) -> Result<T, Failure> {
    let result = Rc::new(Cell::new(None));
    let (result_of, handle) = (Rc::clone(&result), reactor.handle());
    let _ = deferred.add_both(move |result| {
        result_of.set(Some(result));
        handle.stop();
        Ok::<_, Failure>(())
    });
    reactor.run();
    result.take().unwrap()
}

// Checks: P8, P88, R42
#[test]
fn a_job_that_takes_a_moment_wins_against_a_timeout_of_a_minute() {
    with_watchdog(|| {
        for size in [1, 4] {
            let reactor = Reactor::builder().clock(VirtualClock::new()).pool_size(0, size).build().unwrap();
            let gate = open_when_asleep(reactor.handle());
            let job = threads::defer_to_thread(&reactor, move || gate.pass()).add_timeout(&reactor, MINUTE);
            assert!(run_until(reactor, job).is_ok());
        }
    });
}

// Checks: P88, R42
#[test]
fn a_job_that_posts_nothing_holds_the_time_and_its_end_lets_it_pass() {
    with_watchdog(|| {
        is_over_before_a_timer(|handle| open_when_asleep(handle).pass());
    });
}

// Checks: P88
#[test]
fn jobs_of_added_shared_and_other_pools_hold_the_time_too() {
    with_watchdog(|| {
        let shared = ThreadPool::new(0, 1).unwrap();
        let other = ThreadPool::new(0, 1).unwrap();
        shared.start().unwrap();
        other.start().unwrap();
        for which in 0..3 {
            let reactor = Reactor::builder()
                .clock(VirtualClock::new())
                .add_pool("added", ThreadPool::builder().size(0, 1))
                .share_pool("shared", &shared)
                .build()
                .unwrap();
            let pool = [reactor.pool("added").unwrap(), &shared, &other][which].clone();
            let gate = open_when_asleep(reactor.handle());
            let job = threads::defer_to_thread_pool(&reactor, &pool, move || gate.pass());
            let job = job.add_timeout(&reactor, MINUTE);
            assert!(run_until(reactor, job).is_ok(), "pool {which}");
        }
        shared.stop().unwrap();
        other.stop().unwrap();
    });
}

// Checks: P88
#[test]
fn a_pool_that_works_holds_the_time_though_another_is_used_after_it() {
    with_watchdog(|| {
        let (first, second) = (ThreadPool::new(0, 1).unwrap(), ThreadPool::new(0, 1).unwrap());
        first.start().unwrap();
        second.start().unwrap();
        let reactor = reactor();
        let gate = open_when_asleep(reactor.handle());
        let slow = threads::defer_to_thread_pool(&reactor, &first, move || gate.pass()).add_timeout(&reactor, MINUTE);
        let quick = threads::defer_to_thread_pool(&reactor, &second, || ());
        let both = slow.add_callback(move |()| quick);
        assert!(run_until(reactor, both).is_ok());
        first.stop().unwrap();
        second.stop().unwrap();
    });
}

// Checks: P88
#[test]
fn a_job_that_has_had_its_answer_holds_the_time_again() {
    with_watchdog(|| {
        is_over_before_a_timer(|handle| {
            threads::blocking_call_from_thread(&handle, |reactor| reactor.sleep(MINUTE / 2)).unwrap();
            open_when_asleep(handle).pass();
        });
    });
}

// Checks: P88
#[test]
fn what_is_asked_of_another_reactor_outside_of_a_turn_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = reactor();
        let gate = Gate::new();
        let (other_handle, other) = another_behind(gate.clone());
        assert_eq!(reactor.turn(), Ok(Turn::Idle));
        let mut asked = other_handle.ask(|_| ());
        assert!(Pin::new(&mut asked).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let slept = reactor.sleep(MINUTE);
        assert!(run_until(reactor, slept).is_ok());
        gate.open();
        other_handle.stop();
        other.join().unwrap();
    });
}

// Checks: P88
#[test]
fn an_answer_of_another_reactor_that_another_thread_gives_up_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = reactor();
        let gate = Gate::new();
        let (other_handle, other) = another_behind(gate.clone());
        let (send, receive) = mpsc::channel();
        let asks = other_handle.clone();
        reactor
            .call_from_thread(move |_| {
                let mut asked = asks.ask(|_| ());
                assert!(Pin::new(&mut asked).poll(&mut Context::from_waker(Waker::noop())).is_pending());
                send.send(asked).unwrap();
            })
            .unwrap();
        let (handle, log) = (reactor.handle(), Log::new());
        let (gives_up, due) = (log.clone(), log.clone());
        let elsewhere = thread::spawn(move || {
            let asked = receive.recv().unwrap();
            wait_until_asleep_or_over(&handle);
            gives_up.note("the answer is given up");
            drop(asked);
        });
        let _ = reactor.call_later(MINUTE, move |reactor| {
            due.note("the timer is due");
            reactor.stop().unwrap();
        });
        reactor.run();
        elsewhere.join().unwrap();
        assert_eq!(log, ["the answer is given up", "the timer is due"]);
        gate.open();
        other_handle.stop();
        other.join().unwrap();
    });
}

// Checks: P88
#[test]
fn a_job_that_one_pool_gives_to_another_holds_the_time_from_end_to_end() {
    with_watchdog(|| {
        let reactor = Reactor::builder()
            .clock(VirtualClock::new())
            .add_pool("second", ThreadPool::builder().size(0, 1))
            .build()
            .unwrap();
        let (log, first, second) = (Log::new(), reactor.thread_pool().clone(), reactor.pool("second").unwrap().clone());
        let due = log.clone();
        fn relay(left: u32, log: Log<u32>, here: ThreadPool, there: ThreadPool) {
            let next = there.clone();
            there
                .call_in_thread(move || match left {
                    0 => log.note(0),
                    _ => relay(left - 1, log, next, here),
                })
                .unwrap();
        }
        relay(200, log.clone(), second, first);
        let _ = reactor.call_later(MINUTE, move |reactor| {
            due.note(1);
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(log, [0, 1]);
    });
}

// Checks: P88
#[test]
fn a_job_that_waits_for_an_answer_of_this_reactor_lets_the_time_pass_and_one_beside_it_does_not() {
    with_watchdog(|| {
        let reactor = reactor();
        let (handle, log) = (reactor.handle(), Log::new());
        let (asker, slept) = (handle.clone(), log.clone());
        let gate = open_when_asleep(handle.clone());
        let worked = log.clone();
        reactor
            .call_in_thread(move || {
                gate.pass();
                worked.note("the other job is over");
            })
            .unwrap();
        reactor
            .call_in_thread(move || {
                threads::blocking_call_from_thread(&asker, |reactor| reactor.sleep(MINUTE)).unwrap();
                slept.note("a minute has passed");
                asker.stop();
            })
            .unwrap();
        reactor.run();
        assert_eq!(log, ["the other job is over", "a minute has passed"]);
    });
}

// Checks: P88
#[test]
fn a_job_of_a_pool_that_the_reactor_comes_to_use_while_it_waits_for_the_reactor_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = reactor();
        let (handle, pool) = (reactor.handle(), ThreadPool::new(2, 2).unwrap());
        pool.start().unwrap();
        let (asker, used) = (handle.clone(), pool.clone());
        pool.call_in_thread(move || {
            let minute = threads::blocking_call_from_thread(&asker, move |reactor| {
                let _ = reactor.call_later(Duration::ZERO, move |reactor| {
                    drop(threads::defer_to_thread_pool(reactor, &used, || ()));
                });
                reactor.sleep(MINUTE)
            });
            minute.unwrap();
            asker.stop();
        })
        .unwrap();
        reactor.run();
        pool.stop().unwrap();
    });
}

// Checks: P88
#[test]
fn of_two_jobs_that_wait_for_this_reactor_the_one_whose_answer_comes_later_still_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = Reactor::builder().clock(VirtualClock::new()).pool_size(2, 2).build().unwrap();
        let log = Log::new();
        for minutes in [1, 2] {
            let (asker, log) = (reactor.handle(), log.clone());
            reactor
                .call_in_thread(move || {
                    threads::blocking_call_from_thread(&asker, move |reactor| reactor.sleep(minutes * MINUTE)).unwrap();
                    log.note(minutes);
                    if minutes == 2 {
                        asker.stop();
                    }
                })
                .unwrap();
        }
        reactor.run();
        assert_eq!(log, [1, 2]);
    });
}

thread_local! {
    /// What this thread does when its thread-locals are dropped.
    static AT_THREAD_END: RefCell<Option<OnDrop<Box<dyn FnOnce()>>>> = const { RefCell::new(None) };
}

fn at_thread_end(body: impl FnOnce() + 'static) {
    AT_THREAD_END.set(Some(OnDrop::new(Box::new(body))));
}

/// Looks at a clock for as long as others need to let time pass, if they do.
fn note_the_time(clock: &VirtualClock, log: &Log<Duration>) {
    for _ in 0..1_000 {
        thread::yield_now();
    }
    log.note(clock.now());
}

// Checks: P88, B26
#[test]
fn the_time_stands_still_while_a_thread_ends_so_a_limited_stop_is_in_time() {
    with_watchdog(|| {
        let (clock, log) = (VirtualClock::new(), Log::new());
        let reactor = Reactor::builder().clock(clock.clone()).pool_size(1, 1).stop_within(MINUTE).build().unwrap();
        let (handle, told) = (reactor.handle(), log.clone());
        let job = move || {
            at_thread_end(move || note_the_time(&clock, &told));
            handle.stop();
        };
        reactor.call_in_thread(job).unwrap();
        let shutdown = reactor.run();
        assert!(!shutdown.timed_out, "{shutdown}");
        assert_eq!(log, [Duration::ZERO]);
    });
}

// Checks: P88, B42
#[test]
fn the_end_of_a_pool_wins_against_a_timeout_of_a_minute() {
    with_watchdog(|| {
        let (clock, log) = (VirtualClock::new(), Log::new());
        let reactor = Reactor::builder().clock(clock.clone()).build().unwrap();
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let told = log.clone();
        pool.call_in_thread(move || at_thread_end(move || note_the_time(&clock, &told))).unwrap();
        pool.ask_to_stop(StopPolicy::Drain);
        let stopped = pool.stopped(&reactor).add_timeout(&reactor, MINUTE);
        assert!(run_until(reactor, stopped).is_ok());
        assert_eq!(log, [Duration::ZERO]);
    });
}

// Checks: P88, B42
#[test]
fn the_time_stands_still_until_the_news_of_the_end_has_come_and_passes_then() {
    with_watchdog(|| {
        let (clock, log) = (VirtualClock::new(), Log::new());
        let reactor = Reactor::builder().clock(clock.clone()).build().unwrap();
        // It is told first. Its hook keeps the news back from the other reactor, and makes that look around.
        let (handle, told) = (reactor.handle(), log.clone());
        let hook = move || {
            handle.call_from_thread(|_| ()).unwrap_or_default();
            note_the_time(&clock, &told);
        };
        let other = Reactor::builder().on_wake(hook).build().unwrap();
        assert_eq!(other.turn(), Ok(Turn::Idle));
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        drop(pool.stopped(&other));
        let stopped = pool.stopped(&reactor).add_timeout(&reactor, MINUTE);
        pool.ask_to_stop(StopPolicy::Drain);
        let local = reactor.local();
        let later = stopped.add_callback(move |()| local.sleep(MINUTE));
        assert!(run_until(reactor, later).is_ok());
        assert_eq!(log, [Duration::ZERO]);
    });
}

// Checks: P88, B42
#[test]
fn the_end_of_a_thread_that_retires_lets_the_time_pass() {
    with_watchdog(|| {
        let (reactor, log) = (reactor(), Log::new());
        let pool = ThreadPool::builder().size(0, 1).keep_alive(Some(Duration::ZERO)).build().unwrap();
        pool.start().unwrap();
        let (handle, local, told) = (reactor.handle(), reactor.local(), log.clone());
        let end = move || {
            wait_until_asleep_or_over(&handle);
            told.note("ends");
        };
        let done = threads::defer_to_thread_pool(&reactor, &pool, move || at_thread_end(end));
        let minute = done.add_callback(move |()| {
            wait_until(|| pool.stats().live == 0);
            local.sleep(MINUTE)
        });
        let slept = log.clone();
        assert!(run_until(reactor, minute.add_callback(move |()| slept.note("slept"))).is_ok());
        assert_eq!(log, ["ends", "slept"]);
    });
}

// Checks: P88, B42
#[test]
fn a_thread_that_ends_and_waits_for_the_reactors_time_lets_it_pass() {
    with_watchdog(|| {
        let (reactor, log) = (reactor(), Log::new());
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (handle, told) = (reactor.handle(), log.clone());
        let end = move || {
            let minute = threads::blocking_call_from_thread(&handle, |reactor| reactor.sleep(MINUTE));
            told.note(minute.is_ok());
        };
        pool.call_in_thread(move || at_thread_end(end)).unwrap();
        pool.ask_to_stop(StopPolicy::Drain);
        let stopped = pool.stopped(&reactor);
        assert!(run_until(reactor, stopped).is_ok());
        assert_eq!(log, [true]);
    });
}

// Checks: P88
#[test]
fn a_call_of_a_thread_that_is_no_worker_waits_for_virtual_time() {
    with_watchdog(|| {
        let reactor = reactor();
        let handle = reactor.handle();
        let caller = thread::spawn(move || {
            let answer = threads::blocking_call_from_thread(&handle, |reactor| reactor.sleep(MINUTE));
            handle.stop();
            answer.is_ok()
        });
        reactor.run();
        assert!(caller.join().unwrap());
    });
}

// Checks: P88
#[test]
fn a_call_that_waits_for_a_slot_of_the_inbox_holds_the_time() {
    with_watchdog(|| {
        for _ in 0..20 {
            let builder = Reactor::builder().clock(VirtualClock::new()).inbox_bound(NonZeroUsize::MIN);
            let (reactor, log) = (builder.build().unwrap(), Log::new());
            let handle = reactor.handle();
            handle.call_from_thread(|_| ()).unwrap();
            let (waits, ran) = (handle.clone(), log.clone());
            let poster = thread::spawn(move || {
                waits.call_from_thread_waiting(None, move |_| ran.note("call")).unwrap();
            });
            wait_until(|| format!("{handle:?}").contains("posters_wait: true"));
            let due = log.clone();
            let _ = reactor.call_later(MINUTE, move |reactor| {
                due.note("timer");
                reactor.stop().unwrap();
            });
            reactor.run();
            poster.join().unwrap();
            assert_eq!(log, ["call", "timer"]);
        }
    });
}

// Checks: P88
#[test]
fn jobs_that_nobody_can_take_let_the_time_pass_until_somebody_can() {
    with_watchdog(|| {
        // The pool is started by the startup that a sleep holds up, and was paused until a timer resumes it.
        let reactor = Reactor::builder().clock(VirtualClock::new()).pool_size(0, 0).build().unwrap();
        let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, |reactor| reactor.sleep(MINUTE));
        let _ = reactor.call_later(3 * MINUTE, |reactor| reactor.suggest_thread_pool_size(1));
        let job = threads::defer_to_thread(&reactor, || ()).add_timeout(&reactor, 10 * MINUTE);
        assert!(run_until(reactor, job).is_ok());
    });
}

// Checks: P88
#[test]
fn whatever_ends_the_last_job_lets_the_time_pass() {
    let ends: [fn(&ThreadPool, &Ticket, &Stepper); 4] = [
        |_, ticket, _| assert_eq!(ticket.cancel(), Cancellation::NeverRuns),
        |pool, _, _| pool.ask_to_stop(StopPolicy::CancelQueued),
        |pool, _, _| pool.adjust_pool_size(0, 0).unwrap(),
        |_, _, stepper| assert!(stepper.step().is_some()),
    ];
    for end in ends {
        with_watchdog(move || {
            // Without threads, so nobody else comes for the job.
            let (pool, stepper) = ThreadPool::builder().size(0, 1).build_stepped().unwrap();
            pool.start().unwrap();
            let reactor = Reactor::builder().clock(VirtualClock::new()).share_pool("p", &pool).build().unwrap();
            let (handle, log) = (reactor.handle(), Log::new());
            let (ended, due) = (log.clone(), log.clone());
            let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
            let _ = reactor.call_later(MINUTE, move |reactor| {
                due.note("the timer is due");
                reactor.stop().unwrap();
            });
            let other = thread::spawn(move || {
                wait_until_asleep_or_over(&handle);
                ended.note("the job is over");
                end(&pool, &ticket, &stepper);
                // What a worker does that was started already.
                while stepper.step().is_some() {}
            });
            reactor.run();
            other.join().unwrap();
            assert_eq!(log, ["the job is over", "the timer is due"]);
        });
    }
}

// Checks: P88
#[test]
fn a_cancel_of_the_last_job_wakes_the_reactor_before_any_worker_has_looked() {
    with_watchdog(|| {
        let (pool, stepper) = ThreadPool::builder().size(1, 1).build_stepped().unwrap();
        pool.start().unwrap();
        // The worker sleeps. It is woken for the job, but does nothing unless it is stepped.
        while stepper.step().is_some() {}
        let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
        let reactor = Reactor::builder().clock(VirtualClock::new()).share_pool("p", &pool).build().unwrap();
        let handle = reactor.handle();
        let _ = reactor.call_later(MINUTE, |reactor| reactor.stop().unwrap());
        let other = thread::spawn(move || {
            wait_until_asleep_or_over(&handle);
            assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
            // It sleeps once: nothing is left that it would wait for again.
            let slept_on = format!("{handle:?}").contains("Asleep");
            while stepper.step().is_some() {}
            slept_on
        });
        reactor.run();
        assert!(!other.join().unwrap());
    });
}

// Checks: P88
#[test]
fn a_job_that_is_refused_because_no_thread_starts_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = Reactor::builder().clock(VirtualClock::new()).on_report(|_| ()).build().unwrap();
        reactor.thread_pool().fail_starts(1);
        let job = threads::defer_to_thread(&reactor, || ());
        let timer = reactor.sleep(MINUTE);
        let both = run_until(
            reactor,
            job.add_both(move |refused| {
                assert!(refused.is_err());
                timer
            }),
        );
        assert!(both.is_ok());
    });
}

// Checks: P88
#[test]
fn an_answer_of_another_reactor_wins_against_a_timeout_of_a_minute() {
    with_watchdog(|| {
        let reactor = reactor();
        let gate = open_when_asleep(reactor.handle());
        let (send, receive) = mpsc::channel();
        let other = thread::spawn(move || {
            let other = Reactor::new();
            let (deferred, resolver) = Deferred::<u32>::new();
            send.send((deferred.into_send_future(&other), other.handle())).unwrap();
            let resolver = other.own(resolver).detach();
            thread::spawn(move || {
                gate.pass();
                resolver.release()
            });
            other.run();
        });
        let (answer, other_handle) = receive.recv().unwrap();
        let job = reactor.spawn(answer).add_timeout(&reactor, MINUTE);
        let failure = run_until(reactor, job).unwrap_err();
        assert!(!failure.is::<TimedOut>(), "{failure}");
        other_handle.stop();
        other.join().unwrap();
    });
}

// Checks: P88
#[test]
fn a_question_that_is_polled_again_before_its_answer_has_come_holds_the_time_until_then_and_no_longer() {
    beside_another(|reactor, other| {
        let mut asked = other.ask(|_| 42);
        let polled_twice = poll_fn(move |context| match Pin::new(&mut asked).poll(context) {
            Poll::Pending => Pin::new(&mut asked).poll(context),
            ready => ready,
        });
        let local = reactor.local();
        let answer = reactor.spawn(polled_twice).add_timeout(&reactor, MINUTE);
        let later = answer.add_callback(move |answer| local.sleep(MINUTE).add_callback(move |()| answer));
        assert_eq!(run_until(reactor, later).unwrap(), 42);
    });
}

// Checks: P88
#[test]
fn an_answer_of_this_reactor_itself_and_one_that_is_given_up_let_the_time_pass() {
    with_watchdog(|| {
        let reactor = reactor();
        let own = reactor.spawn(reactor.sleep(MINUTE).into_send_future(&reactor));
        let elsewhere = Reactor::new();
        let (never, _resolver) = Deferred::<()>::new();
        let given_up = reactor.spawn(never.into_send_future(&elsewhere)).add_errback(|_| ());
        // After the first poll.
        let _ = reactor.call_later(Duration::ZERO, move |_| given_up.cancel());
        assert!(run_until(reactor, own).is_ok());
    });
}

// Checks: P88
#[test]
fn what_was_deferred_to_another_reactor_wins_against_a_timeout_of_a_minute() {
    beside_another(|reactor, other| {
        let answer = threads::defer_to_reactor(&reactor, &other, |_| 42).add_timeout(&reactor, MINUTE);
        assert!(run_until(reactor, answer).is_ok_and(|answer| answer == 42));
    });
}

// Checks: P88, P80
#[test]
fn what_was_deferred_to_another_reactor_and_is_given_up_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = reactor();
        let never_turned = Reactor::new();
        let given_up = threads::defer_to_reactor(&reactor, &never_turned.handle(), |_| ());
        given_up.cancel();
        drop(given_up.add_errback(|_| ()));
        let slept = reactor.sleep(MINUTE);
        assert!(run_until(reactor, slept).is_ok());
    });
}

// Checks: P88
#[test]
fn an_answer_that_has_come_lets_the_time_pass_though_it_is_polled_for_only_later() {
    beside_another(|reactor, other| {
        let local = reactor.local();
        let answer = reactor.spawn(async move {
            let mut asked = other.ask(|_| 42);
            assert!(futures::poll!(&mut asked).is_pending());
            local.sleep(MINUTE).await?;
            asked.await
        });
        assert_eq!(run_until(reactor, answer).unwrap(), 42);
    });
}

// Checks: P88
#[test]
fn a_question_that_another_thread_goes_on_to_await_lets_the_time_pass() {
    with_watchdog(|| {
        let reactor = reactor();
        let gate = Gate::new();
        let (other_handle, other) = another_behind(gate.clone());
        let (send, receive) = mpsc::channel();
        let asks = other_handle.clone();
        reactor
            .call_from_thread(move |_| {
                let mut asked = asks.ask(|_| 42);
                assert!(Pin::new(&mut asked).poll(&mut Context::from_waker(Waker::noop())).is_pending());
                send.send(asked).unwrap();
            })
            .unwrap();
        let handle = reactor.handle();
        let elsewhere = thread::spawn(move || {
            let asked = receive.recv().unwrap();
            wait_until_asleep_or_over(&handle);
            threads::block_on(asked).unwrap()
        });
        let slept = reactor.sleep(MINUTE);
        assert!(run_until(reactor, slept).is_ok());
        gate.open();
        assert_eq!(elsewhere.join().unwrap().unwrap(), 42);
        other_handle.stop();
        other.join().unwrap();
    });
}

// Checks: P88, P110
#[test]
fn a_job_that_awaits_an_answer_of_this_reactor_in_its_own_executor_holds_the_time() {
    with_watchdog(|| {
        let reactor = reactor();
        let (handle, log) = (reactor.handle(), Log::new());
        let (other, due) = (open_when_asleep(handle.clone()), log.clone());
        let _ = reactor.call_later(2 * MINUTE, move |reactor| {
            due.note("two minutes have passed");
            reactor.stop().unwrap();
        });
        let awaits = log.clone();
        let job = move || {
            let (tell, told) = futures::channel::oneshot::channel();
            thread::spawn(move || {
                other.pass();
                tell.send(()).unwrap();
            });
            // It may go on without the answer, and does: so no time may have passed.
            let slept = handle.ask(|reactor| reactor.sleep(MINUTE));
            match futures::executor::block_on(select(slept, told)) {
                Either::Left(_) => awaits.note("a minute has passed"),
                Either::Right(_) => awaits.note("it goes on for another reason"),
            }
        };
        reactor.call_in_thread(job).unwrap();
        reactor.run();
        assert_eq!(log, ["it goes on for another reason", "two minutes have passed"]);
    });
}

// Checks: P88, P110
#[test]
fn a_job_that_awaits_answers_of_this_reactor_in_block_on_lets_the_time_pass_and_one_beside_it_does_not() {
    with_watchdog(|| {
        let reactor = reactor();
        let (handle, log) = (reactor.handle(), Log::new());
        let (asker, slept) = (handle.clone(), log.clone());
        let gate = open_when_asleep(handle);
        let worked = log.clone();
        reactor
            .call_in_thread(move || {
                gate.pass();
                worked.note("the other job is over");
            })
            .unwrap();
        reactor
            .call_in_thread(move || {
                let sleep = || asker.ask(|reactor| reactor.sleep(MINUTE));
                let both = threads::block_on(async { futures::join!(sleep(), sleep()) }).unwrap();
                assert!(both.0.is_ok() && both.1.is_ok());
                slept.note("a minute has passed");
                // What it does when it was woken is on its way again.
                let late = threads::block_on(asker.ask(Reactor::now)).unwrap().unwrap();
                assert_eq!(late, MINUTE);
                asker.stop();
            })
            .unwrap();
        reactor.run();
        assert_eq!(log, ["the other job is over", "a minute has passed"]);
    });
}

// Checks: P88, B45
#[test]
fn a_job_that_another_wakes_is_on_its_way_and_counts_as_blocked_until_then() {
    with_watchdog(|| {
        let reactor = reactor();
        let pool = reactor.thread_pool().clone();
        let (tell, told) = futures::channel::oneshot::channel::<()>();
        let job = threads::defer_to_thread(&reactor, move || threads::block_on(told).is_ok_and(|told| told.is_ok()));
        let woken = job.add_timeout(&reactor, 2 * MINUTE);
        let (seen, stats) = (Log::new(), pool);
        let at_minute = seen.clone();
        let _ = reactor.call_later(MINUTE, move |_| {
            at_minute.note(stats.stats().blocked);
            tell.send(()).unwrap();
        });
        assert!(run_until(reactor, woken).unwrap());
        assert_eq!(seen.entries(), [1]);
    });
}

// Checks: P78
#[test]
fn block_on_is_refused_where_a_reactor_lives_and_drops_its_future() {
    with_watchdog(|| {
        let reactor = TestReactor::new();
        let log = Log::new();
        let held = log.when_dropped("dropped unpolled");
        let future = async move { drop(held) };
        assert!(threads::block_on(future).is_err());
        assert_eq!(log.entries(), ["dropped unpolled"]);
        // A job of a test reactor runs on its thread.
        let handle = reactor.handle();
        let job = threads::defer_to_thread(&reactor, move || threads::block_on(handle.ask(|_| ())).map(drop));
        reactor.settle();
        assert!(job.try_result().ok().unwrap().unwrap_err().is::<WouldDeadlock>());
        drop(reactor);
        assert_eq!(threads::block_on(async { 42 }), Ok(42));
    });
}

// Checks: P78
#[test]
fn a_future_in_block_on_that_wakes_itself_is_polled_again() {
    with_watchdog(|| {
        let mut polls = 0;
        let yields = std::future::poll_fn(|context| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(());
            }
            // Two wakes before the next poll count as one.
            context.waker().wake_by_ref();
            context.waker().wake_by_ref();
            Poll::Pending
        });
        threads::block_on(yields).unwrap();
        assert_eq!(polls, 3);
    });
}

// Checks: P9
#[test]
fn what_the_hook_of_a_stopped_pool_captured_may_give_the_reactor_another_pool_when_it_is_dropped() {
    thread_local!(static LATER: RefCell<Option<(LocalHandle, ThreadPool)>> = const { RefCell::new(None) });
    let (reactor, _, incidents) = virtual_time();
    let given = OnDrop::new(|| {
        let (local, later) = LATER.take().unwrap();
        drop(local.with(|reactor| later.stopped(reactor)).unwrap());
    });
    let builder = ThreadPool::builder().on_worker_start(move |_| hold(&given));
    let (stopped, stepper) = builder.build_stepped().unwrap();
    drop(stopped.stopped(&reactor));
    stopped.ask_to_stop(StopPolicy::Drain);
    drop((stopped, stepper));
    let [next, later] = [(); 2].map(|()| ThreadPool::new(0, 1).unwrap());
    LATER.set(Some((reactor.local(), later)));
    // The reactor forgets the pool that has stopped, and has the last pointer to it.
    drop(next.stopped(&reactor));
    assert!(LATER.take().is_none(), "it was dropped");
    assert_eq!(incidents, []);
}
