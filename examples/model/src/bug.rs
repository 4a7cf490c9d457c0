//! The bug of the first try is found, and what is printed then can be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::process::Command;

/// A model that fails may abort its process, so it has one of its own.
#[test]
fn the_bug_of_the_first_try_is_found_and_its_trace_can_be_read() {
    let name = "models::a_changed_source_is_read_again_by_the_first_try";
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args(["--ignored", "--exact", "--nocapture", name]).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let (_, trace) = text.split_once("the model fails in this execution:\n").unwrap();
    println!("{trace}");
    assert!(trace.lines().count() < 40, "it is to be read");
    let at = |event: &str| trace.find(event).unwrap_or_else(|| panic!("no {event:?} in {trace}"));
    assert!(at("computed from the old source") < at("the source is new"));
    assert!(at("runs selvedge_example_model::models::first_try::Invalidator") < at("runs the result of a job"));
    assert!(at("runs the result of a job") < at("asks again"));
}
