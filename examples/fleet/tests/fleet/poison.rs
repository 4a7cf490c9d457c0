//! Files that no worker can hash.

use std::fs;

use super::program::wait_until;
use super::redis::{Fleet, is_there};
use super::tree;

#[test]
fn a_file_that_cannot_be_read_is_set_aside_with_its_error() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::new();
    tree::make(fleet.path(), 20);
    let offer = fleet.start(None, "offer tree");
    wait_until("all are offered", || fleet.redis("XLEN fleet:jobs") == "25");
    fs::remove_file(fleet.path().join("tree/file 3")).unwrap();
    let worker = fleet.start(Some(0), "work --tries 3");
    let (out, said) = offer.ends_with(1);
    assert_eq!(out, fleet.expected());
    assert!(said.contains("\"tree/file 3\": No such file or directory"), "{said}");
    worker.says("\"tree/file 3\": No such file or directory (os error 2); tried again", 2);
    worker.says("\"tree/file 3\": No such file or directory (os error 2); set aside", 1);
    assert_eq!(fleet.redis("XLEN fleet:poison"), "1");
    assert!(fleet.redis("XRANGE fleet:poison - +").contains("No such file"));
}

#[test]
fn a_file_whose_workers_die_is_set_aside() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::new();
    tree::make(fleet.path(), 0);
    let offer = fleet.start(None, "offer tree/-dash");
    for name in ["first", "second"] {
        let doomed = fleet.start(Some(0), &format!("work --rate 1 --tries 2 --as {name}"));
        wait_until(&format!("{name} has it"), || fleet.held_by(name) == 1);
        doomed.signal("KILL");
    }
    let worker = fleet.start(Some(1), "work --tries 2");
    let (out, said) = offer.ends_with(1);
    assert!(out.is_empty());
    assert!(said.contains("\"tree/-dash\": not done after 2 tries"), "{said}");
    drop(worker);
}
