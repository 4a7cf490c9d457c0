//! Programs as bytes: any bytes are a program, and any program that is not too deep or too wide has bytes.
//!
//! Four bytes for the pool. Then for each operation one for its kind, and a byte for each of its arguments. A job begins with a byte that says how many
//! operations its body has (the two low bits) and how many its last words (the next two). Where the bytes end, everything that is still expected is zero or empty.

use super::program::{Deed, Nth, Op, Program, Sizes, Terms, Way};

/// Jobs in jobs, at most: deeper ones are empty.
pub const DEPTH: usize = 4;
/// Operations in a body or in last words, at most.
pub const BODY: usize = 3;
/// Operations in a script, at most.
pub const SCRIPT: usize = 64;
/// Sizes are small, so that they are reached.
pub const SIZE: u8 = 4;

/// The program that these bytes are.
pub fn decode(bytes: &[u8]) -> Program {
    let mut reader = Reader(bytes);
    let sizes = reader.sizes();
    let bound = reader.byte() % SIZE;
    let terms = reader.byte();
    let terms = Terms { sizes, bound, compensation: terms % SIZE, keeps_alive: terms / SIZE % 2 == 1 };
    let mut script = Vec::new();
    while !reader.0.is_empty() && script.len() < SCRIPT {
        script.push(reader.op(0));
    }
    Program { terms, script }
}

/// The bytes of a program. What is too deep or too wide to be written is left out.
pub fn encode(program: &Program) -> Vec<u8> {
    let Terms { sizes, bound, compensation, keeps_alive } = program.terms;
    let mut writer = Writer(vec![sizes.min, sizes.more, bound, compensation + SIZE * u8::from(keeps_alive)]);
    for op in program.script.iter().take(SCRIPT) {
        writer.op(op, 0);
    }
    writer.0
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn sizes(&mut self) -> Sizes {
        Sizes { min: self.byte() % SIZE, more: self.byte() % SIZE }
    }

    fn ops(&mut self, count: usize, depth: usize) -> Vec<Op> {
        (0..count).map(|_| self.op(depth)).collect()
    }

    fn deed(&mut self, depth: usize) -> Deed {
        if depth == DEPTH {
            return Deed::default();
        }
        let lengths = usize::from(self.byte());
        let body = self.ops(lengths & BODY, depth + 1);
        let words = self.ops(lengths >> 2 & BODY, depth + 1);
        Deed { body, words }
    }

    fn op(&mut self, depth: usize) -> Op {
        match self.byte() % 16 {
            0 | 1 => Op::Step,
            2 => Op::StepWorker(Nth(self.byte())),
            3 => Op::Start,
            4 => Op::Submit(Way::Plain, self.deed(depth)),
            5 => Op::Submit(Way::Told, self.deed(depth)),
            6 => Op::Submit(Way::Ticketed, self.deed(depth)),
            7 => Op::Submit(Way::Patient, self.deed(depth)),
            8 => Op::Cancel(Nth(self.byte())),
            9 => Op::Resize(self.sizes()),
            10 => Op::Expire,
            11 => Op::FailStarts(self.byte() % SIZE),
            12 => Op::Stop(self.byte() % 2 == 1),
            13 => Op::Block(self.deed(depth).body),
            14 => Op::Disturb,
            _ => Op::Panic,
        }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn deed(&mut self, body: &[Op], words: &[Op], depth: usize) {
        if depth == DEPTH {
            return;
        }
        let (body, words) = (&body[..body.len().min(BODY)], &words[..words.len().min(BODY)]);
        self.put(&[(body.len() | words.len() << 2) as u8]);
        for op in body.iter().chain(words) {
            self.op(op, depth + 1);
        }
    }

    fn op(&mut self, op: &Op, depth: usize) {
        match op {
            Op::Step => self.put(&[0]),
            Op::StepWorker(nth) => self.put(&[2, nth.0]),
            Op::Start => self.put(&[3]),
            Op::Submit(way, deed) => {
                self.put(&[4 + *way as u8]);
                self.deed(&deed.body, &deed.words, depth);
            }
            Op::Cancel(nth) => self.put(&[8, nth.0]),
            Op::Resize(sizes) => self.put(&[9, sizes.min, sizes.more]),
            Op::Expire => self.put(&[10]),
            Op::FailStarts(count) => self.put(&[11, *count]),
            Op::Stop(cancels) => self.put(&[12, u8::from(*cancels)]),
            Op::Block(body) => {
                self.put(&[13]);
                self.deed(body, &[], depth);
            }
            Op::Disturb => self.put(&[14]),
            Op::Panic => self.put(&[15]),
        }
    }
}
