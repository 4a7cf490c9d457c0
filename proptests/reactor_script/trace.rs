//! A trace: all visible events of a program's run, in order.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use selvedge::{
    error::{Abandoned, Cancelled, DelayedCallError, OwnedError, Panic, ReactorStopped, StopError, Unavailable},
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
    /// A closure that was called is dropped, with all it captured.
    Ended(Id, Place),
    /// A closure that was never called, or a value, is dropped.
    Dropped(Id, Place),
    /// The value that a job returned is dropped.
    JobValueDropped(Id, Place),
    /// The callback of a job's Deferred was given this.
    Given(Id, ErrorKind),
    /// The sink received a report.
    Report(Incident, ErrorKind),
    /// What an operation returned.
    Answered(Answer),
    /// A panic left an operation outside of every callback.
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
    /// Nothing has that number (any more).
    Nothing,
    /// The owner is in use by the program itself.
    Held,
    /// The call was returned: the reactor has stopped.
    Rejected,
    /// `LocalHandle::with`: the reactor has stopped.
    Unreachable,
    Reentered,
    UnknownTrigger,
    Stop(StopError),
    Timer(DelayedCallError),
    Value(Unavailable),
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
    /// The result of a job's Deferred after its callback; `None` while that runs.
    JobResult(Option<ErrorKind>),
}

/// Which error a failure carries, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    Fine,
    Panicked,
    Refused,
    Abandoned,
    Cancelled,
    Stopped,
    Value(Unavailable),
    Other,
}

/// The error that programs return.
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
        if let Some(error) = error.downcast_ref::<OwnedError>() {
            return Self::Value(error.reason);
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

/// Every closure either begins and ends, or is dropped uncalled, exactly once; every value is dropped once.
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
