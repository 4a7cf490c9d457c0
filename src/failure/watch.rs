//! Keeps the first panic that was contained on a thread, so that a test can fail with it.

use super::Panic;
use crate::thread_value::ThreadValue;
use std::any::Any;

/// The payload of a panic that a test causes on purpose, with [`std::panic::panic_any`]: it is contained as in a
/// program, where any other panic fails the test or the model.
///
/// ```
/// use selvedge::{deferred::maybe_deferred, testing::{Injected, TestReactor}};
///
/// let reactor = TestReactor::new();
/// let failed = maybe_deferred(|| -> Result<(), selvedge::Failure> { std::panic::panic_any(Injected) });
/// let _ = failed.add_errback(|failure| println!("{failure}"));
/// reactor.settle();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injected;

/// The panics that were contained on one thread.
struct Watched {
    /// How many test reactors are on this thread. Without one, nothing is kept.
    watchers: usize,
    /// The message of the first panic.
    first: Option<String>,
}

thread_local! {
    static WATCHED: ThreadValue<Watched> = const { ThreadValue::new(Watched { watchers: 0, first: None }) };
}

/// `None` at the thread's end, on some platforms.
fn watched<R>(f: impl FnOnce(&mut Watched) -> R) -> Option<R> {
    WATCHED.try_with(|watched| watched.with(f)).ok()
}

/// A panic that is contained. It is kept if a test watches, unless the test has caused it on purpose.
#[cold]
pub(crate) fn contained(payload: Box<dyn Any + Send>) -> Panic {
    let on_purpose = payload.is::<Injected>();
    let panic = Panic::new(payload);
    if !on_purpose {
        watched(|watched| {
            if watched.watchers > 0 {
                watched.first.get_or_insert_with(|| panic.message().to_owned());
            }
        });
    }
    panic
}

/// Until it is dropped, panics that are contained on this thread are kept.
#[derive(Debug)]
pub(crate) struct Watch(());

#[allow(clippy::unused_self, reason = "only the holder of a `Watch` may look")]
impl Watch {
    pub(crate) fn new() -> Self {
        watched(|watched| watched.watchers += 1);
        Self(())
    }

    pub(crate) fn has_first(&self) -> bool {
        watched(|watched| watched.first.is_some()).unwrap_or(false)
    }

    /// The message of the first panic since this was last asked.
    pub(crate) fn take_first(&self) -> Option<String> {
        watched(|watched| watched.first.take()).flatten()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        watched(|watched| {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                watched.first = None;
            }
        });
    }
}
