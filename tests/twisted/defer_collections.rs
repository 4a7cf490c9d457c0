//! Twisted's `test_defer`, name for name: lists, races, locks, semaphores and queues.
//!
//! Cases that cannot be written with these types: `cancel_deferred_list_with_original_deferreds` (a list owns its
//! members, so no callback can be added to them later), `first_error_comparison` (errors are compared by their fields),
//! `semaphore_invalid_tokens` (the number is a `NonZeroUsize`).

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroUsize;
use std::rc::Rc;

use selvedge::{
    Deferred, Failure, Resolver,
    deferred::DeferredList,
    error::{Cancelled, FailureGroup, FirstError},
    report::Incident,
};
use selvedge::{
    coordination::{DeferredLock, DeferredQueue, DeferredSemaphore, Permit},
    deferred::{gather_results, race},
    error::{OverRelease, QueueUnderflow},
};

use crate::trial::{failure, logged_errors, no_result, success};

#[derive(Debug)]
struct GenericError(&'static str);

impl std::error::Error for GenericError {}

impl fmt::Display for GenericError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Two Deferreds, and their resolvers.
fn two<T: 'static>() -> ([Deferred<T>; 2], Resolver<T>, Resolver<T>) {
    let ((one, fire_one), (two, fire_two)) = (Deferred::new(), Deferred::new());
    ([one, two], fire_one, fire_two)
}

/// A Deferred that is fired by its own canceller.
fn callback_canceller() -> Deferred<&'static str> {
    let place: Rc<Cell<Option<Resolver<&str>>>> = Rc::default();
    let fire = Rc::clone(&place);
    let (deferred, resolver) = Deferred::with_canceller(move || {
        fire.take().into_iter().for_each(|resolver| resolver.callback("from canceller"))
    });
    place.set(Some(resolver));
    deferred
}

/// A Deferred, its resolver, and how often its canceller was called.
fn counting() -> (Deferred<u32>, Resolver<u32>, Rc<Cell<u32>>) {
    let count: Rc<Cell<u32>> = Rc::default();
    let counter = Rc::clone(&count);
    let (deferred, resolver) = Deferred::with_canceller(move || counter.set(counter.get() + 1));
    (deferred, resolver, count)
}

// Checks: B61
#[test]
fn deferred_list() {
    let ([one, two], fire_one, fire_two) = two();
    let (three, fire_three) = Deferred::new();
    let list = DeferredList::new([one, two, three]).all();
    fire_one.callback("1");
    fire_two.errback(GenericError("2"));
    let list = no_result(list);
    fire_three.callback("3");
    let results = success(list);
    assert_eq!(results[0].as_ref().unwrap(), &"1");
    assert!(results[1].as_ref().unwrap_err().is::<GenericError>());
    assert_eq!(results[2].as_ref().unwrap(), &"3");
}

// Checks: B61
#[test]
fn empty_deferred_list() {
    assert!(success(DeferredList::<u32>::new([]).all()).is_empty());
    // Twisted's never fires; here it fires at once, because there is nothing to wait for.
    let group = failure(DeferredList::<u32>::new([]).fire_on_one_callback()).downcast::<FailureGroup>().unwrap();
    assert!(group.failures.is_empty());
}

// Checks: B61
#[test]
fn deferred_list_fire_on_one_error() {
    let ([one, two], _fire_one, fire_two) = two::<u32>();
    let (three, _fire_three) = Deferred::new();
    let list = no_result(DeferredList::new([one, two, three]).fire_on_one_errback());
    fire_two.errback(GenericError("from def2"));
    let first = failure(list).downcast::<FirstError>().unwrap();
    assert_eq!(first.index, 1);
    assert_eq!(first.error.downcast::<GenericError>().unwrap().0, "from def2");
}

// Checks: B60, B61
#[test]
fn deferred_list_dont_consume_errors() {
    let told = logged_errors(|| {
        let ([one, two], fire_one, fire_two) = two();
        let list = DeferredList::new([one, two]).fire_on_one_callback();
        fire_one.callback(1);
        assert_eq!(success(list), (0, 1));
        fire_two.errback(GenericError("Bang"));
    });
    assert_eq!(told, [(Incident::Unhandled, "Bang".to_owned())]);
}

// Checks: B61
#[test]
fn deferred_list_consume_errors() {
    let told = logged_errors(|| {
        let ([one, two], fire_one, fire_two) = two();
        let list = DeferredList::new([one, two]).consume_errors().fire_on_one_callback();
        fire_one.errback(GenericError("before"));
        fire_two.callback(1);
        assert_eq!(success(list), (1, 1));
        let ([one, two], fire_one, fire_two) = two_more();
        let list = DeferredList::new([one, two]).consume_errors().fire_on_one_callback();
        fire_one.callback(1);
        fire_two.errback(GenericError("after"));
        assert_eq!(success(list), (0, 1));
    });
    assert_eq!(told, []);
}

fn two_more() -> ([Deferred<u32>; 2], Resolver<u32>, Resolver<u32>) {
    two()
}

// Checks: B61
#[test]
fn deferred_list_fire_on_one_error_with_already_fired_deferreds() {
    let (one, _resolver) = Deferred::new();
    let list = DeferredList::new([one, Deferred::<u32>::fail(GenericError("from def2"))]).fire_on_one_errback();
    assert_eq!(failure(list).downcast::<FirstError>().unwrap().index, 1);
}

// Checks: B61
#[test]
fn deferred_list_with_already_fired_deferreds() {
    let list = DeferredList::new([Deferred::fail(GenericError("a")), Deferred::succeed(2)]).all();
    let results = success(list);
    assert!(results[0].as_ref().unwrap_err().is::<GenericError>());
    assert_eq!(results[1].as_ref().unwrap(), &2);
}

// Checks: B61
#[test]
fn cancel_deferred_list() {
    let ((one, _a, cancelled_one), (two, _b, cancelled_two)) = (counting(), counting());
    let list = DeferredList::new([one, two]).all();
    list.cancel();
    assert_eq!((cancelled_one.get(), cancelled_two.get()), (1, 1));
    assert!(success(list).into_iter().all(|result| result.unwrap_err().is::<Cancelled>()));
}

// Checks: B61
#[test]
fn cancel_deferred_list_callback() {
    let (two, _resolver) = Deferred::new();
    let list = DeferredList::new([callback_canceller(), two]).all();
    list.cancel();
    let results = success(list);
    assert_eq!(results[0].as_ref().unwrap(), &"from canceller");
    assert!(results[1].as_ref().unwrap_err().is::<Cancelled>());
}

// Checks: B61
#[test]
fn cancel_deferred_list_with_fire_on_one_callback() {
    let ((one, _a, cancelled_one), (two, _b, cancelled_two)) = (counting(), counting());
    let list = DeferredList::new([one, two]).fire_on_one_callback();
    list.cancel();
    assert_eq!((cancelled_one.get(), cancelled_two.get()), (1, 1));
    let group = failure(list).downcast::<FailureGroup>().unwrap();
    assert!(group.failures.len() == 2 && group.failures.iter().all(Failure::is::<Cancelled>));
}

// Checks: B61
#[test]
fn cancel_deferred_list_with_fire_on_one_callback_and_deferred_callback() {
    let (two, resolver) = Deferred::new();
    let list = DeferredList::new([callback_canceller(), two]).fire_on_one_callback();
    list.cancel();
    assert_eq!(success(list), (0, "from canceller"));
    assert!(resolver.is_cancelled());
}

// Checks: B61
#[test]
fn cancel_deferred_list_with_fire_on_one_errback() {
    let told = logged_errors(|| {
        let ((one, _a, cancelled_one), (two, _b, cancelled_two)) = (counting(), counting());
        let list = DeferredList::new([one, two]).fire_on_one_errback();
        list.cancel();
        assert_eq!((cancelled_one.get(), cancelled_two.get()), (1, 1));
        let first = failure(list).downcast::<FirstError>().unwrap();
        assert!(first.index == 0 && first.error.is::<Cancelled>());
    });
    // The second one's `Cancelled` is not in the list's result, and is not reported: the list has caused it.
    assert_eq!(told, []);
}

// Checks: B61
#[test]
fn cancel_deferred_list_with_fire_on_one_errback_all_deferreds_callback() {
    let list = DeferredList::new([callback_canceller(), callback_canceller()]).fire_on_one_errback();
    list.cancel();
    assert_eq!(success(list), ["from canceller"; 2]);
}

// Checks: B56, B61
#[test]
fn cancel_deferred_list_with_exception() {
    let told = logged_errors(|| {
        let (one, _resolver) = Deferred::<u32>::with_canceller(|| std::panic::resume_unwind(Box::new("test")));
        let (two, _fire, cancelled) = counting();
        let list = DeferredList::new([one, two]).all();
        list.cancel();
        assert_eq!(cancelled.get(), 1);
        assert!(success(list).into_iter().all(|result| result.unwrap_err().is::<Cancelled>()));
    });
    assert_eq!(told, [(Incident::Canceller, "panicked: test".to_owned())]);
}

// Checks: B61
#[test]
fn cancel_fired_on_one_callback_deferred_list() {
    let ((one, fire, _), (two, _resolver, cancelled)) = (counting(), counting());
    let list = DeferredList::new([one, two]).fire_on_one_callback();
    fire.callback(1);
    list.cancel();
    assert_eq!(cancelled.get(), 0);
}

// Checks: B61
#[test]
fn cancel_fired_on_one_errback_deferred_list() {
    let ((one, fire, _), (two, _resolver, cancelled)) = (counting(), counting());
    let list = DeferredList::new([one, two]).fire_on_one_errback();
    fire.errback(GenericError("test"));
    list.cancel();
    assert_eq!(cancelled.get(), 0);
    assert!(failure(list).is::<FirstError>());
}

// Checks: B61
#[test]
fn gather_results_in_the_order_of_input() {
    let ([one, two], fire_one, fire_two) = two();
    let all = gather_results([one, two]);
    fire_two.callback(2);
    let all = no_result(all);
    fire_one.callback(1);
    assert_eq!(success(all), [1, 2]);
    let ([one, two], _fire_one, fire_two) = two_more();
    let all = gather_results([one, two]);
    fire_two.errback(GenericError("second"));
    let first = failure(all).downcast::<FirstError>().unwrap();
    assert_eq!((first.index, first.error.to_string()), (1, "second".to_owned()));
}

// Checks: B61
#[test]
fn gather_results_with_consume_errors() {
    let told = logged_errors(|| {
        let fails = || [Deferred::<u32>::fail(GenericError("one")), Deferred::fail(GenericError("two"))];
        assert!(failure(DeferredList::new(fails()).consume_errors().fire_on_one_errback()).is::<FirstError>());
        assert!(failure(gather_results(fails())).is::<FirstError>());
    });
    assert_eq!(told, [(Incident::Unhandled, "two".to_owned())]);
}

// Checks: B61
#[test]
fn cancel_gather_results() {
    let ((one, _a, cancelled_one), (two, _b, cancelled_two)) = (counting(), counting());
    let all = gather_results([one, two]);
    all.cancel();
    assert_eq!((cancelled_one.get(), cancelled_two.get()), (1, 1));
    assert!(failure(all).downcast::<FirstError>().unwrap().error.is::<Cancelled>());
}

// Checks: B61
#[test]
fn cancel_gather_results_with_all_deferreds_callback() {
    let all = gather_results([callback_canceller(), callback_canceller()]);
    all.cancel();
    assert_eq!(success(all), ["from canceller"; 2]);
}

// Checks: B61
#[test]
fn deferred_list_empty() {
    let called: Rc<Cell<bool>> = Rc::default();
    let call = Rc::clone(&called);
    gather_results(Vec::<Deferred<u32>>::new()).add_callback(move |all| call.set(all.is_empty()));
    assert!(called.get());
}

// Checks: B61
#[test]
fn first_error_repr() {
    let error = FirstError { index: 3, error: Failure::new(GenericError("some text")) };
    // A backtrace follows if the environment asks for one.
    assert!(format!("{error:?}").starts_with("FirstError { index: 3, error: some text"));
}

// Checks: B61
#[test]
fn first_error_str() {
    let error = FirstError { index: 5, error: Failure::new(GenericError("some text")) };
    assert_eq!(error.to_string(), "the Deferred at index 5 failed");
    // The member's error is the next in the chain of causes, so a report names both, each once.
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "some text");
}

/// Calls `body` with races of one winner that has zero to three members before it, and as many after it.
fn each_race(body: impl Fn(usize, Vec<Deferred<u32>>, Vec<Resolver<u32>>, Vec<Rc<Cell<u32>>>)) {
    for (before, after) in (0..4).flat_map(|before| (0..4).map(move |after| (before, after))) {
        let (mut members, mut resolvers, mut cancelled) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..before + 1 + after {
            let (member, resolver, count) = counting();
            members.push(member);
            resolvers.push(resolver);
            cancelled.push(count);
        }
        body(before, members, resolvers, cancelled);
    }
}

// Checks: B62
#[test]
fn race_success() {
    each_race(|winner, members, mut resolvers, cancelled| {
        let raced = race(members);
        resolvers.remove(winner).callback(42);
        assert_eq!(success(raced), (winner, 42));
        let counts: Vec<u32> = cancelled.iter().map(|count| count.get()).collect();
        assert!(counts.iter().enumerate().all(|(index, count)| *count == u32::from(index != winner)), "{counts:?}");
    });
}

// Checks: B62
#[test]
fn race_failure() {
    each_race(|_, members, resolvers, cancelled| {
        let raced = race(members);
        for resolver in resolvers.into_iter().rev() {
            resolver.errback(GenericError("The test demands failures."));
        }
        let group = failure(raced).downcast::<FailureGroup>().unwrap();
        assert_eq!(group.failures.len(), cancelled.len());
        assert!(group.failures.iter().all(Failure::is::<GenericError>));
        assert!(cancelled.iter().all(|count| count.get() == 0));
    });
}

// Checks: B57, B62
#[test]
fn race_result_after_cancel() {
    let told = logged_errors(|| {
        each_race(|winner, members, mut resolvers, _| {
            let raced = race(members);
            resolvers.remove(winner).callback(1);
            for late in resolvers {
                late.errback(GenericError("late"));
            }
            assert_eq!(success(raced), (winner, 1));
        });
    });
    assert_eq!(told, []);
}

// Checks: B62
#[test]
fn race_result_from_cancel() {
    let (winner, fire) = Deferred::new();
    let raced = race([winner, callback_canceller()]);
    fire.callback("the winner");
    assert_eq!(success(raced), (0, "the winner"));
}

// Checks: B62
#[test]
fn race_cancel() {
    each_race(|_, members, _resolvers, cancelled| {
        let raced = race(members);
        raced.cancel();
        assert!(cancelled.iter().all(|count| count.get() == 1));
        assert_eq!(failure(raced).downcast::<FailureGroup>().unwrap().failures.len(), cancelled.len());
    });
}

/// A callback that counts, and keeps the permit that it gets until somebody releases it, as Twisted's do.
fn incr(counter: &Rc<Cell<u32>>) -> impl FnOnce(Permit) + use<> {
    let counter = Rc::clone(counter);
    move |permit| {
        counter.set(counter.get() + 1);
        permit.keep();
    }
}

// Checks: B64
#[test]
fn lock() {
    let (lock, counter) = (DeferredLock::new(), Rc::default());
    lock.acquire().add_callback(incr(&counter));
    assert!(lock.is_locked() && counter.get() == 1);
    lock.acquire().add_callback(incr(&counter));
    assert!(lock.is_locked() && counter.get() == 1);
    lock.release().unwrap();
    assert!(lock.is_locked() && counter.get() == 2);
    lock.release().unwrap();
    assert!(!lock.is_locked() && counter.get() == 2);
    assert_eq!(lock.release(), Err(OverRelease));

    let (control, resolver) = Deferred::new();
    let called: Rc<Cell<bool>> = Rc::default();
    let call = Rc::clone(&called);
    let result = lock.run(move || {
        call.set(true);
        control
    });
    assert!(lock.is_locked() && called.get());
    lock.acquire().add_callback(incr(&counter));
    assert_eq!(counter.get(), 2);
    resolver.callback("unique");
    assert_eq!(success(result), "unique");
    assert!(lock.is_locked() && counter.get() == 3);
    let waits = lock.acquire();
    waits.cancel();
    assert!(failure(waits).is::<Cancelled>());
    lock.release().unwrap();
    assert!(!lock.is_locked());
}

// Checks: B58, B64
#[test]
fn cancel_lock_after_acquired() {
    let lock = DeferredLock::new();
    let acquired = lock.acquire();
    acquired.cancel();
    drop(success(acquired));
    assert!(!lock.is_locked());
}

// Checks: B64
#[test]
fn cancel_lock_before_acquired() {
    let lock = DeferredLock::new();
    let _permit = lock.try_acquire().unwrap();
    let waits = lock.acquire();
    waits.cancel();
    assert!(failure(waits).is::<Cancelled>());
    assert_eq!(lock.waiting(), 0);
}

// Checks: B64
#[test]
fn semaphore() {
    const N: usize = 13;
    let (semaphore, counter) = (DeferredSemaphore::new(NonZeroUsize::new(N).unwrap()), Rc::default());
    for n in 1..=N {
        semaphore.acquire().add_callback(incr(&counter));
        assert_eq!(counter.get() as usize, n);
    }
    for waiting in 1..=N {
        semaphore.acquire().add_callback(incr(&counter));
        assert_eq!((counter.get() as usize, semaphore.waiting()), (N, waiting));
    }
    for n in 1..=N {
        semaphore.release().unwrap();
        assert_eq!((counter.get() as usize, semaphore.waiting()), (N + n, N - n));
    }
    for free in 1..=N {
        semaphore.release().unwrap();
        assert_eq!(semaphore.tokens(), free);
    }
    assert_eq!((semaphore.release(), semaphore.tokens(), semaphore.limit()), (Err(OverRelease), N, N));

    let runs: Vec<_> = (0..2 * N).map(|n| (Deferred::<usize>::new(), n)).collect();
    let (results, resolvers): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .map(|((control, resolver), n)| (semaphore.run(move || control.add_callback(move |m| m + n)), resolver))
        .unzip();
    assert_eq!((semaphore.tokens(), semaphore.waiting()), (0, N));
    resolvers.into_iter().for_each(|resolver| resolver.callback(100));
    assert!(results.into_iter().map(success).eq(100..100 + 2 * N));
    assert_eq!(semaphore.tokens(), N);
}

// Checks: B58, B64
#[test]
fn cancel_semaphore_after_acquired() {
    let semaphore = DeferredSemaphore::new(NonZeroUsize::MIN);
    let acquired = semaphore.acquire();
    acquired.cancel();
    drop(success(acquired));
    assert_eq!(semaphore.tokens(), 1);
}

// Checks: B64
#[test]
fn cancel_semaphore_before_acquired() {
    let semaphore = DeferredSemaphore::new(NonZeroUsize::MIN);
    let _permit = semaphore.try_acquire().unwrap();
    let waits = semaphore.acquire();
    waits.cancel();
    assert!(failure(waits).is::<Cancelled>());
}

// Checks: B64
#[test]
fn queue() {
    let (n, m) = (2, 2);
    let queue = DeferredQueue::with_limits(n, m);
    let gotten: Rc<Cell<Vec<usize>>> = Rc::default();
    let append = || {
        let gotten = Rc::clone(&gotten);
        move |item| gotten.set([gotten.take(), vec![item]].concat())
    };
    for _ in 0..m {
        queue.get().unwrap().add_callback(append());
    }
    assert_eq!(queue.get().unwrap_err(), QueueUnderflow);
    for item in 0..m + n {
        queue.put(item).unwrap();
        assert_eq!((queue.len(), queue.waiting()), ((item + 1).saturating_sub(m), m.saturating_sub(item + 1)));
    }
    assert_eq!(gotten.take(), [0, 1]);
    assert_eq!(queue.put(99).unwrap_err().item, 99);
    for _ in 0..n {
        queue.get().unwrap().add_callback(append());
    }
    assert_eq!(gotten.take(), [2, 3]);

    // Without limits, and with limits of zero.
    let unlimited = DeferredQueue::new();
    (0..100).for_each(|item| unlimited.put(item).unwrap());
    assert!((0..100).all(|item| success(unlimited.get().unwrap()) == item));
    assert!(DeferredQueue::with_limits(0, None).put(1).is_err());
    assert!(DeferredQueue::<u32>::with_limits(None, 0).get().is_err());
}

// Checks: B58, B64
#[test]
fn cancel_queue_after_synchronous_get() {
    let queue = DeferredQueue::new();
    queue.put("item").unwrap();
    let got = queue.get().unwrap();
    got.cancel();
    assert_eq!(success(got), "item");
}

// Checks: B64
#[test]
fn cancel_queue_after_get() {
    let queue = DeferredQueue::new();
    let waits = queue.get().unwrap();
    waits.cancel();
    assert!(failure(waits).is::<Cancelled>());
    // The cancelled get has taken no item.
    queue.put("item").unwrap();
    assert_eq!(success(queue.get().unwrap()), "item");
}
