//! Cancel safety of items and permits: whatever is given up before the program has received one, it goes back to its
//! place, and nothing is lost or doubled.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use selvedge::{
    Deferred, Reactor, Resolver,
    coordination::{DeferredLock, DeferredQueue},
    deferred::{DeferredList, race},
    error::{Cancelled, TimedOut},
    threads,
};

use crate::support::deferred::{error, reports, value};
use crate::support::{reporting, virtual_time, with_watchdog};

fn queue_of(items: u32) -> DeferredQueue<u32> {
    let queue = DeferredQueue::new();
    (0..items).for_each(|item| queue.put(item).unwrap());
    queue
}

/// Takes everything that is left.
fn left(queue: &DeferredQueue<u32>) -> Vec<u32> {
    (0..queue.len()).map(|_| value(queue.get().unwrap())).collect()
}

// Checks: P81, R40
#[test]
fn items_of_deferreds_that_are_dropped_go_back_to_their_places_whatever_the_order() {
    let queue = queue_of(5);
    let mut taken: Vec<_> = (0..4).map(|_| queue.get().unwrap()).collect();
    assert_eq!(queue.len(), 1);
    for index in [2, 0, 1, 0] {
        drop(taken.remove(index));
    }
    assert_eq!(left(&queue), [0, 1, 2, 3, 4]);
}

// Checks: P81, R40
#[test]
fn an_item_that_comes_back_goes_to_the_next_who_waits() {
    let queue = DeferredQueue::new();
    let (dropped, next) = (queue.get().unwrap(), queue.get().unwrap());
    drop(dropped);
    queue.put(7).unwrap();
    assert_eq!(value(next), 7);
    let (kept, next) = (queue.get().unwrap(), queue.get().unwrap());
    queue.put(8).unwrap();
    drop(kept);
    assert_eq!((value(next), queue.len()), (8, 0));
}

// Checks: P81
#[test]
fn an_item_that_passes_errbacks_timeouts_and_waiting_chains_by_still_goes_back() {
    let (reactor, _clock, _) = virtual_time();
    let queue = queue_of(4);
    let again = queue.clone();
    let passed = [
        queue.get().unwrap().add_errback(|_| 0),
        queue.get().unwrap().add_timeout(&reactor, Duration::from_secs(1)),
        Deferred::succeed(()).add_callback(move |()| again.get().unwrap()),
    ];
    assert_eq!(queue.len(), 1);
    drop(passed);
    assert_eq!(left(&queue), [0, 1, 2, 3]);
    // The same for takers that had to wait.
    let (again, (gate, open)) = (queue.clone(), Deferred::new());
    let passed = [
        queue.get().unwrap().add_errback(|_| 0).add_timeout(&reactor, Duration::from_secs(1)).add_errback(|_| 0),
        gate.add_callback(move |()| again.get().unwrap()).add_errback(|_| 0),
    ];
    open.callback(());
    (0..2).for_each(|item| queue.put(item).unwrap());
    assert!(queue.is_empty());
    drop(passed);
    assert_eq!(left(&queue), [0, 1]);
}

// Checks: P81
#[test]
fn a_callback_for_the_value_receives_the_item_and_what_it_returns_is_no_item() {
    let queue = queue_of(3);
    drop(queue.get().unwrap().add_callback(|_| 100));
    drop(queue.get().unwrap().add_errback(|_| 0).add_callback(|_| 100));
    let third = queue.get().unwrap().add_errback(|_| 0).add_callback(|item| item + 100);
    assert_eq!((value(third), queue.len()), (102, 0));
}

// Checks: P81, P20
#[test]
fn a_task_that_is_cancelled_after_its_item_came_and_before_it_was_polled_gives_it_back() {
    let reactor = Reactor::new();
    let queue = queue_of(0);
    let task = reactor.spawn({
        let queue = queue.clone();
        async move { queue.get().unwrap().await }
    });
    reactor.turn().unwrap();
    assert_eq!(queue.waiting(), 1);
    (0..2).for_each(|item| queue.put(item).unwrap());
    assert_eq!(queue.len(), 1);
    task.cancel();
    assert!(error(task).is::<Cancelled>());
    assert_eq!(left(&queue), [0, 1]);
}

// Checks: P81, P25
#[test]
fn a_future_for_another_executor_that_is_dropped_unpolled_sends_its_item_back() {
    let reactor = Reactor::new();
    let queue = queue_of(1);
    let there = queue.get().unwrap().into_send_future(&reactor);
    let waits = queue.get().unwrap().into_send_future(&reactor);
    let polled = queue.get().unwrap().into_send_future(&reactor);
    (1..4).for_each(|item| queue.put(item).unwrap());
    assert_eq!(queue.len(), 1);
    let received = thread::spawn(move || {
        drop((waits, there));
        let mut polled = std::pin::pin!(polled);
        match polled.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item.unwrap(),
            Poll::Pending => panic!("no item"),
        }
    });
    assert_eq!(received.join().unwrap(), 2);
    reactor.turn().unwrap();
    assert_eq!(left(&queue), [0, 1, 3]);
}

// Checks: P81, P25
#[test]
fn an_item_that_comes_when_a_future_for_another_executor_was_dropped_goes_back() {
    let reactor = Reactor::new();
    let queue = queue_of(0);
    drop(queue.get().unwrap().into_send_future(&reactor));
    // Before the turn that cancels.
    (0..2).for_each(|item| queue.put(item).unwrap());
    assert_eq!(left(&queue), [0, 1]);
    reactor.turn().unwrap();
    assert_eq!(queue.waiting(), 0);
}

// Checks: P81, P80, R40
#[test]
fn an_item_that_comes_for_a_call_whose_caller_has_just_given_up_goes_back() {
    thread_local! {
        static QUEUE: DeferredQueue<u32> = DeferredQueue::new();
    }
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let (begun, begins) = mpsc::channel();
        let asker = thread::spawn(move || {
            threads::blocking_call_from_thread_timeout(&handle, Duration::from_millis(50), move |_| {
                begun.send(()).unwrap();
                QUEUE.with(|queue| queue.get().unwrap())
            })
        });
        while reactor.turn().is_ok() && begins.try_recv().is_err() && !asker.is_finished() {}
        // The caller gives up, and the item comes before its cancel is run.
        assert!(asker.join().unwrap().is_err());
        let queue = QUEUE.with(Clone::clone);
        (0..3).for_each(|item| queue.put(item).unwrap());
        reactor.turn().unwrap();
        assert_eq!((left(&queue), queue.waiting()), (vec![0, 1, 2], 0));
    });
}

// Checks: P81, P30
#[test]
fn a_list_that_is_cancelled_or_decided_gives_back_the_items_that_it_does_not_return() {
    let (queue, never) = (queue_of(3), DeferredQueue::new());
    let list = DeferredList::new([queue.get().unwrap(), never.get().unwrap(), queue.get().unwrap()]);
    let list = list.fire_on_one_errback();
    list.cancel();
    drop(error(list));
    assert_eq!((left(&queue), never.waiting()), (vec![0, 1, 2], 0));
    let (first, second) = (queue_of(2), queue_of(2));
    let winner = race([first.get().unwrap(), second.get().unwrap()]);
    assert_eq!(value(winner), (0, 0));
    assert_eq!((left(&first), left(&second)), (vec![1], vec![0, 1]));
}

// Checks: P81, B64
#[test]
fn an_item_that_a_function_of_run_waits_for_goes_back_behind_the_release_of_the_permit() {
    let (queue, lock) = (queue_of(2), DeferredLock::new());
    let take = || {
        let queue = queue.clone();
        lock.run(move || queue.get().unwrap())
    };
    drop(take());
    drop(take().into_future());
    assert_eq!((left(&queue), lock.is_locked()), (vec![0, 1], false));
    // One that comes later, and one that is received.
    let (dropped, second) = (take(), take());
    drop(dropped.into_future());
    queue.put(2).unwrap();
    assert_eq!((value(second), queue.len(), lock.is_locked()), (2, 0, false));
}

// Checks: P81, B53
#[test]
fn an_item_that_is_held_by_a_pause_goes_back_when_nobody_can_end_it() {
    let queue = queue_of(2);
    let held = queue.get().unwrap();
    held.pause();
    drop(held);
    let held = queue.get().unwrap().add_errback(|_| 0);
    held.pause();
    drop(held);
    assert_eq!(left(&queue), [0, 1]);
}

// Checks: P81, P32
#[test]
fn items_go_back_beyond_the_size_and_are_dropped_only_when_the_queue_is_gone() {
    let queue = DeferredQueue::with_limits(1, None);
    queue.put(1).unwrap();
    let taken = queue.get().unwrap();
    queue.put(2).unwrap();
    drop(taken);
    assert_eq!((queue.len(), queue.put(3).is_err()), (2, true));
    let taken = queue.get().unwrap();
    drop(queue);
    assert_eq!(value(taken), 1);
}

// Checks: P81, P31
#[test]
fn a_permit_that_nobody_received_goes_to_the_next_who_waits() {
    let (reactor, clock, _) = virtual_time();
    let lock = DeferredLock::new();
    let held = lock.try_acquire().unwrap();
    let late = lock.acquire().add_timeout(&reactor, Duration::from_secs(1));
    let (dropped, cancelled, next) = (lock.acquire(), lock.acquire(), lock.acquire());
    reactor.advance(Duration::from_secs(1)).unwrap();
    let _ = clock;
    assert!(error(late).is::<TimedOut>());
    cancelled.cancel();
    drop((dropped, error(cancelled), held));
    drop(value(next));
    assert_eq!((lock.is_locked(), lock.waiting()), (false, 0));
}

// Checks: P81
#[test]
fn a_taker_whose_callbacks_drop_other_items_leaves_all_in_order_and_nothing_is_reported() {
    let told = reports(|| {
        let queue = queue_of(0);
        let (first, second) = (queue.get().unwrap(), queue.get().unwrap());
        let seen = queue.get().unwrap().add_callback(move |item| {
            drop((second, first));
            item
        });
        (0..4).for_each(|item| queue.put(item).unwrap());
        assert_eq!(value(seen), 2);
        assert_eq!(left(&queue), [0, 1, 3]);
    });
    assert_eq!(told, []);
}

// Checks: P31
#[test]
fn a_callback_that_is_added_to_a_result_while_something_is_dropped_cancels_nothing() {
    let lock = DeferredLock::new();
    let held = lock.try_acquire().unwrap();
    let waits = lock.acquire();
    drop(held);
    // The result is there. The errback runs because the resolver was dropped: what follows from other drops waits.
    let (inner, resolver) = Deferred::<u32>::new();
    let kept = Rc::new(RefCell::new(None));
    let keep = Rc::clone(&kept);
    let (failing, dropped) = Deferred::<()>::new();
    let failing = failing.add_errback(move |_| {
        *keep.borrow_mut() = Some(waits.add_callback(move |permit| {
            drop(permit);
            inner
        }));
    });
    drop(dropped);
    value(failing);
    resolver.callback(7);
    assert_eq!(value(kept.take().unwrap()), 7);
}

// Checks: P31
#[test]
fn a_reactor_that_runs_inside_an_errback_of_a_dropped_resolver_goes_on() {
    with_watchdog(|| {
        let (failing, dropped) = Deferred::<()>::new();
        let failing = failing.add_errback(|_| {
            let reactor = Reactor::new();
            let (page, resolver) = Deferred::<u32>::new();
            let page = page.shared();
            let first = page.get();
            reactor.call_later(Duration::ZERO, move |_| resolver.callback(7));
            assert_eq!(*reactor.block_on(first).unwrap(), 7);
        });
        drop(dropped);
        value(failing);
    });
}

// Checks: P81, P30
#[test]
fn a_list_of_items_that_is_dropped_before_anybody_has_its_result_gives_all_of_them_back() {
    let queue = queue_of(2);
    let failed = Deferred::<u32>::fail(Cancelled);
    drop(DeferredList::new([queue.get().unwrap(), failed, queue.get().unwrap()]).all());
    assert_eq!(left(&queue), [0, 1]);
}

// Checks: P81
#[test]
fn an_item_for_a_deferred_that_was_cancelled_goes_back() {
    let queue = queue_of(1);
    let (cancelled, resolver) = Deferred::<u32>::new();
    cancelled.cancel();
    resolver.settle(queue.get().unwrap().add_errback(|_| 0));
    assert!(error(cancelled).is::<Cancelled>());
    assert_eq!(left(&queue), [0]);
}

// Checks: P81, B53
#[test]
fn a_taker_that_is_paused_before_its_item_comes_has_it_when_the_pause_ends() {
    let queue = DeferredQueue::new();
    let taker = queue.get().unwrap();
    taker.pause();
    queue.put(7).unwrap();
    let taker = taker.try_result().unwrap_err();
    assert!(queue.is_empty());
    taker.unpause().unwrap();
    assert_eq!((value(taker), queue.len()), (7, 0));
}

// Checks: P81
#[test]
fn an_item_that_takes_the_place_of_what_was_too_late_still_goes_back() {
    let (reactor, _clock, _) = virtual_time();
    let (never, queue) = (DeferredQueue::<u32>::new(), queue_of(1));
    let instead = queue.clone();
    let taker = never.get().unwrap().add_errback(move |_| instead.get().unwrap());
    let taker = taker.add_timeout(&reactor, Duration::from_secs(1));
    reactor.advance(Duration::from_secs(1)).unwrap();
    assert_eq!((queue.len(), never.waiting()), (0, 0));
    drop(taker);
    assert_eq!(left(&queue), [0]);
}

// Checks: P80, P7
#[test]
fn a_deferred_that_is_given_up_after_its_caller_has_given_up_is_reported_to_nobody() {
    thread_local! {
        static RESOLVER: RefCell<Option<Resolver<u32>>> = const { RefCell::new(None) };
    }
    with_watchdog(|| {
        let (reactor, reported) = reporting();
        let handle = reactor.handle();
        let ask = move || {
            threads::blocking_call_from_thread_timeout(&handle, Duration::from_millis(50), |_| {
                let (deferred, resolver) = Deferred::new();
                RESOLVER.set(Some(resolver));
                deferred
            })
        };
        // Where the caller has given up before it was heard, it asks again.
        let asker = loop {
            let asker = thread::spawn(ask.clone());
            while reactor.turn().is_ok() && RESOLVER.with_borrow(Option::is_none) && !asker.is_finished() {}
            if RESOLVER.with_borrow(Option::is_some) {
                break asker;
            }
        };
        // The caller gives up, and so does who was to answer, before the cancel is run.
        assert!(asker.join().unwrap().is_err());
        drop(RESOLVER.take());
        reactor.turn().unwrap();
        assert_eq!(reported.len(), 0);
    });
}
