//! `DeferredList`: several Deferreds that become one, which fires on all of their results or on the first.

use std::fmt;

use super::deferred::Deferred;
use super::gather::{Options, Policy, gather};
use crate::failure::{ChainError, Failure, FailureGroup, FirstError};

/// Several Deferreds that become one. Set the options, then call [`all`](Self::all), or a method that says on which
/// first result the list fires.
///
/// | | fires with | as soon as |
/// |---|---|---|
/// | [`all`] | each member's result, in the order of input | all have one |
/// | [`fire_on_one_errback`] | each member's value, in the order of input | all have one; fails with the first error |
/// | [`fire_on_one_callback`] | the first value, and its index | there is one; fails with all errors if all fail |
/// | [`fire_on_one`] | the first result, and its index | there is one |
///
/// A list without members fires at once: the first two with `[]`, the others with an empty `FailureGroup` as error.
///
/// [`all`]: Self::all
/// [`fire_on_one_errback`]: Self::fire_on_one_errback
/// [`fire_on_one_callback`]: Self::fire_on_one_callback
/// [`fire_on_one`]: Self::fire_on_one
///
/// ```
/// use selvedge::{Deferred, deferred::DeferredList};
///
/// let (slow, resolver) = Deferred::<u32>::new();
/// let all = DeferredList::new([slow, Deferred::fail(std::fmt::Error), Deferred::succeed(3)]).all();
/// resolver.callback(1);
/// let results = all.try_result().expect("all have fired")?;
/// assert!(matches!(results[..], [Ok(1), Err(_), Ok(3)]));
/// # Ok::<(), selvedge::Failure>(())
/// ```
///
/// **Where and when.** The list fires inside the call that fires the member which decides it, after that member's own
/// callbacks have run. Members that have their result when the list is made are taken in the order of input.
///
/// **Results that the list does not return.** A member is consumed, so its value or error is part of the list's result,
/// or lost. Values that are lost are dropped. Errors that are lost (those that come after the list has fired, and those
/// that came before a first value decided it, or before a cancel failed it) were handled by nobody, and are reported as
/// unhandled, unless the list [consumes errors](Self::consume_errors), or has cancelled that member itself.
///
/// **Cancelling** an unfired list cancels all members that have no result, in the order of input. Each fails with
/// [`Cancelled`](crate::error::Cancelled), or has the result that its canceller and errbacks make of that, and the list
/// fires accordingly. The list itself fails with `Cancelled` only if some member still has no result then.
/// Dropping the list's Deferred cancels nothing.
///
/// **Cancel safety.** Items of a [queue](crate::coordination::DeferredQueue) go back if the list does not return them,
/// and also those in its result, while no callback, future or caller has received that.
///
/// **Cycles.** A member that would wait for its own list, directly or through others, fails with
/// [`WaitsForItself`](crate::error::WaitsForItself), as does every Deferred that would wait for itself.
///
/// **Cost.** Three allocations, one for each member, and two arrays, one of which is freed when the list has been made.
/// No stack: a list of lists of lists fires and is cancelled at a constant depth. Adding or firing a member takes the
/// same time however many there are.
#[must_use = "a list does nothing until a method says on what it fires"]
pub struct DeferredList<T, E = Failure> {
    members: Vec<Deferred<T, E>>,
    options: Options,
}

impl<T: 'static, E: ChainError> DeferredList<T, E> {
    /// A list of these. Nothing is added to them yet.
    pub fn new(members: impl IntoIterator<Item = Deferred<T, E>>) -> Self {
        Self { members: members.into_iter().collect(), options: Options::default() }
    }

    /// Errors that are not part of the list's result are dropped silently.
    pub fn consume_errors(mut self) -> Self {
        self.options.consume_errors = true;
        self
    }

    /// When the list is decided, before it fires, the members that have no result are cancelled, in the order of input.
    ///
    /// Their results are dropped silently.
    pub fn cancel_rest(mut self) -> Self {
        self.options.cancel_rest = true;
        self
    }

    /// Fires when every member has its result, with all of them. Fails only if it is cancelled and a member has no
    /// result even then.
    #[track_caller]
    pub fn all(self) -> Deferred<Vec<Result<T, E>>, E> {
        gather(
            self.members,
            self.options,
            Policy {
                on_value: None,
                on_error: None,
                on_all: Ok,
                take_apart: |results| results.into_iter().enumerate().collect(),
            },
        )
    }

    /// Fires when every member has a value, with all of them. Fails as soon as one fails, with its index and its error
    /// ([`FirstError`]).
    #[track_caller]
    pub fn fire_on_one_errback(self) -> Deferred<Vec<T>, E>
    where
        E: From<FirstError<E>>,
    {
        gather(
            self.members,
            self.options,
            Policy {
                on_value: None,
                on_error: Some(|index, error| E::from(FirstError { index, error })),
                on_all: |results| results.into_iter().collect(),
                take_apart: |values| values.into_iter().map(Ok).enumerate().collect(),
            },
        )
    }

    /// Fires as soon as a member has a value, with its index and the value. Fails when all have failed, with all their
    /// errors ([`FailureGroup`]).
    ///
    /// ```
    /// use selvedge::{Deferred, deferred::DeferredList};
    ///
    /// let mirrors = [Deferred::fail(std::fmt::Error), Deferred::succeed("page")];
    /// let first = DeferredList::new(mirrors).consume_errors().fire_on_one_callback();
    /// assert!(first.try_result().is_ok_and(|first| first.is_ok_and(|first| first == (1, "page"))));
    /// ```
    #[track_caller]
    pub fn fire_on_one_callback(self) -> Deferred<(usize, T), E>
    where
        E: From<FailureGroup<E>>,
    {
        gather(
            self.members,
            self.options,
            Policy {
                on_value: Some(|index, value| (index, value)),
                on_error: None,
                on_all: none_succeeded,
                take_apart: |(index, value)| vec![(index, Ok(value))],
            },
        )
    }

    /// Fires as soon as a member has a result, with its index and the value or the error.
    #[track_caller]
    pub fn fire_on_one(self) -> Deferred<(usize, T), E>
    where
        E: From<FirstError<E>> + From<FailureGroup<E>>,
    {
        gather(
            self.members,
            self.options,
            Policy {
                on_value: Some(|index, value| (index, value)),
                on_error: Some(|index, error| E::from(FirstError { index, error })),
                on_all: none_succeeded,
                take_apart: |(index, value)| vec![(index, Ok(value))],
            },
        )
    }
}

impl<T, E> fmt::Debug for DeferredList<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredList").field("members", &self.members).field("options", &self.options).finish()
    }
}

/// Waits for several values: fires with all of them, in the order of input, or fails with the first error and the index
/// of its member ([`FirstError`]).
///
/// Short for `DeferredList::new(members)`[`.fire_on_one_errback()`](DeferredList::fire_on_one_errback); a
/// [`DeferredList`] has options.
///
/// ```
/// use selvedge::{Deferred, deferred::gather_results};
///
/// let sum = gather_results([Deferred::succeed(1), Deferred::succeed(2)]).add_callback(|all| all.iter().sum::<i32>());
/// assert!(sum.try_result().is_ok_and(|sum| sum.is_ok_and(|sum| sum == 3)));
/// ```
#[track_caller]
pub fn gather_results<T, E>(members: impl IntoIterator<Item = Deferred<T, E>>) -> Deferred<Vec<T>, E>
where
    T: 'static,
    E: ChainError + From<FirstError<E>>,
{
    DeferredList::new(members).fire_on_one_errback()
}

/// Fires with the first value of several Deferreds and the index of its member, and cancels the others.
///
/// The others are cancelled before it fires; their results are dropped silently. If all fail, so does the race, with
/// all their errors ([`FailureGroup`]); a race without members fails at once. Cancelling the race cancels all of them.
///
/// Short for a [`DeferredList`] that [consumes errors](DeferredList::consume_errors), [cancels the
/// rest](DeferredList::cancel_rest) and [fires on one callback](DeferredList::fire_on_one_callback).
///
/// ```
/// use selvedge::{Deferred, deferred::race};
///
/// let (slow, _resolver) = Deferred::with_canceller(|| println!("cancelled"));
/// let winner = race([slow, Deferred::succeed("fast")]);
/// assert!(winner.try_result().is_ok_and(|winner| winner.is_ok_and(|winner| winner == (1, "fast"))));
/// ```
#[track_caller]
pub fn race<T, E>(members: impl IntoIterator<Item = Deferred<T, E>>) -> Deferred<(usize, T), E>
where
    T: 'static,
    E: ChainError + From<FailureGroup<E>>,
{
    DeferredList::new(members).consume_errors().cancel_rest().fire_on_one_callback()
}

fn none_succeeded<T, E: From<FailureGroup<E>>>(results: Vec<Result<T, E>>) -> Result<(usize, T), E> {
    let failures = results.into_iter().filter_map(Result::err).collect();
    Err(E::from(FailureGroup { failures }))
}
