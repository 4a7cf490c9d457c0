//! The clock: what time it is for the reactor's timers.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::super::sync::Instant;

/// A clock that moves only when it is told to: time as a test's own.
///
/// Given to a reactor with [`ReactorBuilder::clock`](crate::reactor::ReactorBuilder::clock). A reactor that is turned by hand runs what has become due since
/// the clock was advanced; one inside [`run`](crate::Reactor::run) lets time pass by itself, all at once, whenever it has
/// nothing else to do than wait for a timer.
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
#[derive(Debug, Clone, Default)]
pub struct VirtualClock(Rc<Cell<Duration>>);

impl VirtualClock {
    /// A clock that shows zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.get()
    }

    /// Lets time pass. Nothing runs yet: that is for the reactor's next turn. Stops at the end of time, if it comes to that.
    pub fn advance(&self, by: Duration) {
        self.0.set(self.0.get().saturating_add(by));
    }
}

/// The reactor's clock: real or virtual, monotonic either way.
#[derive(Debug)]
pub(super) enum Clock {
    Real(Instant),
    Virtual(VirtualClock),
}

impl Clock {
    pub(super) fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// Time since the reactor was made.
    pub(super) fn now(&self) -> Duration {
        match self {
            Self::Real(made) => made.elapsed(),
            Self::Virtual(clock) => clock.now(),
        }
    }
}
