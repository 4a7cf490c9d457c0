//! Finds every place in `src/` where code of a program is called, and demands that a site claims it.
//!
//! A place is a function of a file. It calls code of a program if it calls a function that contains panics, or calls a
//! closure, or a method of a trait that programs implement.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::sites;
use super::tokens::tokens;

/// Functions that contain a panic.
const CONTAIN: &[&str] = &["contain", "catch", "catch_failure", "catch_unwind", "drop_contained", "wake_contained"];

/// Methods of traits that programs implement.
const METHODS: &[&str] = &["settle", "settle_as", "raise", "poll"];

/// What looks like a call of a closure and is none, or is one that this crate made.
const WORDS: &[&str] =
    &["if", "while", "match", "for", "return", "in", "let", "move", "as", "break", "fn", "crate", "drop"];

/// Functions that call no code of a program by themselves, and why the scan finds them.
const OWN: &[(&str, &[&str])] = &[
    (
        "the closure is a step of a machine",
        &[
            "runtime/oneshot settle",
            "runtime/pool/blocked update",
            "runtime/pool/cancel_token transition_with",
            "runtime/pool/thread_ends step",
            "runtime/reactor/timers move_to",
        ],
    ),
    (
        "it runs what its callers give it, and those are places",
        &[
            "runtime/deferred/node handler",
            "runtime/pool/blocked run_as_job",
            "runtime/pool/cancel_token without_current_token",
            "runtime/pool/hooks nest",
            "runtime/pool/submit with_context",
            "runtime/pool/thread_ends spawn_worker",
            "runtime/pool/worker run_worker",
            "runtime/reactor/around_turns nest",
            "runtime/reactor/around_turns run_around",
            "runtime/reactor/owned with",
            "runtime/reactor/owned with_value",
            "runtime/reactor/triggers carry_out",
            "runtime/report at_depth",
            "runtime/report contain",
            "runtime/report drop_contained",
            "runtime/report report_and_drop",
            "sync/std catch",
            "sync/std spawn",
        ],
    ),
    ("it is a test, which is to fail by its panics", &["runtime/testing/schedules schedules"]),
    (
        "the closure is this crate's",
        &[
            "error/deferred of",
            "runtime/deferred/effect_queue run",
            "runtime/deferred/head abandon",
            "runtime/deferred/node read_position",
            "runtime/deferred/pause unpause",
            "runtime/deferred/waiter waiter",
            "runtime/pool/at_rest ask",
            "runtime/pool/at_rest notify_rest_waiters",
            "runtime/pool/control resize",
            "runtime/pool/job_queue take_job",
            "runtime/pool/limits job_starts",
            "runtime/pool/slot_watch tell_watcher",
            "runtime/pool/thread_ends carry_out",
            "runtime/pool/thread_ends ending",
            "runtime/pool/thread_ends tell",
            "runtime/pool/thread_pool when_stopped",
            "runtime/pool/worker_threads start_worker",
            "runtime/reactor/reactor call_later_kept",
            "runtime/reactor/slot_queue leave",
            "runtime/reactor/slot_queue offer",
            "runtime/reactor/slot_queue told",
            "runtime/task/cooperator/steps when_done",
            "runtime/threads/watch start_notice",
            "runtime/typed_queue drain",
            "runtime/typed_queue empty_like",
            "sync/spin spin_until",
            "sync/spin wait",
            "sync/spin yield_until",
            "sync/std check",
            "sync/std check_on_threads",
            "sync/std drop",
            "thread_value with",
        ],
    ),
    (
        "it is a second net: what it calls contains the code of programs",
        &["runtime/deferred/cancel cancel_all", "runtime/deferred/effect_queue run_contained"],
    ),
    (
        "the method is this crate's",
        &[
            "runtime/deferred/outcome settle_as",
            "runtime/deferred/resolver chain_deferred",
            "runtime/oneshot drop",
            "runtime/oneshot fire",
            "runtime/oneshot send",
            "runtime/testing/reactor advance",
            "runtime/testing/reactor block_on",
            "runtime/testing/reactor block_on",
            "runtime/reactor/ask poll",
            "runtime/reactor/send_future poll",
        ],
    ),
];

// Checks: P96
#[test]
fn every_place_that_calls_a_programs_code_belongs_to_a_site() {
    let found = places();
    let claimed: BTreeSet<&str> = sites::all().flat_map(|site| site.places).copied().collect();
    let own: BTreeSet<&str> = OWN.iter().flat_map(|(_, places)| *places).copied().collect();
    let mut problems = Vec::new();
    for (place, calls) in &found {
        if !claimed.contains(place.as_str()) && !own.contains(place.as_str()) {
            problems.push(format!("{place} calls {calls:?}: no site of the matrix claims it"));
        }
    }
    for place in claimed.union(&own).filter(|place| !found.contains_key(**place)) {
        problems.push(format!("{place} calls no code of a program any more"));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// All places, each with the names of what it calls.
fn places() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files(&src) {
        let name = path.strip_prefix(&src).unwrap().with_extension("").to_string_lossy().replace('\\', "/");
        // The machines know no code of a program.
        let only_models = ["loom", "sync/loom", "sync/trace"].iter().any(|prefix| name.starts_with(prefix));
        if name.ends_with("tests") || name.starts_with("machine/") || only_models {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let tokens = tokens(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
        // What is called so everywhere makes one step of a machine, which its caller gives it as a closure.
        for (function, call) in calls(&tokens).into_iter().filter(|(function, _)| function != "transition") {
            places.entry(format!("{name} {function}")).or_default().insert(call);
        }
    }
    places
}

/// What a file imports, its functions that are no methods, and the closures that it makes itself: a call of one of
/// these is no call of a program's closure.
fn functions(tokens: &[String]) -> BTreeSet<&str> {
    let (mut names, mut depth, mut imports) = (BTreeSet::new(), 0, false);
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            // Not that of `impl Trait + use<T>`.
            "use" => imports = tokens[at + 1] != "<",
            ";" => imports = false,
            "{" => depth += 1,
            "}" => depth -= 1,
            "fn" if depth == 0 => drop(names.insert(tokens[at + 1].as_str())),
            "let" if tokens[at + 2] == "=" && ["|", "move"].contains(&tokens[at + 3].as_str()) => {
                names.insert(tokens[at + 1].as_str());
            }
            name if imports => drop(names.insert(name)),
            _ => {}
        }
    }
    names
}

/// The calls of a program's code in a file, each with the function that it stands in.
fn calls(tokens: &[String]) -> Vec<(String, String)> {
    let functions = functions(tokens);
    let (mut found, mut open, mut depth, mut declared) = (Vec::new(), Vec::<(String, usize)>::new(), 0, None);
    for (at, token) in tokens.iter().enumerate() {
        let neighbour = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", String::as_str);
        let (before, after) = (neighbour(at.checked_sub(1)), neighbour(Some(at + 1)));
        match token.as_str() {
            "fn" if after != "(" => declared = Some(after.to_owned()),
            "{" => {
                depth += 1;
                open.extend(declared.take().map(|name| (name, depth)));
            }
            "}" => {
                open.pop_if(|(_, opened)| *opened == depth);
                depth -= 1;
            }
            ";" => declared = None,
            _ => {}
        }
        let Some((function, _)) = open.last().filter(|_| declared.is_none() && after == "(") else { continue };
        let call = token.as_str();
        let is_name = call.starts_with(|first: char| first.is_lowercase() || first == '_') && !WORDS.contains(&call);
        let is_closure = is_name && ![".", "::", "fn", "["].contains(&before) && !functions.contains(call);
        let is_field = call == ")";
        if is_closure || is_field || CONTAIN.contains(&call) || (before == "." && METHODS.contains(&call)) {
            found.push((function.clone(), if is_field { "a field".to_owned() } else { call.to_owned() }));
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
