//! Workers that die and freeze, a Redis that restarts or forgets, a link that is cut.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::program::{Program, wait_until};
use super::redis::{Fleet, is_there};
use super::tree;

#[test]
fn one_worker_prints_what_hash_tree_prints() {
    if !is_there() {
        return;
    }
    let fleet = Fleet::new();
    tree::make(fleet.path(), 200);
    let worker = fleet.start(Some(0), "work --threads 2");
    let offer = fleet.start(None, "offer tree");
    let (out, _) = offer.ends_with(0);
    assert_eq!(out, fleet.expected());
    let (watched, _) = fleet.start(Some(1), "watch").ends_with(0);
    let watched = String::from_utf8(watched).unwrap();
    assert!(watched.starts_with("205 of 205 files are done, none is left; "), "{watched}");
    worker.signal("TERM");
    let (_, said) = worker.ends_with(0);
    assert!(said.contains("205 files hashed, 0 given back"), "{said}");
}

/// Whether each of its connections has been made again. One that is not used at the time does not notice anything: a
/// worker that cannot report takes nothing.
fn is_connected(program: &Program) -> bool {
    let said = program.said();
    said.matches("no connection").count() == said.matches("connected again").count()
}

/// While one file is missing, the offer cannot end before everything has happened to it.
#[test]
fn killed_frozen_restarted_and_cut_off_it_prints_what_hash_tree_prints() {
    if !is_there() {
        return;
    }
    let mut fleet = Fleet::new();
    tree::make(fleet.path(), 400);
    let offer = fleet.start(None, "offer tree --ahead 40");
    let watch = fleet.start(Some(1), "watch");
    wait_until("all files are found", || fleet.redis("HGET fleet:state all_found") == "1");
    let (missing, elsewhere) = (fleet.path().join("tree/deep/file 1"), fleet.path().join("elsewhere"));
    fs::rename(&missing, &elsewhere).unwrap();
    // These take files, and need a quarter of an hour for each.
    let stuck = |host, name| fleet.start(Some(host), &format!("work --threads 2 --rate 1 --tries 1000 --as {name}"));
    let (killed, frozen) = (stuck(0, "killed"), stuck(1, "frozen"));
    for name in ["killed", "frozen"] {
        wait_until(&format!("{name} has files"), || fleet.held_by(name) == 8);
    }
    killed.signal("KILL");
    frozen.signal("STOP");

    let quick = |host, name| {
        let arguments = format!("work --threads 2 --rate 30000 --tries 1000 --as {name}");
        fleet.start(Some(host), &arguments)
    };
    let workers = [quick(1, "one"), quick(2, "two")];
    wait_until("what the killed had was taken over", || fleet.held_by("killed") == 0);
    wait_until("what the frozen had was taken over", || fleet.held_by("frozen") == 0);
    frozen.signal("CONT");
    frozen.says("were taken over by others", 1);
    drop(frozen);

    fleet.hosts.cut(2);
    sleep(Duration::from_secs(5));
    workers[1].says("no connection", 1);
    fleet.hosts.mend(2);
    wait_until("it is connected again", || is_connected(&workers[1]));

    // As an administrator does it, and as a power cut does.
    for (signal, times) in [("TERM", 1), ("KILL", 2)] {
        let before = workers[0].said().matches("no connection").count();
        fleet.stop_redis(signal);
        workers[0].says("no connection", before + 1);
        offer.says("results: no connection", times);
        fleet.start_redis();
        wait_until("the worker is connected again", || is_connected(&workers[0]));
        offer.says("results: connected again", times);
    }
    fs::rename(&elsewhere, &missing).unwrap();

    let (out, said) = offer.ends_with(0);
    assert_eq!(out, fleet.expected(), "{said}");
    let (watched, _) = watch.ends_with(0);
    let watched = String::from_utf8(watched).unwrap();
    let last = watched.lines().last().unwrap();
    assert!(last.starts_with("405 of 405 files are done, none is left; "), "{watched}");
    for worker in workers {
        worker.signal("TERM");
        worker.ends_with(0);
    }
}

#[test]
fn what_redis_forgets_is_offered_again() {
    if !is_there() {
        return;
    }
    // Nobody waits for Redis to be there first.
    let mut fleet = Fleet::without_redis();
    tree::make(fleet.path(), 50);
    let worker = fleet.start(Some(0), "work --threads 1 --rate 1 --tries 50 --as slow");
    let offer = fleet.start(None, "offer tree --ahead 20");
    worker.says("no connection", 1);
    offer.says("no connection", 1);
    fleet.start_redis();
    wait_until("a worker has files", || fleet.held_by("slow") == 4);
    fleet.stop_redis("KILL");
    fleet.lose_data();
    fleet.start_redis();
    wait_until("the files are there again", || fleet.redis("XLEN fleet:jobs") == "20");
    drop(worker);
    let worker = fleet.start(Some(0), "work --threads 2 --tries 50");
    let (out, said) = offer.ends_with(0);
    assert_eq!(out, fleet.expected(), "{said}");
    drop(worker);
}
