//! `examples/job_runner`: its report, in a thousand orders; and that what has no end is cancelled.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use selvedge::reactor::Turn;
use selvedge::testing::schedules;

use crate::example;

#[path = "../../examples/job_runner.rs"]
#[allow(dead_code, reason = "its `main` is run as a program")]
mod job_runner;

use self::job_runner::{PLANS, Plan, builder, report, start};

const DONE: &str = "index: 12 files, at attempt 1\n\
                    fetch: 3 pages, at attempt 3\n\
                    convert: no storage space, at attempt 2\n";
const TIMED_OUT: &str = "verify: the job had not ended 5ms after its start, and was asked to end, at attempt 3\n";
const CANCELLED: &str = "mirror: cancelled before there was a result\n";

/// Runs the jobs of these names and types `input`, and then leaves the input open, or ends it.
fn run(names: &[&str], input: &str, ends: bool) -> String {
    let mut command = Command::new(example::path("job_runner"));
    let (stdin, stdout, stderr) = (Stdio::piped(), Stdio::piped(), Stdio::piped());
    let mut child = command.args(names).stdin(stdin).stdout(stdout).stderr(stderr).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    let open = (!ends).then_some(stdin);
    assert!(example::wait(&mut child).success());
    drop(open);
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

// Checks: S7, P112
#[test]
fn each_job_is_tried_as_often_as_planned_and_for_as_long() {
    assert_eq!(run(&["index", "fetch", "convert", "verify"], "", false), format!("{DONE}{TIMED_OUT}"));
}

// Checks: P123
#[test]
fn the_job_whose_name_is_typed_is_cancelled_and_no_other() {
    assert_eq!(run(&[], "nothing\nmirror\n", false), format!("{DONE}{TIMED_OUT}{CANCELLED}"));
}

// Checks: P123
#[test]
fn the_end_of_the_input_cancels_what_is_left_and_the_report_is_complete() {
    assert_eq!(run(&["mirror"], "", true), CANCELLED);
}

// Checks: P122
#[test]
fn in_a_thousand_orders_a_full_queue_costs_no_attempt_and_the_report_is_the_same() {
    // Those that end by themselves, twice: two threads and a queue of one are not enough at once.
    let [index, fetch, convert, ..] = PLANS;
    let plans = [index, fetch, convert, index, fetch, convert];
    let mut rejected = 0;
    for seed in 0..1000 {
        let reactor = builder().build_test().unwrap().with_seed(seed);
        let (endings, _) = start(&reactor, &plans);
        assert_eq!(reactor.advance(Duration::from_secs(10)), Turn::Idle);
        assert_eq!(report(&plans, &endings.try_result().unwrap().unwrap()), format!("{DONE}{DONE}"), "seed {seed}");
        rejected += reactor.thread_pool().stats().rejected;
    }
    assert!(rejected > 0);
}

// Checks: P120, P122
#[test]
fn in_a_thousand_orders_a_stop_ends_every_job() {
    schedules(0..1000, |reactor| {
        let endless = Plan { attempts: u32::MAX, work: |_| Err(selvedge::Failure::msg("again")), ..PLANS[1] };
        let (endings, _) = start(reactor, &[endless; 3]);
        reactor.handle().stop();
        assert_eq!(reactor.settle(), Turn::Ended);
        assert!(endings.has_result());
    });
}
