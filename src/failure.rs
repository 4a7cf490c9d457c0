//! What can go wrong, as types: [`Failure`], which carries any error, and the errors of this crate's own.

use std::any::Any;
use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::{FailureGroup, FirstError};

/// Any error, one pointer wide, with its type kept.
///
/// What failed may be an `io::Error`, a program's own enum or the panic of a function that ran on another thread: whoever handles
/// it can still ask which, with [`is`](Self::is), [`downcast_ref`](Self::downcast_ref) and [`downcast`](Self::downcast).
/// A `Failure` is `Send + Sync`, so it crosses threads as it is, and it never nests: made from another `Failure`, it *is* that one.
///
/// It reads like the error inside it: `Display` prints the original's message, [`source`](Error::source) is the original's
/// source, so that a printed chain of causes names nothing twice. `Debug` prints the whole chain, and the backtrace if one was captured
/// (when `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` asks for it; else capturing costs nothing).
///
/// ```
/// use std::io;
/// use selvedge::Failure;
///
/// let failure = Failure::new(io::Error::new(io::ErrorKind::NotFound, "no such page"));
/// assert_eq!(failure.to_string(), "no such page");
/// assert!(failure.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound));
/// ```
///
/// Two pointers and a backtrace live behind the one: a `Failure` costs an allocation, and one more if the error has a size.
pub struct Failure(Box<Inner>);

struct Inner {
    error: Box<dyn Error + Send + Sync>,
    backtrace: Backtrace,
}

impl Inner {
    /// Takes the error out. What is left instead has no size: it costs nothing.
    fn take(&mut self) -> Box<dyn Error + Send + Sync> {
        mem::replace(&mut self.error, Box::new(Taken))
    }

    /// Takes out the failures that this one is about, in order: those of the members of a list.
    fn take_members(&mut self) -> Vec<Failure> {
        if self.error.is::<FirstError>() {
            self.take().downcast::<FirstError>().map_or_else(|_| Vec::new(), |first| vec![first.error])
        } else if self.error.is::<FailureGroup>() {
            self.take().downcast::<FailureGroup>().map_or_else(|_| Vec::new(), |group| group.failures)
        } else {
            Vec::new()
        }
    }
}

impl Drop for Inner {
    /// A list in a list in a list fails with a failure in a failure in a failure: they are dropped one after the other, in their order and however deep.
    fn drop(&mut self) {
        let mut left = self.take_members();
        left.reverse();
        while let Some(mut failure) = left.pop() {
            left.extend(failure.0.take_members().into_iter().rev());
        }
    }
}

/// Stands where an error was taken out.
#[derive(Debug)]
struct Taken;

impl Error for Taken {}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("taken")
    }
}

impl Failure {
    /// A failure of this error. If it is a `Failure` already, it stays as it is.
    #[must_use]
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self::from_boxed(Box::new(error))
    }

    /// A failure that is a message and nothing else.
    ///
    /// ```
    /// # use selvedge::Failure;
    /// assert_eq!(Failure::msg("the cat sat on it").to_string(), "the cat sat on it");
    /// ```
    #[must_use]
    pub fn msg(message: impl Into<String>) -> Self {
        Self::new(Message(message.into()))
    }

    /// A failure of an error that is boxed already: nothing is boxed twice.
    #[must_use]
    pub fn from_boxed(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => *failure,
            Err(error) => Self(Box::new(Inner { error, backtrace: Backtrace::capture() })),
        }
    }

    /// A failure of an error that this crate makes itself. A backtrace would show nothing but this crate: the stack that panicked, cancelled or
    /// abandoned is gone or is no fault.
    pub(crate) fn without_backtrace(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(Inner { error: Box::new(error), backtrace: Backtrace::disabled() }))
    }

    /// Whether the original error is an `E`.
    #[must_use]
    pub fn is<E: Error + 'static>(&self) -> bool {
        self.0.error.is::<E>()
    }

    /// The original error, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.error.downcast_ref()
    }

    /// Takes the original error out, if it is an `E`.
    ///
    /// ```
    /// # use selvedge::{Cancelled, Failure};
    /// # use std::fmt;
    /// fn forgive_cancelling(failure: Failure) -> Result<(), Failure> {
    ///     failure.downcast::<Cancelled>().map(|_| ())
    /// }
    /// assert!(forgive_cancelling(Failure::new(Cancelled)).is_ok());
    /// assert!(forgive_cancelling(Failure::new(fmt::Error)).is_err_and(|failure| failure.is::<fmt::Error>()));
    /// ```
    ///
    /// # Errors
    /// The failure itself, untouched, if it is something else.
    pub fn downcast<E: Error + 'static>(mut self) -> Result<E, Self> {
        if !self.is::<E>() {
            return Err(self);
        }
        match self.0.take().downcast::<E>() {
            Ok(error) => Ok(*error),
            Err(error) => {
                self.0.error = error;
                Err(self)
            }
        }
    }

    /// The original error.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0.error
    }

    /// The original error, boxed.
    #[must_use]
    pub fn into_boxed(mut self) -> Box<dyn Error + Send + Sync> {
        self.0.take()
    }

    /// Which of these types the original error is: the first that fits, counted from zero. None if it is none of them.
    ///
    /// The types are a tuple of up to eight, `(A,)` for one. The original error is asked, not its sources.
    ///
    /// ```
    /// # use selvedge::{Cancelled, Failure, TimedOut};
    /// # use std::fmt;
    /// let failure = Failure::new(fmt::Error);
    /// let says = match failure.check::<(Cancelled, TimedOut, fmt::Error)>() {
    ///     Some(0 | 1) => "took too long",
    ///     Some(_) => "not written",
    ///     None => "unknown",
    /// };
    /// assert_eq!(says, "not written");
    /// ```
    #[must_use]
    pub fn check<K: ErrorTypes>(&self) -> Option<usize> {
        K::which(self)
    }

    /// Goes on with this failure if its original error is one of these types, and gives it back to be passed on if not.
    ///
    /// ```
    /// use selvedge::{Cancelled, Deferred, Failure, TimedOut};
    ///
    /// let page = Deferred::<String>::fail(Cancelled).add_errback(|failure| {
    ///     let expected = failure.trap::<(Cancelled, TimedOut)>()?;
    ///     Ok::<_, Failure>(format!("no page: {expected}"))
    /// });
    /// assert!(page.try_result().is_ok_and(|page| page.is_ok_and(|page| page.starts_with("no page"))));
    /// ```
    ///
    /// # Errors
    /// The failure itself, untouched, if it is none of them.
    pub fn trap<K: ErrorTypes>(self) -> Result<Self, Self> {
        if self.check::<K>().is_some() { Ok(self) } else { Err(self) }
    }

    /// What is left of a function that panicked, if that is what failed.
    #[must_use]
    pub fn as_panic(&self) -> Option<&Panic> {
        self.downcast_ref()
    }

    /// Whether a function panicked; the [`Panic`] is then the original error.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.is::<Panic>()
    }

    /// Where this failure was made, if `RUST_BACKTRACE` asked for that to be captured.
    pub fn backtrace(&self) -> &Backtrace {
        &self.0.backtrace
    }
}

/// Error types to [check](Failure::check) for: a tuple of up to eight.
pub trait ErrorTypes {
    /// The place in the tuple of the first type that the failure's original error has.
    fn which(failure: &Failure) -> Option<usize>;
}

macro_rules! error_types {
    ($($($error:ident)+;)*) => {$(
        impl<$($error: Error + 'static),+> ErrorTypes for ($($error,)+) {
            fn which(failure: &Failure) -> Option<usize> {
                [$(failure.is::<$error>()),+].iter().position(|fits| *fits)
            }
        }
    )*};
}

error_types! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D F;
    A B C D F G;
    A B C D F G H;
    A B C D F G H I;
}

/// Whether this says `X`: the error itself, one of its causes, or what a [`Failure`] among them was made from.
pub(crate) fn has_cause<X: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<X>() || error.downcast_ref::<Failure>().is_some_and(Failure::is::<X>) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether this says that nobody wanted a result any more, or that there was nobody left to want it. Where it comes too late to be told to anybody, it is
/// no news.
pub(crate) fn is_cancellation(error: &(dyn Error + 'static)) -> bool {
    has_cause::<Cancelled>(error) || has_cause::<ReactorStopped>(error)
}

impl Error for Failure {
    /// The cause of the original error. The original itself is not one: it is what this prints as.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error.source()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.error, f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.debug_tuple("Failure").field(&self.0.error).finish();
        }
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        match self.0.backtrace.status() {
            std::backtrace::BacktraceStatus::Captured => write!(f, "\n{}", self.0.backtrace),
            _ => Ok(()),
        }
    }
}

impl From<Box<dyn Error + Send + Sync>> for Failure {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        Self::from_boxed(error)
    }
}

#[derive(Debug)]
struct Message(String);

impl Error for Message {}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A function panicked where somebody waited for its result. It was contained, and this is what is left of it.
///
/// The payload is kept: [`into_payload`](Self::into_payload) gives it back, [`resume`](Self::resume) lets it go on unwinding.
///
/// ```
/// use selvedge::{Failure, Panic, maybe_deferred};
///
/// let failed = maybe_deferred(|| -> Result<(), Failure> { panic!("out of {}", "cheese") });
/// failed.add_errback(|failure| {
///     assert!(failure.downcast_ref::<Panic>().is_some_and(|panic| panic.message() == "out of cheese"));
/// });
/// ```
pub struct Panic {
    message: String,
    /// Some until it is given away. A payload need not be `Sync`; the mutex makes the whole so.
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Panic {
    /// From what `catch_unwind` or a thread's `join` returned.
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
            (*text).to_owned()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone()
        } else {
            "a value that is not a string".to_owned()
        };
        Self { message, payload: Mutex::new(Some(payload)) }
    }

    /// What it panicked with, if that was text, as it is for `panic!`.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What it panicked with.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.take().unwrap_or_else(|| Box::new(()))
    }

    /// Goes on with the panic on this thread, without calling the panic hook once more.
    pub fn resume(self) -> ! {
        resume_unwind(self.into_payload())
    }

    fn take(&self) -> Option<Box<dyn Any + Send>> {
        self.payload.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Panic {
    /// A payload is any value, so dropping it may panic in turn, and the payload of *that* one again. Whoever drops a `Panic` has
    /// just contained one and is not prepared for another: the first is contained here, the second is leaked.
    fn drop(&mut self) {
        let payload = self.take();
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
    }
}

impl Error for Panic {}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message).finish()
    }
}

macro_rules! errors {
    ($($(#[$docs:meta])* $name:ident: $text:literal;)*) => {$(
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name;

        impl Error for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }
    )*};
}

errors! {
    /// The Deferred was cancelled before it had a result.
    Cancelled: "cancelled before there was a result";

    /// The [`Resolver`](crate::Resolver) was dropped unfired: nobody was left who could have fired the Deferred.
    Abandoned: "abandoned: the resolver was dropped without firing, so there can be no result";

    /// A callback returned a Deferred that waits, itself or through others, for the very chain that callback belongs to.
    WaitsForItself: "a callback returned a Deferred that waits for that callback's own chain: it would wait for ever; return \
                     another one, or a value";

    /// A Deferred or a cooperative task was to go on that is not paused, or not any more.
    NotPaused: "it is not paused: each pause ends once, and there is none left to end";

    /// The reactor has stopped, so what it was asked for cannot happen any more.
    ReactorStopped: "the reactor has stopped and runs nothing any more";
}

/// A Deferred had no result when its [time](crate::Deferred::add_timeout) was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimedOut(
    /// How long it was given.
    pub Duration,
);

impl Error for TimedOut {}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no result within {:?}", self.0)
    }
}

macro_rules! into_failure {
    ($($name:ident)*) => {$(
        impl From<$name> for Failure {
            fn from(error: $name) -> Self {
                Self::without_backtrace(error)
            }
        }
    )*};
}

into_failure! { Panic Cancelled Abandoned WaitsForItself NotPaused ReactorStopped TimedOut }
