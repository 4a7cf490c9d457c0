//! The proof of a list of Deferreds, for any number of members.
//!
//! A state is known by what is missing and whether the list is decided: by induction there is no other.

use crate::claim::Describe;
use crate::events::gather::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::count::Count;
use crate::machine::gather::{Arrival, DecidedBy, GatherState};
use crate::symbol::{Condition, Int, Model};

/// A list, and what came of it.
#[derive(Clone)]
pub struct World {
    machine: GatherState,
    by: DecidedBy,
    /// Members without a result.
    missing: Int,
    /// It has fired, or was given up.
    is_decided: bool,
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
    Step {
        name: "a cancel is in vain",
        kind: Kind::Outside,
        events: &[Event::GiveUp],
        besides: (),
        enabled: |_| Condition::TRUE,
        run: |world| {
            world.machine.give_up();
            world.is_decided = true;
            Some(())
        },
    },
];

const _: () = assert!(Event::are_the_steps_of::<World>());

fn arrives(world: &mut World, is_value: bool) -> Option<()> {
    let arrival = world.machine.arrived(is_value);
    world.missing = world.missing - 1;
    let decides = if is_value { world.by.value } else { world.by.error };
    if world.is_decided {
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
    world.is_decided = arrival != Arrival::Store;
    Some(())
}

impl World {
    /// The machine of a list that is decided, or is not, with so many members without a result.
    fn machine(by: DecidedBy, missing: Int, is_decided: bool) -> GatherState {
        if !is_decided {
            return GatherState::new(by, Count(missing)).0;
        }
        if !by.value && !by.error {
            let mut list = GatherState::new(by, Count(missing)).0;
            list.give_up();
            return list;
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
        prove: |world| prove("a list is decided if each of its members has a result", world.is_decided),
    }];

    fn any() -> Option<Self> {
        let missing = Int::unknown("members without a result");
        assume(Int::ZERO.at_most(missing) & missing.less(Int::GREATEST))?;
        let by = DecidedBy { value: choose("a value decides"), error: choose("an error decides") };
        let is_decided = choose("the list has fired, or was given up");
        Some(Self { machine: Self::machine(by, missing, is_decided), by, missing, is_decided })
    }

    /// A list without members fires at once, and no other does.
    fn new() -> Option<Self> {
        let any = Self::any()?;
        assume((!any.is_decided).into())?;
        let (machine, is_decided) = GatherState::new(any.by, Count(any.missing));
        prove("a list without members fires at once, and no other does", {
            if is_decided { any.missing.is_zero() } else { any.missing.is_positive() }
        });
        Some(Self { machine, is_decided, ..any })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let is_so = self.machine == Self::machine(self.by, self.missing, self.is_decided);
        vec![
            ("the machine knows what is missing, and whether the list is decided", is_so.into()),
            ("a list that is not decided waits for a result", self.missing.is_positive() | self.is_decided),
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
            ("the list is decided", self.is_decided.to_string()),
        ]
    }
}
