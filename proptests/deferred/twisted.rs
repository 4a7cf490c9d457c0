//! Traces of a few hundred programs on Twisted's own Deferreds, recorded by `proptests/twisted/record`, against those
//! here.

use std::fmt::Write;

use selvedge::report::Incident;

use crate::codec::read;
use crate::deferred_script::actual;
use crate::deferred_script::program::{Ending, Program};
use crate::deferred_script::trace::{Answer, ErrorKind, Event, Given};

/// A program, and what happened.
struct Case {
    name: &'static str,
    program: Program,
    happened: &'static str,
}

/// The cases of a file: each begins after an empty line, some with a name, and ends with its trace.
fn cases(file: &'static str) -> Vec<Case> {
    let blocks = file.split("\n\n").skip(1).map(|block| {
        let (text, happened) = block.split_once("\n-> ").expect("a case says what happened");
        let (name, ops) = match text.strip_prefix("# ") {
            Some(named) => named.split_once('\n').expect("a program behind the name"),
            None => ("", text),
        };
        let program = Program { script: ops.lines().map(read).collect(), ending: Ending::Fire };
        Case { name, program, happened: happened.trim() }
    });
    blocks.collect()
}

/// The trace in the form of Twisted's: without drops, which Twisted does not show, and with unhandled errors at the
/// end, since Twisted reports them whenever they are garbage-collected.
fn written(trace: &[Event]) -> String {
    let mut text = String::new();
    let mut unhandled = Vec::new();
    for event in trace {
        let _ = match event {
            Event::Began(id, given) => write!(text, "{id}({} ", written_given(*given)),
            Event::Ended(_) => write!(text, ") "),
            Event::Answered(answer) => write!(text, "={} ", written_answer(*answer)),
            Event::Report(Incident::Unhandled, why) => {
                unhandled.push(written_error(*why));
                Ok(())
            }
            Event::Report(Incident::Logged, why) => write!(text, "log {} ", written_error(*why)),
            Event::Report(incident, why) => write!(text, "{incident:?} {} ", written_error(*why)),
            Event::Dropped(_) => Ok(()),
        };
    }
    unhandled.sort();
    format!("{text}| {}", unhandled.join(" ")).trim_end().to_owned()
}

fn written_given(given: Given) -> String {
    match given {
        Given::Nothing => String::new(),
        Given::Value(id) => format!("v{id}"),
        Given::Error(why) => written_error(why),
    }
}

fn written_error(why: ErrorKind) -> String {
    match why {
        ErrorKind::Own(id) => format!("e{id}"),
        ErrorKind::TimedOut(_) => "timedout".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn written_answer(answer: Answer) -> String {
    match answer {
        Answer::Result(given) => written_given(given),
        Answer::NotPaused => "unpaired".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

// Checks: B49, B50, B51, B52, B53, B56, B57, B58, B59, B60, B61, B62, B63, B64
#[test]
fn each_program_comes_to_what_twisted_makes_of_it() {
    let cases = cases(include_str!("../twisted/cases.txt"));
    assert!(cases.len() >= 700, "there are {} cases", cases.len());
    let mut apart = String::new();
    for Case { program, happened, .. } in &cases {
        let here = written(&actual::run(program));
        if here != *happened {
            let _ = writeln!(apart, "{program}\n    Twisted: {happened}\n    here:    {here}\n");
        }
    }
    assert!(apart.is_empty(), "\n{apart}");
}

/// Where the two differ on purpose, the traces of both are recorded.
// Checks: P40
#[test]
fn where_it_differs_from_twisted_is_known_and_meant() {
    let cases = cases(include_str!("../twisted/differences.txt"));
    let mut found = String::new();
    for Case { name, program, happened } in &cases {
        let (there, here) = happened.split_once("\n=> ").expect("what happens here stands behind what happens there");
        assert_ne!(there, here, "{name}: no difference");
        let now = written(&actual::run(program));
        if now != here {
            let _ = writeln!(found, "{name}\n{program}\n    written: {here}\n    now:     {now}\n");
        }
    }
    assert!(found.is_empty(), "\n{found}");
}

// Checks: P40
#[test]
fn every_difference_is_explained() {
    let page = include_str!("../../docs/differences.md");
    for case in cases(include_str!("../twisted/differences.txt")) {
        assert!(page.contains(&format!("*{}*", case.name)), "docs/differences.md does not explain: {}", case.name);
    }
}
