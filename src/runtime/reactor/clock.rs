//! The reactor's clock: the system's, or a virtual one that tests move.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::super::sync::Instant;
use crate::machine::timer_queue::END_OF_TIME;

/// A clock that moves only when it is advanced, for tests.
///
/// Given to a reactor with [`ReactorBuilder::clock`](crate::reactor::ReactorBuilder::clock). A reactor that is turned
/// by hand runs what has become due since the clock was advanced. [`run`](crate::Reactor::run) advances the clock
/// itself, straight to the next timer, whenever it would otherwise wait for that timer.
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
    /// A new clock, at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The present time of this clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.get()
    }

    /// Advances the time, at most to the last moment before [`Duration::MAX`], which is never. Nothing runs yet: what
    /// is due runs in the reactor's next turn.
    pub fn advance(&self, by: Duration) {
        self.0.set(self.0.get().saturating_add(by).min(END_OF_TIME));
    }
}

/// The reactor's clock. Both kinds are monotonic.
#[derive(Debug)]
pub(super) enum Clock {
    Real(Instant),
    Virtual(VirtualClock),
}

impl Clock {
    pub(super) fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// The time since the reactor was made.
    pub(super) fn now(&self) -> Duration {
        match self {
            Self::Real(made) => made.elapsed(),
            Self::Virtual(clock) => clock.now(),
        }
    }
}
