//! The locks that each operation takes are those of `benches/locks.txt`, under every schedule that is tried.

use std::path::Path;
use std::{env, fs};

#[test]
fn operations_take_the_locks_that_are_pinned() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("benches/locks.txt");
    let made = "# Locks that one operation takes, least-most of 300 schedules. Made by: SELVEDGE_BLESS=1 cargo test \
                in schedules/\n# Which: by the caller | by other threads. A lock is named after \
                the type that it guards.\n# The job that keeps a worker busy is the first of its type, which may block: \
                submissions look for another worker, too.\n";
    let now = format!("{made}{}", selvedge_schedules::locks::table());
    if env::var_os("SELVEDGE_BLESS").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let pinned = fs::read_to_string(&file).unwrap();
    assert!(now == pinned, "{pinned}\nis not what is counted now:\n{now}");
}
