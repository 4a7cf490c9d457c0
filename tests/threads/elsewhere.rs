//! Reports from users of other systems, tried here: what happened there does not happen.

use std::cell::Cell;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, DelayedCall, Failure, Job, Reactor, ThreadPool,
    coordination::DeferredLock,
    error::{Cancelled, Rejection},
    pool::{StopPolicy, WhenFull},
    report::Incident,
    task::LoopingCall,
    threads::defer_to_thread_pool,
};

use crate::support::{Gate, Log, virtual_time, wait_until, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

/// muduo #668: timers that are due together run although one of them has cancelled another.
// Checks: B19
#[test]
fn a_timer_that_cancels_another_which_is_due_with_it_keeps_it_from_running() {
    let (reactor, _clock, _) = virtual_time();
    let log = Log::new();
    let second: Rc<Cell<Option<DelayedCall>>> = Rc::default();
    let (first_log, to_cancel) = (log.clone(), Rc::clone(&second));
    let _first = reactor.call_later(SECOND, move |_| {
        first_log.note("first");
        to_cancel.take().unwrap().cancel().unwrap();
    });
    let second_log = log.clone();
    second.set(Some(reactor.call_later(SECOND, move |_| second_log.note("second"))));
    reactor.advance(SECOND).unwrap();
    assert_eq!(log, ["first"]);
}

/// reactphp/event-loop #223: a timer that runs the loop is run again by it, without end.
// Checks: B18
#[test]
fn a_timer_that_turns_its_own_loop_is_refused_and_runs_once() {
    let (reactor, _clock, reports) = virtual_time();
    let log = Log::new();
    let noted = log.clone();
    let _timer = reactor.call_later(SECOND, move |reactor| noted.note(reactor.turn().is_err()));
    reactor.advance(SECOND).unwrap();
    assert_eq!(log, [true]);
    assert_eq!(reports.len(), 0);
}

/// python/asyncio #258: a job that finishes after its loop has ended fails in the code that delivers its result.
// Checks: B40, P5
#[test]
fn a_result_for_a_reactor_that_has_ended_is_dropped_and_the_pool_goes_on() {
    with_watchdog(|| {
        let pool = ThreadPool::new(1, 1).unwrap();
        pool.start().unwrap();
        let (started, gate, reports) = (Gate::new(), Gate::new(), Log::new());
        let reactor = Reactor::builder().on_report(reports.sink()).build().unwrap();
        let (starts, waits) = (started.clone(), gate.clone());
        let result = defer_to_thread_pool(&reactor, &pool, move || {
            starts.open();
            waits.pass();
            Ok::<_, Failure>(7)
        });
        started.pass();
        reactor.handle().stop();
        reactor.run();
        assert!(result.try_result().unwrap().is_err(), "the end of the reactor is told at once");
        gate.open();
        let ran = Gate::new();
        let runs = ran.clone();
        pool.call_in_thread(move || runs.open()).unwrap();
        ran.pass();
        assert_eq!(reports.entries(), [] as [Incident; 0]);
        pool.stop().unwrap();
    });
}

/// embassy #6964, shuttle #167: when the first waiter gives up, those behind it go on waiting.
// Checks: B64
#[test]
fn when_the_first_waiter_gives_up_the_next_is_served() {
    let lock = DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    let (first, second) = (lock.acquire(), lock.acquire());
    first.cancel();
    drop(first.add_both(|result| drop(result.unwrap_err())));
    drop(permit);
    drop(second.try_result().unwrap().unwrap());
    assert!(!lock.is_locked());
}

/// python/asyncio #270: a waiter that is cancelled after it was served, and before it has run, keeps the permit.
/// Effect-TS #6910: so does one that is interrupted between the acquisition and the code that will release.
// Checks: B64
#[test]
fn a_waiter_that_is_cancelled_after_it_was_served_gives_the_permit_back() {
    let lock = DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    let served = lock.acquire();
    served.pause();
    let other = lock.acquire();
    drop(permit);
    served.cancel();
    drop(served);
    drop(other.try_result().unwrap().unwrap());
    assert!(!lock.is_locked());
}

/// thomhurst/AsyncSemaphore #566: cancelled waiters stay in the queue behind one that waits on.
// Checks: B64
#[test]
fn cancelled_waiters_leave_the_queue_at_once() {
    let lock = DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    let waits = lock.acquire();
    for _ in 0..1000 {
        let given_up = lock.acquire();
        given_up.cancel();
        drop(given_up.add_both(|result| drop(result.unwrap_err())));
    }
    assert_eq!(lock.waiting(), 1);
    drop(permit);
    drop(waits.try_result().unwrap().unwrap());
}

/// threadly #54: a raised maximum does not serve the jobs that wait. LKSL #68: a change of the size drops them.
// Checks: B31, B33
#[test]
fn jobs_that_wait_while_a_pool_is_shrunk_to_nothing_run_when_it_grows() {
    with_watchdog(|| {
        let pool = ThreadPool::new(0, 3).unwrap();
        pool.start().unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        for round in 1..=20 {
            pool.adjust_pool_size(0, 0).unwrap();
            for _ in 0..10 {
                let ran = Arc::clone(&ran);
                pool.call_in_thread(move || _ = ran.fetch_add(1, Ordering::Relaxed)).unwrap();
            }
            pool.adjust_pool_size(round % 2, 1 + round % 3).unwrap();
            wait_until(|| ran.load(Ordering::Relaxed) == 10 * round);
        }
        pool.stop().unwrap();
    });
}

/// fjall #321: a stop waits behind a bounded queue that only the workers being stopped would empty.
// Checks: B40
#[test]
fn a_stop_ends_the_wait_for_a_slot_in_a_full_queue() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(1, 1).queue_bound(NonZero::<usize>::MIN).build().unwrap();
        pool.start().unwrap();
        let (started, gate) = (Gate::new(), Gate::new());
        let (starts, waits) = (started.clone(), gate.clone());
        pool.call_in_thread(move || {
            starts.open();
            waits.pass();
        })
        .unwrap();
        started.pass();
        pool.call_in_thread(|| ()).unwrap();
        let other = pool.clone();
        let job = Job::new(|| ()).when_full(WhenFull::Wait);
        let waiter = thread::spawn(move || other.call_in_thread(job).unwrap_err().reason);
        wait_until(|| pool.stats().waiting == 1);
        pool.ask_to_stop(StopPolicy::Drain);
        assert_eq!(waiter.join().unwrap(), Rejection::PoolStopped);
        gate.open();
        pool.stop().unwrap();
        assert_eq!(pool.stats().completed, 2);
    });
}

/// grpc #30763: a job that submits itself again keeps a pool from ever stopping.
// Checks: B40
#[test]
fn a_job_that_submits_itself_again_does_not_keep_its_pool_from_stopping() {
    fn again(pool: ThreadPool, ran: Arc<AtomicUsize>) {
        ran.fetch_add(1, Ordering::Relaxed);
        let next = pool.clone();
        drop(pool.call_in_thread(move || again(next, ran)));
    }
    with_watchdog(|| {
        let pool = ThreadPool::new(2, 2).unwrap();
        pool.start().unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        again(pool.clone(), Arc::clone(&ran));
        wait_until(|| ran.load(Ordering::Relaxed) > 100);
        pool.stop().unwrap();
    });
}

/// elastic/ml-cpp #343: a worker takes the message that should end another, which then waits for ever.
// Checks: B40
#[test]
fn a_pool_that_is_stopped_while_jobs_are_submitted_ends_and_has_run_what_it_accepted() {
    with_watchdog(|| {
        for _ in 0..20 {
            let pool = ThreadPool::new(4, 4).unwrap();
            pool.start().unwrap();
            let ran = Arc::new(AtomicUsize::new(0));
            let submitters: Vec<_> = (0..3)
                .map(|_| {
                    let (pool, ran) = (pool.clone(), Arc::clone(&ran));
                    let submit = move |_: &i32| {
                        let ran = Arc::clone(&ran);
                        pool.call_in_thread(move || _ = ran.fetch_add(1, Ordering::Relaxed)).is_ok()
                    };
                    thread::spawn(move || (0..).take_while(submit).count())
                })
                .collect();
            wait_until(|| ran.load(Ordering::Relaxed) > 0);
            pool.stop().unwrap();
            let accepted: usize = submitters.into_iter().map(|thread| thread.join().unwrap()).sum();
            assert_eq!(ran.load(Ordering::Relaxed), accepted);
        }
    });
}

/// NodeLite #21: an interval that was suspended catches up with a burst of calls.
// Checks: B67
#[test]
fn a_looping_call_that_is_late_by_a_hundred_intervals_is_called_once_and_told_how_many_it_missed() {
    let (reactor, _clock, _) = virtual_time();
    let log = Log::new();
    let noted = log.clone();
    let looping = LoopingCall::with_count(move |_, count| noted.note(count));
    let _ended = looping.start(&reactor, SECOND).unwrap();
    reactor.advance(Duration::ZERO).unwrap();
    reactor.advance(100 * SECOND + SECOND / 2).unwrap();
    assert_eq!(log, [1, 100]);
    reactor.advance(SECOND / 2).unwrap();
    assert_eq!(log, [1, 100, 1]);
    looping.stop().unwrap();
}

/// 32blit-sdk #512, wiremod/wire #1580: a timer that is stopped and started in its own call never runs again.
// Checks: B67
#[test]
fn a_looping_call_is_not_started_again_in_its_own_call_but_when_it_has_ended() {
    let (reactor, _clock, reports) = virtual_time();
    let log = Log::new();
    let noted = log.clone();
    let looping = LoopingCall::new(move |tick| {
        noted.note(tick.reactor().now());
        tick.stop().unwrap();
        assert!(tick.looping_call().start_later(tick.reactor(), SECOND).is_err());
    });
    let (again, local) = (looping.clone(), reactor.local());
    let ended = looping.start(&reactor, SECOND).unwrap();
    let restarted = ended.add_callback(move |()| local.with(|reactor| again.start_later(reactor, 2 * SECOND)).unwrap());
    for _ in 0..5 {
        reactor.advance(SECOND).unwrap();
    }
    assert_eq!(log, [Duration::ZERO, 2 * SECOND]);
    assert!(restarted.try_result().unwrap().is_ok());
    assert_eq!(reports.len(), 0);
}

/// bluebird #1178: an error of a cancel handler comes later and from elsewhere, after other callbacks.
// Checks: B56
#[test]
fn a_canceller_that_panics_is_reported_inside_the_cancel_and_the_callbacks_run() {
    let (reactor, _clock, reports) = virtual_time();
    let log = Log::new();
    let noted = log.clone();
    let seen = reports.clone();
    reactor
        .call_from_thread(move |_| {
            let (deferred, _resolver) = Deferred::<()>::with_canceller(|| panic!("a canceller"));
            let inside = noted.clone();
            let deferred = deferred.add_both(move |result| inside.note(result.unwrap_err().is::<Cancelled>()));
            deferred.cancel();
            assert_eq!(seen.entries(), [Incident::Canceller]);
            noted.note(true);
        })
        .unwrap();
    reactor.turn().unwrap();
    assert_eq!((log.entries(), reports.len()), (vec![true, true], 1));
}
