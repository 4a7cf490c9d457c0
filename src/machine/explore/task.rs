//! The task explored: threads that have news for it and wake it, itself among them, against the loop that polls it and a canceller.

use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::task::{Begin, Task, Woken};

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A wake that comes while the task is polled is taken for one that comes before.
    ForgetsAWakeDuringThePoll,
    /// Each wake posts a call.
    PostsForEachWake,
    /// A task that is gone stands as if it were idle.
    ForgetsThatItIsOver,
    /// The end of a poll forgets what came during it.
    FallsIdleAlthoughWoken,
}

/// What a thread does that has news for the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Waker {
    HasNews,
    ToWake,
    ToPost,
    Done,
}

/// What the loop does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loop {
    /// Is between calls.
    Free,
    /// Polls the task, whose future has not looked yet.
    Polls,
    /// Polls the task, whose future has seen so many of the news.
    Saw(u8),
    /// Has polled it, and owes a post.
    ToPost,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Tasks {
    bug: Bug,
    task: Task,
    /// Calls that are posted and will poll it.
    posted: u8,
    turn: Loop,
    wakers: Vec<Waker>,
    /// What the task waits for: all wakers' news. What has come, and what the future has seen of it.
    news: u8,
    seen: u8,
    /// How often the future still wakes itself.
    own_wakes: u8,
    may_cancel: bool,
    gone: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "which thread it is is read in the trace of a counterexample")]
enum Event {
    BringsNews(usize),
    Wakes(usize),
    Posts(usize),
    TheCallIsRun,
    TheFutureLooks,
    TheFutureWakesItself,
    ThePollEnds,
    TheLoopPosts,
    IsCancelled,
}

impl Tasks {
    fn new(wakers: usize, own_wakes: u8, may_cancel: bool, bug: Bug) -> Self {
        Self {
            bug,
            task: Task::new(),
            posted: 1,
            turn: Loop::Free,
            wakers: vec![Waker::HasNews; wakers],
            news: 0,
            seen: 0,
            own_wakes,
            may_cancel,
            gone: false,
            violation: None,
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

    fn wake(&mut self, steps: &mut Steps<'_, Self>) -> Woken {
        let before = self.task;
        let owed = self.step(steps, "wake", Task::wake, woken);
        match self.bug {
            Bug::ForgetsAWakeDuringThePoll if before == Task::Polling => self.task = before,
            Bug::PostsForEachWake => return Woken::Schedule,
            _ => {}
        }
        owed
    }

    fn finish(&mut self, steps: &mut Steps<'_, Self>) {
        self.step(steps, "finish", Task::finish, |()| "nothing");
        self.gone = true;
        if self.bug == Bug::ForgetsThatItIsOver {
            self.task = Task::Idle;
        }
    }

    fn waker_step(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let mut next = self.clone();
        match self.wakers[at] {
            Waker::HasNews => {
                next.news += 1;
                next.wakers[at] = Waker::ToWake;
                steps.user_fair(Event::BringsNews(at), next);
            }
            Waker::ToWake => {
                let owed = next.wake(steps);
                next.wakers[at] = if owed == Woken::Schedule { Waker::ToPost } else { Waker::Done };
                steps.fair(Event::Wakes(at), next);
            }
            Waker::ToPost => {
                next.posted += 1;
                next.wakers[at] = Waker::Done;
                steps.fair(Event::Posts(at), next);
            }
            Waker::Done => {}
        }
    }

    fn loop_step(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.turn {
            Loop::Free if self.posted > 0 => {
                next.posted -= 1;
                let begun = next.step(steps, "begin", Task::begin, |begin| match begin {
                    Begin::Poll => "poll",
                    Begin::Leave => "nothing",
                });
                if begun == Begin::Poll {
                    if next.gone {
                        next.violation = Some("a task is polled that is gone");
                    }
                    next.turn = Loop::Polls;
                }
                steps.fair(Event::TheCallIsRun, next);
            }
            Loop::Free => {}
            Loop::Polls => {
                next.turn = Loop::Saw(self.news);
                steps.fair(Event::TheFutureLooks, next);
            }
            Loop::Saw(seen) => {
                next.seen = seen;
                next.turn = Loop::Free;
                if next.gone {
                    // Cancelled while it was polled: nothing more is done with it.
                } else if usize::from(seen) == self.wakers.len() {
                    next.finish(steps);
                } else if next.step(steps, "pending", Task::pending, woken) == Woken::Schedule {
                    if self.bug == Bug::FallsIdleAlthoughWoken {
                        next.task = Task::Idle;
                    } else {
                        next.turn = Loop::ToPost;
                    }
                }
                steps.fair(Event::ThePollEnds, next);
            }
            Loop::ToPost => {
                next.posted += 1;
                next.turn = Loop::Free;
                steps.fair(Event::TheLoopPosts, next);
            }
        }
        if matches!(self.turn, Loop::Polls | Loop::Saw(_)) && self.own_wakes > 0 {
            let mut next = self.clone();
            next.own_wakes -= 1;
            if next.wake(steps) == Woken::Schedule {
                next.posted += 1;
            }
            steps.unfair(Event::TheFutureWakesItself, next);
        }
        // The canceller runs on the loop's thread: between calls, or called by the future itself.
        if self.may_cancel && !self.gone && self.turn != Loop::ToPost {
            let mut next = self.clone();
            next.may_cancel = false;
            next.finish(steps);
            steps.unfair(Event::IsCancelled, next);
        }
    }

    /// Calls that will poll it, posted or about to be.
    fn under_way(&self) -> usize {
        let to_post = self.wakers.iter().filter(|&&waker| waker == Waker::ToPost).count();
        usize::from(self.posted) + to_post + usize::from(self.turn == Loop::ToPost)
    }
}

impl World for Tasks {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        self.loop_step(steps);
        for at in 0..self.wakers.len() {
            self.waker_step(steps, at);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let polled = matches!(self.turn, Loop::Polls | Loop::Saw(_));
        let checks = [
            (self.under_way() <= 1, "a task is posted twice"),
            (
                self.gone == (self.task == Task::Done),
                "a task that is gone does not know it, or one that knows it is not",
            ),
            (
                self.gone || polled == matches!(self.task, Task::Polling | Task::PollingWoken),
                "a task is wrong about being polled",
            ),
            (
                self.gone || (self.under_way() == 1) == (self.task == Task::Scheduled),
                "a task is wrong about being posted",
            ),
        ];
        self.violation.or_else(|| checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what))
    }

    fn stuck(&self) -> Option<&'static str> {
        (!self.gone && self.seen < self.news).then_some("a wake is lost: there are news that nobody will look at")
    }

    fn unfinished(&self) -> Option<&'static str> {
        (!self.gone).then_some("a task hangs although all its news have come")
    }
}

fn woken(woken: &Woken) -> &'static str {
    match woken {
        Woken::OweNothing => "nothing",
        Woken::Schedule => "post the call that polls it",
    }
}

fn label(task: Task) -> &'static str {
    match task {
        Task::Idle => "Idle",
        Task::Scheduled => "Scheduled",
        Task::Polling => "Polling",
        Task::PollingWoken => "PollingWoken",
        Task::Done => "Done",
    }
}

// Checks: P21, P23
#[test]
fn no_wake_of_a_task_is_lost_and_none_posts_it_twice() {
    let mut rows = must_hold(Tasks::new(3, 2, true, Bug::None), 3308, 11646);
    rows.extend(must_hold(Tasks::new(4, 0, false, Bug::None), 2439, 7786));
    table_file::assert_current("task", &table::markdown(&rows));
}

// Checks: P21, P23
#[test]
fn injected_bugs_of_the_task_are_found() {
    must_find(
        Tasks::new(1, 0, false, Bug::ForgetsAWakeDuringThePoll),
        "a wake is lost: there are news that nobody will look at",
    );
    must_find(Tasks::new(1, 0, false, Bug::PostsForEachWake), "a task is posted twice");
    must_find(
        Tasks::new(1, 0, true, Bug::ForgetsThatItIsOver),
        "a task that is gone does not know it, or one that knows it is not",
    );
    must_find(
        Tasks::new(1, 0, false, Bug::FallsIdleAlthoughWoken),
        "a wake is lost: there are news that nobody will look at",
    );
}
