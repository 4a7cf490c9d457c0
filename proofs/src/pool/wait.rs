//! A queued job is reached, however many others keep coming in.
//!
//! One queued job is watched, whichever it is. As long as none of the few steps that may [delay](Effect::Delay) it is
//! taken, its [wait](wait) is raised by nothing, and each step that moves a worker lowers it. Somewhere there is always
//! a worker that can be moved, or a submitter that owes a call; and where no worker can, that call lowers the wait. So
//! if each thread goes on at some time, and jobs and hooks end, the wait falls until the job is taken.

use super::steps::{Effect, STEPS};
use super::world::World;
use crate::explore::prove;
use crate::induction::{Kind, Step};
use crate::rank::is_lower;
use crate::symbol::{Condition, Int};

/// How far the watched job is from being taken, the most significant number first. Jobs that come behind it are not in
/// it, nor what their submitters owe.
fn wait(world: &World) -> Vec<Int> {
    let at = &world.places;
    vec![
        world.position(),
        at.blocked,
        world.over_limit(),
        at.exiting,
        // Threads that may be spawned, and are to be.
        (world.limit() - world.machine.fields().live).max(0),
        at.to_spawn,
        at.unnumbered,
        at.starting,
        // Nobody falls asleep beside a job.
        at.asleep(),
        at.start_hooks,
        at.named,
        at.notified,
        at.passing_on,
        at.searching,
    ]
}

/// What a step does to the wait of the watched job.
pub fn prove_wait(step: &Step<World>, before: &World, after: &World) {
    prove("no queued job is moved back", after.position().at_most(before.position()));
    let is_queued = before.position().is_positive();
    let (wait_before, wait_after) = (wait(before), wait(after));
    let is_nearer = is_lower(&wait_before, &wait_after);
    match step.besides.to_queued {
        Effect::Nearer => prove("the step brings a queued job nearer", is_queued.implies(is_nearer)),
        Effect::None => {
            let is_raised = is_lower(&wait_after, &wait_before);
            prove("the step does not delay a queued job", is_queued.implies(!is_raised));
        }
        Effect::Delay => {}
    }
    if step.besides.calls_for_help {
        let must_help = is_queued & may_run(before) & !some_worker_moves(before);
        prove("where no worker can be moved, a submitter's call moves one", must_help.implies(is_nearer));
    }
}

/// Something can be done for the watched job.
pub fn prove_reached(world: &World) {
    prove("while a job waits, a worker can be moved, or a submitter calls for one", {
        some_worker_moves(world) | world.places.owe_wake.is_positive()
    });
}

/// The watched job is queued, and the pool runs jobs.
pub fn a_job_may_run(world: &World) -> Condition {
    world.position().is_positive() & may_run(world)
}

/// The pool runs jobs: it was started, it is not paused, and each thread could be spawned.
fn may_run(world: &World) -> Condition {
    world.limit().is_positive() & world.is_serving() & !world.spawn_has_failed
}

/// Some worker can be moved, by itself or because its job ends.
fn some_worker_moves(world: &World) -> Condition {
    let moving = STEPS
        .iter()
        .copied()
        .flatten()
        .filter(|step| step.besides.to_queued == Effect::Nearer && step.kind != Kind::Outside);
    moving.fold(Condition::FALSE, |any, step| any | (step.enabled)(world))
}
