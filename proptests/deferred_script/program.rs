//! A program over Deferreds, as data, so that it can be generated, shrunk, and written as bytes and as text.

use std::fmt;

use crate::codec::{self, Code, Decoder, Delay, Encoder, Members, Nth, Operation, Small, Text, code};

pub type Closure = codec::Closure<Op>;

/// A script, run one operation after the other on a reactor's thread, and what becomes of what is left.
pub type Program = codec::Program<Op, Ending>;

/// What becomes of what the program still holds at its end. Whatever it is, each Deferred is first asked for its
/// result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Firing halves are dropped, then Deferreds.
    Abandon,
    /// Deferreds are dropped, then firing halves.
    Forget,
    /// Firing halves are fired with values, then Deferreds dropped.
    Fire,
}

/// A callback: a closure, and what it returns when that has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub closure: Closure,
    pub returns: Returns,
}

/// What a callback returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
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
pub enum FiredWith {
    Value,
    Error,
    /// A Deferred: `Resolver::settle`. Nothing happens if there is none with that number.
    Await(Nth),
}

/// Where a callback is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// `add_callback`.
    Value(Callback),
    /// `add_errback`.
    Error(Callback),
    /// `add_both`.
    Both(Callback),
    /// `add_callbacks`.
    Either(Callback, Callback),
}

/// How several Deferreds become one. All consume errors; and the result of a list is unpacked by a callback that is
/// added at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
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
    New(Option<Closure>),
    /// `Deferred::succeed`, or `fail`.
    WithResult(bool),
    /// A firing half fires.
    Fire(Nth, FiredWith),
    /// A firing half is dropped.
    Abandon(Nth),
    /// A callback is added to a Deferred.
    Add(Nth, Side),
    /// `add_timeout`, or `add_timeout_with` with this one.
    Timeout(Nth, Delay, Option<Callback>),
    /// `chain_deferred`: a Deferred, and the firing half of the other.
    Chain(Nth, Nth),
    /// Those that there are become one more.
    List(ListKind, Members),
    /// `cancel`.
    Cancel(Nth),
    /// `pause`.
    Pause(Nth),
    /// `unpause`.
    Unpause(Nth),
    /// `pause_handle`.
    PauseHandle(Nth),
    /// `PauseHandle::pause`.
    HandlePause(Nth),
    /// `PauseHandle::unpause`.
    HandleUnpause(Nth),
    /// A `PauseHandle` is dropped.
    DropHandle(Nth),
    /// `try_result`.
    Take(Nth),
    /// A Deferred is dropped.
    Drop(Nth),
    /// `log_error`.
    Log(Nth),
    /// What a Deferred is doing, and whether its firing half is of any use.
    Inspect(Nth),
    /// Time passes. What is due then comes when the present operation of the script is through.
    Advance(Delay),
    /// A `DeferredSemaphore` of so many permits; of none, a `DeferredLock`.
    Semaphore(Small),
    /// `acquire`: what is granted is kept, without a guard.
    Acquire(Nth),
    /// `release`.
    Release(Nth),
    /// `run`: there is nothing that its function is given and could pass on.
    Run(Nth, Callback),
    /// A `DeferredQueue`, its size and its backlog: zero for no limit, and else one more than it.
    Queue(Small, Small),
    /// `put`.
    Put(Nth),
    /// `get`.
    Get(Nth),
    /// A panic, out of whatever runs this.
    Panic,
}

impl Operation for Op {
    const BODY: usize = 7;
    const SCRIPT: usize = 48;
}

/// The first of the bytes for locks, semaphores and queues. They came later: the others have all bytes below it by
/// turns, as they had before.
const COORDINATION: u8 = 240;

code!(Op, |byte| if byte < COORDINATION { byte % 30 } else { COORDINATION + (byte - COORDINATION) % 7 }, {
    0 "new" () = [Op::New(None)],
    1 "new" (canceller: Closure) = [Op::New(Some(canceller))],
    2 "succeed" () = [Op::WithResult(true)],
    3 "fail" () = [Op::WithResult(false)],
    4 "fire" (nth: Nth, with: FiredWith) = [Op::Fire(nth, with)],
    5 "abandon" (nth: Nth) = [Op::Abandon(nth)],
    6 "callback" (nth: Nth, callback: Callback) = [Op::Add(nth, Side::Value(callback))],
    7 "errback" (nth: Nth, errback: Callback) = [Op::Add(nth, Side::Error(errback))],
    8 "both" (nth: Nth, callback: Callback) = [Op::Add(nth, Side::Both(callback))],
    9 "either" (nth: Nth, callback: Callback, "else" errback: Callback)
        = [Op::Add(nth, Side::Either(callback, errback))],
    10 "cancel" (nth: Nth) = [Op::Cancel(nth)],
    11 "take" (nth: Nth) = [Op::Take(nth)],
    12 "drop" (nth: Nth) = [Op::Drop(nth)],
    13 "log" (nth: Nth) = [Op::Log(nth)],
    14 "inspect" (nth: Nth) = [Op::Inspect(nth)],
    15 "advance" (delay: Delay) = [Op::Advance(delay)],
    16 "timeout" (nth: Nth, delay: Delay) = [Op::Timeout(nth, delay, None)],
    17 "timeout" (nth: Nth, delay: Delay, callback: Callback) = [Op::Timeout(nth, delay, Some(callback))],
    18 "chain" (nth: Nth, other: Nth) = [Op::Chain(nth, other)],
    19 "pause" (nth: Nth) = [Op::Pause(nth)],
    20 "unpause" (nth: Nth) = [Op::Unpause(nth)],
    21 "pause-handle" (nth: Nth) = [Op::PauseHandle(nth)],
    22 "handle-pause" (nth: Nth) = [Op::HandlePause(nth)],
    23 "handle-unpause" (nth: Nth) = [Op::HandleUnpause(nth)],
    24 "drop-handle" (nth: Nth) = [Op::DropHandle(nth)],
    25 "all" (members: Members) = [Op::List(ListKind::All, members)],
    26 "gather" (members: Members) = [Op::List(ListKind::Gather, members)],
    27 "first" (members: Members) = [Op::List(ListKind::First, members)],
    28 "race" (members: Members) = [Op::List(ListKind::Race, members)],
    29 "panic" () = [Op::Panic],
    240 "semaphore" (permits: Small) = [Op::Semaphore(permits)],
    241 "acquire" (nth: Nth) = [Op::Acquire(nth)],
    242 "release" (nth: Nth) = [Op::Release(nth)],
    243 "run" (nth: Nth, callback: Callback) = [Op::Run(nth, callback)],
    244 "queue" (size: Small, backlog: Small) = [Op::Queue(size, backlog)],
    245 "put" (nth: Nth) = [Op::Put(nth)],
    246 "get" (nth: Nth) = [Op::Get(nth)],
});

code!(Ending, |byte| byte % 3, {
    0 "abandon" () = [Ending::Abandon],
    1 "forget" () = [Ending::Forget],
    2 "fire" () = [Ending::Fire],
});

code!(Returns, |byte| byte % 4, {
    0 "pass" () = [Returns::Pass],
    1 "value" () = [Returns::Value],
    2 "error" () = [Returns::Error],
    3 "await" (nth: Nth) = [Returns::Await(nth)],
});

code!(FiredWith, |byte| byte % 3, {
    0 "value" () = [FiredWith::Value],
    1 "error" () = [FiredWith::Error],
    2 "await" (nth: Nth) = [FiredWith::Await(nth)],
});

impl Code for Callback {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        Self { closure: Code::decode(bytes), returns: Code::decode(bytes) }
    }

    fn encode(&self, bytes: &mut Encoder) {
        self.closure.encode(bytes);
        self.returns.encode(bytes);
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        Some(Self { closure: Code::read(text)?, returns: Code::read(text)? })
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.closure, self.returns)
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}
