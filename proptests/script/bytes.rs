//! Programs as bytes: any bytes are a program, and any program that is not too deep or too wide has bytes.
//!
//! One byte for the kind of operation, then its arguments, a byte each. A closure begins with a byte that says how many operations its body has (the
//! three low bits) and how many its last words (the next two). Where the bytes end, everything that is still expected is zero or empty.

use super::program::{Deed, Delay, Ending, Nth, Occasion, Op, Program, Verdict, When, Work};

/// Closures in closures, at most: deeper ones are empty.
pub const DEPTH: usize = 4;
/// Operations in a body, at most.
pub const BODY: usize = 7;
/// Operations in last words, at most.
pub const WORDS: usize = 3;
/// Operations in a script, at most.
pub const SCRIPT: usize = 48;

/// The program that these bytes are.
pub fn decode(bytes: &[u8]) -> Program {
    let mut reader = Reader(bytes);
    let ending = match reader.byte() % 3 {
        0 => Ending::Drop,
        1 => Ending::TurnOut,
        _ => Ending::Run,
    };
    let mut script = Vec::new();
    while !reader.0.is_empty() && script.len() < SCRIPT {
        script.push(reader.op(0));
    }
    Program { script, ending }
}

/// The bytes of a program. What is too deep or too wide to be written is left out.
pub fn encode(program: &Program) -> Vec<u8> {
    let mut writer = Writer(vec![match program.ending {
        Ending::Drop => 0,
        Ending::TurnOut => 1,
        Ending::Run => 2,
    }]);
    for op in program.script.iter().take(SCRIPT) {
        writer.op(op, 0);
    }
    writer.0
}

/// What is left of the bytes.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(super) fn nth(&mut self) -> Nth {
        Nth(self.byte())
    }

    pub(super) fn delay(&mut self) -> Delay {
        Delay(self.byte())
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
        let words = self.ops(lengths >> 3 & WORDS, depth + 1);
        Deed { body, words }
    }

    fn op(&mut self, depth: usize) -> Op {
        match self.byte() % 28 {
            0 => Op::Turn,
            1 => Op::Post(self.deed(depth)),
            2 => Op::Later(self.delay(), self.deed(depth)),
            3 => Op::Cancel(self.nth()),
            4 => Op::Reset(self.nth(), self.delay()),
            5 => Op::Postpone(self.nth(), self.delay()),
            6 => Op::Advance(self.delay()),
            7 => Op::Own(self.deed(depth).words),
            8 => Op::Disown(self.nth()),
            9 => Op::Leave(self.nth()),
            10 => Op::TakeBack(self.nth()),
            11 => Op::Visit(self.nth(), self.deed(depth)),
            12 => Op::Call(self.nth(), self.deed(depth)),
            13 => Op::Release(self.nth()),
            14 => {
                let kind = self.byte();
                Op::On(when(kind), occasion(kind / 3), self.deed(depth), verdict(kind / 9))
            }
            15 => Op::Remove(self.nth()),
            16 => Op::Fire,
            17 => {
                let nth = self.nth();
                Op::Resolve(nth, self.byte() % 2 == 1)
            }
            18 => Op::Abandon(self.nth()),
            19 => Op::WhenRunning(self.deed(depth)),
            20 => Op::Stop,
            21 => Op::AskStop,
            22 => Op::Suggest(self.byte()),
            23 => Op::Look,
            24 => {
                let work = work(self.byte());
                Op::Defer(work, self.deed(depth).body)
            }
            25 => Op::LetGo(self.nth()),
            26 => Op::CancelJob(self.nth()),
            _ => Op::Panic,
        }
    }
}

fn when(kind: u8) -> When {
    [When::Before, When::During, When::After][usize::from(kind % 3)]
}

fn occasion(kind: u8) -> Occasion {
    [Occasion::Alarm, Occasion::Shutdown, Occasion::Startup][usize::from(kind % 3)]
}

fn verdict(kind: u8) -> Verdict {
    [Verdict::Fine, Verdict::Refuse, Verdict::Wait][usize::from(kind % 3)]
}

fn work(kind: u8) -> Work {
    [Work::Fine, Work::Refuse, Work::Panic][usize::from(kind % 3)]
}

/// The bytes so far.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn deed(&mut self, body: &[Op], words: &[Op], depth: usize) {
        if depth == DEPTH {
            return;
        }
        let (body, words) = (&body[..body.len().min(BODY)], &words[..words.len().min(WORDS)]);
        self.put(&[(body.len() | words.len() << 3) as u8]);
        for op in body.iter().chain(words) {
            self.op(op, depth + 1);
        }
    }

    fn op(&mut self, op: &Op, depth: usize) {
        match op {
            Op::Turn => self.put(&[0]),
            Op::Post(deed) => self.closure(&[1], deed, depth),
            Op::Later(delay, deed) => self.closure(&[2, delay.0], deed, depth),
            Op::Cancel(nth) => self.put(&[3, nth.0]),
            Op::Reset(nth, delay) => self.put(&[4, nth.0, delay.0]),
            Op::Postpone(nth, delay) => self.put(&[5, nth.0, delay.0]),
            Op::Advance(delay) => self.put(&[6, delay.0]),
            Op::Own(words) => {
                self.put(&[7]);
                self.deed(&[], words, depth);
            }
            Op::Disown(nth) => self.put(&[8, nth.0]),
            Op::Leave(nth) => self.put(&[9, nth.0]),
            Op::TakeBack(nth) => self.put(&[10, nth.0]),
            Op::Visit(nth, deed) => self.closure(&[11, nth.0], deed, depth),
            Op::Call(nth, deed) => self.closure(&[12, nth.0], deed, depth),
            Op::Release(nth) => self.put(&[13, nth.0]),
            Op::On(when, occasion, deed, verdict) => {
                self.closure(&[14, *when as u8 + 3 * *occasion as u8 + 9 * *verdict as u8], deed, depth);
            }
            Op::Remove(nth) => self.put(&[15, nth.0]),
            Op::Fire => self.put(&[16]),
            Op::Resolve(nth, well) => self.put(&[17, nth.0, u8::from(*well)]),
            Op::Abandon(nth) => self.put(&[18, nth.0]),
            Op::WhenRunning(deed) => self.closure(&[19], deed, depth),
            Op::Stop => self.put(&[20]),
            Op::AskStop => self.put(&[21]),
            Op::Suggest(size) => self.put(&[22, *size]),
            Op::Look => self.put(&[23]),
            Op::Defer(work, body) => {
                self.put(&[24, *work as u8]);
                self.deed(body, &[], depth);
            }
            Op::LetGo(nth) => self.put(&[25, nth.0]),
            Op::CancelJob(nth) => self.put(&[26, nth.0]),
            Op::Panic => self.put(&[27]),
        }
    }

    fn closure(&mut self, head: &[u8], deed: &Deed, depth: usize) {
        self.put(head);
        self.deed(&deed.body, &deed.words, depth);
    }
}
