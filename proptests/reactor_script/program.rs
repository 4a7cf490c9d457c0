//! A program: what is done to a reactor, as data, so that it can be generated, shrunk, and written as bytes and as
//! text.

use std::fmt;

use crate::codec::{self, Body, Code, Decoder, Delay, Encoder, Nth, OnDrop, Operation, Text, code};

pub type Closure = codec::Closure<Op>;

/// A script, run one operation after the other outside of any callback, and how the reactor's life ends after it.
pub type Program = codec::Program<Op, Ending>;

/// How the reactor ends after the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is dropped.
    Drop,
    /// It is stopped, and turned by hand, with the clock advanced as each turn asks, until it has ended or is idle;
    /// then dropped.
    TurnOut,
    /// It is stopped and `run` is called. Where that would wait for ever, `TurnOut` is used.
    Run,
}

/// One operation. Those that name a thing made before (`Nth`) do nothing while there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `call_from_thread`.
    Post(Closure),
    /// `call_when_running`.
    WhenRunning(Closure),
    /// `call_later`.
    Later(Delay, Closure),
    /// `DelayedCall::cancel`.
    Cancel(Nth),
    /// `DelayedCall::reset`.
    Reset(Nth, Delay),
    /// `DelayedCall::delay`.
    Postpone(Nth, Delay),
    /// Time passes.
    Advance(Delay),
    /// `own`.
    Own(OnDrop<Op>),
    /// The owner is dropped.
    DropOwner(Nth),
    /// `Owned::leave`.
    Leave(Nth),
    /// `Owned::into_inner`; the value is dropped.
    IntoInner(Nth),
    /// `Owned::with`.
    With(Nth, Closure),
    /// `Address::call`.
    Call(Nth, Closure),
    /// `Address::release`.
    Release(Nth),
    /// `add_event_trigger`.
    AddTrigger(Trigger, Closure),
    /// `remove_event_trigger`.
    RemoveTrigger(Nth),
    /// `fire_event`, of the program's own event.
    FireEvent,
    /// A Deferred that a trigger has returned is fired, with a value or an error.
    Resolve(Nth, bool),
    /// The firing half of such a Deferred is dropped.
    Abandon(Nth),
    /// `turn`.
    Turn,
    /// `Reactor::stop`.
    Stop,
    /// `Handle::stop`.
    HandleStop,
    /// `suggest_thread_pool_size`.
    Suggest(u8),
    /// `is_running`, `delayed_calls`, `now`.
    Inspect,
    /// `defer_to_thread_pool` of a job with this end, with this callback. The pool has two workers; jobs block until
    /// they are finished.
    Defer(JobEnd, Body<Op>),
    /// One of the running jobs ends, and its result is posted, before this returns.
    FinishJob(Nth),
    /// The Deferred of a job is cancelled and dropped.
    CancelJob(Nth),
    /// A panic, out of whatever runs this.
    Panic,
}

/// When a trigger runs, and what it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    pub phase: TriggerPhase,
    pub event: EventName,
    pub result: TriggerResult,
}

/// A phase of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerPhase {
    Before,
    During,
    After,
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventName {
    /// The program's own. (The variants are in the order of the names, in which unrun triggers are dropped.)
    Alarm,
    Shutdown,
    Startup,
}

/// What a trigger returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerResult {
    Fine,
    Refuse,
    /// A Deferred, for `Resolve` and `Abandon` to name.
    Wait,
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    Fine,
    Refuse,
    Panic,
}

impl Operation for Op {
    const BODY: usize = 7;
    const SCRIPT: usize = 48;
}

code!(Op, |byte| byte % 28, {
    0 "turn" () = [Op::Turn],
    1 "post" (closure: Closure) = [Op::Post(closure)],
    2 "later" (delay: Delay, closure: Closure) = [Op::Later(delay, closure)],
    3 "cancel" (nth: Nth) = [Op::Cancel(nth)],
    4 "reset" (nth: Nth, delay: Delay) = [Op::Reset(nth, delay)],
    5 "postpone" (nth: Nth, delay: Delay) = [Op::Postpone(nth, delay)],
    6 "advance" (delay: Delay) = [Op::Advance(delay)],
    7 "own" (on_drop: OnDrop<Op>) = [Op::Own(on_drop)],
    8 "drop-owner" (nth: Nth) = [Op::DropOwner(nth)],
    9 "leave" (nth: Nth) = [Op::Leave(nth)],
    10 "into-inner" (nth: Nth) = [Op::IntoInner(nth)],
    11 "with" (nth: Nth, closure: Closure) = [Op::With(nth, closure)],
    12 "call" (nth: Nth, closure: Closure) = [Op::Call(nth, closure)],
    13 "release" (nth: Nth) = [Op::Release(nth)],
    14 "add-trigger" (trigger: Trigger, closure: Closure) = [Op::AddTrigger(trigger, closure)],
    15 "remove-trigger" (nth: Nth) = [Op::RemoveTrigger(nth)],
    16 "fire-event" () = [Op::FireEvent],
    17 "resolve" (nth: Nth, well: bool) = [Op::Resolve(nth, well)],
    18 "abandon" (nth: Nth) = [Op::Abandon(nth)],
    19 "when-running" (closure: Closure) = [Op::WhenRunning(closure)],
    20 "stop" () = [Op::Stop],
    21 "handle-stop" () = [Op::HandleStop],
    22 "suggest" (size: u8) = [Op::Suggest(size)],
    23 "inspect" () = [Op::Inspect],
    24 "defer" (end: JobEnd, callback: Body<Op>) = [Op::Defer(end, callback)],
    25 "finish-job" (nth: Nth) = [Op::FinishJob(nth)],
    26 "cancel-job" (nth: Nth) = [Op::CancelJob(nth)],
    27 "panic" () = [Op::Panic],
});

code!(Ending, |byte| byte % 3, {
    0 "drop" () = [Ending::Drop],
    1 "turn-out" () = [Ending::TurnOut],
    2 "run" () = [Ending::Run],
});

code!(TriggerPhase, |byte| byte % 3, {
    0 "before" () = [TriggerPhase::Before],
    1 "during" () = [TriggerPhase::During],
    2 "after" () = [TriggerPhase::After],
});

code!(EventName, |byte| byte % 3, {
    0 "alarm" () = [EventName::Alarm],
    1 "shutdown" () = [EventName::Shutdown],
    2 "startup" () = [EventName::Startup],
});

code!(TriggerResult, |byte| byte % 3, {
    0 "fine" () = [TriggerResult::Fine],
    1 "refuse" () = [TriggerResult::Refuse],
    2 "wait" () = [TriggerResult::Wait],
});

code!(JobEnd, |byte| byte % 3, {
    0 "fine" () = [JobEnd::Fine],
    1 "refuse" () = [JobEnd::Refuse],
    2 "panic" () = [JobEnd::Panic],
});

/// All three in one byte, as digits of base three.
impl Code for Trigger {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        let byte = bytes.byte();
        Self {
            phase: Code::decode(&mut Decoder::new(&[byte])),
            event: Code::decode(&mut Decoder::new(&[byte / 3])),
            result: Code::decode(&mut Decoder::new(&[byte / 9])),
        }
    }

    fn encode(&self, bytes: &mut Encoder) {
        bytes.put(self.phase as u8 + 3 * self.event as u8 + 9 * self.result as u8);
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        Some(Self { phase: Code::read(text)?, event: Code::read(text)?, result: Code::read(text)? })
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.phase, self.event, self.result)
    }
}
