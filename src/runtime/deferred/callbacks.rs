//! The ways to add a callback: the methods, and for each the [`Callback`] type of its link.

use std::rc::Rc;

use super::super::report::{Incident, drop_contained, report_and_drop};
use super::super::sync::catch;
use super::conversion::convert_own;
use super::deferred::Deferred;
use super::link::{Callback, Link, Passed, call_or_hold};
use super::node::{Input, Stored, Successor};
use super::outcome::{Outcome, OutcomeOf, Settled};
use super::run::run_added;
use super::unclaimed::Unclaimed;
use crate::failure::{ChainError, Failure};

impl<T: 'static, E: ChainError> Deferred<T, E> {
    /// Adds a function for the value. Errors pass by.
    ///
    /// The function may return a value, a `Result` or a Deferred: see [`Outcome`]. If it panics, the chain continues
    /// with a [`Failure`] that holds the [`Panic`](crate::error::Panic).
    pub fn add_callback<R, F>(self, callback: F) -> Deferred<R::Value, E>
    where
        R: Outcome<E>,
        F: FnOnce(T) -> R + 'static,
    {
        self.add(OnValue(callback))
    }

    /// Adds a function for the error. Values pass by, so the function returns a value of the same type, or an error.
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

    /// Adds a function for the value and one for the error, side by side: an error of the first does *not* go to the
    /// second.
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

    /// Adds a function for the value whose return value, of any type, is the next value as it is.
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

    /// Reports the error, if there is one, as [`Incident::Logged`], and drops the value otherwise.
    ///
    /// For the end of a chain whose errors are expected and need nothing but a line in the log.
    pub fn log_error(self) {
        let made_at = self.made_at();
        self.add_both(move |result| {
            if let Err(error) = result {
                report_and_drop(Incident::Logged, error, Some(made_at));
            }
        });
    }

    /// Drops the result when it comes, value or error.
    pub(super) fn ignore(self) {
        self.add(Ignore);
    }

    #[inline]
    pub(crate) fn add<C>(self, callback: C) -> Deferred<C::Value, E>
    where
        C: Callback<T, E, Value: 'static> + 'static,
    {
        let Self { tail, chain } = self;
        let cell = tail.cell();
        let tail = match cell.take_for_update() {
            None => {
                let link = Link::new(callback);
                cell.link(Successor::Link(Rc::clone(&link) as _));
                link
            }
            Some(Stored::Result(result, _)) => call_or_hold(callback, result, tail, &chain),
            Some(Stored::Unclaimed(item)) => {
                drop(tail);
                let link = Link::new(callback);
                run_added(Rc::clone(&link).accept_unclaimed(item), &chain);
                link
            }
        };
        Deferred { tail, chain }
    }
}

/// `add_callback`.
pub(super) struct OnValue<F>(pub(super) F);

impl<T, E, F, R> Callback<T, E> for OnValue<F>
where
    E: From<Failure>,
    F: FnOnce(T) -> R,
    R: Outcome<E>,
{
    type Value = R::Value;

    #[inline(always)]
    fn call(self, input: Result<T, E>) -> Settled<R::Value, E> {
        match input {
            Ok(value) => catch_failure(|| (self.0)(value).settle()),
            Err(error) => {
                drop_contained(self.0);
                Settled::Now(Err(error))
            }
        }
    }
}

/// `add_errback`.
struct OnError<F>(F);

impl<T, E, F, R> Callback<T, E> for OnError<F>
where
    E: From<Failure>,
    F: FnOnce(E) -> R,
    R: OutcomeOf<T, E>,
{
    type Value = T;

    #[inline(always)]
    fn call(self, input: Result<T, E>) -> Settled<T, E> {
        match input {
            Ok(value) => {
                drop_contained(self.0);
                Settled::Now(Ok(value))
            }
            Err(error) => catch_failure(|| (self.0)(error).settle_as()),
        }
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<T, E> {
        drop_contained(self.0);
        Passed::Unclaimed(item)
    }
}

/// `add_callbacks`.
struct OnEither<F, G>(F, G);

impl<T, E, F, G, R, S> Callback<T, E> for OnEither<F, G>
where
    E: From<Failure>,
    F: FnOnce(T) -> R,
    G: FnOnce(E) -> S,
    R: Outcome<E>,
    S: OutcomeOf<R::Value, E>,
{
    type Value = R::Value;

    #[inline(always)]
    fn call(self, input: Result<T, E>) -> Settled<R::Value, E> {
        let Self(on_value, on_error) = self;
        // The one that is not called is dropped first, so that what it captured is gone when the other runs.
        match input {
            Ok(value) => {
                drop_contained(on_error);
                catch_failure(|| on_value(value).settle())
            }
            Err(error) => {
                drop_contained(on_value);
                catch_failure(|| on_error(error).settle_as())
            }
        }
    }
}

/// `add_both`.
struct OnBoth<F>(F);

impl<T, E, F, R> Callback<T, E> for OnBoth<F>
where
    E: From<Failure>,
    F: FnOnce(Result<T, E>) -> R,
    R: Outcome<E>,
{
    type Value = R::Value;

    #[inline(always)]
    fn call(self, input: Result<T, E>) -> Settled<R::Value, E> {
        catch_failure(|| (self.0)(input).settle())
    }
}

/// `ignore`.
struct Ignore;

impl<T, E: From<Failure>> Callback<T, E> for Ignore {
    type Value = ();

    #[inline(always)]
    fn call(self, input: Result<T, E>) -> Settled<(), E> {
        catch_failure(|| {
            drop(input);
            Settled::Now(Ok(()))
        })
    }

    fn call_unclaimed(self, item: Unclaimed<T>) -> Passed<(), E> {
        drop(item);
        Passed::Settled(Settled::Now(Ok(())))
    }
}

/// `map`.
struct OnValuePlain<F>(F);

impl<T, E, F, U> Callback<T, E> for OnValuePlain<F>
where
    E: From<Failure>,
    F: FnOnce(T) -> U,
{
    type Value = U;

    #[inline(always)]
    fn call(self, input: Result<T, E>) -> Settled<U, E> {
        match input {
            Ok(value) => Settled::Now(catch(|| (self.0)(value)).map_err(convert_own)),
            Err(error) => {
                drop_contained(self.0);
                Settled::Now(Err(error))
            }
        }
    }
}

/// Calls a user's function, and converts what it returned. A panic of either becomes the failure of the link.
#[inline]
pub(crate) fn catch_failure<T, E: From<Failure>>(body: impl FnOnce() -> Settled<T, E>) -> Settled<T, E> {
    catch(body).unwrap_or_else(|panic| Settled::Now(Err(convert_own(panic))))
}
