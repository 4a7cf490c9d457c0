//! Z3 as a process that is spoken to in SMT-LIB.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::symbol::{Condition, Model, Unknowns, unknowns_since};

/// A running solver, with a stack of assertions.
pub struct Solver {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    declared: Unknowns,
    /// What is to be sent with the next question.
    pending: String,
    /// How many questions were asked.
    pub checks: u64,
}

impl Solver {
    /// # Errors
    /// Z3 cannot be started.
    pub fn start() -> std::io::Result<Self> {
        let mut process =
            Command::new("z3").args(["-in", "-smt2"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let to = process.stdin.take().expect("stdin is piped");
        let from = BufReader::new(process.stdout.take().expect("stdout is piped"));
        // A declaration outlives the level of the stack on which it was made.
        let pending = "(set-option :global-declarations true)(set-logic QF_LIA)".into();
        Ok(Self { process, to, from, declared: Unknowns::default(), pending, checks: 0 })
    }

    /// Asserts a condition on a new level of the stack.
    pub fn push(&mut self, condition: Condition) {
        self.declare();
        self.pending += "(push)(assert ";
        self.pending += &condition.smt();
        self.pending += ")\n";
    }

    pub fn pop(&mut self, levels: usize) {
        if levels > 0 {
            self.pending += &format!("(pop {levels})\n");
        }
    }

    /// Values with which all that is asserted holds, if there are any.
    pub fn check(&mut self) -> Option<Model> {
        self.checks += 1;
        self.declare();
        self.pending += "(check-sat)\n";
        match self.answer().as_str() {
            "unsat" => None,
            "sat" => Some(self.model()),
            other => panic!("Z3 was asked whether a state can be, and says: {other}"),
        }
    }

    fn declare(&mut self) {
        let Unknowns { ints, bools } = unknowns_since(&self.declared);
        ints.iter().for_each(|name| self.pending += &format!("(declare-const |{name}| Int)"));
        bools.iter().for_each(|name| self.pending += &format!("(declare-const |{name}| Bool)"));
        self.declared.ints.extend(ints);
        self.declared.bools.extend(bools);
    }

    fn model(&mut self) -> Model {
        let mut model = Model::default();
        let Unknowns { ints, bools } = self.declared.clone();
        self.pending += "(get-value (";
        for name in ints.iter().chain(&bools) {
            self.pending += &format!("|{name}| ");
        }
        self.pending += "))\n";
        let text = self.answer();
        for (name, value) in values(&text) {
            if let Some(known) = ints.iter().find(|known| **known == name) {
                model.ints.insert(known, value.parse().expect("an integer has a number"));
            } else if let Some(known) = bools.iter().find(|known| **known == name) {
                model.bools.insert(known, value == "true");
            }
        }
        model
    }

    /// Sends what is pending, and reads one answer: a word, or what is between two brackets.
    fn answer(&mut self) -> String {
        let asked = std::mem::take(&mut self.pending);
        self.to.write_all(asked.as_bytes()).and_then(|()| self.to.flush()).expect("Z3 takes what it is asked");
        let mut answer = String::new();
        loop {
            let read = self.from.read_line(&mut answer).expect("Z3 answers");
            assert!(read > 0, "Z3 has ended; it was asked {asked}");
            let depth = answer.chars().fold(0, |depth, each| depth + i32::from(each == '(') - i32::from(each == ')'));
            if depth == 0 {
                return answer.trim().into();
            }
        }
    }
}

impl Drop for Solver {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// The pairs of `((|a name| 3) (|another| (- 1)) (plain true))`.
fn values(text: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '|' => rest[1..].find('|').map_or(rest.len(), |end| end + 2),
            '(' | ')' => 1,
            _ if first.is_whitespace() => 1,
            _ => rest.find(|each: char| each.is_whitespace() || "()".contains(each)).unwrap_or(rest.len()),
        };
        let word = rest[..length].trim();
        if !word.is_empty() && !"()".contains(word) {
            words.push(word.trim_matches('|').to_string());
        }
        rest = &rest[length..];
    }
    let mut pairs = Vec::new();
    let mut words = words.into_iter();
    while let Some(name) = words.next() {
        let Some(value) = words.next() else { break };
        let value =
            if value == "-" { words.next().map_or_else(String::new, |value| format!("-{value}")) } else { value };
        pairs.push((name, value));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn an_answer_is_read_into_names_and_values() {
        let pairs = values("((|a name| 3)\n (|another| (- 1)) (plain true))");
        let expected = [("a name", "3"), ("another", "-1"), ("plain", "true")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_string(), value.to_string())));
    }
}
