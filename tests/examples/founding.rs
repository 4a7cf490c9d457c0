//! The founding document's programs print what they should, and end by themselves.

use std::process::Command;

use crate::example;

/// All of stdout, of a program that succeeded and had nothing to complain about.
fn printed_by(name: &str) -> String {
    let output = example::run(&mut Command::new(example::path(name)));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{name}: {}: {stderr}", output.status);
    assert_eq!(stderr, "", "{name} complains");
    String::from_utf8(output.stdout).unwrap()
}

// Checks: S2
#[test]
fn call_from_thread_runs_the_call_in_the_reactors_thread() {
    assert_eq!(
        printed_by("call_from_thread"),
        "thread_safe_scheduler() runs in `whatever thread you want`\n\
         not_thread_safe(3) runs in `main`\n"
    );
}

// Checks: S3
#[test]
fn call_in_thread_blocks_a_thread_and_not_the_reactor() {
    // A loop that was blocked would always be late. One that is free is late only if its thread was held up for a
    // second: then this is tried again.
    let printed = (0..10).map(|_| printed_by("call_in_thread")).find(|printed| printed.starts_with('1'));
    assert_eq!(printed.as_deref(), Some("1 second has passed\n2 seconds have passed\n"));
}

// Checks: S6
#[test]
fn call_multiple_in_thread_keeps_the_order() {
    assert_eq!(printed_by("call_multiple_in_thread"), "Calling First\nAnd the second\n");
}

// Checks: S7
#[test]
fn defer_to_thread_brings_the_result_to_its_callback() {
    assert_eq!(printed_by("defer_to_thread"), "3\n");
}

// Checks: S8, S9
#[test]
fn blocking_call_from_thread_returns_the_page_or_the_very_error() {
    assert_eq!(
        printed_by("blocking_call_from_thread"),
        "Hello from the other end of the loopback\n\
         that page is not there\n\
         nobody listens there\n"
    );
}

// Checks: S11, S12
#[test]
fn suggest_thread_pool_size_goes_up_and_down() {
    assert_eq!(
        printed_by("suggest_thread_pool_size"),
        "by default: 5 to 10 threads\n\
         after suggesting 30: 5 to 30 threads\n\
         30 jobs ran at the same time\n\
         after suggesting 4: 4 to 4 threads\n\
         4 threads are left\n"
    );
}
