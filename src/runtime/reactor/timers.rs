//! Timers: delayed calls run by deadline; equal deadlines run in the order in which they were added.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::report::drop_contained;
use super::clock::Clock;
use super::{Core, LocalCall};
use crate::error::DelayedCallError;

/// A delayed call's key in the queue: its deadline, and a number that counts every scheduling and rescheduling. The
/// number orders equal deadlines, and shows which calls were added during a pass.
type Key = (Duration, u64);

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

/// The queue of delayed calls. A cancelled one leaves it at once, so memory is proportional to the pending ones.
#[derive(Default)]
pub(super) struct Timers {
    queue: RefCell<BTreeMap<Key, Entry>>,
    scheduled: Cell<u64>,
}

impl Timers {
    fn key(&self, at: Duration) -> Key {
        let number = self.scheduled.get();
        self.scheduled.set(number + 1);
        (at, number)
    }

    fn add(&self, at: Duration, call: LocalCall) -> Rc<Cell<State>> {
        let key = self.key(at);
        let state = Rc::new(Cell::new(State::Pending(key)));
        self.queue.borrow_mut().insert(key, Entry { state: Rc::clone(&state), call });
        state
    }

    /// Moves a call. Returns false if it is not in the queue, which cannot happen while its state is pending.
    fn reschedule(&self, from: Key, at: Duration) -> bool {
        let mut queue = self.queue.borrow_mut();
        let Some(entry) = queue.remove(&from) else { return false };
        let to = self.key(at);
        entry.state.set(State::Pending(to));
        queue.insert(to, entry);
        true
    }

    /// Begins a pass over what is due at `now`. Calls that are added during it belong to the next pass.
    pub(super) fn pass(&self, now: Duration) -> Pass {
        Pass { now, before: self.scheduled.get() }
    }

    /// Takes the next call of a pass out of the queue, and marks it as called.
    pub(super) fn next_due(&self, pass: Pass) -> Option<LocalCall> {
        let mut queue = self.queue.borrow_mut();
        // Not simply the first: a call that was rescheduled during this pass may come before others, and must not stop
        // the search.
        let mut due = queue.range(..=(pass.now, u64::MAX)).map(|(&key, _)| key);
        let key = due.find(|&(_, number)| number < pass.before)?;
        drop(due);
        let Entry { state, call } = queue.remove(&key)?;
        state.set(State::Called(key.0));
        Some(call)
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.queue.borrow().first_key_value().map(|(&(at, _), _)| at)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Drops all calls without running them, one at a time: the drop of a capture may cancel or add others.
    pub(super) fn clear(&self) {
        loop {
            let first = self.queue.borrow_mut().pop_first();
            let Some(((at, _), Entry { state, call })) = first else { return };
            state.set(State::Cancelled(at));
            drop_contained(call);
        }
    }
}

/// One pass over the timers: the time at its start, and the first number that does not belong to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    now: Duration,
    before: u64,
}

/// A delayed call: what [`Reactor::call_later`](crate::Reactor::call_later) returns. It cancels or reschedules the
/// call.
///
/// Dropping it does not cancel the call. It stays on the reactor's thread, and does not keep the reactor alive.
#[must_use = "dropping a delayed call does not cancel it; use `let _ =` if you will not change it"]
pub struct DelayedCall {
    core: Weak<Core>,
    state: Rc<Cell<State>>,
}

impl DelayedCall {
    pub(super) fn schedule(core: &Rc<Core>, at: Duration, call: LocalCall) -> Self {
        let state = core.timers.add(at, call);
        Self { core: Rc::downgrade(core), state }
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
        self.state.set(State::Cancelled(key.0));
        if let Some(core) = self.core.upgrade() {
            let _scope = core.reporter.enter();
            let entry = core.timers.queue.borrow_mut().remove(&key);
            // After the borrow has ended: dropping the captures is user code.
            drop_contained(entry.map(|entry| entry.call));
        }
        Ok(())
    }

    /// Reschedules the call to `delay` from now. Among equal deadlines it comes last.
    ///
    /// # Errors
    /// It was cancelled or called already.
    pub fn reset(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|_, clock| clock.now().saturating_add(delay))
    }

    /// Postpones the call by `delay` from its present deadline. Among equal deadlines it comes last.
    ///
    /// # Errors
    /// It was cancelled or called already.
    pub fn delay(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|at, _| at.saturating_add(delay))
    }

    fn move_to(&self, to: impl FnOnce(Duration, &Clock) -> Duration) -> Result<(), DelayedCallError> {
        let key = self.pending()?;
        let Some(core) = self.core.upgrade() else { return Err(DelayedCallError::AlreadyCancelled) };
        if core.timers.reschedule(key, to(key.0, &core.clock)) {
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
    #[must_use]
    pub fn time(&self) -> Duration {
        match self.state.get() {
            State::Pending((at, _)) | State::Called(at) | State::Cancelled(at) => at,
        }
    }
}

impl fmt::Debug for DelayedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayedCall").field("state", &self.state.get()).finish()
    }
}
