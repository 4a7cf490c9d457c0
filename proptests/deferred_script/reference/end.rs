//! The end of a program: what it still holds is read, fired or dropped.

use super::{Ending, Model, Returned};

impl Model {
    /// Takes all results, then drops or fires what is left. Callbacks that run meanwhile may make more.
    pub(super) fn end(&mut self, ending: Ending) {
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
        self.resolvers.iter().all(Option::is_none)
            && self.handles.iter().all(Option::is_none)
            && !self.deferreds.iter().any(|it| it.in_reach)
            && self.semaphores.iter().all(|semaphore| semaphore.closed)
            && self.queues.iter().all(|queue| queue.closed)
    }

    pub(super) fn drop_handles(&mut self) {
        let mut at = 0;
        while at < self.handles.len() {
            if let Some(it) = self.handles[at].take() {
                self.drop_one_handle(it);
            }
            at += 1;
        }
    }

    /// Unpauses every Deferred that the program holds.
    pub(super) fn unpause_all(&mut self) {
        let mut it = 0;
        while it < self.deferreds.len() {
            if self.deferreds[it].in_reach {
                self.deferreds[it].users += 1;
                while self.deferreds[it].pauses > 0 {
                    self.unpause(it);
                }
                self.deferreds[it].users -= 1;
            }
            it += 1;
        }
    }

    pub(super) fn take_all_results(&mut self) {
        for it in self.all() {
            self.take_result(it);
        }
    }

    pub(super) fn drop_all(&mut self) {
        for it in self.all() {
            self.drop_deferred(it);
        }
    }

    /// Takes all Deferreds from the program.
    pub(super) fn all(&mut self) -> Vec<usize> {
        let all: Vec<usize> = (0..self.deferreds.len()).filter(|&it| self.deferreds[it].in_reach).collect();
        for &it in &all {
            self.deferreds[it].in_reach = false;
        }
        all
    }

    pub(super) fn abandon_all(&mut self) {
        let mut which = 0;
        while which < self.resolvers.len() {
            self.abandon(which);
            which += 1;
        }
    }

    pub(super) fn fire_all(&mut self) {
        let mut which = 0;
        while which < self.resolvers.len() {
            if let Some(it) = self.resolvers[which].take() {
                let value = self.new_value();
                self.arrive(it, Returned::Now(value));
                self.drop_resolver(it);
            }
            which += 1;
        }
    }
}
