//! Shell 1, the inbox: calls posted from any thread, in one total order, to one loop.

use std::fmt;
use std::time::Duration;

use super::sync::{Condvar, Hint, Mutex, pause};
use crate::machine::inbox::{self as machine, Park, Posted};

/// The inbox, shared by those who post and the one loop that takes.
pub struct Inbox<T> {
    state: Mutex<machine::Inbox<T>>,
    wake: Condvar,
    /// Something was posted since the loop last took.
    filled: Hint,
}

/// A drained buffer keeps its room for the next batch, up to this many calls: one burst must not hold memory for ever.
const KEPT_ROOM: usize = 64 * 1024;

impl<T> Inbox<T> {
    /// An open inbox with an awake loop.
    #[allow(clippy::new_without_default)]
    #[must_use]
    pub fn new() -> Self {
        Self { state: Mutex::new(machine::Inbox::new()), wake: Condvar::new(), filled: Hint::default() }
    }

    /// Posts a call and wakes the loop if it sleeps. A closed inbox hands the call back.
    ///
    /// # Errors
    /// The call, if the inbox is closed.
    pub fn post(&self, call: T) -> Result<(), T> {
        let posted = self.state.lock().post(call)?;
        self.filled.set(true);
        if posted == Posted::Wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Takes all that was posted into `batch`, which must be empty.
    pub fn take(&self, batch: &mut Vec<T>) {
        if batch.capacity() > KEPT_ROOM {
            *batch = Vec::new();
        }
        self.filled.set(false);
        self.state.lock().take(batch);
    }

    /// Waits until something is posted, or `timeout` passes, or for no reason: look, and wait again.
    pub fn wait(&self, timeout: Option<Duration>) {
        let mut state = self.state.lock();
        if state.park() == Park::Sleep {
            state = self.wake.wait_for(state, timeout);
            state.resume();
        }
    }

    /// Spins for a while, in the hope of not having to sleep; says whether something was posted.
    pub(crate) fn linger(&self, rounds: u32) -> bool {
        let filled = self.filled.spin(rounds);
        if filled {
            pause(GATHER);
        }
        filled
    }

    /// Whether there is something to take.
    pub(crate) fn has_calls(&self) -> bool {
        self.filled.get() && !self.state.lock().calls().is_empty()
    }

    /// Takes no more calls. Those accepted before are handed over, to be run or dropped by the caller.
    #[must_use]
    pub fn close(&self) -> Vec<T> {
        self.state.lock().close()
    }

    /// Wakes the loop for no reason, as an operating system may.
    pub fn wake_spuriously(&self) {
        self.wake.notify_all();
    }
}

/// A loop that takes each call the moment it is posted fights its posters for the lock's cache line. Pausing this long first
/// lets a batch gather: fewer meetings, for a fraction of a microsecond.
const GATHER: u32 = 16;

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Inbox").field("loop", &state.state()).field("calls", &state.calls().len()).finish()
    }
}
