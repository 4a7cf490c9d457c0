//! What is true where nobody can go on: nothing is left undone.

use super::world::World;
use crate::explore::prove;
use crate::machine::pool::{Fields, PoolState};

/// No thread and no caller can go on, though jobs and hooks of the program may take for ever: whatever waits then
/// waits for one of those.
pub fn prove_rest(world: &World) {
    let Fields { open, idle, live, wake_not_needed, saturation_reported, .. } = world.machine.fields();
    let queued = world.queued();
    let jobs_wait = queued.is_positive() & world.is_serving();
    let tries_again = world.spawn_has_failed & !wake_not_needed;
    let is_full = world.is_bounded & world.bound.at_most(queued);
    prove("whoever waits for a slot waits because there is none", world.places.waiting.is_zero() | (is_full & open));
    prove("no worker is idle while a job is queued", jobs_wait.implies(idle.is_zero()));
    prove("where a job is queued, no thread may be spawned, or the next submission tries again", {
        jobs_wait.implies(world.limit().at_most(live) | tries_again | (world.spawn_has_failed & !open))
    });
    prove("no idle worker is above the limit", {
        (idle.is_positive() & world.is_serving()).implies(world.active().at_most(world.limit()))
    });
    prove("a saturated pool where jobs wait has said so", {
        (world.is_saturated() & queued.is_positive()).implies(saturation_reported)
    });
}

/// Besides, all jobs and hooks have ended, and every keep-alive has passed: all is done.
pub fn prove_done(world: &World) {
    let Fields { state, live, min, max, wake_not_needed, .. } = world.machine.fields();
    let is_running = state == PoolState::Running;
    let tries_again = world.spawn_has_failed & !wake_not_needed;
    prove("a pool that was stopped has ended", state != PoolState::Draining);
    prove("every accepted job was run or refused", {
        let may_run = world.limit().is_positive() & world.is_serving();
        may_run.implies(world.queued().is_zero() | tries_again)
    });
    prove("the pool has no more workers than the maximum", live.at_most(max) | !is_running);
    prove("the pool has as many workers as the minimum", {
        min.at_most(live) | world.is_lazy | world.spawn_has_failed | !is_running
    });
    prove("the pool has no more workers than the minimum, once keep-alives have passed", {
        world.places.asleep_timed.is_zero().implies(live.at_most(min) | !is_running)
    });
    prove("nobody waits for a slot, unless of a pool that is paused or was not started", {
        let serves = world.limit().is_positive() & world.is_serving();
        let has_slots = world.bound.is_positive();
        (serves & has_slots).implies(world.places.waiting.is_zero() | tries_again)
    });
}
