//! The queue explored: items that are put and takers that come and give up, also while an item is being delivered.

use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::line::Key;
use crate::machine::stock::{Put, Stock, Take};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Taker {
    /// May come, so many times.
    Away(u8),
    Waits(Key, u8),
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// Whoever puts delivers, also where somebody does already.
    Recurses,
    /// One that delivers does not look again when it has delivered one.
    DeliversOne,
    /// Whoever gives up leaves its place to be served.
    LeavesItsPlace,
    /// What is refused is dropped.
    DropsWhatItRefuses,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shop {
    bug: Bug,
    size: Option<usize>,
    backlog: Option<usize>,
    stock: Stock<u8, u8>,
    takers: Vec<Taker>,
    order: Vec<u8>,
    /// Items that may still come; those that were accepted have numbers from zero.
    left: u8,
    accepted: u8,
    refused: u8,
    delivered: u8,
    loops: usize,
    /// Somebody gave up while items were being delivered: one may be left above the limit.
    gave_up: bool,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "numbers are there to be printed")]
enum Event {
    AnItemIsPut,
    Comes(usize),
    GivesUp(usize),
    TheNextIsDelivered,
}

impl Shop {
    fn new(bug: Bug, size: Option<usize>, backlog: Option<usize>) -> Self {
        Self {
            bug,
            size,
            backlog,
            stock: Stock::new(size, backlog),
            takers: vec![Taker::Away(2), Taker::Away(1), Taker::Away(1)],
            order: Vec::new(),
            left: 4,
            accepted: 0,
            refused: 0,
            delivered: 0,
            loops: 0,
            gave_up: false,
            violation: None,
        }
    }

    fn label(&self) -> &'static str {
        match (self.stock.handing_on(), self.stock.len(), self.stock.waiting()) {
            (true, ..) => "Handing on",
            (false, 0, 0) => "Empty",
            (false, _, 0) => "Items",
            (false, ..) => "Takers",
        }
    }

    fn row(&self, steps: &mut Steps<'_, Self>, event: &'static str, action: &'static str, to: &Self) {
        steps.row(Row { from: self.label(), event, action, to: to.label() });
    }

    fn gets(&mut self, item: u8) {
        if item != self.delivered {
            self.violation = Some("items come out in the order in which they went in");
        }
        self.delivered += 1;
    }

    fn put(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.left -= 1;
        let action = match next.stock.put(self.accepted) {
            Ok(put) => {
                next.accepted += 1;
                if put == Put::HandOn || self.bug == Bug::Recurses && !self.order.is_empty() {
                    next.loops += 1;
                    "hand on"
                } else {
                    "nothing"
                }
            }
            Err(item) => {
                if item != self.accepted {
                    next.violation = Some("what is refused is what was put");
                }
                next.refused += u8::from(self.bug != Bug::DropsWhatItRefuses);
                "hand the item back"
            }
        };
        self.row(steps, "put", action, &next);
        next
    }

    fn comes(&self, id: usize, times: u8, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.takers[id] = Taker::Away(times - 1);
        let action = match next.stock.take() {
            Take::Item(item) => {
                if !self.order.is_empty() {
                    next.violation = Some("somebody overtakes");
                }
                next.gets(item);
                "take the item"
            }
            Take::Waits => {
                next.takers[id] = Taker::Waits(next.stock.next_key(), times - 1);
                next.stock.wait(id as u8);
                next.order.push(id as u8);
                "wait"
            }
            Take::Refused => "refuse: underflow",
        };
        self.row(steps, "take", action, &next);
        next
    }

    fn gives_up(&self, id: usize, key: Key, times: u8, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.takers[id] = Taker::Away(times);
        next.order.retain(|waits| usize::from(*waits) != id);
        next.gave_up |= self.loops > 0;
        if self.bug != Bug::LeavesItsPlace {
            let gone = next.stock.give_up(key);
            if gone != Some(id as u8) || next.stock.give_up(key).is_some() {
                next.violation = Some("whoever gives up leaves its own place, once");
            }
        }
        self.row(steps, "give up", "nothing", &next);
        next
    }

    fn delivers(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let action = match next.stock.next() {
            Some((id, item)) => {
                if next.order.first() == Some(&id) {
                    next.order.remove(0);
                } else {
                    next.violation = Some("the first who waits is served first");
                }
                if let Taker::Waits(_, times) = next.takers[usize::from(id)] {
                    next.takers[usize::from(id)] = Taker::Away(times);
                }
                next.gets(item);
                if self.bug == Bug::DeliversOne {
                    next.loops -= 1;
                }
                "deliver"
            }
            None => {
                next.loops -= 1;
                "nothing"
            }
        };
        self.row(steps, "next", action, &next);
        next
    }
}

impl World for Shop {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.left > 0 {
            let next = self.put(steps);
            steps.unfair(Event::AnItemIsPut, next);
        }
        for id in 0..self.takers.len() {
            match self.takers[id] {
                Taker::Away(0) => {}
                Taker::Away(times) => {
                    let next = self.comes(id, times, steps);
                    steps.unfair(Event::Comes(id), next);
                }
                Taker::Waits(key, times) => {
                    let next = self.gives_up(id, key, times, steps);
                    steps.unfair(Event::GivesUp(id), next);
                }
            }
        }
        if self.loops > 0 {
            let next = self.delivers(steps);
            steps.fair(Event::TheNextIsDelivered, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        if self.loops > 1 {
            return Some("delivering recurses");
        }
        if self.accepted + self.refused + self.left != 4 {
            return Some("an item is lost");
        }
        if !self.gave_up {
            let full = self.size.is_some_and(|size| self.stock.len() > size);
            let long = self.backlog.is_some_and(|backlog| self.stock.waiting() > backlog);
            if full || long {
                return Some("a limit is exceeded");
            }
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        let held = usize::from(self.accepted - self.delivered);
        if held > 0 && !self.order.is_empty() {
            return Some("an item lies here, and somebody waits for one");
        }
        (held != self.stock.len() || self.order.len() != self.stock.waiting())
            .then_some("it holds what it was not given")
    }
}

// Checks: B64, P32
#[test]
fn every_item_goes_to_one_taker_and_both_lines_keep_their_order() {
    let mut rows = Rows::new();
    rows.extend(must_hold(Shop::new(Bug::None, None, None), 6695, 21556));
    rows.extend(must_hold(Shop::new(Bug::None, Some(1), Some(1)), 7890, 23240));
    rows.extend(must_hold(Shop::new(Bug::None, Some(0), None), 11553, 36107));
    rows.extend(must_hold(Shop::new(Bug::None, None, Some(0)), 137, 305));
    table_file::assert_current("stock", &table::markdown(&rows));
}

// Checks: B64, P32
#[test]
fn injected_bugs_of_the_queue_are_found() {
    let must_find = |bug, what| must_find(Shop::new(bug, Some(1), None), what);
    must_find(Bug::Recurses, "delivering recurses");
    must_find(Bug::DeliversOne, "an item lies here, and somebody waits for one");
    must_find(Bug::LeavesItsPlace, "it holds what it was not given");
    must_find(Bug::DropsWhatItRefuses, "an item is lost");
}
