//! Timeouts: a timer that cancels what came before it.

use std::cell::Cell;
use std::error::Error;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::deferred::{Ahead, Chain, Deferred, Hook, OutcomeOf, Settled, cancel_before, guard};
use super::super::report::drop_contained;
use super::{DelayedCall, Reactor};
use crate::error::{Cancelled, TimedOut};
use crate::failure::{Failure, has_cause};

/// What a timer and the link it stands at know of each other.
#[derive(Default)]
struct Deadline {
    /// Some while the time runs.
    timer: Cell<Option<DelayedCall>>,
    /// A result has come to the link: its time can no longer run out.
    met: Cell<bool>,
    /// The time ran out first.
    missed: Cell<bool>,
    /// What is cancelled then. Weak: what waits for its time keeps nothing alive.
    chain: Cell<Option<Weak<dyn Chain>>>,
}

impl Deadline {
    fn meet(&self) {
        self.met.set(true);
        // One that has run out is called, and refuses.
        let _ = self.timer.take().map(|timer| timer.cancel());
    }
}

/// The link that a timer stands at.
struct OnDeadline<F> {
    deadline: Rc<Deadline>,
    after: Duration,
    on_timeout: F,
}

impl<T, E, F, R> Hook<T, E> for OnDeadline<F>
where
    E: From<Failure>,
    F: FnOnce(Result<T, E>, Duration) -> R,
    R: OutcomeOf<T, E>,
{
    type Value = T;

    fn call(self, input: Result<T, E>) -> Settled<T, E> {
        let Self { deadline, after, on_timeout } = self;
        deadline.meet();
        if deadline.missed.get() {
            return guard(|| on_timeout(input, after).settle_as());
        }
        // A drop that panics is its own affair: the result goes on.
        drop_contained(on_timeout);
        Settled::Now(input)
    }

    fn adopt(&self, chain: &Rc<dyn Chain>) {
        self.deadline.chain.set(Some(Rc::downgrade(chain)));
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Deferred<T, E> {
    /// Gives the Deferred this long to bring a result to this place in its chain.
    ///
    /// If it has not, it is [cancelled](Self::cancel), and the [`Cancelled`] that comes of that becomes [`TimedOut`]. What else comes, because a canceller or an
    /// errback before this place had an answer, is passed on as it is. Only what was added before is covered: once a result has come to this place, the timer
    /// is cancelled, before anything else, and what is added behind may take as long as it likes. A `cancel` by the program stays `Cancelled`.
    ///
    /// The time runs on the clock of `reactor`, from now on. Should the reactor end first, there is no timeout, and the Deferred is left to itself. In a chain with an
    /// error type of its own, an error counts as `Cancelled` if that is among its [sources](Error::source).
    ///
    /// Costs a callback, a timer, and one allocation beside. Running out takes as long as walking along what waits for this Deferred, if anything does.
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
    ///     local.with(|reactor| reactor.stop()).ok();
    ///     0
    /// });
    /// reactor.run();
    /// # Ok::<(), selvedge::error::BuildError>(())
    /// ```
    pub fn add_timeout(self, reactor: &Reactor, after: Duration) -> Self {
        self.add_timeout_with(reactor, after, |result, after| {
            Settled::Now(match result {
                Err(error) if has_cause::<Cancelled>(&error) => Err(E::from(Failure::from(TimedOut(after)))),
                result => result,
            })
        })
    }

    /// As [`add_timeout`](Self::add_timeout), and it is up to `on_timeout` what the Deferred goes on with if the time ran out.
    ///
    /// It is called instead of the conversion to [`TimedOut`], in its place in the chain, with whatever the cancel came to and the time that was given. If a result
    /// came in time it is dropped.
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
    ///         local.with(|reactor| reactor.stop()).ok();
    ///     });
    /// reactor.run();
    /// ```
    pub fn add_timeout_with<R, F>(self, reactor: &Reactor, after: Duration, on_timeout: F) -> Self
    where
        R: OutcomeOf<T, E>,
        F: FnOnce(Result<T, E>, Duration) -> R + 'static,
    {
        let deadline = Rc::new(Deadline::default());
        let deferred = self.add(OnDeadline { deadline: Rc::clone(&deadline), after, on_timeout });
        if !deadline.met.get() {
            deadline.chain.set(Some(Rc::downgrade(&deferred.chain)));
            let (missed, link) = (Rc::clone(&deadline), Rc::downgrade(&deferred.tail));
            let timer = reactor.call_later(after, move |_| {
                missed.missed.set(true);
                let chain = missed.chain.take().and_then(|chain| chain.upgrade());
                if let (Some(link), Some(chain)) = (link.upgrade(), chain) {
                    cancel_before(link as Rc<dyn Ahead>, &chain);
                }
            });
            deadline.timer.set(Some(timer));
        }
        deferred
    }
}
