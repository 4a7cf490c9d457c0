//! [`Failure`]: any error, carried through chains of callbacks and across threads with its type kept.

mod as_error;
mod chain_error;
mod group;
mod message;
mod panic;
mod shared;
mod watch;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error;
use std::fmt;
use std::mem;
use std::thread::panicking;

pub use self::as_error::FailureError;
pub use self::chain_error::ChainError;
pub use self::group::{FailureGroup, FirstError};
pub(crate) use self::message::{causes_and_self, message_with_causes};
use self::message::{contain, display};
pub use self::panic::Panic;
pub use self::shared::SharedFailure;
pub use self::watch::Injected;
pub(crate) use self::watch::{Watch, contained};

/// Any error, one pointer wide, with its type kept.
///
/// The original error may be an `io::Error`, a program's own enum or the panic of a function that ran on another
/// thread. Ask for its type with [`is`](Self::is), [`downcast_ref`](Self::downcast_ref) or
/// [`downcast`](Self::downcast).
///
/// `?` makes a `Failure` of any error that is `Send + Sync`, and a `Box<dyn Error>` of a `Failure`: the original error,
/// which is found again by downcast. So a `Failure` is not itself an [`Error`], because then it would be made of itself
/// in two ways. For what takes only an `Error`, [`into_error`](Self::into_error) returns one. It never nests: a
/// `Failure` made from another one is that same failure.
///
/// ```
/// use selvedge::Failure;
/// use std::error::Error;
///
/// fn port(text: &str) -> Result<u16, Failure> {
///     Ok(text.parse()?)
/// }
///
/// fn ports() -> Result<Vec<u16>, Box<dyn Error + Send + Sync>> {
///     Ok(vec![port("80")?, port("443")?])
/// }
///
/// assert_eq!(ports()?, [80, 443]);
/// assert!(port("http").is_err_and(|failure| failure.is::<std::num::ParseIntError>()));
/// # Ok::<(), Box<dyn Error + Send + Sync>>(())
/// ```
///
/// It reads like the original error: `Display` prints the original's message, and [`error`](Self::error) is the
/// original, with its sources. `Debug` prints the whole chain of causes, and the backtrace if one was captured (when
/// `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE` asks for it; otherwise capturing costs nothing). Both can always be
/// printed: where the `Display` of an error panics or fails, they say so instead. `Debug` ends after 64 KiB, because a
/// chain of causes may have no end.
///
/// Dropping it drops every error inside, also where the drop of one of them panics. That panic goes on when the others
/// are gone, unless the thread is unwinding already.
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
/// Cost: one allocation, and one more for the error unless it is zero-sized.
pub struct Failure(Box<Inner>);

struct Inner {
    error: Box<dyn Error + Send + Sync>,
    backtrace: Backtrace,
}

impl Inner {
    /// Takes the error out. Its replacement is zero-sized, so boxing it allocates nothing.
    fn take(&mut self) -> Box<dyn Error + Send + Sync> {
        mem::replace(&mut self.error, Box::new(Taken))
    }

    /// Takes out the failures inside a [`FirstError`] or [`FailureGroup`], in order, or of a [`SharedFailure`] that
    /// nobody else holds. Any other error has none.
    fn take_members(&mut self) -> Vec<Failure> {
        if self.error.is::<FirstError>() {
            self.take().downcast::<FirstError>().map_or_else(|_| Vec::new(), |first| vec![first.error])
        } else if self.error.is::<FailureGroup>() {
            self.take().downcast::<FailureGroup>().map_or_else(|_| Vec::new(), |group| group.failures)
        } else if self.error.is::<SharedFailure>() {
            self.take().downcast::<SharedFailure>().map_or_else(|_| Vec::new(), |shared| Vec::from_iter(shared.last()))
        } else {
            Vec::new()
        }
    }
}

impl Drop for Inner {
    /// Nested lists fail with nested failures. They are dropped in order by a loop: recursion could overflow the stack.
    /// A panic is caught until all are gone: a second one during unwinding would abort.
    fn drop(&mut self) {
        let mut left = self.take_members();
        left.reverse();
        let mut first_panic = None;
        let mut drop_contained = |error| {
            let dropped = contain(|| drop::<Box<dyn Error + Send + Sync>>(error));
            first_panic = first_panic.take().or(dropped.err());
        };
        drop_contained(self.take());
        while let Some(mut failure) = left.pop() {
            left.extend(failure.0.take_members().into_iter().rev());
            drop_contained(failure.0.take());
        }
        if let Some(panic) = first_panic
            && !panicking()
        {
            panic.resume();
        }
    }
}

/// The replacement for an error that was taken out.
#[derive(Debug)]
struct Taken;

impl Error for Taken {}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("taken")
    }
}

impl Failure {
    /// Wraps an error, as `?` and `into` do.
    #[must_use]
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        // Named, because a `Box` of an error is itself an error, which would be boxed once more.
        let error: Box<dyn Error + Send + Sync> = Box::new(error);
        Self::from_boxed(error)
    }

    /// A failure that is only a message.
    ///
    /// ```
    /// # use selvedge::Failure;
    /// assert_eq!(Failure::msg("the cat sat on it").to_string(), "the cat sat on it");
    /// ```
    #[must_use]
    pub fn msg(message: impl Into<String>) -> Self {
        Self::new(Message(message.into()))
    }

    /// Wraps an error that is boxed already, without boxing it again; also a message, or the error of a library that
    /// converts into a box, as `anyhow`'s does. `?` cannot do this, because a boxed error is itself no [`Error`].
    ///
    /// ```
    /// use selvedge::Failure;
    /// use std::error::Error;
    ///
    /// fn load() -> Result<(), Box<dyn Error + Send + Sync>> {
    ///     Err("no such page".into())
    /// }
    ///
    /// let loaded = load().map_err(Failure::from_boxed);
    /// assert!(loaded.is_err_and(|failure| failure.to_string() == "no such page"));
    /// ```
    #[must_use]
    pub fn from_boxed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match error.into().downcast::<FailureError>() {
            Ok(failure) => failure.into_failure(),
            Err(error) => Self(Box::new(Inner { error, backtrace: Backtrace::capture() })),
        }
    }

    /// Wraps an error that this crate makes itself, without a backtrace, which would show only frames of this crate:
    /// the stack of a panic is gone by now, and a cancellation has none worth showing.
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
    /// # use selvedge::{Failure, error::Cancelled};
    /// # use std::fmt;
    /// fn forgive_cancelling(failure: Failure) -> Result<(), Failure> {
    ///     failure.downcast::<Cancelled>().map(|_| ())
    /// }
    /// assert!(forgive_cancelling(Failure::new(Cancelled)).is_ok());
    /// assert!(forgive_cancelling(Failure::new(fmt::Error)).is_err_and(|failure| failure.is::<fmt::Error>()));
    /// ```
    ///
    /// # Errors
    /// The failure itself, unchanged, if the original error is not an `E`.
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

    /// This failure as a type that implements [`Error`], for what takes only such.
    ///
    /// ```
    /// # use selvedge::Failure;
    /// fn failed() -> Result<(), Failure> {
    ///     Err(Failure::msg("no such page"))
    /// }
    /// // The same with `anyhow`: `failed().map_err(Failure::into_error)?`.
    /// let error = std::io::Error::other(failed().unwrap_err().into_error());
    /// assert_eq!(error.to_string(), "no such page");
    /// ```
    #[must_use]
    pub fn into_error(self) -> FailureError {
        FailureError(self)
    }

    /// The original error, boxed.
    #[must_use]
    pub fn into_boxed(mut self) -> Box<dyn Error + Send + Sync> {
        self.0.take()
    }

    /// The index in the tuple `E` of the first type that the original error has; `None` if it has none of them.
    ///
    /// The tuple has one to eight types; one type is written `(A,)`. Only the original error is compared, not its
    /// sources.
    ///
    /// ```
    /// # use selvedge::{Failure, error::{Cancelled, TimedOut}};
    /// # use std::fmt;
    /// let failure = Failure::new(fmt::Error);
    /// let reason = match failure.check::<(Cancelled, TimedOut, fmt::Error)>() {
    ///     Some(0 | 1) => "took too long",
    ///     Some(_) => "not written",
    ///     None => "unknown",
    /// };
    /// assert_eq!(reason, "not written");
    /// ```
    #[must_use]
    pub fn check<E: ErrorTypes>(&self) -> Option<usize> {
        E::which(self)
    }

    /// `Ok` with this failure if its original error has one of the types in the tuple `E`; otherwise `Err` with it, so
    /// that `?` passes it on.
    ///
    /// ```
    /// use selvedge::{Deferred, Failure, error::{Cancelled, TimedOut}};
    ///
    /// let page = Deferred::<String>::fail(Cancelled).add_errback(|failure| {
    ///     let expected = failure.trap::<(Cancelled, TimedOut)>()?;
    ///     Ok::<_, Failure>(format!("no page: {expected}"))
    /// });
    /// assert!(page.try_result().is_ok_and(|page| page.is_ok_and(|page| page.starts_with("no page"))));
    /// ```
    ///
    /// # Errors
    /// The failure itself, unchanged, if its original error has none of these types.
    pub fn trap<E: ErrorTypes>(self) -> Result<Self, Self> {
        if self.check::<E>().is_some() { Ok(self) } else { Err(self) }
    }

    /// The [`Panic`], if the original error is one.
    #[must_use]
    pub fn as_panic(&self) -> Option<&Panic> {
        self.downcast_ref()
    }

    /// Whether the original error is a [`Panic`].
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.is::<Panic>()
    }

    /// The backtrace of where this failure was made, if `RUST_BACKTRACE` asked for one to be captured.
    #[must_use]
    pub fn backtrace(&self) -> &Backtrace {
        &self.0.backtrace
    }
}

/// Error types for [`Failure::check`] and [`Failure::trap`]: a tuple of one to eight of them.
pub trait ErrorTypes {
    /// The index in the tuple of the first type that the failure's original error has.
    fn which(failure: &Failure) -> Option<usize>;
}

macro_rules! error_types {
    ($($($error:ident)+;)*) => {$(
        impl<$($error: Error + 'static),+> ErrorTypes for ($($error,)+) {
            fn which(failure: &Failure) -> Option<usize> {
                [$(failure.is::<$error>()),+].iter().position(|is| *is)
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

/// The original error, if this is a [`FailureError`]; otherwise the error itself.
pub(crate) fn original<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.downcast_ref().map_or(error, |failure: &FailureError| failure.0.error())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(&self.0.error, f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.debug_tuple("Failure").field(&self.0.error).finish();
        }
        f.write_str(&message_with_causes(self.error(), "\n  caused by: "))?;
        match self.0.backtrace.status() {
            BacktraceStatus::Captured => write!(f, "\n{}", self.0.backtrace),
            _ => Ok(()),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// The error of [`Failure::msg`].
#[derive(Debug)]
struct Message(String);

impl Error for Message {}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
