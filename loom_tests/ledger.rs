//! The ledger: the number of iterations of each model, committed, so that a search that becomes smaller is seen.
//!
//! Checks: P13

use std::collections::{BTreeMap, BTreeSet};
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

/// Why the searches that a bless makes smaller became so.
const WHY: &str = "SELVEDGE_WHY";

/// Fails unless a model's counts and witnesses are those of its row. With `SELVEDGE_BLESS=1` it writes them instead; a
/// search that becomes smaller or reaches less needs `SELVEDGE_WHY="the reason"` too, which is kept in the ledger.
pub fn check(model: &str, counts: Counts, reached: BTreeSet<String>) {
    let _file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ledger = read();
    if env::var_os("SELVEDGE_BLESS").is_some_and(|bless| bless == "1") {
        let why = env::var(WHY).ok().filter(|why| !why.trim().is_empty());
        ledger.bless(model, counts, reached, why).unwrap_or_else(|refused| panic!("{refused}"));
        fs::write(path(), write(&ledger)).expect("the ledger can be written");
        return;
    }
    let Some(&expected) = ledger.rows.get(model) else {
        panic!("the ledger has no row for {model}: {counts:?}. If it is a new model, run it with SELVEDGE_BLESS=1")
    };
    let fell = if counts.fell_below(expected) { " It has become smaller: that needs a reason." } else { "" };
    assert_eq!(
        counts, expected,
        "the search of {model} is not the one in the ledger.{fell} If that change is intended, run it with \
         SELVEDGE_BLESS=1 and say why in the commit"
    );
    let expected = ledger.reached.remove(model).unwrap_or_default();
    assert_eq!(reached, expected, "what the executions of {model} come to is not what the ledger lists");
}

impl Counts {
    fn fell_below(self, before: Self) -> bool {
        self.calm < before.calm || self.chaotic < before.chaotic
    }
}

/// All that `LEDGER.md` says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Ledger {
    rows: BTreeMap<String, Counts>,
    /// The witnesses of those models that have some.
    reached: BTreeMap<String, BTreeSet<String>>,
    /// Why a search became smaller: the counts that it had, and the reason. The last time for each model.
    fell: BTreeMap<String, (Counts, String)>,
}

impl Ledger {
    /// Writes a model's row. Refused without a reason if it counts less or reaches less than before.
    fn bless(
        &mut self,
        model: &str,
        counts: Counts,
        reached: BTreeSet<String>,
        why: Option<String>,
    ) -> Result<(), String> {
        let before = self.rows.get(model).copied();
        let lost: Vec<_> = self.reached.get(model).into_iter().flatten().filter(|it| !reached.contains(*it)).collect();
        let fell = before.filter(|before| counts.fell_below(*before) || !lost.is_empty());
        match (fell, why) {
            (Some(before), None) => {
                return Err(format!(
                    "{model} had {before:?} and has {counts:?}, and no longer comes to {lost:?}: a search that becomes \
                     smaller needs a reason, {WHY}=\"…\""
                ));
            }
            (Some(before), Some(why)) => drop(self.fell.insert(model.to_owned(), (before, why.replace('|', "/")))),
            (None, _) => {}
        }
        self.rows.insert(model.to_owned(), counts);
        if reached.is_empty() {
            self.reached.remove(model);
        } else {
            self.reached.insert(model.to_owned(), reached);
        }
        Ok(())
    }
}

/// The iterations of a model's search with the chaos thread, if that search is long.
pub fn long_chaos(model: &str) -> Option<usize> {
    let _file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    read().rows.get(model).map(|counts| counts.chaotic).filter(|&chaotic| chaotic > LONG)
}

/// The models that the ledger knows.
pub fn models() -> Vec<String> {
    read().rows.into_keys().collect()
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

const REACHED_HEAD: &str = "
# What the executions of a model come to

| Model | Ends |
|---|---|
";

const FELL_HEAD: &str = "
# Why a search became smaller

A bless that makes one smaller, or loses one of its ends, demands the reason: `SELVEDGE_WHY=\"…\"` beside
`SELVEDGE_BLESS=1`.

| Model | Calm before | With spurious wakes before | Why |
|---|--:|--:|---|
";

fn read() -> Ledger {
    parse(&fs::read_to_string(path()).unwrap_or_default())
}

fn parse(text: &str) -> Ledger {
    let mut ledger = Ledger::default();
    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let quoted = cells.first().and_then(|model| model.strip_prefix('`')?.strip_suffix('`'));
        let Some(model) = quoted else { continue };
        let number = |at: usize| cells.get(at).and_then(|cell| cell.replace(',', "").parse().ok());
        match (number(1).zip(number(2)).map(|(calm, chaotic)| Counts { calm, chaotic }), cells.get(3), cells.get(1)) {
            (Some(before), Some(why), _) => drop(ledger.fell.insert(model.to_owned(), (before, (*why).to_owned()))),
            (Some(counts), None, _) => drop(ledger.rows.insert(model.to_owned(), counts)),
            (None, _, Some(ends)) => {
                ledger.reached.insert(model.to_owned(), ends.split("; ").map(str::to_owned).collect());
            }
            (None, _, None) => {}
        }
    }
    ledger
}

fn write(ledger: &Ledger) -> String {
    let mut text = HEAD.to_owned();
    for (model, Counts { calm, chaotic }) in &ledger.rows {
        writeln!(text, "| `{model}` | {} | {} |", grouped(*calm), grouped(*chaotic)).expect("a string takes all");
    }
    text += REACHED_HEAD;
    for (model, ends) in &ledger.reached {
        let ends: Vec<_> = ends.iter().map(String::as_str).collect();
        writeln!(text, "| `{model}` | {} |", ends.join("; ")).expect("a string takes all");
    }
    if !ledger.fell.is_empty() {
        text += FELL_HEAD;
    }
    for (model, (Counts { calm, chaotic }, why)) in &ledger.fell {
        writeln!(text, "| `{model}` | {} | {} | {why} |", grouped(*calm), grouped(*chaotic))
            .expect("a string takes all");
    }
    text + &pairs::table(&path().with_file_name(""))
}

/// A ledger with one model, which has come to two ends.
fn of_one_model() -> Ledger {
    let mut ledger = Ledger::default();
    let ends = ["ran", "returned"].map(str::to_owned).into();
    ledger.bless("pool::a_model", Counts { calm: 1_000, chaotic: 20 }, ends, None).expect("a new row needs no reason");
    ledger
}

#[test]
fn a_search_that_becomes_smaller_or_reaches_less_needs_a_reason_which_is_kept() {
    let both: BTreeSet<String> = ["ran", "returned"].map(str::to_owned).into();
    let one: BTreeSet<String> = ["ran".to_owned()].into();
    let (same, less) = (Counts { calm: 1_000, chaotic: 20 }, Counts { calm: 1_000, chaotic: 19 });
    let more = Counts { calm: 1_001, chaotic: 20 };
    let bless = |counts, reached: &BTreeSet<String>, why: Option<&str>| {
        let mut ledger = of_one_model();
        ledger.bless("pool::a_model", counts, reached.clone(), why.map(str::to_owned)).map(|()| ledger)
    };
    assert!(bless(more, &both, None).is_ok_and(|ledger| ledger.fell.is_empty()));
    for (counts, reached) in [(less, &both), (same, &one), (more, &one)] {
        assert!(bless(counts, reached, None).is_err(), "{counts:?}, {reached:?}");
        let ledger = bless(counts, reached, Some("a lock less")).expect("it has a reason");
        assert_eq!(ledger.fell["pool::a_model"], (same, "a lock less".to_owned()));
        assert_eq!(parse(&write(&ledger)), ledger);
    }
}

/// A model whose search is long is ignored as a test, and no other one is.
#[test]
fn the_long_models_are_ignored_and_no_others() {
    for (model, counts) in read().rows {
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
