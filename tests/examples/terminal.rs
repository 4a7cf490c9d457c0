//! A terminal for a program under test to write its progress bar to.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::example::PATIENCE;

/// Enough of a terminal for a program to believe in it.
pub struct Terminal {
    ours: File,
    theirs: File,
    seen: String,
}

impl Terminal {
    pub fn new() -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        // A program that writes nothing must not keep its test waiting for ever.
        fcntl_setfl(&ours, OFlags::NONBLOCK).unwrap();
        let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        Terminal { ours: ours.into(), theirs: theirs.into(), seen: String::new() }
    }

    pub fn stdio(&self) -> Stdio {
        self.theirs.try_clone().unwrap().into()
    }

    /// Reads what is written to the terminal until that has been, and forgets what came before it.
    pub fn wait_for(&mut self, expected: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = [0; 4096];
        loop {
            if let Some(at) = self.seen.find(expected) {
                self.seen.drain(..at + expected.len());
                return;
            }
            match self.ours.read(&mut bytes) {
                Ok(count) => self.seen.push_str(&String::from_utf8_lossy(&bytes[..count])),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("{expected:?} was not written, but {:?}: {error}", self.seen),
            }
        }
    }
}
