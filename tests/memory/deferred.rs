//! What a callback costs in memory, one allocation or none if the result is already there; and what a panic leaves.

use std::any::Any;
use std::panic::resume_unwind;

use allocation_counter::measure;
use selvedge::error::Panic;
use selvedge::{Deferred, Failure};

/// What this thread allocates in there.
fn allocations(body: impl FnOnce()) -> u64 {
    measure(body).count_total
}

fn value<T: 'static>(deferred: Deferred<T>) -> T {
    deferred.try_result().unwrap().unwrap()
}

// Checks: B51
#[test]
fn a_deferred_and_each_callback_is_one_allocation_and_firing_none() {
    let mut chain = None;
    assert_eq!(allocations(|| chain = Some(Deferred::<u64>::new())), 1);
    let (mut deferred, resolver) = chain.unwrap();
    let added = allocations(|| {
        for _ in 0..10 {
            deferred = deferred.add_callback(|n| n + 1);
        }
        assert_eq!(allocations(|| resolver.callback(0)), 0);
        assert_eq!(value(deferred), 10);
    });
    assert_eq!(added, 10);
}

// Checks: B51
#[test]
fn a_callback_that_finds_the_result_and_keeps_its_type_is_no_allocation_but_for_the_first() {
    let deferred = Deferred::succeed(0_u64);
    let mut first = None;
    assert_eq!(allocations(|| first = Some(deferred.add_callback(|n| n + 1))), 1);
    let mut deferred = first.unwrap();
    let added = allocations(|| {
        for _ in 0..10 {
            deferred = deferred.add_callback(|n| n + 1).add_errback(|_| 0).add_both(|n: Result<u64, Failure>| n);
        }
        assert_eq!(value(deferred), 11);
    });
    assert_eq!(added, 0);
}

// Checks: B51
#[test]
fn a_callback_that_finds_the_result_and_makes_another_type_of_it_is_one_allocation() {
    let deferred = Deferred::succeed(1_u64).add_callback(|n| n + 1);
    let added = allocations(|| assert!(value(deferred.add_callback(|n| n as f64).add_callback(|n| n > 1.5))));
    assert_eq!(added, 2);
}

// Checks: B51
#[test]
fn a_callback_that_is_added_to_a_paused_deferred_is_one_allocation_and_what_holds_it_another() {
    let deferred = Deferred::succeed(1_u64).add_callback(|n| n + 1);
    deferred.pause();
    let mut held = None;
    assert_eq!(allocations(|| held = Some(deferred.add_callback(|n| n + 1))), 2);
    let held = held.unwrap();
    held.unpause().unwrap();
    assert_eq!(value(held), 3);
}

/// A panic's payload whose drop panics with another, without a call of the panic hook.
struct PanicsAgain(fn() -> Box<dyn Any + Send>);

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        resume_unwind((self.0)());
    }
}

// Checks: B38
#[test]
fn a_panic_in_the_drop_of_a_panics_payload_leaves_nothing_if_it_is_a_message() {
    let left = |again| measure(|| drop(Panic::new(Box::new(PanicsAgain(again))))).bytes_current;
    assert_eq!(left(|| Box::new("a message that is not allocated")), 0);
    assert_eq!(left(|| Box::new("a message that is ".to_owned() + "allocated")), 0);
    // Its drop may panic.
    assert!(left(|| Box::new([1_u8; 100])) >= 100);
}
