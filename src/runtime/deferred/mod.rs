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
//! - [`outcome`](self::outcome): what a callback may return; [`resolver`](self::resolver): the firing half.
//!
//! The states are in `machine/deferred.rs`.

mod awaited;
mod chain;
mod endings;
mod link;
mod list;
mod outcome;
mod outlet;
mod pause;
mod resolver;
#[cfg(test)]
mod tests;
mod timeout;
mod undelivered;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};

use self::chain::{Chain, Errand, Head};
use self::link::{Hook, Link, OnBoth, OnEither, OnError, OnValue, OnValuePlain};
use self::outlet::{Next, Output};
use super::report::{Incident, report};
use super::sync::catch;
use crate::failure::{Failure, NotPaused};
use crate::machine::deferred::{Chain as State, Met};

pub use self::awaited::DeferredFuture;
pub(crate) use self::awaited::disowned;
pub use self::list::{DeferredList, gather_results, race};
pub use self::outcome::{ChainError, Outcome, OutcomeOf, Raise, Settled};
pub(crate) use self::outlet::tell;
pub use self::pause::PauseHandle;
pub use self::resolver::Resolver;
pub(crate) use self::undelivered::Undelivered;

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
/// **Errors.** `E` is [`Failure`] unless a program wants its own ([`ChainError`]). An error that is at the end of its chain when nobody can
/// add a callback any more was handled by nobody: it is reported, exactly once, at the moment that its Deferred and its [`Resolver`] are gone, to the
/// sink of the reactor that this thread is running, with the place where the Deferred was made. Returning the Deferred from a callback hands it on;
/// [`log_error`](Self::log_error) settles the matter.
///
/// **Cost.** One allocation for the Deferred and one for each callback, of 104 and 80 bytes where pointers have 64 bits, values are no larger than one, and
/// nothing is captured; none for firing or cancelling. No atomic reference counts, no lock. A chain of a
/// million callbacks, or of a million Deferreds that each wait for the next, needs no more stack than one of two. A loop that is
/// written as a callback returning the Deferred of its next round needs no more memory, however long it runs.
///
/// Dropping a `Deferred` drops a handle and cancels nothing: what was added still runs.
pub struct Deferred<T, E = Failure> {
    /// The last link, or the head.
    tail: Rc<dyn Output<T, E>>,
    chain: Rc<dyn Chain>,
}

impl<T: 'static> Deferred<T> {
    /// A Deferred, and the half that fires it. For errors of your own there is [`typed`](Self::typed).
    ///
    /// ```
    /// use selvedge::Deferred;
    ///
    /// let (deferred, resolver) = Deferred::new();
    /// deferred.add_callback(|n: u32| assert_eq!(n, 7));
    /// resolver.callback(7);
    /// ```
    #[track_caller]
    pub fn new() -> (Self, Resolver<T>) {
        Self::typed()
    }

    /// The same, with something to call if it is [cancelled](Self::cancel) unfired. The canceller is called once at most, and dropped
    /// when the Deferred fires. It may fire the Deferred itself; if it does not, that fails with
    /// [`Cancelled`](crate::Cancelled).
    ///
    /// ```
    /// use selvedge::{Cancelled, Deferred, Resolver};
    ///
    /// let (answer, resolver): (Deferred<u32>, Resolver<u32>) = Deferred::with_canceller(|| println!("never mind"));
    /// answer.cancel();
    /// assert!(answer.try_result().is_ok_and(|answer| answer.is_err_and(|failure| failure.is::<Cancelled>())));
    /// resolver.callback(7); // Comes late, and is dropped.
    /// ```
    #[track_caller]
    pub fn with_canceller(canceller: impl FnOnce() + 'static) -> (Self, Resolver<T>) {
        Self::typed_with_canceller(canceller)
    }

    /// The same, with a canceller that is given a [`Resolver`] to fire with, if it has an answer after all. If it drops that, or keeps it and returns, the
    /// Deferred fails with [`Cancelled`](crate::Cancelled).
    ///
    /// A canceller that captured the Deferred's own resolver would keep it alive, and with it the whole chain, should everybody else lose interest; this
    /// one captures nothing of it.
    ///
    /// ```
    /// use selvedge::Deferred;
    ///
    /// let (count, _resolver) = Deferred::with_firing_canceller(|resolver| resolver.callback(0_u32));
    /// count.cancel();
    /// assert!(count.try_result().is_ok_and(|count| count.is_ok_and(|count| count == 0)));
    /// ```
    #[track_caller]
    pub fn with_firing_canceller(canceller: impl FnOnce(Resolver<T>) + 'static) -> (Self, Resolver<T>) {
        Self::typed_with_firing_canceller(canceller)
    }

    /// A Deferred that has this value already.
    ///
    /// ```
    /// # use selvedge::Deferred;
    /// let doubled = Deferred::succeed(21).add_callback(|n| n * 2);
    /// assert!(doubled.try_result().is_ok_and(|n| n.is_ok_and(|n| n == 42)));
    /// ```
    #[track_caller]
    pub fn succeed(value: T) -> Self {
        Self::from(Ok(value))
    }

    /// A Deferred that has failed already.
    ///
    /// ```
    /// # use selvedge::Deferred;
    /// let failed: Deferred<u32> = Deferred::fail(std::fmt::Error);
    /// assert!(failed.try_result().is_ok_and(|result| result.is_err_and(|failure| failure.is::<std::fmt::Error>())));
    /// ```
    #[track_caller]
    pub fn fail(error: impl Raise<Failure>) -> Self {
        Self::from(Err(error.raise()))
    }
}

impl<T: 'static, E: Error + From<Failure> + 'static> Deferred<T, E> {
    /// As [`new`](Deferred::new), with an error type of the program's own. (It has a name of its own because in `Deferred::new()` nothing
    /// would tell the compiler which `E` is meant.)
    #[track_caller]
    pub fn typed() -> (Self, Resolver<T, E>) {
        Self::unfired(None)
    }

    /// As [`with_canceller`](Deferred::with_canceller), with an error type of the program's own.
    #[track_caller]
    pub fn typed_with_canceller(canceller: impl FnOnce() + 'static) -> (Self, Resolver<T, E>) {
        Self::unfired(Some(Box::new(|_chain| canceller())))
    }

    /// As [`with_firing_canceller`](Deferred::with_firing_canceller), with an error type of the program's own.
    #[track_caller]
    pub fn typed_with_firing_canceller(canceller: impl FnOnce(Resolver<T, E>) + 'static) -> (Self, Resolver<T, E>) {
        let made_at = Location::caller();
        let head = Rc::new_cyclic(|head: &Weak<Head<T, E>>| {
            let head = Weak::clone(head);
            // It is called through the head, which is there then.
            let fire = move |_chain| {
                if let Some(head) = head.upgrade() {
                    canceller(Resolver::new(head));
                }
            };
            Head::unfired(Some(Box::new(fire)), made_at)
        });
        (Self::at(Rc::clone(&head)), Resolver::new(head))
    }

    #[track_caller]
    fn unfired(canceller: Option<Errand>) -> (Self, Resolver<T, E>) {
        let head = Rc::new(Head::unfired(canceller, Location::caller()));
        (Self::at(Rc::clone(&head)), Resolver::new(head))
    }

    fn at(head: Rc<Head<T, E>>) -> Self {
        Self { tail: Rc::clone(&head) as Rc<dyn Output<T, E>>, chain: head }
    }

    /// Adds a function for the value. Errors are passed by.
    ///
    /// The function may return a value, a `Result` or a Deferred: see [`Outcome`]. If it panics, the chain goes on with a
    /// [`Failure`] that holds the [`Panic`](crate::Panic).
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

    fn add<H>(self, hook: H) -> Deferred<H::Value, E>
    where
        H: Hook<T, E, Value: 'static> + 'static,
    {
        let link = Link::new(hook);
        let Self { tail, chain } = self;
        let met = tail.outlet().attach(Next::Link(Rc::clone(&link) as _));
        drop(tail);
        if let Met::Pass(Next::Link(next), rest) = met {
            let core = chain.core();
            core.step(State::add);
            let next = next.accept(rest.result);
            let next = if core.is_paused() { chain::hold_link(core, next) } else { Some(next) };
            chain::run(next, Rc::clone(&chain));
        }
        Deferred { tail: link, chain }
    }

    /// Says that no result is wanted any more.
    ///
    /// - Unfired: its canceller is called, if it has one; unless that fires it, it fails with [`Cancelled`](crate::Cancelled), now, and the
    ///   result that may come later is dropped, silently. A canceller that panics is reported.
    /// - Waiting for a Deferred that a callback returned: that one is cancelled instead, or what *it* waits for; how
    ///   the chain goes on is up to its errbacks.
    /// - Fired, or in the middle of a callback: nothing happens.
    ///
    /// Takes the same time however long the chain, and the line of those that wait for each other.
    pub fn cancel(&self) {
        chain::cancel(&self.chain);
    }

    /// Lets no result go on from here until [`unpause`](Self::unpause): not to the next callback, not to a chain that waits for this Deferred.
    ///
    /// Pauses are counted, and are apart from a chain's own waits for the Deferreds that its callbacks return. A paused Deferred may be fired, cancelled and
    /// added to: what comes of it is kept. Paused from inside a callback, by a [`pause_handle`](Self::pause_handle), it stops before the next one.
    ///
    /// A pause lasts as long as somebody is there who could end it. When this Deferred and all its handles have been dropped, it ends, and what was held
    /// goes on: nothing hangs for good, and no failure is lost.
    ///
    /// Costs no memory, and an allocation if there comes to be something to hold.
    ///
    /// ```
    /// use selvedge::Deferred;
    ///
    /// let (number, resolver) = Deferred::new();
    /// number.pause();
    /// resolver.callback(20);
    /// let number = number.add_callback(|n: u32| n + 1);
    /// let number = number.try_result().unwrap_err(); // Not yet.
    /// number.unpause()?; // The callback runs in here.
    /// assert!(number.try_result().is_ok_and(|n| n.is_ok_and(|n| n == 21)));
    /// # Ok::<(), selvedge::NotPaused>(())
    /// ```
    pub fn pause(&self) {
        self.chain.core().step(State::pause);
    }

    /// Ends one pause. If it was the last, what was held goes on: callbacks run in here, before this returns; from inside a callback of the same chain,
    /// when that has returned.
    ///
    /// # Errors
    /// It is not paused: nothing has changed.
    pub fn unpause(&self) -> Result<(), NotPaused> {
        chain::unpause(&self.chain)
    }

    /// Whether it is paused. That it waits for another Deferred is no pause.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.chain.core().is_paused()
    }

    /// What pauses this Deferred when it is no longer here: given away, or from inside its own callbacks.
    #[must_use]
    pub fn pause_handle(&self) -> PauseHandle {
        PauseHandle::new(&self.chain)
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
        match self.tail.outlet().take() {
            Some(rest) => {
                self.chain.core().step(State::take);
                Ok(rest.result)
            }
            None => Err(self),
        }
    }

    /// Reports the error, if it comes to one, as [`Incident::Logged`](crate::Incident::Logged), and drops the value otherwise.
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

/// A Deferred that has its result already.
impl<T: 'static, E: Error + From<Failure> + 'static> From<Result<T, E>> for Deferred<T, E> {
    #[track_caller]
    fn from(result: Result<T, E>) -> Self {
        Self::at(Rc::new(Head::fired(result, Location::caller())))
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

/// Calls a function now and makes a Deferred of the value that it returns, as it is and of whatever type, or of its panic.
///
/// A `Result`, or a Deferred, that it returns is a mere value here; [`maybe_deferred`] looks into those.
///
/// ```
/// use selvedge::execute;
///
/// struct Page(String);
/// let page = execute(|| Page("<p>".to_owned()));
/// assert!(page.try_result().is_ok_and(|page| page.is_ok_and(|page| page.0 == "<p>")));
/// assert!(execute(|| -> u32 { panic!("no") }).try_result().is_ok_and(|n| n.is_err_and(|failure| failure.is_panic())));
/// ```
#[track_caller]
pub fn execute<T: 'static>(body: impl FnOnce() -> T) -> Deferred<T> {
    Deferred::from(catch(body).map_err(Failure::from))
}

/// Calls a function now and makes a Deferred of what comes of it: its value, its error, its panic, or the Deferred that it returned.
///
/// ```
/// use selvedge::{Deferred, maybe_deferred};
///
/// fn cached(page: &str) -> Option<String> {
///     (page == "/").then(|| "home".to_owned())
/// }
///
/// let page = maybe_deferred(|| match cached("/") {
///     Some(page) => Deferred::succeed(page),
///     None => Deferred::new().0, // Fetch it.
/// });
/// assert!(page.try_result().is_ok_and(|page| page.is_ok_and(|page| page == "home")));
/// ```
#[track_caller]
pub fn maybe_deferred<R: Outcome<Failure>>(body: impl FnOnce() -> R) -> Deferred<R::Value> {
    match catch(|| body().settle()) {
        Ok(settled) => settled.into_deferred(),
        Err(panic) => Deferred::from(Err(Failure::from(panic))),
    }
}
