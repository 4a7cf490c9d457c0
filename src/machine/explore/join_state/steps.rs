//! The steps of the world: what each thread, each caller, the pool and the closing thread may do next.

use super::super::Steps;
use super::{Activity, Bug, Closing, Event, JoinWorld, Thread, Told, Waiter};
use crate::machine::pool::{EndAction, EndWait, JoinState};

impl JoinWorld {
    /// Carries out what is owed, with each result that it may have.
    pub(super) fn owed_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let mut next = self.clone();
        match next.owed.remove(at) {
            EndAction::Nothing => {}
            EndAction::Wake if self.bug == Bug::WakesNobody => {}
            EndAction::Wake => next.wake_waiters(),
            EndAction::Announce => {
                let all_joined = self.threads.iter().all(|thread| *thread == Activity::Joined);
                if !all_joined && self.closing != Closing::Failed {
                    next.violate("the end is announced, and a thread is not joined");
                }
                next.wake_waiters();
                if next.told == Told::NotYet {
                    next.told = Told::Learns;
                }
            }
            EndAction::Close(last) => {
                if self.failures > 0 {
                    let mut failed = next.clone();
                    failed.failures -= 1;
                    failed.closing = Closing::Failed;
                    if self.bug != Bug::HidesFailedClosing {
                        failed.owe(steps, "not_closed", |state| state.not_closed(last));
                    }
                    steps.fair(Event::ClosingFails, failed);
                }
                next.closing = Closing::Joins(last);
            }
        }
        steps.fair(Event::CarriesOut, next);
    }

    fn wake_waiters(&mut self) {
        let sleeping = self.waiters.iter_mut().filter(|waiter| **waiter == Waiter::Sleeps);
        sleeping.for_each(|waiter| *waiter = Waiter::Looks);
    }

    pub(super) fn thread_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let thread = at as Thread;
        let mut next = self.clone();
        match self.threads[at] {
            Activity::Spawning => {
                next.threads[at] = Activity::Works;
                steps.fair(Event::Starts(thread), next);
                if self.failures > 0 {
                    let mut failed = self.clone();
                    failed.failures -= 1;
                    failed.step(steps, "spawn_failed", JoinState::spawn_failed, |()| "nothing");
                    failed.threads[at] = Activity::Joined;
                    steps.fair(Event::SpawnFails(thread), failed);
                }
            }
            Activity::Works => {
                let is_other_live = |other: &(usize, &Activity)| other.0 != at && is_live(other.1);
                let drains = self.stopping && !self.threads.iter().enumerate().any(|other| is_other_live(&other));
                next.drained |= drains;
                next.threads[at] = Activity::RunsDestructors { drains };
                if self.stopping {
                    steps.user_fair(Event::Exits(thread), next);
                } else {
                    steps.unfair(Event::Exits(thread), next);
                }
            }
            Activity::RunsDestructors { drains } => {
                let (previous, action) = next.step(steps, "ended", |state| state.ended(thread, drains), ended_label);
                next.owes(action);
                let previous = previous.filter(|_| self.bug != Bug::ForgetsThePrevious);
                next.threads[at] = Activity::Joins(previous);
                steps.user_fair(Event::Ends(thread), next);
            }
            Activity::Joins(Some(previous)) => {
                if let Some(mut next) = self.joined(previous) {
                    next.threads[at] = Activity::Joins(None);
                    steps.fair(Event::Joins(previous), next);
                }
            }
            Activity::Joins(None) => {
                next.threads[at] = Activity::Gone;
                if self.bug == Bug::EndsEarly {
                    steps.user_fair(Event::Ends(thread), next);
                } else {
                    steps.fair(Event::Ends(thread), next);
                }
            }
            Activity::Gone | Activity::Joined => {}
        }
    }

    pub(super) fn pool_steps(&self, steps: &mut Steps<'_, Self>) {
        if self.spawns > 0 && !self.drained {
            let mut next = self.clone();
            next.spawns -= 1;
            next.step(steps, "spawn", JoinState::spawn, |()| "spawn the thread");
            next.threads.push(Activity::Spawning);
            steps.unfair(Event::Spawns, next);
        }
        if !self.stopping {
            let mut next = self.clone();
            next.stopping = true;
            steps.unfair(Event::Stops, next);
        }
        if self.stopping && !self.drained && !self.threads.iter().any(is_live) {
            let mut next = self.clone();
            next.drained = true;
            next.owe(steps, "drained", JoinState::drained);
            steps.fair(Event::Drains, next);
        }
        if self.drained && self.repeats > 0 {
            let mut next = self.clone();
            next.repeats -= 1;
            next.owe(steps, "drained", JoinState::drained);
            steps.unfair(Event::Drains, next);
        }
        if let Closing::Joins(last) = self.closing
            && let Some(mut next) = self.joined(last)
        {
            let own = self.closing_number();
            if self.told == Told::NotYet {
                // Whom it is about to tell may have a host.
                let mut wakes_host = next.clone();
                wakes_host.closing = Closing::WakesHost;
                let left = (self.bug == Bug::LeavesWhatWakesAHost).then_some(own);
                wakes_host.owe(steps, "closed, and wakes a host", |state| state.closed(left));
                steps.fair(Event::ClosingJoins, wakes_host);
            }
            next.closing = Closing::Gone;
            next.owe(steps, "closed", |state| state.closed(Some(own)));
            steps.fair(Event::ClosingJoins, next);
        }
    }

    pub(super) fn waiter_steps(&self, steps: &mut Steps<'_, Self>, at: usize) {
        let mut next = self.clone();
        let limited = self.plan.limited[at];
        match self.waiters[at] {
            Waiter::NotCalled => {
                next.waiters[at] = Waiter::Looks;
                steps.unfair(Event::Waits(at), next);
            }
            Waiter::Looks => {
                let limited = limited && self.bug != Bug::JoinsInPlaceOfClosing;
                let wait = next.step(steps, "wait", |state| state.wait(limited), wait_label);
                next.waiters[at] = match wait {
                    EndWait::Sleep => Waiter::Sleeps,
                    EndWait::Join(thread) => {
                        let is_closing = thread == self.closing_number();
                        if self.plan.limited[at] && !is_closing && self.closing != Closing::Failed {
                            next.violate("a caller with a limit joins a thread of the pool");
                        }
                        Waiter::Joins(thread)
                    }
                    EndWait::Close(last) => {
                        next.owes(EndAction::Close(last));
                        Waiter::Looks
                    }
                    EndWait::Return => Waiter::Returned,
                };
                steps.fair(Event::Looks(at), next);
            }
            Waiter::Sleeps => {
                if limited {
                    let mut next = self.clone();
                    next.waiters[at] = Waiter::TimedOut;
                    steps.unfair(Event::TimesOut(at), next);
                }
                next.waiters[at] = Waiter::Looks;
                steps.unfair(Event::WakesSpuriously(at), next);
            }
            Waiter::Joins(thread) => {
                if let Some(mut next) = self.joined(thread) {
                    next.owe(steps, "joined", JoinState::joined);
                    next.waiters[at] = Waiter::Returned;
                    steps.fair(Event::Joins(thread), next);
                }
            }
            Waiter::Returned | Waiter::TimedOut => {}
        }
    }

    pub(super) fn told_steps(&self, steps: &mut Steps<'_, Self>) {
        let mut next = self.clone();
        match self.told {
            Told::NotAsked if self.plan.is_told => {
                next.told = Told::NotYet;
                next.owe(steps, "request", JoinState::request);
                steps.unfair(Event::Asks, next);
            }
            Told::Learns => {
                let left = next.step(steps, "take_left", JoinState::take_left, |left| match left {
                    Some(_) => "join the thread, and say so",
                    None => "nothing",
                });
                next.told = left.map_or(Told::Done, Told::Joins);
                steps.fair(Event::Learns, next);
            }
            Told::Joins(thread) => {
                if let Some(mut next) = self.joined(thread) {
                    next.owe(steps, "joined", JoinState::joined);
                    next.told = Told::Done;
                    steps.fair(Event::Joins(thread), next);
                }
            }
            Told::NotAsked | Told::NotYet | Told::Done => {}
        }
    }
}

fn is_live(thread: &Activity) -> bool {
    matches!(thread, Activity::Spawning | Activity::Works)
}

pub(super) fn action_label(action: &EndAction<Thread>) -> &'static str {
    match action {
        EndAction::Nothing => "nothing",
        EndAction::Wake => "wake those who wait",
        EndAction::Close(_) => "spawn the closing thread",
        EndAction::Announce => "announce the end",
    }
}

fn ended_label((previous, action): &(Option<Thread>, EndAction<Thread>)) -> &'static str {
    match (previous, action) {
        (None, EndAction::Nothing) => "nothing",
        (None, action) => action_label(action),
        (Some(_), EndAction::Nothing) => "join the thread before it",
        (Some(_), EndAction::Wake) => "wake those who wait, join the thread before it",
        (Some(_), EndAction::Close(_)) => "spawn the closing thread, join the thread before it",
        (Some(_), EndAction::Announce) => "announce the end, join the thread before it",
    }
}

fn wait_label(wait: &EndWait<Thread>) -> &'static str {
    match wait {
        EndWait::Sleep => "sleep, and look again",
        EndWait::Join(_) => "join the thread, say so, and return",
        EndWait::Close(_) => "spawn the closing thread, and look again",
        EndWait::Return => "return",
    }
}
