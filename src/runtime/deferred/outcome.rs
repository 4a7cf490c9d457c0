//! What a callback may return, and how its errors become the chain's.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::convert::Infallible;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::Wrapping;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Output};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::super::sync::StdArc;
use super::deferred::Deferred;
use crate::failure::Failure;

/// What a callback may return: a value, a `Result`, or another [`Deferred`] to wait for.
///
/// Implemented for
///
/// - `Result<U, X>`: the chain continues with the value `U` or the error `X`. In a chain of [`Failure`]s that can be
///   any error (see [`Raise`]);
/// - `Deferred<U, E>`: the chain waits for it and continues with its result;
/// - every type that is [`Plain`]: the chain continues with the value as it is. Numbers, strings, and most types of std
///   are; a type of your own is with one line. Any other is returned as `Ok::<_, Failure>(value)`, or from
///   [`Deferred::map`].
///
/// A `Result` whose value is a Deferred becomes one with `.unwrap_or_else(Deferred::fail)`: here it would be a value.
///
/// Of a closure that uses `?`, the compiler has to be told the error, because a result of any error is an outcome:
/// `|| -> Result<_, Failure> { … }`, or `Ok::<_, Failure>(value)` at its end.
#[diagnostic::on_unimplemented(
    message = "this function cannot return `{Self}` as the result of a Deferred whose error is `{E}`",
    label = "neither a plain value, nor a `Result` with a fitting error, nor a `Deferred<_, {E}>`",
    note = "to return a value of a type of your own, write `impl selvedge::deferred::Plain for` it `{{}}` once; of any \
            type, `Ok::<_, {E}>(value)`: in a callback, a task, a job or a call; or add the callback with `map`, which \
            takes any type",
    note = "a closure that never returns says what it would return: `|_| -> () {{ panic!() }}`",
    note = "the error of a returned `Result` has to be `Raise<{E}>`; \
            any `Error + Send + Sync` is that in a chain of `Failure`s"
)]
pub trait Outcome<E> {
    /// The value that the chain continues with.
    type Value: 'static;

    /// The result, or the Deferred that will have it.
    fn settle(self) -> Settled<Self::Value, E>;
}

/// A type whose values a callback, a job or a task returns as they are, and the chain continues with them.
///
/// Implemented for `()`, numbers, strings, paths, times, addresses, files, sockets and processes, and, whatever is in
/// them, for std's collections, `Box`, `Rc`, `Arc`, `Cell`, `RefCell`, ranges, slices, arrays, and tuples of up to six.
/// Another type of std is returned as `Ok::<_, Failure>(value)`. For a type of your own, write one line:
///
/// ```
/// use selvedge::{Failure, Reactor, deferred::Plain, threads};
///
/// struct Page(String);
/// impl Plain for Page {}
///
/// let reactor = Reactor::new();
/// let local = reactor.local();
/// let length = reactor.block_on(async move {
///     let page = local.defer_to_thread(|| Page("<p>".to_owned())).await?;
///     Ok::<_, Failure>(page.0.len())
/// })?;
/// assert_eq!(length, 3);
/// # Ok::<(), Failure>(())
/// ```
///
/// It cannot be implemented for all types at once: a `Result` and a [`Deferred`] stand for what is in them, and stable
/// Rust has no way to say "every type but these two".
#[diagnostic::on_unimplemented(
    message = "this function cannot return `{Self}` as the result of a Deferred",
    label = "neither a plain value, nor a `Result` with a fitting error, nor a `Deferred`",
    note = "to return a value of a type of your own, write `impl selvedge::deferred::Plain for {Self} {{}}` once; of \
            any type, `Ok::<_, Failure>(value)`: in a callback, a task, a job or a call; or add the callback with \
            `map`, which takes any type"
)]
pub trait Plain: Sized + 'static {}

impl<T: Plain, E> Outcome<E> for T {
    type Value = T;

    fn settle(self) -> Settled<T, E> {
        Settled::Now(Ok(self))
    }
}

impl<T: Plain, E> OutcomeOf<T, E> for T {
    fn settle_as(self) -> Settled<T, E> {
        Settled::Now(Ok(self))
    }
}

/// What an errback may return: an [`Outcome`] whose value has the type `T` of the chain's value.
///
/// Every `Outcome` of this crate is one. It is a trait of its own because `|_| 0` in a `Deferred<u64>` has to mean
/// `0u64`, which the compiler infers from a type parameter but not from an associated type. (A value of any type
/// can be returned as `Ok(value)`.)
#[diagnostic::on_unimplemented(
    message = "an errback has to return a `{T}`, the value of the chain, but returns `{Self}`",
    label = "not a `{T}`, a `Result<{T}, _>` whose error fits the chain, or a `Deferred<{T}, {E}>`",
    note = "the chain continues with the value that the errback returns; to pass the error on, return `Err(error)`",
    note = "a value of a type of your own is returned as `Ok::<_, {E}>(value)`",
    note = "at the end of a chain, `log_error` reports an error, and `add_both` takes a function for value and error"
)]
pub trait OutcomeOf<T, E> {
    /// The result, or the Deferred that will have it.
    fn settle_as(self) -> Settled<T, E>;
}

/// What a callback returned: a result, or a Deferred that will have one.
#[derive(Debug)]
pub enum Settled<T, E = Failure> {
    /// The result is here.
    Now(Result<T, E>),
    /// This Deferred will have it.
    Later(Deferred<T, E>),
}

/// What a callback may return as `Err`: it is converted to the error type `E` of the chain.
///
/// In a chain of [`Failure`]s, which is the default, this is every `Error + Send + Sync + 'static`, and a `Failure`
/// stays as it is. In a chain with an error type of its own, it is that type (see
/// [`ChainError`](crate::deferred::ChainError)).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an error in a chain whose error is `{E}`",
    note = "in a chain of `Failure`s it has to be `Error + Send + Sync + 'static`; \
            for a boxed error there is `Failure::from_boxed`",
    note = "in a chain with an error type of your own it has to be that type, an `Error` that is `From<Failure>`"
)]
pub trait Raise<E> {
    /// Converts it.
    fn raise(self) -> E;
}

impl<X: Error + Send + Sync + 'static> Raise<Failure> for X {
    fn raise(self) -> Failure {
        Failure::new(self)
    }
}

impl Raise<Failure> for Failure {
    fn raise(self) -> Failure {
        self
    }
}

impl<E: Error + From<Failure> + 'static> Raise<E> for E {
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

/// Stays as it is.
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
        impl<$($generics)*> Plain for $type {}
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
    [] Instant;
    [] SystemTime;
    [] Ordering;
    [] IpAddr;
    [] Ipv4Addr;
    [] Ipv6Addr;
    [] SocketAddr;
    [] TcpListener;
    [] TcpStream;
    [] UdpSocket;
    [] File;
    [] Metadata;
    [] Child;
    [] ExitStatus;
    [] Output;
    [] Infallible;
    [] &'static str;
    [] &'static OsStr;
    [] &'static Path;
    [T: 'static] &'static [T];
    [T: 'static, const N: usize] [T; N];
    [T: ToOwned<Owned: 'static> + ?Sized + 'static] Cow<'static, T>;
    [T: 'static] Option<T>;
    [T: 'static] Reverse<T>;
    [T: 'static] Wrapping<T>;
    [T: 'static] Range<T>;
    [T: 'static] RangeInclusive<T>;
    [T: 'static] Cell<T>;
    [T: 'static] RefCell<T>;
    [T: ?Sized + 'static] Box<T>;
    [T: ?Sized + 'static] Rc<T>;
    [T: ?Sized + 'static] StdArc<T>;
    [T: 'static] Vec<T>;
    [T: 'static] VecDeque<T>;
    [T: 'static] LinkedList<T>;
    [T: 'static] BinaryHeap<T>;
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
