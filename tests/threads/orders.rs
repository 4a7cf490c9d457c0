//! "First this, then that", where one of the two is code of the program: seen from there.

use std::cell::{Cell, OnceCell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, DelayedCall, Failure, Job, Reactor, ThreadPool,
    coordination::{DeferredLock, DeferredQueue},
    pool::{CancelToken, Cancellation, StopPolicy, WhenFull},
    task::{Cooperator, LoopingCall, defer_later},
    testing::{Stage, Stepper, TestReactor},
    threads,
};

use crate::support::{Gate, Log, OnDrop, reporting, wait_until, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

/// A job that does this when it is dropped unrun.
fn when_refused(deed: impl FnMut() + Send + 'static) -> impl FnOnce() + Send + 'static {
    let on_drop = OnDrop::new(deed);
    move || drop(on_drop)
}

fn stepped(min: usize, max: usize) -> (ThreadPool, Stepper) {
    let (pool, stepper) = ThreadPool::builder().size(min, max).on_report(|_| ()).build_stepped().unwrap();
    pool.start().unwrap();
    settle(&stepper);
    (pool, stepper)
}

fn settle(stepper: &Stepper) {
    while stepper.step().is_some() {}
}

fn asleep(stepper: &Stepper) -> usize {
    stepper.workers().iter().filter(|(_, stage)| *stage == Stage::Asleep).count()
}

// ---- pools: whoever is to be woken does not wait for code of the program

// Checks: B40, P57, P66
#[test]
fn a_stop_wakes_a_worker_then_asks_running_jobs_to_end_and_then_refuses_the_others() {
    let (pool, stepper) = stepped(2, 2);
    let running = pool.call_in_thread_ticketed(|| ()).unwrap();
    assert!(stepper.step().is_some(), "a worker has the job");
    assert_eq!(asleep(&stepper), 1);
    let log = Log::new();
    let (noted, looks) = (log.clone(), stepper.clone());
    running.token().on_cancel(move || noted.note(asleep(&looks))).detach();
    pool.ask_to_stop(StopPolicy::CancelAll);
    assert_eq!(log, [0]);

    let (pool, stepper) = stepped(1, 1);
    let running = pool.call_in_thread_ticketed(|| ()).unwrap();
    assert!(stepper.step().is_some(), "its worker has the job");
    let log = Log::new();
    let (noted, token) = (log.clone(), running.token());
    pool.call_in_thread(when_refused(move || noted.note(token.is_cancelled()))).unwrap();
    pool.ask_to_stop(StopPolicy::CancelAll);
    assert_eq!(log, [true]);
}

// Checks: B40, B44
#[test]
fn a_stop_wakes_who_waits_for_a_slot_before_it_drops_the_jobs_that_it_refuses() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).on_report(|_| ()).build().unwrap();
        let returned = Gate::new();
        let passes = returned.clone();
        pool.call_in_thread(when_refused(move || passes.pass())).unwrap();
        let submitter = pool.clone();
        let waiting = thread::spawn(move || {
            let submitted = submitter.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait));
            returned.open();
            submitted.is_err()
        });
        wait_until(|| pool.stats().waiting == 1);
        pool.ask_to_stop(StopPolicy::CancelQueued);
        assert!(waiting.join().unwrap());
    });
}

// Checks: B43, B44
#[test]
fn a_cancel_wakes_who_waits_for_the_slot_before_it_drops_the_job() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).build().unwrap();
        let accepted = Gate::new();
        let passes = accepted.clone();
        let ticket = pool.call_in_thread_ticketed(when_refused(move || passes.pass())).unwrap();
        let submitter = pool.clone();
        let waiting = thread::spawn(move || {
            submitter.call_in_thread(Job::new(|| ()).when_full(WhenFull::Wait)).unwrap();
            accepted.open();
        });
        wait_until(|| pool.stats().waiting == 1);
        assert_eq!(ticket.cancel(), Cancellation::NeverRuns);
        waiting.join().unwrap();
        pool.start().unwrap();
        pool.stop().unwrap();
    });
}

// Checks: B43
#[test]
fn a_job_that_is_cancelled_has_left_every_count_when_it_is_dropped() {
    let (pool, stepper) = stepped(0, 1);
    let (own, log) = (pool.clone(), Log::new());
    let noted = log.clone();
    let job = when_refused(move || noted.note((own.stats().queued, own.stats().cancelled)));
    let ticket = pool.call_in_thread_ticketed(job).unwrap();
    ticket.cancel();
    assert_eq!(log, [(0, 1)]);
    settle(&stepper);
}

// Checks: P66, B39
#[test]
fn a_worker_that_exits_wakes_the_next_before_its_stop_hook_runs() {
    let log = Log::new();
    let looks: Arc<std::sync::Mutex<Option<Stepper>>> = Arc::default();
    let (noted, looked) = (log.clone(), Arc::clone(&looks));
    let builder = ThreadPool::builder()
        .size(3, 3)
        .on_worker_stop(move |_| noted.note(asleep(looked.lock().unwrap().as_ref().unwrap())));
    let (pool, stepper) = builder.build_stepped().unwrap();
    *looks.lock().unwrap() = Some(stepper.clone());
    pool.start().unwrap();
    settle(&stepper);
    pool.adjust_pool_size(0, 0).unwrap();
    assert_eq!(asleep(&stepper), 2, "one is woken, and wakes the next");
    settle(&stepper);
    assert_eq!(log, [1, 0, 0]);
    // The hook and its pool hold each other.
    let held = looks.lock().unwrap().take();
    drop(held);
}

// Checks: B40, P2
#[test]
fn a_refused_job_is_dropped_before_anybody_is_told() {
    let (pool, stepper) = stepped(0, 1);
    let reactor = Reactor::new();
    let log = Log::new();
    let (dropped, told) = (log.clone(), log.clone());
    let refused = when_refused(move || dropped.note("dropped"));
    pool.call_in_thread_with_callback(move |result| told.note(if result.is_ok() { "ran" } else { "told" }), refused)
        .unwrap();
    pool.ask_to_stop(StopPolicy::CancelQueued);
    assert_eq!(log, ["dropped", "told"]);
    settle(&stepper);
    drop(reactor);
}

// Checks: B37, P9
#[test]
fn the_deferred_of_a_refused_job_does_not_wait_for_the_drop_of_the_job() {
    with_watchdog(|| {
        let pool = ThreadPool::builder().size(0, 1).build().unwrap();
        let (reactor, _) = reporting();
        let failed = Gate::new();
        let (passes, opens, stop) = (failed.clone(), failed.clone(), reactor.handle());
        let deferred = threads::defer_to_thread_pool(&reactor, &pool, when_refused(move || passes.pass()));
        deferred.add_errback(move |_| {
            opens.open();
            stop.stop();
        });
        let stopping = thread::spawn(move || pool.ask_to_stop(StopPolicy::CancelQueued));
        reactor.run();
        stopping.join().unwrap();
    });
}

// Checks: B36
#[test]
fn a_jobs_captures_are_dropped_while_its_token_is_current_and_before_its_ticket_is_over() {
    let (pool, stepper) = stepped(0, 1);
    let log = Log::new();
    let noted = log.clone();
    let captured = OnDrop::new(move || noted.note(CancelToken::current().is_some_and(|token| !token.is_cancelled())));
    let ticket = pool.call_in_thread_ticketed(move || drop(captured)).unwrap();
    settle(&stepper);
    assert_eq!(log, [true]);
    assert_eq!(ticket.cancel(), Cancellation::Over);
}

// ---- reactors

// Checks: B44, P1
#[test]
fn who_waits_for_a_slot_of_the_inbox_is_woken_before_the_calls_that_made_room_run() {
    with_watchdog(|| {
        let reactor = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build().unwrap();
        let (handle, posted) = (reactor.handle(), Gate::new());
        let passes = posted.clone();
        handle.call_from_thread(move |_| passes.pass()).unwrap();
        let poster = post_when_there_is_room(&reactor, posted);
        reactor.turn().unwrap();
        assert!(poster.join().unwrap());
    });
}

// Checks: B13, P7
#[test]
fn who_waits_for_a_slot_of_an_inbox_that_closes_is_woken_before_the_calls_that_are_left_are_dropped() {
    with_watchdog(|| {
        let reactor = Reactor::builder().inbox_bound(NonZeroUsize::MIN).build().unwrap();
        let (handle, refused) = (reactor.handle(), Gate::new());
        let passes = refused.clone();
        let on_drop = OnDrop::new(move || passes.pass());
        handle.call_from_thread(move |_| drop(on_drop)).unwrap();
        let poster = post_when_there_is_room(&reactor, refused);
        drop(reactor);
        assert!(!poster.join().unwrap());
    });
}

/// A thread that posts when there is room, opens the gate, and says whether its call was accepted.
fn post_when_there_is_room(reactor: &Reactor, done: Gate) -> thread::JoinHandle<bool> {
    let handle = reactor.handle();
    let about_to = Gate::new();
    let begins = about_to.clone();
    let poster = thread::spawn(move || {
        begins.open();
        let posted = handle.call_from_thread_waiting(None, |_| ());
        done.open();
        posted.is_ok()
    });
    about_to.pass();
    // So that it waits already. If it does not yet, the test shows less.
    thread::sleep(Duration::from_millis(20));
    poster
}

// ---- tasks and Deferreds

/// Notes in a cell that it was dropped.
struct Noting(Rc<Cell<bool>>);

impl Drop for Noting {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

/// A value, and whether it was dropped.
fn noting() -> (Noting, Rc<Cell<bool>>) {
    let dropped = Rc::new(Cell::new(false));
    (Noting(Rc::clone(&dropped)), dropped)
}

/// What a callback of this Deferred sees, when the Deferred has its result.
fn seen_by<T: 'static, R: 'static>(
    deferred: Deferred<T>,
    look: impl FnOnce() -> R + 'static,
) -> Rc<RefCell<Option<R>>> {
    let seen = Rc::new(RefCell::new(None));
    let inner = Rc::clone(&seen);
    drop(deferred.add_both(move |_| *inner.borrow_mut() = Some(look())));
    seen
}

// Checks: P22
#[test]
fn the_future_of_a_task_is_dropped_before_its_deferred_fires_however_it_ends() {
    for end in ["returns", "fails", "panics", "is cancelled", "goes with its reactor"] {
        let (reactor, _) = reporting();
        let (value, dropped) = noting();
        // A value of the future itself, not of its body, which is gone when that returns.
        let mut held = Some(value);
        let task = reactor.spawn(std::future::poll_fn(move |_| {
            assert!(held.as_mut().is_some());
            match end {
                "returns" => std::task::Poll::Ready(Ok(())),
                "fails" => std::task::Poll::Ready(Err(Failure::msg("meant"))),
                "panics" => panic!("meant"),
                _ => std::task::Poll::Pending,
            }
        }));
        let (task, canceller) = task.with_cancel_handle();
        let seen = seen_by(task, move || dropped.get());
        reactor.turn().unwrap();
        if end == "is cancelled" {
            canceller.cancel();
        }
        drop(reactor);
        assert_eq!(seen.take(), Some(true), "{end}");
    }
}

// Checks: P34
#[test]
fn the_iterator_of_a_cooperative_task_is_dropped_before_anybody_is_told_of_its_end() {
    for end in ["is done", "fails", "panics", "is stopped", "is cancelled"] {
        let reactor = TestReactor::new();
        let (value, dropped) = noting();
        let cooperator = Cooperator::new(&reactor);
        let mut left = 1;
        let iterator = std::iter::from_fn(move || {
            let _held = &value;
            left -= 1;
            match end {
                _ if left == 0 => Some(Ok(())),
                "is done" => None,
                "fails" => Some(Err(Failure::msg("meant"))),
                "panics" => std::panic::panic_any(selvedge::testing::Injected),
                _ => Some(Ok(())),
            }
        });
        if end == "is cancelled" {
            let (task, handle) = cooperator.coiterate(iterator).with_cancel_handle();
            let seen = seen_by(task, move || dropped.get());
            handle.cancel();
            assert_eq!(seen.take(), Some(true), "{end}");
            continue;
        }
        let task = cooperator.cooperate(iterator);
        let seen = seen_by(task.when_done(), move || dropped.get());
        if end == "is stopped" {
            task.stop().unwrap();
        }
        reactor.advance(SECOND);
        assert_eq!(seen.take(), Some(true), "{end}");
    }
}

// Checks: P33
#[test]
fn a_loop_has_no_timer_and_does_not_run_when_its_end_is_told() {
    for end in ["stop", "cancel"] {
        let reactor = TestReactor::new();
        let looping = LoopingCall::new(|_| ());
        let (deferred, handle) = looping.start(&reactor, SECOND).unwrap().with_cancel_handle();
        let (local, looks) = (reactor.local(), looping.clone());
        let seen = seen_by(deferred, move || {
            let timers = local.with(Reactor::next_deadline).unwrap();
            (timers, looks.is_running())
        });
        if end == "stop" {
            looping.stop().unwrap()
        } else {
            handle.cancel()
        }
        assert_eq!(seen.take(), Some((None, false)), "{end}");
    }
}

// Checks: P24, B17
#[test]
fn a_timer_is_gone_when_the_deferred_that_it_was_for_fails() {
    let reactor = TestReactor::new();
    for make in [
        |reactor: &Reactor| reactor.sleep(SECOND),
        |reactor: &Reactor| defer_later(reactor, SECOND, |_| ()),
        |reactor: &Reactor| {
            let (deferred, resolver) = Deferred::new();
            let _kept = reactor.own(resolver).detach();
            deferred.add_timeout(reactor, SECOND)
        },
    ] {
        let (deferred, handle) = make(&reactor).with_cancel_handle();
        let local = reactor.local();
        let seen = seen_by(deferred, move || local.with(Reactor::next_deadline).unwrap());
        assert!(reactor.next_deadline().is_some());
        handle.cancel();
        assert_eq!(seen.take(), Some(None));
    }
}

// Checks: B17, P9
#[test]
fn a_timer_is_cancelled_when_its_captures_are_dropped() {
    let reactor = TestReactor::new();
    let timer: Rc<OnceCell<DelayedCall>> = Rc::default();
    let (looks, seen) = (Rc::clone(&timer), Rc::new(Cell::new(None)));
    let (noted, local) = (Rc::clone(&seen), reactor.local());
    let captured = OnDrop::new(move || {
        let timer = looks.get().unwrap();
        let next = local.with(Reactor::next_deadline).unwrap();
        noted.set(Some((timer.is_active(), timer.cancel().is_err(), next)));
    });
    timer.set(reactor.call_later(SECOND, move |_| drop(captured))).unwrap();
    timer.get().unwrap().cancel().unwrap();
    assert_eq!(seen.get(), Some((false, true, None)));
}

// Checks: P31
#[test]
fn the_lock_is_free_again_when_the_result_of_what_ran_under_it_is_told() {
    let lock = DeferredLock::new();
    let looks = lock.clone();
    let seen = seen_by(lock.run(|| 1), move || looks.is_locked());
    assert_eq!(seen.take(), Some(false));
}

// Checks: P118
#[test]
fn a_queue_is_closed_when_those_who_wait_for_an_item_are_told() {
    let queue = DeferredQueue::<u32>::new();
    let looks = queue.clone();
    let seen = seen_by(queue.get().unwrap(), move || (looks.is_closed(), looks.put(1).is_err()));
    queue.close();
    assert_eq!(seen.take(), Some((true, true)));
}

// Checks: B8, P76
#[test]
fn what_was_reported_is_dropped_after_the_sink_has_returned() {
    let log = Log::new();
    let noted = log.clone();
    let reactor = Reactor::builder().on_report(move |_| noted.note("reported")).build().unwrap();
    drop(Deferred::<()>::fail(Noted(log.when_dropped("dropped"))));
    assert_eq!(log, ["reported", "dropped"]);
    drop(reactor);
}

/// An error that notes its drop.
struct Noted(#[allow(dead_code, reason = "for its drop")] crate::support::Note<&'static str>);

impl std::fmt::Debug for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Noted")
    }
}

impl std::fmt::Display for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("noted")
    }
}

impl std::error::Error for Noted {}
