//! Shared by all test programs: a watchdog, gates, a log for many threads, and values that record their drop.

#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod deferred;

use std::io::ErrorKind;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};
use std::{env, fmt, fs};

use selvedge::{
    Handle, Reactor,
    report::{Incident, Report},
    testing::VirtualClock,
};

/// The watchdog: a test that hangs fails instead of hanging the run. No verdict depends on speed: the slowest test
/// needs a hundredth of this, unoptimized, on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs a test's body on a thread of its own, and waits for its end, but not for ever.
pub fn ends<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || drop(tell.send(body())));
    match told.recv_timeout(PATIENCE) {
        Ok(value) => {
            drop(thread.join());
            value
        }
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("a body that returned has told what"),
        },
        Err(RecvTimeoutError::Timeout) => panic!("not over after {PATIENCE:?}: it hangs"),
    }
}

/// Set for the child that [`alone`] starts, to the name of its test.
const ALONE: &str = "SELVEDGE_TEST_ALONE";

/// Runs a test's body in a process of its own, where no other test disturbs what the operating system says of it, and
/// for as long as any body may take. `prepare` says how the process is to be started; `name` is the test's own.
pub fn alone(name: &str, prepare: impl FnOnce(&mut Command), body: impl FnOnce() + Send + 'static) {
    if env::var_os(ALONE).is_some_and(|child| child == name) {
        return ends(body);
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(ALONE, name);
    prepare(&mut child);
    // A program that was just written may still be open in the child that another test's thread is about to start.
    let begun = Instant::now();
    let ran = loop {
        match child.output() {
            Err(busy) if busy.kind() == ErrorKind::ExecutableFileBusy && begun.elapsed() < PATIENCE => {
                thread::yield_now()
            }
            ran => break ran.unwrap(),
        }
    };
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "alone, it failed:\n{said}");
}

/// A number of `/proc/self/status`.
pub fn from_the_os(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim_end_matches("kB").trim().parse().ok());
    number.unwrap_or_else(|| panic!("no {what} in\n{status}"))
}

/// Waits for something that is bound to come about, but not for ever.
pub fn until(mut comes_about: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !comes_about() {
        assert!(begun.elapsed() < PATIENCE, "it has not come about after {PATIENCE:?}");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until a reactor that runs on another thread has nothing to do and sleeps.
pub fn until_asleep(handle: &Handle) {
    until(|| format!("{handle:?}").contains("Asleep"));
}

/// A reactor whose reports are kept.
pub fn reporting() -> (Reactor, Log<Incident>) {
    let reports = Log::new();
    (build(Reactor::builder().on_report(reports.sink())), reports)
}

/// A reactor whose time is the test's own.
pub fn virtual_time() -> (Reactor, VirtualClock, Log<Incident>) {
    let (clock, reports) = (VirtualClock::new(), Log::new());
    (build(Reactor::builder().clock(clock.clone()).on_report(reports.sink())), clock, reports)
}

fn build(builder: selvedge::reactor::ReactorBuilder) -> Reactor {
    builder.build().unwrap()
}

/// Numbers that look random and are the same in each run: what differs between runs is how the threads meet.
pub struct Dice(u64);

impl Dice {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        // Spread, for seeds that differ in their last bits only begin alike; and never zero, which stays zero.
        let spread = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(spread ^ spread >> 32)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 8) % sides as u64).unwrap_or_default()
    }
}

/// A gate that is closed until somebody opens it, for good.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn open(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    /// Blocks until the gate is open.
    pub fn pass(&self) {
        let mut open = lock(&self.0.0);
        while !*open {
            open = self.0.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What happened, in the order in which it did, from whatever thread.
pub struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Log<T> {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Vec::new())))
    }

    pub fn note(&self, entry: T) {
        lock(&self.0).push(entry);
    }

    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    pub fn entries(&self) -> Vec<T> {
        lock(&self.0).clone()
    }

    /// A value that makes this entry when it is dropped.
    pub fn when_dropped(&self, entry: T) -> Note<T> {
        Note(self.clone(), Some(entry))
    }
}

impl Log<Incident> {
    /// Where a reactor or a pool tells what failed.
    pub fn sink(&self) -> impl Fn(&Report<'_>) + Send + Sync + 'static {
        let log = self.clone();
        move |report| log.note(report.incident)
    }
}

impl Log<String> {
    /// The same, with the error's own words.
    pub fn sink_of_words(&self) -> impl Fn(&Report<'_>) + Send + Sync + 'static {
        let log = self.clone();
        move |report| log.note(format!("{:?}: {}", report.incident, report.error))
    }
}

impl<T: PartialEq + fmt::Debug> PartialEq<[T]> for Log<T> {
    fn eq(&self, other: &[T]) -> bool {
        *lock(&self.0) == other
    }
}

impl<T: PartialEq + fmt::Debug, const N: usize> PartialEq<[T; N]> for Log<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        *lock(&self.0) == other
    }
}

impl<T: fmt::Debug> fmt::Debug for Log<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lock(&self.0).fmt(f)
    }
}

/// An entry that a log gets when this is dropped.
pub struct Note<T: Clone>(Log<T>, Option<T>);

impl<T: Clone> Drop for Note<T> {
    fn drop(&mut self) {
        self.1.take().into_iter().for_each(|entry| self.0.note(entry));
    }
}

/// Tells on which thread it was dropped.
pub struct Grave(Sender<ThreadId>);

impl Grave {
    pub fn new() -> (Self, Receiver<ThreadId>) {
        let (tell, told) = mpsc::channel();
        (Self(tell), told)
    }
}

impl Drop for Grave {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().id());
    }
}

/// Panics when it is dropped; not during another panic, where nothing could contain it.
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "the bomb went off");
    }
}

/// Shows a value to the compiler, and lets it live as long as the closure that calls this.
pub fn hold<T>(value: &T) {
    let _ = value;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
