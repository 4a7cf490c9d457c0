//! The end of a program: what it still holds is read, fired or dropped.

use std::rc::Rc;

use selvedge::Deferred;

use super::World;
use crate::deferred_script::program::Ending;
use crate::deferred_script::trace::Tracked;

impl World {
    /// Takes all results, then drops or fires what is left. Callbacks that run meanwhile may make more.
    pub(super) fn end(&self, ending: Ending) {
        self.take_all_results();
        loop {
            match ending {
                Ending::Abandon => {
                    self.abandon_all();
                    self.drop_all();
                    self.drop_handles();
                }
                Ending::Forget => {
                    self.drop_handles();
                    self.drop_all();
                    self.abandon_all();
                }
                Ending::Fire => {
                    self.unpause_all();
                    self.fire_all();
                    self.open_all();
                    self.take_all_results();
                    self.drop_all();
                    self.drop_handles();
                }
            }
            self.close_all();
            if self.is_over() {
                return;
            }
        }
    }

    /// Whether the program holds nothing any more.
    pub(super) fn is_over(&self) -> bool {
        self.deferreds.borrow().iter().all(Option::is_none)
            && self.resolvers.borrow().iter().all(Option::is_none)
            && self.handles.borrow().iter().all(Option::is_none)
            && self.semaphores.borrow().iter().all(Option::is_none)
            && self.queues.borrow().iter().all(Option::is_none)
    }

    /// Takes all Deferreds from the program.
    pub(super) fn all(&self) -> Vec<(usize, Deferred<Tracked>)> {
        let all = self.deferreds.borrow_mut().iter_mut().map(Option::take).enumerate().collect::<Vec<_>>();
        all.into_iter().filter_map(|(at, shared)| Some((at, Rc::into_inner(shared?)?))).collect()
    }

    pub(super) fn take_all_results(&self) {
        for (at, deferred) in self.all() {
            self.take_result(at, deferred);
        }
    }

    pub(super) fn drop_all(&self) {
        for (_, deferred) in self.all() {
            drop(deferred);
        }
    }

    pub(super) fn drop_handles(&self) {
        for at in 0.. {
            let mut handles = self.handles.borrow_mut();
            let Some(handle) = handles.get_mut(at).map(Option::take) else { return };
            drop(handles);
            drop(handle);
        }
    }

    /// Unpauses every Deferred that the program holds.
    pub(super) fn unpause_all(&self) {
        for at in 0.. {
            let deferreds = self.deferreds.borrow();
            let Some(deferred) = deferreds.get(at).cloned() else { return };
            drop(deferreds);
            while deferred.as_ref().is_some_and(|deferred| deferred.unpause().is_ok()) {}
        }
    }

    pub(super) fn abandon_all(&self) {
        for at in 0.. {
            if at >= self.resolvers.borrow().len() {
                return;
            }
            drop(self.resolver(at));
        }
    }

    pub(super) fn fire_all(&self) {
        for at in 0.. {
            if at >= self.resolvers.borrow().len() {
                return;
            }
            if let Some(resolver) = self.resolver(at) {
                resolver.callback(self.value());
            }
        }
    }
}
