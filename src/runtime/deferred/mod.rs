//! Deferred: a result that is not there yet, and the chain of callbacks it will travel down.
//!
//! How a chain lies in memory, with `»` for a strong pointer:
//!
//! ```text
//!   Resolver » Head » Link » Link « Deferred        Each link is one allocation: its callback, the result it is given, the result
//!               ▲                      │            it makes. Its predecessor, its handle and the loop that runs it see it
//!               └──────────────────────┘            through three traits, which is how types change along the chain.
//! ```
//!
//! - [`chain`](self::chain): the head, what the chain is doing, and the loop that sends results down, across chains;
//! - [`link`](self::link): one callback; [`outlet`](self::outlet): where a link's result and its successor meet;
//! - [`outcome`](self::outcome): what a callback may return; [`resolver`](self::resolver): the firing half; [`constructors`](self::constructors): how both come about;
//! - [`pause`](self::pause), [`future`](self::future), [`list`](self::list): what else one does with a Deferred;
//! - [`cancel`](self::cancel): whom a cancel reaches, down through lines and lists; [`cycle`](self::cycle): a wait that would come back to itself through lists;
//! - [`drop_queue`](self::drop_queue): ends that cause other ends, in turns.
//!
//! The states are in `machine/deferred.rs`.

mod cancel;
mod chain;
mod constructors;
mod cycle;
mod drop_queue;
mod future;
mod link;
mod list;
mod outcome;
mod outlet;
mod pause;
mod pending_resolver;
mod resolver;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

pub(crate) use self::cancel::cancel_before;
pub(crate) use self::chain::Chain;
pub(crate) use self::link::{Hook, guard};
use self::link::{Link, OnBoth, OnEither, OnError, OnValue, OnValuePlain};
pub(crate) use self::outlet::Ahead;
use self::outlet::{Next, Output};
use super::report::{Incident, report};
use crate::failure::Failure;
use crate::machine::deferred::ChainState;

pub use self::constructors::{execute, maybe_deferred};
pub use self::future::DeferredFuture;
pub(crate) use self::future::disowned;
pub use self::list::{DeferredList, gather_results, race};
pub use self::outcome::{ChainError, Outcome, OutcomeOf, Raise, Settled};
pub(crate) use self::outlet::tell;
pub use self::pause::PauseHandle;
pub(crate) use self::pending_resolver::PendingResolver;
pub use self::resolver::Resolver;

/// A result that is not there yet: a value `T`, or an error `E`.
///
/// Callbacks are added to it, and run in the order they were added, each with what the one before made of the result:
///
/// ```text
///               add_callback     add_callback      add_errback      add_both
///   value  ────────▶ ● ────────────────────────────────▷ ─────────────▶ ● ───▶
///                     ╲ Err or panic                    ╱ a value
///   error  ──────────── ▷ ──────────────▷ ────────────▶ ●
/// ```
///
/// A callback (`●`) that returns a value continues on the upper side, one that returns an error or panics on the lower; what a side has
/// no function for is passed by (`▷`). A callback may return another Deferred ([`Outcome`]): the chain waits for it and goes on with its
/// result. The type follows: `add_callback` consumes a `Deferred<T>` and returns a `Deferred<U>`, whose
/// next callback gets a `U`.
///
/// ```
/// use selvedge::Deferred;
///
/// let (page, resolver) = Deferred::new();
/// page.add_callback(|text: String| text.trim().parse::<u32>())
///     .add_errback(|failure| {
///         assert!(failure.is::<std::num::ParseIntError>());
///         0
///     })
///     .add_callback(|number| println!("{number}"));
/// resolver.callback("forty-two".to_owned());
/// ```
///
/// **Where and when.** Everything happens on the thread that owns the Deferred (it is `!Send`). Callbacks run inside the call that fires,
/// [`Resolver::callback`] for one, before it returns. Added to a Deferred that has its result, a callback runs
/// at once, before `add_callback` returns; added from inside a running callback of the same chain, it runs after that
/// one has returned. A callback that needs the reactor captures [`Reactor::local`](crate::Reactor::local), which keeps nothing
/// alive.
///
/// **Waiting.** In a task ([`Reactor::spawn`](crate::Reactor::spawn)), or on any executor of this thread, `deferred.await` is its result
/// ([`DeferredFuture`]); on other threads, [`into_send_future`](Self::into_send_future). It can be given a time ([`add_timeout`](Self::add_timeout)), held up
/// ([`pause`](Self::pause)) and called off ([`cancel`](Self::cancel)).
///
/// **Errors.** `E` is [`Failure`] unless a program wants its own ([`ChainError`]). An error that is at the end of its chain when nobody can
/// add a callback any more was handled by nobody: it is reported, exactly once, at the moment that its Deferred and its [`Resolver`] are gone, to the
/// sink of the reactor that this thread is running, with the place where the Deferred was made. Returning the Deferred from a callback hands it on;
/// [`log_error`](Self::log_error) settles the matter.
///
/// **Cost.** One allocation for the Deferred and one for each callback, of 104 and 80 bytes where pointers have 64 bits, values are no larger than one, and
/// nothing is captured; none for firing, cancelling or awaiting, and none for a callback that finds the result at the end of another one and keeps its
/// type: what it makes of it lies in the same place. No atomic reference counts, no lock. A chain of a
/// million callbacks, or of a million Deferreds that each wait for the next, needs no more stack than one of two. A loop that is
/// written as a callback returning the Deferred of its next round needs no more memory, however long it runs, unless rounds have
/// [pause handles](Self::pause_handle). What has fired and was handled is freed at once, each link as soon as its callback has run.
///
/// Dropping a `Deferred` drops a handle and cancels nothing: what was added still runs.
pub struct Deferred<T, E = Failure> {
    /// The last link, or the head.
    pub(crate) tail: Rc<dyn Output<T, E>>,
    pub(crate) chain: Rc<dyn Chain>,
}

impl<T: 'static, E: Error + From<Failure> + 'static> Deferred<T, E> {
    /// Adds a function for the value. Errors are passed by.
    ///
    /// The function may return a value, a `Result` or a Deferred: see [`Outcome`]. If it panics, the chain goes on with a
    /// [`Failure`] that holds the [`Panic`](crate::error::Panic).
    pub fn add_callback<R, F>(self, callback: F) -> Deferred<R::Value, E>
    where
        R: Outcome<E>,
        F: FnOnce(T) -> R + 'static,
    {
        self.add(OnValue(callback))
    }

    /// Adds a function for the error. Values are passed by, so what it returns to mend the matter has their type.
    pub fn add_errback<R, F>(self, errback: F) -> Self
    where
        R: OutcomeOf<T, E>,
        F: FnOnce(E) -> R + 'static,
    {
        self.add(OnError(errback))
    }

    /// Adds one function for both.
    ///
    /// ```
    /// # use selvedge::{Deferred, Failure};
    /// let done = Deferred::succeed(3).add_both(|result: Result<i32, Failure>| result.is_ok());
    /// assert!(done.try_result().is_ok_and(|done| done.is_ok_and(|done| done)));
    /// ```
    pub fn add_both<R, F>(self, both: F) -> Deferred<R::Value, E>
    where
        R: Outcome<E>,
        F: FnOnce(Result<T, E>) -> R + 'static,
    {
        self.add(OnBoth(both))
    }

    /// Adds a function for the value and one for the error, side by side: an error of the first does *not* come to the second.
    ///
    /// ```
    /// # use selvedge::{Deferred, Failure};
    /// let said = Deferred::succeed(3).add_callbacks(|n| format!("got {n}"), |failure: Failure| failure.to_string());
    /// assert!(said.try_result().is_ok_and(|said| said.is_ok_and(|said| said == "got 3")));
    /// ```
    pub fn add_callbacks<R, S, F, G>(self, callback: F, errback: G) -> Deferred<R::Value, E>
    where
        R: Outcome<E>,
        S: OutcomeOf<R::Value, E>,
        F: FnOnce(T) -> R + 'static,
        G: FnOnce(E) -> S + 'static,
    {
        self.add(OnEither(callback, errback))
    }

    /// Adds a function for the value that returns just the next value, of any type whatever.
    ///
    /// ```
    /// # use selvedge::Deferred;
    /// struct Page(String);
    /// let page = Deferred::succeed("<p>").map(|text| Page(text.to_owned()));
    /// ```
    pub fn map<U, F>(self, callback: F) -> Deferred<U, E>
    where
        U: 'static,
        F: FnOnce(T) -> U + 'static,
    {
        self.add(OnValuePlain(callback))
    }

    #[inline]
    pub(crate) fn add<H>(self, hook: H) -> Deferred<H::Value, E>
    where
        H: Hook<T, E, Value: 'static> + 'static,
    {
        let Self { tail, chain } = self;
        let cell = tail.cell();
        let tail = match cell.take_for_update() {
            None => {
                let link = Link::new(hook);
                cell.link(Next::Link(Rc::clone(&link) as _));
                link
            }
            Some(rest) => link::call_or_hold(hook, rest.result, tail, &chain),
        };
        Deferred { tail, chain }
    }

    /// Says that no result is wanted any more.
    ///
    /// - Unfired: its canceller is called, if it has one; unless that fires it, it fails with [`Cancelled`](crate::error::Cancelled), now, and the
    ///   result that may come later is dropped, silently. A canceller that panics is reported.
    /// - Waiting for a Deferred that a callback returned: that one is cancelled instead, or what *it* waits for; how
    ///   the chain goes on is up to its errbacks.
    /// - Fired, or in the middle of a callback: nothing happens.
    ///
    /// Takes the same time however long the chain, and the line of those that wait for each other.
    pub fn cancel(&self) {
        cancel::cancel(&self.chain);
    }

    /// Fires another Deferred with what this one comes to: its value or its error. It is [`Resolver::settle`] from this side.
    ///
    /// From now on the other one waits for this one, so a [`cancel`](Self::cancel) of it is forwarded to this. A million that are chained like this
    /// fire, cancel and drop on a stack of constant size, which they would not if each were fired from a callback of the one before.
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

    /// Takes the result, if it is there and no callback is left to take it.
    ///
    /// # Errors
    /// The Deferred itself, if there is no result yet, or it is paused.
    pub fn try_result(self) -> Result<Result<T, E>, Self> {
        if self.is_paused() {
            return Err(self);
        }
        match self.tail.cell().take() {
            Some(rest) => {
                self.chain.core().step(ChainState::take);
                Ok(rest.result)
            }
            None => Err(self),
        }
    }

    /// Reports the error, if it comes to one, as [`Incident::Logged`](crate::report::Incident::Logged), and drops the value otherwise.
    ///
    /// For the end of a chain whose errors are expected and need nothing but a line in the log.
    pub fn log_error(self) {
        let made_at = self.chain.core().made_at();
        self.add_both(move |result| {
            if let Err(error) = result {
                report(Incident::Logged, &error, Some(made_at));
            }
        });
    }

    /// Drops the result when it comes, whatever it is.
    fn ignore(self) {
        self.add_both(|_| ());
    }

    /// Where it was made: what a report of it would say.
    pub(crate) fn made_at(&self) -> &'static Location<'static> {
        self.chain.core().made_at()
    }

    fn into_parts(self) -> (Rc<dyn Output<T, E>>, Rc<dyn Chain>) {
        (self.tail, self.chain)
    }
}

impl<T, E> fmt::Debug for Deferred<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.chain.core().state();
        let mut shown = f.debug_tuple("Deferred");
        shown.field(&state.stage());
        if state.is_paused() {
            shown.field(&format_args!("paused: {}", state.pauses()));
        }
        shown.finish()
    }
}
