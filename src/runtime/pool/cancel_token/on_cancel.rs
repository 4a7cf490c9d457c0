//! What is called when a job is asked to end, and the guard that removes it.

use std::fmt;

use super::super::super::report::{Incident, Reporter, drop_contained};
use super::super::super::sync::catch;
use super::super::context::current_pool;
use super::CancelToken;
use crate::machine::radix_map::{Emptied, RadixMap};

/// One registered function, with the sink of the pool or the reactor on whose thread it was registered.
pub(super) struct Listener {
    reporter: Reporter,
    call: Box<dyn FnOnce() + Send>,
}

impl Listener {
    pub(super) fn new(call: impl FnOnce() + Send + 'static) -> Self {
        let reporter = current_pool().map_or_else(Reporter::current, |pool| pool.reporter.clone());
        Self { reporter, call: Box::new(call) }
    }

    /// Calls it. A panic is reported.
    pub(super) fn call(self) {
        let Self { reporter, call } = self;
        if let Err(panic) = catch(call) {
            reporter.report(Incident::OnCancel, &panic, None);
        }
    }

    /// Drops it uncalled. A panic is reported.
    pub(super) fn discard(self) {
        let _scope = self.reporter.enter();
        drop_contained(self.call);
    }
}

/// The listeners of one token, in the order in which they were registered.
#[derive(Default)]
pub(super) struct Listeners {
    by_number: RadixMap<Listener>,
    next: u64,
}

impl Listeners {
    pub(super) fn add(&mut self, listener: Listener) -> u64 {
        let number = self.next;
        self.next += 1;
        self.by_number.insert(number, listener);
        number
    }

    /// Removes a listener, if it is there, and the memory that it leaves. Both are to be dropped when no lock is held.
    pub(super) fn remove(&mut self, number: u64) -> (Option<Listener>, Option<Emptied<Listener>>) {
        (self.by_number.remove(number), self.by_number.take_emptied())
    }

    pub(super) fn pop(&mut self) -> Option<Listener> {
        self.by_number.pop_first_if(|_| true)
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        while let Some(listener) = self.pop() {
            listener.discard();
        }
    }
}

/// Keeps a function registered with a [`CancelToken`]; made by [`CancelToken::on_cancel`]. Dropping it removes the
/// function, unless that was called. A call that has begun on another thread may go on: the drop does not wait for it.
#[must_use = "dropping the guard removes the function"]
pub struct OnCancel {
    token: CancelToken,
    /// `None` if the function was called, or dropped, at once.
    number: Option<u64>,
}

impl OnCancel {
    pub(super) fn new(token: CancelToken, number: Option<u64>) -> Self {
        Self { token, number }
    }

    /// Leaves the function registered until the job is over.
    pub fn detach(mut self) {
        self.number = None;
    }
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        if let Some(listener) = self.number.and_then(|number| self.token.remove_listener(number)) {
            listener.discard();
        }
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnCancel").field(&self.token).finish()
    }
}
