//! A program: what is done to a reactor, as data, so that it can be drawn at random, shrunk, printed, and written as bytes.

use std::fmt;
use std::time::Duration;

/// A script, run one operation after the other outside of any callback, and how the reactor's life ends after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub script: Vec<Op>,
    pub ending: Ending,
}

/// What becomes of the reactor after the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is dropped as it stands.
    Drop,
    /// It is asked to stop and turned by hand, time passing as it asks for, until it has ended or nothing moves any more; then dropped.
    TurnOut,
    /// The same by `run`. Where that would wait for ever, as `TurnOut`.
    Run,
}

/// A closure: what it does when it is called; and its last words, for when it is dropped without having been called.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Deed {
    pub body: Vec<Op>,
    pub words: Vec<Op>,
}

/// One operation. Those that name a thing made before (`Nth`) do nothing while there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `call_from_thread`.
    Post(Deed),
    /// `call_when_running`.
    WhenRunning(Deed),
    /// `call_later`.
    Later(Delay, Deed),
    /// `DelayedCall::cancel`.
    Cancel(Nth),
    /// `DelayedCall::reset`.
    Reset(Nth, Delay),
    /// `DelayedCall::delay`.
    Postpone(Nth, Delay),
    /// Time passes.
    Advance(Delay),
    /// `own`, of a value with these last words.
    Own(Vec<Op>),
    /// The owner is dropped.
    Disown(Nth),
    /// `Owned::leave`.
    Leave(Nth),
    /// `Owned::into_inner`; the value is dropped.
    TakeBack(Nth),
    /// `Owned::with`.
    Visit(Nth, Deed),
    /// `Address::call`.
    Call(Nth, Deed),
    /// `Address::release`.
    Release(Nth),
    /// `add_event_trigger`.
    On(When, Occasion, Deed, Verdict),
    /// `remove_event_trigger`.
    Remove(Nth),
    /// `fire_event`, of the program's own event.
    Fire,
    /// A Deferred that a trigger has returned is fired, well or badly.
    Resolve(Nth, bool),
    /// The firing half of such a Deferred is dropped.
    Abandon(Nth),
    /// `turn`.
    Turn,
    /// `Reactor::stop`.
    Stop,
    /// `Handle::stop`.
    AskStop,
    /// `suggest_thread_pool_size`.
    Suggest(u8),
    /// `is_running`, `delayed_calls`, `now`.
    Look,
    /// `defer_to_thread_pool` of a job with this end, with this callback. The pool has two workers; jobs block until they are let go.
    Defer(Work, Vec<Op>),
    /// One of the running jobs is let go, and its result posted, before this returns.
    LetGo(Nth),
    /// The Deferred of a job is cancelled and dropped.
    CancelJob(Nth),
    /// A panic, out of whatever runs this.
    Panic,
}

/// A phase of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    Before,
    During,
    After,
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// The program's own. (In the order of the names: what is never run is dropped in it.)
    Alarm,
    Shutdown,
    Startup,
}

/// What a trigger returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    Refuse,
    /// A Deferred, for `Resolve` and `Abandon` to name.
    Wait,
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Fine,
    Refuse,
    Panic,
}

/// The nth thing of its kind, in the order they were made, counted round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nth(pub u8);

impl Nth {
    /// Which of `count` it is.
    pub fn of(self, count: usize) -> Option<usize> {
        usize::from(self.0).checked_rem(count)
    }
}

/// Milliseconds; the greatest one is all the time there is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Delay(pub u8);

impl Delay {
    pub fn duration(self) -> Duration {
        if self.0 == u8::MAX { Duration::MAX } else { Duration::from_millis(self.0.into()) }
    }
}

impl fmt::Debug for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == u8::MAX { f.write_str("forever") } else { write!(f, "{}ms", self.0) }
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.body, f)?;
        if self.words.is_empty() { Ok(()) } else { write!(f, " or unrun {:?}", self.words) }
    }
}
