//! The chat server over mio: a thousand clients in ten rooms, one that does not read, and SIGTERM, which loses nothing.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::{fs, iter};

use crate::program::{LIMIT, Program};

const ROOMS: usize = 10;
const IN_A_ROOM: usize = 100;
const LONG: usize = 64 << 10;

struct Client(BufReader<TcpStream>);

impl Client {
    fn enter(address: &str, room: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let mut client = Self(BufReader::new(socket));
        client.join(room);
        client
    }

    /// Returns when the server has taken all that was said before.
    fn join(&mut self, room: &str) {
        self.say(&format!("/join {room}"));
        assert_eq!(self.hear().unwrap(), format!("you are in {room}"));
    }

    fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line, or none at the end.
    fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.pop().map(|newline| {
            assert_eq!(newline, '\n', "a line is whole");
            line
        })
    }

    fn hear_to_the_end(mut self) -> Vec<String> {
        iter::from_fn(|| self.hear()).collect()
    }
}

#[test]
fn a_thousand_clients_hear_their_rooms_and_sigterm_flushes_everybody() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut server = Program::start(Command::new(env!("CARGO_BIN_EXE_on_mio")).arg("127.0.0.1:0").arg(log.path()));
    let address = server.line();

    let mut rooms: Vec<Vec<Client>> = (0..ROOMS)
        .map(|room| (0..IN_A_ROOM).map(|_| Client::enter(&address, &format!("room {room}"))).collect())
        .collect();
    for (room, clients) in rooms.iter_mut().enumerate() {
        clients.iter_mut().enumerate().for_each(|(n, client)| client.say(&format!("{n} of {room}")));
    }
    for (room, clients) in rooms.iter_mut().enumerate() {
        for (own, client) in clients.iter_mut().enumerate() {
            let heard: BTreeSet<String> =
                (1..IN_A_ROOM).map(|_| client.hear().unwrap().split_once(": ").unwrap().1.to_owned()).collect();
            let others = (0..IN_A_ROOM).filter(|n| *n != own).map(|n| format!("{n} of {room}"));
            assert_eq!(heard, others.collect());
        }
    }

    // More than the sockets of one that does not read can hold: the rest is in the server when the signal comes.
    let (mut speaker, silent) = (Client::enter(&address, "long"), Client::enter(&address, "long"));
    let long: Vec<String> = (0..500).map(|n| format!("{n} {}", "x".repeat(LONG))).collect();
    long.iter().for_each(|line| speaker.say(line));
    speaker.join("elsewhere");
    server.terminate();

    for client in rooms.into_iter().flatten().chain([speaker]) {
        assert_eq!(client.hear_to_the_end(), ["the server stops"]);
    }
    let heard = silent.hear_to_the_end();
    let texts: Vec<_> = heard.iter().map(|line| line.split_once(": ").map_or(&**line, |(_, text)| text)).collect();
    assert_eq!(texts.last(), Some(&"the server stops"));
    assert!(texts[..texts.len() - 1] == long, "{} long lines of {}", texts.len() - 1, long.len());
    server.ends_well();

    let log = fs::read_to_string(log.path()).unwrap();
    assert_eq!(log.lines().count(), ROOMS * IN_A_ROOM + long.len());
    assert!(log.lines().rev().zip(long.iter().rev()).all(|(line, text)| line.ends_with(text)));
}

#[test]
fn what_one_client_does_wrong_harms_no_other() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut server = Program::start(Command::new(env!("CARGO_BIN_EXE_on_mio")).arg("127.0.0.1:0").arg(log.path()));
    let address = server.line();
    let (mut speaker, listener) = (Client::enter(&address, "room"), Client::enter(&address, "room"));
    for n in 0..100 {
        let mut leaves = Client::enter(&address, "room");
        leaves.0.get_mut().write_all(b"\xff\0half a line").unwrap();
        speaker.say(&format!("{n}"));
        // With what it has not read: its socket is reset, perhaps while it is being sent more.
        drop(leaves);
    }
    speaker.join("elsewhere");
    server.terminate();
    assert_eq!(speaker.hear_to_the_end(), ["the server stops"]);
    let heard = listener.hear_to_the_end();
    let texts = heard.iter().map(|line| line.split_once(": ").map_or(&**line, |(_, text)| text));
    let said = (0..100).map(|n| n.to_string()).chain(["the server stops".to_owned()]);
    assert!(texts.eq(said), "{heard:?}");
    server.ends_well();
}

#[test]
fn sigterm_ends_a_server_that_nobody_uses() {
    let log = tempfile::NamedTempFile::new().unwrap();
    for _ in 0..20 {
        let mut server = Program::start(Command::new(env!("CARGO_BIN_EXE_on_mio")).arg("127.0.0.1:0").arg(log.path()));
        server.line();
        server.terminate();
        server.ends_well();
    }
}
