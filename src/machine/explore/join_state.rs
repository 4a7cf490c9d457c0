//! Exhaustive search of the end of a pool's threads: threads that end at the same time, callers that wait with and
//! without a limit, one that is told, and a closing thread that may not start.

mod steps;

use self::steps::action_label;
use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::pool::{EndAction, JoinState};

/// A thread's number, which stands for its handle. The closing thread has the number after the last worker's.
type Thread = u8;

/// What may happen in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Plan {
    /// Threads that may be spawned, at first or later.
    threads: u8,
    /// Callers that wait for the end, each with a limit or without one.
    limited: &'static [bool],
    /// Somebody who does not wait wants to be told.
    is_told: bool,
    /// Starts that may fail, of workers' threads and of the closing thread.
    failures: u8,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A thread that ends does not join the one before it (R13).
    ForgetsThePrevious,
    /// A thread tells the machine that it ends before its destructors have run (R36).
    EndsEarly,
    /// A caller with a limit joins the last thread itself (R38).
    JoinsInPlaceOfClosing,
    /// Those who wait are not woken when the last thread has ended.
    WakesNobody,
    /// A closing thread that could not be started is not reported to the machine.
    HidesFailedClosing,
    /// A closing thread that wakes a host leaves its handle all the same.
    LeavesWhatWakesAHost,
}

/// What a worker's thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Activity {
    /// Is counted, and about to be spawned.
    Spawning,
    Works,
    /// Has exited, and runs destructors of thread-locals, which are user code. `drains`: its worker was the pool's
    /// last.
    RunsDestructors {
        drains: bool,
    },
    /// Has ended for the machine, and joins the thread that ended before it.
    Joins(Option<Thread>),
    /// Has ended for the operating system.
    Gone,
    /// Is joined, or could not be spawned.
    Joined,
}

/// What the closing thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Closing {
    NotSpawned,
    /// It could not be spawned.
    Failed,
    Joins(Thread),
    /// It wakes a host, whose hook may take for ever.
    WakesHost,
    Gone,
    Joined,
}

/// What a caller does that waits for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Waiter {
    NotCalled,
    Looks,
    Sleeps,
    Joins(Thread),
    Returned,
    TimedOut,
}

/// What somebody does who does not wait, and is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
    NotAsked,
    NotYet,
    /// Was told, and is about to take what is left to be joined.
    Learns,
    Joins(Thread),
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct JoinWorld {
    plan: Plan,
    bug: Bug,
    machine: JoinState<Thread>,
    threads: Vec<Activity>,
    spawns: u8,
    failures: u8,
    /// The pool was told to stop.
    stopping: bool,
    /// Neither jobs nor workers are left, and none will come.
    drained: bool,
    /// Somebody tells the machine so once more.
    repeats: u8,
    closing: Closing,
    waiters: Vec<Waiter>,
    told: Told,
    /// What some thread is carrying out.
    owed: Vec<EndAction<Thread>>,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the numbers are read in the trace of a counterexample")]
enum Event {
    Spawns,
    SpawnFails(Thread),
    Starts(Thread),
    Exits(Thread),
    Ends(Thread),
    Joins(Thread),
    CarriesOut,
    ClosingFails,
    ClosingJoins,
    Stops,
    Drains,
    Waits(usize),
    Looks(usize),
    TimesOut(usize),
    WakesSpuriously(usize),
    Asks,
    Learns,
}

impl JoinWorld {
    fn new(plan: Plan, bug: Bug) -> Self {
        Self {
            plan,
            bug,
            machine: JoinState::new(),
            threads: Vec::new(),
            spawns: plan.threads,
            failures: plan.failures,
            stopping: false,
            drained: false,
            repeats: 1,
            closing: Closing::NotSpawned,
            waiters: vec![Waiter::NotCalled; plan.limited.len()],
            told: Told::NotAsked,
            owed: Vec::new(),
            violation: None,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut JoinState<Thread>) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let from = self.machine.stage_label();
        let outcome = transition(&mut self.machine);
        steps.row(Row { from, event, action: action(&outcome), to: self.machine.stage_label() });
        outcome
    }

    /// A transition whose action is carried out later.
    fn owe(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut JoinState<Thread>) -> EndAction<Thread>,
    ) {
        let action = self.step(steps, event, transition, action_label);
        self.owes(action);
    }

    fn owes(&mut self, action: EndAction<Thread>) {
        if action != EndAction::Nothing {
            self.owed.push(action);
        }
    }

    fn violate(&mut self, property: &'static str) {
        self.violation.get_or_insert(property);
    }

    fn closing_number(&self) -> Thread {
        self.plan.threads
    }

    /// The same world with this thread joined; `None` while it has not ended.
    fn joined(&self, thread: Thread) -> Option<Self> {
        let mut next = self.clone();
        if thread == self.closing_number() {
            next.closing = Closing::Joined;
            return (self.closing == Closing::Gone).then_some(next);
        }
        match &mut next.threads[usize::from(thread)] {
            gone @ Activity::Gone => *gone = Activity::Joined,
            Activity::Joined => next.violate("a thread is joined twice"),
            _ => return None,
        }
        Some(next)
    }
}

impl World for JoinWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        (0..self.owed.len()).for_each(|at| self.owed_steps(steps, at));
        (0..self.threads.len()).for_each(|at| self.thread_steps(steps, at));
        (0..self.waiters.len()).for_each(|at| self.waiter_steps(steps, at));
        self.pool_steps(steps);
        self.told_steps(steps);
    }

    fn violation(&self) -> Option<&'static str> {
        let gone = self.threads.iter().filter(|thread| **thread == Activity::Gone).count();
        let returned = self.waiters.contains(&Waiter::Returned);
        if self.violation.is_some() {
            self.violation
        } else if gone > 1 {
            Some("more than one thread has ended and is not joined")
        } else if returned && (gone > 0 || self.closing == Closing::Gone) {
            Some("a caller returns, and a thread is not joined")
        } else if self.machine.has_ended() != (self.drained && !self.threads.iter().any(may_run_code)) {
            Some("it is wrong whether all threads have ended")
        } else {
            None
        }
    }

    /// Destructors may take for ever: whatever waits must wait for one of them.
    fn stuck(&self) -> Option<&'static str> {
        if self.threads.iter().any(|thread| matches!(thread, Activity::Joins(Some(_)))) {
            return Some("a thread waits for the destructors of another");
        }
        let has_ended = self.drained && !self.threads.iter().any(may_run_code);
        let waits = |waiter: &Waiter| matches!(waiter, Waiter::Sleeps | Waiter::Joins(_));
        if has_ended && self.waiters.iter().any(waits) {
            return Some("all threads have ended, and a caller waits");
        }
        if has_ended && matches!(self.told, Told::NotYet | Told::Joins(_)) {
            return Some("all threads have ended, and somebody is not told");
        }
        None
    }
}

/// Whether code of the program runs on this thread, or may come to.
fn may_run_code(thread: &Activity) -> bool {
    matches!(thread, Activity::Spawning | Activity::Works | Activity::RunsDestructors { .. })
}

/// Two threads, two that wait in either way, and one that is told.
const SMALL: Plan = Plan { threads: 2, limited: &[false, true], is_told: true, failures: 1 };

// Checks: P56, R9, R29, R36, R38
#[test]
fn whoever_waits_for_the_end_learns_it_and_waits_for_no_destructor_that_it_need_not() {
    let mut rows = must_hold(JoinWorld::new(SMALL, Bug::None), 16_300, 71_168);
    let stoppers = Plan { threads: 2, limited: &[false, false], is_told: false, failures: 0 };
    rows.extend(must_hold(JoinWorld::new(stoppers, Bug::None), 1_510, 5_702));
    let limited = Plan { threads: 1, limited: &[true, true], is_told: true, failures: 1 };
    rows.extend(must_hold(JoinWorld::new(limited, Bug::None), 5_244, 21_510));
    let burst = Plan { threads: 4, limited: &[false], is_told: false, failures: 1 };
    rows.extend(must_hold(JoinWorld::new(burst, Bug::None), 21_384, 85_321));
    table_file::assert_current("pool/join_state", &table::markdown(&rows));
}

// Checks: P56, R9, R13, R36, R38
#[test]
fn injected_bugs_of_the_end_are_found() {
    let unawaited = Plan { threads: 2, limited: &[], is_told: false, failures: 0 };
    super::must_find(JoinWorld::new(unawaited, Bug::EndsEarly), "a thread waits for the destructors of another");
    let must_find = |bug, property| must_find(JoinWorld::new(SMALL, bug), property);
    must_find(Bug::ForgetsThePrevious, "more than one thread has ended and is not joined");
    must_find(Bug::JoinsInPlaceOfClosing, "a caller with a limit joins a thread of the pool");
    must_find(Bug::WakesNobody, "all threads have ended, and a caller waits");
    must_find(Bug::HidesFailedClosing, "all threads have ended, and somebody is not told");
    must_find(Bug::LeavesWhatWakesAHost, "all threads have ended, and somebody is not told");
}
