//! The hook of a hosted reactor: what wakes the loop that hosts it, in place of the inbox's condition variable.
//!
//! The hook is retired when its reactor has ended, is dropped, or begins to wait by itself. A thread that is about to
//! wake the host just then either has taken the hook already, and calls it once more, or finds none.

use super::report::{Contained, Incident, Reporter};
use super::sync::{Mutex, StdArc, ThreadId, current_thread};

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
    state: Mutex<State>,
    reporter: Reporter,
    /// The reactor's own, on which the hook may turn it.
    thread: ThreadId,
}

struct State {
    /// `None` once it is retired.
    hook: Option<Hook>,
    own_thread: OwnThread,
}

/// What the reactor's own thread does with the hook. Other threads may call it at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnThread {
    Outside,
    /// It is inside the hook.
    Inside,
    /// It is inside the hook, which has turned the reactor, and then has woken it: it calls the hook once more.
    CallsAgain,
}

/// What a thread does that is to call the hook.
enum Begin {
    Call(Hook),
    /// It is inside the hook and calls it when that has returned: a hook that always wakes what it has turned would
    /// overflow the stack.
    Later,
    Retired,
}

impl State {
    fn begin(&mut self, on_own_thread: bool) -> Begin {
        let Some(hook) = &self.hook else { return Begin::Retired };
        match self.own_thread {
            OwnThread::Outside if on_own_thread => self.own_thread = OwnThread::Inside,
            OwnThread::Inside | OwnThread::CallsAgain if on_own_thread => {
                self.own_thread = OwnThread::CallsAgain;
                return Begin::Later;
            }
            _ => {}
        }
        Begin::Call(StdArc::clone(hook))
    }

    /// The hook has returned on the reactor's own thread. Whether that calls it again.
    fn returned(&mut self) -> bool {
        let again = self.own_thread == OwnThread::CallsAgain && self.hook.is_some();
        self.own_thread = if again { OwnThread::Inside } else { OwnThread::Outside };
        again
    }
}

impl WakeHook {
    /// For a reactor of this thread.
    pub(crate) fn new(hook: OnWake, reporter: Reporter) -> Self {
        let state = State { hook: Some(hook.0), own_thread: OwnThread::Outside };
        Self { state: Mutex::new(state), reporter, thread: current_thread() }
    }

    /// Calls the hook on this thread. Returns false if it is retired.
    #[cold]
    pub(crate) fn call(&self) -> bool {
        let on_own_thread = current_thread() == self.thread;
        let begin = self.state.lock().begin(on_own_thread);
        let hook = match begin {
            Begin::Call(hook) => hook,
            Begin::Later => return true,
            Begin::Retired => return false,
        };
        // If the hook is retired meanwhile, it is dropped here.
        let _scope = self.reporter.enter();
        loop {
            self.reporter.contain(Incident::OnWake, || hook());
            if !on_own_thread || !self.state.lock().returned() {
                break;
            }
        }
        drop(hook);
        true
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.state.lock().hook.is_none()
    }

    /// From now on the hook is not called. It is dropped here, or by the thread that is calling it.
    pub(crate) fn retire(&self) {
        let hook = self.state.lock().hook.take();
        let _scope = self.reporter.enter();
        drop(hook);
    }
}
