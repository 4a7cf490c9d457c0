//! `Failure` and `Panic`: the original error is kept, reached and printed once.

use std::any::Any;
use std::backtrace::BacktraceStatus;
use std::cell::Cell;
use std::env;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use selvedge::{
    Deferred, Failure,
    error::{Abandoned, Cancelled, NotPaused, Panic, ReactorStopped, TimedOut, WaitsForItself},
};

use crate::support::converted::{Converted, on_conversion};

#[derive(Debug)]
struct Outer(io::Error);

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot load")
    }
}

fn outer() -> Outer {
    Outer(io::Error::other("disk on fire"))
}

fn payload(body: fn()) -> Box<dyn Any + Send> {
    catch_unwind(body).unwrap_err()
}

// Checks: S8
#[test]
fn the_original_error_is_reached_by_its_type() {
    let failure = Failure::new(outer());
    assert!(failure.is::<Outer>() && !failure.is::<io::Error>());
    assert!(failure.downcast_ref::<Outer>().is_some());
    let failure = failure.downcast::<io::Error>().unwrap_err();
    assert_eq!(failure.downcast::<Outer>().unwrap().0.to_string(), "disk on fire");
}

// Checks: S8
#[test]
fn a_failure_of_a_failure_is_the_same_failure() {
    let inner = Failure::new(outer());
    let boxed: Box<dyn Error + Send + Sync> = Box::new(Failure::from(inner.into_error()).into_error());
    assert!(Failure::from_boxed(boxed).is::<Outer>());
}

// Checks: S8
#[test]
fn a_printed_chain_of_causes_names_nothing_twice() {
    let failure = Failure::new(outer());
    let mut said = vec![failure.to_string()];
    let mut cause = failure.error().source();
    while let Some(error) = cause {
        said.push(error.to_string());
        cause = error.source();
    }
    assert_eq!(said, ["cannot load", "disk on fire"]);
    assert!(format!("{failure:?}").starts_with("cannot load\n  caused by: disk on fire"));
    assert!(format!("{failure:#?}").starts_with("Failure("));
}

// Checks: S8
#[test]
fn a_failure_returns_its_error_boxed() {
    assert!(Failure::new(outer()).into_boxed().is::<Outer>());
    assert_eq!(Failure::msg("a message").error().to_string(), "a message");
}

// Checks: S8
#[test]
fn a_failure_is_one_pointer_wide() {
    assert_eq!(size_of::<Option<Failure>>(), size_of::<usize>());
}

// Checks: B48
#[test]
fn a_panic_keeps_its_message_and_its_payload() {
    assert_eq!(Panic::new(payload(|| panic!("plain"))).message(), "plain");
    assert_eq!(Panic::new(payload(|| panic!("with {}", 1))).to_string(), "panicked: with 1");
    let odd = Panic::new(payload(|| std::panic::panic_any(7_u8)));
    assert!(odd.message().contains("not a string"));
    assert_eq!(*odd.into_payload().downcast::<u8>().unwrap(), 7);
}

// Checks: B48
#[test]
fn a_panic_that_is_resumed_goes_on_with_its_payload() {
    let again = catch_unwind(|| Panic::new(Box::new(7_u8)).resume()).unwrap_err();
    assert_eq!(*again.downcast::<u8>().unwrap(), 7);
}

struct Nasty;

impl Drop for Nasty {
    fn drop(&mut self) {
        std::panic::panic_any(Nasty);
    }
}

// Checks: B38
#[test]
fn dropping_a_panic_contains_whatever_its_payload_does() {
    drop(Panic::new(Box::new(Nasty)));
    drop(Failure::from(Panic::new(Box::new(Nasty))));
}

// Checks: B54, B56
#[test]
fn the_errors_of_the_crate_itself_become_failures_and_say_something() {
    let failures = [
        Failure::from(Cancelled),
        Abandoned.into(),
        WaitsForItself.into(),
        ReactorStopped.into(),
        NotPaused.into(),
        TimedOut { after: Duration::from_secs(1), started: None }.into(),
        Failure::new(outer()),
    ];
    assert!(failures[0].is::<Cancelled>() && failures[2].is::<WaitsForItself>());
    assert!(failures.iter().all(|failure| failure.to_string().len() > 10 && !failure.is_panic()));
}

// Checks: P28
#[test]
fn check_says_which_of_several_types_the_original_error_is() {
    let failure = Failure::new(outer());
    assert_eq!(failure.check::<(Outer,)>(), Some(0));
    assert_eq!(failure.check::<(Cancelled, io::Error, Outer, TimedOut)>(), Some(2));
    // Its source is not compared.
    assert_eq!(failure.check::<(Cancelled, io::Error)>(), None);
    assert_eq!(
        Failure::new(fmt::Error).check::<(
            Cancelled,
            TimedOut,
            Abandoned,
            NotPaused,
            WaitsForItself,
            ReactorStopped,
            io::Error,
            fmt::Error
        )>(),
        Some(7)
    );
}

// Checks: P28
#[test]
fn trap_goes_on_with_the_failures_it_is_for_and_gives_the_others_back() {
    assert!(Failure::new(outer()).trap::<(Cancelled, Outer)>().is_ok_and(|failure| failure.is::<Outer>()));
    assert!(Failure::new(outer()).trap::<(Cancelled, TimedOut)>().is_err_and(|failure| failure.is::<Outer>()));
    let forgive = |failure: Failure| failure.trap::<(Cancelled,)>().map(|_| 0_u32);
    let forgiven = Deferred::<u32>::fail(Cancelled).add_errback(forgive).try_result();
    assert_eq!(forgiven.unwrap().unwrap(), 0);
    let passed_on = Deferred::<u32>::fail(fmt::Error).add_errback(forgive).try_result();
    assert!(passed_on.unwrap().unwrap_err().is::<fmt::Error>());
}

// Checks: P28
#[test]
fn the_panic_of_a_function_is_reached_by_reference() {
    let failure = Failure::from(Panic::new(payload(|| panic!("at {}", "noon"))));
    assert_eq!(failure.as_panic().map(Panic::message), Some("at noon"));
    assert!(failure.is_panic());
    assert!(Failure::new(outer()).as_panic().is_none());
}

/// The environment variable that tells the test below that it runs in its child process.
const CHILD: &str = "SELVEDGE_TELLS_OF_ITS_BACKTRACE";

// Checks: P28
#[test]
fn a_backtrace_is_captured_where_the_environment_asks_for_one() {
    if env::var_os(CHILD).is_some() {
        let captured = Failure::new(outer()).backtrace().status() == BacktraceStatus::Captured;
        println!("captured: {captured}");
        assert_eq!(format!("{:?}", Failure::new(outer())).contains("0: "), captured);
        return;
    }
    let child = |variables: &[(&str, &str)]| {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "failure::a_backtrace_is_captured_where_the_environment_asks_for_one", "--nocapture"])
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE")
            .env(CHILD, "1")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        said.contains("captured: true")
    };
    assert!(!child(&[]));
    assert!(child(&[("RUST_BACKTRACE", "1")]));
    assert!(child(&[("RUST_LIB_BACKTRACE", "1")]));
    assert!(!child(&[("RUST_BACKTRACE", "1"), ("RUST_LIB_BACKTRACE", "0")]));
}

// Checks: P75
#[test]
fn a_conversion_that_panics_becomes_the_error_itself() {
    type Chain = Deferred<(), Converted>;
    let cancelled = || {
        let (chain, _resolver) = Chain::typed();
        chain.cancel();
        chain
    };
    let panicked = || Chain::from(Ok(())).add_callback(|()| -> Result<(), Converted> { panic!("a callback panics") });
    let ways: [&dyn Fn() -> Chain; 4] = [&cancelled, &panicked, &|| Chain::typed().0, &|| {
        Chain::from(Ok(())).map(|()| -> () { panic!("a callback panics") })
    }];
    for (number, fail) in ways.into_iter().enumerate() {
        on_conversion(|| panic!("a conversion panics"));
        let Ok(Err(Converted(failure))) = fail().try_result() else { panic!("{number} has not failed") };
        let message = failure.downcast_ref::<Panic>().map(|panic| panic.message().to_owned());
        assert!(message.is_some_and(|message| message.contains("a conversion panics")), "{number}: {failure}");
    }
    // If there is no error to be had, the panic goes to whoever fires.
    let panics = Rc::new(Cell::new(0));
    for panics in [Rc::clone(&panics), Rc::clone(&panics)] {
        on_conversion(move || {
            panics.set(panics.get() + 1);
            panic!("a conversion panics");
        });
    }
    let (chain, _resolver) = Chain::typed();
    let left = catch_unwind(AssertUnwindSafe(|| chain.cancel()));
    assert!(left.is_err());
    assert_eq!(panics.get(), 2);
}

// Checks: P28
#[test]
fn a_failure_is_displayed_in_the_form_and_the_width_that_are_asked_for() {
    #[derive(Debug)]
    struct TwoForms;
    impl Error for TwoForms {}
    impl fmt::Display for TwoForms {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(if f.alternate() { "at length" } else { "in short" })
        }
    }
    let failure = Failure::new(TwoForms);
    assert_eq!([format!("{failure}"), format!("{failure:#}")], ["in short", "at length"]);
    assert_eq!([format!("{failure:.2}"), format!("{failure:>10}")], ["in", "  in short"]);
}
