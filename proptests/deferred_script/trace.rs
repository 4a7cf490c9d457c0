//! A trace: all visible events of a program over Deferreds, in order.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use selvedge::{
    error::{Abandoned, Cancelled, Panic, TimedOut, WaitsForItself},
    report::Incident,
};

use crate::codec::Delay;

/// Numbers closures, values and errors in the order they are made.
pub type Id = u32;

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A closure is called with this.
    Began(Id, Given),
    /// A closure that was called is dropped, with all it captured.
    Ended(Id),
    /// A closure that was never called, a value, or an error is dropped.
    Dropped(Id),
    /// The sink received a report.
    Report(Incident, ErrorKind),
    /// What an operation returned.
    Answered(Answer),
}

/// What a closure is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A canceller is given nothing.
    Nothing,
    Value(Id),
    Error(ErrorKind),
}

/// What an operation returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing has that number (any more).
    Nothing,
    /// It is in use further up the stack.
    Held,
    /// There is no result yet.
    NotYet,
    /// The result.
    Result(Given),
    /// The index of the member whose result it is.
    Index(usize),
    /// It is not paused.
    NotPaused,
    /// There is no kept permit to release.
    OverRelease,
    /// The queue is full.
    Overflow,
    /// The number of waiters is at its limit.
    Underflow,
    /// What a Deferred is doing, and how often it is paused.
    State(State, u32),
    /// `Resolver::is_cancelled`.
    ResolverIsCancelled(bool),
}

/// What a chain is doing, as its `Debug` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Unfired,
    Cancelling,
    Running,
    Waiting,
    Held,
    Resting,
}

/// Which error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// One that the program made.
    Own(Id),
    Panicked,
    Abandoned,
    Cancelled,
    WaitsForItself,
    TimedOut(Delay),
    Other,
}

impl ErrorKind {
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        if let Some(TestError(tracked)) = error.downcast_ref() {
            return Self::Own(tracked.id);
        }
        if let Some(TimedOut { after, .. }) = error.downcast_ref() {
            return Self::TimedOut(Delay(u8::try_from(after.as_millis()).unwrap_or(u8::MAX)));
        }
        match error {
            error if error.is::<Panic>() => Self::Panicked,
            error if error.is::<Abandoned>() => Self::Abandoned,
            error if error.is::<Cancelled>() => Self::Cancelled,
            error if error.is::<WaitsForItself>() => Self::WaitsForItself,
            _ => Self::Other,
        }
    }
}

/// Where events are written. Errors and the sink are `Send`, so this is, too.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<Event>>>);

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

impl Trace {
    pub fn push(&self, event: Event) {
        self.0.lock().expect("no event panics").push(event);
    }

    pub fn events(&self) -> Vec<Event> {
        self.0.lock().expect("no event panics").clone()
    }
}

/// A value, or the content of an error: it writes to the trace when it is dropped.
#[derive(Debug)]
pub struct Tracked {
    pub id: Id,
    pub trace: Trace,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.trace.push(Event::Dropped(self.id));
    }
}

/// The error that programs fail with.
#[derive(Debug)]
pub struct TestError(pub Tracked);

impl Error for TestError {}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oops {}", self.0.id)
    }
}

/// Every closure either runs or is dropped uncalled, exactly once; every value and error is dropped once.
///
/// # Errors
/// The first that does not.
pub fn account(trace: &[Event], made: Id) -> Result<(), String> {
    for id in 0..made {
        let fate: Vec<&Event> = trace
            .iter()
            .filter(|event| matches!(event, Event::Began(i, _) | Event::Ended(i) | Event::Dropped(i) if *i == id))
            .collect();
        if !matches!(fate.as_slice(), [Event::Began(..), Event::Ended(_)] | [Event::Dropped(_)]) {
            return Err(format!("{id} was to be run or dropped exactly once, but: {fate:?}"));
        }
    }
    Ok(())
}
