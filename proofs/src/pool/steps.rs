//! The steps of threads and callers: who moves from where to where, while which transition runs.

use super::world::World;
use crate::explore::{any, assume, choose, prove};
use crate::machine::count::Count;
use crate::machine::pool::{
    AWAKE, Policy, PoolState, Sizes, SubmitError, TIMED, UNTIMED, Wakeups, begin_start_hooks, block, cancel, exited,
    is_at_rest, report_saturation, resize, spawn_failed, spawn_next, start, stop, submit_when_full,
};
use crate::symbol::{Condition, Int};

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Threads and callers that are at work: they go on by themselves.
    Own,
    /// Jobs and hooks that end, which is the program's affair.
    OfUser,
    /// A call from outside, a spurious wake, an expired timeout, a failure, a job that begins to wait.
    Outside,
}

/// A step.
pub struct Step {
    pub name: &'static str,
    pub kind: Kind,
    /// The events of the exhaustive search, as `src/machine/explore/pool/parts.rs` names them, that this one is.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares them"))]
    pub events: &'static [&'static str],
    /// A job is submitted.
    pub submits: bool,
    /// Blocked workers are not compensated for while the maximum is one.
    pub not_for_one: bool,
    /// Whether it can be taken.
    pub enabled: fn(&World) -> Condition,
    pub run: fn(&mut World) -> Option<()>,
}

const STEP: Step = Step {
    name: "",
    kind: Kind::Own,
    events: &[],
    submits: false,
    not_for_one: false,
    enabled: |_| Condition::TRUE,
    run: |_| Some(()),
};

/// All steps.
pub const STEPS: &[Step] = &[
    // Threads that are spawned.
    Step {
        name: "a thread is spawned",
        events: &["SpawnsThread"],
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
        events: &["NumbersThread"],
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
        events: &["SpawnFails"],
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
        ..STEP
    },
    // A worker's life.
    Step {
        name: "a thread starts",
        events: &["ThreadStarts", "AsksNextMaySearch"],
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
        events: &["ThreadStarts"],
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
        events: &["AsksNext", "AsksNextMaySearch"],
        enabled: |world| world.places.start_hooks.is_positive(),
        run: |world| {
            world.places.start_hooks = world.places.start_hooks - 1;
            world.asks_next(choose("it may search"));
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a notified worker takes the lock",
        events: &["AsksNext", "AsksNextMaySearch"],
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
        events: &["WakesSpuriously", "KeepAlivePasses"],
        enabled: |world| world.places.named.is_positive(),
        run: |world| {
            world.places.named = world.places.named - 1;
            world.places.late_notifies = world.places.late_notifies + 1;
            wakes(world, AWAKE);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a sleeper without a timeout wakes by itself",
        kind: Kind::Outside,
        events: &["WakesSpuriously"],
        enabled: |world| world.places.asleep_untimed.is_positive(),
        run: |world| {
            world.places.asleep_untimed = world.places.asleep_untimed - 1;
            wakes(world, UNTIMED);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a sleeper with a timeout wakes by itself",
        kind: Kind::Outside,
        events: &["WakesSpuriously", "KeepAlivePasses"],
        enabled: |world| world.places.asleep_timed.is_positive(),
        run: |world| {
            world.places.asleep_timed = world.places.asleep_timed - 1;
            wakes(world, TIMED);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a wake was passed on",
        events: &["AsksNext", "AsksNextMaySearch"],
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
        events: &["AsksNext"],
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
        events: &["FinishesJob", "AsksNextMaySearch"],
        enabled: |world| world.places.running.is_positive(),
        run: |world| {
            world.places.running = world.places.running - 1;
            world.machine.workers.finished(false);
            world.asks_next(choose("it may search"));
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a job blocks",
        kind: Kind::Outside,
        events: &["Blocks"],
        enabled: |world| world.places.running.is_positive(),
        run: |world| {
            world.places.running = world.places.running - 1;
            world.places.blocked = world.places.blocked + 1;
            let wakeups = block(&mut world.machine.workers, &mut world.machine.submit_queue);
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a blocked job goes on",
        kind: Kind::OfUser,
        events: &["Unblocks"],
        enabled: |world| world.places.blocked.is_positive(),
        run: |world| {
            world.places.blocked = world.places.blocked - 1;
            world.places.running = world.places.running + 1;
            let wakeups = world.machine.workers.unblock();
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a worker has exited",
        kind: Kind::OfUser,
        events: &["Exits", "IsForgotten"],
        enabled: |world| world.places.exiting.is_positive(),
        run: |world| {
            world.places.exiting = world.places.exiting - 1;
            let last = exited(&mut world.machine.workers, &mut world.machine.submit_queue);
            world.owe(last.wakeups);
            world.announce(last.stopped);
            Some(())
        },
        ..STEP
    },
    // What is owed.
    Step {
        name: "a worker is notified",
        events: &["Notifies"],
        enabled: |world| world.places.named.is_positive(),
        run: |world| {
            world.places.named = world.places.named - 1;
            world.places.notified = world.places.notified + 1;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a notify comes late",
        events: &["NotifiesNobody"],
        enabled: |world| world.places.late_notifies.is_positive(),
        run: |world| {
            world.places.late_notifies = world.places.late_notifies - 1;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a submitter calls wake_or_spawn",
        events: &["WakesForSubmit"],
        enabled: |world| world.places.owe_wake.is_positive(),
        run: |world| {
            world.places.owe_wake = world.places.owe_wake - 1;
            let machine = &mut world.machine;
            let wakeups = machine.workers.wake_or_spawn();
            let wakeups = if machine.workers.may_report_saturation() {
                prove("nothing is dropped for the report", wakeups == Wakeups::NONE);
                report_saturation(&mut machine.workers, &mut machine.submit_queue)
            } else {
                wakeups
            };
            world.owe(wakeups);
            Some(())
        },
        ..STEP
    },
    Step {
        name: "a submitter is notified",
        events: &["NotifiesSubmitters"],
        enabled: |world| world.places.notify_one.is_positive(),
        run: |world| {
            let notified = any("submitters that this frees");
            let at = &mut world.places;
            assume(at.waiting.min(1).at_most(notified) & notified.at_most(at.waiting))?;
            at.notify_one = at.notify_one - 1;
            at.waiting = at.waiting - notified;
            at.trying_again = at.trying_again + notified;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "all submitters are notified",
        events: &["NotifiesSubmitters"],
        enabled: |world| world.places.notify_all.is_positive(),
        run: |world| {
            let at = &mut world.places;
            at.notify_all = at.notify_all - 1;
            at.trying_again = at.trying_again + at.waiting;
            at.waiting = Int::ZERO;
            Some(())
        },
        ..STEP
    },
    Step {
        name: "jobs were refused",
        events: &["RefusesJobs"],
        enabled: |world| world.places.refusing.is_positive(),
        run: |world| {
            world.places.refusing = world.places.refusing - 1;
            let stopped = world.machine.workers.refusals_done();
            world.announce(stopped);
            Some(())
        },
        ..STEP
    },
    // Callers.
    Step {
        name: "a job is submitted",
        kind: Kind::Outside,
        events: &["Submits"],
        submits: true,
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
        events: &["SubmitsWhenFull", "WaitsForSlot"],
        submits: true,
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
        events: &["SubmitsWhenFull", "WaitsForSlot"],
        submits: true,
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
        events: &["TimesOut"],
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
        events: &["Starts"],
        run: |world| starts(world, false),
        ..STEP
    },
    Step {
        name: "the pool is started lazily",
        kind: Kind::Outside,
        events: &["StartsLazily"],
        run: |world| {
            world.is_lazy = Condition::TRUE;
            starts(world, true)
        },
        ..STEP
    },
    Step { name: "the pool is resized", kind: Kind::Outside, events: &["Resizes"], run: resizes, ..STEP },
    Step {
        name: "a pool is resized that compensates above one only",
        kind: Kind::Outside,
        events: &["Resizes"],
        not_for_one: true,
        run: resizes,
        ..STEP
    },
    Step {
        name: "the pool is stopped, and drains",
        kind: Kind::Outside,
        events: &["Stops"],
        run: |world| stops(world, Policy::Drain),
        ..STEP
    },
    Step {
        name: "the pool is stopped, and cancels",
        kind: Kind::Outside,
        events: &["Stops"],
        run: |world| stops(world, Policy::CancelQueued),
        ..STEP
    },
    Step {
        name: "a job is cancelled",
        kind: Kind::Outside,
        events: &["Cancels"],
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
        events: &["WakesAhead"],
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
        events: &["StopReturns"],
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
