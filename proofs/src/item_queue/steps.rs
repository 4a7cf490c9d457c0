//! The steps of those who put, take, put back, cancel and close, and of the loop that delivers.

use super::world::World;
use crate::events::item_queue::Event;
use crate::explore::{any, assume, choose, prove};
use crate::induction::{Kind, Step};
use crate::machine::count::Count;
use crate::machine::item_queue::{Put, PutRefused, Serve, Take};
use crate::machine::wait_queue::Key;
use crate::symbol::{Condition, Int};

pub const STEPS: &[Step<World>] = &[
    Step {
        name: "an item is put",
        kind: Kind::Outside,
        events: &[Event::Put],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let (items, takers, place) = (world.items(), world.takers(), world.put());
            let has_taker = items.less(takers);
            let has_slot =
                world.size.map_or(Condition::TRUE, |size| (items - takers).less(size) & Int::ZERO.less(size));
            let was_closed = world.fields().closed;
            match world.machine.put(place) {
                Ok(put) => {
                    prove("an item is accepted only for a taker or within the limit", has_taker | has_slot);
                    prove("a closed queue accepts no item", !was_closed);
                    prove("an item that is put comes last", world.put().equals(place + 1));
                    owes(world, put);
                }
                Err((_, PutRefused::Full)) => prove("an item is refused only at the limit", !has_taker & !has_slot),
                Err((_, PutRefused::Closed)) => prove("an open queue says to nobody that it is closed", was_closed),
            }
            Some(())
        },
    },
    Step {
        name: "an item comes back",
        kind: Kind::Outside,
        events: &[Event::ComeBack],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let place = any("place of the item that comes back");
            let is_watched = place.equals(world.watched);
            let was_taken = Int::ZERO.at_most(place) & place.less(world.fields().taken);
            assume(was_taken & is_watched.implies(world.holders.is_positive()))?;
            // Another that is held is among those that were taken and have not come back.
            let returned = world.fields().returned;
            let room = returned.len().0.less(world.fields().taken);
            assume(room & !returned.is_first(place))?;
            world.holders = world.holders - Int::choose(is_watched, 1, 0);
            let items = world.items();
            let put = world.machine.put_back(place, Count(place));
            prove("an item that comes back is in the queue", world.items().equals(items + 1));
            owes(world, put);
            Some(())
        },
    },
    Step {
        name: "an item is received for good",
        kind: Kind::Outside,
        events: &[Event::Take],
        besides: (),
        enabled: |world| world.holders.is_positive(),
        run: |world| {
            world.holders = world.holders - 1;
            world.receivers = world.receivers + 1;
            Some(())
        },
    },
    Step {
        name: "an item is asked for",
        kind: Kind::Outside,
        events: &[Event::Take],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let (items, takers) = (world.items(), world.takers());
            let has_item = takers.less(items);
            let has_room = world
                .backlog
                .map_or(Condition::TRUE, |backlog| (takers - items).less(backlog) & Int::ZERO.less(backlog));
            let (was, closed) = (world.clone(), world.fields().closed);
            match world.machine.take() {
                Take::Item(item, place) => {
                    prove("nobody overtakes those who wait", takers.is_zero());
                    is_handed_out(&was, world, item, place);
                }
                Take::MustWait => {
                    prove("whoever waits has an item to come, or may wait for one", has_item | has_room);
                    prove("nobody begins to wait for a closed queue", has_item | !closed);
                    prove("nobody waits where items are there and nobody waits before", {
                        items.is_zero() | takers.is_positive()
                    });
                    world.machine.wait(any("new taker"));
                }
                Take::Refused => prove("a taker is refused only at the limit", !has_item & !has_room & !closed),
                Take::Closed => prove("only who gets none is told that the queue is closed", !has_item & closed),
            }
            Some(())
        },
    },
    Step {
        name: "a wait is cancelled",
        kind: Kind::Outside,
        events: &[Event::Cancel],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let (takers, items) = (world.takers(), world.items());
            let (key, waits) = match (choose("it is the first that waits"), choose("it is another that waits")) {
                (true, _) => (Key::First, takers.is_positive()),
                (false, true) => (Key::Another, Int::from(1).less(takers)),
                (false, false) => (Key::Nobody, Condition::FALSE),
            };
            let is_removed = world.machine.cancel_wait(key).is_some();
            prove("a wait is cancelled once, unless it is over", {
                if is_removed { waits & world.takers().equals(takers - 1) } else { !waits }
            });
            prove("an item stays when its taker leaves", world.items().equals(items));
            Some(())
        },
    },
    Step {
        name: "the queue is closed",
        kind: Kind::Outside,
        events: &[Event::Close],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            let items = world.items();
            let put = world.machine.close();
            prove("a queue that was closed is", world.fields().closed);
            prove("a close keeps the items", world.items().equals(items));
            owes(world, put);
            Some(())
        },
    },
    Step {
        name: "the loop that delivers takes the next",
        kind: Kind::Own,
        events: &[Event::DeliverNext],
        besides: (),
        enabled: |world| world.loops.is_positive(),
        run: |world| {
            let was = world.clone();
            let first = was.fields().takers.first().copied();
            let is_first = |taker: Int| first.map_or(Condition::FALSE, |first| taker.equals(first));
            let (items, closed) = (was.items(), was.fields().closed);
            match world.machine.next() {
                Some(Serve::Deliver(taker, item, place)) => {
                    prove("takers are served in the order in which they came", is_first(taker));
                    is_handed_out(&was, world, item, place);
                }
                Some(Serve::TurnAway(taker)) => {
                    prove("takers are served in the order in which they came", is_first(taker));
                    prove("a taker is turned away only where no item will come", items.is_zero() & closed);
                }
                None => {
                    world.loops = world.loops - 1;
                    prove("the loop that delivers ends where none is to be served", {
                        was.takers().is_zero() | (items.is_zero() & !closed)
                    });
                }
            }
            Some(())
        },
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

/// Items or takers came together.
fn owes(world: &mut World, put: Put) {
    match put {
        Put::Nothing => {}
        Put::Deliver => world.loops = world.loops + 1,
    }
}

/// The queue has handed out an item, with its place.
fn is_handed_out(was: &World, world: &mut World, item: Int, place: Count) {
    prove("an item comes with its own place", item.equals(place.0));
    prove("items leave in the order of their places", was.has_watched().implies(place.0.at_most(was.watched)));
    prove("an item that is handed out is in the queue no more", {
        world.items().equals(was.items() - 1) & world.put().equals(was.put())
    });
    world.holders = world.holders + Int::choose(place.0.equals(world.watched), 1, 0);
}

#[cfg(test)]
mod tests {
    use super::super::world::World;
    use crate::induction::tests::refuted;
    use crate::symbol::{Condition, Int};

    #[test]
    fn a_false_invariant_is_refuted_by_the_step_that_breaks_it() {
        let never_both = |world: &World| world.items().is_zero() | world.takers().is_zero();
        assert_eq!(refuted("an item is put", never_both), ["what is claimed besides"]);
        let within_the_limit = |world: &World| {
            let left = world.items() - world.takers();
            world.size.map_or(Condition::TRUE, |size| left.at_most(size) | left.at_most(0))
        };
        assert!(refuted("an item is put", within_the_limit).is_empty());
        assert_eq!(refuted("an item comes back", within_the_limit), ["what is claimed besides"]);
        let is_received = |world: &World| Int::from(1).at_most(world.receivers) | world.holders.is_zero();
        assert_eq!(refuted("an item is asked for", is_received), ["what is claimed besides"]);
    }
}
