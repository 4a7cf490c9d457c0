//! One chain: the order of callbacks, values and errors, callbacks added late, and what a callback may return.

use std::io;
use std::rc::Rc;

use selvedge::{
    Deferred, Failure, Resolver,
    deferred::{Settled, execute, maybe_deferred},
    error::Panic,
    report::Incident,
};

use crate::support::PanicOnDrop;
use crate::support::deferred::{Drops, Oops, Own, Place, Trace, error, reports, value};

// Checks: B50
#[test]
fn callbacks_run_in_the_order_they_were_added_each_with_what_the_one_before_returned() {
    let trace = Trace::new();
    let (deferred, resolver) = Deferred::new();
    let (first, second) = (trace.clone(), trace.clone());
    let tail = deferred
        .add_callback(move |n: i32| {
            first.note(format!("first {n}"));
            n.to_string() + "!"
        })
        .add_callback(move |text| {
            second.note(format!("second {text}"));
            text.len()
        });
    assert_eq!(trace.seen(), "");
    resolver.callback(41);
    assert_eq!(trace.seen(), "first 41 second 41!");
    assert_eq!(value(tail), 3);
}

// Checks: B50
#[test]
fn a_value_passes_errbacks_by_and_an_error_passes_callbacks_by() {
    let trace = Trace::new();
    let tail = Deferred::succeed(1)
        .add_errback(trace.noting_error("errback 1"))
        .add_callback(trace.noting("callback 1"))
        .add_callback(|_| Err::<i32, _>(Oops(1)))
        .add_callback(trace.noting("callback 2"))
        .add_callback(trace.noting("callback 3"))
        .add_errback(trace.noting_error("errback 2"))
        .add_callback(trace.noting("callback 4"));
    assert_eq!(trace.seen(), "callback 1 errback 2 callback 4");
    assert_eq!(value(tail), 0);
}

impl Trace {
    /// An errback that notes a name and returns zero.
    fn noting_error(&self, name: &'static str) -> impl FnOnce(Failure) -> i32 + use<> {
        let trace = self.clone();
        move |_| {
            trace.note(name);
            0
        }
    }
}

// Checks: B50
#[test]
fn add_callbacks_runs_one_of_the_two_and_its_errback_does_not_see_the_error_of_its_callback() {
    let one = Deferred::succeed(1).add_callbacks(|_| Err::<(), _>(Oops(1)), |_| -> () { panic!("not this one") });
    assert_eq!(error(one).downcast::<Oops>().unwrap(), Oops(1));
    let other = Deferred::<i32>::fail(Oops(2)).add_callbacks(|_| 1, |failure| failure.to_string().len() as i32);
    assert_eq!(value(other), 6);
}

// Checks: B50
#[test]
fn add_both_runs_for_a_value_and_for_an_error() {
    let says = |result: Result<i32, Failure>| match result {
        Ok(n) => format!("value {n}"),
        Err(failure) => format!("error {failure}"),
    };
    assert_eq!(value(Deferred::succeed(5).add_both(says)), "value 5");
    assert_eq!(value(Deferred::fail(Oops(5)).add_both(says)), "error oops 5");
}

// Checks: B50
#[test]
fn a_returned_error_continues_on_the_failure_side_with_its_type_kept() {
    let (deferred, resolver) = Deferred::new();
    let tail = deferred.add_callback(|text: String| text.parse::<u8>());
    resolver.callback("256".to_owned());
    assert!(error(tail).is::<std::num::ParseIntError>());
}

// Checks: B50
#[test]
fn a_failure_that_is_returned_as_an_error_stays_the_same_failure() {
    let tail = Deferred::<()>::fail(Oops(9)).add_errback(Err::<(), Failure>);
    assert_eq!(error(tail).downcast::<Oops>().unwrap(), Oops(9));
}

// Checks: B50
#[test]
fn a_panic_in_a_callback_becomes_a_failure_and_the_chain_goes_on() {
    let tail = Deferred::succeed(1).add_callback(|_| -> i32 { panic!("at the {}", "disco") }).add_errback(
        |failure: Failure| {
            assert!(failure.is_panic());
            assert_eq!(failure.downcast::<Panic>().unwrap().message(), "at the disco");
            7
        },
    );
    assert_eq!(value(tail), 7);
}

// Checks: B50
#[test]
fn a_panic_in_map_becomes_a_failure() {
    let tail = Deferred::succeed(1).map(|_| -> std::cell::Cell<i32> { panic!("mapped") });
    assert_eq!(error(tail).downcast::<Panic>().unwrap().message(), "mapped");
}

// Checks: B50
#[test]
fn a_chain_may_have_an_error_type_of_its_own_which_also_holds_what_the_chain_itself_makes() {
    let (deferred, resolver) = Deferred::<i32, Own>::typed();
    let tail = deferred
        .add_callback(|n| if n > 3 { Err(Own::Plain(n as u32)) } else { Ok(n) })
        .add_errback(|error| match error {
            Own::Plain(n) => Ok(n as i32 + 1),
            other => Err(other),
        })
        .add_callback(|_| -> i32 { panic!("typed") });
    resolver.callback(4);
    match tail.try_result() {
        Ok(Err(Own::Other(failure))) => assert!(failure.is_panic()),
        other => panic!("{other:?}"),
    }
    let (deferred, resolver) = Deferred::<i32, Own>::typed_with_canceller(|| ());
    resolver.errback(Own::Plain(1));
    assert!(matches!(deferred.try_result(), Ok(Err(Own::Plain(1)))));
}

// Checks: B51
#[test]
fn a_callback_added_after_firing_runs_at_once() {
    let trace = Trace::new();
    let (deferred, resolver) = Deferred::new();
    resolver.callback(1);
    assert!(format!("{deferred:?}").contains("Resting"));
    let tail = deferred.add_callback(trace.noting("one"));
    assert_eq!(trace.seen(), "one");
    let tail = tail.add_callback(trace.noting("two"));
    assert_eq!(trace.seen(), "one two");
    assert_eq!(value(tail), 1);
}

// Checks: B51
#[test]
fn a_callback_added_from_inside_a_running_callback_of_its_chain_runs_after_that_has_returned() {
    let trace = Trace::new();
    let slot: Place<Deferred<i32>> = Rc::default();
    let (deferred, resolver) = Deferred::new();
    let (inside, inner_slot) = (trace.clone(), Rc::clone(&slot));
    let tail = deferred.add_callback(move |n: i32| {
        inside.note("begin");
        let tail = inner_slot.take().unwrap().add_callback(inside.noting("added"));
        inner_slot.replace(Some(tail));
        inside.note("end");
        n + 1
    });
    slot.replace(Some(tail));
    resolver.callback(1);
    assert_eq!(trace.seen(), "begin end added");
    assert_eq!(value(slot.take().unwrap()), 2);
}

// Checks: B51
#[test]
fn callbacks_run_although_nobody_holds_the_deferred() {
    let trace = Trace::new();
    let (deferred, resolver) = Deferred::new();
    deferred.add_callback(trace.noting::<i32>("still"));
    resolver.callback(1);
    assert_eq!(trace.seen(), "still");
}

// Checks: B51
#[test]
fn firing_another_deferred_from_a_callback_runs_its_callbacks_before_that_call_returns() {
    let trace = Trace::new();
    let (other, fire_other) = Deferred::new();
    other.add_callback(trace.noting::<()>("other"));
    let inside = trace.clone();
    Deferred::succeed(()).add_callback(move |()| {
        inside.note("before");
        fire_other.callback(());
        inside.note("after");
    });
    assert_eq!(trace.seen(), "before other after");
}

// Checks: B49
#[test]
fn a_resolver_may_fire_with_either_side_or_with_whatever_a_callback_may_return() {
    let (deferred, resolver): (Deferred<i32>, Resolver<i32>) = Deferred::new();
    resolver.resolve(Err(Failure::msg("neither")));
    assert_eq!(error(deferred).to_string(), "neither");

    let (deferred, resolver): (Deferred<i32>, Resolver<i32>) = Deferred::new();
    resolver.settle(Err::<i32, _>(Oops(3)));
    assert!(error(deferred).is::<Oops>());

    let (inner, fire_inner) = Deferred::new();
    let (deferred, resolver) = Deferred::new();
    let tail = deferred.add_callback(|n: i32| n + 1);
    resolver.settle(inner);
    assert!(format!("{tail:?}").contains("Waiting"));
    fire_inner.callback(4);
    assert_eq!(value(tail), 5);
}

// Checks: B63
#[test]
fn succeed_and_fail_have_their_result_at_once() {
    assert_eq!(value(Deferred::succeed("now")), "now");
    assert!(error(Deferred::<()>::fail(io::Error::other("now"))).is::<io::Error>());
}

// Checks: B63
#[test]
fn maybe_deferred_takes_a_value_an_error_a_panic_and_a_deferred() {
    assert_eq!(value(maybe_deferred(|| 3)), 3);
    assert!(error(maybe_deferred(|| Err::<(), _>(Oops(1)))).is::<Oops>());
    assert!(error(maybe_deferred(|| -> i32 { panic!("maybe") })).is_panic());
    let (inner, resolver) = Deferred::new();
    let deferred = maybe_deferred(move || inner);
    resolver.callback(8);
    assert_eq!(value(deferred), 8);
}

// Checks: B63
#[test]
fn execute_takes_the_value_of_a_function_as_it_is() {
    assert_eq!(value(execute(|| 3)), 3);
    assert_eq!(value(execute(|| Err::<(), _>(Oops(1)))), Err(Oops(1)));
    assert_eq!(value(value(execute(|| Deferred::succeed(4)))), 4);
    assert!(error(execute(|| -> Trace { panic!("execute") })).is_panic());
}

// Checks: B63
#[test]
fn log_error_reports_an_error_once_as_logged_and_a_value_not_at_all() {
    let told = reports(|| {
        Deferred::<()>::fail(Oops(1)).log_error();
        Deferred::succeed(()).log_error();
    });
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0, told[0].1.as_str()), (Incident::Logged, "oops 1"));
    assert!(told[0].2.is_some());
}

// Checks: B63
#[test]
fn a_deferred_without_a_result_comes_back_from_try_result() {
    let (deferred, resolver) = Deferred::<i32>::new();
    let deferred = deferred.try_result().unwrap_err();
    resolver.callback(2);
    assert_eq!(value(deferred), 2);
}

// Checks: B50
#[test]
fn a_settled_outcome_becomes_a_deferred() {
    assert_eq!(value(Settled::Now(Ok(1)).into_deferred()), 1);
    assert_eq!(value(Settled::Later(Deferred::succeed(2)).into_deferred()), 2);
}

// Checks: B50
#[test]
fn what_a_callback_captured_is_dropped_before_the_next_one_runs_even_if_it_was_passed_by() {
    let drops = Drops::new();
    let (a, b, c) = (drops.token(), drops.token(), drops.token());
    let (seen, then) = (drops.clone(), drops.clone());
    let tail = Deferred::succeed(())
        .add_errback(move |_| drop(a))
        .add_callback(move |()| seen.count())
        .add_callbacks(
            move |n| {
                drop(b);
                n
            },
            move |_| {
                drop(c);
                0
            },
        )
        .add_callback(move |n| (n, then.count()));
    assert_eq!(value(tail), (1, 3));
}

// Checks: B60
#[test]
fn a_panic_in_dropping_what_was_passed_by_is_reported_and_the_chain_goes_on() {
    let told = reports(|| {
        let (skipped, late, unused) = (PanicOnDrop, PanicOnDrop, PanicOnDrop);
        let tail = Deferred::succeed(1)
            .add_errback(move |_| {
                let _skipped = &skipped;
                0
            })
            .add_callback(|n| n + 1);
        assert_eq!(value(tail), 2);
        let (deferred, resolver) = Deferred::new();
        deferred.cancel();
        assert!(error(deferred).is::<selvedge::error::Cancelled>());
        resolver.callback(late);
        drop(Deferred::succeed(unused));
    });
    let drops = told.iter().filter(|told| told.0 == Incident::Drop && told.1.contains("a drop that panics")).count();
    assert_eq!((told.len(), drops), (3, 3));
}

// Checks: B50
#[test]
fn a_fired_handled_deferred_frees_everything_at_once() {
    let drops = Drops::new();
    let (value, captured) = (drops.token(), drops.token());
    let (deferred, resolver) = Deferred::new();
    let tail = deferred.add_callback(move |token| drop((token, captured)));
    resolver.callback(value);
    assert_eq!(drops.count(), 2);
    drop(tail);
    let (deferred, resolver) = Deferred::new();
    drop(deferred);
    resolver.callback(drops.token());
    assert_eq!(drops.count(), 3);
}
