//! The reactor's life explored: every event in every stage, whatever the program's triggers wait for.

use super::{Row, Steps, World, finds, sound, table, table_file};
use crate::machine::lifecycle::{Lifecycle, Stage, StopRefused, TurnOver};

/// How far the firing of an event is that the reactor waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Firing {
    NotYet,
    /// A *before* trigger has returned a Deferred.
    Before,
    /// So has a *during* trigger.
    During,
    Over,
}

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seed {
    None,
    /// The end of the shutdown event is not told.
    NeverWoundUp,
    /// The startup event goes on, though shutdown has begun, and its *during* phase starts the reactor's life once more.
    StartsOver,
    /// A turn ends without looking whether a stop was asked for.
    DeafToStop,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Life {
    seed: Seed,
    lifecycle: Lifecycle,
    /// Inside a turn: calls and timers run.
    turning: bool,
    startup: Firing,
    shutdown: Firing,
    /// A stop was asked for, and not refused.
    asked: bool,
    fault: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    ATurnBegins,
    StartupGoesOn,
    SomebodyAsksToStop,
    TheTurnIsOver,
    ShutdownGoesOn,
    TheReactorIsDropped,
}

impl Life {
    fn new(seed: Seed) -> Self {
        Self {
            seed,
            lifecycle: Lifecycle::new(),
            turning: false,
            startup: Firing::NotYet,
            shutdown: Firing::NotYet,
            asked: false,
            fault: None,
        }
    }

    fn step<A>(
        &mut self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Lifecycle) -> A,
        action: impl FnOnce(&A) -> &'static str,
    ) -> A {
        let (from, was) = (self.label(), self.lifecycle.stage());
        let outcome = transition(&mut self.lifecycle);
        steps.row(Row { from, event, action: action(&outcome), to: self.label() });
        if self.lifecycle.stage() < was {
            self.fault = Some("the reactor's life goes backwards");
        }
        outcome
    }

    fn label(&self) -> &'static str {
        match (self.lifecycle.stage(), self.lifecycle.is_running(), self.asked) {
            (Stage::Fresh, ..) => "Fresh",
            (Stage::Starting, _, false) => "Starting",
            (Stage::Starting, _, true) => "Starting, stop asked",
            (Stage::Running, _, false) => "Running",
            (Stage::Running, _, true) => "Running, stop asked",
            (Stage::Stopping, true, _) => "Stopping, running",
            (Stage::Stopping, false, _) => "Stopping",
            (Stage::WoundUp, ..) => "WoundUp",
            (Stage::Ended, ..) => "Ended",
        }
    }

    fn begin(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let first =
            next.step(steps, "begin", Lifecycle::begin, |first| if *first { "fire startup" } else { "nothing" });
        if first != (self.startup == Firing::NotYet) {
            next.fault = Some("startup is fired once, by the first turn");
        }
        if first {
            next.startup = Firing::Before;
        }
        next.turning = true;
        next
    }

    fn startup_goes_on(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        if self.seed == Seed::StartsOver {
            next.lifecycle = Lifecycle::new();
            let _ = next.lifecycle.begin();
        }
        next.step(steps, "started", Lifecycle::started, |()| "nothing");
        next.startup = Firing::Over;
        next
    }

    fn ask_stop(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let stage = self.lifecycle.stage();
        let asked = next.lifecycle.ask_stop();
        next.asked |= asked.is_ok();
        let action = match asked {
            Ok(()) => "nothing",
            Err(StopRefused::NotRunning) => "refuse: not running",
            Err(StopRefused::AlreadyStopping) => "refuse: already stopping",
        };
        steps.row(Row { from: self.label(), event: "ask_stop", action, to: next.label() });
        let runs = !matches!(stage, Stage::Fresh | Stage::Ended);
        let expected = match (runs, self.asked) {
            (false, _) => Err(StopRefused::NotRunning),
            (true, true) => Err(StopRefused::AlreadyStopping),
            (true, false) => Ok(()),
        };
        if asked != expected {
            next.fault = Some("a stop is granted once, while the reactor runs");
        }
        if next.lifecycle.stage() != stage {
            next.fault = Some("stop only asks");
        }
        next
    }

    fn turn_over(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.turning = false;
        if self.seed == Seed::DeafToStop {
            return next;
        }
        let over = next.step(steps, "turn_over", Lifecycle::turn_over, |over| match over {
            TurnOver::GoOn => "nothing",
            TurnOver::Shutdown => "fire shutdown",
            TurnOver::End => "run the last calls, then end",
        });
        match over {
            TurnOver::GoOn => {}
            TurnOver::Shutdown => {
                if self.shutdown != Firing::NotYet || !self.asked {
                    next.fault = Some("shutdown is fired once, when it was asked for");
                }
                next.shutdown = Firing::Before;
            }
            TurnOver::End => {
                if self.shutdown != Firing::Over {
                    next.fault = Some("the end comes after the shutdown event");
                }
                next.step(steps, "end", Lifecycle::end, |()| "nothing");
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
            if self.seed != Seed::NeverWoundUp {
                next.step(steps, "wound_up", Lifecycle::wound_up, |()| "nothing");
            }
            next.shutdown = Firing::Over;
        }
        next
    }
}

impl World for Life {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        let next = self.ask_stop(steps);
        steps.possible(Event::SomebodyAsksToStop, next);
        if self.startup == Firing::Before {
            // It may have been waiting when the reactor was dropped, and be fired by that.
            let next = self.startup_goes_on(steps);
            steps.hoped(Event::StartupGoesOn, next);
        }
        if matches!(self.shutdown, Firing::Before | Firing::During) {
            let next = self.shutdown_goes_on(steps);
            steps.hoped(Event::ShutdownGoesOn, next);
        }
        let stage = self.lifecycle.stage();
        if self.turning {
            let next = self.turn_over(steps);
            steps.certain(Event::TheTurnIsOver, next);
        } else if stage == Stage::WoundUp {
            let next = self.begin(steps);
            steps.certain(Event::ATurnBegins, next);
        } else if self.asked && self.shutdown == Firing::NotYet && stage != Stage::Ended {
            let next = self.begin(steps);
            steps.hoped(Event::ATurnBegins, next);
        } else if stage != Stage::Ended {
            let next = self.begin(steps);
            steps.possible(Event::ATurnBegins, next);
        }
        if stage != Stage::Ended {
            let mut next = self.clone();
            next.step(steps, "end", Lifecycle::end, |()| "nothing");
            next.turning = false;
            steps.possible(Event::TheReactorIsDropped, next);
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        let (stage, running) = (self.lifecycle.stage(), self.lifecycle.is_running());
        if running && !matches!(stage, Stage::Running | Stage::Stopping) {
            return Some("it counts as running, and is not");
        }
        if stage == Stage::Running && !running {
            return Some("it runs, and does not count as running");
        }
        self.fault
    }

    fn done(&self) -> Option<&'static str> {
        (self.asked && self.lifecycle.stage() != Stage::Ended).then_some("it was asked to stop, and never ends")
    }
}

// Checks: B1, B2, B3, B11, P3
#[test]
fn a_reactor_starts_once_and_stops_once_and_ends_if_asked_to() {
    let rows = sound(Life::new(Seed::None), 34, 109);
    table_file::assert_current("lifecycle", &table::chapter(&rows));
}

// Checks: B2, B3
#[test]
fn seeded_faults_of_the_lifecycle_are_found() {
    finds(Life::new(Seed::NeverWoundUp), "it was asked to stop, and never ends");
    finds(Life::new(Seed::StartsOver), "a stop is granted once, while the reactor runs");
    finds(Life::new(Seed::DeafToStop), "it goes round in a circle from here");
}
