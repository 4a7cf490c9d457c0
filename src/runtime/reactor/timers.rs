//! Timers: delayed calls run by deadline; equal deadlines run in the order in which they were added.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::report::drop_contained;
use super::clock::Clock;
use super::{Core, LocalCall};
use crate::error::DelayedCallError;
use crate::machine::timer_queue::{Key, TimerQueue};

/// The state of a delayed call.
#[derive(Debug, Clone, Copy)]
enum State {
    /// It is in the queue, under this key.
    Pending(Key),
    /// It runs, or has run. The time is its deadline.
    Called(Duration),
    /// It was cancelled, and its closure dropped. The time is its deadline.
    Cancelled(Duration),
}

struct Entry {
    state: Rc<Cell<State>>,
    call: LocalCall,
}

/// The delayed calls. A cancelled one is gone at once, so memory is proportional to the pending ones.
#[derive(Default)]
pub(super) struct Timers(RefCell<TimerQueue<Entry>>);

impl Timers {
    fn add(&self, at: Duration, call: LocalCall) -> Rc<Cell<State>> {
        // Replaced by the key before anybody sees it.
        let state = Rc::new(Cell::new(State::Called(at)));
        let key = self.0.borrow_mut().insert(at, Entry { state: Rc::clone(&state), call });
        state.set(State::Pending(key));
        state
    }

    /// Moves a call. Returns false if it is not in the queue, which cannot happen while its state is pending.
    fn reschedule(&self, from: Key, at: Duration) -> bool {
        let mut queue = self.0.borrow_mut();
        let Some(entry) = queue.remove(from) else { return false };
        let state = Rc::clone(&entry.state);
        state.set(State::Pending(queue.insert(at, entry)));
        true
    }

    /// Begins a pass over what is due at `now`. Calls that are added during it belong to the next pass.
    pub(super) fn begin_pass(&self, now: Duration) {
        self.0.borrow_mut().begin_pass(now);
    }

    /// Takes the next call of the pass out of the queue, and marks it as called. `None` ends the pass.
    pub(super) fn next_due(&self) -> Option<LocalCall> {
        let (at, Entry { state, call }) = self.0.borrow_mut().next_due()?;
        state.set(State::Called(at));
        Some(call)
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
            let Some((at, Entry { state, call })) = first else { return };
            state.set(State::Cancelled(at));
            drop_contained(call);
        }
    }
}

/// A delayed call: what [`Reactor::call_later`](crate::Reactor::call_later) returns. It cancels or reschedules the
/// call.
///
/// Dropping it does not cancel the call. It stays on the reactor's thread, and does not keep the reactor alive.
pub struct DelayedCall {
    core: Weak<Core>,
    state: Rc<Cell<State>>,
}

impl DelayedCall {
    pub(super) fn schedule(core: &Rc<Core>, at: Duration, call: LocalCall) -> Self {
        let state = core.timers.add(at, call);
        core.due_by(at);
        Self { core: Rc::downgrade(core), state }
    }

    /// A call that was cancelled before it was scheduled.
    pub(super) fn cancelled(core: &Rc<Core>, at: Duration) -> Self {
        Self { core: Rc::downgrade(core), state: Rc::new(Cell::new(State::Cancelled(at))) }
    }

    fn pending(&self) -> Result<Key, DelayedCallError> {
        match self.state.get() {
            State::Pending(key) => Ok(key),
            State::Called(_) => Err(DelayedCallError::AlreadyCalled),
            State::Cancelled(_) => Err(DelayedCallError::AlreadyCancelled),
        }
    }

    /// Cancels the call. Its closure is dropped at once, with its captures.
    ///
    /// # Errors
    /// It was cancelled or called already. Inside its own closure it counts as called.
    pub fn cancel(&self) -> Result<(), DelayedCallError> {
        let key = self.pending()?;
        self.state.set(State::Cancelled(key.at));
        if let Some(core) = self.core.upgrade() {
            let _scope = core.reporter.enter();
            let entry = core.timers.0.borrow_mut().remove(key);
            // After the borrow has ended: dropping the captures is user code.
            drop_contained(entry.map(|entry| entry.call));
        }
        Ok(())
    }

    /// Reschedules the call to `delay` from now. Among equal deadlines it comes last. Takes as long as adding it.
    ///
    /// # Errors
    /// It was cancelled or called already.
    pub fn reset(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|_, clock| clock.now().saturating_add(delay))
    }

    /// [`reset`](Self::reset), to a time of the reactor's clock.
    pub(crate) fn reset_to(&self, at: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|_, _| at)
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
        let key = self.pending()?;
        let Some(core) = self.core.upgrade() else { return Err(DelayedCallError::AlreadyCancelled) };
        let at = to(key.at, &core.clock);
        if core.timers.reschedule(key, at) {
            core.due_by(at);
            Ok(())
        } else {
            Err(DelayedCallError::AlreadyCancelled)
        }
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
        match self.state.get() {
            State::Pending(key) => key.at,
            State::Called(at) | State::Cancelled(at) => at,
        }
    }
}

impl fmt::Debug for DelayedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayedCall").field("state", &self.state.get()).finish()
    }
}
