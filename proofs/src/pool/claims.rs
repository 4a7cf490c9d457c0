//! What is proved of the pool: the invariant holds at first, each step keeps it and lowers the rank, and rest means
//! done.

use super::invariant::conjuncts;
use super::rank::{is_lower, is_not_negative, rank};
use super::rest::{prove_done, prove_rest};
use super::steps::{Kind, STEPS, Step};
use super::world::World;
use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, prove};
use crate::symbol::{Condition, Model};

/// All claims about the pool.
pub fn claims() -> Vec<Claim> {
    let claim =
        |name: &str, program: Box<dyn Fn() -> Option<Change>>| Claim { machine: "pool", name: name.into(), program };
    let mut claims = vec![claim("a new pool", Box::new(is_kept_at_first))];
    claims.extend(STEPS.iter().map(|step| claim(step.name, Box::new(move || is_kept(step)))));
    claims.push(claim("at rest, but for the program", Box::new(|| at_rest(prove_rest))));
    claims.push(claim("at rest", Box::new(|| at_rest(prove_done))));
    claims
}

fn is_kept_at_first() -> Option<Change> {
    let world = World::new(true)?;
    prove_invariant(&world);
    Some(unchanged(world))
}

fn is_kept(step: &Step) -> Option<Change> {
    let before = World::any(!step.not_for_one, step.submits)?;
    assume_invariant(&before)?;
    assume((step.enabled)(&before))?;
    let mut after = before.clone();
    (step.run)(&mut after)?;
    prove_invariant(&after);
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
