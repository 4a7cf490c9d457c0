//! A timer that owns its target, and notifies it if the timer is dropped uncalled.

use std::rc::Rc;
use std::time::Duration;

use super::super::reactor::{DelayedCall, Reactor};

/// What a timer calls.
pub(super) trait TimerTarget: 'static {
    /// The time has come.
    fn timer_fired(self: Rc<Self>, reactor: &Reactor);

    /// The timer was dropped uncalled: it was cancelled, or the reactor has ended.
    fn timer_dropped(&self);
}

/// The target of one timer, inside its call. `None` once it was called.
struct Target<T: TimerTarget>(Option<Rc<T>>);

/// Sets a timer to a time of the reactor's clock.
pub(super) fn set_timer<T: TimerTarget>(reactor: &Reactor, at: Duration, target: Rc<T>) -> DelayedCall {
    let mut target = Target(Some(target));
    reactor.call_at(at, move |reactor| {
        if let Some(target) = target.0.take() {
            target.timer_fired(reactor);
        }
    })
}

impl<T: TimerTarget> Drop for Target<T> {
    fn drop(&mut self) {
        if let Some(target) = self.0.take() {
            target.timer_dropped();
        }
    }
}
