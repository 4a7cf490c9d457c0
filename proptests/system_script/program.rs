//! A program over the whole system, as data, so that it can be generated, shrunk, and written as bytes and as text.

use std::fmt;

use crate::codec::{
    self, Body, Code, Decoder, Delay, Encoder, Members, Nth, OnDrop, Operation, Small, Steps, Text, code,
};
use crate::{deferred_script, pool_script, reactor_script};

pub type Closure = codec::Closure<Op>;

/// Pools, reactors, and threads that use them. Afterwards everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Whether a pool may be without workers for a while. If not, threads may wait for jobs.
    pub pauses: bool,
    pub first_pool: PoolSetup,
    pub second_pool: PoolSetup,
    pub first_reactor: ReactorSetup,
    pub second_reactor: ReactorSetup,
    /// Who acts next, when everything happens on one thread.
    pub turns: Turns,
    pub first_client: Client,
    pub second_client: Client,
    pub third_client: Client,
    pub fourth_client: Client,
}

/// What one thread does, one operation after the other.
pub type Client = Steps<Op>;

/// Numbers, one for each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turns(pub Vec<u8>);

/// Whether there is such a pool, and what it is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolSetup {
    None,
    /// So many workers at least, so many more at most, a bound of the queue (none, if zero), workers in the place of
    /// blocked ones, and whether it is started before it is used.
    Of(Small, Small, Small, Small, bool),
}

/// Whether there is such a reactor, and what it is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactorSetup {
    None,
    /// It runs. Its pool has so many workers at least and so many more at most; the inbox has a bound (none, if zero);
    /// its pool ends so.
    Runs(Small, Small, Small, Policy),
    /// The same, in a loop that its wake hook wakes.
    Hosted(Small, Small, Small, Policy),
}

/// `StopPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Drain,
    CancelQueued,
    CancelAll,
}

/// One operation. Those that name a thing made before (`Nth`) do nothing while there is none, and those that only a
/// reactor's thread can do, do nothing elsewhere. What would wait for itself does not wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Yield,
    /// A call on a reactor.
    Post(Nth, PostWay, Closure),
    /// A job on a pool; the reactors' own come behind the others.
    Submit(Nth, SubmitWay, Closure),
    /// A panic, out of whatever runs this.
    Panic,
    /// `defer_to_thread_pool`, with this job and this callback.
    Defer(Nth, Closure, Closure),
    /// `call_later`.
    Later(Delay, Closure),
    /// `DelayedCall::cancel`.
    CancelTimer(Nth),
    /// `DelayedCall::reset`.
    ResetTimer(Nth, Delay),
    /// A Deferred, with a canceller, and its resolver.
    Make(Closure),
    /// A callback of a Deferred, and what it returns.
    Then(Nth, Returned, Closure),
    /// A Deferred is fired, with a value or an error.
    Fire(Nth, bool),
    /// A resolver is dropped.
    Abandon(Nth),
    CancelDeferred(Nth),
    DropDeferred(Nth),
    /// `gather_results`.
    Gather(Members),
    /// `add_timeout`.
    Timeout(Nth, Delay),
    /// `spawn` of a task that awaits a Deferred.
    Await(Nth, Closure),
    /// `spawn` of a task that a job wakes.
    AwaitJob(Nth, Closure),
    /// `call_when_running`.
    WhenRunning(Closure),
    /// `add_event_trigger`, of the shutdown; whether the shutdown has to wait for a Deferred of its.
    Trigger(Phase, bool, Closure),
    /// `own`.
    Own(OnDrop<Op>),
    /// `Owned`'s drop.
    DropOwner(Nth),
    /// `Address::call`.
    Call(Nth, Closure),
    /// `Address::release`.
    Release(Nth),
    /// `Ticket::cancel`.
    Cancel(Nth),
    /// `adjust_pool_size`: at least so many workers, at most so many more.
    Resize(Nth, Small, Small),
    StopPool(Nth, StopWay, Policy),
    StopReactor(Nth),
    /// The counts of a pool.
    Look(Nth),
    /// A region of `threads::blocked`.
    Blocked(Body<Op>),
    /// A whole program of another language, which is checked against that one's reference. Its pool, its reactor and
    /// its Deferreds live inside whatever performs this.
    Within(Script),
}

/// By which method a call is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostWay {
    /// `call_from_thread`.
    Plain,
    /// `call_from_thread_waiting`.
    Waiting,
    /// The same, with a timeout.
    WaitingAWhile,
    /// `blocking_call_from_thread`.
    Blocking,
    /// `blocking_call_from_thread_timeout`.
    BlockingAWhile,
    /// `ask`, awaited by a task; dropped after its first poll, where no reactor is.
    Ask,
    /// `defer_to_reactor`.
    Deferred,
}

/// By which method a job is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitWay {
    /// `call_in_thread`.
    Plain,
    /// The same, of a job that waits for a slot.
    Waiting,
    /// `call_in_thread_with_callback`.
    WithCallback,
    /// The same, and its end is waited for.
    Awaited,
    /// `call_in_thread_ticketed`.
    Ticketed,
    /// A job with a limit in the queue.
    Limited,
}

/// By which method a pool is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopWay {
    /// `ask_to_stop`.
    Ask,
    /// `stop_within`.
    Within,
    /// `stop_with`.
    Wait,
}

/// What a callback returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    Value,
    Error,
    /// A new Deferred, which waits.
    Deferred,
}

/// A phase of the shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Before,
    During,
    After,
}

/// A program of another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    Reactor(Body<reactor_script::program::Op>, reactor_script::program::Ending),
    Deferreds(Body<deferred_script::program::Op>, deferred_script::program::Ending),
    Pool(pool_script::program::Config, Body<pool_script::program::Op>),
}

impl Operation for Op {
    const BODY: usize = 3;
    const SCRIPT: usize = 7;
}

code!(Program, |_| 0, {
    0 "pauses" (
        pauses: bool,
        "pools" first_pool: PoolSetup,
        second_pool: PoolSetup,
        "reactors" first_reactor: ReactorSetup,
        second_reactor: ReactorSetup,
        "turns" turns: Turns,
        "clients" first_client: Client,
        second_client: Client,
        third_client: Client,
        fourth_client: Client
    ) = [Program {
        pauses, first_pool, second_pool, first_reactor, second_reactor, turns, first_client, second_client,
        third_client, fourth_client
    }],
});

code!(PoolSetup, |byte| u8::from(byte % 8 != 0), {
    0 "none" () = [PoolSetup::None],
    1 "pool" (min: Small, more: Small, bound: Small, compensation: Small, early: bool)
        = [PoolSetup::Of(min, more, bound, compensation, early)],
});

code!(ReactorSetup, |byte| match byte % 8 { 0 => 0, even if even % 2 == 0 => 2, _ => 1 }, {
    0 "none" () = [ReactorSetup::None],
    1 "runs" (min: Small, more: Small, bound: Small, policy: Policy) = [ReactorSetup::Runs(min, more, bound, policy)],
    2 "hosted" (min: Small, more: Small, bound: Small, policy: Policy)
        = [ReactorSetup::Hosted(min, more, bound, policy)],
});

// The first is the likeliest.
code!(Policy, |byte| byte % 4 % 3, {
    0 "drain" () = [Policy::Drain],
    1 "cancel-queued" () = [Policy::CancelQueued],
    2 "cancel-all" () = [Policy::CancelAll],
});

code!(Op, |byte| byte % 31, {
    0 "yield" () = [Op::Yield],
    1 "post" (nth: Nth, way: PostWay, closure: Closure) = [Op::Post(nth, way, closure)],
    2 "submit" (nth: Nth, way: SubmitWay, closure: Closure) = [Op::Submit(nth, way, closure)],
    3 "panic" () = [Op::Panic],
    4 "defer" (nth: Nth, job: Closure, callback: Closure) = [Op::Defer(nth, job, callback)],
    5 "later" (delay: Delay, closure: Closure) = [Op::Later(delay, closure)],
    6 "cancel-timer" (nth: Nth) = [Op::CancelTimer(nth)],
    7 "reset-timer" (nth: Nth, delay: Delay) = [Op::ResetTimer(nth, delay)],
    8 "make" (canceller: Closure) = [Op::Make(canceller)],
    9 "then" (nth: Nth, returned: Returned, closure: Closure) = [Op::Then(nth, returned, closure)],
    10 "fire" (nth: Nth, well: bool) = [Op::Fire(nth, well)],
    11 "abandon" (nth: Nth) = [Op::Abandon(nth)],
    12 "cancel-deferred" (nth: Nth) = [Op::CancelDeferred(nth)],
    13 "drop-deferred" (nth: Nth) = [Op::DropDeferred(nth)],
    14 "gather" (members: Members) = [Op::Gather(members)],
    15 "timeout" (nth: Nth, delay: Delay) = [Op::Timeout(nth, delay)],
    16 "await" (nth: Nth, closure: Closure) = [Op::Await(nth, closure)],
    17 "await-job" (nth: Nth, closure: Closure) = [Op::AwaitJob(nth, closure)],
    18 "when-running" (closure: Closure) = [Op::WhenRunning(closure)],
    19 "trigger" (phase: Phase, waits: bool, closure: Closure) = [Op::Trigger(phase, waits, closure)],
    20 "own" (on_drop: OnDrop<Op>) = [Op::Own(on_drop)],
    21 "drop-owner" (nth: Nth) = [Op::DropOwner(nth)],
    22 "call" (nth: Nth, closure: Closure) = [Op::Call(nth, closure)],
    23 "release" (nth: Nth) = [Op::Release(nth)],
    24 "cancel" (nth: Nth) = [Op::Cancel(nth)],
    25 "resize" (nth: Nth, min: Small, more: Small) = [Op::Resize(nth, min, more)],
    26 "stop-pool" (nth: Nth, way: StopWay, policy: Policy) = [Op::StopPool(nth, way, policy)],
    27 "stop-reactor" (nth: Nth) = [Op::StopReactor(nth)],
    28 "look" (nth: Nth) = [Op::Look(nth)],
    29 "blocked" (body: Body<Op>) = [Op::Blocked(body)],
    30 "within" (script: Script) = [Op::Within(script)],
});

code!(PostWay, |byte| byte % 8 % 7, {
    0 "plain" () = [PostWay::Plain],
    1 "waiting" () = [PostWay::Waiting],
    2 "waiting-a-while" () = [PostWay::WaitingAWhile],
    3 "blocking" () = [PostWay::Blocking],
    4 "blocking-a-while" () = [PostWay::BlockingAWhile],
    5 "ask" () = [PostWay::Ask],
    6 "deferred" () = [PostWay::Deferred],
});

code!(SubmitWay, |byte| byte % 8 % 6, {
    0 "plain" () = [SubmitWay::Plain],
    1 "waiting" () = [SubmitWay::Waiting],
    2 "with-callback" () = [SubmitWay::WithCallback],
    3 "awaited" () = [SubmitWay::Awaited],
    4 "ticketed" () = [SubmitWay::Ticketed],
    5 "limited" () = [SubmitWay::Limited],
});

code!(StopWay, |byte| byte % 3, {
    0 "ask" () = [StopWay::Ask],
    1 "within" () = [StopWay::Within],
    2 "wait" () = [StopWay::Wait],
});

code!(Returned, |byte| byte % 3, {
    0 "value" () = [Returned::Value],
    1 "error" () = [Returned::Error],
    2 "deferred" () = [Returned::Deferred],
});

code!(Phase, |byte| byte % 3, {
    0 "before" () = [Phase::Before],
    1 "during" () = [Phase::During],
    2 "after" () = [Phase::After],
});

code!(Script, |byte| byte % 3, {
    0 "reactor" (body: Body<reactor_script::program::Op>, "end" ending: reactor_script::program::Ending)
        = [Script::Reactor(body, ending)],
    1 "deferreds" (body: Body<deferred_script::program::Op>, "end" ending: deferred_script::program::Ending)
        = [Script::Deferreds(body, ending)],
    2 "pool" (config: pool_script::program::Config, body: Body<pool_script::program::Op>)
        = [Script::Pool(config, body)],
});

/// One byte says how many there are.
impl Code for Turns {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        Self((0..usize::from(bytes.byte()) & Self::MOST).map(|_| bytes.byte()).collect())
    }

    fn encode(&self, bytes: &mut Encoder) {
        let turns = &self.0[..self.0.len().min(Self::MOST)];
        bytes.put(turns.len() as u8);
        turns.iter().for_each(|turn| bytes.put(*turn));
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        let mut turns = Vec::new();
        loop {
            let mut rest = *text;
            let Some(turn) = u8::read(&mut rest) else { return Some(Self(turns)) };
            turns.push(turn);
            *text = rest;
        }
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let turns: Vec<String> = self.0.iter().map(u8::to_string).collect();
        f.write_str(&turns.join(" "))
    }
}

impl Turns {
    /// All the low bits of a byte.
    const MOST: usize = 63;
}

impl Program {
    pub fn pools(&self) -> [PoolSetup; 2] {
        [self.first_pool, self.second_pool]
    }

    pub fn reactors(&self) -> [ReactorSetup; 2] {
        [self.first_reactor, self.second_reactor]
    }

    pub fn clients(&self) -> [&[Op]; 4] {
        [&self.first_client.0, &self.second_client.0, &self.third_client.0, &self.fourth_client.0]
    }
}
