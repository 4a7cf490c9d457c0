//! Advancing the virtual clock, and running what is due then.

use std::time::Duration;

use super::clock::Clock;
use super::{Reactor, Turn};
use crate::error::AdvanceError;

/// A program that leaves something to run in so many turns will not come to rest.
const MAX_TURNS: u32 = 10_000;

impl Reactor {
    /// Advances the reactor's [`VirtualClock`](crate::testing::VirtualClock) and runs everything that is due then. For
    /// tests.
    ///
    /// The clock moves first, so that everything that runs sees the new time. Timers run by deadline, equal deadlines
    /// in the order of adding; calls that they add without a delay run after all that was due. It repeats whole
    /// [turns](Self::turn): posted calls run, the first turn starts the reactor, and a requested stop takes place. It
    /// returns what the last turn returned, when a turn leaves nothing to run at once. A program that always leaves
    /// something, such as a looping call without an interval, is turned ten thousand times: then it returns
    /// [`Turn::Again`].
    ///
    /// The time advances although jobs may be running: it moves because the program says so. It moves to the last
    /// moment before [`Duration::MAX`] at most: what was to run after that long never runs.
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::Turn, testing::VirtualClock};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
    /// let outer = reactor.call_later(second, |reactor| {
    ///     assert_eq!(reactor.now(), Duration::from_secs(3));
    ///     reactor.call_later(Duration::ZERO, |_| println!("in the same advance"));
    /// });
    /// assert_eq!(reactor.advance(3 * second)?, Turn::Idle);
    /// # drop(outer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The reactor has no virtual clock, or this is inside a turn.
    pub fn advance(&self, by: Duration) -> Result<Turn, AdvanceError> {
        let Clock::Virtual(time) = &self.core.clock else { return Err(AdvanceError::RealClock) };
        if self.core.turning.get() {
            return Err(AdvanceError::Reentered);
        }
        time.clock.advance(by);
        for _ in 0..MAX_TURNS {
            match self.turn()? {
                Turn::Again => {}
                turn => return Ok(turn),
            }
        }
        Ok(Turn::Again)
    }

    /// Moves the virtual clock, and runs nothing.
    pub(crate) fn pass_time(&self, by: Duration) {
        if let Clock::Virtual(time) = &self.core.clock {
            time.clock.advance(by);
        }
    }

    /// [Advances](Self::advance) by each duration in turn, and returns what the last turn returned. Without any, it
    /// advances by zero.
    ///
    /// # Errors
    /// As `advance`.
    pub fn pump(&self, by: impl IntoIterator<Item = Duration>) -> Result<Turn, AdvanceError> {
        let mut by = by.into_iter();
        let first = self.advance(by.next().unwrap_or_default());
        by.try_fold(first?, |_, by| self.advance(by))
    }
}
