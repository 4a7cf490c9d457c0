//! The gather of a list explored: members that come to values and errors in every order, under every rule.

use super::{Row, Steps, World, finds, sound, table, table_file};
use crate::machine::gather::{Came, GatherState, Rule};

const MEMBERS: usize = 4;

/// A fault put into the world to see that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Seed {
    None,
    /// The list is asked nothing when its last member comes.
    ForgetsTheLast,
    /// A result that decides is taken for one of many.
    KeepsWhatDecides,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct List {
    seed: Seed,
    rule: Rule,
    gather: GatherState,
    members: usize,
    /// Results that are kept to be part of what comes.
    kept: usize,
    values: usize,
    errors: usize,
    fired: usize,
    /// So many results had come when it fired.
    when: usize,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    AValue,
    AnError,
}

impl List {
    fn new(seed: Seed, rule: Rule, members: usize) -> Self {
        let (gather, at_once) = GatherState::new(rule, members);
        let fired = usize::from(at_once);
        Self { seed, rule, gather, members, kept: 0, values: 0, errors: 0, fired, when: 0 }
    }

    fn came(&self, is_value: bool, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.members -= 1;
        if is_value {
            next.values += 1
        } else {
            next.errors += 1
        }
        if self.seed == Seed::ForgetsTheLast && next.members == 0 {
            next.kept += 1;
            return next;
        }
        let from = label(&self.gather);
        let came = next.gather.came(is_value);
        let action = match came {
            Came::Keep => "keep it",
            Came::Decides => "fire with it",
            Came::Completes => "fire with all",
            Came::Late => "drop it",
        };
        let event = if is_value { "a value comes" } else { "an error comes" };
        steps.row(Row { from, event, action, to: label(&next.gather) });
        match came {
            Came::Decides if self.seed == Seed::KeepsWhatDecides => next.kept += 1,
            Came::Keep => next.kept += 1,
            Came::Decides | Came::Completes => {
                next.kept = if came == Came::Completes { next.kept + 1 } else { 0 };
                next.fired += 1;
                next.when = next.values + next.errors;
            }
            Came::Late => {}
        }
        next
    }
}

impl World for List {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.members > 0 {
            let (value, error) = (self.came(true, steps), self.came(false, steps));
            steps.hoped(Event::AValue, value);
            steps.hoped(Event::AnError, error);
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        let came = self.values + self.errors;
        let decides = self.rule.value && self.values > 0 || self.rule.error && self.errors > 0;
        let due = decides || self.members == 0;
        if self.seed != Seed::ForgetsTheLast && self.fired != usize::from(due) {
            return Some("it fires once, as soon as it is decided");
        }
        if self.fired == 1 && !decides && self.kept != came {
            return Some("all results are part of what comes of all");
        }
        if self.fired == 0 && self.kept != came {
            return Some("a result is lost before the list is decided");
        }
        (self.fired == 1 && decides && self.rule.value && self.rule.error && self.when != 1)
            .then_some("the first result of all decides")
    }

    fn done(&self) -> Option<&'static str> {
        (self.fired == 0).then_some("all members have fired, and the list has not")
    }
}

fn label(gather: &GatherState) -> &'static str {
    if gather.is_decided() { "Decided" } else { "Open" }
}

fn rules() -> impl Iterator<Item = Rule> {
    [false, true].into_iter().flat_map(|value| [false, true].map(|error| Rule { value, error }))
}

// Checks: B61, B62
#[test]
fn a_list_fires_once_whatever_its_members_come_to() {
    let sizes = [(15, 20), (25, 28), (25, 28), (15, 20)];
    let mut rows = super::Rows::new();
    for (rule, (states, steps)) in rules().zip(sizes) {
        rows.extend(sound(List::new(Seed::None, rule, MEMBERS), states, steps));
        sound(List::new(Seed::None, rule, 0), 1, 0);
    }
    table_file::assert_current("gather", &table::chapter(&rows));
}

// Checks: B61
#[test]
fn seeded_faults_of_the_gather_are_found() {
    let all = Rule { value: false, error: false };
    finds(List::new(Seed::ForgetsTheLast, all, MEMBERS), "all members have fired, and the list has not");
    let first = Rule { value: true, error: false };
    finds(List::new(Seed::KeepsWhatDecides, first, MEMBERS), "it fires once, as soon as it is decided");
}
