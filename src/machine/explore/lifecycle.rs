//! Exhaustive search of the lifecycle: every event in every state, whatever the triggers of startup and shutdown wait
//! for.

use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::lifecycle::{EndOfTurn, Lifecycle, LifecycleState, StopRefused};

/// How far the startup or the shutdown event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Firing {
    NotFired,
    /// Waits for a *before* trigger.
    Before,
    /// Waits for a *during* trigger.
    During,
    Over,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// The machine is not told that the shutdown event is over.
    ShutdownNeverDone,
    /// The *during* phase of startup comes after shutdown has begun, and begins the lifecycle again.
    StartsAgain,
    /// A turn ends without a look at the stop request.
    IgnoresStop,
    /// Triggers of startup run on while shutdown is fired.
    StartsWhileStopping,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LifecycleWorld {
    bug: Bug,
    lifecycle: Lifecycle,
    /// A turn is running.
    turning: bool,
    startup: Firing,
    shutdown: Firing,
    /// A stop was requested, and not refused.
    stop_requested: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    TurnBegins,
    StartupGoesOn,
    StopIsRequested,
    TurnEnds,
    ShutdownGoesOn,
    LastCallsHaveRun,
    ReactorIsDropped,
}

impl LifecycleWorld {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            lifecycle: Lifecycle::new(),
            turning: false,
            startup: Firing::NotFired,
            shutdown: Firing::NotFired,
            stop_requested: false,
            violation: None,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Lifecycle) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let (from, was) = (self.label(), self.lifecycle.state());
        let outcome = transition(&mut self.lifecycle);
        steps.row(Row { from, event, action: action(&outcome), to: self.label() });
        if self.lifecycle.state() < was {
            self.violation = Some("the lifecycle goes backwards");
        }
        outcome
    }

    fn label(&self) -> &'static str {
        match (self.lifecycle.state(), self.lifecycle.is_running(), self.stop_requested) {
            (LifecycleState::New, ..) => "New",
            (LifecycleState::Starting, _, false) => "Starting",
            (LifecycleState::Starting, _, true) => "Starting, stop requested",
            (LifecycleState::Running, _, false) => "Running",
            (LifecycleState::Running, _, true) => "Running, stop requested",
            (LifecycleState::Stopping, true, _) => "Stopping, running",
            (LifecycleState::Stopping, false, _) => "Stopping",
            (LifecycleState::Finishing, ..) => "Finishing",
            (LifecycleState::Closed, ..) => "Closed",
            (LifecycleState::Ended, ..) => "Ended",
        }
    }

    fn begin(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let first = next
            .step(steps, "begin_turn", Lifecycle::begin_turn, |first| if *first { "fire startup" } else { "nothing" });
        if first != (self.startup == Firing::NotFired) {
            next.violation = Some("startup is fired once, by the first turn");
        }
        if first {
            next.startup = Firing::Before;
        }
        next.turning = true;
        next
    }

    fn startup_goes_on(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        if self.bug == Bug::StartsAgain {
            next.lifecycle = Lifecycle::new();
            let _ = next.lifecycle.begin_turn();
        }
        let goes_on = next.step(
            steps,
            "startup goes on",
            |lifecycle| lifecycle.startup_goes_on(),
            |&goes_on| {
                if goes_on { "run its triggers" } else { "drop its triggers" }
            },
        );
        let goes_on = goes_on || self.bug == Bug::StartsWhileStopping;
        if goes_on && (self.shutdown != Firing::NotFired || self.lifecycle.state() == LifecycleState::Ended) {
            next.violation = Some("triggers of startup run amid shutdown");
        }
        next.startup = match (goes_on, self.startup) {
            (true, Firing::Before) => {
                next.step(steps, "started", Lifecycle::started, |()| "nothing");
                Firing::During
            }
            _ => Firing::Over,
        };
        next
    }

    fn request_stop(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let state = self.lifecycle.state();
        let result = next.lifecycle.request_stop();
        next.stop_requested |= result.is_ok();
        let action = match result {
            Ok(()) => "nothing",
            Err(StopRefused::NotRunning) => "refuse: not running",
            Err(StopRefused::AlreadyStopping) => "refuse: already stopping",
        };
        steps.row(Row { from: self.label(), event: "request_stop", action, to: next.label() });
        let runs = !matches!(state, LifecycleState::New | LifecycleState::Ended);
        let expected = match (runs, self.stop_requested) {
            (false, _) => Err(StopRefused::NotRunning),
            (true, true) => Err(StopRefused::AlreadyStopping),
            (true, false) => Ok(()),
        };
        if result != expected {
            next.violation = Some("a stop is accepted once, while the reactor runs");
        }
        if next.lifecycle.state() != state {
            next.violation = Some("requesting a stop changes the state");
        }
        next
    }

    fn end_turn(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.turning = false;
        if self.bug == Bug::IgnoresStop {
            return next;
        }
        let over = next.step(steps, "end_turn", Lifecycle::end_turn, |over| match over {
            EndOfTurn::Continue => "nothing",
            EndOfTurn::FireShutdown => "fire shutdown",
            EndOfTurn::Finish => "run the last calls",
        });
        match over {
            EndOfTurn::Continue => {}
            EndOfTurn::FireShutdown => {
                if self.shutdown != Firing::NotFired || !self.stop_requested {
                    next.violation = Some("shutdown is fired once, after a stop was requested");
                }
                next.shutdown = Firing::Before;
            }
            EndOfTurn::Finish => {
                if self.shutdown != Firing::Over {
                    next.violation = Some("the end comes before the shutdown event is over");
                }
            }
        }
        next
    }

    fn shutdown_goes_on(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        if self.shutdown == Firing::Before {
            next.step(steps, "no_longer_running", Lifecycle::no_longer_running, |()| "nothing");
            next.shutdown = Firing::During;
        } else {
            if self.bug != Bug::ShutdownNeverDone {
                next.step(steps, "shutdown_done", Lifecycle::shutdown_done, |()| "nothing");
            }
            next.shutdown = Firing::Over;
        }
        next
    }
}

impl World for LifecycleWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        let next = self.request_stop(steps);
        steps.unfair(Event::StopIsRequested, next);
        if matches!(self.startup, Firing::Before | Firing::During) {
            // Possible even after the end: dropping the reactor may fire the Deferred that startup waits for.
            let next = self.startup_goes_on(steps);
            steps.user_fair(Event::StartupGoesOn, next);
        }
        if matches!(self.shutdown, Firing::Before | Firing::During) {
            let next = self.shutdown_goes_on(steps);
            steps.user_fair(Event::ShutdownGoesOn, next);
        }
        let state = self.lifecycle.state();
        if self.turning {
            let next = self.end_turn(steps);
            steps.fair(Event::TurnEnds, next);
        } else if state == LifecycleState::Closed {
            let mut next = self.clone();
            next.step(steps, "end", Lifecycle::end, |()| "nothing");
            steps.fair(Event::LastCallsHaveRun, next);
        } else if state == LifecycleState::Finishing {
            let next = self.begin(steps);
            steps.fair(Event::TurnBegins, next);
        } else if self.stop_requested && self.shutdown == Firing::NotFired && state != LifecycleState::Ended {
            let next = self.begin(steps);
            steps.user_fair(Event::TurnBegins, next);
        } else if state != LifecycleState::Ended {
            let next = self.begin(steps);
            steps.unfair(Event::TurnBegins, next);
        }
        if state != LifecycleState::Ended {
            let mut next = self.clone();
            next.step(steps, "end", Lifecycle::end, |()| "nothing");
            next.turning = false;
            steps.unfair(Event::ReactorIsDropped, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let (state, running) = (self.lifecycle.state(), self.lifecycle.is_running());
        if running && !matches!(state, LifecycleState::Running | LifecycleState::Stopping) {
            return Some("it counts as running in a state in which it does not run");
        }
        if state == LifecycleState::Running && !running {
            return Some("it runs, and does not count as running");
        }
        if self.lifecycle.is_closed() != matches!(state, LifecycleState::Closed | LifecycleState::Ended) {
            return Some("it begins something new after its last turn, or nothing before it");
        }
        self.violation
    }

    fn unfinished(&self) -> Option<&'static str> {
        (self.stop_requested && self.lifecycle.state() != LifecycleState::Ended)
            .then_some("a stop was requested, and the reactor never ends")
    }
}

// Checks: B1, B2, B3, B11, P3
#[test]
fn a_reactor_starts_and_stops_once_and_ends_after_a_stop_request() {
    let rows = must_hold(LifecycleWorld::new(Bug::None), 52, 176);
    table_file::assert_current("lifecycle", &table::markdown(&rows));
}

// Checks: B2, B3
#[test]
fn injected_bugs_of_the_lifecycle_are_found() {
    must_find(LifecycleWorld::new(Bug::ShutdownNeverDone), "a stop was requested, and the reactor never ends");
    must_find(LifecycleWorld::new(Bug::StartsAgain), "triggers of startup run amid shutdown");
    must_find(LifecycleWorld::new(Bug::StartsWhileStopping), "triggers of startup run amid shutdown");
    must_find(LifecycleWorld::new(Bug::IgnoresStop), "it goes round in a cycle from here");
}
