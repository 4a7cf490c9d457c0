//! A program: what is done to a pool whose workers have no threads, as data, so that it can be generated, shrunk, and
//! written as bytes and as text.

use std::fmt;

use crate::codec::{self, Body, Code, Decoder, Encoder, Nth, Operation, Small, Text, code, script};

/// A job: what it does when it is run, and when it is dropped unrun.
pub type Closure = codec::Closure<Op>;

/// A pool, and what is done to it. Whatever is left is run to its end afterwards.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    pub config: Config,
    pub script: Vec<Op>,
}

/// How the pool is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    pub sizes: Sizes,
    /// The most jobs that may wait; any number, if zero.
    pub bound: Small,
    /// The most workers that are started in the place of blocked ones.
    pub compensation: Small,
    /// Idle workers above the minimum end when time passes.
    pub keeps_alive: bool,
}

/// A target: at least `min`, and at most so many `more`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub min: Small,
    pub more: Small,
}

/// One operation. Those that name a thing (`Nth`) do nothing while there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `start`.
    Start,
    /// A job is submitted.
    Submit(Way, Closure),
    /// `Ticket::cancel`.
    Cancel(Nth),
    /// `Stepper::step`.
    Step,
    /// `Stepper::step_worker`.
    StepWorker(Nth),
    /// `adjust_pool_size`.
    Resize(Sizes),
    /// So much time passes that every keep-alive is over.
    Expire,
    /// The next so many workers cannot be started.
    FailStarts(Small),
    /// `ask_to_stop`, with or without cancelling what waits.
    Stop(bool),
    /// A region of `threads::blocked`.
    Block(Body<Op>),
    /// Idle workers wake for no reason.
    WakeSpuriously,
    /// A panic, out of the job that does it.
    Panic,
}

/// By which method a job is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `call_in_thread`.
    Plain,
    /// `call_in_thread_with_callback`.
    WithCallback,
    /// `call_in_thread_ticketed`.
    Ticketed,
    /// `submit` of a job that waits for a slot: nobody can make room meanwhile, so its time is over at once.
    Waiting,
}

impl Sizes {
    pub fn min(self) -> usize {
        self.min.0.into()
    }

    pub fn max(self) -> usize {
        usize::from(self.min.0) + usize::from(self.more.0)
    }
}

impl Operation for Op {
    const BODY: usize = 3;
    const SCRIPT: usize = 64;
}

/// The second of two bytes that mean `Step`.
const STEP_TOO: u8 = 1;

code!(Op, |byte| if byte % 16 == STEP_TOO { 0 } else { byte % 16 }, {
    0 "step" () = [Op::Step],
    2 "step-worker" (nth: Nth) = [Op::StepWorker(nth)],
    3 "start" () = [Op::Start],
    4 "submit-plain" (job: Closure) = [Op::Submit(Way::Plain, job)],
    5 "submit-with-callback" (job: Closure) = [Op::Submit(Way::WithCallback, job)],
    6 "submit-ticketed" (job: Closure) = [Op::Submit(Way::Ticketed, job)],
    7 "submit-waiting" (job: Closure) = [Op::Submit(Way::Waiting, job)],
    8 "cancel" (nth: Nth) = [Op::Cancel(nth)],
    9 "resize" (sizes: Sizes) = [Op::Resize(sizes)],
    10 "expire" () = [Op::Expire],
    11 "fail-starts" (count: Small) = [Op::FailStarts(count)],
    12 "stop" (cancels: bool) = [Op::Stop(cancels)],
    13 "block" (body: Body<Op>) = [Op::Block(body)],
    14 "wake-spuriously" () = [Op::WakeSpuriously],
    15 "panic" () = [Op::Panic],
});

impl Code for Sizes {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        Self { min: Code::decode(bytes), more: Code::decode(bytes) }
    }

    fn encode(&self, bytes: &mut Encoder) {
        self.min.encode(bytes);
        self.more.encode(bytes);
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        Some(Self { min: Code::read(text)?, more: Code::read(text)? })
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.min, self.more)
    }
}

/// Four bytes; the last holds two numbers.
impl Code for Config {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        let (sizes, bound, last) = (Code::decode(bytes), Code::decode(bytes), bytes.byte());
        Self { sizes, bound, compensation: Small(last % Small::LIMIT), keeps_alive: last / Small::LIMIT % 2 == 1 }
    }

    fn encode(&self, bytes: &mut Encoder) {
        self.sizes.encode(bytes);
        self.bound.encode(bytes);
        bytes.put(self.compensation.0 + Small::LIMIT * u8::from(self.keeps_alive));
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        let (sizes, bound) = (Code::read(text)?, Code::read(text)?);
        Some(Self { sizes, bound, compensation: Code::read(text)?, keeps_alive: Code::read(text)? })
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.sizes, self.bound, self.compensation, self.keeps_alive)
    }
}

impl Code for Program {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        Self { config: Config::decode(bytes), script: script::decode(bytes) }
    }

    fn encode(&self, bytes: &mut Encoder) {
        self.config.encode(bytes);
        script::encode(&self.script, bytes);
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        text.expect("pool")?;
        let config = Config::read(text)?;
        text.expect(";")?;
        let script = script::read(text);
        text.expect("end")?;
        Some(Self { config, script })
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pool {}; ", self.config)?;
        script::print(&self.script, f)?;
        f.write_str("end")
    }
}

/// A failing program is printed as it can be read back.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
