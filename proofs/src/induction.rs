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

    /// What can happen in the machine's exhaustive search, as `src/machine/explore/events/` lists it.
    type Event: Copy + 'static;

    /// What is said of a step of this machine besides what is said of any machine's.
    type Besides: 'static;

    /// All steps.
    const STEPS: &'static [&'static [Step<Self>]];

    /// What is proved of states in which nobody goes on.
    const RESTS: &'static [Rest<Self>];

    /// Any state whose numbers can be. The invariant need not hold.
    fn any() -> Option<Self>;

    /// Any of these states in which a step may be taken.
    fn before(_step: &Step<Self>) -> Option<Self> {
        Self::any()
    }

    /// As it is at first.
    fn new() -> Option<Self>;

    /// The invariant, in conjuncts that have names. All are assumed before a step, and each is proved after it.
    fn conjuncts(&self) -> Vec<(&'static str, Condition)>;

    /// Numbers that each step lowers that does not come from outside, the most significant first.
    fn rank(&self) -> Vec<Int>;

    /// Proves what is true of a step besides.
    fn prove_besides(_step: &Step<Self>, _before: &Self, _after: &Self) {}

    /// Whether some step of these kinds can be taken.
    fn can_go_on(&self, kinds: &[Kind]) -> Condition {
        let steps = all_steps::<Self>().filter(|step| kinds.contains(&step.kind));
        steps.fold(Condition::FALSE, |any, step| any | (step.enabled)(self))
    }
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whoever is at work: they go on by themselves.
    Own,
    /// Jobs and hooks that end, which is the program's affair.
    OfUser,
    /// A call from outside, a spurious wake, an expired timeout, a failure, a job that begins to wait.
    Outside,
}

/// A step.
pub struct Step<W: World> {
    pub name: &'static str,
    pub kind: Kind,
    /// The events that this one is of the exhaustive search.
    pub events: &'static [W::Event],
    pub besides: W::Besides,
    /// Whether it can be taken.
    pub enabled: fn(&W) -> Condition,
    pub run: fn(&mut W) -> Option<()>,
}

/// States in which nobody goes on.
pub struct Rest<W: World> {
    pub name: &'static str,
    /// No step of these kinds can be taken.
    pub ended: &'static [Kind],
    /// What is assumed of them besides.
    pub provided: fn(&W) -> Condition,
    /// Proves what is true of them.
    pub prove: fn(&W),
}

/// All claims about a machine.
pub fn claims<W: World>() -> Vec<Claim> {
    let claim =
        |name: &str, program: Box<dyn Fn() -> Option<Change>>| Claim { machine: W::NAME, name: name.into(), program };
    let mut claims = vec![claim(&format!("a new {}", W::NAME), Box::new(is_kept_at_first::<W>))];
    let is_kept = |step| Box::new(move || is_kept::<W>(step, |_| Condition::TRUE));
    claims.extend(all_steps::<W>().map(|step| claim(step.name, is_kept(step))));
    claims.extend(W::RESTS.iter().map(|rest| claim(rest.name, Box::new(move || at_rest(rest)))));
    claims
}

fn all_steps<W: World>() -> impl Iterator<Item = &'static Step<W>> {
    W::STEPS.iter().copied().flatten()
}

fn is_kept_at_first<W: World>() -> Option<Change> {
    let world = W::new()?;
    prove_invariant(&world);
    Some(unchanged(world))
}

/// `besides`: one more conjunct.
fn is_kept<W: World>(step: &Step<W>, besides: fn(&W) -> Condition) -> Option<Change> {
    let before = W::before(step)?;
    assume_invariant(&before)?;
    assume(besides(&before))?;
    assume((step.enabled)(&before))?;
    let mut after = before.clone();
    (step.run)(&mut after)?;
    prove_invariant(&after);
    prove("what is claimed besides", besides(&after));
    W::prove_besides(step, &before, &after);
    if step.kind != Kind::Outside {
        let (before, after) = (before.rank(), after.rank());
        prove("the step brings rest nearer", is_lower(&before, &after));
        prove("the rank has an end", is_not_negative(&after));
    }
    Some(Change { before: Box::new(before), after: Box::new(after) })
}

fn at_rest<W: World>(rest: &Rest<W>) -> Option<Change> {
    let world = W::any()?;
    assume_invariant(&world)?;
    assume(!world.can_go_on(rest.ended))?;
    assume((rest.provided)(&world))?;
    (rest.prove)(&world);
    Some(unchanged(world))
}

fn assume_invariant<W: World>(world: &W) -> Option<()> {
    assume(Condition::all(world.conjuncts().into_iter().map(|(_, conjunct)| conjunct)))
}

fn prove_invariant<W: World>(world: &W) {
    world.conjuncts().into_iter().for_each(|(name, conjunct)| prove(name, conjunct));
}

fn unchanged<W: World>(world: W) -> Change {
    Change { before: Box::new(world.clone()), after: Box::new(world) }
}

#[cfg(test)]
pub mod tests {
    use super::{World, all_steps, is_kept};
    use crate::explore::explore;
    use crate::solver::Solver;
    use crate::symbol::Condition;

    /// What does not hold where this is claimed besides the invariant, of the step of this name.
    pub fn refuted<W: World>(name: &str, besides: fn(&W) -> Condition) -> Vec<&'static str> {
        let step = all_steps::<W>().find(|step| step.name == name).unwrap();
        let (_, _, outcome) = explore(Solver::start().unwrap(), || is_kept(step, besides));
        outcome.err().map_or_else(Vec::new, |refuted| refuted.failed)
    }
}
