//! A trace: what a program's run comes to, in order, as far as anybody can see it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use selvedge::{
    Failure,
    error::{Abandoned, Cancelled, DelayedCallError, OwnedError, Panic, ReactorStopped, StopError},
    reactor::Turn,
    report::Incident,
};

/// Numbers closures, values and jobs in the order they are made.
pub type Id = u32;

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A closure is called.
    Began(Id, Place),
    /// A closure that was called is gone, and with it all it captured.
    Ended(Id, Place),
    /// A closure that was never called is gone; or a value.
    Dropped(Id, Place),
    /// The value that a job returned is gone.
    JobValueDropped(Id, Place),
    /// The callback of a job's Deferred was given this.
    Given(Id, ErrorKind),
    /// The sink was told.
    Report(Incident, ErrorKind),
    /// An operation was answered.
    Answered(Answer),
    /// A panic came out of an operation, into the program's own code, outside of every callback.
    Escaped,
}

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the reactor's thread.
    Here,
    /// On any other.
    Elsewhere,
}

/// What an operation returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Fine,
    /// There is nothing with that number, or not any more.
    Nothing,
    /// The owner is in use by the program itself.
    Held,
    /// The call came back: the reactor has stopped.
    Rejected,
    /// `LocalHandle::with`: the reactor has stopped.
    Unreachable,
    Reentered,
    UnknownTrigger,
    Stop(StopError),
    Timer(DelayedCallError),
    Value(OwnedError),
    Turned(Turn),
    Time {
        active: bool,
        at: Duration,
    },
    State {
        running: bool,
        timers: usize,
        now: Duration,
    },
    Sizes {
        min: usize,
        max: usize,
    },
    /// What the end of a job's Deferred holds after its callback; nothing while that runs.
    JobResult(Option<ErrorKind>),
}

/// What a failure is, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    Fine,
    Panicked,
    Refused,
    Abandoned,
    Cancelled,
    Stopped,
    Value(OwnedError),
    Other,
}

/// The error that programs refuse with.
#[derive(Debug)]
pub struct Refused;

impl Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl ErrorKind {
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return Self::of(failure.error());
        }
        if let Some(error) = error.downcast_ref::<OwnedError>() {
            return Self::Value(*error);
        }
        match error {
            error if error.is::<Panic>() => Self::Panicked,
            error if error.is::<Refused>() => Self::Refused,
            error if error.is::<Abandoned>() => Self::Abandoned,
            error if error.is::<Cancelled>() => Self::Cancelled,
            error if error.is::<ReactorStopped>() => Self::Stopped,
            _ => Self::Other,
        }
    }
}

/// Every closure and every value comes to exactly one end: it begins and then ends, or it is dropped.
///
/// # Errors
/// The first that does not.
pub fn account(trace: &[Event], made: Id) -> Result<(), String> {
    for id in 0..made {
        let fate: Vec<&Event> = trace
            .iter()
            .filter(|event| matches!(event, Event::Began(i, _) | Event::Ended(i, _) | Event::Dropped(i, _) if *i == id))
            .collect();
        let in_order = match fate.as_slice() {
            [Event::Began(_, at), Event::Ended(_, gone)] => at == gone,
            [Event::Dropped(..)] => true,
            _ => false,
        };
        if !in_order {
            return Err(format!("{id} was to be run or dropped exactly once, but: {fate:?}"));
        }
    }
    Ok(())
}
