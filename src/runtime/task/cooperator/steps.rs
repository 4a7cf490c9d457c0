//! One task of a cooperator: its steps, its pauses, the Deferred that it waits for, and the Deferreds of its end.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::super::super::deferred::{Deferred, Settled};
use super::super::super::report::{Incident, drop_contained, report, report_and_drop};
use super::super::super::sync::catch;
use super::super::completion::{unwanted, when_fired};
use super::shared::{CooperatorCore, Step, TaskCore};
use crate::error::{NotPaused, ReactorStopped, TaskFinished};
use crate::failure::Failure;
use crate::machine::cooperator::{CooperativeAction as Action, CooperativeTask as TaskState, EndReason, StepResult};
use crate::machine::wait_queue::WaitQueue;

impl TaskCore {
    pub(super) fn new(step: Step, cooperator: Weak<CooperatorCore>, made_at: &'static Location<'static>) -> Rc<Self> {
        Rc::new(Self {
            state: Cell::new(TaskState::Ready),
            step: Cell::new(Some(step)),
            ready_key: Cell::default(),
            unfinished_key: Cell::default(),
            waiting_for: Cell::default(),
            waiters: RefCell::new(WaitQueue::new()),
            failure: Cell::default(),
            cooperator,
            made_at,
        })
    }

    /// One transition of the state machine.
    fn transition<A>(&self, event: impl FnOnce(&mut TaskState) -> A) -> A {
        let mut state = self.state.get();
        let action = event(&mut state);
        self.state.set(state);
        action
    }

    /// Carries out an action. If that ends the task, waiters are notified of `result`.
    fn carry_out(self: &Rc<Self>, action: Action, cooperator: &Rc<CooperatorCore>, result: Result<(), Failure>) {
        match action {
            Action::Enqueue => cooperator.enqueue(Rc::clone(self)),
            _ => self.carry_out_rest(action, cooperator, result),
        }
    }

    /// As [`carry_out`](Self::carry_out), for transitions that never enqueue the task, whose callers may have no `Rc`
    /// of it.
    fn carry_out_rest(&self, action: Action, cooperator: &CooperatorCore, result: Result<(), Failure>) {
        match action {
            Action::Nothing | Action::Enqueue => return drop_contained(result),
            Action::Dequeue => return self.dequeue(cooperator),
            Action::CancelYielded => return self.cancel_waiting_for(),
            Action::DequeueAndNotify => self.dequeue(cooperator),
            Action::CancelAndNotify => self.cancel_waiting_for(),
            Action::Notify => {}
        }
        if let Some(key) = self.unfinished_key.take() {
            cooperator.remove_finished(key);
        }
        drop_contained(self.step.take());
        self.notify(result);
    }

    fn dequeue(&self, cooperator: &CooperatorCore) {
        if let Some(key) = self.ready_key.take() {
            cooperator.dequeue(key);
        }
    }

    fn cancel_waiting_for(&self) {
        if let Some(deferred) = self.waiting_for.take() {
            deferred.cancel();
        }
    }

    /// Makes one step of the iterator. The caller has taken the task out of the run queue.
    pub(super) fn make_step(self: &Rc<Self>, cooperator: &Rc<CooperatorCore>) {
        self.ready_key.set(None);
        self.transition(TaskState::begin_step);
        let Some(mut step) = self.step.take() else { return };
        let outcome = catch(&mut step);
        let more_to_come = matches!(outcome, Ok(Some(_))) && self.state.get().end_reason().is_none();
        if more_to_come {
            self.step.set(Some(step));
        } else {
            // The iterator is exhausted or has failed, or its own step has ended the task.
            drop_contained(step);
        }
        match outcome {
            Ok(Some(Settled::Now(Ok(())))) => self.step_ended(StepResult::Yielded, cooperator, Ok(())),
            Ok(Some(Settled::Now(Err(failure)))) => self.step_ended(StepResult::Failed, cooperator, Err(failure)),
            Ok(Some(Settled::Later(deferred))) => self.wait_for(deferred, cooperator),
            Ok(None) => self.step_ended(StepResult::Exhausted, cooperator, Ok(())),
            Err(panic) => self.step_ended(StepResult::Failed, cooperator, Err(Failure::without_backtrace(panic))),
        }
    }

    fn step_ended(self: &Rc<Self>, step: StepResult, cooperator: &Rc<CooperatorCore>, result: Result<(), Failure>) {
        let action = self.transition(|state| state.step_ended(step));
        if let (Err(failure), Action::Nothing) = (&result, action) {
            // The task was stopped in this very step, and its waiters notified before it failed.
            report(Incident::Unhandled, failure.error(), Some(self.made_at));
        }
        self.carry_out(action, cooperator, result);
    }

    /// The step has yielded a Deferred.
    fn wait_for(self: &Rc<Self>, deferred: Deferred<()>, cooperator: &Rc<CooperatorCore>) {
        let action = self.transition(|state| state.step_ended(StepResult::YieldedDeferred));
        let (this, its_cooperator) = (Rc::clone(self), Rc::clone(cooperator));
        let waiting_for = when_fired(deferred, move |result| {
            drop(this.waiting_for.take());
            match this.transition(|state| state.deferred_fired(result.is_err())) {
                // It only waits for pauses to end, or had ended before.
                Action::Nothing => unwanted(result, Some(this.made_at)),
                action => this.carry_out(action, &its_cooperator, result),
            }
        });
        // `None` if it had fired already: then the callback above has carried out the rest.
        if waiting_for.is_some() {
            self.waiting_for.set(waiting_for);
            self.carry_out(action, cooperator, Ok(()));
        }
    }

    pub(super) fn pause(&self, cooperator: &CooperatorCore) -> Result<(), TaskFinished> {
        let action = self.transition(TaskState::pause).map_err(finished)?;
        self.carry_out_rest(action, cooperator, Ok(()));
        Ok(())
    }

    pub(super) fn resume(self: &Rc<Self>, cooperator: &Rc<CooperatorCore>) -> Result<(), NotPaused> {
        let action = self.transition(TaskState::resume).map_err(|_| NotPaused)?;
        self.carry_out(action, cooperator, Ok(()));
        Ok(())
    }

    pub(super) fn stop(&self, cooperator: &CooperatorCore, reason: EndReason) -> Result<(), TaskFinished> {
        let action = self.transition(|state| state.stop(reason)).map_err(finished)?;
        self.carry_out_rest(action, cooperator, Ok(()));
        Ok(())
    }

    /// A Deferred that fires at the end of the task. `on_cancel` is called if it is cancelled before.
    #[track_caller]
    pub(super) fn when_done(self: &Rc<Self>, on_cancel: impl FnOnce(&Rc<Self>) + 'static) -> Deferred<()> {
        if let Some(reason) = self.state.get().end_reason() {
            return Deferred::from(end_result(reason, self.failure.take()));
        }
        let key = self.waiters.borrow().next_key();
        let this = Rc::downgrade(self);
        let (deferred, resolver) = Deferred::with_canceller(move || {
            let Some(this) = this.upgrade() else { return };
            let waiter = this.waiters.borrow_mut().remove(key);
            drop(waiter);
            on_cancel(&this);
        });
        self.waiters.borrow_mut().push(resolver);
        deferred
    }

    /// Notifies the waiters, in order. An error goes to the first of them, or, if there is none, to the next that asks.
    fn notify(&self, result: Result<(), Failure>) {
        let Some(reason) = self.state.get().end_reason() else { return };
        let mut failure = result.err();
        loop {
            let next = self.waiters.borrow_mut().pop();
            let Some(waiter) = next else { break };
            waiter.resolve(end_result(reason, failure.take()));
        }
        self.failure.set(failure);
    }
}

/// What a waiter is notified of.
fn end_result(reason: EndReason, failure: Option<Failure>) -> Result<(), Failure> {
    match (failure, reason) {
        (Some(failure), _) => Err(failure),
        (None, EndReason::Done) => Ok(()),
        (None, EndReason::ReactorStopped) => Err(Failure::without_backtrace(ReactorStopped)),
        (None, EndReason::Stopped | EndReason::Failed | EndReason::SchedulerStopped) => {
            Err(Failure::new(finished(reason)))
        }
    }
}

fn finished(reason: EndReason) -> TaskFinished {
    match reason {
        EndReason::Done => TaskFinished::Done,
        EndReason::Stopped => TaskFinished::Stopped,
        EndReason::Failed => TaskFinished::Failed,
        // The cooperator has ended with its reactor.
        EndReason::SchedulerStopped | EndReason::ReactorStopped => TaskFinished::SchedulerStopped,
    }
}

impl Drop for TaskCore {
    fn drop(&mut self) {
        if let (Some(key), Some(cooperator)) = (self.unfinished_key.take(), self.cooperator.upgrade()) {
            cooperator.remove_finished(key);
        }
        drop_contained(self.step.take());
        if let Some(failure) = self.failure.take() {
            report_and_drop(Incident::Unhandled, failure, Some(self.made_at));
        }
    }
}
