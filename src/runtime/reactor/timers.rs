//! Timers: calls at a later time, in the order of their deadlines, and for equal ones in the order they were added.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::report::drop_contained;
use super::clock::Clock;
use super::{Core, LocalCall};
use crate::error::DelayedCallError;

/// Where a delayed call stands in the queue. The second number counts up with each (re)scheduling: it decides between equal deadlines, and
/// tells what was added during a pass from what was there before.
type Slot = (Duration, u64);

/// What has become of a delayed call.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Waits in the queue, at this place.
    Pending(Slot),
    /// Runs, or has run.
    Called(Duration),
    /// Was cancelled: its closure is gone.
    Cancelled(Duration),
}

struct Entry {
    state: Rc<Cell<State>>,
    call: LocalCall,
}

/// The queue of delayed calls. Cancelled ones leave it at once: memory follows the number that are alive.
#[derive(Default)]
pub(super) struct Timers {
    queue: RefCell<BTreeMap<Slot, Entry>>,
    scheduled: Cell<u64>,
}

impl Timers {
    fn slot(&self, at: Duration) -> Slot {
        let number = self.scheduled.get();
        self.scheduled.set(number + 1);
        (at, number)
    }

    fn add(&self, at: Duration, call: LocalCall) -> Rc<Cell<State>> {
        let slot = self.slot(at);
        let state = Rc::new(Cell::new(State::Pending(slot)));
        self.queue.borrow_mut().insert(slot, Entry { state: Rc::clone(&state), call });
        state
    }

    /// Moves a call; false if it is not in the queue any more, which cannot be while its state is pending.
    fn reschedule(&self, from: Slot, at: Duration) -> bool {
        let mut queue = self.queue.borrow_mut();
        let Some(entry) = queue.remove(&from) else { return false };
        let to = self.slot(at);
        entry.state.set(State::Pending(to));
        queue.insert(to, entry);
        true
    }

    /// The pass that runs what is due at `now`: what is added while it runs belongs to the next.
    pub(super) fn pass(&self, now: Duration) -> Pass {
        Pass { now, before: self.scheduled.get() }
    }

    /// The next call of a pass, out of the queue and marked as called.
    pub(super) fn next_due(&self, pass: Pass) -> Option<LocalCall> {
        let mut queue = self.queue.borrow_mut();
        // Not simply the first: one that was put off in this pass, and not far, may lie before others, and must not hold them up.
        let mut due = queue.range(..=(pass.now, u64::MAX)).map(|(&slot, _)| slot);
        let slot = due.find(|&(_, number)| number < pass.before)?;
        drop(due);
        let Entry { state, call } = queue.remove(&slot)?;
        state.set(State::Called(slot.0));
        Some(call)
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.queue.borrow().first_key_value().map(|(&(at, _), _)| at)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Drops all calls unrun, one by one: what they captured may itself cancel or add others.
    pub(super) fn clear(&self) {
        loop {
            let first = self.queue.borrow_mut().pop_first();
            let Some(((at, _), Entry { state, call })) = first else { return };
            state.set(State::Cancelled(at));
            drop_contained(call);
        }
    }
}

/// One pass over the timers: a sampled time, and which timers belong to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    now: Duration,
    before: u64,
}

/// A call that the reactor will make later: what [`Reactor::call_later`](crate::Reactor::call_later) returns.
///
/// Dropping it changes nothing: the call is made all the same. It stays on the reactor's thread, and does not keep the reactor alive.
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

    fn pending(&self) -> Result<Slot, DelayedCallError> {
        match self.state.get() {
            State::Pending(slot) => Ok(slot),
            State::Called(_) => Err(DelayedCallError::AlreadyCalled),
            State::Cancelled(_) => Err(DelayedCallError::AlreadyCancelled),
        }
    }

    /// Cancels the call. Its closure, with all it captured, is dropped at once.
    ///
    /// # Errors
    /// It was cancelled, or called, before; inside its own closure it counts as called.
    pub fn cancel(&self) -> Result<(), DelayedCallError> {
        let slot = self.pending()?;
        self.state.set(State::Cancelled(slot.0));
        if let Some(core) = self.core.upgrade() {
            let _scope = core.reporter.enter();
            let entry = core.timers.queue.borrow_mut().remove(&slot);
            // The borrow is over: the drop of what the closure captured is user code.
            drop_contained(entry.map(|entry| entry.call));
        }
        Ok(())
    }

    /// Puts the call off until `delay` from now, whatever its time was before. Among equal deadlines it comes last.
    ///
    /// # Errors
    /// It was cancelled or called before.
    pub fn reset(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|_, clock| clock.now().saturating_add(delay))
    }

    /// Puts the call off by `delay` from the time it is scheduled for. Among equal deadlines it comes last.
    ///
    /// # Errors
    /// It was cancelled or called before.
    pub fn delay(&self, delay: Duration) -> Result<(), DelayedCallError> {
        self.move_to(|at, _| at.saturating_add(delay))
    }

    fn move_to(&self, to: impl FnOnce(Duration, &Clock) -> Duration) -> Result<(), DelayedCallError> {
        let slot = self.pending()?;
        let Some(core) = self.core.upgrade() else { return Err(DelayedCallError::AlreadyCancelled) };
        if core.timers.reschedule(slot, to(slot.0, &core.clock)) {
            Ok(())
        } else {
            Err(DelayedCallError::AlreadyCancelled)
        }
    }

    /// Whether the call is still to come.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.pending().is_ok()
    }

    /// The time it is, or was, scheduled for, on the clock of [`Reactor::now`](crate::Reactor::now).
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
