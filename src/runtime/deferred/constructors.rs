//! Constructors: a Deferred with its resolver, a Deferred that has its result, and one of what a function returns.

use std::panic::Location;
use std::rc::Rc;

use super::super::sync::catch;
use super::deferred::Deferred;
use super::head::{Head, Producer};
use super::node::{Handler, Output, handler};
use super::outcome::{Outcome, Raise, Settled};
use super::resolver::Resolver;
use super::unclaimed::Unclaimed;
use crate::failure::{ChainError, Failure};

impl<T: 'static> Deferred<T> {
    /// A Deferred, and the resolver that fires it. With an error type of your own: [`typed`](Self::typed).
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
        Self::unfired(None)
    }

    /// As [`new`](Self::new), with a function that is called if the Deferred is [cancelled](Self::cancel) unfired. It
    /// is called at most once, and dropped when the Deferred fires. It may fire the Deferred itself; if it does not,
    /// the Deferred fails with [`Cancelled`](crate::error::Cancelled).
    ///
    /// ```
    /// use selvedge::{Deferred, Resolver, error::Cancelled};
    ///
    /// let (answer, resolver): (Deferred<u32>, Resolver<u32>) = Deferred::with_canceller(|| println!("never mind"));
    /// answer.cancel();
    /// assert!(answer.try_result().is_ok_and(|answer| answer.is_err_and(|failure| failure.is::<Cancelled>())));
    /// resolver.callback(7); // Too late: dropped.
    /// ```
    #[track_caller]
    pub fn with_canceller(canceller: impl FnOnce() + 'static) -> (Self, Resolver<T>) {
        Self::unfired(Some(handler(|_chain, _head| canceller())))
    }

    /// As [`with_canceller`](Self::with_canceller), and the canceller is given a [`Resolver`], with which it may fire
    /// the Deferred. If it returns without having fired it, the Deferred fails with
    /// [`Cancelled`](crate::error::Cancelled).
    ///
    /// A canceller that captured the Deferred's own resolver would keep the whole chain alive even if nobody else could
    /// fire it any more. This one captures nothing of the chain.
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

    /// A Deferred that already has this value.
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

    /// A Deferred that has already failed.
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

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// As [`new`](Deferred::new), with an error type of the program's own. (`new` itself cannot do this: in
    /// `Deferred::new()` nothing would tell the compiler which `E` is meant.)
    #[track_caller]
    pub fn typed() -> (Self, Resolver<T, E>) {
        Self::unfired(None)
    }

    /// As [`with_canceller`](Deferred::with_canceller), with an error type of the program's own.
    #[track_caller]
    pub fn typed_with_canceller(canceller: impl FnOnce() + 'static) -> (Self, Resolver<T, E>) {
        Self::unfired(Some(handler(|_chain, _head| canceller())))
    }

    /// As [`with_firing_canceller`](Deferred::with_firing_canceller), with an error type of the program's own.
    #[track_caller]
    pub fn typed_with_firing_canceller(canceller: impl FnOnce(Resolver<T, E>) + 'static) -> (Self, Resolver<T, E>) {
        let head = Head::<T, E>::unfired(None, Location::caller());
        // Weak: a head that owned a resolver of its own would never be abandoned.
        let weak = Rc::downgrade(&head);
        head.set_canceller(handler(move |_chain, _head| {
            if let Some(head) = weak.upgrade() {
                canceller(Resolver::new(head));
            }
        }));
        (Self::from_head(Rc::clone(&head)), Resolver::new(head))
    }

    /// A Deferred that already has this item, which goes back if nobody receives it.
    #[track_caller]
    pub(crate) fn unclaimed(item: Unclaimed<T>) -> Self {
        Self::from_head(Head::unclaimed(item, Location::caller()))
    }

    #[inline]
    #[track_caller]
    fn unfired(canceller: Option<Handler>) -> (Self, Resolver<T, E>) {
        let head = Head::<T, E>::unfired(canceller, Location::caller());
        (Self::from_head(Rc::clone(&head)), Resolver::new(head))
    }

    /// A Deferred whose head has what will make its result.
    #[track_caller]
    pub(crate) fn produced<P: Producer + Default>() -> (Self, Rc<Head<T, E, P>>) {
        let head = Head::produced(Location::caller());
        (Self::from_head(Rc::clone(&head)), head)
    }

    pub(super) fn from_head<P: Producer>(head: Rc<Head<T, E, P>>) -> Self {
        Self { tail: Rc::clone(&head) as Rc<dyn Output<T, E>>, chain: head }
    }
}

/// A Deferred that already has this result.
impl<T: 'static, E: ChainError> From<Result<T, E>> for Deferred<T, E> {
    #[track_caller]
    fn from(result: Result<T, E>) -> Self {
        Self::from_head(Head::fired(result, Location::caller()))
    }
}

impl<T: 'static, E: ChainError> Settled<T, E> {
    /// The same as a [`Deferred`], which is fired already if the result is here.
    #[track_caller]
    #[must_use]
    pub fn into_deferred(self) -> Deferred<T, E> {
        match self {
            Self::Now(result) => Deferred::from(result),
            Self::Later(deferred) => deferred,
        }
    }
}

/// Calls a function now. The Deferred has its return value, of any type and as it is, or fails with its panic.
///
/// A `Result` or a Deferred that it returns is a value like any other here; [`maybe_deferred`] takes the result out of
/// those.
///
/// ```
/// use selvedge::deferred::execute;
///
/// struct Page(String);
/// let page = execute(|| Page("<p>".to_owned()));
/// assert!(page.try_result().is_ok_and(|page| page.is_ok_and(|page| page.0 == "<p>")));
/// assert!(execute(|| -> u32 { panic!("no") }).try_result().is_ok_and(|n| n.is_err_and(|failure| failure.is_panic())));
/// ```
#[track_caller]
pub fn execute<T: 'static>(body: impl FnOnce() -> T) -> Deferred<T> {
    Deferred::from(catch(body).map_err(Failure::without_backtrace))
}

/// Calls a function now. The Deferred has its value, its error or its panic, or is the Deferred that it returned.
///
/// ```
/// use selvedge::{Deferred, deferred::maybe_deferred};
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
        Err(panic) => Deferred::from(Err(Failure::without_backtrace(panic))),
    }
}
