//! Shared by all test programs: a watchdog, gates, a log for many threads, and values that record their drop.

#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod converted;
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

/// A test that runs longer than this hangs. No verdict depends on speed: the slowest test needs a hundredth of it on a
/// quiet machine.
const WATCHDOG: Duration = Duration::from_secs(600);

/// Runs a test's body on a thread of its own and waits for its end; panics if the body hangs.
pub fn with_watchdog<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || drop(sender.send(body())));
    match receiver.recv_timeout(WATCHDOG) {
        Ok(value) => {
            drop(thread.join());
            value
        }
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("a body that returned has sent its value"),
        },
        Err(RecvTimeoutError::Timeout) => panic!("still running after {WATCHDOG:?}: it hangs"),
    }
}

const SMALL_STACK: usize = 64 * 1024;

/// How long a chain, and how deep a nesting, has to be on the small stack. A recursion takes at least 16 bytes for each
/// level: 25 times that stack. `.ci/long` sets the variable.
pub const MANY: usize = if option_env!("SELVEDGE_LONG_TESTS").is_some() { 1_000_000 } else { 100_000 };
const _: () = assert!(16 * MANY > 20 * SMALL_STACK);

/// Runs a test's body on a thread with a small stack.
pub fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(SMALL_STACK).spawn(body).unwrap().join().unwrap();
}

/// Set for the child that [`in_own_process`] starts, to the name of its test.
const CHILD: &str = "SELVEDGE_TEST_IN_OWN_PROCESS";

/// Runs a test's body in a process of its own, so that no other test changes what the operating system counts.
/// `name` is the test's own, with its module; `prepare` may change how the process is started.
pub fn in_own_process(name: &str, prepare: impl FnOnce(&mut Command), body: impl FnOnce() + Send + 'static) {
    if env::var_os(CHILD).is_some_and(|child| child == name) {
        return with_watchdog(body);
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, name);
    prepare(&mut child);
    // An executable that this process just copied can be briefly open for writing in a child that another test has
    // forked.
    let begun = Instant::now();
    let ran = loop {
        match child.output() {
            Err(busy) if busy.kind() == ErrorKind::ExecutableFileBusy && begun.elapsed() < WATCHDOG => {
                thread::yield_now()
            }
            ran => break ran.unwrap(),
        }
    };
    let output = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && output.contains("1 passed"), "it failed in a process of its own:\n{output}");
}

/// A number in `/proc/self/status`, by its key.
pub fn process_status(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim_end_matches("kB").trim().parse().ok());
    number.unwrap_or_else(|| panic!("no {key} in\n{status}"))
}

/// Waits until a condition holds that must come to hold; panics if it never does.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < WATCHDOG, "the condition does not hold after {WATCHDOG:?}");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Runs a reactor while another thread asks it something; returns the answer.
pub fn ask<T: Send + 'static>(question: impl FnOnce(&Handle) -> T + Send + 'static) -> T {
    with_watchdog(|| {
        let reactor = Reactor::new();
        let handle = reactor.handle();
        let asker = thread::spawn(move || {
            let answer = question(&handle);
            handle.stop();
            answer
        });
        reactor.run();
        asker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Waits until a reactor that runs on another thread has nothing to do and sleeps.
pub fn wait_until_asleep(handle: &Handle) {
    wait_until(|| format!("{handle:?}").contains("Asleep"));
}

/// A reactor, and a log of what it reports.
pub fn reporting() -> (Reactor, Log<Incident>) {
    let reports = Log::new();
    (build(Reactor::builder().on_report(reports.sink())), reports)
}

/// A reactor on a virtual clock, and a log of what it reports.
pub fn virtual_time() -> (Reactor, VirtualClock, Log<Incident>) {
    let (clock, reports) = (VirtualClock::new(), Log::new());
    (build(Reactor::builder().clock(clock.clone()).on_report(reports.sink())), clock, reports)
}

fn build(builder: selvedge::reactor::ReactorBuilder) -> Reactor {
    builder.build().unwrap()
}

/// Pseudorandom numbers from a seed: runs differ only in how threads interleave.
pub struct Rng(u64);

impl Rng {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        // Mixed, because close seeds would start with close numbers. Never zero: xorshift would stay there.
        let spread = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(spread ^ spread >> 32)
    }

    pub fn below(&mut self, sides: usize) -> usize {
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

    pub fn is_open(&self) -> bool {
        *lock(&self.0.0)
    }

    /// Blocks until the gate is open.
    pub fn pass(&self) {
        let mut open = lock(&self.0.0);
        while !*open {
            open = self.0.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Entries in the order in which they were made, from any thread.
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
    /// A report sink for a reactor or a pool: logs what failed.
    pub fn sink(&self) -> impl Fn(&Report<'_>) + Send + Sync + 'static {
        let log = self.clone();
        move |report| log.note(report.incident)
    }
}

impl Log<String> {
    /// The same, with the error's message.
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

impl<T: Clone> Note<T> {
    /// Drops it without an entry.
    pub fn disarm(mut self) {
        self.1 = None;
    }
}

impl<T: Clone> Drop for Note<T> {
    fn drop(&mut self) {
        self.1.take().into_iter().for_each(|entry| self.0.note(entry));
    }
}

/// Sends the id of the thread that drops it.
pub struct DropSignal(Sender<ThreadId>);

impl DropSignal {
    pub fn new() -> (Self, Receiver<ThreadId>) {
        let (tell, told) = mpsc::channel();
        (Self(tell), told)
    }
}

impl Drop for DropSignal {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().id());
    }
}

/// Does something when it is dropped.
pub struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub const fn new(deed: F) -> Self {
        Self(Some(deed))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|deed| deed());
    }
}

/// Panics when it is dropped, unless its thread is already panicking: a second panic would abort.
pub struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        assert!(thread::panicking(), "a drop that panics");
    }
}

/// Uses a value, so that the closure which calls this captures it.
pub fn hold<T>(value: &T) {
    let _ = value;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
