//! `examples/database`: what each of its clients is told.

use std::process::Command;

use crate::example;

// Checks: S7, P112
#[test]
fn a_query_that_is_too_slow_and_one_that_is_given_up_end_alone() {
    let output = example::run(&mut Command::new(example::path("database")));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // Had one of the two not been interrupted, the only thread would still run it. The limit is milliseconds, but that
    // query has no other end; nothing else waits for a clock.
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "client 1: 100\n\
         client 2: 200\n\
         client 3: the job had not ended 5ms after its start, and was asked to end\n\
         client 4: 400\n\
         client 5: 500\n\
         client 6: cancelled before there was a result\n\
         client 7: 700\n\
         client 8: 800\n\
         closed after 6 answers\n"
    );
}
