//! The reactor: its life from startup to shutdown, the turn and what is fair in it, and what becomes of what fails.

use std::env;
use std::process::Command;
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Job, Reactor, ThreadPool,
    error::{ReactorStopped, StopError},
    reactor::{Event, Phase, Turn},
    report::{Incident, Report},
    threads,
};

use crate::support::{DropSignal, Gate, Log, reporting, virtual_time, wait_until, wait_until_asleep, with_watchdog};

// ---- life

// Checks: B1
#[test]
fn run_fires_startup_loops_until_it_is_stopped_and_fires_shutdown() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        for event in [Event::STARTUP, Event::SHUTDOWN] {
            for phase in [Phase::Before, Phase::During, Phase::After] {
                let (log, entry) = (log.clone(), format!("{phase:?} {event}"));
                let _ = reactor.add_event_trigger(phase, event.clone(), move |_| log.note(entry));
            }
        }
        let called = log.clone();
        let _ = reactor.call_later(Duration::from_millis(1), move |reactor| {
            called.note("a call".to_owned());
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(
            log.entries(),
            [
                "Before startup",
                "During startup",
                "After startup",
                "a call",
                "Before shutdown",
                "During shutdown",
                "After shutdown"
            ]
        );
    });
}

// Checks: B2
#[test]
fn it_is_running_from_during_startup_to_during_shutdown() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        for event in [Event::STARTUP, Event::SHUTDOWN] {
            for phase in [Phase::Before, Phase::During, Phase::After] {
                let log = log.clone();
                let _ = reactor.add_event_trigger(phase, event.clone(), move |reactor| log.note(reactor.is_running()));
            }
        }
        assert!(!reactor.is_running());
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, [false, true, true, true, false, false]);
    });
}

// Checks: B3
#[test]
fn stop_only_asks_and_shutdown_begins_at_the_end_of_the_turn() {
    let reactor = Reactor::new();
    let log = Log::new();
    let shutdown = log.clone();
    let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| shutdown.note("shutdown"));
    let stopped = log.clone();
    reactor
        .call_from_thread(move |reactor| {
            reactor.stop().unwrap();
            stopped.note("stopped");
            assert!(reactor.is_running());
        })
        .unwrap();
    let after = log.clone();
    reactor.call_from_thread(move |_| after.note("another call of the turn")).unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, ["stopped", "another call of the turn", "shutdown"]);
}

// Checks: B3
#[test]
fn stopping_a_reactor_that_has_not_begun_to_run_is_an_error() {
    assert_eq!(Reactor::new().stop(), Err(StopError::NotRunning));
}

// Checks: B3
#[test]
fn stopping_twice_is_an_error_from_the_first_stop_to_the_end() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        for phase in [Phase::Before, Phase::After] {
            let log = log.clone();
            let _ = reactor.add_event_trigger(phase, Event::SHUTDOWN, move |reactor| log.note(reactor.stop()));
        }
        let asked = log.clone();
        reactor.call_when_running(move |reactor| {
            asked.note(reactor.stop());
            asked.note(reactor.stop());
        });
        while reactor.turn().unwrap() != Turn::Ended {}
        log.note(reactor.stop());
        let again = Err(StopError::AlreadyStopping);
        assert_eq!(log, [Ok(()), again, again, again, Err(StopError::NotRunning)]);
    });
}

// Checks: B3
#[test]
fn a_reactor_may_be_stopped_before_its_startup_is_through() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, |reactor| reactor.stop().unwrap());
        reactor.run();
    });
}

// Checks: B3
#[test]
fn a_handle_stops_a_reactor_that_has_not_begun_as_soon_as_it_has() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        handle.stop();
        reactor.run();
        handle.stop();
    });
}

// Checks: B1, B13
#[test]
fn whatever_was_accepted_before_the_end_has_run_when_run_returns() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let late = log.clone();
        let _ = reactor.add_event_trigger(Phase::After, Event::SHUTDOWN, move |reactor| {
            reactor.call_from_thread(move |_| late.note("ran")).unwrap();
        });
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        assert_eq!(log, ["ran"]);
    });
}

// Checks: B6, R27, P5, P7
#[test]
fn calls_to_a_reactor_that_is_dropped_without_having_run_are_dropped_with_it_on_its_thread() {
    let reactor = Reactor::new();
    let (drop_signal, told) = DropSignal::new();
    reactor.call_from_thread(move |_| drop(drop_signal)).unwrap();
    drop(reactor);
    assert_eq!(told.recv(), Ok(thread::current().id()));
}

// ---- posting

// Checks: B6, R24
#[test]
fn a_call_never_runs_inside_the_call_that_posts_it() {
    let reactor = Reactor::new();
    let log = Log::new();
    let (outer, inner) = (log.clone(), log.clone());
    reactor
        .call_from_thread(move |reactor| {
            reactor.call_from_thread(move |_| inner.note("inner")).unwrap();
            outer.note("outer");
        })
        .unwrap();
    assert_eq!(log.len(), 0, "nothing runs before the reactor does");
    reactor.turn().unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, ["outer", "inner"]);
}

// Checks: B6, R23
#[test]
fn calls_of_each_poster_run_in_the_order_in_which_it_posted_them() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let posters = [0, 1, 2, 3].map(|poster| {
            let (handle, log) = (reactor.handle(), log.clone());
            thread::spawn(move || {
                for number in 0..500 {
                    let log = log.clone();
                    handle.call_from_thread(move |_| log.note((poster, number))).unwrap();
                }
            })
        });
        let handle = reactor.handle();
        let last = thread::spawn(move || {
            posters.into_iter().for_each(|poster| poster.join().unwrap());
            handle.stop();
        });
        reactor.run();
        last.join().unwrap();
        for poster in 0..4 {
            let of_this_one = log.entries().into_iter().filter(|entry| entry.0 == poster).map(|entry| entry.1);
            assert!(of_this_one.eq(0..500));
        }
    });
}

// Checks: B6
#[test]
fn calls_run_in_one_total_order_whoever_posted_them() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        // Each poster hands over to the next, so that it is known which of them came first.
        for number in 0..20 {
            let (handle, log) = (reactor.handle(), log.clone());
            thread::spawn(move || handle.call_from_thread(move |_| log.note(number)).unwrap()).join().unwrap();
        }
        reactor.handle().stop();
        reactor.run();
        assert!(log.entries().into_iter().eq(0..20));
    });
}

// Checks: B6, R16
#[test]
fn a_post_wakes_a_loop_that_sleeps() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let poster = thread::spawn(move || {
            for _ in 0..10 {
                wait_until_asleep(&handle);
                handle.call_from_thread(|_| ()).unwrap();
            }
            wait_until_asleep(&handle);
            handle.stop();
        });
        reactor.run();
        poster.join().unwrap();
    });
}

// Checks: B6, R19
#[test]
fn a_post_from_the_loops_own_thread_is_not_slept_over() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        // Timers run after the posted calls of their turn: nothing but this post can start the next one.
        let _ = reactor.call_later(Duration::from_millis(1), |reactor| {
            reactor.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
        });
        reactor.run();
    });
}

// Checks: B6, R21
#[test]
fn user_code_that_parks_its_thread_steals_no_wake() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let (this_thread, gate) = (thread::current(), Gate::new());
        let opened = gate.clone();
        let poster = thread::spawn(move || {
            opened.pass();
            this_thread.unpark();
            wait_until_asleep(&handle);
            handle.stop();
        });
        reactor.call_when_running(move |_| {
            gate.open();
            thread::park();
        });
        reactor.run();
        poster.join().unwrap();
    });
}

// ---- the turn

// Checks: B5, B7
#[test]
fn calls_posted_meanwhile_wait_a_turn_so_that_timers_do_not_starve() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let note = |entry: &'static str| {
        let log = log.clone();
        move |_: &Reactor| log.note(entry)
    };
    let (c1, c3) = (note("c1"), note("c3"));
    reactor
        .call_from_thread(move |reactor| {
            c1(reactor);
            reactor.call_from_thread(c3).unwrap();
        })
        .unwrap();
    reactor.call_from_thread(note("c2")).unwrap();
    for timer in ["t1", "t2", "t3"] {
        let _ = reactor.call_later(Duration::ZERO, note(timer));
    }
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    assert_eq!(log, ["c1", "c2", "t1", "t2", "t3"]);
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    assert_eq!(log, ["c1", "c2", "t1", "t2", "t3", "c3"]);
}

// Checks: B7
#[test]
fn a_call_that_posts_itself_for_ever_holds_up_neither_timers_nor_the_end() {
    fn again(reactor: &Reactor) {
        let _ = reactor.call_from_thread(again);
    }
    with_watchdog(|| {
        let reactor = Reactor::new();
        reactor.call_from_thread(again).unwrap();
        let _ = reactor.call_later(Duration::from_millis(1), |reactor| reactor.stop().unwrap());
        reactor.run();
    });
}

// Checks: B5
#[test]
fn a_turn_runs_posted_calls_then_due_timers_then_the_beginning_of_shutdown() {
    let (reactor, _, _) = virtual_time();
    let log = Log::new();
    let (timer, call, shutdown) = (log.clone(), log.clone(), log.clone());
    let _ = reactor.add_event_trigger(Phase::Before, Event::SHUTDOWN, move |_| shutdown.note("shutdown"));
    reactor
        .call_from_thread(move |reactor| {
            reactor.stop().unwrap();
            // Added by a call of this turn, and due: its timers include it.
            let _ = reactor.call_later(Duration::ZERO, move |_| timer.note("timer"));
            call.note("call");
        })
        .unwrap();
    reactor.turn().unwrap();
    assert_eq!(log, ["call", "timer", "shutdown"]);
}

// Checks: B5, B11
#[test]
fn a_turn_says_when_it_wants_the_next() {
    let (reactor, clock, _) = virtual_time();
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    let _ = reactor.call_later(Duration::from_secs(5), |_| ());
    clock.advance(Duration::from_secs(2));
    assert_eq!(reactor.turn(), Ok(Turn::Wait(Duration::from_secs(3))));
    reactor.call_from_thread(|reactor| reactor.call_from_thread(|_| ()).unwrap()).unwrap();
    assert_eq!(reactor.turn(), Ok(Turn::Again));
    clock.advance(Duration::from_secs(3));
    assert_eq!(reactor.turn(), Ok(Turn::Idle));
    reactor.call_from_thread(|reactor| reactor.stop().unwrap()).unwrap();
    turn_to_the_end(&reactor);
    assert_eq!(reactor.turn(), Ok(Turn::Ended));
}

fn turn_to_the_end(reactor: &Reactor) {
    // An idle turn may only wait for the pool to wind down, on its own threads.
    wait_until(|| reactor.turn() == Ok(Turn::Ended));
}

// Checks: B11
#[test]
fn a_turn_inside_a_turn_is_refused() {
    let reactor = Reactor::new();
    let log = Log::new();
    let (call, timer, trigger) = (log.clone(), log.clone(), log.clone());
    let _ = reactor.add_event_trigger(Phase::During, Event::STARTUP, move |reactor| trigger.note(reactor.turn()));
    reactor.call_from_thread(move |reactor| call.note(reactor.turn())).unwrap();
    let _ = reactor.call_later(Duration::ZERO, move |reactor| timer.note(reactor.turn()));
    reactor.turn().unwrap();
    assert!(log.entries().iter().all(Result::is_err));
    assert_eq!(log.len(), 3);
}

// Checks: B10
#[test]
fn call_when_running_waits_for_the_startup_and_keeps_its_order() {
    let reactor = Reactor::new();
    let log = Log::new();
    for number in 0..3 {
        let log = log.clone();
        reactor.call_when_running(move |reactor| {
            assert!(reactor.is_running());
            log.note(number);
        });
    }
    assert_eq!(log.len(), 0);
    reactor.turn().unwrap();
    assert_eq!(log, [0, 1, 2]);
}

// Checks: B10
#[test]
fn call_when_running_calls_at_once_what_runs_already() {
    let reactor = Reactor::new();
    reactor.turn().unwrap();
    let log = Log::new();
    let ran = log.clone();
    reactor.call_when_running(move |_| ran.note("ran"));
    assert_eq!(log, ["ran"]);
}

// ---- which thread, which reactor

// Checks: B12
#[test]
fn each_reactor_knows_its_own_thread_and_not_that_of_another() {
    with_watchdog(|| {
        let mine = Reactor::new();
        let (tell, told) = std::sync::mpsc::channel();
        let handle = mine.handle();
        let other = thread::spawn(move || {
            let reactor = Reactor::new();
            tell.send(reactor.handle()).unwrap();
            assert!(reactor.handle().is_in_reactor_thread());
            assert!(!handle.is_in_reactor_thread());
            reactor.run();
        });
        let theirs = told.recv().unwrap();
        assert!(mine.handle().is_in_reactor_thread());
        assert!(!theirs.is_in_reactor_thread());
        theirs.stop();
        other.join().unwrap();
    });
}

// Checks: B12
#[test]
fn two_reactors_on_one_thread_do_not_hear_each_others_calls() {
    let (one, other) = (Reactor::new(), Reactor::new());
    let log = Log::new();
    let (first, second) = (log.clone(), log.clone());
    one.call_from_thread(move |_| first.note("one")).unwrap();
    other.call_from_thread(move |_| second.note("other")).unwrap();
    other.turn().unwrap();
    assert_eq!(log, ["other"]);
    one.turn().unwrap();
    assert_eq!(log, ["other", "one"]);
}

// Checks: S2, B12
#[test]
fn a_local_handle_reaches_the_reactor_until_it_ends_and_keeps_nothing_alive() {
    let reactor = Reactor::new();
    let local = reactor.local();
    assert_eq!(local.with(Reactor::is_running), Ok(false));
    let log = Log::new();
    // A value that the reactor owns and that leads back to it: with a strong pointer, neither would ever go.
    let _ = reactor.own((local.clone(), log.when_dropped("gone"))).detach();
    drop(reactor);
    assert_eq!(log, ["gone"]);
    assert_eq!(local.with(|_| ()), Err(ReactorStopped));
}

// ---- shutdown

// Checks: B13
#[test]
fn results_of_jobs_that_end_during_shutdown_reach_their_deferreds() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let results = log.clone();
        let gate = Gate::new();
        let closed = gate.clone();
        let _ = reactor.add_event_trigger(Phase::During, Event::SHUTDOWN, move |_| gate.open());
        reactor.call_when_running(move |reactor| {
            for number in 0..20 {
                let (results, closed) = (results.clone(), closed.clone());
                let result = threads::defer_to_thread(reactor, move || {
                    closed.pass();
                    number
                });
                drop(result.add_callback(move |number| results.note(number)));
            }
            reactor.stop().unwrap();
        });
        reactor.run();
        let mut numbers = log.entries();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..20));
    });
}

// Checks: B13
#[test]
fn a_result_that_cannot_be_delivered_any_more_fails_its_deferred_with_reactor_stopped() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (pool, gate) = (ThreadPool::new(1, 1).unwrap(), Gate::new());
        pool.start().unwrap();
        let closed = gate.clone();
        let log = Log::new();
        let failed = log.clone();
        drop(
            threads::defer_to_thread_pool(&reactor, &pool, move || closed.pass())
                .add_errback(move |failure| failed.note(failure.is::<ReactorStopped>())),
        );
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        // The job has not even ended: what its Deferred got, it got from the reactor's end.
        assert_eq!(log, [true]);
        gate.open();
        pool.stop().unwrap();
    });
}

// Checks: B14
#[test]
fn a_startup_that_waits_for_a_deferred_sleeps_meanwhile() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let (ready, resolver) = Deferred::<()>::new();
        let resolver = reactor.own(Some(resolver)).detach();
        let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, move |_| ready);
        let handle = reactor.handle();
        let other = thread::spawn(move || {
            wait_until_asleep(&handle);
            resolver.call(|resolver, _| resolver.take().into_iter().for_each(|it| it.callback(()))).unwrap();
        });
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        other.join().unwrap();
    });
}

// Checks: B14, B23
#[test]
fn calls_and_timers_run_while_startup_waits() {
    let (reactor, clock, _) = virtual_time();
    let (ready, resolver) = Deferred::<()>::new();
    let _ = reactor.add_event_trigger(Phase::Before, Event::STARTUP, move |_| ready);
    let _ = reactor.call_later(Duration::from_secs(1), move |_| resolver.callback(()));
    reactor.call_from_thread(|reactor| assert!(!reactor.is_running())).unwrap();
    assert_eq!(reactor.turn(), Ok(Turn::Wait(Duration::from_secs(1))));
    assert!(!reactor.is_running());
    clock.advance(Duration::from_secs(1));
    reactor.turn().unwrap();
    assert!(reactor.is_running());
}

// ---- what fails

// Checks: B8
#[test]
fn a_call_that_panics_is_reported_and_the_rest_run() {
    let (reactor, reports) = reporting();
    let log = Log::new();
    for number in 0..4 {
        let log = log.clone();
        reactor
            .call_from_thread(move |_| {
                log.note(number);
                assert_ne!(number, 1);
            })
            .unwrap();
    }
    reactor.call_when_running(|_| panic!("when running"));
    reactor.turn().unwrap();
    assert_eq!(log, [0, 1, 2, 3]);
    assert_eq!(reports, [Incident::Trigger, Incident::Call]);
}

// Checks: B8
#[test]
fn a_sink_that_panics_takes_neither_the_loop_nor_a_worker_with_it() {
    with_watchdog(|| {
        let reactor = Reactor::builder().on_report(|report| panic!("no, not {report}")).build().unwrap();
        let log = Log::new();
        let (call, job) = (log.clone(), log.clone());
        reactor.call_from_thread(|_| panic!("a call")).unwrap();
        reactor.call_from_thread(move |_| call.note("a call")).unwrap();
        reactor.suggest_thread_pool_size(1);
        reactor.call_in_thread(|| panic!("a job")).unwrap();
        reactor.call_in_thread(move || job.note("a job")).unwrap();
        reactor.call_when_running(|reactor| reactor.stop().unwrap());
        reactor.run();
        let mut entries = log.entries();
        entries.sort_unstable();
        assert_eq!(entries, ["a call", "a job"]);
    });
}

// Checks: B8, B60
#[test]
fn a_failure_that_nobody_handles_goes_to_the_sink_of_the_reactor_that_runs() {
    let (reactor, reports) = reporting();
    let (other, none) = reporting();
    other.turn().unwrap();
    reactor.call_from_thread(|_| drop(Deferred::<()>::fail(Failure::msg("unhandled")))).unwrap();
    reactor.turn().unwrap();
    assert_eq!(reports, [Incident::Unhandled]);
    assert_eq!(none, []);
}

/// Set for the copy of this program that is run to see what it writes to stderr.
const CHILD: &str = "SELVEDGE_TEST_CHILD";

// Checks: B8
#[test]
fn without_a_sink_failures_are_told_on_stderr() {
    let said = said_by("lifecycle::without_a_sink_failures_are_told_on_stderr", || {
        let reactor = Reactor::new();
        reactor.call_from_thread(|_| panic!("out of cheese")).unwrap();
        reactor.turn().unwrap();
    });
    assert!(said.contains("selvedge: a call on the reactor's thread failed: panicked: out of cheese"), "{said}");
}

// Checks: B8, P76
#[test]
fn the_report_of_a_sink_that_panics_is_told_on_stderr_and_so_are_those_that_it_caused() {
    let name = "lifecycle::the_report_of_a_sink_that_panics_is_told_on_stderr_and_so_are_those_that_it_caused";
    let said = said_by(name, || {
        let sink = |report: &Report<'_>| {
            if report.incident != Incident::Unhandled {
                drop(Deferred::<()>::fail(Failure::msg("caused by the sink")));
            }
            panic!("the sink")
        };
        let pool = |pool: selvedge::pool::PoolBuilder| pool.size(0, 1);
        let reactor = Reactor::builder().on_report(sink).configure_pool(pool).build().unwrap();
        reactor.call_from_thread(|_| panic!("out of cheese")).unwrap();
        reactor.turn().unwrap();
        let job = Job::new(|| panic!("out of crackers")).named("lunch");
        reactor.thread_pool().start().unwrap();
        reactor.call_in_thread(job).unwrap();
        let stopping = reactor.thread_pool().clone();
        std::thread::spawn(move || stopping.stop().unwrap()).join().unwrap();
    });
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("selvedge: ")).collect();
    let [call, caused, job, caused_by_job] = lines[..] else { panic!("{said}") };
    assert_eq!(call, "selvedge: a call on the reactor's thread failed: panicked: out of cheese");
    for caused in [caused, caused_by_job] {
        let start = "selvedge: unhandled failure in a Deferred: caused by the sink (made at ";
        assert!(caused.starts_with(start), "{said}");
    }
    let start = "selvedge: a job in the thread pool failed: panicked: out of crackers (job \"lunch\", made at ";
    assert!(job.starts_with(start), "{said}");
}

/// What a test's body writes to stderr, in a copy of this program. `name` is the test's own, with its module.
pub fn said_by(name: &str, body: impl FnOnce()) -> String {
    if env::var_os(CHILD).is_some() {
        body();
        std::process::exit(0);
    }
    let arguments = [name, "--exact", "--nocapture"];
    let output = Command::new(env::current_exe().unwrap()).args(arguments).env(CHILD, "yes").output().unwrap();
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}
