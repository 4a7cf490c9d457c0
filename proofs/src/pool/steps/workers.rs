//! The steps of the pool's threads: how they are spawned, and a worker's life.

use super::super::world::World;
use super::step::{DELAY, NEARER, STEP};
use crate::events::pool::Event;
use crate::explore::{any, assume, choose, prove};
use crate::induction::{Kind, Step};
use crate::machine::count::Count;
use crate::machine::pool::{
    AWAKE, PoolState, TIMED, UNTIMED, Wakeups, begin_start_hooks, block, exited, spawn_failed, spawn_next,
};
use crate::symbol::{Condition, Int};

pub const STEPS: &[Step<World>] = &[
    // Threads that are spawned.
    Step {
        name: "a thread is spawned",
        events: &[Event::SpawnsThread],
        besides: NEARER,
        enabled: |world| world.places.spawners.is_positive(),
        run: |world| {
            let at = &mut world.places;
            at.spawners = at.spawners - 1;
            at.to_spawn = at.to_spawn - 1;
            at.starting = at.starting + 1;
            if choose("its spawner has more to spawn") {
                at.unnumbered = at.unnumbered + 1;
            }
            assume_spawners_have_threads(world)
        },
        ..STEP
    },
    Step {
        name: "the next thread is numbered",
        events: &[Event::NumbersThread],
        besides: NEARER,
        enabled: |world| world.places.unnumbered.is_positive(),
        run: |world| {
            let left = share_of_a_spawner(world)?;
            world.places.unnumbered = world.places.unnumbered - 1;
            let machine = &mut world.machine;
            let next = spawn_next(&mut machine.workers, &mut machine.submit_queue, Count(left));
            world.places.to_spawn = world.places.to_spawn - next.given_up.0;
            if next.worker.is_some() {
                let is_needed = world.queued().is_positive() | (world.machine.fields().state != PoolState::Draining);
                prove("no thread is spawned that is not needed any more", {
                    world.active().at_most(world.limit()) & is_needed
                });
                world.places.spawners = world.places.spawners + 1;
            }
            prove("a thread is numbered unless all are given up", {
                Condition::from(next.worker.is_none()).implies(next.given_up.0.equals(left))
            });
            world.owe(next.wakeups);
            world.announce(next.stopped);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a thread cannot be spawned",
        kind: Kind::Outside,
        events: &[Event::SpawnFails],
        besides: DELAY,
        enabled: |world| world.places.spawners.is_positive(),
        run: |world| {
            let left = share_of_a_spawner(world)?;
            world.places.spawners = world.places.spawners - 1;
            world.places.to_spawn = world.places.to_spawn - left;
            world.spawn_has_failed = Condition::TRUE;
            let machine = &mut world.machine;
            let failed = spawn_failed(&mut machine.workers, &mut machine.submit_queue, Count(left));
            if !failed.refused.is_empty() {
                world.places.refusing = world.places.refusing + 1;
            }
            world.owe(failed.wakeups);
            world.announce(failed.stopped);
            Some(())
        },
    },
    // A worker's life.
    Step {
        name: "a thread starts",
        events: &[Event::ThreadStarts, Event::AsksNextMaySearch],
        besides: NEARER,
        enabled: |world| world.places.starting.is_positive(),
        run: |world| {
            world.places.starting = world.places.starting - 1;
            world.machine.workers.thread_started(AWAKE);
            world.asks_next(choose("it may search"));
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a thread starts, with hooks",
        events: &[Event::ThreadStarts],
        besides: NEARER,
        enabled: |world| world.places.starting.is_positive(),
        run: |world| {
            world.places.starting = world.places.starting - 1;
            world.places.start_hooks = world.places.start_hooks + 1;
            let machine = &mut world.machine;
            let wakeups = begin_start_hooks(&mut machine.workers, &mut machine.submit_queue, AWAKE);
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "start hooks end",
        kind: Kind::OfUser,
        events: &[Event::AsksNext, Event::AsksNextMaySearch],
        besides: NEARER,
        enabled: |world| world.places.start_hooks.is_positive(),
        run: |world| {
            world.places.start_hooks = world.places.start_hooks - 1;
            world.asks_next(choose("it may search"));
            Some(())
        },
    },
    Step {
        name: "a notified worker takes the lock",
        events: &[Event::AsksNext, Event::AsksNextMaySearch],
        besides: NEARER,
        enabled: |world| world.places.notified.is_positive(),
        run: |world| {
            world.places.notified = world.places.notified - 1;
            wakes(world, AWAKE);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a named worker wakes before its notify",
        kind: Kind::Outside,
        events: &[Event::WakesSpuriously, Event::KeepAlivePasses],
        besides: NEARER,
        enabled: |world| world.places.named.is_positive(),
        run: |world| {
            world.places.named = world.places.named - 1;
            world.places.late_notifies = world.places.late_notifies + 1;
            wakes(world, AWAKE);
            Some(())
        },
    },
    Step {
        name: "a sleeper without a timeout wakes by itself",
        kind: Kind::Outside,
        events: &[Event::WakesSpuriously],
        besides: NEARER,
        enabled: |world| world.places.asleep_untimed.is_positive(),
        run: |world| {
            world.places.asleep_untimed = world.places.asleep_untimed - 1;
            wakes(world, UNTIMED);
            Some(())
        },
    },
    Step {
        name: "a sleeper with a timeout wakes by itself",
        kind: Kind::Outside,
        events: &[Event::WakesSpuriously, Event::KeepAlivePasses],
        besides: NEARER,
        enabled: |world| world.places.asleep_timed.is_positive(),
        run: |world| {
            world.places.asleep_timed = world.places.asleep_timed - 1;
            wakes(world, TIMED);
            Some(())
        },
    },
    Step {
        name: "a wake was passed on",
        events: &[Event::AsksNext, Event::AsksNextMaySearch],
        besides: NEARER,
        enabled: |world| world.places.passing_on.is_positive(),
        run: |world| {
            world.places.passing_on = world.places.passing_on - 1;
            world.asks_next(choose("it may search"));
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a search ends",
        events: &[Event::AsksNext],
        besides: NEARER,
        enabled: |world| world.places.searching.is_positive(),
        run: |world| {
            world.places.searching = world.places.searching - 1;
            world.machine.workers.searched();
            world.asks_next(false);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a job ends",
        kind: Kind::OfUser,
        events: &[Event::FinishesJob, Event::AsksNextMaySearch],
        besides: NEARER,
        enabled: |world| world.places.running.is_positive(),
        run: |world| {
            world.places.running = world.places.running - 1;
            world.machine.workers.finished(false);
            world.asks_next(choose("it may search"));
            Some(())
        },
    },
    Step {
        name: "a job blocks",
        kind: Kind::Outside,
        events: &[Event::Blocks],
        besides: DELAY,
        enabled: |world| world.places.running.is_positive(),
        run: |world| {
            world.places.running = world.places.running - 1;
            world.places.blocked = world.places.blocked + 1;
            let wakeups = block(&mut world.machine.workers, &mut world.machine.submit_queue);
            world.owe(wakeups);
            Some(())
        },
    },
    Step {
        name: "a blocked job goes on",
        kind: Kind::OfUser,
        events: &[Event::Unblocks],
        besides: NEARER,
        enabled: |world| world.places.blocked.is_positive(),
        run: |world| {
            world.places.blocked = world.places.blocked - 1;
            world.places.running = world.places.running + 1;
            let wakeups = world.machine.workers.unblock();
            world.owe(wakeups);
            Some(())
        },
    },
    Step {
        name: "a worker has exited",
        kind: Kind::OfUser,
        events: &[Event::Exits, Event::IsForgotten],
        besides: NEARER,
        enabled: |world| world.places.exiting.is_positive(),
        run: |world| {
            world.places.exiting = world.places.exiting - 1;
            let last = exited(&mut world.machine.workers, &mut world.machine.submit_queue);
            world.owe(last.wakeups);
            world.announce(last.stopped);
            Some(())
        },
    },
];

fn assume_spawners_have_threads(world: &World) -> Option<()> {
    let at = &world.places;
    let spawners = at.spawners + at.unnumbered;
    assume(spawners.at_most(at.to_spawn) & spawners.is_zero().implies(at.to_spawn.is_zero()))
}

/// How many threads one spawner has left to spawn.
fn share_of_a_spawner(world: &World) -> Option<Int> {
    let at = &world.places;
    let left = any("threads that one spawner has left");
    let others = at.spawners + at.unnumbered - 1;
    let only_one = others.is_zero().implies(left.equals(at.to_spawn));
    assume(left.is_positive() & (left + others).at_most(at.to_spawn) & only_one)?;
    Some(left)
}

/// A worker's wait is over. It wakes the next first if there is one to be woken; otherwise it asks at once.
fn wakes(world: &mut World, slot: u32) {
    let wakeups = world.machine.workers.woken(slot);
    if wakeups == Wakeups::NONE {
        world.asks_next(choose("it may search"));
    } else {
        world.owe(wakeups);
        world.places.passing_on = world.places.passing_on + 1;
    }
}
