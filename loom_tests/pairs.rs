//! What can happen to a pool, two at a time: each pair meets in a model, and the ledger says in which.
//!
//! A model says what it races in a comment above it: `// Races: submit × stop`. One that is not run every time does not count.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What can happen to a pool while something else does.
const EVENTS: [&str; 7] = ["submit", "grow", "shrink", "stop", "cancel", "keep-alive", "failed start"];

const HEAD: &str = "
# What meets what in a pool

| The two | Models |
|---|---|
";

/// Which models race two events.
type Meetings = BTreeMap<(&'static str, &'static str), Vec<String>>;

/// The part of the ledger that says which pairs meet where.
pub fn table(sources: &Path) -> String {
    let meetings = meetings(sources);
    let mut text = HEAD.to_owned();
    for (one, other) in pairs() {
        let Some(models) = meetings.get(&(one, other)) else { continue };
        let models: Vec<_> = models.iter().map(|model| format!("`{model}`")).collect();
        writeln!(text, "| {one} × {other} | {} |", models.join(", ")).expect("a string takes all");
    }
    text
}

/// Any two, in the order of the events, and each with itself.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    EVENTS.iter().enumerate().flat_map(|(place, one)| EVENTS.iter().skip(place).map(move |other| (*one, *other)))
}

fn meetings(sources: &Path) -> Meetings {
    let mut files: Vec<_> = fs::read_dir(sources)
        .expect("the models are beside the ledger")
        .map(|file| file.expect("and can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    let mut meetings = Meetings::new();
    for path in files {
        let module = path.file_stem().expect("it has an extension").to_string_lossy().into_owned();
        read(&module, &fs::read_to_string(&path).expect("a source is text"), &mut meetings);
    }
    meetings
}

/// Notes the races of one source.
fn read(module: &str, source: &str, meetings: &mut Meetings) {
    let mut races = Vec::new();
    for line in source.lines() {
        if let Some(said) = line.strip_prefix("// Races: ") {
            races = said.split(", ").map(pair).collect();
        } else if line.starts_with("#[ignore") {
            races.clear();
        } else if let Some(test) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            for pair in races.drain(..) {
                meetings.entry(pair).or_default().push(format!("{module}::{test}"));
            }
        }
    }
}

fn pair(said: &str) -> (&'static str, &'static str) {
    let in_either_order = |&(one, other): &(&str, &str)| {
        said.split_once(" × ").is_some_and(|both| both == (one, other) || both == (other, one))
    };
    pairs().find(in_either_order).unwrap_or_else(|| panic!("{said:?} is no pair of {EVENTS:?}"))
}

// Checks: P13
#[test]
fn any_two_things_that_can_happen_to_a_pool_meet_in_a_model() {
    let meetings = meetings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("loom_tests"));
    let missing: Vec<_> = pairs().filter(|pair| pair.0 != pair.1 && !meetings.contains_key(pair)).collect();
    assert!(missing.is_empty(), "no model races {missing:?}");
}
