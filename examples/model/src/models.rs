//! The crate's sources over `selvedge::loom`, and their models.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::process::Command;

use ::loom::sync::{Arc, Mutex};
use ::loom::thread;
use ::selvedge::loom as selvedge;

use self::selvedge::{Failure, Model, Reactor, model, note};

#[path = "cache.rs"]
mod cache;
/// As it was written first.
#[path = "first_try.rs"]
mod first_try;

/// Another thread changes what the value is computed from, and says so. Whoever asks after that gets the new value.
macro_rules! a_changed_source_is_read_again {
    ($cache:ident) => {
        || {
            let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
            let source = Arc::new(Mutex::new("old"));
            let cache = $cache::Cache::new(&reactor, {
                let source = Arc::clone(&source);
                move || {
                    let value = *source.lock().unwrap();
                    note(format!("computed from the {value} source"));
                    value
                }
            });
            let invalidator = cache.invalidator(&reactor);
            let writer = thread::spawn(move || {
                *source.lock().unwrap() = "new";
                note("the source is new");
                invalidator.invalidate();
            });
            let handle = reactor.handle();
            let got = reactor.block_on(async move {
                cache.get().await?;
                writer.join().unwrap();
                // Behind the invalidation in the reactor's queue.
                handle.ask(|_| ()).await?;
                note("asks again");
                let got = cache.get().await?;
                Ok::<_, Failure>(got)
            });
            assert_eq!(got.unwrap(), "new");
        }
    };
}

#[test]
fn a_changed_source_is_read_again() {
    model(a_changed_source_is_read_again!(cache));
}

#[test]
#[ignore = "it fails: the next one runs it"]
fn a_changed_source_is_read_again_by_the_first_try() {
    Model::new().check(a_changed_source_is_read_again!(first_try));
}

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
