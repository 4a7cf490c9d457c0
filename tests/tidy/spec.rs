//! Each clause of SPEC.md has a check, and each check names a clause.
//!
//! A check is a test, a property, a model, a fuzz target or a program that must not compile. It names its clauses in a
//! comment above it, `// Checks: B7, R17`; a program that must not compile names them in its first line. Clauses in the
//! head of a file (`//! Checks: P13`) hold for those of its checks that name none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

/// A clause's name: a letter, for where it comes from, and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Clause(Kind, u32);

/// In the order in which clauses stand in SPEC.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A sentence of the founding document.
    S,
    /// The catalogue of behaviour.
    B,
    /// A promise beyond both.
    P,
    /// A bug that shipped elsewhere.
    R,
}

impl Clause {
    fn parse(text: &str) -> Option<Self> {
        let kind = match text.chars().next()? {
            'S' => Kind::S,
            'B' => Kind::B,
            'P' => Kind::P,
            'R' => Kind::R,
            _ => return None,
        };
        Some(Self(kind, text.get(1..)?.parse().ok()?))
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.0, self.1)
    }
}

/// A test, property, model, fuzz target, program of the explorer or program that must not compile.
struct Check {
    file: String,
    /// Its function; empty if the whole file is the check.
    name: String,
    /// The clauses that it names, as they are written.
    names: Vec<String>,
}

/// Directories with checks, and whether each file in one is a check by itself.
const PLACES: [(&str, bool); 7] = [
    ("src", false),
    ("tests", false),
    ("tests/compile/fail", true),
    ("loom_tests", false),
    ("proptests", false),
    ("fuzz/fuzz_targets", false),
    ("schedules/src", false),
];

fn checks() -> Vec<Check> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut checks = Vec::new();
    for (place, whole) in PLACES {
        for path in sources(&root.join(place)) {
            let file = path.strip_prefix(root).unwrap().with_extension("").to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).unwrap();
            if whole {
                let names = text.lines().find_map(named).unwrap_or_default();
                checks.push(Check { file, name: String::new(), names });
            } else if !file.starts_with("tests/compile/fail/") {
                collect(&file, &text, &mut checks);
            }
        }
    }
    checks
}

/// All Rust files in a directory and those in it.
pub(crate) fn sources(place: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(place).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Finds the checks of a file. Only attributes and comments may stand between a citation and its check.
fn collect(file: &str, text: &str, checks: &mut Vec<Check>) {
    let head = text.lines().take_while(|line| line.starts_with("//!"));
    let by_head: Vec<String> = head.filter_map(|line| named(&line.replacen('!', "", 1))).flatten().collect();
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(found) = named(line) {
            names.extend(found);
        } else if line.starts_with("#[") || line.starts_with("//") {
            is_test |= line == "#[test]";
        } else {
            let is_target = line.starts_with("fuzz_target!");
            if is_test || is_target {
                let name = if is_target { "" } else { function(line).unwrap_or("?") };
                let names = if names.is_empty() { by_head.clone() } else { std::mem::take(&mut names) };
                checks.push(Check { file: file.to_owned(), name: name.to_owned(), names });
            }
            names.clear();
            is_test = false;
        }
    }
}

fn named(line: &str) -> Option<Vec<String>> {
    let named = line.trim_start_matches('/').trim_start().strip_prefix("Checks:")?;
    line.starts_with("//").then(|| named.split(',').map(|name| name.trim().to_owned()).collect())
}

fn function(line: &str) -> Option<&str> {
    line.split_once("fn ")?.1.split(['(', '<']).next()
}

/// The clauses of the contract: each is an item of a list, or a row of a table, that begins with its name.
fn clauses() -> BTreeSet<Clause> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let contract = ["SPEC.md", "docs/bugs.md"].map(|page| fs::read_to_string(root.join(page)).unwrap()).concat();
    let items = contract
        .lines()
        .filter_map(|line| line.strip_prefix("- **").or_else(|| line.strip_prefix("| **"))?.split_once("**"));
    items.filter_map(|(name, _)| Clause::parse(name)).collect()
}

// Checks: P12
#[test]
fn the_contract_can_be_read_in_one_go() {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SPEC.md");
    let bytes = fs::metadata(contract).unwrap().len();
    assert!(bytes <= 60_000, "SPEC.md has {bytes} bytes: shorten it, or give a part a page of its own in docs/");
}

// Checks: P12
#[test]
fn each_clause_has_a_check_and_each_check_names_a_clause() {
    let clauses = clauses();
    let mut unchecked = clauses.clone();
    let mut wrong = String::new();
    for Check { file, name, names } in checks() {
        if names.is_empty() {
            writeln!(wrong, "{file}: {name} names no clause").unwrap();
        }
        for text in names {
            match Clause::parse(&text).filter(|clause| clauses.contains(clause)) {
                Some(clause) => drop(unchecked.remove(&clause)),
                None => writeln!(wrong, "{file}: {name} names {text}, which is no clause").unwrap(),
            }
        }
    }
    for clause in unchecked {
        writeln!(wrong, "{clause} has no check").unwrap();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

// Checks: P12
#[test]
#[ignore = "prints which checks hold each clause: cargo test --test tidy who_checks_what -- --ignored --nocapture"]
fn who_checks_what() {
    let mut list: BTreeMap<Clause, BTreeSet<String>> = BTreeMap::new();
    for Check { file, name, names } in checks() {
        for clause in names.iter().filter_map(|name| Clause::parse(name)) {
            let check = if name.is_empty() { file.clone() } else { format!("{file}: {name}") };
            list.entry(clause).or_default().insert(check);
        }
    }
    for (bug, how, check) in planted_bugs() {
        list.entry(bug).or_default().insert(format!("planted: {how}; seen by {check}"));
    }
    for (clause, checks) in list {
        println!("\n{clause}");
        checks.iter().for_each(|check| println!("    {check}"));
    }
}

/// What one list of `tests/mutants` says of bugs that shipped elsewhere: the clause; how the bug is planted here, or
/// why it cannot be; and the check that catches it.
fn planted(list: &str) -> Vec<(Clause, String, String)> {
    let mut planted = Vec::new();
    for entry in list.split("\n[[").skip(1) {
        let value = |key: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix("= \""))?;
            Some(line.strip_suffix('"').unwrap().replace("\\\"", "\""))
        };
        let how = value("name").or_else(|| Some(format!("cannot be written: {}", value("why")?))).unwrap();
        let by_kind = ["model", "search", "property", "fuzz", "test", "schedule", "check"];
        let check = by_kind.iter().find_map(|&kind| Some(format!("{kind} `{}`", value(kind)?))).unwrap();
        // One that is like another stands for the clauses there.
        let bugs = value("clause").or_else(|| value("like").map(|_| String::new())).unwrap();
        let bugs = bugs.split(',').filter_map(|clause| Clause::parse(clause.trim()));
        planted.extend(bugs.filter(|bug| bug.0 == Kind::R).map(|bug| (bug, how.clone(), check.replace("check ", ""))));
    }
    planted
}

/// What all lists of `tests/mutants` say of them, by clause.
fn planted_bugs() -> Vec<(Clause, String, String)> {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
    let mut files: Vec<PathBuf> = fs::read_dir(lists).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut all: Vec<_> = files.iter().flat_map(|path| planted(&fs::read_to_string(path).unwrap())).collect();
    all.sort_by_key(|(bug, ..)| *bug);
    all
}

// Checks: P12, P13
#[test]
fn each_bug_that_shipped_elsewhere_was_planted_here_or_cannot_be() {
    let planted = planted_bugs();
    let mut missing = clauses();
    missing.retain(|clause| clause.0 == Kind::R && planted.iter().all(|(bug, ..)| bug != clause));
    assert!(missing.is_empty(), "no mutant plants {missing:?}");
}

// Checks: P12
#[test]
fn a_citation_is_found_above_its_check_and_nowhere_else() {
    let text = [
        "//! What all of them do.",
        "//! Checks: P13",
        "    // Checks: B7, R17",
        "    /// Why.",
        "    #[ignore]",
        "    #[test]",
        "    fn first() {",
        "        // Checks: B8",
        "        let second = 2;",
        "    }",
        "    #[test]",
        "    fn second<T>() {}",
        "// Checks: no clause",
        "fuzz_target!(|bytes| ());",
    ];
    let text = text.join("\n");
    let mut checks = Vec::new();
    collect("file", &text, &mut checks);
    let found: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.names.join("+"))).collect();
    let expected = [("first", "B7+R17"), ("second", "P13"), ("", "no clause")];
    assert_eq!(found, expected.map(|(name, names)| (name, names.to_owned())));
}
