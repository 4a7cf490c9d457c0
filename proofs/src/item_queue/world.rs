//! A queue of items with those who use it, what holds of them in every state, and what the loop that delivers lowers.
//!
//! One item is watched, whichever it is: what is proved of it is true of each.

use super::steps::STEPS;
use crate::claim::Describe;
use crate::events::item_queue::Event;
use crate::explore::{assume, choose, prove};
use crate::induction::{self, Kind, Rest, Step};
use crate::machine::chunked_queue::ChunkedQueue;
use crate::machine::count::Count;
use crate::machine::place::ItemsByPlace;
use crate::machine::view::{ItemQueueFields, Items, item_queue, item_queue_fields};
use crate::machine::wait_queue::WaitQueue;
use crate::symbol::{Condition, Int, Model};

/// A queue with all who use it.
#[derive(Clone)]
pub struct World {
    pub machine: Items,
    /// `None` is no limit.
    pub size: Option<Int>,
    pub backlog: Option<Int>,
    /// The place of the item that is watched.
    pub watched: Int,
    /// Who has taken that item, and may still put it back.
    pub holders: Int,
    /// Who has received it for good.
    pub receivers: Int,
    /// Callers that are in the loop over `next`.
    pub loops: Int,
}

impl World {
    pub fn fields(&self) -> ItemQueueFields {
        item_queue_fields(&self.machine)
    }

    /// All items.
    pub fn items(&self) -> Int {
        let fields = self.fields();
        fields.returned.len().0 + fields.items.len().0
    }

    pub fn takers(&self) -> Int {
        self.fields().takers.len().0
    }

    /// How many items were put.
    pub fn put(&self) -> Int {
        let fields = self.fields();
        fields.taken + fields.items.len().0
    }

    /// The watched item is in the queue.
    pub fn has_watched(&self) -> Condition {
        let fields = self.fields();
        fields.returned.has_watched | (fields.taken.at_most(self.watched) & self.watched.less(self.put()))
    }

    /// Numbers are machine integers. Items and takers are in memory, so fewer than half of those exist; so many items
    /// as there are places are never put.
    fn is_in_memory(&self) -> Condition {
        let ItemQueueFields { returned, items, taken, takers, .. } = self.fields();
        let parts =
            [returned.len().0, items.len().0, takers.len().0, taken, self.watched, self.holders, self.receivers];
        let limits = self.size.into_iter().chain(self.backlog);
        let are_counts = limits.map(|limit| Int::ZERO.at_most(limit) & limit.at_most(Int::GREATEST));
        let none_negative = parts.map(|part| Int::ZERO.at_most(part));
        Condition::all(none_negative.into_iter().chain(are_counts))
            & ((self.items() + self.takers()) * 2).less(Int::GREATEST)
            & self.put().less(Int::GREATEST)
            & Int::from(65_535).at_most(Int::GREATEST)
    }
}

impl World {
    /// Nobody goes on.
    fn prove_done(&self) {
        prove("nobody waits beside an item", self.items().is_zero() | self.takers().is_zero());
        prove(
            "nobody waits for items of a closed queue",
            Condition::from(!self.fields().closed) | self.takers().is_zero(),
        );
    }
}

impl induction::World for World {
    const NAME: &'static str = "item queue";

    type Event = Event;

    type Besides = ();

    const STEPS: &'static [&'static [Step<Self>]] = &[STEPS];

    const RESTS: &'static [Rest<Self>] =
        &[Rest { name: "at rest", ended: &[Kind::Own], provided: |_| Condition::TRUE, prove: Self::prove_done }];

    fn any() -> Option<Self> {
        let (taken, watched) = (Int::unknown("taken"), Int::unknown("place of the watched item"));
        let (first, has_watched) =
            (Int::unknown("first place of those that came back"), Condition::unknown("it is back"));
        let returned = if choose("items have come back") {
            let behind = Count(Int::unknown("others that have come back"));
            ItemsByPlace::of(Some((Count(first), first)), behind, watched, has_watched)
        } else {
            ItemsByPlace::of(None, Count(Int::ZERO), watched, Condition::FALSE)
        };
        let behind = Int::unknown("items behind the first");
        let items = if choose("items were put") { ChunkedQueue::of(taken, Count(behind)) } else { ChunkedQueue::new() };
        let more = Int::unknown("takers behind the second");
        let (first, second) = (Int::unknown("first taker"), Int::unknown("second taker"));
        let takers = match (choose("somebody waits"), choose("another waits behind")) {
            (false, false) => WaitQueue::new(),
            (true, false) => WaitQueue::of([first], Count(Int::ZERO)),
            (true, true) => WaitQueue::of([first, second], Count(more)),
            (false, true) => return None,
        };
        let fields = ItemQueueFields {
            returned,
            items,
            taken,
            takers,
            delivering: choose("somebody delivers"),
            closed: choose("the queue is closed"),
        };
        let size = choose("items are limited").then(|| Int::unknown("size"));
        let backlog = choose("takers are limited").then(|| Int::unknown("backlog"));
        assume(Int::ZERO.at_most(behind) & Int::ZERO.at_most(more) & first.less(second))?;
        assume(fields.returned.can_be(taken))?;
        let world = Self {
            machine: item_queue(fields, size, backlog),
            size,
            backlog,
            watched,
            holders: Int::unknown("holders of the watched item"),
            receivers: Int::unknown("receivers of the watched item"),
            loops: Int::unknown("loops that deliver"),
        };
        assume(world.is_in_memory())?;
        Some(world)
    }

    fn new() -> Option<Self> {
        let any = Self::any()?;
        let machine = Items::new(any.size.map(Count), any.backlog.map(Count));
        Some(Self { machine, holders: Int::ZERO, receivers: Int::ZERO, loops: Int::ZERO, ..any })
    }

    fn conjuncts(&self) -> Vec<(&'static str, Condition)> {
        let ItemQueueFields { returned, taken, delivering, closed, .. } = self.fields();
        let is_back = Int::choose(returned.has_watched, 1, 0);
        vec![
            ("an item that was taken is back, held or received, and one of these once", {
                Int::choose(self.watched.less(taken), 1, 0).equals(is_back + self.holders + self.receivers)
            }),
            ("nobody holds an item that was not taken", {
                Int::ZERO.at_most(self.holders) & Int::ZERO.at_most(self.receivers)
            }),
            ("those that came back were taken before", returned.len().0.at_most(taken)),
            ("one caller delivers, and the queue knows it", self.loops.equals(Int::from(delivering))),
            ("where nobody delivers, there are no items or no takers", {
                Condition::from(delivering) | self.items().is_zero() | self.takers().is_zero()
            }),
            ("nobody waits for items of a closed queue, unless somebody delivers", {
                Condition::from(delivering || !closed) | self.takers().is_zero()
            }),
        ]
    }

    fn rank(&self) -> Vec<Int> {
        vec![self.takers(), self.loops]
    }
}

impl Describe for World {
    fn describe(&self, model: &Model) -> Vec<(&'static str, String)> {
        let ItemQueueFields { returned, items, taken, takers, delivering, closed } = self.fields();
        let number = |int: Int| int.value(model).to_string();
        let limit = |limit: Option<Int>| limit.map_or("none".into(), number);
        vec![
            ("greatest number of items", limit(self.size)),
            ("greatest number of takers", limit(self.backlog)),
            ("items that came back", number(returned.len().0)),
            ("items that were put", number(items.len().0)),
            ("taken", number(taken)),
            ("takers", number(takers.len().0)),
            ("delivering", delivering.to_string()),
            ("closed", closed.to_string()),
            ("place of the watched item", number(self.watched)),
            ("it has come back", returned.has_watched.holds(model).to_string()),
            ("holders of it", number(self.holders)),
            ("receivers of it", number(self.receivers)),
            ("loops that deliver", number(self.loops)),
        ]
    }
}
