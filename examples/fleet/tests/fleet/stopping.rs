//! SIGTERM, of workers and of offers.

use super::program::wait_until;
use super::redis::{Fleet, is_there};
use super::tree;

#[test]
fn a_worker_that_is_stopped_finishes_its_file_and_gives_back_the_others() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::new();
    tree::make(fleet.path(), 40);
    let offer = fleet.start(None, "offer tree --ahead 10");
    wait_until("the stream is full", || fleet.redis("XLEN fleet:jobs") == "10");
    let worker = fleet.start(Some(0), "work --threads 1 --rate 1000 --as stopped");
    wait_until("it has files", || fleet.held_by("stopped") > 1);
    worker.signal("TERM");
    let (_, said) = worker.ends_with(0);
    assert!(said.contains("given back"), "{said}");
    assert_eq!(fleet.held_by("stopped"), 0);

    let worker = fleet.start(Some(1), "work");
    let (out, _) = offer.ends_with(0);
    assert_eq!(out, fleet.expected());
    drop(worker);
}

#[test]
fn an_offer_that_is_stopped_prints_nothing_and_frees_the_fleet() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::new();
    tree::make(fleet.path(), 40);
    let offer = fleet.start(None, "offer tree --ahead 10");
    wait_until("the stream is full, and no more than that", || {
        let length: usize = fleet.redis("XLEN fleet:jobs").parse().unwrap();
        assert!(length <= 10);
        length == 10
    });
    let refused = fleet.start(Some(0), "offer tree");
    let (out, said) = refused.ends_with(2);
    assert!(out.is_empty() && said.contains("another offer has this fleet"), "{said}");
    offer.signal("TERM");
    let (out, said) = offer.ends_with(130);
    assert!(out.is_empty() && said.contains("interrupted: 0 of the "), "{said}");

    let worker = fleet.start(Some(0), "work");
    let (out, _) = fleet.start(None, "offer tree").ends_with(0);
    assert_eq!(out, fleet.expected());
    drop(worker);
}
