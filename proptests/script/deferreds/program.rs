//! A program over Deferreds, as data: drawn at random, shrunk, printed as text that can be read back, and written as bytes.

use std::fmt;

use super::super::program::{Delay, Nth};

/// A script, run one operation after the other on a reactor's thread, and what becomes of what is left.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    pub script: Vec<Op>,
    pub ending: Ending,
}

/// What becomes of what the program still holds at its end. Whatever it is, each Deferred first says what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Firing halves are dropped, then Deferreds.
    Abandon,
    /// Deferreds are dropped, then firing halves.
    Forget,
    /// Firing halves are fired with values, then Deferreds dropped.
    Fire,
}

/// A closure: what it does when it is called, and its last words, for when it is dropped without having been called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deed {
    pub body: Vec<Op>,
    pub words: Vec<Op>,
}

/// A callback: a closure, and what it returns when that is through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    pub deed: Deed,
    pub end: End,
}

/// What a callback returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What it was given.
    Pass,
    /// A new value.
    Value,
    /// A new error.
    Error,
    /// A Deferred. What it was given, if there is none with that number.
    Await(Nth),
}

/// What a firing half is fired with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Value,
    Error,
    /// A Deferred: `Resolver::settle`. Nothing happens if there is none with that number.
    Await(Nth),
}

/// Where a callback is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// `add_callback`.
    Value(Hook),
    /// `add_errback`.
    Error(Hook),
    /// `add_both`.
    Both(Hook),
    /// `add_callbacks`.
    Either(Hook, Hook),
}

/// How several Deferreds become one. All consume errors; and what a list comes to is taken apart by a callback right behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `DeferredList::all`.
    All,
    /// `fire_on_one_errback`, which is `gather_results`.
    Gather,
    /// `fire_on_one_callback`.
    First,
    /// `race`.
    Race,
}

/// One operation. Those that name a thing do nothing while there is none, or while somebody up the stack is using it.
#[derive(Clone, PartialEq, Eq)]
pub enum Op {
    /// `Deferred::new`, or `with_canceller` with this one.
    New(Option<Deed>),
    /// `Deferred::succeed`, or `fail`.
    Born(bool),
    /// A firing half fires.
    Fire(Nth, Sent),
    /// A firing half is dropped.
    Abandon(Nth),
    /// A callback is added to a Deferred.
    Add(Nth, Side),
    /// `add_timeout`, or `add_timeout_with` with this one.
    Timeout(Nth, Delay, Option<Hook>),
    /// `chain_deferred`: a Deferred, and the firing half of the other.
    Chain(Nth, Nth),
    /// Those that there are become one more.
    List(Kind, Vec<Nth>),
    /// `cancel`.
    Cancel(Nth),
    /// `pause`.
    Pause(Nth),
    /// `unpause`.
    Unpause(Nth),
    /// `pause_handle`.
    Grip(Nth),
    /// `PauseHandle::pause`.
    Tighten(Nth),
    /// `PauseHandle::unpause`.
    Loosen(Nth),
    /// A `PauseHandle` is dropped.
    Ungrip(Nth),
    /// `try_result`.
    Take(Nth),
    /// A Deferred is dropped.
    Drop(Nth),
    /// `log_error`.
    Log(Nth),
    /// What a Deferred is doing, and whether its firing half is of any use.
    Look(Nth),
    /// Time passes. What is due then comes when the present operation of the script is through.
    Advance(Delay),
    /// A `DeferredSemaphore` of so many permits; of none, a `DeferredLock`.
    Room(u8),
    /// `acquire`: what is granted is kept, without a guard.
    Acquire(Nth),
    /// `release`.
    Release(Nth),
    /// `run`: there is nothing that its function is given and could pass on.
    Run(Nth, Hook),
    /// A `DeferredQueue`, its size and its backlog: zero for no limit, and else one more than it.
    Shelf(u8, u8),
    /// `put`.
    Put(Nth),
    /// `get`.
    Get(Nth),
    /// A panic, out of whatever runs this.
    Panic,
}

struct Ops<'a>(&'a [Op]);

impl fmt::Display for Ops<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for op in self.0 {
            write!(f, " {op};")?;
        }
        f.write_str(" }")
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Ops(&self.body))?;
        if self.words.is_empty() { Ok(()) } else { write!(f, " or {}", Ops(&self.words)) }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.deed)?;
        match self.end {
            End::Pass => f.write_str("pass"),
            End::Value => f.write_str("value"),
            End::Error => f.write_str("error"),
            End::Await(nth) => write!(f, "await {}", nth.0),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(None) => f.write_str("new"),
            Self::New(Some(canceller)) => write!(f, "new {canceller}"),
            Self::Born(true) => f.write_str("succeed"),
            Self::Born(false) => f.write_str("fail"),
            Self::Fire(nth, Sent::Value) => write!(f, "fire {} value", nth.0),
            Self::Fire(nth, Sent::Error) => write!(f, "fire {} error", nth.0),
            Self::Fire(nth, Sent::Await(other)) => write!(f, "fire {} await {}", nth.0, other.0),
            Self::Abandon(nth) => write!(f, "abandon {}", nth.0),
            Self::Add(nth, Side::Value(hook)) => write!(f, "callback {} {hook}", nth.0),
            Self::Add(nth, Side::Error(hook)) => write!(f, "errback {} {hook}", nth.0),
            Self::Add(nth, Side::Both(hook)) => write!(f, "both {} {hook}", nth.0),
            Self::Add(nth, Side::Either(hook, other)) => write!(f, "either {} {hook} else {other}", nth.0),
            Self::Timeout(nth, delay, None) => write!(f, "timeout {} {}", nth.0, delay.0),
            Self::Timeout(nth, delay, Some(hook)) => write!(f, "timeout {} {} {hook}", nth.0, delay.0),
            Self::Chain(nth, other) => write!(f, "chain {} {}", nth.0, other.0),
            Self::List(kind, members) => {
                write!(f, "{}", format!("{kind:?}").to_lowercase())?;
                members.iter().try_for_each(|nth| write!(f, " {}", nth.0))
            }
            Self::Cancel(nth) => write!(f, "cancel {}", nth.0),
            Self::Pause(nth) => write!(f, "pause {}", nth.0),
            Self::Unpause(nth) => write!(f, "unpause {}", nth.0),
            Self::Grip(nth) => write!(f, "grip {}", nth.0),
            Self::Tighten(nth) => write!(f, "tighten {}", nth.0),
            Self::Loosen(nth) => write!(f, "loosen {}", nth.0),
            Self::Ungrip(nth) => write!(f, "ungrip {}", nth.0),
            Self::Take(nth) => write!(f, "take {}", nth.0),
            Self::Drop(nth) => write!(f, "drop {}", nth.0),
            Self::Log(nth) => write!(f, "log {}", nth.0),
            Self::Look(nth) => write!(f, "look {}", nth.0),
            Self::Advance(delay) => write!(f, "advance {}", delay.0),
            Self::Room(places) => write!(f, "room {places}"),
            Self::Acquire(nth) => write!(f, "acquire {}", nth.0),
            Self::Release(nth) => write!(f, "release {}", nth.0),
            Self::Run(nth, hook) => write!(f, "run {} {hook}", nth.0),
            Self::Shelf(size, backlog) => write!(f, "shelf {size} {backlog}"),
            Self::Put(nth) => write!(f, "put {}", nth.0),
            Self::Get(nth) => write!(f, "get {}", nth.0),
            Self::Panic => f.write_str("panic"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in &self.script {
            writeln!(f, "{op}")?;
        }
        f.write_str(match self.ending {
            Ending::Abandon => "end abandon",
            Ending::Forget => "end forget",
            Ending::Fire => "end fire",
        })
    }
}

/// A failing program is printed as it can be read back.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}\n")
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}
