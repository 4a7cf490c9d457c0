//! A reactor that is hosted: between turns it is asleep, and its hook tells the host when it is to be turned earlier
//! than the last turn said.
//!
//! A hosted reactor sleeps as [`run`](Reactor::run) does, by the same transition of its inbox. What is posted wakes it.
//! What the host itself does to the reactor between turns is not posted; if that makes a turn due earlier, an empty
//! call is posted in its place.

use std::time::Duration;

use super::{Core, Reactor, Turn};
use crate::machine::timer_queue::NEVER;

impl Reactor {
    /// When the next turn is due at the latest, on the clock of [`now`](Self::now): the earliest deadline of a timer,
    /// or the end of the [time for shutdown](crate::reactor::ReactorBuilder::stop_within). `None` if only something
    /// that is posted can make a turn necessary.
    ///
    /// [`turn`](Self::turn) has returned the same as a duration, counted from then. This is for a host that asks later,
    /// such as one that computes the timeout of its own poll. Cost: a look at the first of the timers.
    ///
    /// ```
    /// use selvedge::{Reactor, reactor::Turn};
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::new();
    /// assert_eq!(reactor.turn()?, Turn::Idle);
    /// assert_eq!(reactor.next_deadline(), None);
    /// let timer = reactor.call_later(Duration::from_secs(60), |_| ());
    /// assert_eq!(reactor.next_deadline(), Some(timer.time()));
    /// let timeout = timer.time().saturating_sub(reactor.now());
    /// assert!(timeout <= Duration::from_secs(60));
    /// # Ok::<(), selvedge::error::Reentered>(())
    /// ```
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.core.timers.next_deadline().into_iter().chain(self.core.shutdown.deadline()).min()
    }

    /// Whether what is posted may call the hook of a host.
    pub(crate) fn has_host(&self) -> bool {
        self.core.shared.inbox.calls_hook()
    }

    /// A hosted turn is over. What is posted from now on calls the hook once; what was posted before keeps the reactor
    /// awake.
    #[cold]
    pub(super) fn park(&self, turn: Turn) -> Turn {
        let until = match turn {
            Turn::Again | Turn::Ended => return turn,
            Turn::Wait(_) => self.next_deadline().unwrap_or(NEVER),
            Turn::Idle => NEVER,
        };
        if !self.core.shared.inbox.park() {
            return Turn::Again;
        }
        self.core.parked.set(Some(until));
        turn
    }
}

impl Core {
    /// A turn begins.
    pub(super) fn unpark(&self) {
        if self.parked.take().is_some() {
            self.shared.inbox.resume();
        }
    }

    /// A turn is due by this time. If that is earlier than the last turn said, the host is woken.
    #[inline]
    pub(super) fn due_by(&self, at: Duration) {
        if self.parked.get().is_some_and(|until| at < until) {
            self.wake_host();
        }
    }

    #[cold]
    fn wake_host(&self) {
        self.parked.set(Some(Duration::ZERO));
        // Refused only at the end, when no turn is due any more.
        let _ = self.shared.inbox.post(|_: &Reactor| ());
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sync::check;
    use super::Reactor;

    // Checks: P56, P100
    #[test]
    fn a_reactor_has_a_host_as_long_as_its_hook_may_be_called() {
        check(|| {
            assert!(!Reactor::new().has_host());
            let hosted = Reactor::builder().on_wake(|| ()).build().expect("nothing is wrong with it");
            assert!(hosted.has_host());
            hosted.core.shared.inbox.retire_hook();
            assert!(!hosted.has_host());
        });
    }
}
