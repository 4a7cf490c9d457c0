//! The table of costs in the book has the numbers of `benches/costs.txt`.

use std::fmt::{Display, Write as _};
use std::path::Path;
use std::{env, fs};

/// An operation of `benches/costs.txt`, and what its row in the book begins with.
const ROWS: &[(&str, &str)] = &[
    ("post", "post a call ("),
    ("posted-call", "post a call, and run it"),
    ("timer", "a timer: set, and run"),
    ("task", "a task: spawn"),
    ("task-woken", "a task: woken"),
    ("callback", "a Deferred: made"),
    ("callback-on-fired", "a callback on a Deferred that has its result"),
    ("callback-of-other-type", "the same, with a result of another type"),
    ("list-member", "a member of a list"),
    ("lock-handed-on", "a lock asked for"),
    ("dispatch", "a job: submitted"),
    ("round-trip", "[`threads::defer_to_thread`]"),
];

// Checks: P12
#[test]
fn the_book_has_the_costs_that_are_pinned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let pinned = fs::read_to_string(root.join("benches/costs.txt")).unwrap();
    let chapter = root.join("src/guide/costs.md");
    let text = fs::read_to_string(&chapter).unwrap();
    let costs = pinned.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |n: usize| fields[n].parse::<f64>().unwrap();
        (fields[0], [grouped(number(1)), rounded(number(2)), grouped(number(3))])
    });
    let bless = env::var_os("SELVEDGE_BLESS").is_some();
    let mut new = text.clone();
    for (operation, numbers) in costs {
        let (_, row) = ROWS.iter().find(|(known, _)| *known == operation).unwrap_or_else(|| panic!("{operation}?"));
        let old = text.lines().find(|line| line.starts_with(&format!("| {row}"))).unwrap_or_else(|| panic!("{row}?"));
        let cells: Vec<&str> = old.split(" | ").collect();
        let mut line = cells[0].to_owned();
        numbers.iter().for_each(|number| write!(line, " | {number}").unwrap());
        cells[4..].iter().for_each(|cell| write!(line, " | {cell}").unwrap());
        assert!(bless || old == line, "{old}\nshould be\n{line}\n(SELVEDGE_BLESS=1 cargo test --test tidy costs)");
        new = new.replace(old, &line);
    }
    if bless {
        fs::write(&chapter, &new).unwrap();
    }
}

/// A whole number, in groups of three digits.
pub(super) fn grouped(number: impl Display) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// With two decimals, but for zeros at the end.
fn rounded(number: f64) -> String {
    format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
