//! The documents name only files and headings that exist.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const DOCUMENTS: [&str; 12] = [
    "README.md",
    "SPEC.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/bugs.md",
    "docs/costs.md",
    "docs/decisions.md",
    "docs/differences.md",
    "docs/matrix.md",
    "docs/releasing.md",
    "docs/scaling.md",
    "SECURITY.md",
];

/// What a name between backticks begins with if it is a path of this repository.
const FOLDERS: [&str; 9] =
    ["src/", "tests/", "loom_tests/", "proptests/", "fuzz/", "benches/", "examples/", "docs/", ".ci/"];

// Checks: P12
#[test]
fn each_link_and_each_path_in_the_documents_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut wrong = String::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let folder = Path::new(document).parent().unwrap();
        for target in links(&text).filter(|target| !target.starts_with("http")) {
            let (path, heading) =
                target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
            let path = if path.is_empty() { root.join(document) } else { root.join(folder).join(path) };
            let is_there = match heading {
                None => path.exists(),
                Some(heading) => fs::read_to_string(path).is_ok_and(|text| headings(&text).contains(heading)),
            };
            if !is_there {
                writeln!(wrong, "{document} links to {target}").unwrap();
            }
        }
        wrong += &paths_that_are_not_there(root, document, &text);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Links between chapters are rustdoc's to check.
// Checks: P12
#[test]
fn each_path_in_the_book_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut wrong = String::new();
    let pages = fs::read_dir(root.join("src/guide")).unwrap().map(|page| page.unwrap().path());
    for path in pages.filter(|path| path.is_file()) {
        wrong += &paths_that_are_not_there(root, path.to_str().unwrap(), &fs::read_to_string(&path).unwrap());
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn paths_that_are_not_there(root: &Path, document: &str, text: &str) -> String {
    let mut wrong = String::new();
    for name in quoted(text).filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder))) {
        let path = name.split(' ').next().unwrap_or_default();
        if !root.join(path).exists() {
            writeln!(wrong, "{document} names {path}").unwrap();
        }
    }
    wrong
}

/// Where the links of a document lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// What stands between backticks on one line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The headings of a document, as links name them.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles
        .map(|title| title.to_lowercase().replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-', ""))
        .collect()
}
