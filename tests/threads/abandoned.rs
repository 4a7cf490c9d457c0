//! Giving up: a thread that no longer waits for the reactor cancels what it waited for, and what comes of that later is
//! told once.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, Failure, Handle, Reactor, Resolver, ThreadPool,
    coordination::DeferredQueue,
    error::{BlockingCallError, Cancelled},
    pool::CancelToken,
    report::Incident,
    threads,
};

use crate::support::{Gate, Log, reporting, wait_until, with_watchdog};

/// How long a caller waits at first.
const PATIENCE: Duration = Duration::from_millis(20);

thread_local! {
    static QUEUE: DeferredQueue<u32> = DeferredQueue::new();
    /// The resolvers of Deferreds that are never fired.
    static KEPT: RefCell<Vec<Resolver<u32>>> = const { RefCell::new(Vec::new()) };
}

/// Asks a reactor that turns only here, with a caller that gives up; then the reactor turns again. A function that has
/// not begun by then never runs: it is asked once more, by a caller with more patience.
fn give_up_on(reactor: &Reactor, function: impl Fn(&Reactor) -> Deferred<u32> + Clone + Send + 'static) {
    give_up(reactor, asking(function));
}

/// Asks for what this function returns.
fn asking(
    function: impl Fn(&Reactor) -> Deferred<u32> + Clone + Send + 'static,
) -> impl Fn(Handle, Duration, Gate, Gate) -> thread::JoinHandle<Result<(), BlockingCallError>> {
    move |handle, patience, begun, _| {
        let function = function.clone();
        thread::spawn(move || {
            threads::blocking_call_from_thread_timeout(&handle, patience, move |reactor| {
                begun.open();
                function(reactor)
            })
            .map(drop)
        })
    }
}

/// Has this start a caller, which opens the first gate when its function begins, and who is told by the second when it
/// has given up. Again until a function has begun.
fn give_up(
    reactor: &Reactor,
    ask: impl Fn(Handle, Duration, Gate, Gate) -> thread::JoinHandle<Result<(), BlockingCallError>>,
) {
    give_up_before(reactor, ask, || ());
}

/// The same. `late` runs when the caller has given up, before the reactor knows.
fn give_up_before(
    reactor: &Reactor,
    ask: impl Fn(Handle, Duration, Gate, Gate) -> thread::JoinHandle<Result<(), BlockingCallError>>,
    late: impl Fn(),
) {
    let begun = Gate::new();
    let mut patience = PATIENCE;
    while !begun.is_open() {
        let given_up = Gate::new();
        let asker = ask(reactor.handle(), patience, begun.clone(), given_up.clone());
        let giving_up = thread::spawn(move || {
            let answer = asker.join().unwrap();
            given_up.open();
            answer
        });
        wait_until(|| format!("{:?}", reactor.handle()).contains("calls: 1"));
        reactor.turn().unwrap();
        let answer = giving_up.join().unwrap();
        assert!(matches!(answer, Err(BlockingCallError::TimedOut(after)) if after == patience), "{answer:?}");
        if begun.is_open() {
            late();
        }
        reactor.turn().unwrap();
        patience *= 2;
    }
}

// Checks: P80, B48, R33, R40
#[test]
fn blocking_calls_that_time_out_take_no_items_from_the_queue_they_waited_for() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let queue = QUEUE.with(Clone::clone);
        for _ in 0..4 {
            give_up_on(&reactor, |_| QUEUE.with(|queue| queue.get().unwrap()));
        }
        assert_eq!(queue.waiting(), 0);
        (0..8).for_each(|item| queue.put(item).unwrap());
        assert_eq!(queue.len(), 8);
        assert_eq!(reports.entries(), []);
    });
}

// Checks: P80, P81, B48
#[test]
fn an_item_that_comes_when_its_caller_has_just_given_up_goes_back() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let queue = QUEUE.with(Clone::clone);
        let late = || {
            assert_eq!(queue.waiting(), 1);
            queue.put(7).unwrap();
            assert_eq!((queue.waiting(), queue.len()), (0, 1));
        };
        give_up_before(&reactor, asking(|_| QUEUE.with(|queue| queue.get().unwrap())), late);
        assert_eq!((queue.get().unwrap().try_result().unwrap().unwrap(), queue.len()), (7, 0));
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
        give_up_on(&reactor, move |_| {
            let noted = noted.clone();
            let (deferred, resolver) = Deferred::with_canceller(move || noted.note(thread::current().id()));
            KEPT.with_borrow_mut(|kept| kept.push(resolver));
            deferred
        });
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
            give_up(&reactor, |handle, patience, begun, given_up| {
                thread::spawn(move || {
                    threads::blocking_call_from_thread_timeout(&handle, patience, move |_| {
                        begun.open();
                        given_up.pass();
                        assert!(!panics, "later");
                        Err::<(), _>(std::fmt::Error)
                    })
                })
            });
            assert_eq!(reports.entries(), [Incident::Call]);
        }
    });
}

// Checks: P80, R41
#[test]
fn a_deferred_that_fails_when_it_is_cancelled_for_want_of_a_caller_is_reported_once() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        give_up_on(&reactor, |_| {
            let (deferred, resolver) = Deferred::<u32>::new();
            KEPT.with_borrow_mut(|kept| kept.push(resolver));
            deferred.add_errback(|_: Failure| -> Result<u32, std::fmt::Error> { Err(std::fmt::Error) })
        });
        assert_eq!(reports.entries(), [Incident::Unhandled]);
    });
}

// Checks: P80, B48
#[test]
fn a_caller_that_gives_up_while_the_function_runs_has_its_deferred_cancelled_at_once() {
    with_watchdog(|| {
        let (reactor, _reports) = reporting();
        let queue = QUEUE.with(Clone::clone);
        give_up(&reactor, |handle, patience, begun, given_up| {
            thread::spawn(move || {
                threads::blocking_call_from_thread_timeout(&handle, patience, move |_| {
                    begun.open();
                    given_up.pass();
                    QUEUE.with(|queue| queue.get().unwrap())
                })
                .map(drop)
            })
        });
        assert_eq!(queue.waiting(), 0);
    });
}

/// Defers a job that begins, and ends when the gate is open. Returns its Deferred when it has begun.
fn begun_job<R>(reactor: &Reactor, gate: &Gate, body: impl FnOnce() -> R + Send + 'static) -> Deferred<R::Value>
where
    R: selvedge::deferred::Outcome<Failure> + Send + 'static,
{
    let (begun, closed) = (Gate::new(), gate.clone());
    let begins = begun.clone();
    let deferred = threads::defer_to_thread(reactor, move || {
        begins.open();
        closed.pass();
        body()
    });
    while reactor.turn().is_ok() && reactor.thread_pool().stats().busy == 0 {}
    begun.pass();
    deferred
}

/// Turns until the job's result has come.
fn turn_until_idle(reactor: &Reactor) {
    while reactor.turn().is_ok() && reactor.thread_pool().stats().busy > 0 {}
    reactor.turn().unwrap();
}

// Checks: P80, B46, R41
#[test]
fn a_cancelled_job_that_panics_or_fails_is_reported_once_and_one_that_says_it_was_cancelled_is_not() {
    with_watchdog(|| {
        for (end, reported) in [(0, true), (1, true), (2, false), (3, false)] {
            let (reactor, reports) = reporting();
            let gate = Gate::new();
            let deferred = begun_job(&reactor, &gate, move || match end {
                0 => panic!("later"),
                1 => Err(Failure::new(std::fmt::Error)),
                2 => CancelToken::current().unwrap().check().map_err(Failure::from),
                _ => Ok(()),
            });
            deferred.cancel();
            assert!(deferred.try_result().is_ok_and(|result| result.is_err_and(|failure| failure.is::<Cancelled>())));
            gate.open();
            turn_until_idle(&reactor);
            assert_eq!(reports.entries(), if reported { vec![Incident::Job] } else { vec![] }, "{end}");
        }
    });
}

// Checks: P80, R41
#[test]
fn a_job_that_fails_after_its_reactor_has_ended_is_reported_to_its_pool() {
    with_watchdog(|| {
        let log = Log::new();
        let pool = ThreadPool::builder().on_report(log.sink()).build().unwrap();
        pool.start().unwrap();
        let reactor = Reactor::new();
        let (gate, begun) = (Gate::new(), Gate::new());
        let (closed, begins) = (gate.clone(), begun.clone());
        let deferred = threads::defer_to_thread_pool(&reactor, &pool, move || -> () {
            begins.open();
            closed.pass();
            panic!("later")
        });
        begun.pass();
        drop(reactor);
        assert!(deferred.try_result().is_ok_and(|result| result.is_err()));
        gate.open();
        pool.stop().unwrap();
        assert_eq!(log.entries(), [Incident::Job]);
    });
}

// Checks: P82
#[test]
fn dropping_the_guard_of_a_job_cancels_it_whether_it_waits_or_runs() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        reactor.suggest_thread_pool_size(1);
        let (gate, log) = (Gate::new(), Log::new());
        let seen = log.clone();
        let running = begun_job(&reactor, &gate, move || seen.note(CancelToken::current().unwrap().is_cancelled()));
        let ran = log.clone();
        let waiting = threads::defer_to_thread(&reactor, move || ran.note(false)).cancel_on_drop();
        let running = running.cancel_on_drop();
        assert_eq!(reactor.thread_pool().stats().queued, 1);
        drop((waiting, running));
        assert_eq!(reactor.thread_pool().stats().queued, 0);
        gate.open();
        turn_until_idle(&reactor);
        assert_eq!((log.entries(), reports.entries()), (vec![true], vec![]));
    });
}

// Checks: P82, P81
#[test]
fn a_guard_that_is_taken_back_or_has_its_result_cancels_nothing() {
    let queue = QUEUE.with(Clone::clone);
    let kept = queue.get().unwrap().cancel_on_drop().into_inner();
    let dropped = queue.get().unwrap().cancel_on_drop();
    drop(dropped);
    assert_eq!(queue.waiting(), 1);
    (0..2).for_each(|item| queue.put(item).unwrap());
    assert!(kept.try_result().is_ok_and(|item| item.is_ok_and(|item| item == 0)));
    drop(queue.get().unwrap().cancel_on_drop());
    assert_eq!(queue.len(), 1);
}

// Checks: P80
#[test]
fn what_a_blocked_caller_waited_for_is_cancelled_when_the_reactor_ends() {
    with_watchdog(|| {
        let (reactor, reports) = reporting();
        let handle = reactor.handle();
        let queue = QUEUE.with(Clone::clone);
        let asker = thread::spawn(move || {
            threads::blocking_call_from_thread(&handle, |_| QUEUE.with(|queue| queue.get().unwrap()))
        });
        while queue.waiting() == 0 {
            reactor.turn().unwrap();
        }
        drop(reactor);
        assert!(matches!(asker.join().unwrap(), Err(BlockingCallError::ReactorStopped)));
        assert_eq!((queue.waiting(), reports.entries()), (0, vec![]));
    });
}
