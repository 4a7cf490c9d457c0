//! Exhaustive search of the cooperator: tasks that are paused, resumed and stopped at every moment, also in their own
//! steps, and a cooperator that is started and stopped.

use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::cooperator::{CooperativeAction, CooperativeTask, EndReason, NotPaused, Scheduler, StepResult};

/// Greatest number of pauses of one task at a time.
const PAUSES: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Member {
    machine: CooperativeTask,
    /// It is in the run queue.
    queued: bool,
    /// Its iterator runs.
    stepping: bool,
    /// It has yielded a Deferred that has not fired.
    waiting: bool,
    /// Pauses that were not resumed.
    pauses: usize,
    /// How many times more it may yield.
    steps: u8,
    /// How many times its end was notified.
    notified: u8,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A resume ends the wait for a Deferred, as Twisted's does.
    ResumeWakes,
    /// The end of a tick schedules no other.
    ForgetsTheNextTick,
    /// A task that has ended stays in the run queue.
    StaysInTheQueue,
    /// The end of the reactor reaches only a cooperator with a timer.
    TellsTimersOnly,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CooperatorWorld {
    bug: Bug,
    scheduler: Scheduler,
    members: Vec<Member>,
    /// A timer is set.
    timer: bool,
    /// A tick is under way.
    ticking: bool,
    /// That tick has made a step.
    stepped: bool,
    /// How many times more the cooperator may be stopped.
    stops: u8,
    /// The reactor has ended.
    reactor_ended: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the numbers are read in a counterexample")]
enum Event {
    Pause(usize),
    Resume(usize),
    Stop(usize),
    StepEnds(usize, StepResult),
    DeferredFires(usize),
    DeferredFails(usize),
    StepBegins(usize),
    TickBegins,
    TickEnds,
    CooperatorStarts,
    CooperatorStops,
    ReactorEnds,
}

impl CooperatorWorld {
    fn new(bug: Bug, tasks: usize) -> Self {
        let member = Member {
            machine: CooperativeTask::Ready,
            queued: true,
            stepping: false,
            waiting: false,
            pauses: 0,
            steps: 2,
            notified: 0,
        };
        let (members, stops) = (vec![member; tasks], 1);
        Self {
            bug,
            scheduler: Scheduler::new(false),
            members,
            timer: false,
            ticking: false,
            stepped: false,
            stops,
            reactor_ended: false,
            violation: None,
        }
    }

    fn any_ready(&self) -> bool {
        self.members.iter().any(|member| member.queued)
    }

    fn task<A>(
        &self,
        id: usize,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut CooperativeTask) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> (Self, A) {
        let mut next = self.clone();
        let from = label(self.members[id].machine);
        let outcome = transition(&mut next.members[id].machine);
        steps.row(Row { from, event, action: action(&outcome), to: label(next.members[id].machine) });
        (next, outcome)
    }

    fn scheduler(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Scheduler) -> bool,
    ) -> bool {
        let from = self.scheduler.label();
        let outcome = transition(&mut self.scheduler);
        let action = match (event, outcome) {
            ("task queued" | "start" | "tick ended", true) => "set the timer",
            ("stop" | "reactor ended", false) => "end all tasks",
            ("stop" | "reactor ended", true) => "cancel the timer, end all tasks",
            ("begin tick", true) => "step tasks",
            (_, false) => "nothing",
            (_, true) => "cancel the timer",
        };
        steps.row(Row { from, event, action, to: self.scheduler.label() });
        outcome
    }

    fn carry_out(&mut self, id: usize, action: CooperativeAction, steps: &mut Steps<'_, Self>) {
        let stays = self.bug == Bug::StaysInTheQueue;
        let member = &mut self.members[id];
        match action {
            CooperativeAction::Nothing => {}
            CooperativeAction::CancelYielded => member.waiting = false,
            CooperativeAction::Enqueue => {
                if let Some(reason) = self.scheduler.refusal() {
                    let (next, stopped) = self.task(id, steps, "stop", |task| task.stop(reason), |_| "notify");
                    *self = next;
                    self.members[id].queued = false;
                    self.members[id].notified += u8::from(stopped.is_ok());
                } else {
                    member.queued = true;
                    self.timer |= self.scheduler(steps, "task queued", Scheduler::task_queued);
                }
            }
            CooperativeAction::Dequeue => {
                member.queued = false;
                self.emptied(steps);
            }
            CooperativeAction::DequeueAndNotify => {
                member.queued = stays;
                member.notified += 1;
                self.emptied(steps);
            }
            CooperativeAction::Notify => member.notified += 1,
            CooperativeAction::CancelAndNotify => {
                member.waiting = false;
                member.notified += 1;
            }
        }
    }

    fn emptied(&mut self, steps: &mut Steps<'_, Self>) {
        if !self.any_ready() && self.scheduler(steps, "queue emptied", Scheduler::queue_emptied) {
            self.timer = false;
        }
    }

    fn pause(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.task(id, steps, "pause", CooperativeTask::pause, |outcome| match outcome {
            Ok(CooperativeAction::Dequeue) => "dequeue",
            Ok(_) => "nothing",
            Err(_) => "refuse: finished",
        });
        if let Ok(action) = outcome {
            next.members[id].pauses += 1;
            next.carry_out(id, action, steps);
        }
        next
    }

    fn resume(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.task(id, steps, "resume", CooperativeTask::resume, |outcome| match outcome {
            Ok(CooperativeAction::Enqueue) => "enqueue",
            Ok(_) => "nothing",
            Err(NotPaused) => "refuse: not paused",
        });
        if outcome.is_ok() != (self.members[id].pauses > 0) {
            next.violation = Some("a resume is accepted without a pause, or refused with one");
        }
        if self.bug == Bug::ResumeWakes && self.members[id].waiting {
            next.members[id].machine = CooperativeTask::Ready;
            next.members[id].queued = true;
        }
        if let Ok(action) = outcome {
            next.members[id].pauses = self.members[id].pauses.saturating_sub(1);
            next.carry_out(id, action, steps);
        }
        next
    }

    fn stop(&self, id: usize, reason: EndReason, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.task(
            id,
            steps,
            "stop",
            |task| task.stop(reason),
            |outcome| match outcome {
                Ok(CooperativeAction::DequeueAndNotify) => "dequeue, notify",
                Ok(CooperativeAction::CancelAndNotify) => "cancel the Deferred, notify",
                Ok(_) => "notify",
                Err(_) => "refuse: finished",
            },
        );
        if let Ok(action) = outcome {
            next.carry_out(id, action, steps);
        }
        next
    }

    fn step_ends(&self, id: usize, result: StepResult, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        before.members[id].stepping = false;
        before.members[id].waiting = result == StepResult::YieldedDeferred;
        before.members[id].steps -= u8::from(matches!(result, StepResult::Yielded | StepResult::YieldedDeferred));
        let event = match result {
            StepResult::Yielded => "step yielded",
            StepResult::YieldedDeferred => "step yielded a Deferred",
            StepResult::Exhausted => "step exhausted",
            StepResult::Failed => "step failed",
        };
        let (mut next, action) = before.task(id, steps, event, |task| task.step_ended(result), owed);
        next.carry_out(id, action, steps);
        next
    }

    fn deferred_fires(&self, id: usize, failed: bool, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        before.members[id].waiting = false;
        let event = if failed { "Deferred failed" } else { "Deferred fired" };
        let (mut next, action) = before.task(id, steps, event, |task| task.deferred_fired(failed), owed);
        let reason = next.members[id].machine.end_reason();
        if reason != failed.then_some(EndReason::Failed) {
            next.violation = Some("a task goes on although its Deferred failed, or ends although it did not");
        }
        next.carry_out(id, action, steps);
        next
    }

    fn all_end(mut self, reason: EndReason, steps: &mut Steps<'_, Self>) -> Self {
        for id in 0..self.members.len() {
            self = self.stop(id, reason, steps);
        }
        self
    }

    fn scheduler_steps(&self, steps: &mut Steps<'_, Self>) {
        if self.timer {
            let mut next = self.clone();
            next.timer = false;
            next.ticking = next.scheduler(steps, "begin tick", Scheduler::begin_tick);
            next.stepped = false;
            steps.fair(Event::TickBegins, next);
        }
        if !self.reactor_ended {
            let mut next = Self { reactor_ended: true, ..self.clone() };
            if self.timer || self.bug != Bug::TellsTimersOnly {
                if next.scheduler(steps, "reactor ended", Scheduler::reactor_ended) {
                    next.timer = false;
                }
                next = next.all_end(EndReason::ReactorStopped, steps);
            }
            steps.unfair(Event::ReactorEnds, next);
        }
        let any_stepping = self.members.iter().any(|member| member.stepping);
        if self.ticking && !any_stepping {
            let mut next = self.clone();
            (next.ticking, next.stepped) = (false, false);
            let any = self.any_ready() && self.bug != Bug::ForgetsTheNextTick;
            next.timer |= next.scheduler(steps, "tick ended", |scheduler| scheduler.tick_ended(any));
            if self.stepped || !self.any_ready() {
                steps.fair(Event::TickEnds, next);
            }
            if let Some(id) = self.members.iter().position(|member| member.queued) {
                let mut next = self.clone();
                next.stepped = true;
                let member = &mut next.members[id];
                (member.queued, member.stepping) = (false, true);
                member.machine.begin_step();
                let (from, to) = (label(self.members[id].machine), label(next.members[id].machine));
                steps.row(Row { from, event: "begin step", action: "call the iterator", to });
                steps.fair(Event::StepBegins(id), next);
            }
        }
        let mut next = self.clone();
        let any = self.any_ready();
        next.timer |= next.scheduler(steps, "start", |scheduler| scheduler.start(any));
        steps.unfair(Event::CooperatorStarts, next);
        if self.stops > 0 {
            let mut next = self.clone();
            next.stops -= 1;
            if next.scheduler(steps, "stop", Scheduler::stop) {
                next.timer = false;
            }
            let next = next.all_end(EndReason::SchedulerStopped, steps);
            steps.unfair(Event::CooperatorStops, next);
        }
    }
}

impl World for CooperatorWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        self.scheduler_steps(steps);
        for id in 0..self.members.len() {
            let member = &self.members[id];
            if member.pauses < PAUSES {
                let next = self.pause(id, steps);
                steps.unfair(Event::Pause(id), next);
            }
            let next = self.resume(id, steps);
            steps.unfair(Event::Resume(id), next);
            let next = self.stop(id, EndReason::Stopped, steps);
            steps.unfair(Event::Stop(id), next);
            if member.stepping {
                for result in
                    [StepResult::Yielded, StepResult::YieldedDeferred, StepResult::Exhausted, StepResult::Failed]
                {
                    if member.steps == 0 && matches!(result, StepResult::Yielded | StepResult::YieldedDeferred) {
                        continue;
                    }
                    let next = self.step_ends(id, result, steps);
                    steps.user_fair(Event::StepEnds(id, result), next);
                }
            }
            if member.waiting && !member.stepping {
                let (fires, fails) = (self.deferred_fires(id, false, steps), self.deferred_fires(id, true, steps));
                steps.user_fair(Event::DeferredFires(id), fires);
                steps.user_fair(Event::DeferredFails(id), fails);
            }
        }
    }

    fn violation(&self) -> Option<&'static str> {
        for member in &self.members {
            let ended = member.machine.end_reason().is_some();
            if member.notified != u8::from(ended) {
                return Some("an end is notified twice or not at all, or notified before it");
            }
            if ended && (member.queued || member.waiting && !member.stepping) {
                return Some("a task that has ended is in the run queue, or waits");
            }
            if !ended && member.queued && (member.pauses > 0 || member.waiting || member.stepping) {
                return Some("a task that is paused or waits is in the run queue");
            }
            let ready = !ended && member.pauses == 0 && !member.waiting && !member.stepping;
            if ready && !member.queued {
                return Some("a task is ready, and not in the run queue");
            }
        }
        if self.reactor_ended && self.members.iter().any(|member| member.machine.end_reason().is_none()) {
            return Some("the reactor has ended, and who waits for a task is not told");
        }
        if self.timer && !self.any_ready() {
            return Some("a timer is set, and no task is ready");
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        let tick_to_come = self.ticking || self.timer;
        (self.any_ready() && self.scheduler.is_running() && !tick_to_come)
            .then_some("tasks are ready, and no tick is to come")
    }
}

fn owed(action: &CooperativeAction) -> &'static str {
    match action {
        CooperativeAction::Nothing => "nothing",
        CooperativeAction::Enqueue => "enqueue",
        CooperativeAction::Dequeue => "dequeue",
        CooperativeAction::DequeueAndNotify => "dequeue, notify",
        CooperativeAction::Notify => "notify",
        CooperativeAction::CancelAndNotify => "cancel the Deferred, notify",
        CooperativeAction::CancelYielded => "cancel the yielded Deferred",
    }
}

fn label(task: CooperativeTask) -> &'static str {
    match task {
        CooperativeTask::Ready => "Ready",
        CooperativeTask::Stepping { pauses: 0 } => "Stepping",
        CooperativeTask::Stepping { .. } => "Stepping, paused",
        CooperativeTask::Waiting { pauses: 0 } => "Waiting",
        CooperativeTask::Waiting { .. } => "Waiting, paused",
        CooperativeTask::Paused { .. } => "Paused",
        CooperativeTask::Finished { .. } => "Finished",
    }
}

// Checks: B68, P90
#[test]
fn a_task_that_comes_after_the_end_of_its_cooperator_or_of_the_reactor_ends_at_once() {
    let mut scheduler = Scheduler::new(true);
    assert_eq!(scheduler.refusal(), None);
    assert!(!scheduler.stop());
    assert_eq!(scheduler.refusal(), Some(EndReason::SchedulerStopped));
    assert!(!scheduler.start(false));
    assert_eq!(scheduler.refusal(), None);
    assert!(!scheduler.reactor_ended() && !scheduler.start(false));
    assert_eq!(scheduler.refusal(), Some(EndReason::ReactorStopped));
}

// Checks: B68, P34, P90
#[test]
fn a_task_is_stepped_only_while_ready_and_its_end_is_notified_once() {
    let mut rows = Rows::new();
    rows.extend(must_hold(CooperatorWorld::new(Bug::None, 1), 591, 3387));
    rows.extend(must_hold(CooperatorWorld::new(Bug::None, 2), 28206, 247258));
    let task = ["Ready", "Stepping", "Stepping, paused", "Waiting", "Waiting, paused", "Paused", "Finished"];
    let scheduler = ["Idle", "Scheduled", "Ticking", "Stopped", "Unstarted", "Ticking, ended", "Ended"];
    table_file::assert_current("cooperator/task", &table::markdown(&table::rows_of(&rows, &task)));
    table_file::assert_current("cooperator/scheduler", &table::markdown(&table::rows_of(&rows, &scheduler)));
}

// Checks: B68, P34
#[test]
fn injected_bugs_of_the_cooperator_are_found() {
    let must_find = |bug, what| must_find(CooperatorWorld::new(bug, 1), what);
    must_find(Bug::ResumeWakes, "a task that is paused or waits is in the run queue");
    must_find(Bug::ForgetsTheNextTick, "tasks are ready, and no tick is to come");
    must_find(Bug::StaysInTheQueue, "a task that has ended is in the run queue, or waits");
    must_find(Bug::TellsTimersOnly, "the reactor has ended, and who waits for a task is not told");
}
