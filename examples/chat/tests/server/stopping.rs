//! The server's end: what was said is sent and logged first.

use std::fs;
use std::process::Command;

use crate::client::{Client, text};
use crate::program::Server;

#[test]
fn sigterm_loses_nothing_that_was_said() {
    const LINES: usize = 500;
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().to_str().unwrap();
    let server = Server::start(&["--max-line", "100000", "--max-outbox", "100000000", "--linger", "60", "--log", path]);
    // More than the sockets of one that does not read can hold: the rest is in the server when the signal comes.
    let [mut speaker, silent] = ["long"; 2].map(|room| Client::enter(&server.address, room));
    let said: Vec<String> = (0..LINES).map(|n| format!("{n} {}", "x".repeat(64 << 10))).collect();
    said.iter().for_each(|line| speaker.say(line));
    speaker.join("elsewhere");
    server.terminate();
    assert_eq!(speaker.hear_to_the_end(), ["the server stops"]);
    let heard = silent.hear_to_the_end();
    let (last, heard) = heard.split_last().unwrap();
    assert_eq!(last, "the server stops");
    assert!(heard.iter().map(|line| text(line)).eq(said.iter()), "{} long lines of {LINES}", heard.len());
    server.ends_well();
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(log.lines().map(text).eq(said.iter()), "{} lines are logged", log.lines().count());
}

#[test]
fn sigterm_ends_a_server_that_nobody_uses() {
    for _ in 0..10 {
        let server = Server::start(&[]);
        server.terminate();
        server.ends_well();
    }
}

#[test]
fn clients_that_neither_read_nor_leave_do_not_keep_it() {
    let server = Server::start(&["--linger", "1"]);
    let [mut speaker, silent] = ["room"; 2].map(|room| Client::enter(&server.address, room));
    for _ in 0..500 {
        speaker.say(&"x".repeat(4000));
    }
    speaker.join("elsewhere");
    server.terminate();
    server.ends_well();
    drop((speaker, silent));
}

#[test]
fn a_log_that_cannot_be_written_stops_the_server_with_a_reason() {
    let server = Server::start(&["--log", "/dev/full"]);
    let mut client = Client::enter(&server.address, "room");
    client.say("this does not fit");
    assert_eq!(client.hear_to_the_end(), ["the server stops"]);
    let (status, complaints) = server.ends();
    assert_eq!(status, Some(1));
    assert_eq!(complaints, "chat: the log: No space left on device (os error 28)\n");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let server = Server::start(&[]);
    let missing = "/nowhere/log: No such file or directory";
    for (arguments, status, complaint) in [
        (vec![&*server.address], 1, "Address already in use"),
        (vec!["127.0.0.1:0", "--log", "/nowhere/log"], 1, missing),
        (vec!["127.0.0.1:0", "--idle", "soon"], 2, "invalid value 'soon' for '--idle <SECONDS>'"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_chat")).args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert!(errors.contains(complaint), "{errors}");
    }
}
