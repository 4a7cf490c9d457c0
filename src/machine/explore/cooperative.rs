//! The cooperator explored: tasks that are paused, resumed and stopped at every moment, also in their own steps, and a cooperator that is.

use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::cooperative::{Crew, Do, End, Stepped, Task, Unpaused};

const PAUSES: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Member {
    task: Task,
    in_line: bool,
    /// It stands in the middle of a step.
    stepping: bool,
    /// It has yielded a Deferred that has not fired.
    waits: bool,
    /// Pauses that were not taken back.
    pauses: usize,
    steps: u8,
    told: u8,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A resume ends a wait, as Twisted's does.
    ResumeWakes,
    /// The tick does not look whether there is more to do.
    ForgetsTheNextTick,
    /// Whoever ends stays in the line.
    StaysInLine,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Office {
    bug: Bug,
    crew: Crew,
    members: Vec<Member>,
    /// A timer is set.
    timer: bool,
    /// A tick goes on.
    ticking: bool,
    /// It has made a step.
    stepped: bool,
    stops: u8,
    lost: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "numbers are there to be printed")]
enum Event {
    Pauses(usize),
    Resumes(usize),
    Stops(usize),
    StepIsOver(usize, Stepped),
    IsWoken(usize),
    WaitsInVain(usize),
    IsStepped(usize),
    TheTickBegins,
    TheTickIsOver,
    TheCooperatorStarts,
    TheCooperatorStops,
    TheReactorEnds,
}

impl Office {
    fn new(bug: Bug, tasks: usize) -> Self {
        let member =
            Member { task: Task::Ready, in_line: true, stepping: false, waits: false, pauses: 0, steps: 2, told: 0 };
        let (members, stops) = (vec![member; tasks], 1);
        Self {
            bug,
            crew: Crew::new(false),
            members,
            timer: false,
            ticking: false,
            stepped: false,
            stops,
            lost: false,
            violation: None,
        }
    }

    fn any(&self) -> bool {
        self.members.iter().any(|member| member.in_line)
    }

    fn task<A>(
        &self,
        id: usize,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Task) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> (Self, A) {
        let mut next = self.clone();
        let from = label(self.members[id].task);
        let outcome = transition(&mut next.members[id].task);
        steps.row(Row { from, event, action: action(&outcome), to: label(next.members[id].task) });
        (next, outcome)
    }

    fn crew(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Crew) -> bool,
    ) -> bool {
        let from = self.crew.label();
        let outcome = transition(&mut self.crew);
        let action = match (event, outcome) {
            (_, false) => "nothing",
            ("joined" | "start" | "tick over", true) => "set the timer",
            ("stop", true) => "cancel the timer, end all",
            ("emptied", true) => "cancel the timer",
            ("begin tick", true) => "step them",
            (_, true) => "end all",
        };
        steps.row(Row { from, event, action, to: self.crew.label() });
        outcome
    }

    fn carry_out(&mut self, id: usize, what: Do, steps: &mut Steps<'_, Self>) {
        let stays = self.bug == Bug::StaysInLine;
        let member = &mut self.members[id];
        match what {
            Do::Nothing => {}
            Do::Cancel => member.waits = false,
            Do::Join => {
                if self.crew.is_stopped() {
                    let (next, stopped) =
                        self.task(id, steps, "stop", |task| task.stop(End::SchedulerStopped), |_| "tell");
                    *self = next;
                    self.members[id].in_line = false;
                    self.members[id].told += u8::from(stopped.is_ok());
                } else {
                    member.in_line = true;
                    self.timer |= self.crew(steps, "joined", Crew::joined);
                }
            }
            Do::Leave => {
                member.in_line = false;
                self.emptied(steps);
            }
            Do::LeaveAndTell => {
                member.in_line = stays;
                member.told += 1;
                self.emptied(steps);
            }
            Do::Tell => member.told += 1,
            Do::CancelAndTell => {
                member.waits = false;
                member.told += 1;
            }
        }
    }

    fn emptied(&mut self, steps: &mut Steps<'_, Self>) {
        if !self.any() && self.crew(steps, "emptied", Crew::emptied) {
            self.timer = false;
        }
    }

    fn pauses(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.task(id, steps, "pause", Task::pause, |outcome| match outcome {
            Ok(Do::Leave) => "leave the line",
            Ok(_) => "nothing",
            Err(_) => "refuse: finished",
        });
        if let Ok(what) = outcome {
            next.members[id].pauses += 1;
            next.carry_out(id, what, steps);
        }
        next
    }

    fn resumes(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.task(id, steps, "resume", Task::resume, |outcome| match outcome {
            Ok(Do::Join) => "join the line",
            Ok(_) => "nothing",
            Err(Unpaused) => "refuse: not paused",
        });
        if outcome.is_ok() != (self.members[id].pauses > 0) {
            next.violation = Some("what is paused can be resumed, and nothing else");
        }
        if self.bug == Bug::ResumeWakes && self.members[id].waits {
            next.members[id].task = Task::Ready;
            next.members[id].in_line = true;
        }
        if let Ok(what) = outcome {
            next.members[id].pauses = self.members[id].pauses.saturating_sub(1);
            next.carry_out(id, what, steps);
        }
        next
    }

    fn stop(&self, id: usize, end: End, steps: &mut Steps<'_, Self>) -> Self {
        let (mut next, outcome) = self.task(
            id,
            steps,
            "stop",
            |task| task.stop(end),
            |outcome| match outcome {
                Ok(Do::LeaveAndTell) => "leave the line, and tell",
                Ok(Do::CancelAndTell) => "cancel what it waits for, and tell",
                Ok(_) => "tell",
                Err(_) => "refuse: finished",
            },
        );
        if let Ok(what) = outcome {
            next.carry_out(id, what, steps);
        }
        next
    }

    fn step_is_over(&self, id: usize, stepped: Stepped, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        before.members[id].stepping = false;
        before.members[id].waits = stepped == Stepped::Waits;
        before.members[id].steps -= u8::from(matches!(stepped, Stepped::More | Stepped::Waits));
        let event = match stepped {
            Stepped::More => "step more",
            Stepped::Waits => "step waits",
            Stepped::Done => "step done",
            Stepped::Failed => "step failed",
        };
        let (mut next, what) = before.task(id, steps, event, |task| task.stepped(stepped), action);
        next.carry_out(id, what, steps);
        next
    }

    fn woken(&self, id: usize, failed: bool, steps: &mut Steps<'_, Self>) -> Self {
        let mut before = self.clone();
        before.members[id].waits = false;
        let event = if failed { "woken in vain" } else { "woken" };
        let (mut next, what) = before.task(id, steps, event, |task| task.woken(failed), action);
        next.carry_out(id, what, steps);
        next
    }

    fn all_end(mut self, end: End, steps: &mut Steps<'_, Self>) -> Self {
        for id in 0..self.members.len() {
            self = self.stop(id, end, steps);
        }
        self
    }

    fn crew_steps(&self, steps: &mut Steps<'_, Self>) {
        if self.timer {
            let mut next = self.clone();
            next.timer = false;
            next.ticking = next.crew(steps, "begin tick", Crew::begin);
            next.stepped = false;
            steps.fair(Event::TheTickBegins, next);
            let mut next = self.clone();
            (next.timer, next.lost) = (false, true);
            if next.crew(steps, "lost", Crew::lost) {
                next = next.all_end(End::ReactorStopped, steps);
            }
            steps.unfair(Event::TheReactorEnds, next);
        }
        let at_work = self.members.iter().any(|member| member.stepping);
        if self.ticking && !at_work {
            let mut next = self.clone();
            (next.ticking, next.stepped) = (false, false);
            let any = self.any() && self.bug != Bug::ForgetsTheNextTick;
            next.timer |= next.crew(steps, "tick over", |crew| crew.over(any));
            if self.stepped || !self.any() {
                steps.fair(Event::TheTickIsOver, next);
            }
            if let Some(id) = self.members.iter().position(|member| member.in_line) {
                let mut next = self.clone();
                next.stepped = true;
                let member = &mut next.members[id];
                (member.in_line, member.stepping) = (false, true);
                member.task.begin();
                let (from, to) = (label(self.members[id].task), label(next.members[id].task));
                steps.row(Row { from, event: "begin", action: "step it", to });
                steps.fair(Event::IsStepped(id), next);
            }
        }
        let mut next = self.clone();
        let any = self.any();
        next.timer |= next.crew(steps, "start", |crew| crew.start(any));
        steps.unfair(Event::TheCooperatorStarts, next);
        if self.stops > 0 {
            let mut next = self.clone();
            next.stops -= 1;
            if next.crew(steps, "stop", Crew::stop) {
                next.timer = false;
            }
            let next = next.all_end(End::SchedulerStopped, steps);
            steps.unfair(Event::TheCooperatorStops, next);
        }
    }
}

impl World for Office {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if !self.lost {
            self.crew_steps(steps);
        }
        for id in 0..self.members.len() {
            let member = &self.members[id];
            if member.pauses < PAUSES {
                let next = self.pauses(id, steps);
                steps.unfair(Event::Pauses(id), next);
            }
            let next = self.resumes(id, steps);
            steps.unfair(Event::Resumes(id), next);
            let next = self.stop(id, End::Stopped, steps);
            steps.unfair(Event::Stops(id), next);
            if member.stepping {
                for stepped in [Stepped::More, Stepped::Waits, Stepped::Done, Stepped::Failed] {
                    if member.steps == 0 && matches!(stepped, Stepped::More | Stepped::Waits) {
                        continue;
                    }
                    let next = self.step_is_over(id, stepped, steps);
                    steps.user_fair(Event::StepIsOver(id, stepped), next);
                }
            }
            if member.waits && !member.stepping {
                let (woken, in_vain) = (self.woken(id, false, steps), self.woken(id, true, steps));
                steps.user_fair(Event::IsWoken(id), woken);
                steps.user_fair(Event::WaitsInVain(id), in_vain);
            }
        }
    }

    fn violation(&self) -> Option<&'static str> {
        for member in &self.members {
            let over = member.task.end().is_some();
            if member.told != u8::from(over) {
                return Some("the end is told once, when there is one");
            }
            if over && (member.in_line || member.waits && !member.stepping) {
                return Some("a task that has ended is stepped, or waits");
            }
            if !over && member.in_line && (member.pauses > 0 || member.waits || member.stepping) {
                return Some("a task is stepped that is paused, or waits");
            }
            let idle = !over && member.pauses == 0 && !member.waits && !member.stepping;
            if idle && !member.in_line {
                return Some("a task is ready, and not in the line");
            }
        }
        if self.timer && !self.any() {
            return Some("a timer is set, and there is nothing to step");
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        let at_work = self.ticking || self.timer || self.lost;
        (self.any() && self.crew.is_running() && !at_work).then_some("tasks are ready, and no tick is to come")
    }
}

fn action(what: &Do) -> &'static str {
    match what {
        Do::Nothing => "nothing",
        Do::Join => "join the line",
        Do::Leave => "leave the line",
        Do::LeaveAndTell => "leave the line, and tell",
        Do::Tell => "tell",
        Do::CancelAndTell => "cancel what it waits for, and tell",
        Do::Cancel => "cancel what it yielded",
    }
}

fn label(task: Task) -> &'static str {
    match task {
        Task::Ready => "Ready",
        Task::Stepping { pauses: 0 } => "Stepping",
        Task::Stepping { .. } => "Stepping, paused",
        Task::Waiting { pauses: 0 } => "Waiting",
        Task::Waiting { .. } => "Waiting, paused",
        Task::Paused { .. } => "Paused",
        Task::Over { .. } => "Over",
    }
}

// Checks: B68, P34
#[test]
fn a_task_is_stepped_while_it_is_ready_and_its_end_is_told_once() {
    let mut rows = Rows::new();
    rows.extend(must_hold(Office::new(Bug::None, 1), 342, 1752));
    rows.extend(must_hold(Office::new(Bug::None, 2), 16182, 133363));
    let crew = ["Idle", "Scheduled", "Ticking", "Stopped", "Unstarted"];
    let (crew, tasks): (Rows, Rows) = rows.into_iter().partition(|row| crew.contains(&row.from));
    let text = format!("The task:\n\n{}\n\nThe cooperator:\n\n{}", table::markdown(&tasks), table::markdown(&crew));
    table_file::assert_current("cooperative", &text);
}

// Checks: B68, P34
#[test]
fn injected_bugs_of_the_cooperator_are_found() {
    let must_find = |bug, what| must_find(Office::new(bug, 1), what);
    must_find(Bug::ResumeWakes, "a task is stepped that is paused, or waits");
    must_find(Bug::ForgetsTheNextTick, "tasks are ready, and no tick is to come");
    must_find(Bug::StaysInLine, "a task that has ended is stepped, or waits");
}
