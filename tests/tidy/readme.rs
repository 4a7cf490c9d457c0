//! The numbers that README takes from generated files are those of the files.

use std::fs;
use std::path::Path;

use super::costs::grouped;

/// Searches with more iterations are left to `.ci/long`.
const LONG: u64 = 50_000;

// Checks: P12
#[test]
fn readme_has_the_numbers_of_the_ledger() {
    let rows = ledger();
    let all: u64 = rows.iter().flatten().sum();
    let short: u64 = rows.iter().flatten().filter(|iterations| **iterations <= LONG).sum();
    let with_spurious_wakes = rows.iter().filter(|[_, spurious]| *spurious > 0).count();
    let readme = page("README.md");
    let models = format!("{} small models", rows.len());
    assert_eq!(readme.matches(&models).count(), readme.matches(" small models").count(), "README.md: {models}");
    for claim in [
        format!("{with_spurious_wakes} of them also with spurious wakes"),
        format!("[{} interleavings]", grouped(all)),
        format!("this command explores {} and", grouped(short)),
    ] {
        assert!(readme.contains(&claim), "README.md should say: {claim}");
    }
}

// Checks: P12
#[test]
fn readme_has_the_size_of_the_matrix() {
    let matrix = page("docs/matrix.md");
    let size = matrix.lines().find_map(|line| line.split_once(" behaviours =")).unwrap().0.replace("sites", "places");
    assert!(
        page("README.md").contains(&format!("[{size} behaviours](docs/matrix.md)")),
        "README.md should say: {size}"
    );
}

/// Of each model its iterations, calm and with spurious wakes.
fn ledger() -> Vec<[u64; 2]> {
    let number = |cell: &str| cell.trim().replace(',', "").parse::<u64>();
    let rows = page("loom_tests/LEDGER.md");
    let rows = rows.lines().filter_map(|line| {
        let [_, model, calm, spurious, _] = line.split('|').collect::<Vec<_>>()[..] else { return None };
        model.contains("::").then(|| [number(calm).unwrap(), number(spurious).unwrap()])
    });
    rows.collect()
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name)).unwrap()
}
