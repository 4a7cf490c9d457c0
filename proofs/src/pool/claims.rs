//! What is proved of the pool: the invariant holds at first, each step keeps it and lowers the rank, and rest means
//! done.

use super::invariant::conjuncts;
use super::rank::rank;
use super::rest::{prove_done, prove_rest};
use super::steps::{Kind, Step, steps};
use super::wait::{prove_reached, prove_wait};
use super::world::World;
use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, prove};
use crate::rank::{is_lower, is_not_negative};
use crate::symbol::{Condition, Model};

/// All claims about the pool.
pub fn claims() -> Vec<Claim> {
    let claim =
        |name: &str, program: Box<dyn Fn() -> Option<Change>>| Claim { machine: "pool", name: name.into(), program };
    let mut claims = vec![claim("a new pool", Box::new(is_kept_at_first))];
    claims.extend(steps().map(|step| claim(step.name, Box::new(move || is_kept(step)))));
    claims.push(claim("at rest, but for the program", Box::new(|| at_rest(prove_rest))));
    claims.push(claim("while a job waits", Box::new(|| at_rest(prove_reached))));
    claims.push(claim("at rest", Box::new(|| at_rest(prove_done))));
    claims
}

fn is_kept_at_first() -> Option<Change> {
    let world = World::new(true)?;
    prove_invariant(&world);
    Some(unchanged(world))
}

fn is_kept(step: &Step) -> Option<Change> {
    is_kept_with(step, |_| Condition::TRUE)
}

/// `besides`: one more conjunct.
fn is_kept_with(step: &Step, besides: fn(&World) -> Condition) -> Option<Change> {
    let before = World::any(!step.not_for_one, step.submits)?;
    assume_invariant(&before)?;
    assume(besides(&before))?;
    assume((step.enabled)(&before))?;
    let mut after = before.clone();
    (step.run)(&mut after)?;
    prove_invariant(&after);
    prove("what is claimed besides", besides(&after));
    prove_wait(step, &before, &after);
    if step.kind != Kind::Outside {
        let (before, after) = (rank(&before), rank(&after));
        prove("the step brings rest nearer", is_lower(&before, &after));
        prove("the rank has an end", is_not_negative(&after));
    }
    Some(Change { before: Box::new(before), after: Box::new(after) })
}

fn at_rest(prove_claims: fn(&World) -> Option<()>) -> Option<Change> {
    let world = World::any(true, false)?;
    assume_invariant(&world)?;
    prove_claims(&world)?;
    Some(unchanged(world))
}

fn unchanged(world: World) -> Change {
    Change { before: Box::new(world.clone()), after: Box::new(world) }
}

fn assume_invariant(world: &World) -> Option<()> {
    assume(Condition::all(conjuncts(world).into_iter().map(|(_, conjunct)| conjunct)))
}

fn prove_invariant(world: &World) {
    conjuncts(world).into_iter().for_each(|(name, conjunct)| prove(name, conjunct));
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        self.values(model)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{World, is_kept_with, steps};
    use crate::explore::explore;
    use crate::solver::Solver;
    use crate::symbol::{Condition, Int};

    /// What does not hold where this is claimed besides the invariant, of the step of this name.
    fn refuted(name: &str, besides: fn(&World) -> Condition) -> Vec<&'static str> {
        let step = steps().find(|step| step.name == name).unwrap();
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept_with(step, besides));
        outcome.err().map_or_else(Vec::new, |refuted| refuted.failed)
    }

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let nobody_blocks = |world: &World| world.places.blocked.is_zero();
        assert_eq!(refuted("a job blocks", nobody_blocks), ["what is claimed besides"]);
        let no_more_than_the_maximum = |world: &World| world.places.threads().at_most(world.machine.fields().max);
        assert_eq!(refuted("a thread is spawned", no_more_than_the_maximum), ["what is claimed besides"]);
        let is_queued = |world: &World| world.position().is_positive();
        assert_eq!(refuted("a job ends", is_queued), ["what is claimed besides"]);
        let few = |world: &World| world.queued().at_most(1_000);
        assert_eq!(refuted("a job is submitted", few), ["what is claimed besides"]);
    }

    #[test]
    fn a_true_invariant_is_not_refuted() {
        assert!(refuted("a job blocks", |world| Int::ZERO.at_most(world.places.blocked)).is_empty());
    }

    #[test]
    fn each_event_of_the_exhaustive_search_is_a_step_of_the_proof_and_each_step_is_such_an_event() {
        let source = include_str!("../../../src/machine/explore/pool/parts.rs");
        let events = source.split_once("enum Event {").unwrap().1.split_once('}').unwrap().0;
        let name = |line: &'static str| line.trim().split(['(', ',']).next().filter(|name| !name.is_empty());
        let searched: BTreeSet<_> = events.lines().filter_map(name).collect();
        let proved: BTreeSet<_> = steps().flat_map(|step| step.events).copied().collect();
        assert_eq!(searched, proved);
    }
}
