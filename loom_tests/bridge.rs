//! The whole bridge: a reactor runs and is stopped while other threads block on it, defer to it and post to it.

use std::cell::Cell;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc as StdArc;
use std::task::{Poll, Waker};
use std::time::Duration;

use loom::sync::Mutex;
use loom::thread;
use selvedge::loom::pool::{PoolBuilder, StopPolicy};
use selvedge::loom::testing::VirtualClock;
use selvedge::loom::threads::{block_on, blocking_call_from_thread, defer_to_thread};
use selvedge::loom::{Deferred, Handle, Reactor, ThreadPool};
use selvedge::{
    Failure,
    error::{BlockingCallError, Cancelled, Rejection},
};

use crate::explore::{Chaos, explore, explore_calm};
use crate::probes::Log;
use crate::witness::reached;

/// A reactor that reports nothing, with at most one pool thread, started for the first job.
fn reactor(chaos: Chaos) -> Reactor {
    reactor_with(1, chaos)
}

/// The same with at most this many pool threads.
pub fn reactor_with(threads: usize, chaos: Chaos) -> Reactor {
    let reactor = Reactor::builder()
        .configure_pool(PoolBuilder::without_joins)
        .pool_size(0, threads)
        .on_report(|report| panic!("nothing should be reported: {report}"))
        .build()
        .unwrap();
    // It may wake spuriously once it runs; at its end it joins the chaos thread.
    reactor.call_when_running(move |reactor| {
        let chaos_thread = chaos.start(|| reactor.handle(), Handle::wake_spuriously);
        let _ = reactor.own(chaos_thread).detach();
    });
    reactor
}

// Checks: S8, B48, R16, R17, P11
#[test]
fn a_thread_that_blocks_on_a_running_reactor_gets_its_answer() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let client = thread::spawn({
            let handle = reactor.handle();
            move || {
                assert_eq!(blocking_call_from_thread(&handle, |_| 42_u32).unwrap(), 42);
                handle.stop();
                handle
            }
        });
        reactor.run();
        drop(client.join().unwrap());
    });
}

// Checks: B13, B48, R12, R25, R27
#[test]
fn a_blocking_call_against_stop_is_answered_or_fails_with_reactor_stopped() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let client = thread::spawn({
            let handle = reactor.handle();
            move || (blocking_call_from_thread(&handle, |_| 42_u32), handle)
        });
        reactor.handle().stop();
        reactor.run();
        match client.join().unwrap().0 {
            Ok(answer) => assert_eq!(answer, 42),
            Err(BlockingCallError::ReactorStopped) => {}
            Err(error) => panic!("{error}"),
        }
    });
}

// Checks: B13, B48, R25, R29
#[test]
fn a_blocking_call_for_a_deferred_that_never_fires_learns_of_the_stop() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let client = thread::spawn({
            let handle = reactor.handle();
            move || {
                let result = blocking_call_from_thread(&handle, |reactor| {
                    let (deferred, resolver) = Deferred::<u32>::new();
                    // The reactor owns the resolver, which is never used.
                    let _ = reactor.own(resolver).detach();
                    reactor.stop().unwrap_or_default();
                    deferred
                });
                (result, handle)
            }
        });
        reactor.run();
        let error = client.join().unwrap().0.unwrap_err();
        // Not `Abandoned`, although the resolver is dropped a moment later.
        assert!(matches!(error, BlockingCallError::ReactorStopped), "{error}");
    });
}

// Checks: B13, B48, R25, R27, P7
#[test]
fn a_blocking_call_to_a_reactor_that_is_dropped_unrun_fails_with_reactor_stopped() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let client = thread::spawn({
            let handle = reactor.handle();
            move || (blocking_call_from_thread(&handle, |_| 42_u32), handle)
        });
        let _chaos_thread = chaos.start(|| reactor.handle(), Handle::wake_spuriously);
        drop(reactor);
        assert!(matches!(client.join().unwrap().0, Err(BlockingCallError::ReactorStopped)));
    });
}

// Checks: B6, B13, R12, R27
#[test]
fn a_call_posted_against_stop_runs_before_the_reactor_ends_or_is_returned() {
    explore(|chaos| {
        let reactor = reactor(chaos);
        let log = Log::default();
        let client = thread::spawn({
            let (handle, job) = (reactor.handle(), log.job(1));
            move || (handle.call_from_thread(|_| job()).map_err(|rejected| rejected.reason), handle)
        });
        reactor.handle().stop();
        reactor.run();
        let ran = log.seen();
        match client.join().unwrap().0 {
            Ok(()) => assert_eq!(ran, [1]),
            Err(reason) => assert_eq!((reason, ran), (Rejection::ReactorStopped, vec![])),
        }
    });
}

// Checks: S7, S9, B46
#[test]
fn a_deferred_result_reaches_the_loop_and_the_loop_ends() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let local = reactor.local();
        let answered = Rc::new(Cell::new(false));
        let deferred = defer_to_thread(&reactor, || 6 * 7_u32).add_callback({
            let answered = Rc::clone(&answered);
            move |answer| {
                assert_eq!(answer, 42);
                answered.set(true);
                local.with(Reactor::stop).unwrap().unwrap();
            }
        });
        drop(deferred);
        reactor.run();
        assert!(answered.get());
    });
}

// Checks: B13, B26, B46
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_result_that_comes_during_shutdown_still_reaches_its_deferred() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let answer = Rc::new(Cell::new(0));
        let deferred = defer_to_thread(&reactor, || 6 * 7_u32).add_callback({
            let answer = Rc::clone(&answer);
            move |result| answer.set(result)
        });
        drop(deferred);
        reactor.handle().stop();
        reactor.run();
        assert_eq!(answer.get(), 42);
    });
}

// Checks: S9, B26, R26, R29, R30
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_job_that_blocks_on_the_reactor_during_shutdown_is_answered() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let log = Log::default();
        let job = {
            let (handle, log) = (reactor.handle(), log.clone());
            move || {
                assert_eq!(blocking_call_from_thread(&handle, |_| 42_u32).unwrap(), 42);
                log.note(1);
            }
        };
        reactor.call_in_thread(job).unwrap();
        reactor.handle().stop();
        reactor.run();
        assert_eq!(log.seen(), [1]);
    });
}

// Checks: P78, B40
#[test]
fn a_reactor_that_watches_a_pool_is_told_of_a_stop_against_it_once() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let pool = ThreadPool::new(0, 1).unwrap();
        pool.start().unwrap();
        let stopping = pool.clone();
        let other = thread::spawn(move || stopping.ask_to_stop(StopPolicy::Drain));
        let (fired, handle) = (Rc::new(Cell::new(0)), reactor.handle());
        let told = Rc::clone(&fired);
        let _ = pool.stopped(&reactor).add_callback(move |()| {
            told.set(told.get() + 1);
            handle.stop();
        });
        reactor.run();
        other.join().unwrap();
        assert_eq!(fired.get(), 1);
        assert!(pool.has_stopped());
    });
}

// Checks: B43, B46
#[test]
#[ignore = "long: `.ci/long` runs it"]
fn a_job_cancelled_against_its_beginning_fails_its_deferred_once() {
    explore_calm(|chaos| {
        let reactor = reactor(chaos);
        let ran = Log::default();
        let fired = Rc::new(Cell::new(0));
        let deferred = defer_to_thread(&reactor, ran.job(1)).add_both({
            let fired = Rc::clone(&fired);
            move |result: Result<(), Failure>| {
                // `Ok` if the worker's result arrived in the same turn.
                assert!(result.is_ok() || result.is_err_and(|failure| failure.is::<Cancelled>()));
                fired.set(fired.get() + 1);
            }
        });
        // The first turn starts the pool, so that a worker may take the job from now on.
        reactor.turn().unwrap();
        deferred.cancel();
        drop(reactor);
        assert_eq!(fired.get(), 1);
        assert!(ran.seen().len() <= 1);
    });
}

// Checks: P8, P88, R42
#[test]
fn the_end_of_a_job_that_posts_nothing_lets_virtual_time_pass() {
    explore_calm(|_| {
        let (pool, stepper) = ThreadPool::builder().size(0, 1).build_stepped().unwrap();
        pool.start().unwrap();
        let reactor = Reactor::builder().clock(VirtualClock::new()).share_pool("stepped", &pool).build().unwrap();
        let log = Log::default();
        pool.call_in_thread(log.job(1)).unwrap();
        // Startup and the worker's first look are in no race.
        reactor.turn().unwrap();
        stepper.step().unwrap();
        let worker = thread::spawn(move || {
            while stepper.step().is_some() {}
            stepper
        });
        let due = log.clone();
        let _ = reactor.call_later(Duration::from_secs(60), move |reactor| {
            due.note(2);
            // Nor is the end.
            drop(worker.join().unwrap());
            reactor.stop().unwrap();
        });
        reactor.run();
        assert_eq!(log.seen(), [1, 2]);
    });
}

// Checks: P88
#[test]
fn a_job_that_one_pool_gives_to_another_while_both_are_asked_holds_virtual_time() {
    explore_calm(|_| {
        let stepped = || ThreadPool::builder().size(0, 1).build_stepped().unwrap();
        let ((first, first_stepper), (second, second_stepper)) = (stepped(), stepped());
        first.start().unwrap();
        second.start().unwrap();
        let builder = Reactor::builder().clock(VirtualClock::new());
        let reactor = builder.share_pool("first", &first).share_pool("second", &second).build().unwrap();
        let log = Log::default();
        let given = log.job(1);
        second.call_in_thread(move || first.call_in_thread(given).unwrap()).unwrap();
        // Startup and the worker's first look are in no race.
        reactor.turn().unwrap();
        second_stepper.step().unwrap();
        let worker = thread::spawn(move || {
            while second_stepper.step().is_some() {}
            while first_stepper.step().is_some() {}
            (first_stepper, second_stepper)
        });
        passes_after_the_job(reactor, &log, worker);
    });
}

/// Runs the reactor to its end: a timer's time passes, but not before the job has noted that it ran.
fn passes_after_the_job<T: 'static>(reactor: Reactor, log: &Log, worker: thread::JoinHandle<T>) {
    let due = log.clone();
    let _ = reactor.call_later(Duration::from_secs(60), move |reactor| {
        due.note(2);
        // The end is in no race.
        loom::stop_exploring();
        drop(worker.join().unwrap());
        reactor.stop().unwrap();
    });
    reactor.run();
    assert_eq!(log.seen(), [1, 2]);
}

// Checks: P88
#[test]
fn a_call_that_waits_for_a_slot_holds_virtual_time() {
    explore_calm(|_| {
        let builder = Reactor::builder().clock(VirtualClock::new()).inbox_bound(NonZeroUsize::MIN);
        let (reactor, log) = (builder.build().unwrap(), Log::default());
        // Startup is in no race.
        reactor.turn().unwrap();
        let handle = reactor.handle();
        handle.call_from_thread(|_| ()).unwrap();
        let (posts, ran) = (handle.clone(), log.clone());
        let poster = thread::spawn(move || posts.call_from_thread_waiting(None, move |_| ran.note(1)).is_ok());
        let waits = format!("{handle:?}").contains("posters_wait: true");
        let due = log.clone();
        let _ = reactor.call_later(Duration::from_secs(60), move |reactor| {
            due.note(2);
            reactor.stop().unwrap();
        });
        reactor.run();
        let posted = poster.join().unwrap();
        if waits {
            reached("it waits before time could pass");
            assert_eq!((posted, log.seen()), (true, vec![1, 2]));
        }
    });
}

// Checks: P88
#[test]
fn a_job_that_is_woken_as_it_parks_goes_on_and_holds_virtual_time_until_its_end() {
    explore_calm(|_| {
        let (pool, stepper) = ThreadPool::builder().size(0, 1).build_stepped().unwrap();
        pool.start().unwrap();
        let reactor = Reactor::builder().clock(VirtualClock::new()).share_pool("stepped", &pool).build().unwrap();
        let (log, woken) = (Log::default(), StdArc::new(Mutex::new((false, None::<Waker>))));
        let (ran, told) = (log.clone(), StdArc::clone(&woken));
        pool.call_in_thread(move || {
            let until_told = poll_fn(|context| {
                let mut told = told.lock().unwrap();
                if told.0 {
                    return Poll::Ready(());
                }
                told.1 = Some(context.waker().clone());
                Poll::Pending
            });
            block_on(until_told).unwrap();
            ran.note(1);
        })
        .unwrap();
        // Startup and the worker's first look are in no race.
        reactor.turn().unwrap();
        stepper.step().unwrap();
        let worker = thread::spawn(move || {
            while stepper.step().is_some() {}
            stepper
        });
        // It has not been polled, parks, is parked, or goes on.
        let waker = {
            let mut woken = woken.lock().unwrap();
            woken.0 = true;
            woken.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
        passes_after_the_job(reactor, &log, worker);
    });
}
