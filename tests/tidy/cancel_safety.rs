//! Whatever can be awaited or given up says in its documentation what becomes of the thing that was waited for.
//!
//! The scan finds each public function that returns a Deferred or takes a timeout, and each public future. Its
//! documentation has a paragraph "**Cancel safety.**", or that of its type has, or (for a method of `LocalHandle`) the
//! method of `Reactor`, or the list says which item has it.
//!
//! Checks: P97

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::spec::sources;

const PARAGRAPH: &str = "**Cancel safety.**";

/// Items whose own documentation has no such paragraph, and the item that has it for them.
const SAID_BY: &[(&str, &str)] = &[
    ("LoopingCall::start_later", "LoopingCall::start"),
    ("Settled::into_deferred", "Deferred"),
    ("defer_to_thread_pool", "defer_to_thread"),
    ("execute", "Deferred"),
    ("gather_results", "DeferredList"),
    ("maybe_deferred", "Deferred"),
    ("race", "DeferredList"),
];

/// Not public, though their functions are `pub` for the files beside them.
const PRIVATE: &[&str] = &["src/runtime/inbox.rs", "src/runtime/oneshot.rs"];

#[test]
fn whatever_can_be_given_up_says_what_becomes_of_what_was_waited_for() {
    let items = items();
    let item_says = |name: &str| items.get(name).is_some_and(|item| item.says);
    let says = |name: &str| match name.split_once("::") {
        None => item_says(name),
        Some(("LocalHandle", method)) => item_says(name) || item_says(&format!("Reactor::{method}")),
        Some((of, _)) => item_says(name) || item_says(of),
    };
    let mut problems = Vec::new();
    for (name, _) in items.iter().filter(|(name, item)| item.awaited && !says(name)) {
        match SAID_BY.iter().find(|(known, _)| known == name) {
            None => problems.push(format!("{name} can be given up, and its documentation has no {PARAGRAPH}")),
            Some((_, by)) if !says(by) => problems.push(format!("{by} has no {PARAGRAPH}, which {name} relies on")),
            Some(_) => {}
        }
    }
    for (known, _) in SAID_BY {
        if says(known) || !items.get(*known).is_some_and(|item| item.awaited) {
            problems.push(format!("{known} needs nobody to say it: take it off the list"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// A public function or type, by its name: a method's is `Type::method`.
#[derive(Default)]
struct Item {
    awaited: bool,
    /// Its documentation has the paragraph.
    says: bool,
}

fn items() -> BTreeMap<String, Item> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    let mut futures = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for path in sources(&root.join("src/runtime")) {
        let text = fs::read_to_string(&path).unwrap();
        if PRIVATE.iter().any(|private| path.ends_with(private)) {
            continue;
        }
        let (mut of, mut says) = (None, false);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let code = line.trim_start();
            if let Some(header) = line.strip_prefix("impl") {
                let header = until_body(header, &mut lines);
                of = implementor(&header);
                if ["Future for", "IntoFuture for"].iter().any(|of_trait| header.contains(of_trait)) {
                    futures.extend(of.clone());
                }
            } else if line == "}" {
                of = None;
            }
            match code {
                _ if code.starts_with("///") => says |= code.contains(PARAGRAPH),
                _ if code.starts_with("#[") => {}
                _ => {
                    if let Some(name) = code.strip_prefix("pub fn ").map(first_word) {
                        let awaited = can_be_given_up(&until_body(code, &mut lines), name);
                        let name = of.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("::");
                        items.insert(name, Item { awaited, says });
                    } else if let Some(name) = code.strip_prefix("pub struct ").map(first_word) {
                        items.insert(name.to_owned(), Item { awaited: false, says });
                    }
                    says = false;
                }
            }
        }
    }
    for future in futures {
        items.entry(future).and_modify(|item| item.awaited = true);
    }
    items
}

/// The line and those after it, up to the body that begins there.
pub fn until_body<'a>(line: &str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut header = line.to_owned();
    while !header.trim_end().ends_with(['{', ';', '}']) {
        let Some(line) = lines.next() else { break };
        header.push(' ');
        header.push_str(line);
    }
    header
}

/// The type of an `impl`, whose generics and trait are left out.
pub fn implementor(header: &str) -> Option<String> {
    let header = header.split(" where ").next()?.trim_end_matches('{').trim();
    let header = match header.strip_prefix('<') {
        Some(generics) => {
            let mut open = 1_usize;
            let end = generics.char_indices().find(|(at, char)| {
                open += usize::from(*char == '<');
                open -= usize::from(*char == '>' && !generics[..*at].ends_with(['-', '=']));
                open == 0
            });
            &generics[end?.0 + 1..]
        }
        None => header,
    };
    let of = header.rsplit_once(" for ").map_or(header, |(_, of)| of);
    Some(first_word(of.trim()).to_owned())
}

pub fn first_word(text: &str) -> &str {
    text.split(|char: char| !char.is_alphanumeric() && char != '_').next().unwrap_or_default()
}

/// Whether this function returns a Deferred or a future, or stops waiting after a time.
fn can_be_given_up(signature: &str, name: &str) -> bool {
    let signature = signature.split(" where ").next().unwrap();
    let (parameters, returns) = signature.rsplit_once("->").unwrap_or((signature, ""));
    ["Deferred<", "Future<", "CancelOnDrop<"].iter().any(|awaited| returns.contains(awaited))
        || ["timeout: Duration", "timeout: Option<Duration>"].iter().any(|limit| parameters.contains(limit))
        || name.contains("blocking_call")
}
