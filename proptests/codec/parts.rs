//! What all programs are made of: numbers of things, lengths of time, closures, scripts.

use std::fmt;
use std::time::Duration;

use super::{Code, Decoder, Encoder, Text};

/// Closures in closures, at most: deeper ones are empty.
const DEPTH: usize = 4;
/// Things in a list, at most.
const MEMBERS: usize = 3;
/// Operations that a closure performs when it is dropped uncalled, at most.
const ON_DROP: usize = 3;
/// Operations of one thread, at most. All the low bits of the byte that says how many there are.
const STEPS: usize = 7;

/// An operation of a program.
pub trait Operation: Code + Clone + 'static {
    /// Operations in the body of a closure, at most. All the low bits of the byte that says how many there are.
    const BODY: usize;
    /// Operations in a script, at most.
    const SCRIPT: usize;
}

/// The nth thing of its kind, in the order they were made, counted round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nth(pub u8);

/// Milliseconds; the greatest number is all the time there is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Delay(pub u8);

/// A number below `Small::LIMIT`: a size that a program soon reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small(pub u8);

/// A script, and how it ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Program<Op, Ending> {
    pub script: Vec<Op>,
    pub ending: Ending,
}

/// Some things, `MEMBERS` at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members(pub Vec<Nth>);

/// A closure: the operations that it performs when it is called, and those when it is dropped uncalled.
#[derive(Clone, PartialEq, Eq)]
pub struct Closure<Op> {
    pub body: Vec<Op>,
    pub on_drop: Vec<Op>,
}

/// A closure that does nothing when it is dropped uncalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<Op>(pub Vec<Op>);

/// Operations that are performed one after the other, `STEPS` at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps<Op>(pub Vec<Op>);

/// A value that performs operations when it is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDrop<Op>(pub Vec<Op>);

impl Nth {
    /// Which of `count` it is.
    pub fn of(self, count: usize) -> Option<usize> {
        usize::from(self.0).checked_rem(count)
    }
}

impl Delay {
    pub fn duration(self) -> Duration {
        if self.0 == u8::MAX { Duration::MAX } else { Duration::from_millis(self.0.into()) }
    }
}

impl Small {
    pub const LIMIT: u8 = 4;
}

impl From<Small> for usize {
    fn from(small: Small) -> Self {
        small.0.into()
    }
}

impl<Op> Default for Closure<Op> {
    fn default() -> Self {
        Self { body: Vec::new(), on_drop: Vec::new() }
    }
}

/// A number that is one byte.
macro_rules! number {
    ($type:ident, $limited:expr) => {
        impl Code for $type {
            fn decode(bytes: &mut Decoder<'_>) -> Self {
                let limited: fn(u8) -> u8 = $limited;
                Self(limited(bytes.byte()))
            }

            fn encode(&self, bytes: &mut Encoder) {
                bytes.put(self.0);
            }

            fn read(text: &mut Text<'_>) -> Option<Self> {
                text.word()?.parse().ok().map(Self)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(Nth, |byte| byte);
number!(Delay, |byte| byte);
number!(Small, |byte| byte % Small::LIMIT);

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

impl Code for Members {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        Self((0..usize::from(bytes.byte()) & MEMBERS).map(|_| Nth::decode(bytes)).collect())
    }

    fn encode(&self, bytes: &mut Encoder) {
        let members = &self.0[..self.0.len().min(MEMBERS)];
        bytes.put(members.len() as u8);
        members.iter().for_each(|nth| nth.encode(bytes));
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        let mut members = Vec::new();
        loop {
            let mut rest = *text;
            let Some(nth) = Nth::read(&mut rest) else { return Some(Self(members)) };
            members.push(nth);
            *text = rest;
        }
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = self.0.iter().map(Nth::to_string).collect();
        f.write_str(&members.join(" "))
    }
}

/// One byte says how many operations there are: of the body in its low bits, and of the drop in the two next to them.
impl<Op: Operation> Code for Closure<Op> {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        if bytes.depth == DEPTH {
            return Self::default();
        }
        let lengths = usize::from(bytes.byte());
        bytes.depth += 1;
        let mut operations = |count| (0..count).map(|_| Op::decode(bytes)).collect();
        let body = operations(lengths & Op::BODY);
        let on_drop = operations(lengths >> Op::BODY.count_ones() & ON_DROP);
        bytes.depth -= 1;
        Self { body, on_drop }
    }

    fn encode(&self, bytes: &mut Encoder) {
        encode_closure(&self.body, &self.on_drop, bytes);
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        let body = read_block(text)?;
        let on_drop = if text.sees("or") {
            text.expect("or")?;
            read_block(text)?
        } else {
            Vec::new()
        };
        Some(Self { body, on_drop })
    }
}

/// One byte says how many there are.
impl<Op: Code> Code for Steps<Op> {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        Self((0..usize::from(bytes.byte()) & STEPS).map(|_| Op::decode(bytes)).collect())
    }

    fn encode(&self, bytes: &mut Encoder) {
        let steps = &self.0[..self.0.len().min(STEPS)];
        bytes.put(steps.len() as u8);
        steps.iter().for_each(|op| op.encode(bytes));
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        read_block(text).map(Self)
    }
}

impl<Op: fmt::Display> fmt::Display for Steps<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_block(&self.0, f)
    }
}

fn encode_closure<Op: Operation>(body: &[Op], on_drop: &[Op], bytes: &mut Encoder) {
    if bytes.depth == DEPTH {
        return;
    }
    let (body, on_drop) = (&body[..body.len().min(Op::BODY)], &on_drop[..on_drop.len().min(ON_DROP)]);
    bytes.put((body.len() | on_drop.len() << Op::BODY.count_ones()) as u8);
    bytes.depth += 1;
    body.iter().chain(on_drop).for_each(|op| op.encode(bytes));
    bytes.depth -= 1;
}

fn read_block<Op: Code>(text: &mut Text<'_>) -> Option<Vec<Op>> {
    text.expect("{")?;
    let mut operations = Vec::new();
    while !text.sees("}") {
        operations.push(Op::read(text)?);
        text.expect(";")?;
    }
    text.expect("}")?;
    Some(operations)
}

fn print_block<Op: fmt::Display>(operations: &[Op], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    operations.iter().try_for_each(|op| write!(f, " {op};"))?;
    f.write_str(" }")
}

impl<Op: fmt::Display> fmt::Display for Closure<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_block(&self.body, f)?;
        if self.on_drop.is_empty() {
            return Ok(());
        }
        f.write_str(" or ")?;
        print_block(&self.on_drop, f)
    }
}

impl<Op: fmt::Display> fmt::Debug for Closure<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Written as the closure of which it is a half.
macro_rules! half {
    ($type:ident, $half:ident, $encode:expr) => {
        impl<Op: Operation> Code for $type<Op> {
            fn decode(bytes: &mut Decoder<'_>) -> Self {
                Self(Closure::decode(bytes).$half)
            }

            fn encode(&self, bytes: &mut Encoder) {
                let encode: fn(&[Op], &mut Encoder) = $encode;
                encode(&self.0, bytes);
            }

            fn read(text: &mut Text<'_>) -> Option<Self> {
                read_block(text).map(Self)
            }
        }

        impl<Op: fmt::Display> fmt::Display for $type<Op> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print_block(&self.0, f)
            }
        }
    };
}

half!(Body, body, |body, bytes| encode_closure(body, &[], bytes));
half!(OnDrop, on_drop, |on_drop, bytes| encode_closure(&[], on_drop, bytes));

/// The ending is the first in bytes, for they may end anywhere in a script; and the last in text.
impl<Op: Operation, Ending: Code> Code for Program<Op, Ending> {
    fn decode(bytes: &mut Decoder<'_>) -> Self {
        let ending = Ending::decode(bytes);
        Self { script: script::decode(bytes), ending }
    }

    fn encode(&self, bytes: &mut Encoder) {
        self.ending.encode(bytes);
        script::encode(&self.script, bytes);
    }

    fn read(text: &mut Text<'_>) -> Option<Self> {
        let script = script::read(text);
        text.expect("end")?;
        Some(Self { script, ending: Ending::read(text)? })
    }
}

impl<Op: fmt::Display, Ending: fmt::Display> fmt::Display for Program<Op, Ending> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        script::print(&self.script, f)?;
        write!(f, "end {}", self.ending)
    }
}

/// A failing program is printed as it can be read back.
impl<Op: fmt::Display, Ending: fmt::Display> fmt::Debug for Program<Op, Ending> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The operations of a whole program, one after the other.
pub mod script {
    use super::*;

    /// What is left of the bytes.
    pub fn decode<Op: Operation>(bytes: &mut Decoder<'_>) -> Vec<Op> {
        let mut script = Vec::new();
        while !bytes.is_empty() && script.len() < Op::SCRIPT {
            script.push(Op::decode(bytes));
        }
        script
    }

    pub fn encode<Op: Operation>(script: &[Op], bytes: &mut Encoder) {
        script.iter().take(Op::SCRIPT).for_each(|op| op.encode(bytes));
    }

    /// Each operation with a semicolon behind it.
    pub fn print<Op: fmt::Display>(script: &[Op], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        script.iter().try_for_each(|op| write!(f, "{op}; "))
    }

    /// All operations that have a semicolon behind them.
    pub fn read<Op: Operation>(text: &mut Text<'_>) -> Vec<Op> {
        let mut script = Vec::new();
        loop {
            let mut rest = *text;
            let Some(op) = Op::read(&mut rest).filter(|_| rest.expect(";").is_some()) else { return script };
            script.push(op);
            *text = rest;
        }
    }
}
