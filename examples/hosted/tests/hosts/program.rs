//! Runs one of the programs for its test, and reads what it prints.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Many times what anything here needs. What hangs fails its test instead of hanging it.
pub const LIMIT: Duration = Duration::from_secs(300);

pub struct Program {
    process: Child,
    lines: Receiver<String>,
}

impl Program {
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, lines }
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        self.lines.recv_timeout(LIMIT).expect("it prints a line")
    }

    /// Waits for its end: it prints nothing more, and has failed at nothing.
    pub fn ends_well(mut self) {
        assert_eq!(self.lines.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Program {
    /// It does not outlive its test.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
