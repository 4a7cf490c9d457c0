//! The reactor over `polling`: each question is answered by the pool and sent by the loop, and it ends when it is told.

use std::fs;
use std::net::UdpSocket;
use std::process::Command;

use crate::program::{LIMIT, Program};

#[test]
fn it_answers_with_the_size_of_each_file_and_stops() {
    let mut server = Program::start(&mut Command::new(env!("CARGO_BIN_EXE_on_polling")));
    let address = server.line();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(&address).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    let ask = |question: &str| {
        client.send(question.as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let length = client.recv(&mut answer).unwrap();
        String::from_utf8(answer[..length].to_vec()).unwrap()
    };
    let size = fs::metadata("Cargo.toml").unwrap().len().to_string();
    // One at a time: while the reactor sleeps, only its hook tells the poller that the pool has an answer.
    for _ in 0..200 {
        assert_eq!(ask("Cargo.toml"), size);
    }
    assert!(ask("no such file").contains("os error"));
    client.send(b"stop").unwrap();
    server.ends_well();
}
