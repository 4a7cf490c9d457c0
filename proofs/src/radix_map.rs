//! The proof of the radix map, for any number of values, by induction: it agrees with a finite map.
//!
//! Each value is the key under which it was inserted. One key is watched, whichever it is: what is under it before a
//! step and after it says what any key has. A map is any tree whose nodes are as they should be on the ways that the
//! step and the watched key take; after the step, all nodes on the way of the watched key are proved to be so.

use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, choose, decide, prove};
use crate::machine::radix_tree::{DIGITS, Key, Tree};
use crate::symbol::{Condition, Int, Model, named};

/// The map, and what is in it.
#[derive(Clone)]
struct State {
    map: Tree,
    /// How many values there are. By definition, the map's tree has a root if there are any.
    values: Int,
    watched: Key,
    /// The value under the watched key.
    value: Option<Key>,
    /// What the step is about.
    key: Key,
}

type Program = fn(&mut State) -> Option<()>;

/// Whether a step is about a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    AKey,
    NoKey,
}

/// All claims about the map.
pub fn claims() -> Vec<Claim> {
    let steps: [(&str, About, Program); 4] = [
        ("a value is inserted", About::AKey, inserts),
        ("a value is removed", About::AKey, removes),
        ("the first value is removed", About::NoKey, removes_first),
        ("what was emptied is taken", About::NoKey, takes_emptied),
    ];
    let claim = |name: &str, program: Box<dyn Fn() -> Option<Change>>| Claim {
        machine: "radix map",
        name: name.into(),
        program,
    };
    let kept = |(name, about, program): (&str, About, Program)| {
        claim(name, Box::new(move || is_kept(about, program, |_| Condition::TRUE)))
    };
    let mut claims = vec![claim("a new radix map", Box::new(is_kept_at_first))];
    claims.extend(steps.into_iter().map(kept));
    claims
}

/// `besides`: what is claimed besides, before the step and after it.
fn is_kept(about: About, program: Program, besides: fn(&State) -> Condition) -> Option<Change> {
    let mut state = State::any(about)?;
    assume(besides(&state))?;
    let before = state.clone();
    program(&mut state)?;
    state.prove_map()?;
    prove("what is claimed besides", besides(&state));
    Some(Change { before: Box::new(before), after: Box::new(state) })
}

fn is_kept_at_first() -> Option<Change> {
    let key = any_key();
    let state = State { map: Tree::new(), values: Int::ZERO, watched: key, value: None, key };
    state.prove_map()?;
    Some(Change { before: Box::new(state.clone()), after: Box::new(state) })
}

fn any_key() -> Key {
    Key(std::array::from_fn(|at| Int::unknown(named(&format!("key, digit {at}")))))
}

impl State {
    fn any(about: About) -> Option<Self> {
        let (key, values) = (any_key(), Int::unknown("values"));
        let watched = if about == About::AKey { key.differing(DIGITS, "watched key")? } else { key };
        let map = Tree::any(values, key)?;
        let value = map.get(watched);
        Some(Self { map, values, watched, value, key })
    }

    /// The map is as it should be, and has what it should have.
    fn prove_map(&self) -> Option<()> {
        let value = self.map.get_proved(self.watched);
        prove("a value is found under its key as long as it is in the map", value.is_some() == self.value.is_some());
        prove("a value is found under no other key", value.map_or(Condition::TRUE, |value| value.is(self.watched)));
        assume(if self.map.has_values() { self.values.is_positive() } else { self.values.is_zero() })?;
        prove("len counts the values", self.map.len().equals(self.values));
        Some(())
    }

    /// The value under this key has left the map.
    fn has_left(&mut self, key: Key) {
        self.values = self.values - 1;
        if decide(key.is(self.watched)) {
            prove("only what is in the map leaves it", self.value.is_some());
            self.value = None;
        }
    }
}

/// Its key is not in the map.
fn inserts(state: &mut State) -> Option<()> {
    let key = state.key;
    assume(state.map.get(key).is_none().into())?;
    state.map.insert(key);
    state.values = state.values + 1;
    if decide(key.is(state.watched)) {
        state.value = Some(key);
    }
    Some(())
}

fn removes(state: &mut State) -> Option<()> {
    let key = state.key;
    let was = state.map.get(key);
    let found = state.map.get_mut(key);
    prove("a value is found if it is in the map", found.is_some() == was.is_some());
    prove("the value that is found is the one under the key", found.map_or(Condition::TRUE, |value| value.is(key)));
    let removed = state.map.remove(key);
    prove("a value is removed if it is in the map", removed.is_some() == was.is_some());
    prove("the value that is removed is the one under the key", removed.map_or(Condition::TRUE, |value| value.is(key)));
    if was.is_some() {
        state.has_left(key);
    }
    Some(())
}

fn removes_first(state: &mut State) -> Option<()> {
    let (mut asked, is_as_asked) = (None, choose("the first value is as asked for"));
    let had_values = state.map.has_values();
    let first = state.map.first();
    let removed = state.map.pop_first_if(|first| {
        asked = Some(*first);
        is_as_asked
    });
    prove("the first value is asked for where there is one", asked.is_some() == had_values);
    prove("the value is removed that was asked for", removed.is_some() == (asked.is_some() && is_as_asked));
    prove("there is a first value where there is one", first.is_some() == had_values);
    let (Some(asked), Some((key, first))) = (asked, first) else { return Some(()) };
    prove("the first value is asked for", asked.is(first) & key.is(first));
    prove(
        "no value is before the first",
        if state.value.is_some() { first.at_most(state.watched) } else { true.into() },
    );
    if let Some(removed) = removed {
        prove("the value is removed that was asked for", removed.is(first));
        state.has_left(removed);
    }
    Some(())
}

fn takes_emptied(state: &mut State) -> Option<()> {
    state.map.take_emptied();
    Some(())
}

impl Describe for State {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let digits =
            |key: Key| key.0.iter().rev().map(|digit| digit.value(model).to_string()).collect::<Vec<_>>().join(".");
        vec![
            ("values", self.values.value(model).to_string()),
            ("len", self.map.len().value(model).to_string()),
            ("key", digits(self.key)),
            ("watched key", digits(self.watched)),
            ("its value", self.value.map_or("none".into(), digits)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{About, State, inserts, is_kept, takes_emptied};
    use crate::explore::explore;
    use crate::solver::Solver;
    use crate::symbol::Condition;

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let few = |state: &State| state.values.at_most(1_000);
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept(About::AKey, inserts, few));
        assert_eq!(outcome.unwrap_err().failed, ["what is claimed besides"]);
        let is_empty = |state: &State| Condition::from(state.value.is_none());
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept(About::NoKey, takes_emptied, is_empty));
        assert!(outcome.is_ok());
    }
}
