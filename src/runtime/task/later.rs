//! A call at a later time, and a Deferred of what comes of it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{Deferred, Outcome, PendingResolver, Settled, maybe_deferred};
use super::super::reactor::{DelayedCall, Reactor};
use crate::failure::Failure;

/// Calls a function when `delay` has passed, and fires with what comes of it: its value, its error, its panic, or the result of the Deferred that it returns.
///
/// The function runs on the reactor's thread, as a [timer](Reactor::call_later) does. Cancelling the Deferred before cancels the timer and drops the function, at once; after, it is forwarded to the
/// Deferred that the function returned. When the reactor ends before its time has come it fails with [`ReactorStopped`](crate::error::ReactorStopped).
///
/// ```
/// use selvedge::{Reactor, task, testing::VirtualClock};
/// use std::time::Duration;
///
/// let reactor = Reactor::builder().clock(VirtualClock::new()).build()?;
/// let answer = task::defer_later(&reactor, Duration::from_secs(3), |_| 42);
/// reactor.advance(Duration::from_secs(3))?;
/// assert!(answer.try_result().is_ok_and(|answer| answer.is_ok_and(|answer| answer == 42)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn defer_later<R, F>(reactor: &Reactor, delay: Duration, f: F) -> Deferred<R::Value>
where
    F: FnOnce(&Reactor) -> R + 'static,
    R: Outcome<Failure>,
{
    let timer: Rc<Cell<Option<DelayedCall>>> = Rc::default();
    let cancel = Rc::clone(&timer);
    let (deferred, resolver) = Deferred::with_canceller(move || {
        if let Some(timer) = cancel.take() {
            // Inside its own function it is called already: what it returns comes too late.
            let _ = timer.cancel();
        }
    });
    // Dropped unrun, it says whether the reactor has ended; where the canceller has dropped it, that says more, and is heard.
    let later = PendingResolver::new(resolver);
    let call = reactor.call_later(delay, move |reactor| later.deliver(Settled::Later(maybe_deferred(|| f(reactor)))));
    timer.set(Some(call));
    deferred
}
