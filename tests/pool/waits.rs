//! What waits in a pool with real threads: idle workers for their keep-alive, callers for a free slot, jobs for each
//! other, a stop for its deadline.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use selvedge::{
    Job, Reactor, ThreadPool,
    error::Rejection,
    pool::{Cancellation, StopPolicy, StopWithinError, WhenFull},
    threads,
};

use crate::support::{Gate, wait_until};

fn started(builder: selvedge::pool::PoolBuilder) -> ThreadPool {
    let pool = builder.build().unwrap();
    pool.start().unwrap();
    pool
}

// Checks: B34, R4
#[test]
fn with_a_keep_alive_of_nothing_threads_above_the_minimum_end_when_they_find_no_job() {
    let pool = started(ThreadPool::builder().size(1, 8).keep_alive(Some(Duration::ZERO)));
    for _ in 0..3 {
        let (sender, receiver) = mpsc::channel::<()>();
        let receiver = std::sync::Arc::new(std::sync::Mutex::new(receiver));
        for _ in 0..8 {
            let receiver = receiver.clone();
            pool.call_in_thread(move || {
                let _ = receiver.lock().unwrap().recv();
            })
            .unwrap();
        }
        drop(sender);
        wait_until(|| pool.stats().queued == 0 && pool.stats().live == 1);
    }
    pool.stop().unwrap();
}

// Checks: B34
#[test]
fn a_thread_above_the_minimum_ends_by_itself_when_its_time_has_passed() {
    let pool = started(ThreadPool::builder().size(0, 1).keep_alive(Some(Duration::from_millis(5))));
    pool.call_in_thread(|| ()).unwrap();
    wait_until(|| pool.stats().completed == 1 && pool.stats().live == 0);
    pool.stop().unwrap();
}

// Checks: B34
#[test]
fn without_a_keep_alive_threads_stay() {
    let pool = started(ThreadPool::builder().size(0, 1).keep_alive(None));
    pool.call_in_thread(|| ()).unwrap();
    wait_until(|| pool.stats().idle == 1);
    pool.let_deadlines_pass();
    pool.wake_spuriously();
    pool.call_in_thread(|| ()).unwrap();
    wait_until(|| pool.stats().completed == 2);
    assert_eq!((pool.stats().live, pool.stats().peak), (1, 1));
    pool.stop().unwrap();
}

// Checks: B44, R9
#[test]
fn callers_wait_for_a_place_and_every_job_runs() {
    let pool = started(ThreadPool::builder().size(0, 2).queue_bound(NonZeroUsize::MIN));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..200).for_each(|_| pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap())
            });
        }
    });
    pool.stop().unwrap();
    assert_eq!((pool.stats().completed, pool.stats().waiting, pool.stats().rejected), (800, 0, 0));
}

// Checks: B40, P56
#[test]
fn a_stop_within_a_time_ends_when_that_has_passed() {
    let (gate, never) = (Gate::new(), Duration::from_secs(60 * 60 * 24));
    let pool = started(ThreadPool::builder().size(0, 1));
    let held = gate.clone();
    pool.call_in_thread(move || held.pass()).unwrap();
    thread::scope(|scope| {
        let stop = scope.spawn(|| pool.stop_within(StopPolicy::Drain, never));
        // More than once: the stop may not have begun to wait.
        while !stop.is_finished() {
            pool.let_deadlines_pass();
            thread::yield_now();
        }
        assert!(matches!(stop.join().unwrap(), Err(StopWithinError::Unfinished { .. })));
    });
    gate.open();
    pool.stop().unwrap();
}

// Checks: B44
#[test]
fn stopping_hands_the_jobs_of_those_who_wait_back() {
    let pool = ThreadPool::builder().queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build().unwrap();
    pool.call_in_thread(|| ()).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)));
        wait_until(|| pool.stats().waiting == 1);
        pool.stop().unwrap();
        assert_eq!(waiting.join().unwrap().unwrap_err().reason, Rejection::PoolStopped);
    });
}

// Checks: B44, R26
#[test]
fn who_must_not_wait_for_a_place_is_refused() {
    let pool = started(ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN));
    let own = pool.clone();
    pool.call_in_thread(move || {
        assert_eq!(
            own.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap_err().reason,
            Rejection::WouldDeadlock
        );
    })
    .unwrap();
    let reactor = Reactor::new();
    assert_eq!(
        pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap_err().reason,
        Rejection::WouldDeadlock
    );
    drop(reactor);
    pool.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap();
    pool.stop().unwrap();
    assert_eq!((pool.stats().completed, pool.stats().panicked), (2, 0));
}

// Checks: B44, B45
#[test]
fn a_job_that_waits_for_a_place_in_another_pool_counts_as_blocked() {
    let full = ThreadPool::builder().queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build().unwrap();
    full.call_in_thread(|| ()).unwrap();
    let pool = started(ThreadPool::builder().size(1, 1));
    let other = full.clone();
    pool.call_in_thread(move || {
        other.call_in_thread(Job::new(|| ()).when_full(WhenFull::Return)).unwrap_err();
        other.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap_err();
    })
    .unwrap();
    wait_until(|| full.stats().waiting == 1);
    assert_eq!((pool.stats().busy, pool.stats().blocked), (1, 1));
    full.stop().unwrap();
    pool.stop().unwrap();
    assert_eq!((pool.stats().completed, pool.stats().panicked), (1, 0));
}

// Checks: B45, R1
#[test]
fn jobs_that_block_in_the_reactor_leave_room_for_those_it_waits_for() {
    let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
    let handle = reactor.handle();
    reactor
        .call_in_thread(move || {
            let asked = handle.clone();
            // The answer comes from the only thread there may be, which is this one.
            let answer = threads::blocking_call_from_thread(&handle, move |reactor| {
                threads::defer_to_thread(reactor, move || {
                    drop(asked);
                    42
                })
            });
            assert_eq!(answer.unwrap(), 42);
            handle.stop();
        })
        .unwrap();
    reactor.run();
}

// Checks: B43, B46
#[test]
fn cancelling_a_deferred_whose_job_runs_asks_the_job_to_end() {
    let reactor = Reactor::new();
    let (sender, receiver) = mpsc::channel();
    let deferred = threads::defer_to_thread(&reactor, move || {
        let token = selvedge::pool::CancelToken::current().unwrap();
        sender.send(()).unwrap();
        while token.check().is_ok() {
            thread::yield_now();
        }
    });
    let local = reactor.local();
    let deferred = deferred.add_errback(move |failure| {
        assert!(failure.is::<selvedge::error::Cancelled>());
        local.with(selvedge::Reactor::stop).ok();
    });
    let mut deferred = Some(deferred);
    reactor.call_when_running(move |reactor| {
        receiver.recv().unwrap();
        let deferred = deferred.take().unwrap();
        let _ = reactor.call_later(Duration::ZERO, move |_| deferred.cancel());
    });
    // `run` joins the pool before it returns, so it returns only if the job was asked to end.
    reactor.run();
}

// Checks: B40, R29
#[test]
fn a_deadline_that_passes_leaves_the_pool_stopping_and_it_can_be_waited_for_again() {
    let pool = started(ThreadPool::builder().size(0, 1));
    let (end, ended) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let ticket = pool
        .call_in_thread_ticketed(Job::with_token(move |token| {
            begin.send(()).unwrap();
            let _ = ended.recv();
            assert!(token.is_cancelled());
        }))
        .unwrap();
    begun.recv().unwrap();
    let error = pool.stop_within(StopPolicy::CancelQueued, Duration::from_millis(1)).unwrap_err();
    assert!(matches!(error, StopWithinError::Unfinished { ref stragglers, queued: 0, .. } if stragglers.len() == 1));
    assert_eq!(ticket.cancel(), Cancellation::Asked);
    drop(end);
    pool.stop_within(StopPolicy::Drain, Duration::MAX).unwrap();
    assert_eq!((pool.stats().completed, pool.stats().panicked), (1, 0));
}

// Checks: B44, P53
#[test]
fn a_bounded_inbox_hands_calls_back_and_still_takes_what_must_not_be_lost() {
    let reactor = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build().unwrap();
    let handle = reactor.handle();
    handle.call_from_thread(|_| ()).unwrap();
    assert_eq!(handle.call_from_thread(|_| ()).unwrap_err().reason, Rejection::InboxFull);
    assert_eq!(handle.call_from_thread_waiting(None, |_| ()).unwrap_err().reason, Rejection::WouldDeadlock);
    // A result, and a blocking call, in a queue that is full until the loop runs.
    let result = Rc::new(Cell::new(None));
    let came = Rc::clone(&result);
    let deferred = threads::defer_to_thread(&reactor, || 42).add_callback(move |answer| came.set(Some(answer)));
    thread::scope(|scope| {
        let blocking = scope.spawn(|| {
            let answer = threads::blocking_call_from_thread(&handle, |_| 7);
            handle.stop();
            answer
        });
        let late = scope.spawn(|| handle.call_from_thread_waiting(Some(Duration::ZERO), |_| ()));
        assert_eq!(late.join().unwrap().unwrap_err().reason, Rejection::TimedOut);
        reactor.run();
        assert_eq!(blocking.join().unwrap().unwrap(), 7);
    });
    assert_eq!(result.get(), Some(42));
    assert_eq!(handle.call_from_thread_waiting(None, |_| ()).unwrap_err().reason, Rejection::ReactorStopped);
    drop(deferred);
}

// Checks: B44
#[test]
fn posters_that_wait_for_a_place_are_all_served_in_one_total_order() {
    let reactor = Reactor::builder().inbox_bound(NonZeroUsize::new(2).unwrap()).build().unwrap();
    let handle = reactor.handle();
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let handle = handle.clone();
            thread::spawn(move || (0..100).for_each(|_| handle.call_from_thread_waiting(None, |_| ()).unwrap()))
        })
        .collect();
    let last = thread::spawn(move || {
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        handle.stop();
    });
    reactor.run();
    last.join().unwrap();
}
