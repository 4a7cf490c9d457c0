//! What is proved of a machine by induction: the invariant holds at first, each step keeps it and lowers the rank, and
//! rest means done.

use crate::claim::{Change, Claim, Describe};
use crate::explore::{assume, prove};
use crate::rank::{is_lower, is_not_negative};
use crate::symbol::{Condition, Int};

/// A machine with all who use it.
pub trait World: Clone + Describe + 'static {
    /// The machine's name.
    const NAME: &'static str;

    /// Any state whose numbers can be. The invariant need not hold.
    fn any() -> Option<Self>;

    /// As it is at first.
    fn new() -> Option<Self>;

    /// The invariant, in conjuncts that have names.
    fn conjuncts(&self) -> Vec<(&'static str, Condition)>;

    /// Numbers that each step of its own lowers, the most significant first.
    fn rank(&self) -> Vec<Int>;

    /// Proves what is true where no step of its own can be taken.
    fn prove_done(&self);
}

/// A step.
pub struct Step<W> {
    pub name: &'static str,
    /// Whoever is at work takes it, by themselves. Otherwise it comes from outside: a call, or a wait that ends by
    /// itself.
    pub is_own: bool,
    /// The events that this one is of the exhaustive search in `src/machine/explore/`.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares them"))]
    pub events: &'static [&'static str],
    /// Whether it can be taken.
    pub enabled: fn(&W) -> Condition,
    pub run: fn(&mut W) -> Option<()>,
}

/// All claims about a machine that has these steps.
pub fn claims<W: World>(steps: &'static [Step<W>]) -> Vec<Claim> {
    let claim =
        |name: &str, program: Box<dyn Fn() -> Option<Change>>| Claim { machine: W::NAME, name: name.into(), program };
    let mut claims = vec![claim(&format!("a new {}", W::NAME), Box::new(is_kept_at_first::<W>))];
    claims.extend(steps.iter().map(|step| claim(step.name, Box::new(move || is_kept(step, |_| Condition::TRUE)))));
    claims.push(claim("at rest", Box::new(move || at_rest(steps))));
    claims
}

fn is_kept_at_first<W: World>() -> Option<Change> {
    let world = W::new()?;
    prove_invariant(&world);
    Some(unchanged(world))
}

/// `besides`: one more conjunct.
fn is_kept<W: World>(step: &Step<W>, besides: fn(&W) -> Condition) -> Option<Change> {
    let before = in_invariant::<W>()?;
    assume(besides(&before))?;
    assume((step.enabled)(&before))?;
    let mut after = before.clone();
    (step.run)(&mut after)?;
    prove_invariant(&after);
    prove("what is claimed besides", besides(&after));
    if step.is_own {
        prove("the step brings rest nearer", is_lower(&before.rank(), &after.rank()));
        prove("the rank has an end", is_not_negative(&after.rank()));
    }
    Some(Change { before: Box::new(before), after: Box::new(after) })
}

/// Nobody can go on.
fn at_rest<W: World>(steps: &[Step<W>]) -> Option<Change> {
    let world = in_invariant::<W>()?;
    let own = steps.iter().filter(|step| step.is_own);
    assume(!own.fold(Condition::FALSE, |any, step| any | (step.enabled)(&world)))?;
    world.prove_done();
    Some(unchanged(world))
}

fn in_invariant<W: World>() -> Option<W> {
    let world = W::any()?;
    assume(Condition::all(world.conjuncts().into_iter().map(|(_, conjunct)| conjunct)))?;
    Some(world)
}

fn prove_invariant<W: World>(world: &W) {
    world.conjuncts().into_iter().for_each(|(name, conjunct)| prove(name, conjunct));
}

fn unchanged<W: World>(world: W) -> Change {
    Change { before: Box::new(world.clone()), after: Box::new(world) }
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeSet;

    use super::{Step, World, is_kept};
    use crate::explore::explore;
    use crate::solver::Solver;
    use crate::symbol::Condition;

    /// What does not hold where this is claimed besides the invariant, of the step of this name.
    pub fn refuted<W: World>(steps: &[Step<W>], name: &str, besides: fn(&W) -> Condition) -> Vec<&'static str> {
        let step = steps.iter().find(|step| step.name == name).unwrap();
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept(step, besides));
        outcome.err().map_or_else(Vec::new, |refuted| refuted.failed)
    }

    /// Each event of the search whose source this is must be a step, but for these, and each step such an event.
    pub fn compare_events<W: World>(steps: &[Step<W>], source: &'static str, but: &[&str]) {
        let events = source.split_once("enum Event {").unwrap().1.split_once('}').unwrap().0;
        let name = |line: &'static str| line.trim().split(['(', ',']).next().filter(|name| !name.is_empty());
        let searched: BTreeSet<_> = events.lines().filter_map(name).filter(|name| !but.contains(name)).collect();
        let proved: BTreeSet<_> = steps.iter().flat_map(|step| step.events).copied().collect();
        assert_eq!(searched, proved);
    }
}
