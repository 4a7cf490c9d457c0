//! Later, again and again, a little at a time: what a reactor does by its clock.
//!
//! - [`defer_later`]: a call at a later time, and a Deferred of what comes of it;
//! - [`LoopingCall`]: a function that is called every so often;
//! - [`Cooperator`]: iterators that share the reactor's turns, a slice of time in each.
//!
//! With a [`VirtualClock`](crate::testing::VirtualClock) all of it is as deterministic as the rest: see [`Reactor::advance`].

mod cooperative;
mod cooperator;
mod later;
mod looping_call;

use std::rc::Rc;
use std::time::Duration;

use super::deferred::{Deferred, Outcome, Settled};
use super::reactor::{DelayedCall, Reactor};
use super::report::drop_contained;
use crate::failure::Failure;

pub use self::cooperator::{CooperativeTask, Cooperator};
pub use self::later::defer_later;
pub use self::looping_call::{LoopingCall, Tick};

/// What a timer is for.
trait Timed: 'static {
    /// The timer runs.
    fn due(self: Rc<Self>, reactor: &Reactor);

    /// The timer was dropped uncalled: because it was cancelled, or because the reactor has ended.
    fn lost(&self);
}

/// What a timer calls. It keeps that alive, and tells it if it will not be called.
struct Due<T: Timed>(Option<Rc<T>>);

impl<T: Timed> Due<T> {
    /// Sets a timer at a time of the reactor's clock.
    fn at(reactor: &Reactor, at: Duration, what: Rc<T>) -> DelayedCall {
        let mut due = Self(Some(what));
        reactor.call_at(at, move |reactor| {
            if let Some(what) = due.0.take() {
                what.due(reactor);
            }
        })
    }
}

impl<T: Timed> Drop for Due<T> {
    fn drop(&mut self) {
        if let Some(what) = self.0.take() {
            what.lost();
        }
    }
}

/// What a function returned, whose value nobody wants.
fn valueless<R: Outcome<Failure>>(outcome: R) -> Settled<(), Failure> {
    match outcome.settle() {
        Settled::Now(result) => Settled::Now(result.map(drop_contained)),
        Settled::Later(deferred) => Settled::Later(deferred.map(drop)),
    }
}

/// Runs `then` with what a Deferred comes to. The handle is for cancelling it; none, if there was nothing to wait for.
fn when_over(deferred: Deferred<()>, then: impl FnOnce(Result<(), Failure>) + 'static) -> Option<Deferred<()>> {
    deferred.add_both(then).try_result().err()
}
