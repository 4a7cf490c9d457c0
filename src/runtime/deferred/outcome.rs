//! What a callback may return, and what its errors become.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::super::sync::SharedFn;
use super::Deferred;
use crate::failure::Failure;

/// What a callback may return: a value, a `Result`, or another [`Deferred`] to wait for.
///
/// Implemented for
///
/// - `Result<U, X>`: continues on the success side with `U`, or on the failure side with `X`, which any error is good for in a chain
///   of [`Failure`]s (see [`Raise`]);
/// - `Deferred<U, E>`: the chain waits for it and continues with its result;
/// - `()`, numbers, strings, paths, and the collections, pointers and tuples of std: they continue on the success side as they are.
///
/// A type of your own goes through [`Deferred::map`], or is returned as `Ok::<_, Failure>(value)`, or implements this in one line:
///
/// ```
/// use selvedge::{Deferred, deferred::{Outcome, Settled}};
///
/// struct Page(String);
///
/// impl<E> Outcome<E> for Page {
///     type Value = Page;
///     fn settle(self) -> Settled<Page, E> {
///         Settled::Now(Ok(self))
///     }
/// }
///
/// let page = Deferred::succeed("<p>").add_callback(|text| Page(text.to_owned()));
/// # assert!(page.try_result().is_ok_and(|page| page.is_ok_and(|page| page.0 == "<p>")));
/// ```
#[diagnostic::on_unimplemented(
    message = "a callback cannot return `{Self}` in a chain whose error is `{E}`",
    label = "neither a plain value, nor a `Result` with a fitting error, nor a `Deferred<_, {E}>`",
    note = "use `map` for a callback that returns a type of your own, or return `Ok::<_, {E}>(value)`",
    note = "a closure that never returns says what it would return: `|_| -> () {{ panic!() }}`",
    note = "the error of a returned `Result` has to be `Raise<{E}>`; any `Error + Send + Sync` is that in a chain of `Failure`s"
)]
pub trait Outcome<E> {
    /// What the chain continues with on success.
    type Value: 'static;

    /// The result, or what will have it.
    fn settle(self) -> Settled<Self::Value, E>;
}

/// What an errback may return: an [`Outcome`] whose value is the `T` that its chain has on the other side.
///
/// Every `Outcome` of this crate is one. It is a trait beside `Outcome` because `|_| 0` in a `Deferred<u64>` is to mean `0u64`, which the
/// compiler finds out from a parameter but not from an associated type. (A type of your own can always come as `Ok(value)`.)
#[diagnostic::on_unimplemented(
    message = "an errback cannot return `{Self}` where the value of the chain is `{T}`",
    label = "neither a `{T}`, nor a `Result<{T}, _>` with a fitting error, nor a `Deferred<{T}, {E}>`",
    note = "a `{T}` that is no plain value is returned as `Ok::<_, {E}>(value)`"
)]
pub trait OutcomeOf<T, E> {
    /// The result, or what will have it.
    fn settle_as(self) -> Settled<T, E>;
}

/// What a callback's return value amounts to.
#[derive(Debug)]
pub enum Settled<T, E = Failure> {
    /// A result.
    Now(Result<T, E>),
    /// What will have a result later.
    Later(Deferred<T, E>),
}

impl<T: 'static, E: Error + From<Failure> + 'static> Settled<T, E> {
    /// The same as a [`Deferred`], fired if the result is there.
    #[track_caller]
    pub fn into_deferred(self) -> Deferred<T, E> {
        match self {
            Self::Now(result) => Deferred::from(result),
            Self::Later(deferred) => deferred,
        }
    }
}

/// What may stand in the `Err` that a callback returns: it becomes the error type `E` of the chain.
///
/// In a chain of [`Failure`]s, the default, every `Error + Send + Sync + 'static` does, and a `Failure` is passed on as it is. In a chain with an
/// error type of its own, that type does (see [`ChainError`]).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an error in a chain whose error is `{E}`",
    note = "in a chain of `Failure`s it has to be `Error + Send + Sync + 'static`; for a boxed error there is `Failure::from_boxed`",
    note = "in a chain with an error type of your own, say `impl ChainError for ThatType {{}}`"
)]
pub trait Raise<E> {
    /// The error of the chain.
    fn raise(self) -> E;
}

/// An error type of a program's own, as the `E` of a [`Deferred<T, E>`](Deferred).
///
/// A chain makes failures itself, when a callback panics or when it is cancelled, so the type must be able to hold those.
///
/// ```
/// use selvedge::{Deferred, Failure, deferred::ChainError};
/// use std::fmt;
///
/// #[derive(Debug)]
/// enum Fetch {
///     NotFound,
///     Other(Failure),
/// }
///
/// impl ChainError for Fetch {}
///
/// impl From<Failure> for Fetch {
///     fn from(failure: Failure) -> Self {
///         Fetch::Other(failure)
///     }
/// }
///
/// impl std::error::Error for Fetch {}
///
/// impl fmt::Display for Fetch {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         match self {
///             Fetch::NotFound => f.write_str("no such page"),
///             Fetch::Other(failure) => failure.fmt(f),
///         }
///     }
/// }
///
/// let (page, fire) = Deferred::<String, Fetch>::typed();
/// page.add_errback(|error| match error {
///     Fetch::NotFound => Ok(String::new()),
///     other => Err(other),
/// });
/// fire.errback(Fetch::NotFound);
/// ```
///
/// `From<Failure>` must not panic: there is no error then that could say so, and the panic goes on to whoever fired.
pub trait ChainError: Error + From<Failure> + 'static {}

impl<X: Error + Send + Sync + 'static> Raise<Failure> for X {
    fn raise(self) -> Failure {
        Failure::new(self)
    }
}

impl<E: ChainError> Raise<E> for E {
    fn raise(self) -> E {
        self
    }
}

impl<U: 'static, X: Raise<E>, E> Outcome<E> for Result<U, X> {
    type Value = U;

    fn settle(self) -> Settled<U, E> {
        Settled::Now(self.map_err(X::raise))
    }
}

impl<U: 'static, X: Raise<E>, E> OutcomeOf<U, E> for Result<U, X> {
    fn settle_as(self) -> Settled<U, E> {
        self.settle()
    }
}

/// What was settled already stays as it is.
impl<U: 'static, E> Outcome<E> for Settled<U, E> {
    type Value = U;

    fn settle(self) -> Self {
        self
    }
}

impl<U: 'static, E> OutcomeOf<U, E> for Settled<U, E> {
    fn settle_as(self) -> Self {
        self
    }
}

impl<U: 'static, E> Outcome<E> for Deferred<U, E> {
    type Value = U;

    fn settle(self) -> Settled<U, E> {
        Settled::Later(self)
    }
}

impl<U: 'static, E> OutcomeOf<U, E> for Deferred<U, E> {
    fn settle_as(self) -> Settled<U, E> {
        self.settle()
    }
}

macro_rules! plain {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<E, $($generics)*> Outcome<E> for $type {
            type Value = Self;

            fn settle(self) -> Settled<Self, E> {
                Settled::Now(Ok(self))
            }
        }

        impl<E, $($generics)*> OutcomeOf<$type, E> for $type {
            fn settle_as(self) -> Settled<Self, E> {
                self.settle()
            }
        }
    )*};
}

plain! {
    [] ();
    [] bool;
    [] char;
    [] u8;
    [] u16;
    [] u32;
    [] u64;
    [] u128;
    [] usize;
    [] i8;
    [] i16;
    [] i32;
    [] i64;
    [] i128;
    [] isize;
    [] f32;
    [] f64;
    [] String;
    [] OsString;
    [] PathBuf;
    [] Duration;
    [] Infallible;
    [] &'static str;
    [] &'static OsStr;
    [] &'static Path;
    [T: 'static] &'static [T];
    [T: 'static, const N: usize] [T; N];
    [T: ToOwned<Owned: 'static> + ?Sized + 'static] Cow<'static, T>;
    [T: 'static] Option<T>;
    [T: ?Sized + 'static] Box<T>;
    [T: ?Sized + 'static] Rc<T>;
    [T: ?Sized + 'static] SharedFn<T>;
    [T: 'static] Vec<T>;
    [T: 'static] VecDeque<T>;
    [T: 'static] BTreeSet<T>;
    [K: 'static, V: 'static] BTreeMap<K, V>;
    [T: 'static, S: 'static] HashSet<T, S>;
    [K: 'static, V: 'static, S: 'static] HashMap<K, V, S>;
    [A: 'static] (A,);
    [A: 'static, B: 'static] (A, B);
    [A: 'static, B: 'static, C: 'static] (A, B, C);
    [A: 'static, B: 'static, C: 'static, D: 'static] (A, B, C, D);
    [A: 'static, B: 'static, C: 'static, D: 'static, F: 'static] (A, B, C, D, F);
    [A: 'static, B: 'static, C: 'static, D: 'static, F: 'static, G: 'static] (A, B, C, D, F, G);
}
