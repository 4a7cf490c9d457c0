//! The steps of callers: submit, wait for a slot, start, resize, cancel, stop, and the question whether all is at rest.

use super::super::world::World;
use super::step::{Besides, DELAY, NO_EFFECT, STEP};
use crate::events::pool::Event;
use crate::explore::{any, assume, choose, prove};
use crate::induction::{Kind, Step};
use crate::machine::count::Count;
use crate::machine::pool::{
    Policy, Sizes, SubmitError, Wakeups, cancel, is_at_rest, resize, start, stop, submit_when_full,
};
use crate::symbol::{Condition, Int};

pub const STEPS: &[Step<World>] = &[
    Step {
        name: "a job is submitted",
        kind: Kind::Outside,
        events: &[Event::Submits],
        besides: Besides { submits: true, ..NO_EFFECT },
        run: |world| {
            let (queued, was_open) = (world.queued(), world.machine.fields().open);
            let submit_queue = &mut world.machine.submit_queue;
            let submitted =
                if choose("the job has a ticket") { submit_queue.submit_ticketed(()) } else { submit_queue.submit(()) };
            match submitted {
                Ok(accepted) => {
                    prove("a job is accepted only where a slot is free", queued.less(world.bound));
                    prove("a stopped pool accepts no job", was_open);
                    if accepted.must_wake {
                        world.places.owe_wake = world.places.owe_wake + 1;
                    }
                }
                Err(SubmitError::Closed(())) => prove("an open pool says that it is closed to nobody", !was_open),
                Err(SubmitError::Full(())) => world.places.found_full = world.places.found_full + 1,
            }
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a submitter that found no slot takes both locks",
        events: &[Event::SubmitsWhenFull, Event::WaitsForSlot],
        besides: Besides { submits: true, ..NO_EFFECT },
        enabled: |world| world.places.found_full.is_positive(),
        run: |world| {
            world.places.found_full = world.places.found_full - 1;
            submits_when_full(world);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a submitter tries again",
        events: &[Event::SubmitsWhenFull, Event::WaitsForSlot],
        besides: Besides { submits: true, ..NO_EFFECT },
        enabled: |world| world.places.trying_again.is_positive(),
        run: |world| {
            world.places.trying_again = world.places.trying_again - 1;
            world.machine.workers.end_slot_wait();
            submits_when_full(world);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a wait for a slot ends by itself",
        kind: Kind::Outside,
        events: &[Event::TimesOut],
        enabled: |world| world.places.waiting.is_positive(),
        run: |world| {
            world.places.waiting = world.places.waiting - 1;
            world.places.trying_again = world.places.trying_again + 1;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "the pool is started",
        kind: Kind::Outside,
        events: &[Event::Starts],
        besides: DELAY,
        run: |world| starts(world, false),
        ..STEP
    },
    Step {
        name: "the pool is started lazily",
        kind: Kind::Outside,
        events: &[Event::StartsLazily],
        besides: DELAY,
        run: |world| {
            world.is_lazy = Condition::TRUE;
            starts(world, true)
        },
        ..STEP
    },
    Step {
        name: "the pool is resized",
        kind: Kind::Outside,
        events: &[Event::Resizes],
        besides: DELAY,
        run: resizes,
        ..STEP
    },
    Step {
        name: "a pool is resized that compensates above one only",
        kind: Kind::Outside,
        events: &[Event::Resizes],
        besides: Besides { not_for_one: true, ..DELAY },
        run: resizes,
        ..STEP
    },
    Step {
        name: "the pool is stopped, and drains",
        kind: Kind::Outside,
        events: &[Event::Stops],
        besides: DELAY,
        run: |world| stops(world, Policy::Drain),
        ..STEP
    },
    Step {
        name: "the pool is stopped, and cancels",
        kind: Kind::Outside,
        events: &[Event::Stops],
        besides: DELAY,
        run: |world| stops(world, Policy::CancelQueued),
        ..STEP
    },
    Step {
        name: "a job is cancelled",
        kind: Kind::Outside,
        events: &[Event::Cancels],
        run: |world| {
            let (_, wakeups) = cancel(&mut world.machine.workers, &mut world.machine.submit_queue, 0);
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a worker is woken ahead",
        kind: Kind::Outside,
        events: &[Event::WakesAhead],
        run: |world| {
            let wakeups = world.machine.workers.wake_ahead();
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "somebody asks whether the pool is at rest",
        kind: Kind::Outside,
        events: &[Event::StopReturns],
        run: |world| {
            let asker = any("workers that wait for the asker");
            assume(Int::ZERO.at_most(asker) & asker.at_most(Int::GREATEST))?;
            let at_rest = is_at_rest(&world.machine.workers, &world.machine.submit_queue, Count(asker));
            if at_rest {
                let at = &world.places;
                prove("at rest no more jobs run than wait for the asker", (at.running + at.blocked).at_most(asker));
                prove("at rest no thread refuses jobs but one that asks", at.refusing.at_most(asker));
            }
            Some(())
        },
        ..STEP
    },
];

fn submits_when_full(world: &mut World) {
    let queued = world.queued();
    let machine = &mut world.machine;
    let ticketed = choose("the job has a ticket");
    match submit_when_full(&mut machine.workers, &mut machine.submit_queue, (), ticketed) {
        Ok((_, wakeups)) => {
            prove("a job is accepted only where a slot is free", queued.less(world.bound));
            world.owe(wakeups);
        }
        Err(SubmitError::Closed(())) => {}
        Err(SubmitError::Full(())) => {
            prove("a job is handed back only where no slot is free", world.bound.at_most(queued));
            if choose("it waits for a slot") {
                machine.workers.begin_slot_wait();
                world.places.waiting = world.places.waiting + 1;
            }
        }
    }
}

fn starts(world: &mut World, lazily: bool) -> Option<()> {
    let was_open = world.machine.fields().open;
    let started = start(&mut world.machine.workers, &mut world.machine.submit_queue, lazily);
    prove("a pool is started unless it was stopped", started.is_ok() == was_open);
    world.owe(started.unwrap_or(Wakeups::NONE));
    Some(())
}

fn resizes(world: &mut World) -> Option<()> {
    let (min, max) = (any("new minimum"), any("new maximum"));
    assume(Int::ZERO.at_most(min) & min.at_most(max) & max.at_most(Int::GREATEST))?;
    let target = Sizes { min: Count(min), max: Count(max) };
    let wakeups = resize(&mut world.machine.workers, &mut world.machine.submit_queue, target);
    world.owe(wakeups);
    Some(())
}

fn stops(world: &mut World, policy: Policy) -> Option<()> {
    let stopped = stop(&mut world.machine.workers, &mut world.machine.submit_queue, policy);
    if !stopped.cancelled.is_empty() {
        world.places.refusing = world.places.refusing + 1;
    }
    world.owe(stopped.wakeups);
    world.announce(stopped.stopped);
    Some(())
}
