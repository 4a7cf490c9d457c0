//! Pairs of events of a pool: each pair races in some model, and the ledger lists in which.
//!
//! A comment above a model says what it races: `// Races: submit × stop`. Ignored models do not count.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Events that can happen to a pool at the same time.
const EVENTS: [&str; 7] = ["submit", "grow", "shrink", "stop", "cancel", "keep-alive", "failed start"];

const HEAD: &str = "
# Which events of a pool race in which model

| Events | Models |
|---|---|
";

/// The models that race each pair of events.
type Races = BTreeMap<(&'static str, &'static str), Vec<String>>;

/// The part of the ledger that lists the pairs.
pub fn table(sources: &Path) -> String {
    let races = races(sources);
    let mut text = HEAD.to_owned();
    for (one, other) in pairs() {
        let Some(models) = races.get(&(one, other)) else { continue };
        let models: Vec<_> = models.iter().map(|model| format!("`{model}`")).collect();
        writeln!(text, "| {one} × {other} | {} |", models.join(", ")).expect("a string takes all");
    }
    text
}

/// All pairs, in the order of `EVENTS`; an event may race another of its kind.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    EVENTS.iter().enumerate().flat_map(|(place, one)| EVENTS.iter().skip(place).map(move |other| (*one, *other)))
}

fn races(sources: &Path) -> Races {
    let mut files: Vec<_> = fs::read_dir(sources)
        .expect("the models are beside the ledger")
        .map(|file| file.expect("and can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    let mut races = Races::new();
    for path in files {
        let module = path.file_stem().expect("it has an extension").to_string_lossy().into_owned();
        read(&module, &fs::read_to_string(&path).expect("a source is text"), &mut races);
    }
    races
}

/// Adds the races of one source file.
fn read(module: &str, source: &str, races: &mut Races) {
    let mut above = Vec::new();
    for line in source.lines() {
        if let Some(listed) = line.strip_prefix("// Races: ") {
            above = listed.split(", ").map(pair).collect();
        } else if let Some(test) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            for pair in above.drain(..) {
                races.entry(pair).or_default().push(format!("{module}::{test}"));
            }
        }
    }
}

fn pair(text: &str) -> (&'static str, &'static str) {
    let in_either_order = |&(one, other): &(&str, &str)| {
        text.split_once(" × ").is_some_and(|both| both == (one, other) || both == (other, one))
    };
    pairs().find(in_either_order).unwrap_or_else(|| panic!("{text:?} is not a pair of {EVENTS:?}"))
}

// Checks: P13
#[test]
fn every_pair_of_events_races_in_a_model() {
    let races = races(&Path::new(env!("CARGO_MANIFEST_DIR")).join("loom_tests"));
    let missing: Vec<_> = pairs().filter(|pair| pair.0 != pair.1 && !races.contains_key(pair)).collect();
    assert!(missing.is_empty(), "no model races {missing:?}");
}
