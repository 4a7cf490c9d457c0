//! Whoever waits in a queue and drops his Deferred before anything was added to it gives up.

use std::cell::Cell;
use std::num::NonZero;
use std::rc::Rc;

use selvedge::Deferred;
use selvedge::coordination::{DeferredQueue, DeferredSemaphore};
use selvedge::deferred::gather_results;

use crate::support::deferred::reports;

// Checks: P31, P32, P124
#[test]
fn whoever_drops_a_deferred_that_waits_with_nothing_added_gives_up_at_once() {
    let told = reports(|| {
        let (queue, semaphore) = (DeferredQueue::<u32>::new(), DeferredSemaphore::new(NonZero::<usize>::MIN));
        let (original, resolver) = Deferred::<u32>::new();
        let shared = original.shared();
        let permit = semaphore.try_acquire().unwrap();
        for _ in 0..1_000 {
            drop((queue.get().unwrap(), semaphore.acquire(), semaphore.acquire_many(2), shared.get()));
        }
        assert_eq!((queue.waiting(), semaphore.waiting()), (0, 0));
        // With something added, it waits on, whoever holds it.
        let seen = Rc::new(Cell::new(0));
        let count = || {
            let seen = Rc::clone(&seen);
            move || seen.set(seen.get() + 1)
        };
        let (by_queue, by_semaphore, by_shared) = (count(), count(), count());
        let _ = queue.get().unwrap().map(move |_| by_queue());
        let _ = semaphore.acquire().map(move |_| by_semaphore());
        let _ = shared.get().map(move |_| by_shared());
        let waited_for = queue.get().unwrap();
        let counting = count();
        let _ = Deferred::succeed(()).add_callback(move |()| waited_for).map(move |_| counting());
        let listed = gather_results([queue.get().unwrap()]).map(|_| ());
        let (handed, handle) = queue.get().unwrap().with_cancel_handle();
        drop(handed);
        assert_eq!((queue.waiting(), semaphore.waiting()), (4, 1));
        handle.cancel();
        for item in 0..3 {
            queue.put(item).unwrap();
        }
        drop(permit);
        resolver.callback(1);
        assert_eq!((seen.get(), queue.len(), semaphore.tokens(), listed.has_result()), (4, 0, 1, true));
    });
    // Of the one that a handle cancelled, to which a callback had been added.
    assert_eq!(told.iter().map(|told| told.1.as_str()).collect::<Vec<_>>(), ["cancelled before there was a result"]);
}

// Checks: P119, P31
#[test]
fn a_first_waiter_whose_deferred_is_dropped_lets_those_behind_it_go() {
    let semaphore = DeferredSemaphore::new(NonZero::new(2).unwrap());
    let permit = semaphore.try_acquire().unwrap();
    let (large, small) = (semaphore.acquire_many(2), semaphore.acquire());
    assert!(!small.has_result());
    drop(large);
    assert!(small.has_result());
    drop(permit);
    drop(small);
    assert_eq!((semaphore.tokens(), semaphore.waiting()), (2, 0));
}

// Checks: P124, B58
#[test]
fn a_callback_that_waits_for_another_deferred_after_a_waiters_result_is_not_given_up() {
    let (original, fires) = Deferred::<u32>::new();
    let shared = original.shared();
    let waiter = shared.get();
    fires.callback(1);
    let (later, resolver) = Deferred::<Rc<u32>>::new();
    drop(waiter.add_callback(move |_| later));
    assert!(!resolver.is_cancelled());
    resolver.callback(Rc::new(2));
}

// Checks: P80, B57
#[test]
fn what_a_cancelled_deferred_is_fired_with_is_cancelled() {
    let told = reports(|| {
        let queue = DeferredQueue::<u32>::new();
        for from_the_other_side in [false, true] {
            let (deferred, resolver) = Deferred::<u32>::new();
            deferred.cancel();
            drop(deferred.add_errback(|_| 0));
            let item = queue.get().unwrap();
            if from_the_other_side {
                item.chain_deferred(resolver)
            } else {
                resolver.settle(item)
            }
            assert_eq!(queue.waiting(), 0);
        }
    });
    assert!(told.is_empty(), "{told:?}");
}
