//! The proof of the list of sleepers, for any number of workers, by induction.
//!
//! The list is linked both ways through a table. Whatever worker is looked at, the invariant is assumed of it before
//! the step; after the step it is proved of one worker, whichever it is, of those that its links lead to, and of
//! another.

use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, choose, prove};
use crate::machine::sleepers_list::{List, Sleeper};
use crate::symbol::{Condition, Int, Model};

/// The list, and when the next worker falls asleep.
#[derive(Clone)]
struct State {
    list: List,
    now: Int,
}

type Program = fn(&mut State) -> Option<Int>;

/// All claims about the list.
pub fn claims() -> Vec<Claim> {
    let steps: [(&str, Program); 5] = [
        ("a worker falls asleep", falls_asleep),
        ("the worker that fell asleep last is taken out", takes_last),
        ("the worker that has slept longest is taken out", takes_first),
        ("a worker is taken out for a job", takes_for_job),
        ("a worker is taken out, wherever it is", removes),
    ];
    let claim = |(name, program): (&str, Program)| Claim {
        machine: "sleepers",
        name: name.into(),
        program: Box::new(move || is_kept(program, |_| Condition::TRUE)),
    };
    steps.into_iter().map(claim).collect()
}

/// `besides`: what is claimed besides, before the step and after it.
fn is_kept(program: Program, besides: fn(&State) -> Condition) -> Option<Change> {
    let mut state = State::any()?;
    assume(besides(&state))?;
    let before = state.clone();
    let moved = program(&mut state)?;
    prove("what is claimed besides", besides(&state));
    state.prove_list(moved);
    Some(Change { before: Box::new(before), after: Box::new(state) })
}

impl State {
    /// Any list.
    fn any() -> Option<Self> {
        let (asleep, untimed, now) = (Int::unknown("asleep"), Int::unknown("untimed"), Int::unknown("now"));
        let ends = choose("somebody sleeps").then(|| [Int::unknown("first"), Int::unknown("last")]);
        let is_counted = if ends.is_some() { asleep.is_positive() } else { asleep.is_zero() };
        assume(is_counted & Int::ZERO.at_most(untimed) & untimed.at_most(asleep) & asleep.less(Int::GREATEST))?;
        Some(Self { list: List::of(ends, asleep, untimed, now), now })
    }

    fn look(&mut self, slot: Int) -> Sleeper {
        self.list.look(slot)
    }

    /// The list is one after the step. `moved`: who was put in or taken out.
    fn prove_list(&mut self, moved: Int) {
        let [first, last] = self.list.ends();
        match (choose("links are looked at"), choose("another worker is looked at")) {
            (false, false) => {
                prove("there is a first sleeper where there is a last", first.is_some() == last.is_some());
                for end in [first, last].into_iter().flatten() {
                    let sleeps = self.look(end).now.is_some();
                    prove("the first and the last sleep", sleeps);
                }
            }
            (true, false) => self.links_are_two_ways(Int::unknown("watched worker")),
            (true, true) => self.is_in_order(Int::unknown("watched worker"), Int::unknown("another worker")),
            (false, true) => {
                let other = self.look(Int::unknown("another worker"));
                let is_moved = other.slot.equals(moved);
                prove("nobody else falls asleep or is taken out", {
                    is_moved | (other.before.is_some() == other.now.is_some())
                });
            }
        }
    }

    fn links_are_two_ways(&mut self, slot: Int) {
        let Some([previous, next]) = self.look(slot).now else { return };
        let [first, last] = self.list.ends();
        prove("nobody sleeps outside the list", first.is_some() && last.is_some());
        let is = |end: Option<Int>| end.map_or(Condition::FALSE, |end| end.equals(slot));
        prove("only the first has nobody before it", if previous.is_none() { is(first) } else { !is(first) });
        prove("only the last has nobody after it", if next.is_none() { is(last) } else { !is(last) });
        if let Some(next) = next {
            let [back, _] = self.look(next).now.unwrap_or([None, None]);
            prove("whoever comes after leads back", back.map_or(Condition::FALSE, |back| back.equals(slot)));
        }
        if let Some(previous) = previous {
            let [_, on] = self.look(previous).now.unwrap_or([None, None]);
            prove("whoever comes before leads on", on.map_or(Condition::FALSE, |on| on.equals(slot)));
        }
    }

    /// The list is in the order in which its workers fell asleep, and leaves out nobody.
    fn is_in_order(&mut self, slot: Int, another: Int) {
        let (watched, other) = (self.look(slot), self.look(another));
        let (Some([previous, next]), Some(_)) = (watched.now, other.now) else { return };
        let is_same = other.slot.equals(watched.slot);
        let is_after = next.map_or(Condition::FALSE, |next| self.look(next).came.at_most(other.came));
        let is_before = previous.map_or(Condition::FALSE, |previous| other.came.at_most(self.look(previous).came));
        prove("the list is in the order in which workers fell asleep, and leaves out nobody", {
            is_same | (is_after & watched.came.less(other.came)) | (is_before & other.came.less(watched.came))
        });
    }
}

fn falls_asleep(state: &mut State) -> Option<Int> {
    let (slot, timed) = (Int::unknown("slot"), choose("it has a timeout"));
    let [asleep, untimed] = state.list.counts();
    state.look(slot).before.is_none().then_some(())?;
    state.list.push(slot, timed);
    // Whoever sleeps came before.
    let now = state.now;
    state.list.came(slot, now);
    assume(Int::ZERO.at_most(now))?;
    prove("whoever falls asleep is counted", {
        let [asleep_now, untimed_now] = state.list.counts();
        asleep_now.equals(asleep + 1) & untimed_now.equals(untimed + i64::from(!timed))
    });
    prove("whoever falls asleep is in the list", state.look(slot).now.is_some());
    Some(slot)
}

fn takes_last(state: &mut State) -> Option<Int> {
    takes_end(state, 1)
}

fn takes_first(state: &mut State) -> Option<Int> {
    takes_end(state, 0)
}

fn takes_end(state: &mut State, which: usize) -> Option<Int> {
    let (end, counts) = (state.list.ends()[which], state.list.counts());
    let taken = if which == 0 { state.list.pop_first() } else { state.list.pop_last() };
    prove("somebody is taken out where somebody sleeps", taken.is_some() == end.is_some());
    let taken = taken?;
    prove("the one at this end is taken out", end.map_or(Condition::FALSE, |end| end.equals(taken)));
    is_taken_out(state, taken, counts)
}

/// Whose time can pass is left to it.
fn takes_for_job(state: &mut State) -> Option<Int> {
    let ([first, last], counts) = (state.list.ends(), state.list.counts());
    let taken = state.list.pop_for_job();
    prove("somebody is taken out where somebody sleeps", taken.is_some() == first.is_some());
    let taken = taken?;
    let is = |end: Option<Int>| end.map_or(Condition::FALSE, |end| end.equals(taken));
    let [asleep, untimed] = counts;
    let some_timed = untimed.less(asleep);
    prove("where somebody sleeps with a timeout, whoever fell asleep last is taken out", some_timed.implies(is(last)));
    prove("where nobody does, whoever has slept longest is taken out", some_timed | is(first));
    is_taken_out(state, taken, counts)
}

fn removes(state: &mut State) -> Option<Int> {
    let (slot, counts) = (Int::unknown("slot"), state.list.counts());
    state.list.remove(slot);
    is_taken_out(state, slot, counts)
}

fn is_taken_out(state: &mut State, slot: Int, [asleep, untimed]: [Int; 2]) -> Option<Int> {
    let taken = state.look(slot);
    // It was counted.
    let is_counted = Condition::from(!taken.untimed) | untimed.is_positive();
    assume(is_counted & (Condition::from(taken.before.is_none()) | asleep.is_positive()))?;
    prove("whoever is taken out is in the list no more", taken.now.is_none());
    prove("whoever is taken out is counted no more", {
        let [asleep_now, untimed_now] = state.list.counts();
        let is_taken = Int::from(taken.before.is_some());
        asleep_now.equals(asleep - is_taken) & untimed_now.equals(untimed - Int::from(taken.untimed))
    });
    Some(slot)
}

impl Describe for State {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let [first, last] = self.list.ends();
        let [asleep, untimed] = self.list.counts();
        let slot = |end: Option<Int>| end.map_or("nobody".into(), |slot| slot.value(model).to_string());
        vec![
            ("first", slot(first)),
            ("last", slot(last)),
            ("asleep", asleep.value(model).to_string()),
            ("of these without a timeout", untimed.value(model).to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{State, falls_asleep, is_kept, takes_first};
    use crate::explore::explore;
    use crate::solver::Solver;
    use crate::symbol::Condition;

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let two_sleep = |state: &State| match state.list.ends() {
            [Some(first), Some(last)] => !first.equals(last),
            _ => Condition::FALSE,
        };
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept(takes_first, two_sleep));
        assert_eq!(outcome.unwrap_err().failed, ["what is claimed besides"]);
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept(falls_asleep, two_sleep));
        assert!(outcome.is_ok());
    }
}
