//! Timeouts: a timer that cancels the part of a chain before it, and the link that stops the timer.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deferred::{
    Callback, Chain, Deferred, Node, OutcomeOf, Passed, Settled, Unclaimed, cancel_from, catch_failure, convert_own,
};
use super::super::report::drop_contained;
use super::{DelayedCall, Reactor};
use crate::error::{ReactorStopped, TimedOut, is_cancelled};
use crate::failure::{ChainError, Failure};

/// What the timer and its link share.
#[derive(Default)]
struct Timeout {
    /// `Some` while the timer runs.
    timer: Cell<Option<DelayedCall>>,
    /// A result has reached the link: the time can no longer run out.
    arrived: Cell<bool>,
    /// Why no result can come in time any more.
    expired: Cell<Option<Expired>>,
    /// What is cancelled then. Weak, so that the timer keeps nothing alive.
    chain: Cell<Option<Weak<dyn Chain>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expired {
    TimePassed,
    ReactorEnded,
}

/// The timer's call. Dropped uncalled before there is a result, it tells of the reactor's end.
struct Expiry {
    timeout: Rc<Timeout>,
    /// The place in the chain that the result has to reach.
    link: Weak<dyn Node>,
}

impl Expiry {
    fn expire(&self, why: Expired) {
        self.timeout.expired.set(Some(why));
        let chain = self.timeout.chain.take().and_then(|chain| chain.upgrade());
        if let (Some(link), Some(chain)) = (self.link.upgrade(), chain) {
            cancel_from(link, &chain);
        }
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        if !self.timeout.arrived.get() && self.timeout.expired.get().is_none() {
            self.expire(Expired::ReactorEnded);
        }
    }
}

impl Timeout {
    fn stop(&self) {
        self.arrived.set(true);
        // A timer that has run out cannot be cancelled, and says so.
        let _ = self.timer.take().map(|timer| timer.cancel());
    }
}

/// The callback at the place in the chain that the result has to reach in time.
struct OnTimeout<F> {
    timeout: Rc<Timeout>,
    after: Duration,
    on_timeout: F,
    /// `on_timeout` does nothing to values.
    passes_values: bool,
}

impl<T, E, F, R> Callback<T, E> for OnTimeout<F>
where
    E: ChainError,
    F: FnOnce(Result<T, E>, Duration) -> R,
    R: OutcomeOf<T, E>,
{
    type Value = T;

    fn call(self, input: Result<T, E>) -> Settled<T, E> {
        let Self { timeout, after, on_timeout, .. } = self;
        timeout.stop();
        let expired = timeout.expired.get();
        if expired == Some(Expired::TimePassed) {
            return catch_failure(|| on_timeout(input, after).settle_as());
        }
        // If this drop panics, the panic is reported and the result goes on.
        drop_contained(on_timeout);
        Settled::Now(match input {
            Err(error) if expired.is_some() && is_cancelled(error.as_error()) => Err(convert_own(ReactorStopped)),
            input => input,
        })
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<T, E> {
        self.timeout.stop();
        if self.timeout.expired.get() == Some(Expired::TimePassed) && !self.passes_values {
            return Passed::Settled(self.call(item.claim()));
        }
        drop_contained(self.on_timeout);
        Passed::Unclaimed(item)
    }

    fn replace_head(&self, chain: &Rc<dyn Chain>) {
        self.timeout.chain.set(Some(Rc::downgrade(chain)));
    }
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Limits the time until a result reaches this place in the chain.
    ///
    /// When the time has run out, the Deferred is [cancelled](Self::cancel), and the
    /// [`Cancelled`](crate::error::Cancelled) that follows becomes [`TimedOut`]. Another result of the cancel, because
    /// a canceller or an errback before this place had one, is passed on as it is. Only what was added before is
    /// limited: when a result reaches this place, the timer is cancelled first, and callbacks that are added after it
    /// have no time limit. A `cancel` by the program stays `Cancelled`.
    ///
    /// **Cancel safety.** What was waited for is cancelled as by the program: a queue keeps its item, a semaphore its
    /// permit, and a job is not run, or sees the cancel.
    ///
    /// The time of a job in its queue counts, so that one slow job can fail all those that wait behind it. What counts
    /// from the job's start is its [`time_limit`](crate::Job::time_limit).
    ///
    /// The time runs on the clock of `reactor`, from now on. If the reactor ends first, or has ended, the Deferred is
    /// cancelled then, and the `Cancelled` that follows becomes [`ReactorStopped`]. In a chain with an error type of
    /// its own, an error counts as `Cancelled` if that is among its [sources](std::error::Error::source); a
    /// [group](crate::error::FailureGroup), as a race fails with, if each in it does.
    ///
    /// With a [`LocalHandle`](crate::LocalHandle) in place of the reactor, as in a task, this is
    /// `local.ask(|reactor| answer.add_timeout(reactor, after))`.
    ///
    /// Costs a callback, a timer, and one more allocation. When the time runs out, this takes as long as to walk along
    /// the Deferreds that wait for this one.
    ///
    /// ```
    /// use selvedge::{Deferred, Reactor, error::TimedOut, testing::VirtualClock};
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
    /// let (answer, _resolver) = Deferred::<u32>::new();
    /// let local = reactor.local();
    /// answer.add_timeout(&reactor, Duration::from_secs(5)).add_errback(move |failure| {
    ///     assert!(failure.is::<TimedOut>());
    ///     local.stop();
    ///     0
    /// });
    /// reactor.run();
    /// # Ok::<(), selvedge::error::BuildError>(())
    /// ```
    pub fn add_timeout(self, reactor: &Reactor, after: Duration) -> Self {
        self.limit(reactor, after, true, |result, after| {
            Settled::Now(match result {
                Err(error) if is_cancelled(error.as_error()) => {
                    Err(E::from(Failure::without_backtrace(TimedOut { after, started: None })))
                }
                result => result,
            })
        })
    }

    /// As [`add_timeout`](Self::add_timeout), and `on_timeout` decides what the chain continues with if the time has
    /// run out.
    ///
    /// It is called where [`add_timeout`](Self::add_timeout) makes [`TimedOut`] of `Cancelled`, with whatever the
    /// result of the cancel is and with the time limit. If a result comes in time, it is dropped uncalled.
    ///
    /// ```
    /// use selvedge::{Deferred, Reactor};
    /// use std::time::Duration;
    ///
    /// let reactor = Reactor::new();
    /// let (answer, _resolver) = Deferred::<u32>::new();
    /// let local = reactor.local();
    /// answer
    ///     .add_timeout_with(&reactor, Duration::from_millis(1), |_late, _after| 0)
    ///     .add_callback(move |answer| {
    ///         assert_eq!(answer, 0);
    ///         local.stop();
    ///     });
    /// reactor.run();
    /// ```
    pub fn add_timeout_with<R, F>(self, reactor: &Reactor, after: Duration, on_timeout: F) -> Self
    where
        R: OutcomeOf<T, E>,
        F: FnOnce(Result<T, E>, Duration) -> R + 'static,
    {
        self.limit(reactor, after, false, on_timeout)
    }

    fn limit<R, F>(self, reactor: &Reactor, after: Duration, passes_values: bool, on_timeout: F) -> Self
    where
        R: OutcomeOf<T, E>,
        F: FnOnce(Result<T, E>, Duration) -> R + 'static,
    {
        let timeout = Rc::new(Timeout::default());
        let deferred = self.add(OnTimeout { timeout: Rc::clone(&timeout), after, on_timeout, passes_values });
        if !timeout.arrived.get() {
            timeout.chain.set(Some(Rc::downgrade(&deferred.chain)));
            let tail: Weak<dyn Node> = Rc::downgrade(&deferred.tail) as _;
            let expiry = Expiry { timeout: Rc::clone(&timeout), link: tail };
            let expired = move |_: &Reactor| expiry.expire(Expired::TimePassed);
            reactor.call_later_kept(after, expired, |timer| timeout.timer.set(Some(timer)));
        }
        deferred
    }
}
