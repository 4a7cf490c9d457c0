//! How far the work is: counted by any thread, drawn on stderr by a timer of the reactor.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use selvedge::Reactor;

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// While the walk runs the total is unknown: a bar of what was found so far would always be almost full.
const TOTAL_UNKNOWN: &str = "{spinner} {bytes} {bytes_per_sec}  {msg}";
const TOTAL_KNOWN: &str = "{bar:20} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left  {msg}";

/// The counters are hints for the eye, and `interrupted` is one for the threads that read: nobody infers from them
/// what another thread did before, so every access is relaxed.
pub struct Progress {
    found_files: AtomicU64,
    found_bytes: AtomicU64,
    found_all: AtomicBool,
    hashed_files: AtomicU64,
    hashed_bytes: AtomicU64,
    interrupted: AtomicBool,
    bar: ProgressBar,
}

impl Progress {
    /// With a bar if stderr is a terminal, and without one if not.
    pub fn new() -> Progress {
        Progress {
            found_files: AtomicU64::new(0),
            found_bytes: AtomicU64::new(0),
            found_all: AtomicBool::new(false),
            hashed_files: AtomicU64::new(0),
            hashed_bytes: AtomicU64::new(0),
            interrupted: AtomicBool::new(false),
            bar: ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
        }
    }

    /// The walk came upon a file of so many bytes.
    pub fn found(&self, bytes: u64) {
        self.found_files.fetch_add(1, Relaxed);
        self.found_bytes.fetch_add(bytes, Relaxed);
    }

    /// The walk is over.
    pub fn found_all(&self) {
        self.found_all.store(true, Relaxed);
    }

    /// A chunk of a file went through the hash.
    pub fn hashed_bytes(&self, count: usize) {
        self.hashed_bytes.fetch_add(count as u64, Relaxed);
    }

    /// A file was hashed to its end.
    pub fn hashed_file(&self) {
        self.hashed_files.fetch_add(1, Relaxed);
    }

    /// Tells every thread that reads to end at its next chunk or directory entry.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Relaxed);
    }

    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    /// One line on stderr, above the bar if there is one.
    pub fn say(&self, line: impl Display) {
        // `eprintln!` would panic where stderr can't be written to; there is nobody left to tell.
        self.bar.suspend(|| _ = writeln!(io::stderr(), "hash_tree: {line}"));
    }

    /// What Ctrl-C leaves behind, in words.
    pub fn summary(&self) -> String {
        let files = HumanCount(self.hashed_files.load(Relaxed));
        let found = HumanCount(self.found_files.load(Relaxed));
        let bytes = HumanBytes(self.hashed_bytes.load(Relaxed));
        format!("interrupted: hashed {files} of the {found} files found so far, {bytes} read")
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let template = if self.found_all.load(Relaxed) { TOTAL_KNOWN } else { TOTAL_UNKNOWN };
        // Should a future indicatif refuse the template, its own style still shows the progress.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_message(format!("{} files", HumanCount(self.hashed_files.load(Relaxed))));
        self.bar.set_length(self.found_bytes.load(Relaxed));
        self.bar.set_position(self.hashed_bytes.load(Relaxed));
        self.bar.tick();
    }
}

/// Draws now and at every tick from now on; the reactor drops the last tick when it ends.
pub fn draw(progress: Arc<Progress>, reactor: &Reactor) {
    if progress.bar.is_hidden() {
        return;
    }
    progress.show();
    reactor.call_later(TICK, move |reactor| draw(progress, reactor));
}
