//! Exhaustive search of an event's firing: triggers that wait for Deferreds, in any number and order, while the event
//! is fired again, and a firing that stops waiting.

use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::firing::{Firing, FiringAction, Phase};

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A firing that is asked for meanwhile begins at once.
    Overlaps,
    /// A phase goes on to the next when its triggers have run, whatever they wait for.
    WaitsForNothing,
    /// What was added to a phase while it waited is forgotten.
    ForgetsTheRest,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FiringWorld {
    bug: Bug,
    firing: Option<Firing>,
    /// The phase that was begun last.
    phase: Phase,
    /// The triggers of the phase are being run.
    running: bool,
    /// Deferreds of this phase, and of earlier ones, that have not fired.
    unfired: u8,
    stale: u8,
    /// A trigger was added to the phase while it waited.
    added: bool,
    hurried: bool,
    /// How often the event was to be fired, and was fired to the end.
    asked: u8,
    over: u8,
    /// How many times more it may be fired, and a trigger may return a Deferred.
    fires: u8,
    waits: u8,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Fire,
    TriggerWaits,
    TriggerIsAdded,
    DeferredFires,
    EarlierDeferredFires,
    TriggersAreDone,
    Hurry,
}

impl FiringWorld {
    fn new(bug: Bug) -> Self {
        Self {
            bug,
            firing: None,
            phase: Phase::After,
            running: false,
            unfired: 0,
            stale: 0,
            added: false,
            hurried: false,
            asked: 0,
            over: 0,
            fires: 3,
            waits: 3,
            violation: None,
        }
    }

    fn label(&self) -> &'static str {
        self.firing.map_or("Not fired", Firing::label)
    }

    /// One transition and the action that it returned.
    fn step(
        &self,
        steps: &mut Steps<'_, Self>,
        event: &'static str,
        transition: impl FnOnce(&mut Self) -> FiringAction,
    ) -> Self {
        let mut next = self.clone();
        let action = transition(&mut next);
        let said = match action {
            FiringAction::Nothing => "nothing",
            FiringAction::Run { first: true, .. } => "begin the next phase",
            FiringAction::Run { first: false, .. } => "run what was added",
            FiringAction::Over => "remove the firing",
        };
        if action == FiringAction::Over {
            next.firing = None;
        }
        steps.row(Row { from: self.label(), event, action: said, to: next.label() });
        next.carry_out(action, self);
        next
    }

    fn carry_out(&mut self, action: FiringAction, before: &Self) {
        match action {
            FiringAction::Nothing => {}
            FiringAction::Run { phase, first } => {
                if before.unfired > 0 && !self.hurried && self.unfired > 0 {
                    self.violation = Some("a phase is left although a Deferred of it has not fired");
                }
                let follows = match self.phase {
                    Phase::Before => Phase::During,
                    Phase::During => Phase::After,
                    Phase::After => Phase::Before,
                };
                if phase != if first { follows } else { self.phase } {
                    self.violation = Some("phases begin out of order, or overlap");
                }
                if first && self.added {
                    self.violation = Some("a trigger that was added to a phase while it waited never runs");
                }
                if first {
                    self.over += u8::from(phase == Phase::Before && before.firing.is_some());
                    self.stale += self.unfired;
                    self.unfired = 0;
                }
                (self.phase, self.running, self.added) = (phase, true, false);
            }
            FiringAction::Over => {
                self.over += 1;
                if self.added {
                    self.violation = Some("a trigger that was added to a phase while it waited never runs");
                }
                if self.over != self.asked {
                    self.violation = Some("it is over before it was fired as often as was asked for");
                }
                // Nothing is fired again after a firing that does not wait: that is the reactor's last.
                self.fires = if self.hurried { 0 } else { self.fires };
            }
        }
    }

    fn machine<A>(&mut self, transition: impl FnOnce(&mut Firing) -> A) -> A {
        let firing = self.firing.as_mut().expect("only a firing makes transitions");
        transition(firing)
    }

    fn fire(&self, steps: &mut Steps<'_, Self>) -> Self {
        let before = Self { fires: self.fires - 1, asked: self.asked + 1, ..self.clone() };
        before.step(steps, "fire", |next| {
            if next.firing.is_some() && self.bug != Bug::Overlaps {
                next.machine(Firing::fire_again);
                return FiringAction::Nothing;
            }
            let (firing, action) = Firing::begin();
            next.firing = Some(firing);
            action
        })
    }
}

impl World for FiringWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.violation.is_some() {
            return;
        }
        if self.fires > 0 {
            let next = self.fire(steps);
            steps.unfair(Event::Fire, next);
        }
        if self.stale > 0 {
            let before = Self { stale: self.stale - 1, ..self.clone() };
            let next = if self.firing.is_some() {
                before.step(steps, "earlier Deferred fired", |next| next.machine(Firing::deferred_fired))
            } else {
                before
            };
            steps.user_fair(Event::EarlierDeferredFires, next);
        }
        if self.firing.is_none() {
            return;
        }
        if self.running {
            let next = self.step(steps, "triggers done", |next| {
                next.running = false;
                if self.bug == Bug::WaitsForNothing && self.unfired > 0 && self.phase == Phase::Before {
                    let firing = next.firing.insert(Firing::begin().0);
                    let _ = firing.triggers_done();
                    return FiringAction::Run { phase: Phase::During, first: true };
                }
                next.machine(Firing::triggers_done)
            });
            steps.fair(Event::TriggersAreDone, next);
            if self.waits > 0 {
                let mut next = Self { waits: self.waits - 1, unfired: self.unfired + 1, ..self.clone() };
                next.machine(Firing::wait);
                steps.row(Row { from: self.label(), event: "trigger waits", action: "nothing", to: next.label() });
                steps.unfair(Event::TriggerWaits, next);
            }
        } else if !self.added {
            steps.unfair(Event::TriggerIsAdded, Self { added: true, ..self.clone() });
        }
        if self.unfired > 0 {
            let before = Self { unfired: self.unfired - 1, ..self.clone() };
            let mut next = before.step(steps, "Deferred fired", |next| next.machine(Firing::deferred_fired));
            if self.bug == Bug::ForgetsTheRest && next.running && !self.running {
                next.running = false;
                next = next.step(steps, "triggers done", |next| next.machine(Firing::triggers_done));
                next.violation = self.added.then_some("a trigger that was added to a phase while it waited never runs");
            }
            steps.user_fair(Event::DeferredFires, next);
        }
        // The reactor's own last event, which is fired once.
        if !self.hurried && self.asked == 1 {
            let before = Self { hurried: true, fires: 0, ..self.clone() };
            let next = before.step(steps, "hurry", |next| next.machine(Firing::hurry));
            steps.unfair(Event::Hurry, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        if self.firing.is_some() && !self.running && self.unfired == 0 {
            return Some("a phase waits for nothing");
        }
        if self.hurried && self.firing.is_some() && !self.running {
            return Some("it waits although it was told not to");
        }
        let misses = |firing: Firing| {
            let phases = [Phase::Before, Phase::During, Phase::After];
            phases.into_iter().any(|phase| firing.reaches(phase) != (phase >= self.phase))
        };
        let misses = self.firing.is_some_and(misses);
        self.violation.or(misses.then_some("it is wrong which phases are still to come"))
    }

    fn unfinished(&self) -> Option<&'static str> {
        self.firing.is_some().then_some("a firing never ends")
    }
}

// Checks: B22, B23, B24, P92, R51
#[test]
fn phases_come_in_order_wait_for_their_deferreds_and_firings_do_not_overlap() {
    let rows = must_hold(FiringWorld::new(Bug::None), 479, 1125);
    table_file::assert_current("firing", &table::markdown(&rows));
}

// Checks: B23, B24, P92
#[test]
fn injected_bugs_of_a_firing_are_found() {
    let must_find = |bug, what| must_find(FiringWorld::new(bug), what);
    must_find(Bug::Overlaps, "phases begin out of order, or overlap");
    must_find(Bug::WaitsForNothing, "a phase is left although a Deferred of it has not fired");
    must_find(Bug::ForgetsTheRest, "a trigger that was added to a phase while it waited never runs");
}
