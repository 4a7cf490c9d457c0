//! Lists of Deferreds: conversions of their errors, and the drops of results that a list does not need.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use selvedge::deferred::{DeferredList, gather_results, race};
use selvedge::error::{FirstError, Panic};
use selvedge::report::Incident;
use selvedge::{Deferred, Failure};

use super::super::act::{Act, Did, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Site};
use crate::converted::{Converted, on_conversion};

/// An error of a program's own, which runs the code when a list makes its error of it.
enum Own {
    Converting(Act),
    Other(Failure),
}

/// The message of a panic that is not the code's.
const CALLBACK: &str = "a callback";

/// Is told of a panic of the conversion that comes next, and of nothing else.
fn told_of_panics(act: &Act) -> impl FnOnce(Result<(), Converted>) + 'static {
    let (converting, told) = (act.clone(), act.clone());
    on_conversion(move || converting.run());
    move |result| match result {
        Err(Converted(failure)) if failure.downcast_ref::<Panic>().is_some_and(|panic| panic.message() != CALLBACK) => {
            told.tell::<()>(Err(failure));
        }
        Err(_) | Ok(()) => {}
    }
}

impl Error for Own {}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error of the program's own")
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Failure> for Own {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<FirstError<Own>> for Own {
    fn from(first: FirstError<Own>) -> Self {
        if let Self::Converting(act) = &first.error {
            act.run();
        }
        first.error
    }
}

pub const SITES: &[Site] = &[
    Site {
        name: "the conversion of a chain's own failure into an error of the program",
        places: &["runtime/deferred/conversion convert"],
        install: Install::OnLoop(|_, act| {
            let (chain, resolver) = Deferred::<(), Converted>::typed();
            drop(chain.add_both(told_of_panics(act)));
            drop(resolver);
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the same, for a chain that is cancelled",
        has_handles: true,
        cancels: true,
        install: Install::OnLoop(|_, act| {
            let (chain, resolver) = Deferred::<(), Converted>::typed();
            let chain = Rc::new(chain.add_both(told_of_panics(act)));
            let (again, cancelled) = (Rc::clone(&chain), Rc::clone(&chain));
            act.reenters(move || {
                again.cancel();
                Did::Done
            });
            act.cancels(move || {
                cancelled.cancel();
                Did::Done
            });
            act.holds(resolver);
            chain.cancel();
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the same, for the panic of a callback",
        install: Install::OnLoop(|_, act| {
            let told = told_of_panics(act);
            let chain = Deferred::<(), Converted>::from(Ok(()));
            drop(chain.map(|()| -> () { panic!("{CALLBACK}") }).add_both(told));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the conversion of an error in a list",
        places: &[
            "runtime/deferred/gather catch_conversion",
            "runtime/deferred/gather complete",
            "runtime/deferred/gather decide",
        ],
        install: Install::OnLoop(|_, act| {
            let told = act.clone();
            let failed = Deferred::<(), Own>::from(Err(Own::Converting(act.clone())));
            let list = DeferredList::new([failed]).fire_on_one_errback();
            drop(list.add_both(move |result: Result<_, Own>| match result {
                Err(Own::Other(failure)) => told.tell::<()>(Err(failure)),
                Err(Own::Converting(_)) | Ok(_) => {}
            }));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a member's result that came before a list was decided",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/gather discard"],
        install: Install::OnLoop(|_, act| {
            let first = Deferred::<_, Failure>::from(Ok(OnDrop(act.clone())));
            let list = DeferredList::new([first, Deferred::fail(Failure::msg("oops"))]).fire_on_one_errback();
            drop(list.add_both(|_| ()));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a member's result that comes after a list was decided",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/deferred/gather arrived", "runtime/deferred/gather run"],
        install: Install::OnLoop(|_, act| {
            let late = OnDrop(act.clone());
            let (second, resolver) = Deferred::with_firing_canceller(move |resolver| resolver.callback(Some(late)));
            let (first, fire) = Deferred::new();
            let won = race([first, second]);
            fire.callback(None);
            drop((won.add_both(|_| ()), resolver));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the iterator of the members of a list",
        install: Install::OnLoop(|_, act| {
            let members = std::iter::once_with(|| {
                act.run();
                Deferred::succeed(())
            });
            act.tell_caller(|| drop(gather_results(members)));
        }),
        ..ON_THE_LOOP
    },
];
