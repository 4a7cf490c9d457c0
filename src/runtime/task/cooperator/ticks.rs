//! A cooperator's run queue, and the ticks that step the tasks in it.

use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::super::reactor::EndListener;
use super::super::super::report::{Incident, drop_contained, report};
use super::super::super::sync::catch;
use super::shared::{CooperatorCore, TaskCore, Termination};
use crate::machine::cooperator::{EndReason, Scheduler};
use crate::machine::wait_queue::Key;

impl CooperatorCore {
    /// One transition of the state machine.
    fn transition<A>(&self, event: impl FnOnce(&mut Scheduler) -> A) -> A {
        let mut scheduler = self.scheduler.get();
        let action = event(&mut scheduler);
        self.scheduler.set(scheduler);
        action
    }

    /// Appends a ready task to the run queue. If the cooperator is stopped, the task is ended instead.
    pub(super) fn enqueue(self: &Rc<Self>, task: Rc<TaskCore>) {
        if let Some(reason) = self.scheduler.get().refusal() {
            let _ = task.stop(self, reason);
            return;
        }
        let mut ready = self.ready.borrow_mut();
        task.ready_key.set(Some(ready.next_key()));
        ready.push(task);
        drop(ready);
        if self.transition(Scheduler::task_queued) {
            self.schedule_tick();
        }
    }

    /// Removes a task, which was paused or has ended, from the run queue.
    pub(super) fn dequeue(&self, key: Key) {
        let mut ready = self.ready.borrow_mut();
        let task = ready.remove(key);
        let emptied = ready.is_empty();
        drop(ready);
        drop(task);
        if emptied && self.transition(Scheduler::queue_emptied) {
            self.cancel_tick();
        }
    }

    /// Removes a task that has ended or was dropped.
    pub(super) fn remove_finished(&self, key: Key) {
        let task = self.unfinished.borrow_mut().remove(key);
        drop(task);
    }

    pub(super) fn start(self: &Rc<Self>) {
        let any_ready = !self.ready.borrow().is_empty();
        if self.transition(|scheduler| scheduler.start(any_ready)) {
            self.schedule_tick();
        }
    }

    pub(super) fn stop(&self) {
        if self.transition(Scheduler::stop) {
            self.cancel_tick();
        }
        self.end_all(EndReason::SchedulerStopped);
    }

    fn schedule_tick(self: &Rc<Self>) {
        let this = Rc::clone(self);
        // An error means that the reactor is ending and has yet to tell this cooperator.
        let _ = self.reactor.with(|reactor| {
            reactor.call_later_kept(Duration::ZERO, move |_| this.tick(), |timer| self.timer.set(Some(timer)));
        });
    }

    fn cancel_tick(&self) {
        if let Some(timer) = self.timer.take() {
            let _ = timer.cancel();
        }
    }

    /// Ends all tasks that exist now, in the order in which they were added.
    fn end_all(&self, reason: EndReason) {
        let mut unfinished = self.unfinished.borrow_mut();
        let tasks: Vec<_> = std::iter::from_fn(|| unfinished.pop()).collect();
        drop(unfinished);
        for task in tasks.iter().filter_map(Weak::upgrade) {
            let _ = task.stop(self, reason);
        }
    }

    /// Makes the predicate for a new tick. If that panics, the tick is one step.
    fn begin_termination(&self) -> Termination {
        let Some(mut new_termination) = self.new_termination.take() else { return Box::new(|| true) };
        let termination = catch(&mut new_termination);
        self.new_termination.set(Some(new_termination));
        termination.unwrap_or_else(|panic| {
            report(Incident::Timer, &panic, None);
            Box::new(|| true)
        })
    }

    /// One tick: steps ready tasks until the slice is used up.
    fn tick(self: &Rc<Self>) {
        if !self.transition(Scheduler::begin_tick) {
            return;
        }
        let mut is_over = self.begin_termination();
        loop {
            let next = self.ready.borrow_mut().pop();
            let Some(task) = next else { break };
            task.make_step(self);
            let over = catch(&mut is_over).unwrap_or_else(|panic| {
                report(Incident::Timer, &panic, None);
                true
            });
            if over {
                break;
            }
        }
        drop_contained(is_over);
        let any_ready = !self.ready.borrow().is_empty();
        if self.transition(|scheduler| scheduler.tick_ended(any_ready)) {
            self.schedule_tick();
        }
    }
}

impl EndListener for CooperatorCore {
    fn reactor_ended(&self) {
        if self.transition(Scheduler::reactor_ended) {
            self.cancel_tick();
        }
        self.end_all(EndReason::ReactorStopped);
    }
}

impl Drop for CooperatorCore {
    fn drop(&mut self) {
        drop_contained(self.new_termination.take());
    }
}
