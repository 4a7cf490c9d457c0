//! Hooks of hosts that do, as they are called, what makes a timer needless: it is stopped, though it was just added.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use selvedge::error::TimedOut;
use selvedge::pool::WhenFull;
use selvedge::reactor::{ReactorBuilder, Turn};
use selvedge::testing::{Step, VirtualClock};
use selvedge::{Deferred, Job, Reactor, ThreadPool, threads};

use crate::support::{Gate, wait_until, with_watchdog};

const SECOND: Duration = Duration::from_secs(1);

thread_local! {
    static IN_HOOK: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// What the hook does when it is called next on this thread.
fn in_hook(body: impl FnOnce() + 'static) {
    IN_HOOK.set(Some(Box::new(body)));
}

fn was_called() -> bool {
    IN_HOOK.take().is_none()
}

/// A reactor that sleeps, on a virtual clock.
fn asleep(builder: ReactorBuilder) -> Rc<Reactor> {
    let hook = || {
        if let Some(body) = IN_HOOK.take() {
            body();
        }
    };
    let reactor = Rc::new(builder.clock(VirtualClock::new()).on_wake(hook).build().unwrap());
    settle(&reactor);
    reactor
}

fn settle(reactor: &Reactor) {
    while reactor.turn().unwrap() == Turn::Again {}
}

// Checks: P104, B59
#[test]
fn a_result_that_a_hook_has_brought_stops_the_timeout_whose_timer_called_the_hook() {
    let reactor = asleep(Reactor::builder());
    let (answer, resolver) = Deferred::<u32>::new();
    in_hook(move || resolver.callback(1));
    let in_time = answer.add_timeout(&reactor, SECOND);
    assert!(was_called());
    assert_eq!(reactor.delayed_calls(), 0);
    let (later, resolver) = Deferred::<u32>::new();
    let behind = in_time.add_callback(move |_| later);
    reactor.advance(2 * SECOND).unwrap();
    resolver.callback(2);
    assert!(behind.try_result().is_ok_and(|result| result.is_ok_and(|result| result == 2)));
}

// Checks: P104, P112
#[test]
fn the_limit_of_a_job_that_begins_in_a_hook_takes_the_place_of_that_in_the_queue() {
    with_watchdog(|| {
        let reactor = asleep(Reactor::builder().pool_size(0, 1));
        let (before, end) = (Gate::new(), Gate::new());
        let passing = before.clone();
        reactor.call_in_thread(move || passing.pass()).unwrap();
        let (turned, handle) = (Rc::clone(&reactor), reactor.handle());
        in_hook(move || {
            before.open();
            // What has woken the host is one.
            wait_until(|| handle.queued_calls() == 2);
            settle(&turned);
        });
        let ending = end.clone();
        let job = Job::new(move || ending.pass()).queue_limit(10 * SECOND).time_limit(SECOND);
        let limited = threads::defer_to_thread(&reactor, job);
        assert!(was_called());
        reactor.advance(SECOND).unwrap();
        let late: TimedOut = limited.try_result().ok().unwrap().unwrap_err().downcast().unwrap();
        assert_eq!(late.started, Some(true));
        end.open();
    });
}

// Checks: P104, P131
#[test]
fn a_slot_that_becomes_free_in_a_hook_ends_the_limit_of_the_wait_and_the_job_can_be_cancelled() {
    let (pool, stepper) = ThreadPool::builder().size(0, 1).queue_bound(NonZeroUsize::MIN).build_stepped().unwrap();
    pool.start().unwrap();
    pool.call_in_thread(|| ()).unwrap();
    let reactor = asleep(Reactor::builder());
    let turned = Rc::clone(&reactor);
    in_hook(move || {
        assert_eq!(stepper.step(), Some(Step::Took));
        settle(&turned);
    });
    let job = Job::new(|| ()).when_full(WhenFull::WaitUpTo(SECOND));
    let waiting = threads::defer_to_thread_pool(&reactor, &pool, job);
    assert!(was_called());
    assert_eq!((reactor.delayed_calls(), pool.stats().queued), (0, 1));
    reactor.advance(2 * SECOND).unwrap();
    waiting.cancel();
    assert_eq!(pool.stats().queued, 0);
    drop(waiting.add_errback(|_| ()));
}
