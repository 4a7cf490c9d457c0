//! The resolver: the half that fires a Deferred, and is consumed by firing.

use std::fmt;
use std::rc::Rc;

use super::deferred::Deferred;
use super::effect_queue::{Abandon, Effect, run_or_enqueue};
use super::head::Source;
use super::outcome::{OutcomeOf, Raise, Settled};
use super::unclaimed::Unclaimed;
use crate::error::{Abandoned, ReactorStopped};
use crate::failure::{ChainError, Failure};

/// Fires a [`Deferred`]. Firing consumes it, so a program that fires twice does not compile.
///
/// Firing runs the callbacks that were added, at once, on this thread, before it returns. If the Deferred was cancelled
/// before, the result is dropped silently. A `Resolver` that is dropped unfired fails its Deferred with [`Abandoned`],
/// so nobody waits for ever for a result that can no longer come. (A resolver that is captured by a callback of its own
/// Deferred is part of a reference cycle: it is never dropped. A canceller that fires need not capture it: see
/// [`with_firing_canceller`](Deferred::with_firing_canceller).)
///
/// It keeps the chain alive, so callbacks run whether or not somebody holds the Deferred. It is `!Send`: other threads
/// fire it through [`Handle::call_from_thread`](crate::Handle::call_from_thread); the result of a function on another
/// thread is a Deferred from the start with [`defer_to_thread`](crate::threads::defer_to_thread).
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
    /// `None` once it has fired.
    source: Option<Rc<dyn Source<T, E>>>,
}

impl<T, E> Resolver<T, E> {
    pub(super) fn new(source: Rc<dyn Source<T, E>>) -> Self {
        Self { source: Some(source) }
    }

    /// Fires with a value, which passes errbacks by.
    pub fn callback(self, value: T) {
        self.resolve(Ok(value));
    }

    /// Fires with an error, which passes callbacks by.
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

    /// Fires with a value or an error.
    pub fn resolve(mut self, result: Result<T, E>) {
        if let Some(source) = self.source.take() {
            source.fire(result);
        }
    }

    /// Fires with anything that a callback could return. If that is a Deferred, its result is waited for as if a first
    /// callback had returned it: a cancel is forwarded to it, also one that came before, and a Deferred that would wait
    /// for itself fails.
    pub fn settle(self, outcome: impl OutcomeOf<T, E>) {
        self.fire_settled(outcome.settle_as());
    }

    /// Fires with an item that goes back to where it came from if nobody receives it.
    pub(crate) fn deliver_unclaimed(mut self, item: Unclaimed<T>) {
        match self.source.take() {
            Some(source) => source.fire_unclaimed(item),
            None => drop(item),
        }
    }

    pub(crate) fn fire_settled(mut self, settled: Settled<T, E>) {
        if let Some(source) = self.source.take() {
            fire_settled(source, settled);
        }
    }

    /// What it fires.
    pub(super) fn into_source(mut self) -> Option<Rc<dyn Source<T, E>>> {
        self.source.take()
    }

    /// Drops the resolver unfired: the Deferred fails with [`ReactorStopped`]. If its canceller is running, it fails
    /// with `Cancelled` instead.
    pub(crate) fn reactor_stopped(mut self) {
        if let Some(source) = self.source.take() {
            abandon(source, || Failure::without_backtrace(ReactorStopped));
        }
    }

    /// Whether the Deferred was cancelled, so that a result would be dropped. `false` while the canceller runs, which
    /// may still fire it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.source.as_ref().is_none_or(|source| source.is_decided())
    }
}

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Fires another Deferred with the result of this one, value or error: [`Resolver::settle`] from this side.
    ///
    /// From now on the other one waits for this one, so a [`cancel`](Self::cancel) of it is forwarded here. A million
    /// Deferreds that are chained like this fire, are cancelled and are dropped on a stack of constant size; if each
    /// were fired from a callback of the one before, they would not be.
    ///
    /// ```
    /// use selvedge::Deferred;
    ///
    /// let (first, fire) = Deferred::new();
    /// let (second, resolver) = Deferred::new();
    /// first.add_callback(|n: u32| n + 1).chain_deferred(resolver);
    /// fire.callback(1);
    /// assert!(second.try_result().is_ok_and(|n| n.is_ok_and(|n| n == 2)));
    /// ```
    pub fn chain_deferred(self, resolver: Resolver<T, E>) {
        resolver.settle(self);
    }
}

impl<T, E> Drop for Resolver<T, E> {
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            abandon(source, || Failure::without_backtrace(Abandoned));
        }
    }
}

pub(super) fn fire_settled<T, E, S: Source<T, E> + ?Sized>(source: Rc<S>, settled: Settled<T, E>) {
    match settled {
        Settled::Now(result) => source.fire(result),
        Settled::Later(inner) => source.fire_with(inner),
    }
}

/// A resolver was dropped unfired.
#[cold]
#[inline(never)]
fn abandon(source: Rc<dyn Abandon>, why: fn() -> Failure) {
    // A chain that was cancelled does not wait in the queue, which would keep its error from being reported.
    if source.is_unfired() {
        run_or_enqueue(Effect::Abandon(source, why));
    }
}

impl<T, E> fmt::Debug for Resolver<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("cancelled", &self.is_cancelled()).finish()
    }
}
