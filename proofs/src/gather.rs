//! The proof of a list of Deferreds, for any number of members.
//!
//! A state is known by what is missing and whether the list is decided: by induction there is no other.

use crate::claim::Describe;
use crate::events::gather::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::count::{Count, ZERO};
use crate::machine::gather::{Arrival, DecidedBy, GatherState};
use crate::symbol::{Condition, Int, Model};

/// A list, and what came of it.
#[derive(Clone)]
pub struct World {
    machine: GatherState,
    by: DecidedBy,
    /// Members without a result.
    missing: Int,
    has_fired: bool,
}

const STEPS: &[Step<World>] = &[
    Step {
        name: "a member has a value",
        kind: Kind::OfUser,
        events: &[Event::Value],
        besides: (),
        enabled: |world| world.missing.is_positive(),
        run: |world| arrives(world, true),
    },
    Step {
        name: "a member has an error",
        kind: Kind::OfUser,
        events: &[Event::Error],
        besides: (),
        enabled: |world| world.missing.is_positive(),
        run: |world| arrives(world, false),
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

fn arrives(world: &mut World, is_value: bool) -> Option<()> {
    let arrival = world.machine.arrived(is_value);
    world.missing = world.missing - 1;
    let decides = if is_value { world.by.value } else { world.by.error };
    if world.has_fired {
        prove("a list fires once", arrival == Arrival::Late);
        return Some(());
    }
    match arrival {
        Arrival::Store => {
            prove("a list waits while results are missing and none decides it", {
                world.missing.is_positive() & !decides
            });
        }
        Arrival::Decides => prove("a list is decided by a result that decides it", decides),
        Arrival::Completes => prove("a list is complete with its last result", world.missing.is_zero() & !decides),
        Arrival::Late => prove("no result of an undecided list is late", false),
    }
    world.has_fired = arrival != Arrival::Store;
    Some(())
}

impl World {
    /// The machine of a list that has fired, or has not, with so many members without a result.
    fn machine(by: DecidedBy, missing: Int, has_fired: bool) -> GatherState {
        if !has_fired {
            return GatherState::new(by, Count(missing)).0;
        }
        if !by.value && !by.error {
            return GatherState::new(by, ZERO).0;
        }
        let mut list = GatherState::new(by, Count(missing + 1)).0;
        _ = list.arrived(by.value);
        list
    }
}

impl induction::World for World {
    const NAME: &'static str = "list";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] = &[Rest {
        name: "at rest",
        ended: &[Kind::Own, Kind::OfUser],
        provided: |_| Condition::TRUE,
        prove: |world| prove("a list fires if each of its members has a result", world.has_fired),
    }];

    fn any() -> Option<Self> {
        let missing = Int::unknown("members without a result");
        assume(Int::ZERO.at_most(missing) & missing.less(Int::GREATEST))?;
        let by = DecidedBy { value: choose("a value decides"), error: choose("an error decides") };
        let has_fired = choose("the list has fired");
        // No machine has this state but one that fired with its last result.
        let is_complete = has_fired && !by.value && !by.error;
        assume(missing.is_zero() | !is_complete)?;
        Some(Self { machine: Self::machine(by, missing, has_fired), by, missing, has_fired })
    }

    /// A list without members fires at once, and no other does.
    fn new() -> Option<Self> {
        let any = Self::any()?;
        assume((!any.has_fired).into())?;
        let (machine, has_fired) = GatherState::new(any.by, Count(any.missing));
        prove("a list without members fires at once, and no other does", {
            if has_fired { any.missing.is_zero() } else { any.missing.is_positive() }
        });
        Some(Self { machine, has_fired, ..any })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let is_so = self.machine == Self::machine(self.by, self.missing, self.has_fired);
        vec![
            ("the machine knows what is missing, and whether the list has fired", is_so.into()),
            ("a list that has not fired waits for a result", self.missing.is_positive() | self.has_fired),
            ("nobody has two results", Int::ZERO.at_most(self.missing)),
        ]
    }

    fn rank(&self) -> Vec<Int> {
        vec![self.missing]
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        vec![
            ("members without a result", self.missing.value(model).to_string()),
            ("the list has fired", self.has_fired.to_string()),
        ]
    }
}
