//! The diagrams of the book show what the search of the machines has seen.

use std::fs;
use std::path::{Path, PathBuf};

// Checks: P12
#[test]
fn each_diagram_is_drawn_from_the_table_of_its_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut tables = files(&root.join("src/machine"));
    tables.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    let mut drawn = 0;
    for diagram in fs::read_dir(root.join("src/guide/diagrams")).unwrap().map(|entry| entry.unwrap().path()) {
        // The outermost: a cooperator's task has a machine too.
        let tables = tables.iter().filter(|table| table.file_stem() == diagram.file_stem());
        let table = tables.min_by_key(|table| table.components().count()).unwrap();
        let table = fs::read_to_string(table).unwrap();
        let seen = between(&table, "stateDiagram-v2\n", "```").lines().map(|line| line.trim().replace("-->", "to"));
        let drawing = fs::read_to_string(&diagram).unwrap();
        let shown = between(&drawing, "<!--\n", "-->").lines().map(str::to_owned);
        assert!(seen.eq(shown), "{diagram:?} is not the machine as it is: run .ci/diagrams");
        // It would end the block of HTML that the page of the book includes.
        assert!(drawing.lines().all(|line| !line.trim().is_empty()), "{diagram:?}");
        drawn += 1;
    }
    assert_eq!(drawn, 10);
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

/// All files beside the machines.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
