//! Programs over Deferreds read back from the text that they are printed as.

use std::str::FromStr;

use crate::script::deferreds::program::{Deed, End, Ending, Hook, Kind, Op, Program, Sent, Side};
use crate::script::program::{Delay, Nth};

/// A program, of one operation a line, and its end in the last.
///
/// # Panics
/// This is not a program.
pub fn program(text: &str) -> Program {
    let (script, ending) = text.trim().rsplit_once("end ").expect("a program says how it ends");
    let ending = match ending {
        "abandon" => Ending::Abandon,
        "forget" => Ending::Forget,
        "fire" => Ending::Fire,
        other => panic!("no ending: {other}"),
    };
    Program { script: script.lines().filter(|line| !line.is_empty()).map(op).collect(), ending }
}

/// One operation.
///
/// # Panics
/// This is none.
pub fn op(line: &str) -> Op {
    let spaced = line.replace(';', " ; ");
    let mut words = Words { line, rest: spaced.split_whitespace().collect() };
    words.rest.reverse();
    let op = words.op();
    assert!(words.rest.is_empty(), "something is left of `{line}`: {:?}", words.rest);
    op
}

/// What is left of a line, the next word last.
struct Words<'a> {
    line: &'a str,
    rest: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        self.rest.pop().unwrap_or_else(|| panic!("`{}` breaks off", self.line))
    }

    fn sees(&self, word: &str) -> bool {
        self.rest.last().is_some_and(|next| *next == word)
    }

    fn expect(&mut self, word: &str) {
        let next = self.next();
        assert_eq!(next, word, "in `{}`", self.line);
    }

    fn number<N: FromStr>(&mut self) -> N {
        let word = self.next();
        word.parse().unwrap_or_else(|_| panic!("no number in `{}`: {word}", self.line))
    }

    fn nth(&mut self) -> Nth {
        Nth(self.number())
    }

    /// As many as there are.
    fn nths(&mut self) -> Vec<Nth> {
        let mut nths = Vec::new();
        while self.rest.last().is_some_and(|next| next.parse::<u8>().is_ok()) {
            nths.push(self.nth());
        }
        nths
    }

    fn ops(&mut self) -> Vec<Op> {
        self.expect("{");
        let mut ops = Vec::new();
        while !self.sees("}") {
            ops.push(self.op());
            self.expect(";");
        }
        self.expect("}");
        ops
    }

    fn deed(&mut self) -> Deed {
        let body = self.ops();
        let mut words = Vec::new();
        if self.sees("or") {
            self.expect("or");
            words = self.ops();
        }
        Deed { body, words }
    }

    fn hook(&mut self) -> Hook {
        let deed = self.deed();
        let end = match self.next() {
            "pass" => End::Pass,
            "value" => End::Value,
            "error" => End::Error,
            "await" => End::Await(self.nth()),
            other => panic!("a callback cannot return {other}"),
        };
        Hook { deed, end }
    }

    fn sent(&mut self) -> Sent {
        match self.next() {
            "value" => Sent::Value,
            "error" => Sent::Error,
            "await" => Sent::Await(self.nth()),
            other => panic!("nothing can be fired with {other}"),
        }
    }

    fn op(&mut self) -> Op {
        match self.next() {
            "new" if self.sees("{") => Op::New(Some(self.deed())),
            "new" => Op::New(None),
            "succeed" => Op::Born(true),
            "fail" => Op::Born(false),
            "fire" => Op::Fire(self.nth(), self.sent()),
            "abandon" => Op::Abandon(self.nth()),
            "callback" => Op::Add(self.nth(), Side::Value(self.hook())),
            "errback" => Op::Add(self.nth(), Side::Error(self.hook())),
            "both" => Op::Add(self.nth(), Side::Both(self.hook())),
            "either" => {
                let (nth, hook) = (self.nth(), self.hook());
                self.expect("else");
                Op::Add(nth, Side::Either(hook, self.hook()))
            }
            "timeout" => {
                let (nth, delay) = (self.nth(), Delay(self.number()));
                let hook = self.sees("{").then(|| self.hook());
                Op::Timeout(nth, delay, hook)
            }
            "chain" => Op::Chain(self.nth(), self.nth()),
            "all" => Op::List(Kind::All, self.nths()),
            "gather" => Op::List(Kind::Gather, self.nths()),
            "first" => Op::List(Kind::First, self.nths()),
            "race" => Op::List(Kind::Race, self.nths()),
            "cancel" => Op::Cancel(self.nth()),
            "pause" => Op::Pause(self.nth()),
            "unpause" => Op::Unpause(self.nth()),
            "grip" => Op::Grip(self.nth()),
            "tighten" => Op::Tighten(self.nth()),
            "loosen" => Op::Loosen(self.nth()),
            "ungrip" => Op::Ungrip(self.nth()),
            "take" => Op::Take(self.nth()),
            "drop" => Op::Drop(self.nth()),
            "log" => Op::Log(self.nth()),
            "look" => Op::Look(self.nth()),
            "advance" => Op::Advance(Delay(self.number())),
            "room" => Op::Room(self.number()),
            "acquire" => Op::Acquire(self.nth()),
            "release" => Op::Release(self.nth()),
            "run" => {
                let nth = self.nth();
                Op::Run(nth, self.hook())
            }
            "shelf" => Op::Shelf(self.number(), self.number()),
            "put" => Op::Put(self.nth()),
            "get" => Op::Get(self.nth()),
            "panic" => Op::Panic,
            other => panic!("no operation: {other}"),
        }
    }
}
