//! What holds in every state of the pool, in conjuncts that have names.

use super::world::World;
use crate::machine::pool::{Fields, PoolState};
use crate::symbol::{Condition, Int};

/// The invariant. All of its conjuncts are assumed before a step, and each is proved after it.
pub fn conjuncts(world: &World) -> Vec<(&'static str, Condition)> {
    let mut all = counts(world);
    all.extend(lifecycle(world));
    all.extend(wakes(world));
    all.extend(sizes(world));
    all.extend(slots(world));
    all
}

/// The machine's counts are those of the threads.
fn counts(world: &World) -> Vec<(&'static str, Condition)> {
    let (machine, at) = (world.machine.fields(), &world.places);
    let spawners = at.spawners + at.unnumbered;
    let nobody_negative = at.named().into_iter().map(|(_, count)| Int::ZERO.at_most(count));
    vec![
        ("nobody leaves a place where nobody is", Condition::all(nobody_negative)),
        ("live counts every worker", machine.live.equals(at.to_spawn + at.threads())),
        ("starting counts those on their way", machine.starting.equals(at.to_spawn + at.starting)),
        ("busy counts those that run a job", machine.busy.equals(at.running + at.blocked)),
        ("idle counts the sleeping and the woken", machine.idle.equals(at.asleep() + at.woken())),
        ("blocked counts those whose job waits", machine.blocked.equals(at.blocked)),
        ("exiting counts those that exit", machine.exiting.equals(at.exiting)),
        ("waiting_submitters counts those that wait", machine.waiting_submitters.equals(at.waiting + at.trying_again)),
        ("refusing counts those that refuse jobs", machine.refusing.equals(at.refusing)),
        ("the list of sleepers holds who is asleep", {
            machine.asleep_untimed.equals(at.asleep_untimed) & machine.asleep_timed.equals(at.asleep_timed)
        }),
        ("the list of sleepers is one", world.machine.has_a_list_of_sleepers()),
        ("searching says whether a worker searches", Int::from(machine.searching).equals(at.searching)),
        ("each spawner has a thread to spawn", spawners.at_most(at.to_spawn)),
        ("threads are spawned by somebody", spawners.is_zero().implies(at.to_spawn.is_zero())),
        ("a job is in one queue, once", world.machine.has_positions()),
        ("the limit follows from the target", world.machine.limit().equals(world.limit())),
    ]
}

/// What the pool's state says.
fn lifecycle(world: &World) -> Vec<(&'static str, Condition)> {
    let Fields { state, open, live, refusing, min, max, wake_not_needed, .. } = world.machine.fields();
    let queued = world.queued();
    let nobody = live.is_zero() & refusing.is_zero();
    let in_state = |is: PoolState, what: Condition| what | (state != is);
    vec![
        ("the minimum is at most the maximum", min.at_most(max)),
        ("the pool accepts jobs until it is stopped", (open == (state < PoolState::Draining)).into()),
        ("a pool that was not started has no threads", in_state(PoolState::Unstarted, nobody & wake_not_needed)),
        ("a draining pool has something left to do", {
            in_state(PoolState::Draining, !nobody & live.is_zero().implies(queued.is_zero()))
        }),
        ("a stopped pool has nothing left", in_state(PoolState::Stopped, nobody & queued.is_zero())),
        ("the stop is announced when the pool has stopped", {
            if state == PoolState::Stopped { world.stop_announced } else { !world.stop_announced }
        }),
    ]
}

/// No wake is lost.
fn wakes(world: &World) -> Vec<(&'static str, Condition)> {
    let (machine, at) = (world.machine.fields(), &world.places);
    let Fields { state, open, wake_not_needed, starting, idle, live, .. } = machine;
    let queued = world.queued();
    let nobody_comes = at.woken().is_zero() & at.owe_wake.is_zero() & !machine.searching & world.is_serving();
    let may_have_given_up = world.spawn_has_failed & (!wake_not_needed | (state == PoolState::Draining));
    let needs = queued.is_positive() | (wake_not_needed & open);
    let no_thread = starting.is_positive() | world.limit().at_most(live) | may_have_given_up;
    vec![
        ("where jobs wait or submitters rely on it, somebody comes", {
            (nobody_comes & needs).implies(idle.is_zero() & no_thread)
        }),
        ("wake_not_needed is cleared only where nothing is queued", {
            (!world.spawn_has_failed).implies(queued.is_zero() & world.is_serving()) | !open | wake_not_needed
        }),
        ("a saturated pool where jobs wait has said so", {
            let relied_on = world.is_saturated() & needs & at.owe_wake.is_zero();
            relied_on.implies(machine.saturation_reported)
        }),
    ]
}

/// The number of workers moves towards the target.
fn sizes(world: &World) -> Vec<(&'static str, Condition)> {
    let (machine, at) = (world.machine.fields(), &world.places);
    let Fields { state, live, min, .. } = machine;
    let is_running = state == PoolState::Running;
    let nobody_woken = at.woken().is_zero();
    vec![
        ("no worker above the limit sleeps on", {
            let some_sleep = nobody_woken & at.asleep().is_positive() & world.is_serving();
            some_sleep.implies(world.active().at_most(world.limit() + at.passing_on))
        }),
        ("no worker of a draining pool sleeps on", {
            (nobody_woken & (state == PoolState::Draining)).implies(at.asleep().is_zero())
        }),
        ("no worker above the minimum sleeps without a timeout", {
            let sleeps = nobody_woken & at.asleep_untimed.is_positive() & is_running;
            sleeps.implies(world.active().at_most(min))
        }),
        ("a running pool is not below its minimum", {
            min.at_most(live) | world.is_lazy | world.spawn_has_failed | !is_running
        }),
    ]
}

/// A bounded pool.
fn slots(world: &World) -> Vec<(&'static str, Condition)> {
    let (machine, at) = (world.machine.fields(), &world.places);
    let Fields { open, free_slots, .. } = machine;
    let waiting = at.waiting + at.trying_again;
    let free = world.bound - world.queued();
    let nobody_told = at.notify_all.is_zero();
    vec![
        ("nobody waits for a slot of an unbounded pool", {
            world.is_bounded | (waiting.is_zero() & at.found_full.is_zero())
        }),
        (
            "the slots of an unbounded pool are not counted",
            world.is_bounded | free_slots.equals(world.free_slots_before),
        ),
        ("free_slots counts no slot that is not free", !world.is_bounded | free_slots.at_most(free)),
        ("each free slot is announced to one who waits", {
            (nobody_told & open & world.is_bounded).implies(waiting.min(free).at_most(at.notify_one + at.trying_again))
        }),
        ("whoever waits for a slot is told of the stop", (at.waiting.is_positive() & !open).implies(!nobody_told)),
    ]
}
