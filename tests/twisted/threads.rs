//! Twisted's `twisted.test.test_threads`, translated: one test for each of its names.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{Deferred, Failure, Reactor, ThreadPool, deferred::Outcome, error::BlockingCallError, threads};

use crate::support::{Gate, Log, reporting, with_watchdog};

/// The error that Twisted's tests raise.
#[derive(Debug)]
struct RuntimeError(&'static str);

impl std::error::Error for RuntimeError {}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

// ---- ReactorThreadsTests

// Checks: S11, S12
#[test]
fn suggest_thread_pool_size() {
    let reactor = Reactor::new();
    reactor.suggest_thread_pool_size(34);
    assert_eq!(reactor.thread_pool().stats().max, 34);
    reactor.suggest_thread_pool_size(4);
    assert_eq!(reactor.thread_pool().stats().max, 4);
}

// Checks: S3, S5
#[test]
fn call_in_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let (handle, result) = (reactor.handle(), log.clone());
        reactor.call_when_running(move |reactor| {
            let waiter = Gate::new();
            let opens = waiter.clone();
            let job = move || {
                result.note(handle.is_in_reactor_thread());
                opens.open();
            };
            reactor.call_in_thread(job).unwrap();
            // The loop itself waits: only another thread can have run it.
            waiter.pass();
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(log, [false]);
    });
}

// Checks: S2, B6
#[test]
fn call_from_thread() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let (by_reactor_thread, by_other_thread) = (log.clone(), log.clone());
        let handle = reactor.handle();
        reactor.call_when_running(move |reactor| {
            reactor.call_from_thread(move |_| by_reactor_thread.note("reactor thread")).unwrap();
            let job = move || handle.call_from_thread(move |_| by_other_thread.note("other thread")).unwrap();
            reactor.call_in_thread(job).unwrap();
            reactor.stop().unwrap();
        });
        reactor.run();
        let mut fired = log.entries();
        fired.sort_unstable();
        assert_eq!(fired, ["other thread", "reactor thread"]);
    });
}

// Checks: B6, B9
#[test]
fn waker_overflow() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let (handle, ran) = (reactor.handle(), log.clone());
        reactor.call_when_running(move |reactor| {
            let waiter = Gate::new();
            let opens = waiter.clone();
            let job = move || {
                for number in 0..100_000 {
                    let ran = ran.clone();
                    handle.call_from_thread(move |_| ran.note(number)).unwrap();
                }
                opens.open();
            };
            reactor.call_in_thread(job).unwrap();
            // The loop takes none of them until all are posted.
            waiter.pass();
            reactor.stop().unwrap();
        });
        reactor.run();
        assert!(log.entries().into_iter().eq(0..100_000));
    });
}

/// What a blocking call of this function returns to a job of the reactor's own pool.
fn block_on<R: Outcome<Failure, Value = &'static str>>(
    function: impl FnOnce(&Reactor) -> R + Send + 'static,
) -> Result<&'static str, BlockingCallError> {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let (tell, told) = std::sync::mpsc::channel();
        let job = move || {
            let _ = tell.send(threads::blocking_call_from_thread(&handle, function));
            handle.stop();
        };
        reactor.call_in_thread(job).unwrap();
        reactor.run();
        told.recv().unwrap()
    })
}

fn later(reactor: &Reactor, result: Result<&'static str, Failure>) -> Deferred<&'static str> {
    let (deferred, resolver) = Deferred::new();
    let _ = reactor.call_later(Duration::from_millis(1), move |_| resolver.resolve(result));
    deferred
}

fn bar(answer: Result<&'static str, BlockingCallError>) -> &'static str {
    match answer {
        Err(BlockingCallError::Failed(failure)) => failure.downcast_ref::<RuntimeError>().map_or("not it", |it| it.0),
        other => panic!("{other:?}"),
    }
}

// Checks: S8, B48
#[test]
fn blocking_call_from_thread() {
    assert_eq!(block_on(|_| Deferred::succeed("foo")).unwrap(), "foo");
}

// Checks: S8, B48
#[test]
fn async_blocking_call_from_thread() {
    assert_eq!(block_on(|reactor| later(reactor, Ok("egg"))).unwrap(), "egg");
}

// Checks: S8, B48
#[test]
fn error_blocking_call_from_thread() {
    assert_eq!(bar(block_on(|_| Deferred::fail(RuntimeError("bar")))), "bar");
}

// Checks: S8, B48
#[test]
fn async_error_blocking_call_from_thread() {
    assert_eq!(bar(block_on(|reactor| later(reactor, Err(Failure::new(RuntimeError("spam")))))), "spam");
}

// ---- DeferredResultTests and DeferToThreadPoolTests

// Checks: S6, B47
#[test]
fn call_multiple() {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let log = Log::new();
        let mut commands: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        for number in 0..10 {
            let log = log.clone();
            commands.push(Box::new(move || log.note(number)));
        }
        let (handle, seen) = (reactor.handle(), log.clone());
        commands.push(Box::new(move || {
            let finished = move |reactor: &Reactor| {
                assert!(seen.entries().into_iter().eq(0..10));
                reactor.stop().unwrap();
            };
            handle.call_from_thread(finished).unwrap();
        }));
        threads::call_multiple_in_thread(&reactor.handle(), commands).unwrap();
        reactor.run();
        assert_eq!(log.len(), 10);
    });
}

/// Runs a reactor until the Deferred that is made with it has fired; returns its result.
fn result_of<T: Clone + Send + 'static>(
    make: impl FnOnce(&Reactor) -> Deferred<T> + Send + 'static,
) -> Result<T, Failure> {
    with_watchdog(|| {
        let (reactor, _) = reporting();
        let (tell, told) = std::sync::mpsc::channel();
        let (local, deferred) = (reactor.local(), make(&reactor));
        drop(deferred.add_both(move |result| {
            let _ = tell.send(result);
            local.with(|reactor| reactor.stop().unwrap_or_default()).unwrap_or_default();
        }));
        reactor.run();
        told.recv().unwrap()
    })
}

// Checks: S7, B46
#[test]
fn deferred_result() {
    let (x, y) = (3, 4);
    assert_eq!(result_of(move |reactor| threads::defer_to_thread(reactor, move || x + y)).unwrap(), 7);
}

// Checks: S7, B46
#[test]
fn deferred_failure() {
    let failing = || Err::<(), _>(RuntimeError("new error"));
    let failure = result_of(move |reactor| threads::defer_to_thread(reactor, failing)).unwrap_err();
    assert!(failure.is::<RuntimeError>());
}

// Checks: S7, B46, B52
#[test]
fn deferred_failure_after_success() {
    let failure = result_of(|reactor| {
        let local = reactor.local();
        threads::defer_to_thread(reactor, || ()).add_callback(move |()| {
            let failing = || Err::<(), _>(RuntimeError("division by zero"));
            local.with(|reactor| threads::defer_to_thread(reactor, failing)).unwrap_or_else(Deferred::fail)
        })
    });
    assert!(failure.unwrap_err().is::<RuntimeError>());
}

/// The first of the two tests that Twisted makes with a pool of its own.
// Checks: S10, B46
#[test]
fn private_pool_deferred_result() {
    let pool = ThreadPool::new(0, 8).unwrap();
    pool.start().unwrap();
    let used = pool.clone();
    assert_eq!(result_of(move |reactor| threads::defer_to_thread_pool(reactor, &used, || 3 + 4)).unwrap(), 7);
    // The result may be here before its job is counted.
    let stopped = pool.clone();
    with_watchdog(move || stopped.stop().unwrap());
    assert_eq!(pool.stats().completed, 1);
}

/// And the second.
// Checks: S10, B46
#[test]
fn private_pool_deferred_failure() {
    let pool = ThreadPool::new(0, 8).unwrap();
    pool.start().unwrap();
    let (used, failing) = (pool.clone(), || Err::<(), _>(RuntimeError("new error")));
    let failure = result_of(move |reactor| threads::defer_to_thread_pool(reactor, &used, failing)).unwrap_err();
    assert!(failure.is::<RuntimeError>());
    with_watchdog(move || pool.stop().unwrap());
}

// ---- StartupBehaviorTests

/// Twisted needs a process of its own for this, to see that it ends; here the watchdog sees it.
// Checks: S3, B29, R27
#[test]
fn call_before_startup_unexecuted() {
    with_watchdog(|| {
        let (reactor, _) = reporting();
        let log = Log::new();
        let called = log.clone();
        reactor.call_in_thread(move || called.note("threaded call")).unwrap();
        let unsent = Rc::new(());
        let _ = reactor.own(Rc::clone(&unsent)).detach();
        drop(reactor);
        assert_eq!(log.len(), 0);
        assert_eq!(Rc::strong_count(&unsent), 1);
    });
}
