//! A call after a delay, and a Deferred of its result.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{Deferred, Outcome, PendingResolver, Settled, maybe_deferred};
use super::super::reactor::{DelayedCall, Reactor};
use crate::failure::Failure;

/// Calls a function after `delay`, and fires with its result: its value, its error, its panic, or the result of the
/// Deferred that it returns.
///
/// The function runs on the reactor's thread, as any [timer](Reactor::call_later).
///
/// **Cancel safety.** Cancelled before the call, the Deferred cancels the timer and drops the function at once;
/// cancelled later, it forwards the cancel to the Deferred that the function returned. A failure of a function that has
/// cancelled its own Deferred is reported.
///
/// If the reactor ends before the call, it fails with [`ReactorStopped`](crate::error::ReactorStopped). Without an
/// errback that is reported to nobody: whoever has stopped the reactor knows.
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
    let to_cancel = Rc::clone(&timer);
    let (deferred, resolver) = Deferred::with_canceller(move || {
        if let Some(timer) = to_cancel.take() {
            // An error inside the function itself, which is running already; its result is then ignored.
            let _ = timer.cancel();
        }
    });
    // If it is dropped uncalled, the Deferred fails with `ReactorStopped`; after a cancel this has no effect, because
    // the Deferred fails with `Cancelled`.
    let pending = PendingResolver::new(resolver);
    let call = reactor.call_later(delay, move |reactor| pending.deliver(Settled::Later(maybe_deferred(|| f(reactor)))));
    timer.set(Some(call));
    deferred
}
