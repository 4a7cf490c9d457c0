//! Numbers that each step of threads and callers lowers, so that they come to rest.
//!
//! Steps from outside raise them: calls, spurious wakes, keep-alives that pass, failures, jobs that begin to wait.
//! While there are none of those, every schedule ends: the numbers are compared as words in a dictionary are, and none
//! is negative.

use super::world::World;
use crate::machine::pool::{Fields, PoolState};
use crate::symbol::Int;

/// The rank, the most significant number first.
pub fn rank(world: &World) -> Vec<Int> {
    let (machine, at) = (world.machine.fields(), &world.places);
    let Fields { state, live, min, exiting, asleep_untimed_until, .. } = machine;
    let is_draining = state == PoolState::Draining;
    let queued = world.queued();
    let callers = at.found_full + at.waiting + at.trying_again;
    let over = world.over_limit();
    let must_stay = if is_draining { Int::ZERO } else { min };
    let may_exit = Int::choose(queued.is_zero(), (world.active() - must_stay).max(0) * 2, 0);
    let must_not_sleep = over.is_positive() | is_draining;
    let above_min = min.less(world.active());
    let awake = at.to_spawn + at.starting + at.start_hooks + at.woken() + at.passing_on + at.searching;
    vec![
        at.blocked,
        // Jobs that no worker has taken, and those of them that are in the hands of submitters.
        queued + callers,
        callers,
        at.running,
        at.owe_wake,
        // Workers that are to exit.
        over,
        exiting + may_exit,
        // Threads that may be spawned, and are to be.
        (world.limit() - live).max(0),
        at.to_spawn,
        at.unnumbered,
        at.starting,
        // Sleepers that are to be woken.
        Int::choose(must_not_sleep, at.asleep(), 0),
        Int::choose(above_min, asleep_untimed_until, 0),
        awake,
        at.start_hooks,
        at.named,
        at.notified,
        at.passing_on,
        at.searching,
        at.late_notifies,
        // Submitters that are to be notified.
        at.notify_all,
        at.notify_one,
        at.trying_again,
        at.found_full,
        at.refusing,
    ]
}
