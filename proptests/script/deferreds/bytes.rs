//! Programs over Deferreds as bytes: any bytes are a program, and any program that is not too deep or too wide has bytes.
//!
//! Written as the reactor's are: one byte for the kind of operation, then its arguments. A callback ends with one byte for what it returns, and one more if that
//! is a Deferred. The kinds that were there first take all bytes but the last sixteen, by turns, and so inputs that were found then are still what they were.

use super::super::bytes::{BODY, DEPTH, Reader, SCRIPT, WORDS, Writer};
use super::program::{Deed, End, Ending, Hook, Kind, Op, Program, Sent, Side};
use crate::script::program::Nth;

/// Members of a list, at most.
const MEMBERS: usize = 3;
/// The first of the kinds that are about locks, semaphores and queues.
const ROOMS: u8 = 240;
/// All limits are below this.
const LIMIT: u8 = 4;

/// The program that these bytes are.
pub fn decode(bytes: &[u8]) -> Program {
    let mut reader = Reader(bytes);
    let ending = match reader.byte() % 3 {
        0 => Ending::Abandon,
        1 => Ending::Forget,
        _ => Ending::Fire,
    };
    let mut script = Vec::new();
    while !reader.0.is_empty() && script.len() < SCRIPT {
        script.push(reader.deferred_op(0));
    }
    Program { script, ending }
}

/// The bytes of a program. What is too deep or too wide to be written is left out.
pub fn encode(program: &Program) -> Vec<u8> {
    let mut writer = Writer(vec![program.ending as u8]);
    for op in program.script.iter().take(SCRIPT) {
        writer.deferred_op(op, 0);
    }
    writer.0
}

impl Reader<'_> {
    fn deferred_ops(&mut self, count: usize, depth: usize) -> Vec<Op> {
        (0..count).map(|_| self.deferred_op(depth)).collect()
    }

    fn deferred_deed(&mut self, depth: usize) -> Deed {
        if depth == DEPTH {
            return Deed::default();
        }
        let lengths = usize::from(self.byte());
        let body = self.deferred_ops(lengths & BODY, depth + 1);
        let words = self.deferred_ops(lengths >> 3 & WORDS, depth + 1);
        Deed { body, words }
    }

    fn hook(&mut self, depth: usize) -> Hook {
        let deed = self.deferred_deed(depth);
        let end = match self.byte() % 4 {
            0 => End::Pass,
            1 => End::Value,
            2 => End::Error,
            _ => End::Await(self.nth()),
        };
        Hook { deed, end }
    }

    fn nths(&mut self) -> Vec<Nth> {
        (0..usize::from(self.byte()) & MEMBERS).map(|_| self.nth()).collect()
    }

    fn sent(&mut self) -> Sent {
        match self.byte() % 3 {
            0 => Sent::Value,
            1 => Sent::Error,
            _ => Sent::Await(self.nth()),
        }
    }

    fn deferred_op(&mut self, depth: usize) -> Op {
        let kind = self.byte();
        if kind >= ROOMS {
            return self.room_op(kind - ROOMS, depth);
        }
        match kind % 30 {
            0 => Op::New(None),
            1 => Op::New(Some(self.deferred_deed(depth))),
            2 => Op::Born(true),
            3 => Op::Born(false),
            4 => {
                let nth = self.nth();
                Op::Fire(nth, self.sent())
            }
            5 => Op::Abandon(self.nth()),
            6 => {
                let nth = self.nth();
                Op::Add(nth, Side::Value(self.hook(depth)))
            }
            7 => {
                let nth = self.nth();
                Op::Add(nth, Side::Error(self.hook(depth)))
            }
            8 => {
                let nth = self.nth();
                Op::Add(nth, Side::Both(self.hook(depth)))
            }
            9 => {
                let (nth, one) = (self.nth(), self.hook(depth));
                Op::Add(nth, Side::Either(one, self.hook(depth)))
            }
            10 => Op::Cancel(self.nth()),
            11 => Op::Take(self.nth()),
            12 => Op::Drop(self.nth()),
            13 => Op::Log(self.nth()),
            14 => Op::Look(self.nth()),
            15 => Op::Advance(self.delay()),
            16 => Op::Timeout(self.nth(), self.delay(), None),
            17 => {
                let (nth, delay) = (self.nth(), self.delay());
                Op::Timeout(nth, delay, Some(self.hook(depth)))
            }
            18 => Op::Chain(self.nth(), self.nth()),
            19 => Op::Pause(self.nth()),
            20 => Op::Unpause(self.nth()),
            21 => Op::Grip(self.nth()),
            22 => Op::Tighten(self.nth()),
            23 => Op::Loosen(self.nth()),
            24 => Op::Ungrip(self.nth()),
            25 => Op::List(Kind::All, self.nths()),
            26 => Op::List(Kind::Gather, self.nths()),
            27 => Op::List(Kind::First, self.nths()),
            28 => Op::List(Kind::Race, self.nths()),
            _ => Op::Panic,
        }
    }

    fn room_op(&mut self, kind: u8, depth: usize) -> Op {
        match kind % 7 {
            0 => Op::Room(self.byte() % LIMIT),
            1 => Op::Acquire(self.nth()),
            2 => Op::Release(self.nth()),
            3 => {
                let nth = self.nth();
                Op::Run(nth, self.hook(depth))
            }
            4 => Op::Shelf(self.byte() % LIMIT, self.byte() % LIMIT),
            5 => Op::Put(self.nth()),
            _ => Op::Get(self.nth()),
        }
    }
}

impl Writer {
    fn deferred_deed(&mut self, deed: &Deed, depth: usize) {
        if depth == DEPTH {
            return;
        }
        let (body, words) = (&deed.body[..deed.body.len().min(BODY)], &deed.words[..deed.words.len().min(WORDS)]);
        self.put(&[(body.len() | words.len() << 3) as u8]);
        for op in body.iter().chain(words) {
            self.deferred_op(op, depth + 1);
        }
    }

    fn hook(&mut self, Hook { deed, end }: &Hook, depth: usize) {
        self.deferred_deed(deed, depth);
        match end {
            End::Pass => self.put(&[0]),
            End::Value => self.put(&[1]),
            End::Error => self.put(&[2]),
            End::Await(nth) => self.put(&[3, nth.0]),
        }
    }

    fn deferred_op(&mut self, op: &Op, depth: usize) {
        match op {
            Op::New(None) => self.put(&[0]),
            Op::New(Some(canceller)) => {
                self.put(&[1]);
                self.deferred_deed(canceller, depth);
            }
            Op::Born(true) => self.put(&[2]),
            Op::Born(false) => self.put(&[3]),
            Op::Fire(nth, Sent::Value) => self.put(&[4, nth.0, 0]),
            Op::Fire(nth, Sent::Error) => self.put(&[4, nth.0, 1]),
            Op::Fire(nth, Sent::Await(other)) => self.put(&[4, nth.0, 2, other.0]),
            Op::Abandon(nth) => self.put(&[5, nth.0]),
            Op::Add(nth, side) => {
                let (kind, one, other) = match side {
                    Side::Value(one) => (6, one, None),
                    Side::Error(one) => (7, one, None),
                    Side::Both(one) => (8, one, None),
                    Side::Either(one, other) => (9, one, Some(other)),
                };
                self.put(&[kind, nth.0]);
                self.hook(one, depth);
                if let Some(other) = other {
                    self.hook(other, depth);
                }
            }
            Op::Cancel(nth) => self.put(&[10, nth.0]),
            Op::Take(nth) => self.put(&[11, nth.0]),
            Op::Drop(nth) => self.put(&[12, nth.0]),
            Op::Log(nth) => self.put(&[13, nth.0]),
            Op::Look(nth) => self.put(&[14, nth.0]),
            Op::Advance(delay) => self.put(&[15, delay.0]),
            Op::Timeout(nth, delay, None) => self.put(&[16, nth.0, delay.0]),
            Op::Timeout(nth, delay, Some(hook)) => {
                self.put(&[17, nth.0, delay.0]);
                self.hook(hook, depth);
            }
            Op::Chain(nth, other) => self.put(&[18, nth.0, other.0]),
            Op::Pause(nth) => self.put(&[19, nth.0]),
            Op::Unpause(nth) => self.put(&[20, nth.0]),
            Op::Grip(nth) => self.put(&[21, nth.0]),
            Op::Tighten(nth) => self.put(&[22, nth.0]),
            Op::Loosen(nth) => self.put(&[23, nth.0]),
            Op::Ungrip(nth) => self.put(&[24, nth.0]),
            Op::List(kind, members) => {
                let members = &members[..members.len().min(MEMBERS)];
                self.put(&[25 + *kind as u8, members.len() as u8]);
                members.iter().for_each(|nth| self.put(&[nth.0]));
            }
            Op::Panic => self.put(&[29]),
            Op::Room(places) => self.put(&[ROOMS, *places]),
            Op::Acquire(nth) => self.put(&[ROOMS + 1, nth.0]),
            Op::Release(nth) => self.put(&[ROOMS + 2, nth.0]),
            Op::Run(nth, hook) => {
                self.put(&[ROOMS + 3, nth.0]);
                self.hook(hook, depth);
            }
            Op::Shelf(size, backlog) => self.put(&[ROOMS + 4, *size, *backlog]),
            Op::Put(nth) => self.put(&[ROOMS + 5, nth.0]),
            Op::Get(nth) => self.put(&[ROOMS + 6, nth.0]),
        }
    }
}
