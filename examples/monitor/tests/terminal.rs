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

const ROWS: u16 = 30;
const COLUMNS: u16 = 100;

/// As much of a terminal as the program needs: a cursor that is moved, and cells that are written. What has not changed
/// is not written again.
struct Terminal {
    ours: File,
    /// Bytes of which the end has not come yet.
    rest: Vec<u8>,
    cells: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// Whether it shows its other screen.
    other_screen: bool,
}

impl Terminal {
    /// Reads what is written until that is so.
    fn wait_until(&mut self, what: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + WATCHDOG;
        let mut bytes = [0; 4096];
        while !what(self) {
            match self.ours.read(&mut bytes) {
                Ok(count) => self.write(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("{error}, with this on the screen:\n{}", self.lines().join("\n")),
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        self.cells.iter().map(|line| line.iter().collect()).collect()
    }

    fn shows(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.rest.extend(bytes);
        let bytes = std::mem::take(&mut self.rest);
        let whole = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let mut text = std::str::from_utf8(&bytes[..whole]).unwrap();
        while let Some(character) = text.chars().next() {
            let mut taken = character.len_utf8();
            if let Some(sequence) = text.strip_prefix("\u{1b}[") {
                let Some(end) = sequence.find(|end: char| ('@'..='~').contains(&end)) else { break };
                self.control(&sequence[..=end]);
                taken = end + 3;
            } else if text == "\u{1b}" {
                break;
            } else if character >= ' ' {
                if let Some(cell) = self.cells.get_mut(self.row).and_then(|line| line.get_mut(self.column)) {
                    *cell = character;
                }
                self.column += 1;
            }
            text = &text[taken..];
        }
        self.rest = [text.as_bytes(), &bytes[whole..]].concat();
    }

    fn control(&mut self, sequence: &str) {
        match sequence {
            "?1049h" => self.other_screen = true,
            "?1049l" => self.other_screen = false,
            _ => {
                if let Some((row, column)) = sequence.strip_suffix('H').and_then(|at| at.split_once(';')) {
                    let number = |text: &str| text.parse().map_or(0, |number: usize| number - 1);
                    (self.row, self.column) = (number(row), number(column));
                }
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
    tcsetwinsize(&ours, Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    fcntl_setfl(&ours, OFlags::NONBLOCK).unwrap();
    let mut terminal = Terminal {
        ours: ours.into(),
        rest: Vec::new(),
        cells: vec![vec![' '; COLUMNS.into()]; ROWS.into()],
        row: 0,
        column: 0,
        other_screen: false,
    };
    let stdio = || theirs.try_clone().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_selvedge-monitor"))
        .env("TERM", "xterm")
        .stdin(stdio())
        .stdout(stdio())
        .stderr(stdio())
        .spawn()
        .unwrap();
    let shown =
        ["loop lag", "turns/s", " threads of 1 to 4", "turns took", "slowest jobs", "thumbnail", "report", "backup"];
    terminal.wait_until(|terminal| terminal.other_screen && shown.iter().all(|text| terminal.shows(text)));
    terminal.ours.write_all(b"q").unwrap();
    terminal.wait_until(|terminal| !terminal.other_screen);
    assert!(program.wait().unwrap().success());
}
