//! The code of errors (`Display`, `Debug`, `source`, drop), the payloads of panics, and the sink.

use std::error::Error;
use std::fmt;

use selvedge::error::Panic;
use selvedge::reactor::ReactorBuilder;
use selvedge::report::Incident;
use selvedge::{Failure, ThreadPool};

use super::super::act::{Act, OnDrop};
use super::{Goes, Install, ON_THE_LOOP, Site};

/// Which method of an error runs the code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Display,
    Debug,
    Source,
}

struct Speaking(Act, Method);

impl Speaking {
    fn speak(&self, method: Method) {
        if self.1 == method {
            self.0.run();
        }
    }
}

impl Error for Speaking {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.speak(Method::Source);
        None
    }
}

impl fmt::Display for Speaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.speak(Method::Display);
        f.write_str("an error")
    }
}

impl fmt::Debug for Speaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.speak(Method::Debug);
        f.write_str("an error")
    }
}

/// An error whose drop runs the code.
struct Dropped {
    _on_drop: OnDrop,
}

impl Error for Dropped {}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error")
    }
}

impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error")
    }
}

/// The sink counts, then panics, so that each report goes to stderr, and is formatted by the crate.
fn to_stderr(builder: ReactorBuilder, act: &Act) -> ReactorBuilder {
    let act = act.clone();
    builder.on_report(move |report| {
        act.record().reports.push(report.incident);
        panic!("this sink takes nothing");
    })
}

pub const SITES: &[Site] = &[
    Site {
        name: "`Display` of an error in a report on stderr",
        panic: Goes::Nobody,
        reports: &[Incident::Trigger],
        places: &["failure/message add", "failure/message contain"],
        configure: to_stderr,
        install: Install::OnLoop(|reactor, act| fail_in_a_trigger(reactor, act, Method::Display)),
        ..ON_THE_LOOP
    },
    Site {
        name: "`source` of an error in a report on stderr",
        panic: Goes::Nobody,
        reports: &[Incident::Trigger],
        places: &["failure/message source"],
        configure: to_stderr,
        install: Install::OnLoop(|reactor, act| fail_in_a_trigger(reactor, act, Method::Source)),
        ..ON_THE_LOOP
    },
    Site {
        name: "`Display` of an error in a failure that is printed",
        panic: Goes::Nobody,
        places: &["failure/message display"],
        install: Install::OnLoop(|_, act| drop(Failure::new(Speaking(act.clone(), Method::Display)).to_string())),
        ..ON_THE_LOOP
    },
    Site {
        name: "`Display` of an error in a failure that is printed for debugging",
        panic: Goes::Nobody,
        install: Install::OnLoop(|_, act| drop(format!("{:?}", Failure::new(Speaking(act.clone(), Method::Display))))),
        ..ON_THE_LOOP
    },
    Site {
        name: "`Debug` of an error in a failure that is printed in full",
        install: Install::OnLoop(|_, act| {
            let failure = Failure::new(Speaking(act.clone(), Method::Debug));
            act.tell_caller(|| drop(format!("{failure:#?}")));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an error in a failure",
        places: &["failure drop"],
        install: Install::OnLoop(|_, act| {
            let failure = Failure::new(Dropped { _on_drop: OnDrop(act.clone()) });
            act.tell_caller(|| drop(failure));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of an error that nobody handles",
        panic: Goes::Reported(Incident::Drop),
        reports: &[Incident::Unhandled],
        install: Install::OnLoop(|_, act| {
            drop(selvedge::Deferred::<()>::fail(Dropped { _on_drop: OnDrop(act.clone()) }));
        }),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of a panic's payload",
        panic: Goes::Nobody,
        places: &["failure/panic drop"],
        install: Install::OnLoop(|_, act| drop(Panic::new(Box::new(OnDrop(act.clone()))))),
        ..ON_THE_LOOP
    },
    Site {
        name: "the sink",
        panic: Goes::Nobody,
        reports: &[Incident::Call],
        places: &["runtime/report deliver"],
        configure: |builder, act| {
            let act = act.clone();
            builder.on_report(move |report| {
                act.record().reports.push(report.incident);
                act.run();
            })
        },
        install: Install::OnLoop(|reactor, _| reactor.call_from_thread(|_| panic!("for the sink")).unwrap()),
        ..ON_THE_LOOP
    },
    Site {
        name: "the drop of what a sink captured",
        panic: Goes::Reported(Incident::Drop),
        places: &["runtime/report drop"],
        install: Install::OnLoop(|_, act| {
            let captured = OnDrop(act.clone());
            drop(ThreadPool::builder().on_report(move |_| captured.0.run()).build().unwrap());
        }),
        ..ON_THE_LOOP
    },
];

fn fail_in_a_trigger(reactor: &selvedge::Reactor, act: &Act, method: Method) {
    let error = Speaking(act.clone(), method);
    let _ = reactor.add_event_trigger(selvedge::reactor::Phase::During, "event", move |_| Err::<(), _>(error));
    let _ = reactor.fire_event("event");
}
