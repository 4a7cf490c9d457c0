//! Locks, semaphores and queues that are used again from inside the callbacks that they run.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;

use selvedge::{
    Deferred, Failure, Reactor,
    coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit},
    error::{Abandoned, Cancelled, OverRelease, PutRejection, QueueClosed, QueueUnderflow},
    report::Incident,
};

use crate::support::deferred::{Drops, Oops, Place, Trace, error, reports, value};
use crate::support::{MANY, PanicOnDrop, on_a_small_stack};

/// A lock that is held, and its permit.
fn held() -> (DeferredLock, Permit) {
    let lock = DeferredLock::new();
    let permit = lock.try_acquire().unwrap();
    (lock, permit)
}

// Checks: P32, P118
#[test]
fn a_queue_says_whether_it_is_empty_and_whether_it_is_closed() {
    let queue = DeferredQueue::default();
    assert!(queue.is_empty() && !queue.is_closed());
    queue.put(1).unwrap();
    assert!(!queue.is_empty() && !queue.is_closed());
    queue.close();
    assert!(!queue.is_empty() && queue.is_closed());
    assert_eq!(value(queue.get().unwrap()), 1);
    assert!(queue.is_empty());
    assert!(!DeferredLock::default().is_locked());
}

// Checks: B64, P31, R31
#[test]
fn many_waiters_that_release_as_soon_as_they_are_served_need_no_stack() {
    on_a_small_stack(|| {
        let (lock, permit) = held();
        let served: Rc<Cell<usize>> = Rc::default();
        for n in 0..MANY {
            let served = Rc::clone(&served);
            lock.acquire().add_callback(move |permit| {
                assert_eq!(served.replace(n + 1), n, "first come, first served");
                drop(permit);
            });
        }
        drop(permit);
        assert_eq!((served.get(), lock.is_locked(), lock.waiting()), (MANY, false, 0));
    });
}

// Checks: B64, R31
#[test]
fn ten_thousand_runs_behind_one_that_waits_are_served_in_order_with_a_thousandth_of_the_stack() {
    on_a_small_stack(|| {
        let lock = DeferredLock::new();
        let (first, resolver) = Deferred::new();
        let ran: Rc<Cell<usize>> = Rc::default();
        let all: Vec<_> = (0..10_000)
            .map(|n| {
                let ran = Rc::clone(&ran);
                lock.run(move || {
                    assert_eq!(ran.replace(n + 1), n);
                    n
                })
            })
            .collect();
        assert_eq!(ran.take(), 10_000, "nothing held them up");
        drop(all);
        lock.run(move || first).log_error();
        for n in 0..10_000 {
            let ran = Rc::clone(&ran);
            lock.run(move || assert_eq!(ran.replace(n + 1), n)).log_error();
        }
        assert_eq!(ran.get(), 0);
        resolver.callback(());
        assert_eq!((ran.get(), lock.is_locked()), (10_000, false));
    });
}

// Checks: B64, P31
#[test]
fn many_waiters_are_cancelled_from_the_middle_outwards() {
    on_a_small_stack(|| {
        let (lock, permit) = held();
        let mut waiters: Vec<_> = (0..MANY).map(|_| lock.acquire()).collect();
        waiters.iter().skip(MANY / 2).for_each(Deferred::cancel);
        waiters.iter().take(MANY / 2).rev().for_each(Deferred::cancel);
        assert_eq!(lock.waiting(), 0);
        assert!(error(waiters.pop().unwrap().map(drop)).is::<Cancelled>());
        for waiter in waiters {
            waiter.add_both(|result| assert!(result.is_err_and(|failure| failure.is::<Cancelled>())));
        }
        drop(permit);
        assert!(!lock.is_locked());
    });
}

// Checks: B64, P31
#[test]
fn waiters_that_come_and_go_behind_one_that_stays_leave_nobody_in_the_queue() {
    let (lock, permit) = held();
    let patient = lock.acquire();
    let mut last = lock.acquire();
    for _ in 0..100_000 {
        let next = lock.acquire();
        last.cancel();
        last.add_both(|result| assert!(result.is_err()));
        last = next;
    }
    assert_eq!(lock.waiting(), 2);
    drop(permit);
    drop(value(patient));
    drop(value(last));
}

// Checks: B64, P31
#[test]
fn a_permit_dropped_in_the_callback_of_a_served_waiter_goes_to_the_next_when_that_has_returned() {
    let trace = Trace::new();
    let (lock, permit) = held();
    for name in ["first", "second"] {
        let trace = trace.clone();
        lock.acquire().add_callback(move |permit| {
            trace.note(name);
            drop(permit);
            trace.note("dropped");
        });
    }
    drop(permit);
    assert_eq!(trace.seen(), "first dropped second dropped");
}

// Checks: P31
#[test]
fn whoever_asks_while_another_is_served_comes_after_those_who_wait() {
    let trace = Trace::new();
    let (lock, permit) = held();
    let (again, note) = (lock.clone(), trace.clone());
    lock.acquire().add_callback(move |permit| {
        drop(permit);
        note.note("first");
        assert!(again.try_acquire().is_none(), "there is a permit, and it is the second's");
        assert_eq!(again.waiting(), 1);
        again.acquire().add_callback(move |_| note.note("third"));
    });
    let note = trace.clone();
    lock.acquire().add_callback(move |_| note.note("second"));
    drop(permit);
    assert_eq!(trace.seen(), "first second third");
    assert!(!lock.is_locked());
}

// Checks: P31
#[test]
fn a_served_waiter_that_was_the_last_may_take_the_lock_again_at_once() {
    let (lock, permit) = held();
    let again = lock.clone();
    let taken = lock.acquire().add_callback(move |permit| {
        drop(permit);
        again.try_acquire()
    });
    drop(permit);
    let permit = value(taken).unwrap();
    assert!(lock.is_locked());
    drop(permit);
    assert!(!lock.is_locked());
}

// Checks: P31
#[test]
fn a_served_waiter_may_cancel_those_behind_it() {
    let trace = Trace::new();
    let (lock, permit) = held();
    let second: Place<Deferred<()>> = Rc::default();
    let cancel = Rc::clone(&second);
    lock.acquire().add_callback(move |_permit| cancel.borrow().as_ref().unwrap().cancel());
    let (note, other) = (trace.clone(), trace.clone());
    let waits = lock.acquire().add_callbacks(move |_| note.note("served"), move |_: Failure| other.note("cancelled"));
    *second.borrow_mut() = Some(waits);
    let note = trace.clone();
    lock.acquire().add_callback(move |_| note.note("third"));
    drop(permit);
    assert_eq!(trace.seen(), "cancelled third");
}

// Checks: B64, P31
#[test]
fn an_errback_of_a_cancelled_waiter_may_use_the_lock() {
    let (lock, permit) = held();
    let again = lock.clone();
    let waits = lock
        .acquire()
        .map(drop)
        .add_errback(move |_| assert_eq!((again.waiting(), again.try_acquire().is_none()), (0, true)));
    waits.cancel();
    assert!(waits.try_result().is_ok_and(|result| result.is_ok()));
    drop(permit);
}

// Checks: P31
#[test]
fn a_lock_whose_handles_are_dropped_still_serves_those_who_wait_for_it() {
    let (lock, permit) = held();
    let (first, second) = (lock.acquire(), lock.acquire());
    drop(lock);
    drop(permit);
    drop(value(first));
    drop(value(second));
}

// Checks: P31
#[test]
fn waiters_of_a_lock_that_nobody_can_release_any_more_are_abandoned() {
    let (lock, permit) = held();
    let waits = lock.acquire();
    permit.keep();
    drop(lock);
    assert!(error(waits.map(drop)).is::<Abandoned>());
}

// Checks: B64
#[test]
fn what_a_guard_holds_cannot_be_released_from_outside() {
    let (lock, permit) = held();
    assert_eq!(lock.release(), Err(OverRelease));
    assert!(lock.is_locked());
    permit.keep();
    assert!(lock.is_locked());
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(lock.release(), Err(OverRelease));
    lock.try_acquire().unwrap().release();
    assert!(!lock.is_locked());
}

// Checks: B64
#[test]
fn a_run_releases_before_its_result_goes_on_whatever_its_function_does() {
    let lock = DeferredLock::new();
    let seen = lock.clone();
    let after = lock.run(|| 1).add_callback(move |_| seen.is_locked());
    assert!(!value(after));
    assert!(error(lock.run(|| -> u32 { std::panic::resume_unwind(Box::new("planned")) })).is_panic());
    assert!(error(lock.run(|| Err::<u32, _>(Oops(1)))).is::<Oops>());
    let (never, resolver) = Deferred::<u32>::new();
    let waits = lock.run(move || never);
    drop(resolver);
    assert!(error(waits).is::<Abandoned>());
    assert!(!lock.is_locked());
}

// Checks: B58, B64
#[test]
fn a_cancelled_run_is_never_called_or_has_its_deferred_cancelled() {
    let (lock, permit) = held();
    let drops = Drops::new();
    let token = drops.token();
    let waits = lock.run(move || drop(token));
    waits.cancel();
    assert!(error(waits).is::<Cancelled>());
    assert_eq!((drops.count(), lock.waiting()), (1, 0));
    drop(permit);
    let (slow, resolver) = Deferred::<u32>::new();
    let runs = lock.run(move || slow);
    runs.cancel();
    assert!(resolver.is_cancelled() && !lock.is_locked());
    assert!(error(runs).is::<Cancelled>());
}

// Checks: P31
#[test]
fn a_waiter_that_panics_when_it_is_served_releases_its_permit() {
    let (lock, permit) = held();
    let panics = lock.acquire().add_callback(|_permit| -> () { std::panic::resume_unwind(Box::new("planned")) });
    let second = lock.acquire();
    drop(permit);
    assert!(error(panics).is_panic());
    drop(value(second));
    assert!(!lock.is_locked());
}

// Checks: P31
#[test]
fn two_locks_whose_waiters_acquire_the_other_lock_do_not_recurse() {
    on_a_small_stack(|| {
        let ((a, permit_a), (b, permit_b)) = (held(), held());
        let served: Rc<Cell<usize>> = Rc::default();
        for _ in 0..10_000 {
            for (lock, other) in [(&a, &b), (&b, &a)] {
                let (served, other) = (Rc::clone(&served), other.clone());
                lock.acquire().add_callback(move |permit| {
                    served.set(served.get() + 1);
                    drop(permit);
                    other.acquire().add_callback(drop);
                });
            }
        }
        drop(permit_a);
        drop(permit_b);
        assert_eq!((served.get(), a.is_locked(), b.is_locked()), (20_000, false, false));
    });
}

// Checks: B64
#[test]
fn a_semaphore_lets_as_many_in_as_it_has_permits() {
    let three = DeferredSemaphore::new(NonZeroUsize::new(3).unwrap());
    let mut permits: Vec<_> = (0..3).map(|_| three.try_acquire().unwrap()).collect();
    assert!(three.try_acquire().is_none());
    let waits = three.acquire();
    permits.truncate(1);
    drop(value(waits));
    assert_eq!((three.tokens(), three.limit()), (2, 3));
}

// Checks: P119
#[test]
fn several_permits_are_granted_together_and_whoever_asks_behind_waits_for_its_turn() {
    let three = DeferredSemaphore::new(NonZeroUsize::new(3).unwrap());
    let held = three.try_acquire_many(2).unwrap();
    assert_eq!((held.count(), three.tokens()), (2, 1));
    assert!(three.try_acquire_many(2).is_none());
    let (many, one) = (three.acquire_many(3), three.acquire());
    assert_eq!(three.waiting(), 2);
    drop(held);
    let many = value(many);
    assert_eq!((many.count(), three.waiting()), (3, 1));
    many.keep();
    (0..2).for_each(|_| three.release().unwrap());
    drop(value(one));
    assert_eq!((three.release(), three.release(), three.tokens()), (Ok(()), Err(OverRelease), 3));
    assert_eq!(value(three.acquire_many(0)).count(), 0);
}

// Checks: P119
#[test]
fn a_waiter_for_several_permits_that_is_cancelled_lets_those_behind_it_in() {
    let two = DeferredSemaphore::new(NonZeroUsize::new(2).unwrap());
    let held = two.try_acquire().unwrap();
    let (many, one) = (two.acquire_many(2), two.acquire());
    many.cancel();
    assert!(error(many.map(drop)).is::<Cancelled>());
    drop((value(one), held));
    assert_eq!((two.waiting(), two.tokens()), (0, 2));
}

// Checks: P119
#[test]
fn a_limit_that_is_lowered_takes_no_permit_away_and_one_that_is_raised_serves_at_once() {
    let semaphore = DeferredSemaphore::new(NonZeroUsize::new(2).unwrap());
    let (first, second) = (semaphore.try_acquire().unwrap(), semaphore.try_acquire().unwrap());
    semaphore.set_limit(0);
    assert_eq!((semaphore.limit(), semaphore.tokens()), (0, 0));
    let waits = semaphore.acquire();
    drop((first, second));
    assert_eq!((semaphore.waiting(), semaphore.tokens()), (1, 0), "nobody is served with a limit of zero");
    let too_many = semaphore.acquire_many(usize::MAX);
    semaphore.set_limit(1);
    drop(value(waits));
    assert_eq!(semaphore.waiting(), 1);
    semaphore.set_limit(usize::MAX);
    assert_eq!(value(too_many).count(), usize::MAX);
}

// Checks: P31
#[test]
fn a_callback_may_return_the_permit() {
    let lock = DeferredLock::new();
    let passed: Deferred<Permit> = lock.acquire().add_callback(|permit| permit);
    assert!(lock.is_locked());
    drop(value(passed));
    assert!(!lock.is_locked());
}

// Checks: B64, P32
#[test]
fn many_takers_that_each_put_for_the_next_need_no_stack() {
    on_a_small_stack(|| {
        let queue = DeferredQueue::new();
        for n in 0..MANY {
            let again = queue.clone();
            queue.get().unwrap().add_callback(move |item: usize| {
                assert_eq!(item, n);
                again.put(item + 1)
            });
        }
        queue.put(0).unwrap();
        assert_eq!((queue.len(), queue.waiting()), (1, 0));
        assert_eq!(value(queue.get().unwrap()), MANY);
    });
}

// Checks: P32
#[test]
fn what_is_put_while_an_item_is_delivered_goes_to_those_who_wait_whatever_the_size() {
    let trace = Trace::new();
    let queue = DeferredQueue::with_limits(0, None);
    let (again, note) = (queue.clone(), trace.clone());
    queue.get().unwrap().add_callback(move |item: u32| {
        note.note(item);
        assert!(again.put(2).is_ok());
        assert_eq!((again.len(), again.waiting()), (0, 0));
        assert_eq!(again.put(3).unwrap_err().item, 3, "there is one taker only");
        note.note("put");
    });
    let note = trace.clone();
    queue.get().unwrap().add_callback(move |item| note.note(item));
    queue.put(1).unwrap();
    assert_eq!(trace.seen(), "1 put 2");
}

// Checks: P32
#[test]
fn whoever_asks_while_an_item_is_delivered_comes_after_those_who_wait() {
    let trace = Trace::new();
    let queue = DeferredQueue::with_limits(None, 2);
    let (again, note) = (queue.clone(), trace.clone());
    queue.get().unwrap().add_callback(move |_: u32| {
        let note = note.clone();
        again.put(2).unwrap();
        again.put(3).unwrap();
        again.get().unwrap().add_callback(move |item| note.note(format!("third: {item}")));
        assert_eq!((again.len(), again.waiting()), (0, 0));
    });
    let note = trace.clone();
    queue.get().unwrap().add_callback(move |item| note.note(format!("second: {item}")));
    assert_eq!(queue.get().unwrap_err(), QueueUnderflow);
    queue.put(1).unwrap();
    assert_eq!(trace.seen(), "second: 2 third: 3");
}

// Checks: P32
#[test]
fn an_item_whose_taker_is_cancelled_before_the_delivery_stays_in_the_queue() {
    let queue = DeferredQueue::with_limits(0, None);
    let second: Place<Deferred<u32>> = Rc::default();
    let (again, cancel) = (queue.clone(), Rc::clone(&second));
    queue.get().unwrap().add_callback(move |item: u32| {
        again.put(item + 1).unwrap();
        cancel.borrow().as_ref().unwrap().cancel();
    });
    *second.borrow_mut() = Some(queue.get().unwrap());
    queue.put(1).unwrap();
    assert!(error(second.borrow_mut().take().unwrap()).is::<Cancelled>());
    assert_eq!(queue.len(), 1, "it was accepted");
    assert_eq!(value(queue.get().unwrap()), 2);
}

// Checks: P32, P81
#[test]
fn a_get_whose_deferred_was_dropped_loses_no_item() {
    let drops = Drops::new();
    let queue = DeferredQueue::new();
    drop(queue.get().unwrap());
    queue.put(drops.token()).unwrap();
    assert_eq!((drops.count(), queue.len(), queue.waiting()), (0, 1, 0));
}

// Checks: P32
#[test]
fn takers_of_a_queue_that_is_dropped_are_abandoned_and_its_items_are_dropped() {
    let queue = DeferredQueue::<u32>::new();
    let waits = queue.get().unwrap();
    drop(queue);
    assert!(error(waits).is::<Abandoned>());
    let drops = Drops::new();
    let queue = DeferredQueue::new();
    (0..3).for_each(|_| queue.put(drops.token()).unwrap());
    drop(queue);
    assert_eq!(drops.count(), 3);
}

// Checks: P118
#[test]
fn a_queue_that_is_closed_turns_away_who_waits_and_hands_back_what_is_put() {
    let trace = Trace::new();
    let queue = DeferredQueue::<u32>::new();
    for name in ["first", "second"] {
        let (trace, again) = (trace.clone(), queue.clone());
        queue.get().unwrap().map(drop).add_errback(move |failure| {
            assert!(failure.is::<QueueClosed>());
            let refused = again.put(7).unwrap_err();
            assert_eq!((refused.item, refused.reason), (7, PutRejection::Closed));
            again.close();
            trace.note(name);
        });
    }
    queue.close();
    assert!(queue.is_closed());
    assert_eq!((trace.seen(), queue.len(), queue.waiting()), ("first second".to_owned(), 0, 0));
    assert!(error(queue.get().unwrap()).is::<QueueClosed>());
}

// Checks: P118
#[test]
fn what_is_left_in_a_closed_queue_can_be_taken_and_what_comes_back_too() {
    let queue = DeferredQueue::with_limits(2, 0);
    (1..=2).for_each(|item| queue.put(item).unwrap());
    queue.close();
    drop(queue.get().unwrap());
    assert_eq!(value(queue.get().unwrap()), 1);
    assert_eq!(value(queue.get().unwrap()), 2);
    assert!(error(queue.get().unwrap()).is::<QueueClosed>());
    assert_eq!(queue.put(3).unwrap_err().reason, PutRejection::Closed);
}

// Checks: P118
#[test]
fn a_queue_that_is_closed_while_it_delivers_first_serves_those_for_whom_there_is_an_item() {
    let trace = Trace::new();
    let queue = DeferredQueue::new();
    let (again, note) = (queue.clone(), trace.clone());
    queue.get().unwrap().add_callback(move |item: u32| {
        again.put(item + 1).unwrap();
        again.close();
        note.note(item);
    });
    for _ in 0..2 {
        let (note, other) = (trace.clone(), trace.clone());
        let closed = move |failure: Failure| other.note(if failure.is::<QueueClosed>() { "closed" } else { "?" });
        queue.get().unwrap().add_callbacks(move |item| note.note(item), closed);
    }
    queue.put(1).unwrap();
    assert_eq!(trace.seen(), "1 2 closed");
}

// Checks: P32
#[test]
fn an_item_that_panics_when_it_is_dropped_keeps_no_other_from_being_dropped() {
    let drops = Drops::new();
    let token = drops.token();
    let told = reports(move || {
        let queue: DeferredQueue<Box<dyn std::any::Any>> = DeferredQueue::new();
        queue.put(Box::new(PanicOnDrop)).unwrap();
        queue.put(Box::new(token)).unwrap();
    });
    assert_eq!(drops.count(), 1);
    assert_eq!(told, [(Incident::Drop, "panicked: a drop that panics".to_owned(), None)]);
}

// Checks: B64, P20, P31
#[test]
fn a_lock_is_awaited_and_a_task_that_is_dropped_leaves_the_queue_or_releases() {
    let reactor = Reactor::new();
    let (lock, permit) = held();
    let (log, first) = (Trace::new(), lock.clone());
    let note = log.clone();
    let waits = reactor.spawn({
        let lock = lock.clone();
        async move { lock.acquire().await.map(drop) }
    });
    let served = reactor.spawn(async move {
        let permit = first.acquire().await?;
        note.note("served");
        drop(permit);
        Ok::<_, Failure>(())
    });
    reactor.turn().unwrap();
    assert_eq!(lock.waiting(), 2);
    waits.cancel();
    assert!(error(waits).is::<Cancelled>());
    assert_eq!(lock.waiting(), 1);
    drop(permit);
    // The task has been given the lock and not polled yet: dropped now, it releases the lock.
    assert!(lock.is_locked());
    let second = lock.acquire();
    served.cancel();
    assert!(error(served).is::<Cancelled>());
    drop(value(second));
    assert_eq!((lock.is_locked(), log.seen()), (false, String::new()));
}
