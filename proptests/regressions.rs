//! How properties run: how often, and where the seeds of those that failed are kept.

use proptest::test_runner::{Config, FileFailurePersistence};

/// `cases` programs, after those that failed before. `PROPTEST_CASES` overrides the number.
pub fn config(property: &str, cases: u32) -> Config {
    let seeds = format!("{}/proptests/proptest-regressions/{property}.txt", env!("CARGO_MANIFEST_DIR"));
    let default = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    Config {
        cases,
        // Kept for the process: there is one for each property.
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds.leak()))),
        ..default
    }
}
