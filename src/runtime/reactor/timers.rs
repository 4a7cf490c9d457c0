//! Timers: delayed calls run by deadline; equal deadlines run in the order in which they were added.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::around_turns::TimerFn;
use super::clock::Clock;
use super::{Core, Reactor};
use crate::error::DelayedCallError;
use crate::machine::timer_queue::{Timer, TimerQueue};

/// The state of a delayed call.
#[derive(Debug, Clone, Copy)]
enum State {
    /// It is in the queue.
    Pending,
    /// It runs, or has run.
    Called,
    /// It was cancelled, and its closure dropped.
    Cancelled,
}

/// What a timer carries: its function, which has been taken if the state is no longer pending.
struct Call<F: ?Sized> {
    state: Cell<State>,
    function: F,
}

/// A function that takes more bytes has an allocation of its own, which is freed when it has run or is cancelled.
const MOST_ROOM: usize = 128;

/// One allocation for the timer, the state and the function.
type CallTimer = Timer<Call<dyn TimerFn>>;

fn call_timer<F: FnOnce(&Reactor) + 'static>(at: Duration, state: State, function: Option<F>) -> Rc<CallTimer> {
    Rc::new(Timer::new(at, Call { state: Cell::new(state), function: Cell::new(function) }))
}

/// A call that is due. It has left the queue.
pub(super) struct DueCall(Rc<CallTimer>);

impl DueCall {
    /// The function, to be run once.
    pub(super) fn function(&self) -> &dyn TimerFn {
        &self.0.value.function
    }
}

/// The delayed calls. A cancelled one is gone at once, so memory is proportional to the pending ones.
#[derive(Default)]
pub(super) struct Timers(RefCell<TimerQueue<Call<dyn TimerFn>>>);

impl Timers {
    /// Begins a pass over what is due at `now`. Calls that are added during it belong to the next pass.
    pub(super) fn begin_pass(&self, now: Duration) {
        self.0.borrow_mut().begin_pass(now);
    }

    /// Takes the next call of the pass out of the queue, and marks it as called. `None` ends the pass.
    pub(super) fn next_due(&self) -> Option<DueCall> {
        let timer = self.0.borrow_mut().next_due()?;
        timer.value.state.set(State::Called);
        Some(DueCall(timer))
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.0.borrow().next_deadline()
    }

    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Drops all calls without running them, one at a time: the drop of a capture may cancel or add others.
    pub(super) fn clear(&self) {
        loop {
            let first = self.0.borrow_mut().pop_first();
            let Some(timer) = first else { return };
            timer.value.state.set(State::Cancelled);
            timer.value.function.discard();
        }
    }
}

/// A delayed call: what [`Reactor::call_later`](crate::Reactor::call_later) returns. It cancels or reschedules the
/// call.
///
/// Dropping it does not cancel the call. It stays on the reactor's thread, and does not keep the reactor alive.
/// What the closure captured is dropped when the call has run or is cancelled. The closure's own room, 128 bytes at
/// most, is kept until this is dropped.
pub struct DelayedCall {
    core: Weak<Core>,
    timer: Rc<CallTimer>,
}

impl DelayedCall {
    /// Adds a call to the queue, without waking a host that sleeps.
    pub(super) fn add<F: FnOnce(&Reactor) + 'static>(core: &Rc<Core>, at: Duration, function: F) -> Self {
        if size_of::<F>() > MOST_ROOM {
            Self::add_as_is(core, at, Box::new(function))
        } else {
            Self::add_as_is(core, at, function)
        }
    }

    fn add_as_is<F: FnOnce(&Reactor) + 'static>(core: &Rc<Core>, at: Duration, function: F) -> Self {
        let timer = call_timer(at, State::Pending, Some(function));
        core.timers.0.borrow_mut().schedule(&timer, at);
        Self { core: Rc::downgrade(core), timer }
    }

    /// A call that was cancelled before it was scheduled.
    pub(super) fn cancelled(core: &Rc<Core>, at: Duration) -> Self {
        Self { core: Rc::downgrade(core), timer: call_timer::<fn(&Reactor)>(at, State::Cancelled, None) }
    }

    /// The reactor, if the call is pending.
    fn pending(&self) -> Result<Rc<Core>, DelayedCallError> {
        match self.timer.value.state.get() {
            // One that is being dropped has cancelled them all, and drops one after the other.
            State::Pending => self.core.upgrade().ok_or(DelayedCallError::AlreadyCancelled),
            State::Called => Err(DelayedCallError::AlreadyCalled),
            State::Cancelled => Err(DelayedCallError::AlreadyCancelled),
        }
    }

    /// Cancels the call. Its closure is dropped at once, with its captures.
    ///
    /// # Errors
    /// It was cancelled or called already. Inside its own closure it counts as called.
    pub fn cancel(&self) -> Result<(), DelayedCallError> {
        let core = self.pending()?;
        self.timer.value.state.set(State::Cancelled);
        let _scope = core.reporter.enter();
        core.timers.0.borrow_mut().remove(&self.timer);
        // After the borrow has ended: dropping the captures is user code.
        self.timer.value.function.discard();
        Ok(())
    }

    /// Reschedules the call to `delay` from now. Among equal deadlines it comes last. Takes as long as adding it.
    ///
    /// # Errors
    /// It was cancelled or called already.
    pub fn reset(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|_, clock| clock.now().saturating_add(delay))
    }

    /// [`reset`](Self::reset), to a time of the reactor's clock, without waking a host that sleeps.
    pub(crate) fn reset_to(&self, at: Duration) -> Result<(), DelayedCallError> {
        self.pending()?.timers.0.borrow_mut().schedule(&self.timer, at);
        Ok(())
    }

    /// Postpones the call by `delay` from its present deadline. Among equal deadlines it comes last. Takes as long as
    /// adding it. A call whose new deadline has passed already runs in the next turn, if this is called by a timer.
    ///
    /// # Errors
    /// It was cancelled or called already.
    pub fn delay(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|at, _| at.saturating_add(delay))
    }

    fn move_to(&self, to: impl FnOnce(Duration, &Clock) -> Duration) -> Result<(), DelayedCallError> {
        let core = self.pending()?;
        let at = to(self.timer.at(), &core.clock);
        core.timers.0.borrow_mut().schedule(&self.timer, at);
        core.due_by(at);
        Ok(())
    }

    /// Whether the call is pending.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.pending().is_ok()
    }

    /// Its deadline, also when it has run or was cancelled, on the clock of [`Reactor::now`](crate::Reactor::now).
    /// [`Duration::MAX`] is never.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.timer.at()
    }
}

impl fmt::Debug for DelayedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayedCall").field("state", &self.timer.value.state.get()).field("time", &self.time()).finish()
    }
}
