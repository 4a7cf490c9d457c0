//! What the tests of Deferreds share: a trace, values that count their drops, and a look at what was reported.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use selvedge::{Deferred, Failure, Reactor, report::Incident};

/// A place for a value that a callback takes later.
pub type Place<T> = Rc<RefCell<Option<T>>>;

/// What happened, in order.
#[derive(Clone, Default)]
pub struct Trace(Rc<RefCell<Vec<String>>>);

impl Trace {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn note(&self, what: impl fmt::Display) {
        self.0.borrow_mut().push(what.to_string());
    }

    /// A callback that notes a name and passes its value on.
    pub fn noting<T: 'static>(&self, name: &'static str) -> impl FnOnce(T) -> Result<T, Failure> + use<T> {
        let trace = self.clone();
        move |value| {
            trace.note(name);
            Ok(value)
        }
    }

    pub fn seen(&self) -> String {
        self.0.borrow().join(" ")
    }
}

/// Counts how many of it have been dropped.
#[derive(Clone, Default)]
pub struct Drops(Rc<Cell<usize>>);

impl Drops {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn token(&self) -> Token {
        Token(Rc::clone(&self.0))
    }

    pub fn count(&self) -> usize {
        self.0.get()
    }
}

pub struct Token(Rc<Cell<usize>>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Oops(pub u32);

impl Error for Oops {}

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oops {}", self.0)
    }
}

/// An error type of a program's own.
#[derive(Debug)]
pub enum Own {
    Plain(u32),
    Other(Failure),
}

impl Error for Own {}

impl From<Failure> for Own {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The value that a Deferred has now.
pub fn value<T: 'static>(deferred: Deferred<T>) -> T {
    match deferred.try_result() {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => panic!("failed: {failure}"),
        Err(deferred) => panic!("no result yet: {deferred:?}"),
    }
}

/// The error that a Deferred has now.
pub fn error<T: 'static>(deferred: Deferred<T>) -> Failure {
    match deferred.try_result() {
        Ok(Ok(_)) => panic!("a value"),
        Ok(Err(failure)) => failure,
        Err(deferred) => panic!("no result yet: {deferred:?}"),
    }
}

/// A report, as text: what failed, how, and in which line the Deferred was made.
pub type Reported = (Incident, String, Option<u32>);

/// Runs something on a reactor's thread and returns what was reported meanwhile.
pub fn reports(body: impl FnOnce() + 'static) -> Vec<Reported> {
    let told: Arc<Mutex<Vec<Reported>>> = Arc::default();
    let sink = Arc::clone(&told);
    let reactor = Reactor::builder()
        .on_report(move |report| {
            let line = report.location.map(std::panic::Location::line);
            sink.lock().unwrap().push((report.incident, report.error.to_string(), line));
        })
        .build()
        .unwrap();
    reactor.call_when_running(move |reactor| {
        body();
        reactor.stop().unwrap();
    });
    reactor.run();
    let told = told.lock().unwrap();
    told.clone()
}
