//! The hook of a hosted reactor: what wakes the loop that hosts it, in place of the inbox's condition variable.
//!
//! The hook is retired when its reactor has ended, is dropped, or begins to wait by itself. A thread that is about to
//! wake the host just then either has taken the hook already, and calls it once more, or finds none.

use super::report::{Contained, Incident, Reporter};
use super::sync::{Mutex, StdArc};

/// A program's function, whose drop is contained.
type Hook = StdArc<dyn Fn() + Send + Sync>;

/// The hook as a builder holds it.
pub(crate) struct OnWake(Hook);

impl OnWake {
    pub(crate) fn new(hook: impl Fn() + Send + Sync + 'static) -> Self {
        let hook = Contained::new(hook);
        Self(StdArc::new(move || hook.get()()))
    }
}

/// The hook of one reactor.
pub(crate) struct WakeHook {
    /// `None` once it is retired.
    hook: Mutex<Option<Hook>>,
    reporter: Reporter,
}

impl WakeHook {
    pub(crate) fn new(hook: OnWake, reporter: Reporter) -> Self {
        Self { hook: Mutex::new(Some(hook.0)), reporter }
    }

    /// Calls the hook on this thread. Returns false if it is retired.
    #[cold]
    pub(crate) fn call(&self) -> bool {
        let Some(hook) = self.hook.lock().clone() else { return false };
        // If the hook is retired meanwhile, it is dropped here.
        let _scope = self.reporter.enter();
        self.reporter.contain(Incident::OnWake, || hook());
        drop(hook);
        true
    }

    /// From now on the hook is not called. It is dropped here, or by the thread that is calling it.
    pub(crate) fn retire(&self) {
        let hook = self.hook.lock().take();
        let _scope = self.reporter.enter();
        drop(hook);
    }
}
