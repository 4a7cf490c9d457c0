//! Exhaustive search of the list of Deferreds: values and errors in every order, under every rule of what decides the
//! list.

use super::events::gather::Event;
use super::{Row, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::gather::{Arrival, DecidedBy, GatherState};

const MEMBERS: usize = 4;

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// The machine is not told of the last result.
    LastResultIsNotReported,
    /// A result that decides the list is stored like any other.
    DecidingResultIsStored,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct GatherWorld {
    bug: Bug,
    by: DecidedBy,
    gather: GatherState,
    /// Members without a result.
    missing: usize,
    stored: usize,
    values: usize,
    errors: usize,
    fired: usize,
    /// It was cancelled in vain before it fired.
    given_up: bool,
    /// How many results had come when it fired.
    fired_at: usize,
}

impl GatherWorld {
    fn new(bug: Bug, by: DecidedBy, members: usize) -> Self {
        let (gather, at_once) = GatherState::new(by, members);
        let fired = usize::from(at_once);
        Self { bug, by, gather, missing: members, stored: 0, values: 0, errors: 0, fired, given_up: false, fired_at: 0 }
    }

    fn arrived(&self, is_value: bool, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.missing -= 1;
        if is_value {
            next.values += 1
        } else {
            next.errors += 1
        }
        if self.bug == Bug::LastResultIsNotReported && next.missing == 0 {
            next.stored += 1;
            return next;
        }
        let from = label(&self.gather);
        let arrival = next.gather.arrived(is_value);
        let action = match arrival {
            Arrival::Store => "store it",
            Arrival::Decides => "fire with it",
            Arrival::Completes => "fire with all",
            Arrival::Late => "drop it",
        };
        let event = if is_value { "a value arrives" } else { "an error arrives" };
        steps.row(Row { from, event, action, to: label(&next.gather) });
        match arrival {
            Arrival::Decides if self.bug == Bug::DecidingResultIsStored => next.stored += 1,
            Arrival::Store => next.stored += 1,
            Arrival::Decides | Arrival::Completes => {
                next.stored = if arrival == Arrival::Completes { next.stored + 1 } else { 0 };
                next.fired += 1;
                next.fired_at = next.values + next.errors;
            }
            Arrival::Late => {}
        }
        next
    }

    fn give_up(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let from = label(&self.gather);
        next.gather.give_up();
        let action = if self.gather.is_decided() { "nothing" } else { "drop what is stored" };
        steps.row(Row { from, event: "it was cancelled in vain", action, to: label(&next.gather) });
        if self.fired == 0 {
            next.stored = 0;
            next.given_up = true;
        }
        next
    }
}

impl World for GatherWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.missing > 0 {
            let (value, error) = (self.arrived(true, steps), self.arrived(false, steps));
            steps.user_fair(Event::Value, value);
            steps.user_fair(Event::Error, error);
        }
        let given_up = self.give_up(steps);
        steps.unfair(Event::GiveUp, given_up);
    }

    fn violation(&self) -> Option<&'static str> {
        let arrived = self.values + self.errors;
        let decides = self.by.value && self.values > 0 || self.by.error && self.errors > 0;
        if self.given_up {
            return (self.fired + self.stored > 0).then_some("a list that was given up fires, or keeps a result");
        }
        let due = decides || self.missing == 0;
        if self.bug != Bug::LastResultIsNotReported && self.fired != usize::from(due) {
            return Some("the list does not fire exactly once, as soon as it is decided");
        }
        if self.fired == 1 && !decides && self.stored != arrived {
            return Some("a list that fires with all results lacks one");
        }
        if self.fired == 0 && self.stored != arrived {
            return Some("a result is lost before the list is decided");
        }
        (self.fired == 1 && decides && self.by.value && self.by.error && self.fired_at != 1)
            .then_some("a list that any result decides fires on another than the first")
    }

    fn unfinished(&self) -> Option<&'static str> {
        (self.fired == 0 && !self.given_up).then_some("all members have fired, and the list has not")
    }
}

fn label(gather: &GatherState) -> &'static str {
    if gather.is_decided() { "Decided" } else { "Open" }
}

fn rules() -> impl Iterator<Item = DecidedBy> {
    [false, true].into_iter().flat_map(|value| [false, true].map(|error| DecidedBy { value, error }))
}

// Checks: B61, B62
#[test]
fn a_list_fires_once_whatever_its_members_come_to() {
    let sizes = [(30, 70), (40, 88), (40, 88), (30, 70)];
    let mut rows = super::Rows::new();
    for (by, (states, steps)) in rules().zip(sizes) {
        rows.extend(must_hold(GatherWorld::new(Bug::None, by, MEMBERS), states, steps));
        must_hold(GatherWorld::new(Bug::None, by, 0), 1, 1);
    }
    table_file::assert_current("gather", &table::markdown(&rows));
}

// Checks: B61
#[test]
fn injected_bugs_of_the_list_are_found() {
    let all = DecidedBy { value: false, error: false };
    let last = GatherWorld::new(Bug::LastResultIsNotReported, all, MEMBERS);
    must_find(last, "all members have fired, and the list has not");
    let first_value = DecidedBy { value: true, error: false };
    let deciding = GatherWorld::new(Bug::DecidingResultIsStored, first_value, MEMBERS);
    must_find(deciding, "the list does not fire exactly once, as soon as it is decided");
}
