//! What is called when a job is asked to end: once, by whoever asks, with no lock held.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::pool::{CancelToken, Cancellation, StopPolicy, Ticket};
use selvedge::report::Incident;
use selvedge::testing::Step;
use selvedge::{Job, ThreadPool};

use crate::support::{Gate, Log, PanicOnDrop, hold, wait_until, with_watchdog};

/// A ticket of a job that nobody takes.
fn ticket() -> (ThreadPool, Ticket) {
    let pool = ThreadPool::new(0, 1).unwrap();
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    (pool, ticket)
}

// Checks: P125
#[test]
fn those_who_listen_are_called_once_in_their_order_on_the_thread_that_cancels() {
    let (_pool, ticket) = ticket();
    let log = Log::new();
    for name in ["first", "second"] {
        let log = log.clone();
        ticket.token().on_cancel(move || log.note((name, thread::current().id()))).detach();
    }
    let other = ticket.clone();
    let canceller = thread::spawn(move || (other.cancel(), thread::current().id()));
    let (outcome, id) = canceller.join().unwrap();
    assert_eq!(outcome, Cancellation::NeverRuns);
    assert_eq!(ticket.cancel(), Cancellation::Over);
    assert_eq!(log, [("first", id), ("second", id)]);
}

// Checks: P125
#[test]
fn a_function_is_called_at_once_if_the_job_was_asked_already_and_never_if_it_ended_unasked() {
    let log = Log::new();
    let (_pool, asked) = ticket();
    asked.cancel();
    let (note, dropped) = (log.clone(), log.when_dropped("captures dropped"));
    let guard = asked.token().on_cancel(move || {
        let _dropped = dropped;
        note.note("called");
    });
    assert_eq!(log, ["called", "captures dropped"]);
    drop(guard);

    let log = Log::new();
    let (pool, ended) = ticket();
    let (note, dropped) = (log.clone(), log.when_dropped("at its end"));
    ended.token().on_cancel(move || drop((dropped, note.note("called")))).detach();
    pool.start().unwrap();
    pool.stop().unwrap();
    assert_eq!(log, ["at its end"]);
    let (note, dropped) = (log.clone(), log.when_dropped("afterwards"));
    ended.token().on_cancel(move || drop((dropped, note.note("called")))).detach();
    assert_eq!(log, ["at its end", "afterwards"]);
}

// Checks: P125
#[test]
fn a_guard_that_is_dropped_removes_its_function_and_no_other() {
    let (_pool, ticket) = ticket();
    let (log, token) = (Log::new(), ticket.token());
    let listen = |name| {
        let log = log.clone();
        token.on_cancel(move || log.note(name))
    };
    let (first, second, third) = (listen(1), listen(2), listen(3));
    drop(second);
    first.detach();
    ticket.cancel();
    drop(third);
    assert_eq!(log, [1, 3]);
}

// Checks: P125, P9
#[test]
fn a_function_may_use_the_token_and_its_panic_is_reported_to_the_sink_of_the_pool() {
    with_watchdog(|| {
        let (reports, log) = (Log::new(), Log::new());
        let (gate, registered) = (Gate::new(), Gate::new());
        let sink = reports.clone();
        let pool =
            ThreadPool::builder().size(0, 1).on_report(move |report| sink.note(report.incident)).build().unwrap();
        pool.start().unwrap();
        let (held, ready, note) = (gate.clone(), registered.clone(), log.clone());
        let ticket = pool
            .call_in_thread_ticketed(Job::with_token(move |token| {
                let (inside, note) = (token.clone(), note);
                token.on_cancel(|| panic!("planned")).detach();
                token
                    .on_cancel(move || {
                        let note_nested = note.clone();
                        inside.on_cancel(move || note_nested.note("nested")).detach();
                        note.note(if inside.is_cancelled() { "cancelled" } else { "?" });
                    })
                    .detach();
                ready.open();
                held.pass();
            }))
            .unwrap();
        wait_until(|| registered.is_open());
        assert_eq!(ticket.cancel(), Cancellation::Asked);
        gate.open();
        pool.stop().unwrap();
        assert_eq!(log, ["nested", "cancelled"]);
        assert_eq!(reports, [Incident::OnCancel]);
    });
}

// Checks: P125, P9
#[test]
fn what_a_function_that_was_never_called_captured_may_panic_in_its_drop() {
    let reports = Log::new();
    let pool = ThreadPool::builder().size(1, 1).on_report(reports.sink()).build().unwrap();
    let job = Job::with_token(|token| {
        for _ in 0..2 {
            let captured = PanicOnDrop;
            token.on_cancel(move || hold(&captured)).detach();
        }
    });
    pool.call_in_thread(job).unwrap();
    pool.start().unwrap();
    pool.stop().unwrap();
    assert_eq!((pool.stats().completed, pool.stats().panicked), (1, 0));
    assert_eq!(reports, [Incident::Drop; 2]);
}

// Checks: P125, P57
#[test]
fn a_stop_that_asks_running_jobs_to_end_interrupts_one_that_blocks() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.start().unwrap();
        let (begin, begun) = mpsc::channel();
        let (interrupt, interrupted) = mpsc::channel::<()>();
        pool.call_in_thread_ticketed(Job::with_token(move |token| {
            let _guard = token.on_cancel(move || drop(interrupt));
            begin.send(()).unwrap();
            assert!(interrupted.recv().is_err());
        }))
        .unwrap();
        begun.recv().unwrap();
        pool.stop_with(StopPolicy::CancelAll).unwrap();
    });
}

// Checks: P125
#[test]
fn printing_a_token_says_that_its_limit_has_passed_and_calls_nobody() {
    let pool = ThreadPool::new(0, 1).unwrap();
    let log = Log::new();
    let (noted, called) = (log.clone(), log.clone());
    let job = Job::new(move || {
        let token = CancelToken::current().unwrap();
        noted.note(format!("{token:?}"));
        noted.note("looks".to_owned());
        noted.note(token.is_cancelled().to_string());
    });
    let ticket = pool.call_in_thread_ticketed(job.time_limit(Duration::ZERO)).unwrap();
    // The job has not begun, and with it its time.
    ticket.token().on_cancel(move || called.note("called".to_owned())).detach();
    assert_eq!(log.len(), 0);
    pool.start().unwrap();
    pool.stop().unwrap();
    assert_eq!(log, ["CancelToken { cancelled: true }", "looks", "called", "true"].map(str::to_owned));
}

// Checks: P125
#[test]
fn a_job_without_a_ticket_is_given_a_token_that_nobody_cancels() {
    let log = Log::new();
    let looks = || {
        let log = log.clone();
        Job::with_token(move |token: &CancelToken| {
            let called = log.clone();
            token.on_cancel(move || called.note("called")).detach();
            log.note(if token.is_cancelled() { "cancelled" } else { "live" });
            assert!(CancelToken::current().is_none());
        })
    };
    let pool = ThreadPool::new(0, 1).unwrap();
    pool.call_in_thread(looks()).unwrap();
    pool.start().unwrap();
    pool.stop().unwrap();
    looks().run();
    assert_eq!(log, ["live", "live"]);
}

// Checks: B40, P78, P125
#[test]
fn a_function_that_a_stop_calls_must_not_wait_for_the_pools_stop() {
    let (pool, stepper) = ThreadPool::builder().size(1, 1).build_stepped().unwrap();
    pool.start().unwrap();
    let log = Log::new();
    let ticket = pool.call_in_thread_ticketed(|| ()).unwrap();
    assert_eq!(stepper.step(), Some(Step::Took));
    let (own, noted) = (pool.clone(), log.clone());
    ticket.token().on_cancel(move || noted.note(own.stop().is_err())).detach();
    // The stop has taken it out of the queue and refuses it when the function has returned.
    pool.call_in_thread(|| ()).unwrap();
    pool.stop_with(StopPolicy::CancelAll).unwrap();
    assert_eq!(log, [true]);
    while stepper.step().is_some() {}
    assert!(pool.has_stopped());
}
