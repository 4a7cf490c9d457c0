//! Twisted's `test_defer`, name for name; lists, races, locks, semaphores and queues are in `defer_collections`.
//!
//! Left out, because the types rule it out; in brackets the program in `tests/compile/fail` that shows it:
//!
//! - `already_called` ×4, `already_called_debug`, `raises_after_cancel_and_callback`, `…_errback`: firing consumes the
//!   resolver (`fire_twice`).
//! - `errback_with_no_args`, `errback_with_no_args_no_debug`: an errback is given an error (`error_that_is_none`).
//! - `chain_deferred` and then using either half: chaining consumes both (`hold_what_was_chained`).
//! - `callback_maybe_returns_failure`, `fail_buffered`: an error is returned as `Err` (`callback_of_an_own_type`).
//! - `callback_with_kw_args`, `add_callbacks_none_callback_args`, `…_errback_args`, `maybe_deferred_sync_with_args`:
//!   closures capture what they need and take no further arguments.
//! - `add_callbacks_none_errback`: no function may be `None`; this is `add_callback`.
//! - `log_error_returns_error`: `log_error` ends the chain and returns nothing.
//! - `from_coroutine_requires_coroutine`, `will_not_allow_non_deferred_or_coroutine`, `ensure_deferred_generator`,
//!   `passes_through_deferreds`: `spawn` takes a `Future`, and a Deferred can be awaited itself.
//! - `callbacks_attribute_deprecated`, `deferred_subclasses`, `deprecated_timeout`: there is no such attribute,
//!   subclass or name.
//!
//! Left out, because it concerns Python's interpreter or debugger: `no_debugging`, `switch_debugging`,
//! `error_log_debug_info`, `error_log_no_repr`, `error_log_with_inner_frame_ref`, `…_cycle`,
//! `error_in_callback_captures_vars…`, context variables, `inlineCallbacks` generators, and their reference cycles.
//! Left out, because it is not built: `DeferredFilesystemLock`.

mod cancel;
mod coroutines;
mod pause;
mod timeout;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use selvedge::{
    Deferred, Failure, Resolver,
    deferred::{Outcome, maybe_deferred},
    error::{Abandoned, Cancelled, WaitsForItself},
    report::Incident,
};

use crate::trial::logged_errors;

#[derive(Debug)]
struct GenericError;

impl std::error::Error for GenericError {}

impl std::fmt::Display for GenericError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("generic")
    }
}

/// Twisted's `callback_results` and `errback_results`.
#[derive(Clone, Default)]
struct Results(Rc<RefCell<Vec<String>>>);

impl Results {
    fn callback<T: std::fmt::Debug + 'static>(&self) -> impl FnOnce(T) -> Result<T, Failure> + use<T> {
        let results = self.0.clone();
        move |value| {
            results.borrow_mut().push(format!("{value:?}"));
            Ok(value)
        }
    }

    fn errback<T: Default + 'static>(&self) -> impl FnOnce(Failure) -> Result<T, Failure> + use<T> {
        let results = self.0.clone();
        move |failure| {
            results.borrow_mut().push(format!("error: {failure}"));
            Ok(T::default())
        }
    }

    fn push(&self, what: &str) {
        self.0.borrow_mut().push(what.to_owned());
    }

    fn seen(&self) -> String {
        self.0.borrow().join(", ")
    }
}

fn value<T: 'static, R: Outcome<Failure, Value = T>>(outcome: R) -> T {
    maybe_deferred(|| outcome).try_result().unwrap().unwrap()
}

fn error<T: std::fmt::Debug + 'static>(deferred: Deferred<T>) -> Failure {
    deferred.try_result().unwrap().unwrap_err()
}

// Checks: B50
#[test]
fn callback_without_args() {
    let results = Results::default();
    let (deferred, resolver) = Deferred::new();
    deferred.add_callback(results.callback::<&str>());
    resolver.callback("hello");
    assert_eq!(results.seen(), "\"hello\"");
}

// Checks: B50
#[test]
fn callback_with_args() {
    let (deferred, resolver) = Deferred::new();
    let world = "world".to_owned();
    let both = deferred.add_callback(move |hello: String| hello + &world);
    resolver.callback("hello".to_owned());
    assert_eq!(value(both), "helloworld");
}

// Checks: B50
#[test]
fn two_callbacks() {
    let results = Results::default();
    let (deferred, resolver) = Deferred::new();
    let first = results.callback::<String>();
    deferred.add_callback(move |text| first(text).map(|_| ())).add_callback(results.callback());
    resolver.callback("hello".to_owned());
    assert_eq!(results.seen(), "\"hello\", ()");
}

// Checks: B51, B63
#[test]
fn immediate_success() {
    let results = Results::default();
    Deferred::succeed("success").add_callback(results.callback());
    assert_eq!(results.seen(), "\"success\"");
}

// Checks: B51, B63
#[test]
fn immediate_failure() {
    let results = Results::default();
    Deferred::<()>::fail(GenericError).add_errback(results.errback());
    assert_eq!(results.seen(), "error: generic");
}

// Checks: B50
#[test]
fn callback_errors() {
    let results = Results::default();
    let (deferred, resolver) = Deferred::new();
    deferred.add_callback(|()| Err::<(), _>(GenericError)).add_errback(results.errback());
    resolver.callback(());
    assert_eq!(results.seen(), "error: generic");
}

// Checks: B52
#[test]
fn return_deferred() {
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    let (outer, fire_outer) = Deferred::new();
    let (before, after) = (results.clone(), results.clone());
    let inner = inner.add_callback(move |n: u32| {
        before.push("inner");
        n
    });
    let outer = outer.add_callback(move |()| inner).add_callback(move |n| {
        after.push("outer");
        n + 1
    });
    fire_outer.callback(());
    assert_eq!(results.seen(), "");
    fire_inner.callback(1);
    assert_eq!(results.seen(), "inner, outer");
    assert_eq!(value(outer), 2);
}

// Checks: B63
#[test]
fn maybe_deferred_sync() {
    assert_eq!(value(maybe_deferred(|| 20)), 20);
}

// Checks: B63
#[test]
fn maybe_deferred_sync_exception() {
    assert!(error(maybe_deferred(|| -> u32 { panic!("20") })).is_panic());
}

// Checks: B63
#[test]
fn maybe_deferred_sync_failure() {
    assert!(error(maybe_deferred(|| Err::<u32, _>(GenericError))).is::<GenericError>());
}

// Checks: B63
#[test]
fn maybe_deferred_async() {
    let (deferred, resolver) = Deferred::new();
    let maybe = maybe_deferred(|| deferred);
    resolver.callback("success");
    assert_eq!(value(maybe), "success");
}

// Checks: B63
#[test]
fn maybe_deferred_async_error() {
    let (deferred, resolver) = Deferred::<()>::new();
    let maybe = maybe_deferred(|| deferred);
    resolver.errback(GenericError);
    assert!(error(maybe).is::<GenericError>());
}

// Checks: B52
#[test]
fn inner_callbacks_preserved() {
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    let inner = inner.add_callback(results.callback::<&str>());
    Deferred::succeed(()).add_callback(move |()| inner).add_callback(results.callback());
    fire_inner.callback("orange");
    assert_eq!(results.seen(), "\"orange\", \"orange\"");
}

// Checks: B52
#[test]
fn continue_callback_not_first() {
    // The chain goes on with what comes after the link that waited, not from its beginning.
    let results = Results::default();
    let (inner, fire_inner) = Deferred::new();
    Deferred::succeed("cheese")
        .add_callback(results.callback())
        .add_callback(move |_| inner)
        .add_callback(results.callback::<&str>());
    fire_inner.callback("wheat");
    assert_eq!(results.seen(), "\"cheese\", \"wheat\"");
}

// Checks: B50
#[test]
fn callback_order_preserved() {
    let results = Results::default();
    let (a, fire_a) = Deferred::new();
    let (b, fire_b) = Deferred::new();
    a.add_callback(results.callback::<u32>()).add_callback(move |_| b).add_callback(results.callback::<u32>());
    fire_b.callback(2);
    assert_eq!(results.seen(), "");
    fire_a.callback(1);
    assert_eq!(results.seen(), "1, 2");
}

/// Adds callbacks to a chain from inside its own first callback, which then returns the outcome of `ends`.
fn reentrant<R>(ends: impl FnOnce() -> R + 'static) -> Results
where
    R: Outcome<Failure, Value = u32>,
{
    let results = Results::default();
    let tail: Rc<Cell<Option<Deferred<u32>>>> = Rc::default();
    let (deferred, resolver) = Deferred::new();
    let (inside, own) = (results.clone(), Rc::clone(&tail));
    tail.set(Some(deferred.add_callback(move |()| {
        inside.push("first begins");
        let added = inside.clone();
        let chain = own.take().unwrap().add_both(move |result| {
            added.push(if result.is_ok() { "second" } else { "second, with an error" });
            result
        });
        own.set(Some(chain));
        inside.push("first ends");
        ends()
    })));
    resolver.callback(());
    tail.take().unwrap().add_errback(|_| 0);
    results
}

// Checks: B51
#[test]
fn reentrant_run_callbacks() {
    assert_eq!(reentrant(|| 1_u32).seen(), "first begins, first ends, second");
}

// Checks: B51
#[test]
fn non_reentrant_callbacks() {
    // A chain that is running is not run again from within.
    assert_eq!(reentrant(|| Deferred::succeed(1_u32)).seen(), "first begins, first ends, second");
}

// Checks: B51
#[test]
fn reentrant_run_callbacks_with_failure() {
    assert_eq!(reentrant(|| Err::<u32, _>(GenericError)).seen(), "first begins, first ends, second, with an error");
}

// Checks: B52
#[test]
fn synchronous_implicit_chain() {
    let results = Results::default();
    Deferred::succeed(()).add_callback(|()| Deferred::succeed("result")).add_callback(results.callback());
    assert_eq!(results.seen(), "\"result\"");
}

// Checks: B52
#[test]
fn asynchronous_implicit_chain() {
    let results = Results::default();
    let (inner, resolver) = Deferred::new();
    Deferred::succeed(()).add_callback(move |()| inner).add_callback(results.callback::<&str>());
    assert_eq!(results.seen(), "");
    resolver.callback("result");
    assert_eq!(results.seen(), "\"result\"");
}

// Checks: B52
#[test]
fn synchronous_implicit_error_chain() {
    let results = Results::default();
    let inner = Deferred::<()>::fail(GenericError);
    Deferred::succeed(()).add_callback(move |()| inner).add_errback(results.errback());
    assert_eq!(results.seen(), "error: generic");
}

// Checks: B52
#[test]
fn asynchronous_implicit_error_chain() {
    let results = Results::default();
    let (inner, resolver) = Deferred::<()>::new();
    Deferred::succeed(()).add_callback(move |()| inner).add_errback(results.errback());
    resolver.errback(GenericError);
    assert_eq!(results.seen(), "error: generic");
}

// Checks: B52
#[test]
fn double_asynchronous_implicit_chaining() {
    let results = Results::default();
    let (innermost, resolver) = Deferred::new();
    let middle = Deferred::succeed(()).add_callback(move |()| innermost);
    Deferred::succeed(()).add_callback(move |()| middle).add_callback(results.callback::<&str>());
    resolver.callback("late");
    assert_eq!(results.seen(), "\"late\"");
}

// Checks: B52
#[test]
fn result_of_deferred_result_of_deferred_of_fired_deferred_called() {
    let (innermost, resolver) = Deferred::<()>::new();
    let middle = Deferred::succeed(()).add_callback(move |()| innermost);
    resolver.callback(());
    let results = Results::default();
    Deferred::succeed(()).add_callback(move |()| middle).add_callback(results.callback());
    assert_eq!(results.seen(), "()");
}

// Checks: B54
#[test]
fn circular_chain_warning() {
    // A warning there, an error here.
    let own: Rc<Cell<Option<Deferred<()>>>> = Rc::default();
    let inside = Rc::clone(&own);
    let (deferred, resolver) = Deferred::new();
    let seen = Rc::new(Cell::new(false));
    let found = Rc::clone(&seen);
    let tail = deferred.add_callback(move |()| inside.take().unwrap());
    own.set(Some(tail.add_errback(move |failure| found.set(failure.is::<WaitsForItself>()))));
    resolver.callback(());
    assert!(seen.get());
}

// Checks: B49
#[test]
fn repr() {
    let (deferred, _resolver) = Deferred::<()>::new();
    assert_eq!(format!("{deferred:?}"), "Deferred(Unfired)");
}

// Checks: B51
#[test]
fn repr_with_result() {
    assert_eq!(format!("{:?}", Deferred::succeed("orange")), "Deferred(Resting)");
}

// Checks: B52
#[test]
fn repr_with_chaining() {
    let (inner, _resolver) = Deferred::<()>::new();
    assert_eq!(format!("{:?}", Deferred::succeed(()).add_callback(move |()| inner)), "Deferred(Waiting)");
}

// Checks: B52
#[test]
fn bounded_stack_depth() {
    // Twisted counts frames; here the stack is too small for one frame a link. `memory/stack.rs` takes a million.
    let body = || {
        let (mut deferred, resolver) = Deferred::new();
        for _ in 0..10_000 {
            let inner = deferred;
            deferred = Deferred::succeed(()).add_callback(move |()| inner);
        }
        resolver.callback(());
        value(deferred);
    };
    std::thread::Builder::new().stack_size(64 * 1024).spawn(body).unwrap().join().unwrap();
}

// Checks: B57
#[test]
fn no_canceller() {
    let (deferred, resolver) = Deferred::<()>::new();
    deferred.cancel();
    let deferred = deferred.add_callback(|()| ());
    resolver.callback(());
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B57
#[test]
fn no_canceller_multiple_cancel() {
    let (deferred, resolver) = Deferred::<()>::new();
    deferred.cancel();
    deferred.cancel();
    drop(resolver);
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B57
#[test]
fn cancel_after_callback_of_a_deferred_without_canceller() {
    // `noCancellerMultipleCancelsAfterCancelAndCallback`: late result, then cancelled again.
    let (deferred, resolver) = Deferred::<u32>::new();
    deferred.cancel();
    resolver.callback(1);
    deferred.cancel();
    assert!(error(deferred).is::<Cancelled>());
}

// Checks: B56
#[test]
fn canceller_multiple_cancel() {
    let called = Rc::new(Cell::new(0));
    let count = Rc::clone(&called);
    let (deferred, _resolver) = Deferred::<()>::with_canceller(move || count.set(count.get() + 1));
    deferred.cancel();
    deferred.cancel();
    assert_eq!(called.get(), 1);
    assert!(error(deferred).is::<Cancelled>());
}

fn never_called() -> (Deferred<u32>, Resolver<u32>) {
    Deferred::with_canceller(|| panic!("must not be called"))
}

// Checks: B58
#[test]
fn cancel_after_callback() {
    let (deferred, resolver) = never_called();
    resolver.callback(1);
    deferred.cancel();
    assert_eq!(value(deferred), 1);
}

// Checks: B58
#[test]
fn cancel_after_errback() {
    let (deferred, resolver) = never_called();
    resolver.errback(GenericError);
    deferred.cancel();
    assert!(error(deferred).is::<GenericError>());
}

/// A Deferred whose canceller fires it like this.
fn fired_by_its_canceller(fire: fn(Resolver<u32>)) -> Deferred<u32> {
    let slot: Rc<Cell<Option<Resolver<u32>>>> = Rc::default();
    let own = Rc::clone(&slot);
    let (deferred, resolver) = Deferred::with_canceller(move || fire(own.take().unwrap()));
    slot.set(Some(resolver));
    deferred.cancel();
    deferred
}

// Checks: B56
#[test]
fn canceller_that_callbacks() {
    assert_eq!(value(fired_by_its_canceller(|resolver| resolver.callback(1))), 1);
}

// Checks: B56
#[test]
fn canceller_that_errbacks() {
    assert!(error(fired_by_its_canceller(|resolver| resolver.errback(GenericError))).is::<GenericError>());
}

// Checks: B58
#[test]
fn cancel_nested_deferred() {
    let called = Rc::new(Cell::new(0));
    let count = Rc::clone(&called);
    let (inner, _keep) = Deferred::<()>::with_canceller(move || count.set(count.get() + 1));
    let (outer, fire_outer) = Deferred::with_canceller(|| panic!("it was fired"));
    let outer = outer.add_callback(move |()| inner);
    fire_outer.callback(());
    outer.cancel();
    assert_eq!(called.get(), 1);
    assert!(error(outer).is::<Cancelled>());
}

// Checks: B60
#[test]
fn error_log() {
    let errors = logged_errors(|| {
        let (deferred, resolver) = Deferred::<()>::new();
        drop(deferred.add_callback(|()| 1));
        resolver.errback(GenericError);
    });
    assert_eq!(errors, [(Incident::Unhandled, "generic".to_owned())]);
}

// Checks: B60
#[test]
fn chained_error_cleanup() {
    // An error that another chain took over and handled is not reported for the first chain.
    let errors = logged_errors(|| {
        let inner = Deferred::<()>::fail(GenericError);
        Deferred::succeed(()).add_callback(move |()| inner).add_errback(|_| ());
    });
    assert_eq!(errors, []);
}

// Checks: B60
#[test]
fn error_cleared_by_chaining() {
    let errors = logged_errors(|| {
        let (inner, fire_inner) = Deferred::<()>::new();
        let outer = Deferred::succeed(()).add_callback(move |()| inner);
        fire_inner.errback(GenericError);
        outer.add_errback(|_| ());
    });
    assert_eq!(errors, []);
}

// Checks: B60, B63
#[test]
fn log_error() {
    // Twisted's `logError` returns the failure, which is logged again unless handled; here it is handled.
    let errors = logged_errors(|| Deferred::<()>::fail(GenericError).log_error());
    assert_eq!(errors, [(Incident::Logged, "generic".to_owned())]);
}

// Checks: B57, B60
#[test]
fn an_unfired_deferred_that_is_dropped_is_reported() {
    // Twisted reports nothing.
    let errors = logged_errors(|| drop(Deferred::<()>::new()));
    assert_eq!(errors, [(Incident::Unhandled, Abandoned.to_string())]);
}
