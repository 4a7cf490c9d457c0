//! Each limit, and the line that a client gets which passes it.

use std::fs;
use std::process::Command;

use crate::client::Client;
use crate::program::Server;

#[test]
fn every_bad_line_is_answered_and_the_client_stays() {
    let server = Server::start(&["--max-line", "20"]);
    let mut client = Client::connect(&server.address);
    for (line, answer) in [
        (&b"hello?"[..], "error: nobody hears you; enter a room with /join ROOM"),
        (b"/join", "error: /join wants the name of a room, of at most 64 bytes"),
        (b"/kick somebody", "error: there is no /kick; there are /join ROOM, /ping TEXT and /quit"),
        (b"\xff\xfe", "error: this line is not UTF-8; it is ignored"),
        (b"a\0b", "error: this line has the control character U+0000; it is ignored"),
        (&[b'x'; 21], "error: a line may have 20 bytes; this one is ignored"),
        (&[b'x'; 1 << 20], "error: a line may have 20 bytes; this one is ignored"),
        (b"/ping 01234567890123", "pong 01234567890123"),
    ] {
        assert_eq!(client.ask(line), answer);
    }
    client.send(b"half a line");
    client.close_its_end();
    assert_eq!(client.hear_to_the_end(), ["error: the last line has no end; it is ignored"]);
}

#[test]
fn a_client_that_does_not_read_is_dropped_with_a_reason_and_nobody_else_notices() {
    const LINES: usize = 4000;
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().to_str().unwrap();
    let limits = ["--max-line", "10000", "--max-outbox", "100000", "--linger", "300"];
    let server = Server::start(&[&limits[..], &["--log", path]].concat());
    let [mut speaker, mut reads, silent] = ["room"; 3].map(|room| Client::enter(&server.address, room));
    let line = |n| format!("{n} {}", "x".repeat(9000));
    // More than the sockets of one that does not read can hold.
    for n in 0..LINES {
        speaker.say(&line(n));
        assert!(reads.hear_text() == line(n), "line {n}");
    }
    let heard = silent.hear_to_the_end();
    let (last, lines) = heard.split_last().unwrap();
    assert_eq!(last, "dropped: more than 100000 bytes were waiting to be read");
    assert!(lines.len() < LINES);
    assert!(lines.iter().enumerate().all(|(n, heard)| heard.ends_with(&line(n))), "what it hears has no gap");
    server.terminate();
    drop((speaker, reads));
    server.ends_well();
    let log = fs::read_to_string(log.path()).unwrap();
    assert_eq!(log.lines().filter(|line| line.ends_with('x')).count(), LINES);
    assert_eq!(log.matches("is dropped: more than 100000 bytes were waiting to be read").count(), 1);
}

#[test]
fn a_client_that_only_asks_and_never_reads_is_dropped_too() {
    let server = Server::start(&["--max-outbox", "1000", "--max-line", "100000", "--linger", "300"]);
    let mut client = Client::connect(&server.address);
    let ping = format!("/ping {}", "x".repeat(90_000));
    for _ in 0..1000 {
        client.say(&ping);
    }
    let last = client.hear_to_the_end().pop();
    assert_eq!(last.as_deref(), Some("dropped: more than 1000 bytes were waiting to be read"));
}

#[test]
fn a_client_that_says_nothing_is_dropped_with_a_reason() {
    let server = Server::start(&["--idle", "1", "--linger", "300"]);
    let mut client = Client::connect(&server.address);
    // Bytes without an end are no line.
    client.send(b"a");
    assert_eq!(client.hear_to_the_end(), ["dropped: no line came for 1s"]);
}

#[test]
fn a_full_server_says_so_and_lets_in_the_next_when_one_has_left() {
    let server = Server::start(&["--max-clients", "2"]);
    let [mut first, _second] = ["room"; 2].map(|room| Client::enter(&server.address, room));
    for _ in 0..3 {
        let refused = Client::connect(&server.address).hear_to_the_end();
        assert_eq!(refused, ["dropped: the server is full, with 2 clients"]);
    }
    first.say("/quit");
    assert_eq!(first.hear_to_the_end(), ["bye"]);
    // Its place is free when the server has seen its end, a moment later.
    loop {
        let mut client = Client::connect(&server.address);
        client.say("/ping here");
        match client.hear().as_deref() {
            Some("pong here") => return,
            answer => assert_eq!(answer, Some("dropped: the server is full, with 2 clients")),
        }
    }
}

#[test]
fn a_server_without_descriptors_lets_clients_in_when_others_have_left() {
    let mut command = Command::new("sh");
    let server = env!("CARGO_BIN_EXE_chat");
    let server = Server::run(command.args(["-c", "ulimit -n 24; exec \"$0\" 127.0.0.1:0", server]));
    let mut clients: Vec<Client> = (0..24).map(|_| Client::connect(&server.address)).collect();
    assert_eq!(clients[0].ask(b"/ping"), "pong ");
    let mut last = clients.pop().unwrap();
    drop(clients);
    assert_eq!(last.ask(b"/ping"), "pong ");
    server.terminate();
    drop(last);
    let (status, complaints) = server.ends();
    assert_eq!(status, Some(0));
    assert!(complaints.contains("24 files may be open: there will be fewer than 10000 clients"), "{complaints}");
    assert!(complaints.contains("nobody is let in for 1s: "), "{complaints}");
}
