//! Each public function that returns something says whether that may be dropped.
//!
//! It has `#[must_use]`, or what it returns is of a type that the compiler warns of, or it is on the list, with the
//! reason. The functions are those of `docs/api.txt`, without the methods of traits, which the program writes, or which
//! nobody calls.
//!
//! Checks: P107

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::cancel_safety::{first_word, implementor, until_body};
use crate::spec::sources;

/// What a program may drop without a word, and why.
const MAY_BE_DROPPED: &[(&str, &[&str])] = &[
    (
        "what it has begun goes on without its handle, and a failure is reported",
        &[
            "Cooperator::coiterate",
            "Cooperator::cooperate",
            "LocalHandle::ask",
            "LocalHandle::defer_to_thread",
            "LocalHandle::defer_to_thread_pool",
            "LocalHandle::spawn",
            "Reactor::add_event_trigger",
            "Reactor::call_later",
            "Reactor::spawn",
            "defer_later",
        ],
    ),
    (
        "what was added to a chain runs whether or not somebody holds its end",
        &[
            "CancelOnDrop::into_inner",
            "Deferred::add_both",
            "Deferred::add_callback",
            "Deferred::add_callbacks",
            "Deferred::add_errback",
            "Deferred::add_timeout",
            "Deferred::add_timeout_with",
            "Deferred::fail",
            "Deferred::map",
            "Deferred::shared",
            "Deferred::succeed",
            "DeferredList::all",
            "DeferredList::fire_on_one",
            "DeferredList::fire_on_one_callback",
            "DeferredList::fire_on_one_errback",
            "DeferredLock::run",
            "DeferredSemaphore::run",
        ],
    ),
    (
        "it is called for its effect, and says what came of it",
        &[
            "Reactor::run",
            "Stepper::step",
            "Stepper::step_worker",
            "TestReactor::advance",
            "TestReactor::settle",
            "Ticket::cancel",
        ],
    ),
    ("it never returns", &["Panic::resume"]),
];

/// Types of std that the compiler warns of.
const OF_STD: &[&str] = &["Result", "Iterator", "Future"];

#[test]
fn each_public_function_says_whether_what_it_returns_may_be_dropped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let marked = marked(root);
    let functions = returning(&fs::read_to_string(root.join("docs/api.txt")).unwrap());
    assert!(functions.len() > 200 && marked.len() > 50, "the scan finds too little");
    let listed: BTreeSet<&str> = MAY_BE_DROPPED.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let mut problems = Vec::new();
    for (name, returned) in &functions {
        let warns =
            marked.contains(name) || returned.iter().any(|of| OF_STD.contains(&of.as_str()) || marked.contains(of));
        match (warns, listed.contains(name.as_str())) {
            (false, false) => problems.push(format!("{name}: `#[must_use]`, or a reason why not on the list")),
            (true, true) => problems.push(format!("{name}: the compiler warns, so take it off the list")),
            _ => {}
        }
    }
    let unknown = listed.iter().filter(|name| !functions.contains_key(**name));
    problems.extend(unknown.map(|name| format!("{name}: no such function returns anything")));
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Functions of the list of the public API that return something: the name, `Type::method` for a method, and the types
/// returned, several for a tuple.
fn returning(api: &str) -> BTreeMap<String, Vec<String>> {
    let mut functions = BTreeMap::new();
    let mut of_trait = false;
    for line in api.lines() {
        if line.starts_with("impl") || line.starts_with("pub trait ") {
            of_trait = line.split(" where ").next().unwrap().contains(" for ") || line.contains("pub trait ");
        }
        let function = line.split_once("fn ").filter(|(before, _)| !of_trait && before.starts_with("pub "));
        let Some((path, rest)) = function.and_then(|(_, function)| function.split_once('(')) else { continue };
        let path = without_generics(path);
        let names: Vec<_> = path.rsplit("::").take(2).collect();
        let of_type = names[1].starts_with(char::is_uppercase).then_some(names[1]);
        if let Some(returned) = after_arguments(rest).strip_prefix(" -> ") {
            let name = of_type.into_iter().chain([names[0]]).collect::<Vec<_>>().join("::");
            let returned = without_generics(returned.split(" where ").next().unwrap());
            let types = returned.trim_matches(['(', ')']).split(", ");
            let types = types.map(|of| match of.rsplit("::").next().unwrap() {
                "Self" => of_type.unwrap_or_default().to_owned(),
                of => first_word(of).to_owned(),
            });
            functions.insert(name, types.collect());
        }
    }
    functions
}

/// What follows the parenthesis that closes the arguments.
fn after_arguments(text: &str) -> &str {
    let mut open = 1;
    let end = text.find(|char| {
        open += i32::from(char == '(') - i32::from(char == ')');
        open == 0
    });
    &text[end.unwrap() + 1..]
}

fn without_generics(text: &str) -> String {
    let mut open = 0;
    let mut previous = ' ';
    let kept = text.chars().filter(|char| {
        let closes = *char == '>' && previous != '-';
        previous = *char;
        open += i32::from(*char == '<');
        let kept = open == 0;
        open -= i32::from(closes);
        kept
    });
    kept.collect()
}

/// Functions and types that have `#[must_use]`.
fn marked(root: &Path) -> BTreeSet<String> {
    let mut marked = BTreeSet::new();
    for path in sources(&root.join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let (mut of, mut has_mark) = (None, false);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let code = line.trim_start();
            if let Some(header) = line.strip_prefix("impl") {
                of = implementor(&until_body(header, &mut lines));
            } else if line == "}" {
                of = None;
            }
            if code.starts_with("#[must_use") {
                has_mark = true;
            } else if !code.starts_with("//") && !code.starts_with("#[") {
                let code = code.replace("const fn ", "fn ");
                if let Some(name) = code.strip_prefix("pub fn ").filter(|_| has_mark) {
                    let name = of.as_deref().into_iter().chain([first_word(name)]).collect::<Vec<_>>();
                    marked.insert(name.join("::"));
                } else if let Some(name) = ["pub struct ", "pub enum "].iter().find_map(|item| code.strip_prefix(item))
                    && has_mark
                {
                    marked.insert(first_word(name).to_owned());
                }
                has_mark = false;
            }
        }
    }
    marked
}
