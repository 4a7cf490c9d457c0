//! The program on a terminal of its own: what it shows, and that a key ends it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// For what hangs.
const WATCHDOG: Duration = Duration::from_secs(300);

struct Terminal {
    ours: File,
    seen: String,
}

impl Terminal {
    /// Reads what is written until all of it has been.
    fn wait_for(&mut self, all: &[&str]) {
        let deadline = Instant::now() + WATCHDOG;
        let mut bytes = [0; 4096];
        while !all.iter().all(|text| self.seen.contains(text)) {
            match self.ours.read(&mut bytes) {
                Ok(count) => self.seen.push_str(&String::from_utf8_lossy(&bytes[..count])),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("{all:?} was not written, but {:?}: {error}", self.seen),
            }
        }
    }
}

#[test]
fn the_program_shows_its_jobs_and_a_key_ends_it() {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let theirs: File =
        open(ptsname(&ours, Vec::new()).unwrap(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap().into();
    tcsetwinsize(&ours, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    fcntl_setfl(&ours, OFlags::NONBLOCK).unwrap();
    let mut terminal = Terminal { ours: ours.into(), seen: String::new() };
    let stdio = || theirs.try_clone().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_selvedge-monitor"))
        .env("TERM", "xterm")
        .stdin(stdio())
        .stdout(stdio())
        .stderr(stdio())
        .spawn()
        .unwrap();
    // It takes the terminal's other screen, and shows what runs.
    terminal.wait_for(&["\u{1b}[?1049h", "loop lag", "turns/s", "slowest jobs", "thumbnail", "report", "backup"]);
    terminal.ours.write_all(b"q").unwrap();
    // And gives the first screen back.
    terminal.wait_for(&["\u{1b}[?1049l"]);
    assert!(program.wait().unwrap().success());
}
