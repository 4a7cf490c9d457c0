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

/// Which models race two events, in the order of the events.
type Meetings = BTreeMap<(usize, usize), Vec<String>>;

/// The part of the ledger that says which pairs meet where.
pub fn table(sources: &Path) -> String {
    let mut text = HEAD.to_owned();
    for ((one, other), models) in meetings(sources) {
        let models: Vec<_> = models.iter().map(|model| format!("`{model}`")).collect();
        writeln!(text, "| {} × {} | {} |", EVENTS[one], EVENTS[other], models.join(", ")).expect("a string takes all");
    }
    text
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

fn pair(said: &str) -> (usize, usize) {
    let event = |name: &str| EVENTS.iter().position(|event| *event == name);
    let both = said.split_once(" × ").and_then(|(one, other)| Some((event(one)?, event(other)?)));
    let (one, other) = both.unwrap_or_else(|| panic!("{said:?} is no pair of {EVENTS:?}"));
    (one.min(other), one.max(other))
}

// Checks: P13
#[test]
fn any_two_things_that_can_happen_to_a_pool_meet_in_a_model() {
    let meetings = meetings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("loom_tests"));
    let all = (0..EVENTS.len()).flat_map(|other| (0..other).map(move |one| (one, other)));
    let missing: Vec<_> = all
        .filter(|pair| !meetings.contains_key(pair))
        .map(|(one, other)| format!("{} × {}", EVENTS[one], EVENTS[other]))
        .collect();
    assert!(missing.is_empty(), "no model races {missing:?}");
}
