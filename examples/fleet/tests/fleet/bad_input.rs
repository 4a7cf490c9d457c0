//! Arguments, and entries in Redis, that are not what they should be: a clear line, and nothing is lost.

use std::process::Command;

use super::program::{Program, wait_until};
use super::redis::{Fleet, is_there};
use super::tree;

#[test]
fn wrong_arguments_are_named() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::without_redis();
    for (arguments, says) in [
        ("offer missing", "\"missing\": No such file or directory"),
        ("offer /dev/null", "neither a file nor a directory"),
        ("work --directory missing", "\"missing\": No such file or directory"),
        ("work --rate 0", "'0' for '--rate"),
        ("offer --ahead 0", "'0' for '--ahead"),
    ] {
        let (out, said) = fleet.start(None, arguments).ends_with(2);
        assert!(out.is_empty() && said.contains(says), "{arguments}: {said}");
    }
    let mut nowhere = Command::new(env!("CARGO_BIN_EXE_fleet"));
    let (_, said) = Program::start(nowhere.args(["work", "--redis", "nonsense"])).ends_with(2);
    assert!(said.starts_with("fleet: \"nonsense\": "), "{said}");
}

#[test]
fn entries_of_somebody_else_are_named_and_set_aside() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::new();
    tree::make(fleet.path(), 10);
    let offer = fleet.start(None, "offer tree");
    wait_until("all are offered", || fleet.redis("XLEN fleet:jobs") == "15");
    fleet.redis("XADD fleet:jobs * colour blue");
    fleet.redis("XADD fleet:results * colour blue");
    // A result that nobody asked for, one of another offer, and one of no file.
    let run = fleet.redis("GET fleet:offer");
    fleet.redis(&format!("XADD fleet:results * run {run} number 4000000 digest 123"));
    fleet.redis("XADD fleet:results * run another number 0 digest 123");
    fleet.redis(&format!("XADD fleet:results * run {run} number x digest 123"));
    let worker = fleet.start(Some(0), "work");
    let (out, said) = offer.ends_with(0);
    assert_eq!(out, fleet.expected());
    assert!(said.contains("there is no field `error`"), "{said}");
    assert!(said.contains("the field `number` is no number of its size"), "{said}");
    worker.says("there is no field `run`; set aside", 1);
}
