//! Exhaustive search of the task: threads that complete what its future waits for and then wake it, a future that
//! wakes itself, the loop that polls it, and a canceller.

use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::task::{PollRequest, Task};

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A wake during a poll is not recorded.
    ForgetsAWakeDuringThePoll,
    /// Every wake posts a call.
    PostsForEachWake,
    /// A task that is done says that it is idle.
    ForgetsThatItIsDone,
    /// It becomes idle when its poll is over, and not when that begins.
    IsScheduledDuringThePoll,
}

/// What a thread does next that completes an operation for which the future waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Waker {
    Complete,
    Wake,
    /// Posts the call that polls the task.
    Post,
    Done,
}

/// What the reactor's loop is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loop {
    /// It is between calls.
    Free,
    /// It polls the task, whose future has not looked at the operations yet.
    Polling,
    /// It polls the task, whose future has seen this many completed operations.
    Saw(u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TaskWorld {
    bug: Bug,
    task: Task,
    /// Calls that are posted and not yet run.
    posted: u8,
    reactor: Loop,
    wakers: Vec<Waker>,
    /// Completed operations. The future is ready when it has seen that of every waker.
    completed: u8,
    /// Completed operations that the future has seen.
    seen: u8,
    /// How many times more the future may wake itself.
    own_wakes: u8,
    may_cancel: bool,
    done: bool,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the thread's number is read in a counterexample")]
enum Event {
    Complete(usize),
    Wake(usize),
    Post(usize),
    CallRuns,
    FutureLooks,
    FutureWakesItself,
    PollEnds,
    Cancel,
}

impl TaskWorld {
    fn new(wakers: usize, own_wakes: u8, may_cancel: bool, bug: Bug) -> Self {
        Self {
            bug,
            task: Task::new(),
            posted: 1,
            reactor: Loop::Free,
            wakers: vec![Waker::Complete; wakers],
            completed: 0,
            seen: 0,
            own_wakes,
            may_cancel,
            done: false,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Task) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = label(self.task);
        let owed = transition(&mut self.task);
        steps.row(Row { from, event, action: action(&owed), to: label(self.task) });
        owed
    }

    fn wake(&mut self, steps: &mut Steps<'_, Self>) -> PollRequest {
        if self.bug == Bug::ForgetsAWakeDuringThePoll && self.reactor != Loop::Free {
            return PollRequest::Nothing;
        }
        let owed = self.step(steps, "wake", Task::wake, owed);
        if self.bug == Bug::PostsForEachWake { PollRequest::Post } else { owed }
    }

    fn finish(&mut self, steps: &mut Steps<'_, Self>) {
        self.step(steps, "finish", Task::finish, |()| "nothing");
        self.done = true;
        if self.bug == Bug::ForgetsThatItIsDone {
            self.task = Task::Idle;
        }
    }

    fn waker_step(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let mut next = self.clone();
        match self.wakers[at] {
            Waker::Complete => {
                next.completed += 1;
                next.wakers[at] = Waker::Wake;
                steps.user_fair(Event::Complete(at), next);
            }
            Waker::Wake => {
                let owed = next.wake(steps);
                next.wakers[at] = if owed == PollRequest::Post { Waker::Post } else { Waker::Done };
                steps.fair(Event::Wake(at), next);
            }
            Waker::Post => {
                next.posted += 1;
                next.wakers[at] = Waker::Done;
                steps.fair(Event::Post(at), next);
            }
            Waker::Done => {}
        }
    }

    fn loop_step(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.reactor {
            Loop::Free if self.posted > 0 => {
                next.posted -= 1;
                // The reactor finds no task that is done.
                if !next.done {
                    if self.bug != Bug::IsScheduledDuringThePoll {
                        next.step(steps, "begin", Task::begin, |()| "poll");
                    }
                    next.reactor = Loop::Polling;
                }
                steps.fair(Event::CallRuns, next);
            }
            Loop::Free => {}
            Loop::Polling => {
                next.reactor = Loop::Saw(self.completed);
                steps.fair(Event::FutureLooks, next);
            }
            Loop::Saw(seen) => {
                next.seen = seen;
                next.reactor = Loop::Free;
                if next.done {
                    // Cancelled during the poll.
                } else if usize::from(seen) == self.wakers.len() {
                    next.finish(steps);
                } else if self.bug == Bug::IsScheduledDuringThePoll {
                    next.task.begin();
                }
                steps.fair(Event::PollEnds, next);
            }
        }
        if matches!(self.reactor, Loop::Polling | Loop::Saw(_)) && self.own_wakes > 0 {
            let mut next = self.clone();
            next.own_wakes -= 1;
            if next.wake(steps) == PollRequest::Post {
                next.posted += 1;
            }
            steps.unfair(Event::FutureWakesItself, next);
        }
        // The canceller runs on the loop's thread: between calls, or from inside the future.
        if self.may_cancel && !self.done {
            let mut next = self.clone();
            next.may_cancel = false;
            next.finish(steps);
            steps.unfair(Event::Cancel, next);
        }
    }

    /// Calls that will poll it, posted or owed.
    fn calls(&self) -> usize {
        let owed = self.wakers.iter().filter(|&&waker| waker == Waker::Post).count();
        usize::from(self.posted) + owed
    }
}

impl World for TaskWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        self.loop_step(steps);
        for at in 0..self.wakers.len() {
            self.waker_step(steps, at);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let checks = [
            (self.calls() <= 1, "a task is posted twice"),
            (self.done == (self.task == Task::Done), "the machine is wrong about whether the task is done"),
            (
                self.done || (self.calls() == 1) == (self.task == Task::Scheduled),
                "the machine is wrong about whether the task is posted",
            ),
        ];
        checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what)
    }

    fn stuck(&self) -> Option<&'static str> {
        (!self.done && self.seen < self.completed)
            .then_some("a wake is lost: an operation is completed, and no poll is to come")
    }

    fn unfinished(&self) -> Option<&'static str> {
        (!self.done).then_some("all operations are completed, and the task is not done")
    }
}

fn owed(request: &PollRequest) -> &'static str {
    match request {
        PollRequest::Nothing => "nothing",
        PollRequest::Post => "post the call that polls it",
    }
}

fn label(task: Task) -> &'static str {
    match task {
        Task::Idle => "Idle",
        Task::Scheduled => "Scheduled",
        Task::Done => "Done",
    }
}

// Checks: P21, P23
#[test]
fn no_wake_is_lost_and_none_posts_the_task_twice() {
    let mut rows = must_hold(TaskWorld::new(3, 2, true, Bug::None), 5281, 19653);
    rows.extend(must_hold(TaskWorld::new(4, 0, false, Bug::None), 3512, 11795));
    table_file::assert_current("task", &table::markdown(&rows));
}

// Checks: P21, P23
#[test]
fn injected_bugs_of_the_task_are_found() {
    must_find(
        TaskWorld::new(1, 0, false, Bug::ForgetsAWakeDuringThePoll),
        "a wake is lost: an operation is completed, and no poll is to come",
    );
    must_find(TaskWorld::new(1, 0, false, Bug::PostsForEachWake), "a task is posted twice");
    must_find(
        TaskWorld::new(1, 0, true, Bug::ForgetsThatItIsDone),
        "the machine is wrong about whether the task is done",
    );
    must_find(
        TaskWorld::new(1, 0, false, Bug::IsScheduledDuringThePoll),
        "the machine is wrong about whether the task is posted",
    );
}
