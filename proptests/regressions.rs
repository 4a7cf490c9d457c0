//! The configuration of properties: the number of cases, and the file for the seeds of failures.

use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence};

/// `cases` programs, after those that failed before. `PROPTEST_CASES` overrides the number.
pub fn config(property: &str, cases: u32) -> Config {
    let seeds = format!("{}/../proptests/proptest-regressions/{property}.txt", env!("CARGO_MANIFEST_DIR"));
    let persist = || -> Box<dyn FailurePersistence> { Box::new(FileFailurePersistence::Direct(seeds.leak())) };
    let default = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    Config {
        cases,
        // Unless PROPTEST_DISABLE_FAILURE_PERSISTENCE is set. Leaked, once for each property.
        failure_persistence: default.failure_persistence.is_some().then(persist),
        ..default
    }
}
