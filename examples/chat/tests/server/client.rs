//! A client of the server, for its tests.

use std::io::{BufRead, BufReader, Write};
use std::iter;
use std::net::{Shutdown, TcpStream};

use crate::program::LIMIT;

pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn connect(address: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        Self(BufReader::new(socket))
    }

    pub fn enter(address: &str, room: &str) -> Self {
        let mut client = Self::connect(address);
        client.join(room);
        client
    }

    /// Returns when the server has taken all that was said before.
    pub fn join(&mut self, room: &str) {
        self.say(&format!("/join {room}"));
        assert_eq!(self.hear().unwrap(), format!("you are in {room}"));
    }

    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Says something, and returns the answer.
    pub fn ask(&mut self, line: &[u8]) -> String {
        self.send(line);
        self.send(b"\n");
        self.hear().unwrap()
    }

    /// The next line, or none at the end.
    pub fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.pop().map(|newline| {
            assert_eq!(newline, '\n', "a line is whole");
            line
        })
    }

    /// The next line of another client, without who said it.
    pub fn hear_text(&mut self) -> String {
        text(&self.hear().unwrap()).to_owned()
    }

    pub fn close_its_end(&self) {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    pub fn hear_to_the_end(mut self) -> Vec<String> {
        iter::from_fn(|| self.hear()).collect()
    }
}

/// A line without who said it.
pub fn text(line: &str) -> &str {
    line.split_once(": ").map_or(line, |(_, text)| text)
}
