//! Time as a test's own: advance it, and all that has become due runs.

use std::time::Duration;

use super::clock::Clock;
use super::{Reactor, Turn};
use crate::error::AdvanceError;

impl Reactor {
    /// Lets time pass by the reactor's [`VirtualClock`](crate::testing::VirtualClock), and runs all that is due then: for tests.
    ///
    /// Time moves first: whatever runs sees the time that it has become. Timers run in the order of their deadlines, and of equal ones in the order in which they were added; what they add
    /// without a delay runs too, behind all that was due. Each pass is a [turn](Self::turn), with all that belongs to one: posted calls run, the first starts the reactor, and one that
    /// was asked to stop stops. Returns when a turn has left nothing to be done at once, with what that turn said; a program that always leaves something, as a looping call
    /// without an interval does, has to be turned by hand.
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::Turn, testing::VirtualClock};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
    /// let outer = reactor.call_later(second, |reactor| {
    ///     assert_eq!(reactor.now(), Duration::from_secs(3));
    ///     let _ = reactor.call_later(Duration::ZERO, |_| println!("in the same advance"));
    /// });
    /// assert_eq!(reactor.advance(3 * second)?, Turn::Idle);
    /// # drop(outer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The reactor has no virtual clock, or this is inside a turn.
    pub fn advance(&self, by: Duration) -> Result<Turn, AdvanceError> {
        let Clock::Virtual(clock) = &self.core.clock else { return Err(AdvanceError::RealClock) };
        if self.core.turning.get() {
            return Err(AdvanceError::Reentered);
        }
        clock.advance(by);
        loop {
            match self.turn()? {
                Turn::Again => {}
                turn => return Ok(turn),
            }
        }
    }

    /// [Advances](Self::advance) by each of these, one after the other. Returns what the last turn said; of no times at all, those of one advance by nothing.
    ///
    /// # Errors
    /// As `advance`.
    pub fn pump(&self, by: impl IntoIterator<Item = Duration>) -> Result<Turn, AdvanceError> {
        let mut by = by.into_iter();
        let first = self.advance(by.next().unwrap_or_default());
        by.try_fold(first?, |_, by| self.advance(by))
    }
}
