//! Calls between threads and reactor: results, what a blocked caller is told, cancelling, and stopping.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Job, Reactor, Resolver, ThreadPool,
    error::{Abandoned, BlockingCallError, Cancelled, Panic, ReactorStopped, Rejected, Rejection},
    pool::Cancellation,
    report::Incident,
    threads,
};

use crate::support::{DropSignal, Gate, Log, ask, hold, reporting, wait_until, wait_until_asleep, with_watchdog};

/// Runs a reactor of one worker with this as its first call. The call, or what it leaves behind, has to stop it.
fn run_first(first: impl FnOnce(&Reactor) + Send + 'static) -> Log<Incident> {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        reactor.suggest_thread_pool_size(1);
        reactor.call_when_running(first);
        reactor.run();
        reports
    })
}

// ---- defer_to_thread

// Checks: B46
#[test]
fn a_value_fires_the_deferred_on_the_reactors_thread() {
    let log = Log::new();
    let seen = log.clone();
    run_first(move |reactor| {
        let (local, home) = (reactor.local(), thread::current().id());
        drop(threads::defer_to_thread(reactor, || "value").add_callback(move |value| {
            seen.note((value, thread::current().id() == home));
            local.with(|reactor| reactor.stop().unwrap()).unwrap();
        }));
    });
    assert_eq!(log, [("value", true)]);
}

// Checks: B46
#[test]
fn an_error_fails_the_deferred_with_its_type_kept() {
    let log = Log::new();
    let seen = log.clone();
    run_first(move |reactor| {
        let failing = || Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut));
        drop(threads::defer_to_thread(reactor, failing).add_errback(move |failure| {
            seen.note(failure.downcast::<io::Error>().unwrap().kind());
        }));
        reactor.stop().unwrap();
    });
    assert_eq!(log, [io::ErrorKind::TimedOut]);
}

// Checks: B46, B38
#[test]
fn a_panic_fails_the_deferred_and_is_not_reported_besides() {
    let log = Log::new();
    let seen = log.clone();
    let reports = run_first(move |reactor| {
        drop(threads::defer_to_thread(reactor, || -> u32 { panic!("no {}", "cheese") }).add_errback(move |failure| {
            seen.note(failure.downcast::<Panic>().unwrap().message().to_owned());
            0
        }));
        reactor.stop().unwrap();
    });
    assert_eq!(log.entries(), ["no cheese"]);
    assert_eq!(reports, []);
}

// Checks: B46, B60
#[test]
fn a_failure_that_nobody_handles_is_reported() {
    let reports = run_first(|reactor| {
        drop(threads::defer_to_thread(reactor, || Err::<(), _>(Failure::msg("no cheese"))));
        reactor.stop().unwrap();
    });
    assert_eq!(reports, [Incident::Unhandled]);
}

// Checks: B46, B13
#[test]
fn deferring_to_a_pool_that_has_stopped_fails_the_deferred_at_once() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.stop().unwrap();
        let reactor = Reactor::new();
        let deferred = threads::defer_to_thread_pool(&reactor, &pool, || ());
        let failure = deferred.try_result().unwrap().unwrap_err();
        // The function is not in it, so it must not say so.
        assert!(!failure.to_string().contains("job`"), "{failure}");
        assert_eq!(failure.downcast::<Rejected<()>>().unwrap().reason, Rejection::PoolStopped);
    });
}

// Checks: B46
#[test]
fn cancelling_what_is_still_queued_fails_it_now_drops_it_now_and_it_never_runs() {
    let log = Log::new();
    let seen = log.clone();
    run_first(move |reactor| {
        let gate = Gate::new();
        let closed = gate.clone();
        reactor.call_in_thread(move || closed.pass()).unwrap();
        let (ran, captured) = (seen.clone(), seen.when_dropped("dropped"));
        let queued = threads::defer_to_thread(reactor, move || {
            hold(&captured);
            ran.note("ran");
        });
        queued.cancel();
        let failure = queued.try_result().unwrap().unwrap_err();
        assert!(failure.is::<Cancelled>());
        seen.note("cancelled");
        gate.open();
        reactor.stop().unwrap();
    });
    assert_eq!(log, ["dropped", "cancelled"]);
}

// Checks: B46
#[test]
fn cancelling_what_runs_fails_it_now_and_its_late_result_is_dropped_on_the_reactors_thread() {
    let (drop_signal, told) = DropSignal::new();
    let (tell_home, home) = mpsc::channel();
    let reports = run_first(move |reactor| {
        tell_home.send(thread::current().id()).unwrap();
        let (gate, running) = (Gate::new(), Gate::new());
        let (closed, runs) = (gate.clone(), running.clone());
        let deferred = threads::defer_to_thread(reactor, move || {
            runs.open();
            closed.pass();
            Ok::<_, Failure>(drop_signal)
        });
        running.pass();
        deferred.cancel();
        assert!(deferred.try_result().is_ok_and(|result| result.is_err_and(|failure| failure.is::<Cancelled>())));
        gate.open();
        reactor.stop().unwrap();
    });
    assert_eq!(told.recv(), home.recv());
    assert_eq!(reports, [], "a late result is dropped silently");
}

// Checks: B46, R28
#[test]
fn a_result_that_comes_after_the_reactors_end_is_dropped_where_it_was_made() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (gate, log) = (Gate::new(), Log::new());
        let (closed, failed) = (gate.clone(), log.clone());
        let (drop_signal, told) = DropSignal::new();
        drop(
            threads::defer_to_thread_pool(&reactor, &pool, move || {
                closed.pass();
                Ok::<_, Failure>((drop_signal, thread::current().id()))
            })
            .map(|_| ())
            .add_errback(move |failure| failed.note(failure.is::<ReactorStopped>())),
        );
        drop(reactor);
        assert_eq!(log, [true]);
        gate.open();
        pool.stop().unwrap();
        assert_ne!(told.recv(), Ok(thread::current().id()));
    });
}

// ---- call_multiple_in_thread

// Checks: B47
#[test]
fn the_first_command_that_fails_is_reported_and_stops_the_rest_which_are_dropped() {
    let log = Log::new();
    let seen = log.clone();
    let reports = run_first(move |reactor| {
        let (first, third, captured) = (seen.clone(), seen.clone(), seen.when_dropped("third dropped"));
        threads::call_multiple_in_thread(
            &reactor.handle(),
            vec![
                Box::new(move || first.note("first")),
                Box::new(|| panic!("second")),
                Box::new(move || {
                    hold(&captured);
                    third.note("third");
                }),
            ],
        )
        .unwrap();
        reactor.stop().unwrap();
    });
    assert_eq!(log, ["first", "third dropped"]);
    assert_eq!(reports, [Incident::Job]);
}

// Checks: B47, B40
#[test]
fn commands_for_a_reactor_that_has_stopped_come_back_and_can_be_run() {
    let reactor = Reactor::new();
    let handle = reactor.handle();
    drop(reactor);
    let log = Log::new();
    let ran = log.clone();
    let rejected = threads::call_multiple_in_thread(&handle, vec![Box::new(move || ran.note("ran"))]).unwrap_err();
    rejected.job.run();
    assert_eq!(log, ["ran"]);
}

// Checks: B47, P75
#[test]
fn commands_that_never_run_are_dropped_one_by_one_whatever_their_drops_do() {
    let (pool, _stepper) = ThreadPool::builder().size(1, 1).build_stepped().unwrap();
    struct AlwaysPanics;
    impl Drop for AlwaysPanics {
        fn drop(&mut self) {
            panic!("a drop that panics, in another's too");
        }
    }
    let command = || -> Box<dyn FnOnce() + Send> {
        let captured = AlwaysPanics;
        Box::new(move || hold(&captured))
    };
    // Two panics in one drop would end this process.
    let ticket = pool.call_in_thread_ticketed(Job::multiple(vec![command(), command()])).unwrap();
    assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
}

// ---- blocking_call_from_thread

// Checks: B48
#[test]
fn a_panic_of_the_function_is_told_apart_from_its_error() {
    let panicked = ask(|handle| threads::blocking_call_from_thread(handle, |_| -> u32 { panic!("no cheese") }));
    let Err(BlockingCallError::Panicked(panic)) = panicked else { panic!("{panicked:?}") };
    assert_eq!(panic.message(), "no cheese");
}

// Checks: B48
#[test]
fn a_panic_in_a_callback_of_the_functions_deferred_is_a_panic_too() {
    let panicked = ask(|handle| {
        threads::blocking_call_from_thread(handle, |_| Deferred::succeed(1).add_callback(|n| -> u32 { panic!("{n}") }))
    });
    assert!(matches!(panicked, Err(BlockingCallError::Panicked(panic)) if panic.message() == "1"));
}

// Checks: B48
#[test]
fn a_panics_own_payload_comes_through() {
    let panicked = ask(|handle| threads::blocking_call_from_thread(handle, |_| -> u32 { std::panic::panic_any(7_u8) }));
    let Err(BlockingCallError::Panicked(panic)) = panicked else { panic!("{panicked:?}") };
    assert_eq!(*panic.into_payload().downcast::<u8>().unwrap(), 7);
}

// Checks: B48, R26
#[test]
fn a_blocking_call_on_the_reactors_own_thread_would_deadlock_and_says_so() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let ran = log.clone();
        let answer = threads::blocking_call_from_thread(&reactor.handle(), move |_| ran.note("ran"));
        assert!(matches!(answer, Err(BlockingCallError::WouldDeadlock)));
        reactor.turn().unwrap();
        assert_eq!(log.len(), 0, "the function was not posted either");
    });
}

// Checks: B48, B12, P78
#[test]
fn a_call_to_another_threads_reactor_is_none_to_ones_own_but_must_not_block_either() {
    with_watchdog(|| {
        let mine = Reactor::new();
        let (tell, told) = mpsc::channel();
        let other = thread::spawn(move || {
            let reactor = Reactor::new();
            tell.send(reactor.handle()).unwrap();
            reactor.run();
        });
        let theirs = told.recv().unwrap();
        let asked = theirs.clone();
        mine.call_when_running(move |reactor| {
            let blocked = threads::blocking_call_from_thread(&asked, |_| 42);
            assert!(matches!(blocked, Err(BlockingCallError::WouldDeadlock)));
            let local = reactor.local();
            let _ = threads::defer_to_reactor(reactor, &asked, |_| 42).add_callback(move |answer| {
                assert_eq!(answer, 42);
                local.with(|reactor| reactor.stop().unwrap()).unwrap();
            });
        });
        mine.run();
        theirs.stop();
        other.join().unwrap();
    });
}

/// Has fifty threads wait for Deferreds that never fire, stops the reactor, and returns what they are told.
fn stop_before_fifty_waiters(
    keep: impl Fn(&Reactor, Resolver<()>) + Copy + Send + 'static,
) -> Vec<Result<(), BlockingCallError>> {
    with_watchdog(move || {
        let reactor = Reactor::new();
        let begun = Log::new();
        let waiters: Vec<_> = (0..50)
            .map(|_| {
                let (handle, begun) = (reactor.handle(), begun.clone());
                thread::spawn(move || {
                    threads::blocking_call_from_thread(&handle, move |reactor| {
                        let (never, resolver) = Deferred::<()>::new();
                        keep(reactor, resolver);
                        begun.note(());
                        if begun.len() == 50 {
                            reactor.stop().unwrap();
                        }
                        never
                    })
                })
            })
            .collect();
        reactor.run();
        waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect()
    })
}

// Checks: B48, B13, R25
#[test]
fn a_stopped_reactor_fails_every_waiter() {
    let told = stop_before_fifty_waiters(|reactor, resolver| {
        let _ = reactor.call_later(Duration::MAX, |_| resolver.callback(()));
    });
    assert!(told.iter().all(|told| matches!(told, Err(BlockingCallError::ReactorStopped))), "{told:?}");
}

// Checks: B48, B13, R25
#[test]
fn a_waiter_is_told_that_the_reactor_stopped_even_if_its_deferred_is_abandoned_with_it() {
    let told = stop_before_fifty_waiters(|reactor, resolver| {
        let _ = reactor.own(resolver).detach();
    });
    assert!(told.iter().all(|told| matches!(told, Err(BlockingCallError::ReactorStopped))), "{told:?}");
}

// Checks: B48, R25, R27
#[test]
fn a_caller_is_told_when_the_reactor_is_dropped_with_its_call_unrun() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let log = Log::new();
        let ran = log.clone();
        let asker = thread::spawn(move || threads::blocking_call_from_thread(&handle, move |_| ran.note("ran")));
        let handle = reactor.handle();
        wait_until(|| format!("{handle:?}").contains("calls: 1"));
        drop(reactor);
        assert!(matches!(asker.join().unwrap(), Err(BlockingCallError::ReactorStopped)));
        assert_eq!(log.len(), 0);
    });
}

// Checks: B48
#[test]
fn asking_a_reactor_that_has_stopped_fails_at_once() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        handle.stop();
        reactor.run();
        let answer = thread::spawn(move || threads::blocking_call_from_thread(&handle, |_| ())).join().unwrap();
        assert!(matches!(answer, Err(BlockingCallError::ReactorStopped)));
    });
}

// Checks: B48
#[test]
fn a_function_that_has_not_begun_when_the_time_is_over_never_runs_and_is_dropped_on_the_reactors_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let log = Log::new();
        let ran = log.clone();
        let (drop_signal, told) = DropSignal::new();
        // The reactor does not run yet, so nothing can be answered.
        let asker = thread::spawn(move || {
            threads::blocking_call_from_thread_timeout(&handle, Duration::from_millis(1), move |_| {
                hold(&drop_signal);
                ran.note("ran");
            })
        });
        let answer = asker.join().unwrap();
        assert!(matches!(answer, Err(BlockingCallError::TimedOut(after)) if after == Duration::from_millis(1)));
        reactor.turn().unwrap();
        assert_eq!(told.try_recv(), Ok(thread::current().id()));
        assert_eq!(log.len(), 0);
    });
}

// Checks: B48, R28
#[test]
fn an_answer_that_comes_too_late_is_dropped_on_the_reactors_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let (drop_signal, told) = DropSignal::new();
        let (gate, begun) = (Gate::new(), Gate::new());
        let (closed, begins) = (gate.clone(), begun.clone());
        let asker = thread::spawn(move || {
            let answer = threads::blocking_call_from_thread_timeout(&handle, Duration::from_millis(1), move |_| {
                begins.open();
                closed.pass();
                Ok::<_, Failure>(drop_signal)
            });
            gate.open();
            answer.is_err()
        });
        // The function begins before or after its time is over; either way it is this thread that drops the
        // drop_signal.
        wait_until(|| format!("{:?}", reactor.handle()).contains("calls: 1"));
        reactor.turn().unwrap();
        assert!(asker.join().unwrap());
        assert_eq!(told.try_recv(), Ok(thread::current().id()));
    });
}

// Checks: B48, B16
#[test]
fn the_longest_timeout_is_no_error_and_an_answer_ends_it() {
    let answer = ask(|handle| threads::blocking_call_from_thread_timeout(handle, Duration::MAX, |_| 42));
    assert_eq!(answer.unwrap(), 42);
}

// Checks: B48
#[test]
fn a_timeout_of_zero_does_not_wait() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let asker = thread::spawn(move || threads::blocking_call_from_thread_timeout(&handle, Duration::ZERO, |_| ()));
        assert!(matches!(asker.join().unwrap(), Err(BlockingCallError::TimedOut(Duration::ZERO))));
    });
}

// Checks: B48, B6
#[test]
fn a_blocking_call_wakes_a_loop_that_sleeps() {
    let answers = ask(|handle| {
        (0..10).all(|number| {
            wait_until_asleep(handle);
            threads::blocking_call_from_thread(handle, move |_| number).unwrap() == number
        })
    });
    assert!(answers);
}

// Checks: B48, B6
#[test]
fn a_blocking_call_keeps_its_place_among_the_posted_calls() {
    let log = Log::new();
    let noted = log.clone();
    ask(move |handle| {
        let (first, second, third) = (noted.clone(), noted.clone(), noted.clone());
        handle.call_from_thread(move |_| first.note(1)).unwrap();
        threads::blocking_call_from_thread(handle, move |_| second.note(2)).unwrap();
        handle.call_from_thread(move |_| third.note(3)).unwrap();
    });
    assert_eq!(log, [1, 2, 3]);
}

// Checks: B48, S9
#[test]
fn a_job_of_the_pool_may_block_on_the_loop_and_stop_it() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let log = Log::new();
        let seen = log.clone();
        reactor
            .call_in_thread(move || {
                let stopped = threads::blocking_call_from_thread(&handle, Reactor::stop);
                seen.note(stopped.is_ok());
            })
            .unwrap();
        reactor.run();
        assert_eq!(log, [true]);
    });
}

// Checks: B48, P10
#[test]
fn a_blocking_call_whose_resolver_is_dropped_says_so() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let caller = thread::spawn(move || {
            let answer = threads::blocking_call_from_thread(&handle, |_| Deferred::<()>::new().0);
            handle.stop();
            answer
        });
        reactor.run();
        match caller.join().unwrap() {
            Err(BlockingCallError::Failed(failure)) => assert!(failure.is::<Abandoned>()),
            other => panic!("{other:?}"),
        }
    });
}
