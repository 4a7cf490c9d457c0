//! The firing half, consumed by firing.

use std::error::Error;
use std::fmt;
use std::rc::Rc;

use super::Deferred;
use super::chain::{Chain, Head};
use super::drop_queue::{Abandon, Ending, end};
use super::outcome::{OutcomeOf, Raise, Settled};
use crate::error::{Abandoned, ReactorStopped};
use crate::failure::Failure;
use crate::machine::deferred::{ChainState, Fire};

/// The firing half of a [`Deferred`]. Firing consumes it, so firing twice cannot be written.
///
/// Firing runs the callbacks that are there, at once, on this thread, before it returns. If the Deferred was cancelled meanwhile, the result is
/// dropped, silently. Dropping a `Resolver` unfired fails its Deferred with [`Abandoned`]: nobody waits for ever for what can no
/// longer come. (A resolver that a callback of its own Deferred has captured is out of everybody's reach, and is not dropped. For a canceller that is to fire there is
/// [`with_firing_canceller`](Deferred::with_firing_canceller).)
///
/// It keeps the chain alive, so callbacks run whether or not somebody holds the Deferred. `!Send`: what happens on other threads reaches
/// it through [`Handle::call_from_thread`](crate::Handle::call_from_thread), or comes from
/// [`defer_to_thread`](crate::threads::defer_to_thread) in the first place.
///
/// ```
/// use selvedge::Deferred;
///
/// let (deferred, resolver) = Deferred::new();
/// let length = deferred.add_callback(|text: String| text.len());
/// resolver.callback("a page".to_owned());
/// assert!(length.try_result().is_ok_and(|length| length.is_ok_and(|length| length == 6)));
/// ```
#[must_use = "dropping a resolver unfired fails its Deferred with `Abandoned`"]
pub struct Resolver<T, E = Failure> {
    /// None once it has fired.
    source: Option<Rc<dyn Source<T, E>>>,
}

/// A head, as the firing half sees it.
pub(super) trait Source<T, E>: Abandon {
    fn fire(self: Rc<Self>, result: Result<T, E>);
    fn fire_later(self: Rc<Self>, inner: Deferred<T, E>);
    fn is_decided(&self) -> bool;
}

impl<T: 'static, E: Error + From<Failure> + 'static> Source<T, E> for Head<T, E> {
    fn fire(self: Rc<Self>, result: Result<T, E>) {
        self.fire(result);
    }

    fn fire_later(self: Rc<Self>, inner: Deferred<T, E>) {
        self.fire_later(inner);
    }

    fn is_decided(&self) -> bool {
        self.core().state().is_decided()
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Abandon for Head<T, E> {
    fn abandon(self: Rc<Self>, why: fn() -> Failure) {
        match self.core().step(ChainState::abandon) {
            Fire::Run => self.fail(why()),
            Fire::Discard => {}
        }
    }
}

impl<T, E> Resolver<T, E> {
    pub(super) fn new(source: Rc<dyn Source<T, E>>) -> Self {
        Self { source: Some(source) }
    }

    /// Fires with a value: callbacks run now, errbacks are passed by.
    pub fn callback(self, value: T) {
        self.resolve(Ok(value));
    }

    /// Fires with an error: errbacks run now, callbacks are passed by.
    ///
    /// ```
    /// # use selvedge::{Deferred, Resolver};
    /// let (deferred, resolver): (Deferred<u32>, Resolver<u32>) = Deferred::new();
    /// deferred.add_errback(|failure| {
    ///     assert!(failure.is::<std::fmt::Error>());
    ///     0
    /// });
    /// resolver.errback(std::fmt::Error);
    /// ```
    pub fn errback(self, error: impl Raise<E>) {
        self.resolve(Err(error.raise()));
    }

    /// Fires with either.
    pub fn resolve(mut self, result: Result<T, E>) {
        if let Some(source) = self.source.take() {
            source.fire(result);
        }
    }

    /// Fires with whatever a callback could return. A Deferred is waited for, as if a first callback had returned it: a cancel is forwarded to it, and
    /// waiting for itself fails.
    pub fn settle(self, outcome: impl OutcomeOf<T, E>) {
        self.come_to(outcome.settle_as());
    }

    /// Fires with what a callback's return value amounts to.
    pub(crate) fn come_to(mut self, settled: Settled<T, E>) {
        if let Some(source) = self.source.take() {
            match settled {
                Settled::Now(result) => source.fire(result),
                Settled::Later(inner) => source.fire_later(inner),
            }
        }
    }

    /// Goes without firing, for the reason that the reactor has stopped. As in a plain drop, one that is being cancelled right now has its reason already.
    pub(crate) fn reactor_stopped(mut self) {
        if let Some(source) = self.source.take() {
            end(Ending::Abandoned(source, || Failure::from(ReactorStopped)));
        }
    }

    /// Whether the Deferred was cancelled: a result would be dropped.
    ///
    /// Not yet while its canceller runs, which may still fire it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.source.as_ref().is_none_or(|source| source.is_decided())
    }
}

impl<T, E> Drop for Resolver<T, E> {
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            end(Ending::Abandoned(source, || Failure::from(Abandoned)));
        }
    }
}

impl<T, E> fmt::Debug for Resolver<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("cancelled", &self.is_cancelled()).finish()
    }
}
