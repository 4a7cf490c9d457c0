//! A call at a later time, and a Deferred of what comes of it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::super::deferred::{Deferred, Outcome, Resolver, maybe_deferred};
use super::super::reactor::{DelayedCall, Reactor};
use super::super::report::drop_contained;
use super::{Due, Timed};
use crate::failure::{Failure, ReactorStopped};

/// Calls a function when `delay` has passed, and fires with what comes of it: its value, its error, its panic, or the result of the Deferred that it returns.
///
/// The function runs on the reactor's thread, as a [timer](Reactor::call_later) does. Cancelling the Deferred before cancels the timer and drops the function, at once; after, it is forwarded to the
/// Deferred that the function returned. When the reactor ends before its time has come it fails with [`ReactorStopped`].
///
/// ```
/// use selvedge::{Reactor, VirtualClock, task};
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
    let work = move |reactor: &Reactor, resolver: Resolver<R::Value>| resolver.settle(maybe_deferred(|| f(reactor)));
    let later = Rc::new(Later { timer, work: Cell::new(Some((work, resolver))) });
    let at = reactor.now().saturating_add(delay);
    let timer = Due::at(reactor, at, Rc::clone(&later));
    later.timer.set(Some(timer));
    deferred
}

struct Later<F, T> {
    /// Taken by whoever cancels it.
    timer: Rc<Cell<Option<DelayedCall>>>,
    work: Cell<Option<(F, Resolver<T>)>>,
}

impl<F, T> Timed for Later<F, T>
where
    F: FnOnce(&Reactor, Resolver<T>) + 'static,
    T: 'static,
{
    fn due(self: Rc<Self>, reactor: &Reactor) {
        if let Some((work, resolver)) = self.work.take() {
            work(reactor, resolver);
        }
    }

    fn lost(&self) {
        let Some((work, resolver)) = self.work.take() else { return };
        drop_contained(work);
        match self.timer.take() {
            Some(_) => resolver.errback(ReactorStopped),
            // It was cancelled, and says so itself.
            None => drop(resolver),
        }
    }
}
