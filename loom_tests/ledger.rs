//! The ledger: the number of iterations of each model, committed, so that a search that becomes smaller is seen.
//!
//! Checks: P13

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use crate::pairs;

/// Iterations of a model's two searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Without the chaos thread.
    pub calm: usize,
    /// With it; 0 if there is no such search.
    pub chaotic: usize,
}

/// A search of more iterations than this is long: `.ci/long` runs it, and `cargo test` does not.
pub const LONG: usize = 50_000;

/// Models run in parallel, and each may rewrite the whole file.
static FILE: Mutex<()> = Mutex::new(());

/// Fails unless a model's counts are those of its row. With `SELVEDGE_BLESS=1` it writes the row instead.
pub fn check(model: &str, counts: Counts) {
    let _file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rows = read();
    if env::var_os("SELVEDGE_BLESS").is_some_and(|bless| bless == "1") {
        rows.insert(model.to_owned(), counts);
        fs::write(path(), write(&rows)).expect("the ledger can be written");
        return;
    }
    let Some(&expected) = rows.get(model) else {
        panic!("the ledger has no row for {model}: {counts:?}. If it is a new model, run it with SELVEDGE_BLESS=1")
    };
    assert_eq!(
        counts, expected,
        "the search of {model} is not the one in the ledger. If that change is intended, run it with SELVEDGE_BLESS=1 \
         and say why in the commit"
    );
}

/// The iterations of a model's search with the chaos thread, if that search is long.
pub fn long_chaos(model: &str) -> Option<usize> {
    let _file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    read().get(model).map(|counts| counts.chaotic).filter(|&chaotic| chaotic > LONG)
}

/// The models that the ledger knows.
pub fn models() -> Vec<String> {
    read().into_keys().collect()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("loom_tests/LEDGER.md")
}

const HEAD: &str = "\
# Iterations of each model

Each search is exhaustive: no bound on preemptions, on iterations or on time. A model that explores only from a state
on, or up to one, says so. A different number means that the code, the model or loom has changed. After an intended
change, this writes the file: `SELVEDGE_BLESS=1 cargo test --features loom --test loom`

The second number is that of the search with spurious wakes: one more thread, the chaos thread, wakes all sleeping
threads once. `0` means that there is no such search, because it would be too large.

Searches of more than 50,000 iterations take ten seconds to minutes: `.ci/long` runs them, and `cargo test` does not.

| Model | Calm | With spurious wakes |
|---|--:|--:|
";

fn read() -> BTreeMap<String, Counts> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, Counts)> {
    let mut cells = line.strip_prefix("| `")?.split('|');
    let model = cells.next()?.trim().trim_end_matches('`').to_owned();
    let mut number = || cells.next()?.trim().replace(',', "").parse().ok();
    Some((model, Counts { calm: number()?, chaotic: number()? }))
}

fn write(rows: &BTreeMap<String, Counts>) -> String {
    let mut text = HEAD.to_owned();
    for (model, Counts { calm, chaotic }) in rows {
        writeln!(text, "| `{model}` | {} | {} |", grouped(*calm), grouped(*chaotic)).expect("a string takes all");
    }
    text + &pairs::table(&path().with_file_name(""))
}

/// A model whose search is long is ignored as a test, and no other one is.
#[test]
fn the_long_models_are_ignored_and_no_others() {
    for (model, counts) in read() {
        let (module, test) = model.rsplit_once("::").expect("a row names a module and a test");
        let source = fs::read_to_string(path().with_file_name(format!("{module}.rs"))).unwrap_or_default();
        let head = source.split(&format!("\nfn {test}()")).next().expect("a split has a first part");
        let ignored = head.lines().next_back().is_some_and(|line| line == LONG_IGNORED);
        assert_eq!(
            ignored,
            counts.calm > LONG,
            "{model}, {} iterations: `{LONG_IGNORED}` stands above it",
            counts.calm
        );
    }
}

/// The line above a long model.
const LONG_IGNORED: &str = "#[ignore = \"long: `.ci/long` runs it\"]";

/// Digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Finds rows whose model was removed or renamed, and pairs that are out of date.
#[test]
fn every_row_of_the_ledger_is_a_model() {
    for model in models() {
        let (module, test) = model.rsplit_once("::").expect("a row names a module and a test");
        let source = path().with_file_name(format!("{module}.rs"));
        let source = fs::read_to_string(&source).unwrap_or_default();
        assert!(source.contains(&format!("fn {test}()")), "{model} is in the ledger, but there is no such model");
    }
    assert_eq!(fs::read_to_string(path()).unwrap_or_default(), write(&read()), "SELVEDGE_BLESS=1 writes the ledger");
}
