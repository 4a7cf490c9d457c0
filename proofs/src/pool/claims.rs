//! What is proved of the pool.

use super::invariant::conjuncts;
use super::rank::rank;
use super::rest::{prove_done, prove_rest};
use super::steps::{Besides, STEPS};
use super::wait::{a_job_may_run, prove_reached, prove_wait};
use super::world::World;
use crate::claim::Describe;
use crate::events::pool::Event;
use crate::induction::{self, Kind, Rest, Step};
use crate::symbol::{Condition, Int, Model};

impl induction::World for World {
    const NAME: &'static str = "pool";

    type Event = Event;

    type Besides = Besides;

    const STEPS: &'static [&'static [Step<Self>]] = STEPS;

    const RESTS: &'static [Rest<Self>] = &[
        Rest {
            name: "at rest, but for the program",
            ended: &[Kind::Own],
            provided: |_| Condition::TRUE,
            prove: prove_rest,
        },
        Rest { name: "while a job waits", ended: &[], provided: a_job_may_run, prove: prove_reached },
        Rest { name: "at rest", ended: &[Kind::Own, Kind::OfUser], provided: |_| Condition::TRUE, prove: prove_done },
    ];

    fn any() -> Option<Self> {
        Self::of_kind(true, false)
    }

    fn before(step: &Step<Self>) -> Option<Self> {
        Self::of_kind(!step.besides.not_for_one, step.besides.submits)
    }

    fn new() -> Option<Self> {
        Self::fresh(true)
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        conjuncts(self)
    }

    fn rank(&self) -> Vec<Int> {
        rank(self)
    }

    fn prove_besides(step: &Step<Self>, before: &Self, after: &Self) {
        prove_wait(step, before, after);
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        self.values(model)
    }
}

#[cfg(test)]
mod tests {
    use super::World;
    use crate::induction::tests::refuted;
    use crate::symbol::Int;

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
        let not_negative = |world: &World| Int::ZERO.at_most(world.places.blocked);
        assert!(refuted("a job blocks", not_negative).is_empty());
    }
}
