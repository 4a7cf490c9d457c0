//! The reactor's clock: the system's, or a virtual one that tests move.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::super::pool::{PoolId, RestWatch};
use super::super::sync::{Instant, Mutex, StdArc};
use crate::machine::timer_queue::END_OF_TIME;

/// A clock that moves only when it is advanced, for tests.
///
/// Given to a reactor with [`ReactorBuilder::clock`](crate::reactor::ReactorBuilder::clock). A reactor that is turned
/// by hand runs what has become due since the clock was advanced.
///
/// [`run`](crate::Reactor::run) advances the clock itself, straight to the next timer, when it would otherwise wait for
/// that timer and nothing is on its way to the reactor: no posted call, no job or ending thread of a pool that it was
/// built with, has [deferred to](crate::threads::defer_to_thread_pool) or [awaits](crate::ThreadPool::stopped), nothing
/// that one of its futures awaits from another reactor. So a job that takes a moment always wins against a timeout of
/// an hour.
///
/// - A job that never ends keeps the time from passing. So does a job that waits for a sleep of this reactor, unless it
///   waits in a [blocking call](crate::threads::blocking_call_from_thread): an executor that waits inside a job looks
///   like a job that runs.
/// - Jobs that no worker can take, because their pool is not started or is paused, let the time pass. Those of a
///   [stepped](crate::pool::PoolBuilder::build_stepped) pool do not, so another thread has to step it meanwhile.
/// - The reactor does not know what other threads are going to do by themselves: a test that waits for that turns the
///   reactor by hand.
///
/// Clones are the same clock, on any thread, so that the builder of a reactor can be sent to the thread where the
/// reactor is to live. A reactor is not woken when another thread advances its clock. Give each reactor that runs a
/// clock of its own: two that have the same move each other's time, and the jobs of one do not hold the other's.
///
/// ```
/// use selvedge::{Reactor, testing::VirtualClock};
/// use std::time::Duration;
///
/// let clock = VirtualClock::new();
/// let reactor = Reactor::builder().clock(clock.clone()).build()?;
/// let call = reactor.call_later(Duration::from_secs(3600), |_| {});
/// reactor.turn()?;
/// assert!(call.is_active());
/// clock.advance(Duration::from_secs(3600));
/// reactor.turn()?;
/// assert!(!call.is_active());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct VirtualClock(StdArc<Mutex<Duration>>);

impl Default for VirtualClock {
    fn default() -> Self {
        Self(StdArc::new(Mutex::new(Duration::ZERO)))
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualClock").field(&self.now()).finish()
    }
}

impl VirtualClock {
    /// A new clock, at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The present time of this clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        *self.0.lock()
    }

    /// Advances the time, at most to the last moment before [`Duration::MAX`], which is never. Nothing runs yet: what
    /// is due runs in the reactor's next turn.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock();
        *now = now.saturating_add(by).min(END_OF_TIME);
    }

    /// Advances the time to this, unless it has come already: another reactor may have the same clock.
    pub(super) fn advance_to(&self, at: Duration) {
        let mut now = self.0.lock();
        *now = at.min(END_OF_TIME).max(*now);
    }
}

/// A reactor's virtual clock, and what keeps it from advancing by itself: see [`virtual_time`](super::virtual_time).
pub(super) struct VirtualTime {
    pub(super) clock: VirtualClock,
    /// The pools whose jobs may have something for the reactor.
    pub(super) pools: RefCell<Vec<RestWatch>>,
    /// How many workers of each pool wait for an answer of the reactor, which may come to use the pool later.
    pub(super) owed: RefCell<BTreeMap<PoolId, usize>>,
    /// How many answers of other reactors this one awaits.
    pub(super) awaited: StdArc<Mutex<usize>>,
}

/// The reactor's clock. Both kinds are monotonic.
pub(super) enum Clock {
    Real(Instant),
    Virtual(VirtualTime),
}

impl Clock {
    pub(super) fn real() -> Self {
        Self::Real(Instant::now())
    }

    pub(super) fn virtual_from(clock: VirtualClock) -> Self {
        let (pools, owed, awaited) = (RefCell::default(), RefCell::default(), StdArc::new(Mutex::new(0)));
        Self::Virtual(VirtualTime { clock, pools, owed, awaited })
    }

    /// The time since the reactor was made.
    pub(super) fn now(&self) -> Duration {
        match self {
            Self::Real(made) => made.elapsed(),
            Self::Virtual(time) => time.clock.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::sync::check;
    use super::VirtualClock;

    // Checks: P8, B21
    #[test]
    fn a_clock_is_advanced_to_a_time_unless_that_has_passed() {
        check(|| {
            let clock = VirtualClock::new();
            for (to, then) in [(5, 5), (3, 5), (7, 7)] {
                clock.advance_to(Duration::from_secs(to));
                assert_eq!(clock.now(), Duration::from_secs(then));
            }
        });
    }
}
