//! What the explorer decides in an execution beside the order of its threads, and the clock that it moves.

use std::cell::Cell;
use std::time::Duration;

use shuttle::rand::{RngCore, thread_rng};

/// How likely each kind of event is in an execution: once in so many decisions, or never if it is zero.
#[derive(Debug, Clone, Copy)]
pub struct Odds {
    /// A wait that has a timeout reaches it, whenever its thread is scheduled.
    pub timeout: u64,
    /// A wait ends for no reason. It may cover up a wake that was lost, so most executions have none.
    pub spurious_wake: u64,
    /// A thread fails to start.
    pub failed_start: u64,
    /// A hint reads as the opposite of what was written.
    pub stale_hint: u64,
    /// Time passes before somebody reads the clock.
    pub late: u64,
}

impl Odds {
    pub(crate) const NONE: Self = Self { timeout: 4, spurious_wake: 0, failed_start: 0, stale_hint: 0, late: 0 };

    /// None of these events.
    pub(crate) const NEVER: Self = Self { timeout: 0, ..Self::NONE };

    /// Those of one number: each kind of event is frequent, rare or absent, whatever the others are.
    pub(crate) fn of(number: u64) -> Self {
        let choices = |shift: u32, of: [u64; 4]| of[(number >> shift) as usize % of.len()];
        Self {
            timeout: choices(0, [2, 4, 16, 64]),
            spurious_wake: choices(2, [0, 0, 3, 12]),
            failed_start: choices(4, [0, 0, 2, 6]),
            stale_hint: choices(6, [0, 0, 3, 12]),
            late: choices(8, [0, 0, 8, 64]),
        }
    }
}

// All threads of an execution are one thread of the system.
thread_local! {
    static ODDS: Cell<Odds> = const { Cell::new(Odds::NONE) };
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Before each execution.
pub(crate) fn begin(odds: Odds) {
    ODDS.set(odds);
    NOW.set(Duration::ZERO);
}

/// For a program without failed starts: what it promises holds only if all its threads start.
pub fn all_threads_start() {
    ODDS.set(Odds { failed_start: 0, ..ODDS.get() });
}

/// Whether all threads of this execution start.
pub fn do_all_threads_start() -> bool {
    ODDS.get().failed_start == 0
}

/// One of the numbers below `count`.
pub fn choose(count: usize) -> usize {
    if count < 2 { 0 } else { (thread_rng().next_u64() % count as u64) as usize }
}

/// Whether an event happens now.
pub(crate) fn happens(kind: fn(&Odds) -> u64) -> bool {
    match kind(&ODDS.get()) {
        0 => false,
        odds => thread_rng().next_u64().is_multiple_of(odds),
    }
}

pub(crate) fn now() -> Duration {
    if happens(|odds| odds.late) {
        advance_to(NOW.get() + Duration::from_millis(1 << choose(12)));
    }
    NOW.get()
}

/// The time has come: it never goes back.
pub(crate) fn advance_to(time: Duration) {
    NOW.set(NOW.get().max(time));
}
