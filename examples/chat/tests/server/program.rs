//! Runs the server for its test, and reads what it prints.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Many times what anything here needs. What hangs fails its test instead of hanging it.
pub const LIMIT: Duration = Duration::from_secs(300);

pub struct Server {
    process: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    pub address: String,
}

impl Server {
    /// Starts one on a port of its own.
    pub fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_chat")).arg("127.0.0.1:0").args(arguments))
    }

    pub fn run(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut stderr = process.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let errors = Some(thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text).unwrap_or_default()
        }));
        let mut server = Self { process, lines, errors, address: String::new() };
        server.address = server.lines.recv_timeout(LIMIT).expect("it prints its address");
        server
    }

    /// Sends it SIGTERM.
    pub fn terminate(&self) {
        let kill = Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end: it prints nothing more, and has failed at nothing.
    pub fn ends_well(self) {
        assert_eq!(self.ends(), (Some(0), String::new()));
    }

    /// Waits for its end. Returns its status, and what it complained about.
    pub fn ends(mut self) -> (Option<i32>, String) {
        assert_eq!(self.lines.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
        let status = self.process.wait().unwrap();
        (status.code(), self.errors.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    /// It does not outlive its test.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
