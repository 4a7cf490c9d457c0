//! What is proved of the inbox: the invariant holds at first, each step keeps it and lowers the rank, and rest means
//! done.

use super::steps::{STEPS, Step};
use super::world::{Loop, World};
use crate::claim::{Change, Claim};
use crate::explore::{assume, prove};
use crate::machine::inbox::LoopState;
use crate::rank::{is_lower, is_not_negative};
use crate::symbol::Condition;

/// All claims about the inbox.
pub fn claims() -> Vec<Claim> {
    let claim =
        |name: &str, program: Box<dyn Fn() -> Option<Change>>| Claim { machine: "inbox", name: name.into(), program };
    let mut claims = vec![claim("a new inbox", Box::new(is_kept_at_first))];
    claims.extend(STEPS.iter().map(|step| claim(step.name, Box::new(move || is_kept(step)))));
    claims.push(claim("at rest", Box::new(at_rest)));
    claims
}

fn is_kept_at_first() -> Option<Change> {
    let world = World::new()?;
    prove_invariant(&world);
    Some(Change { before: Box::new(world.clone()), after: Box::new(world) })
}

fn is_kept(step: &Step) -> Option<Change> {
    is_kept_with(step, |_| Condition::TRUE)
}

/// `besides`: one more conjunct.
fn is_kept_with(step: &Step, besides: fn(&World) -> Condition) -> Option<Change> {
    let before = World::any()?;
    assume(besides(&before))?;
    assume((step.enabled)(&before))?;
    let mut after = before.clone();
    (step.run)(&mut after);
    prove_invariant(&after);
    prove("what is claimed besides", besides(&after));
    if step.is_own {
        prove("the step brings rest nearer", is_lower(&before.rank(), &after.rank()));
        prove("the rank has an end", is_not_negative(&after.rank()));
    }
    Some(Change { before: Box::new(before), after: Box::new(after) })
}

/// Neither the loop nor a poster can go on.
fn at_rest() -> Option<Change> {
    let world = World::any()?;
    let own = STEPS.iter().filter(|step| step.is_own);
    assume(!own.fold(Condition::FALSE, |any, step| any | (step.enabled)(&world)))?;
    let fields = world.fields();
    prove("every call that was accepted was taken", fields.calls.is_zero());
    prove("nobody waits for a slot unless none will ever be", world.waiting.is_zero() | world.bound.is_zero());
    prove("a loop that waits is asleep, so that the next call wakes it", {
        fields.state == LoopState::Asleep || world.consumer == Loop::Ended
    });
    Some(Change { before: Box::new(world.clone()), after: Box::new(world) })
}

fn prove_invariant(world: &World) {
    world.conjuncts().into_iter().for_each(|(name, conjunct)| prove(name, conjunct));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{STEPS, World, is_kept_with};
    use crate::explore::explore;
    use crate::solver::Solver;
    use crate::symbol::Condition;

    /// What does not hold where this is claimed besides the invariant, of the step of this name.
    fn refuted(name: &str, besides: fn(&World) -> Condition) -> Vec<&'static str> {
        let step = STEPS.iter().find(|step| step.name == name).unwrap();
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept_with(step, besides));
        outcome.err().map_or_else(Vec::new, |refuted| refuted.failed)
    }

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let bound_for_all = |world: &World| world.fields().calls.at_most(world.bound);
        assert_eq!(refuted("a call is posted", bound_for_all), ["what is claimed besides"]);
        assert!(refuted("a call is posted within the bound", bound_for_all).is_empty());
        let one_wake = |world: &World| world.owe_wake.at_most(1);
        assert_eq!(refuted("a call is posted", one_wake), ["what is claimed besides"]);
    }

    #[test]
    fn each_event_of_the_exhaustive_search_is_a_step_of_the_proof_and_each_step_is_such_an_event() {
        let source = include_str!("../../../src/machine/explore/inbox.rs");
        let events = source.split_once("enum Event {").unwrap().1.split_once('}').unwrap().0;
        let name = |line: &'static str| line.trim().split(['(', ',']).next().filter(|name| !name.is_empty());
        // Only a planted bug looks first and sleeps later.
        let searched: BTreeSet<_> = events.lines().filter_map(name).filter(|name| *name != "LoopSleeps").collect();
        let proved: BTreeSet<_> = STEPS.iter().flat_map(|step| step.events).copied().collect();
        assert_eq!(searched, proved);
    }
}
