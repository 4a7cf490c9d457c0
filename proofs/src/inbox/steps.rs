//! The steps of the loop and of the posters, each under one hold of the lock, or after it.

use super::world::{Loop, World};
use crate::events::inbox::Event;
use crate::explore::{choose, prove};
use crate::induction::{Kind, Step};
use crate::machine::inbox::{LoopState, LoopWake, Park, PostError};
use crate::machine::view::{Call, Calls};
use crate::symbol::{Condition, Int};

pub const STEPS: &[Step<World>] = &[
    Step {
        name: "a call is posted",
        kind: Kind::Outside,
        events: &[Event::Posts, Event::LoopPosts],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let was = world.fields().state;
            match world.machine.post(Call::BeyondBound) {
                Ok(wake) => owes(world, was, wake),
                Err(_) => prove("an open inbox refuses no call", was == LoopState::Closed),
            }
            Some(())
        },
    },
    Step {
        name: "a call is posted within the bound",
        kind: Kind::Outside,
        events: &[Event::Posts],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            posts_within_bound(world);
            Some(())
        },
    },
    Step {
        name: "a poster tries again",
        kind: Kind::Own,
        events: &[Event::TriesAgain],
        besides: (),
        enabled: |world| world.trying_again.is_positive(),
        run: |world| {
            world.trying_again = world.trying_again - 1;
            world.machine.end_slot_wait();
            posts_within_bound(world);
            Some(())
        },
    },
    Step {
        name: "a wait for a slot ends by itself",
        kind: Kind::Outside,
        events: &[Event::PosterTimesOut],
        besides: (),
        enabled: |world| world.waiting.is_positive(),
        run: |world| {
            world.waiting = world.waiting - 1;
            world.trying_again = world.trying_again + 1;
            Some(())
        },
    },
    Step {
        name: "a poster wakes the loop",
        kind: Kind::Own,
        events: &[Event::Wakes],
        besides: (),
        enabled: |world| world.owe_wake.is_positive(),
        run: |world| {
            world.owe_wake = world.owe_wake - 1;
            if world.consumer == Loop::Waits {
                world.consumer = Loop::WaitOver;
            }
            Some(())
        },
    },
    Step {
        name: "waiting posters are notified",
        kind: Kind::Own,
        events: &[Event::LoopNotifiesPosters],
        besides: (),
        enabled: |world| world.notify_all.is_positive(),
        run: |world| {
            world.notify_all = world.notify_all - 1;
            world.trying_again = world.trying_again + world.waiting;
            world.waiting = Int::ZERO;
            Some(())
        },
    },
    Step {
        name: "the loop takes all calls",
        kind: Kind::Own,
        events: &[Event::LoopTakes],
        besides: (),
        enabled: |world| (world.consumer == Loop::Takes).into(),
        run: |world| {
            let waiting = world.fields().calls;
            let mut batch = Calls::default();
            world.machine.take(&mut batch);
            prove("all calls are taken", batch.len.0.equals(waiting) & world.fields().calls.is_zero());
            owes_posters(world);
            world.consumer = Loop::Parks;
            Some(())
        },
    },
    Step {
        name: "the loop has nothing else to do",
        kind: Kind::Own,
        events: &[Event::LoopParks],
        besides: (),
        enabled: |world| (world.consumer == Loop::Parks).into(),
        run: |world| {
            let calls = world.fields().calls;
            match world.machine.park() {
                Park::Sleep => {
                    world.consumer = Loop::Waits;
                    world.wakes = Int::ZERO;
                }
                Park::Stay => {
                    prove("a loop stays awake only for calls", calls.is_positive());
                    world.consumer = Loop::Takes;
                }
            }
            Some(())
        },
    },
    Step {
        name: "the loop wakes by itself",
        kind: Kind::Outside,
        events: &[Event::LoopWakesByDeadlineOrSpuriously],
        besides: (),
        enabled: |world| (world.consumer == Loop::Waits).into(),
        run: |world| {
            world.consumer = Loop::WaitOver;
            Some(())
        },
    },
    Step {
        name: "the loop's wait is over",
        kind: Kind::Own,
        events: &[Event::LoopResumes],
        besides: (),
        enabled: |world| (world.consumer == Loop::WaitOver).into(),
        run: |world| {
            world.machine.resume();
            world.consumer = Loop::Takes;
            Some(())
        },
    },
    Step {
        name: "the loop closes the inbox",
        kind: Kind::Outside,
        events: &[Event::LoopCloses],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let waiting = world.fields().calls;
            let rest = world.machine.close();
            prove("all calls that were accepted are returned", rest.len.0.equals(waiting));
            owes_posters(world);
            world.consumer = Loop::Ended;
            Some(())
        },
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

/// A post was accepted.
fn owes(world: &mut World, was: LoopState, wake: LoopWake) {
    prove("a closed inbox accepts no call", was != LoopState::Closed);
    prove("a wake is owed to a sleeping loop only", (wake == LoopWake::Needed) == (was == LoopState::Asleep));
    if wake == LoopWake::Needed {
        world.owe_wake = world.owe_wake + 1;
        world.wakes = world.wakes + 1;
    }
}

/// A poster that keeps to the bound posts. If there is no slot it waits for one, or gives up.
fn posts_within_bound(world: &mut World) {
    let (was, calls) = (world.fields().state, world.fields().calls);
    match world.machine.post_bounded(Call::WithinBound) {
        Ok(wake) => {
            prove("a call is accepted only where a slot is free", calls.less(world.bound));
            owes(world, was, wake);
        }
        Err(PostError::Closed(_)) => prove("an open inbox says to nobody that it is closed", was == LoopState::Closed),
        Err(PostError::Full(_)) => {
            prove("a call is handed back only where no slot is free", world.bound.at_most(calls));
            prove("whoever is to wait for a slot is not told that the inbox is closed", was != LoopState::Closed);
            if choose("it waits for a slot") {
                world.machine.begin_slot_wait();
                world.waiting = world.waiting + 1;
            }
        }
    }
}

/// The loop has freed all slots, and notifies those who wait for one once the lock is released.
fn owes_posters(world: &mut World) {
    if world.machine.has_waiting_posters() {
        world.notify_all = world.notify_all + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::World;
    use crate::induction::tests::refuted;

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let bound_for_all = |world: &World| world.fields().calls.at_most(world.bound);
        assert_eq!(refuted("a call is posted", bound_for_all), ["what is claimed besides"]);
        assert!(refuted("a call is posted within the bound", bound_for_all).is_empty());
        let one_wake = |world: &World| world.owe_wake.at_most(1);
        assert_eq!(refuted("a call is posted", one_wake), ["what is claimed besides"]);
    }
}
