//! `selvedge::loom::model`, which explores programs of users: its bounds, and what it prints where one fails.

use std::env;
use std::panic::{catch_unwind, panic_any};
use std::process::Command;

use loom::sync::{Arc, Mutex};
use loom::thread;
use selvedge::loom::testing::Injected;
use selvedge::loom::{Model, Reactor, note};

/// Two threads post a call each.
fn two_posts() {
    let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let posters = [1, 2].map(|number| {
        let (handle, log) = (reactor.handle(), Arc::clone(&log));
        thread::spawn(move || handle.call_from_thread(move |_| log.lock().unwrap().push(number)).unwrap())
    });
    for poster in posters {
        poster.join().unwrap();
    }
    reactor.turn().unwrap();
    assert_eq!(log.lock().unwrap().len(), 2);
}

// Checks: P128
#[test]
fn a_bound_on_preemptions_makes_a_search_smaller_and_each_smaller_one_comes_first() {
    let executions = |model: Model| model.check(two_posts);
    let bounded = [0, 1, 2].map(|bound| executions(Model::new().preemptions(bound)));
    assert!(bounded[0] < bounded[1] && bounded[1] < bounded[2], "{bounded:?}");
    assert_eq!(executions(Model::new()), bounded[2], "two are the default");
    let all = executions(Model::new().exhaustive());
    assert!(all > bounded[2]);
    assert_eq!(executions(Model::new().preemptions(usize::MAX)), all);
}

// Checks: P128
#[test]
fn no_variable_of_the_environment_makes_a_search_smaller() {
    let variables = [("LOOM_MAX_PREEMPTIONS", "0"), ("LOOM_MAX_PERMUTATIONS", "1"), ("LOOM_MAX_BRANCHES", "3")];
    let (succeeded, alone) = run_planted("nothing wrong", &[]);
    let (_, with_variables) = run_planted("nothing wrong", &variables);
    let executions = |text: &str| text.lines().find_map(|line| Some(line.split_once(" executions in ")?.0.to_owned()));
    assert!(succeeded && executions(&alone).is_some(), "{alone}");
    assert_eq!(executions(&alone), executions(&with_variables));
}

// Checks: P129
#[test]
fn what_happened_where_a_model_fails_is_printed_in_its_order() {
    let (succeeded, text) = run_planted("a call that comes first", &[]);
    assert!(!succeeded, "{text}");
    let (_, trace) = text.split_once("the model fails in this execution:\n").unwrap();
    let lines = trace.lines().take_while(|line| !line.is_empty()).map(|line| line.get(6..).unwrap_or_default());
    let lines: Vec<_> = lines.map(str::trim).collect();
    let expected = [
        "main      posts loom::programs::first_comes_first",
        "main      submits the job of loom_tests/programs.rs:",
        "thread 1  the other posts",
        "thread 1  posts loom::programs::first_comes_first",
    ];
    for line in expected {
        let times = lines.iter().filter(|found| found.starts_with(line)).count();
        assert_eq!(times, 1, "{line:?} in {lines:#?}");
    }
    assert_eq!(lines.last().map(|line| line.starts_with("main      runs loom::programs")), Some(true), "{lines:#?}");
    assert_eq!(text.matches("the model fails").count(), 1, "{text}");
}

// Checks: P129
#[test]
fn a_note_outside_of_a_model_does_nothing_also_after_one_that_has_failed() {
    assert!(catch_unwind(|| Model::new().check(|| panic_any(Injected))).is_err());
    note("outside");
}

// Checks: P129
#[test]
fn threads_that_wait_for_each_other_are_reported_with_what_happened() {
    let (succeeded, text) = run_planted("two locks in two orders", &[]);
    assert!(!succeeded && text.contains("deadlock"), "{text}");
    assert!(text.contains("the model fails") && text.contains("main  has the first"), "{text}");
}

/// The other thread's call may be the first, which takes a preemption.
fn first_comes_first() {
    let reactor = Reactor::builder().pool_size(0, 1).build().unwrap();
    let is_first = Arc::new(Mutex::new(true));
    let (handle, others) = (reactor.handle(), Arc::clone(&is_first));
    let other = thread::spawn(move || {
        note("the other posts");
        handle.call_from_thread(move |_| assert!(!*others.lock().unwrap(), "it is the first")).unwrap();
    });
    reactor.call_in_thread(|| ()).unwrap();
    reactor.call_from_thread(move |_| *is_first.lock().unwrap() = false).unwrap();
    other.join().unwrap();
    reactor.turn().unwrap();
}

fn two_locks() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let other = thread::spawn({
        let locks = Arc::clone(&locks);
        move || drop((locks.1.lock().unwrap(), locks.0.lock().unwrap()))
    });
    let first = locks.0.lock().unwrap();
    note("has the first");
    drop((locks.1.lock().unwrap(), first));
    other.join().unwrap();
}

/// Environment variable of the child: the name of its planted bug.
const PLANT: &str = "SELVEDGE_PLANT";

/// Whether a child with this bug succeeds, and what it prints. A child, because a model that fails may abort.
fn run_planted(bug: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "programs::planted", "--ignored", "--nocapture", "--test-threads=1"]).env(PLANT, bug);
    let output = child.envs(variables.iter().copied()).env("RUST_BACKTRACE", "0").output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(text.contains("running 1 test"), "the child did not run: {text}");
    (output.status.success(), text)
}

// Checks: P129
#[test]
#[ignore = "a planted bug: other tests run it in a child process, and demand that it fails"]
fn planted() {
    let Some(plant) = env::var_os(PLANT) else { return };
    let program = match &*plant.to_string_lossy() {
        "nothing wrong" => two_posts,
        "a call that comes first" => first_comes_first,
        "two locks in two orders" => two_locks,
        other => panic!("no such bug: {other}"),
    };
    Model::new().check(program);
}
