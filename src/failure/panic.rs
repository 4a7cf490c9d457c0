//! `Panic`: a panic that was caught, as an error.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::exclusive::Exclusive;

/// A panic that was caught, as an error: a function has panicked instead of returning a result.
///
/// The payload is kept: [`into_payload`](Self::into_payload) returns it, [`resume`](Self::resume) continues the panic
/// with it.
///
/// ```
/// use selvedge::{Failure, deferred::maybe_deferred, error::Panic};
///
/// let failed = maybe_deferred(|| -> Result<(), Failure> { panic!("out of {}", "cheese") });
/// failed.add_errback(|failure| {
///     assert!(failure.downcast_ref::<Panic>().is_some_and(|panic| panic.message() == "out of cheese"));
/// });
/// ```
pub struct Panic {
    message: String,
    /// `None` once it was taken. A payload need not be `Sync`.
    payload: Exclusive<Option<Box<dyn Any + Send>>>,
}

impl Panic {
    /// From the payload that `catch_unwind` or a thread's `join` returned.
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
            (*text).to_owned()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone()
        } else {
            "a value that is not a string".to_owned()
        };
        Self { message, payload: Exclusive::new(Some(payload)) }
    }

    /// The panic's message; a fixed text if the payload is not a string.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The payload.
    #[must_use]
    pub fn into_payload(mut self) -> Box<dyn Any + Send> {
        self.take().unwrap_or_else(|| Box::new(()))
    }

    /// Continues the panic on this thread. The panic hook is not called again.
    pub fn resume(self) -> ! {
        resume_unwind(self.into_payload())
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        self.payload.get_mut().take()
    }
}

impl Drop for Panic {
    /// A payload is any value, so dropping it may panic, and dropping the payload of that second panic may panic again.
    /// Code that drops a `Panic` expects no further one: the second panic is caught here, and its payload is leaked,
    /// unless it is a message, whose drop cannot panic.
    fn drop(&mut self) {
        let payload = self.take();
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
            && !again.is::<&'static str>()
            && !again.is::<String>()
        {
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
