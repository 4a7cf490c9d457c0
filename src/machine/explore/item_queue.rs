//! Exhaustive search of the item queue: items that are put, delivered and come back, takers that take, wait and cancel,
//! and a close, also while an item is being delivered.

use super::events::item_queue::Event;
use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::item_queue::{ItemQueue, Put, PutRefused, Serve, Take};
use crate::machine::wait_queue::Key;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Taker {
    /// It does not wait. It may take this many times more.
    Away(u8),
    /// It waits for an item. It may take this many times more.
    Waiting(Key, u8),
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A put during a delivering loop starts another loop.
    Recurses,
    /// The delivering loop ends after one item.
    DeliversOne,
    /// A cancelled taker stays in the queue.
    StaysInTheQueue,
    /// An item that is refused is dropped.
    DropsRefusedItems,
    /// An item that comes back is appended like a new one.
    ComesBackLast,
    /// Nobody is served with an item that comes back.
    ComesBackUnseen,
    /// Nobody turns takers away when the queue closes.
    ClosesUnseen,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ItemQueueWorld {
    bug: Bug,
    size: Option<usize>,
    backlog: Option<usize>,
    queue: ItemQueue<u8, u8>,
    takers: Vec<Taker>,
    /// Takers that wait, in the order in which they began to.
    order: Vec<u8>,
    /// Items that are put in all.
    items: u8,
    /// Items that may still be put.
    left: u8,
    /// Items that were accepted. Each is the number of those before it.
    accepted: u8,
    refused: u8,
    /// Items in the queue, one bit each.
    queued: u8,
    /// Items that were delivered and may come back, with their places.
    unclaimed: Vec<(u8, u64)>,
    /// How many items may still come back.
    returns: u8,
    /// How often the queue may still be closed.
    closes: u8,
    closed: bool,
    /// Delivering loops that are running, one inside another.
    loops: usize,
    /// A taker was cancelled during delivery, or an item came back: one may be left above the limit.
    above_limit: bool,
    violation: Option<&'static str>,
}

impl ItemQueueWorld {
    fn new(bug: Bug, size: Option<usize>, backlog: Option<usize>) -> Self {
        Self {
            bug,
            size,
            backlog,
            queue: ItemQueue::new(size, backlog),
            takers: vec![Taker::Away(2), Taker::Away(1), Taker::Away(1)],
            order: Vec::new(),
            items: 4,
            left: 4,
            accepted: 0,
            refused: 0,
            queued: 0,
            unclaimed: Vec::new(),
            returns: 0,
            closes: 0,
            closed: false,
            loops: 0,
            above_limit: false,
            violation: None,
        }
    }

    /// A smaller world, in which items come back.
    fn with_returns(bug: Bug, size: Option<usize>, backlog: Option<usize>) -> Self {
        let takers = vec![Taker::Away(2), Taker::Away(1)];
        Self { takers, items: 3, left: 3, returns: 2, ..Self::new(bug, size, backlog) }
    }

    /// A smaller world, in which the queue is closed, perhaps twice.
    fn with_closes(bug: Bug, size: Option<usize>, backlog: Option<usize>) -> Self {
        Self { closes: 2, returns: 1, ..Self::with_returns(bug, size, backlog) }
    }

    fn label(&self) -> &'static str {
        match (self.queue.is_delivering(), self.queue.len(), self.queue.waiting()) {
            (true, ..) if self.queue.is_closed() => "Delivering, closed",
            (false, ..) if self.queue.is_closed() => "Closed",
            (true, ..) => "Delivering",
            (false, 0, 0) => "Empty",
            (false, _, 0) => "Items",
            (false, ..) => "Takers",
        }
    }

    fn row(&self, steps: &mut Steps<'_, Self>, event: &'static str, action: &'static str, to: &Self) {
        steps.row(Row { from: self.label(), event, action, to: to.label() });
    }

    fn receive(&mut self, item: u8, place: u64) {
        if u32::from(item) != self.queued.trailing_zeros() {
            self.violation = Some("items are delivered out of order");
        }
        self.queued &= !(1 << item);
        if self.returns > 0 {
            self.unclaimed.push((item, place));
        }
    }

    fn come_back(&self, index: usize, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let (item, place) = next.unclaimed.remove(index);
        next.returns -= 1;
        if next.returns == 0 {
            next.unclaimed.clear();
        }
        next.queued |= 1 << item;
        next.above_limit = true;
        let put = match self.bug {
            Bug::ComesBackLast => next.queue.put(item).unwrap_or(Put::Nothing),
            _ => next.queue.put_back(item, place),
        };
        let action = if put == Put::Deliver && self.bug != Bug::ComesBackUnseen {
            next.loops += 1;
            "deliver pairs"
        } else {
            "nothing"
        };
        self.row(steps, "put_back", action, &next);
        next
    }

    fn put(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.left -= 1;
        let action = match next.queue.put(self.accepted) {
            Ok(put) => {
                next.queued |= 1 << next.accepted;
                next.accepted += 1;
                if put == Put::Deliver || self.bug == Bug::Recurses && !self.order.is_empty() {
                    next.loops += 1;
                    "deliver pairs"
                } else {
                    "nothing"
                }
            }
            Err((item, refused)) => {
                if (refused == PutRefused::Closed) != self.closed {
                    next.violation = Some("a closed queue accepts an item, or an open one says that it is closed");
                }
                if item != self.accepted {
                    next.violation = Some("another item is returned than was put");
                }
                next.refused += u8::from(self.bug != Bug::DropsRefusedItems);
                "return the item"
            }
        };
        self.row(steps, "put", action, &next);
        next
    }

    fn close(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.closes -= 1;
        next.closed = true;
        let action = if next.queue.close() == Put::Deliver && self.bug != Bug::ClosesUnseen {
            next.loops += 1;
            "serve takers"
        } else {
            "nothing"
        };
        self.row(steps, "close", action, &next);
        next
    }

    fn take(&self, id: usize, times: u8, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.takers[id] = Taker::Away(times - 1);
        let action = match next.queue.take() {
            Take::Item(item, place) => {
                if !self.order.is_empty() {
                    next.violation = Some("somebody overtakes a taker");
                }
                next.receive(item, place);
                "return the first item"
            }
            Take::MustWait => {
                next.takers[id] = Taker::Waiting(next.queue.next_key(), times - 1);
                next.queue.wait(id as u8);
                next.order.push(id as u8);
                "wait"
            }
            Take::Refused => "refuse: underflow",
            Take::Closed => {
                if !self.closed {
                    next.violation = Some("an open queue says that it is closed");
                }
                "refuse: closed"
            }
        };
        self.row(steps, "take", action, &next);
        next
    }

    fn cancel(&self, id: usize, key: Key, times: u8, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.takers[id] = Taker::Away(times);
        next.order.retain(|waits| usize::from(*waits) != id);
        next.above_limit |= self.loops > 0;
        if self.bug != Bug::StaysInTheQueue {
            let gone = next.queue.cancel_wait(key);
            if gone != Some(id as u8) || next.queue.cancel_wait(key).is_some() {
                next.violation = Some("a cancel removes another taker than its own, or removes it twice");
            }
        }
        self.row(steps, "cancel", "nothing", &next);
        next
    }

    fn deliver_next(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let action = match next.queue.next() {
            Some(Serve::Deliver(id, item, place)) => {
                next.served(id);
                next.receive(item, place);
                if self.bug == Bug::DeliversOne {
                    next.loops -= 1;
                }
                "deliver"
            }
            Some(Serve::TurnAway(id)) => {
                next.served(id);
                if !self.closed || self.queued != 0 {
                    next.violation = Some("a taker is turned away although there is an item, or may be one");
                }
                "turn away"
            }
            None => {
                next.loops -= 1;
                "nothing"
            }
        };
        self.row(steps, "next", action, &next);
        next
    }

    fn served(&mut self, id: u8) {
        if self.order.first() == Some(&id) {
            self.order.remove(0);
        } else {
            self.violation = Some("takers are served out of order");
        }
        if let Taker::Waiting(_, times) = self.takers[usize::from(id)] {
            self.takers[usize::from(id)] = Taker::Away(times);
        }
    }
}

impl World for ItemQueueWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        if self.left > 0 {
            let next = self.put(steps);
            steps.unfair(Event::Put, next);
        }
        for id in 0..self.takers.len() {
            match self.takers[id] {
                Taker::Away(0) => {}
                Taker::Away(times) => {
                    let next = self.take(id, times, steps);
                    steps.unfair(Event::Take(id), next);
                }
                Taker::Waiting(key, times) => {
                    let next = self.cancel(id, key, times, steps);
                    steps.unfair(Event::Cancel(id), next);
                }
            }
        }
        for index in 0..self.unclaimed.len() {
            let next = self.come_back(index, steps);
            steps.unfair(Event::ComeBack(self.unclaimed[index].0), next);
        }
        if self.closes > 0 {
            let next = self.close(steps);
            steps.unfair(Event::Close, next);
        }
        if self.loops > 0 {
            let next = self.deliver_next(steps);
            steps.fair(Event::DeliverNext, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        if self.loops > 1 {
            return Some("delivering recurses");
        }
        if self.accepted + self.refused + self.left != self.items {
            return Some("an item is lost");
        }
        if !self.above_limit {
            let full = self.size.is_some_and(|size| self.queue.len() > size);
            let long = self.backlog.is_some_and(|backlog| self.queue.waiting() > backlog);
            if full || long {
                return Some("a limit is exceeded");
            }
        }
        if self.queue.is_closed() != self.closed {
            return Some("it is wrong whether the queue is closed");
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        let held = self.queued.count_ones() as usize;
        if held > 0 && !self.order.is_empty() {
            return Some("an item is left, and somebody waits for one");
        }
        if self.closed && !self.order.is_empty() {
            return Some("the queue is closed, and somebody waits");
        }
        (held != self.queue.len() || self.order.len() != self.queue.waiting())
            .then_some("the queue holds items or takers that it should not")
    }
}

// Checks: B64, P32, P81, P118
#[test]
fn each_item_goes_to_one_taker_and_both_are_served_in_order() {
    let mut rows = Rows::new();
    rows.extend(must_hold(ItemQueueWorld::new(Bug::None, None, None), 2934, 9637));
    rows.extend(must_hold(ItemQueueWorld::new(Bug::None, Some(1), Some(1)), 4787, 14081));
    rows.extend(must_hold(ItemQueueWorld::new(Bug::None, Some(0), None), 4650, 15290));
    rows.extend(must_hold(ItemQueueWorld::new(Bug::None, None, Some(0)), 137, 305));
    rows.extend(must_hold(ItemQueueWorld::with_returns(Bug::None, None, None), 885, 2363));
    rows.extend(must_hold(ItemQueueWorld::with_returns(Bug::None, Some(1), Some(1)), 1418, 3446));
    rows.extend(must_hold(ItemQueueWorld::with_closes(Bug::None, None, None), 3935, 12298));
    rows.extend(must_hold(ItemQueueWorld::with_closes(Bug::None, Some(1), Some(1)), 4021, 12284));
    table_file::assert_current("item_queue", &table::markdown(&rows));
}

// Checks: B64, P32, P81, P118
#[test]
fn injected_bugs_of_the_item_queue_are_found() {
    let must_find = |bug, what| must_find(ItemQueueWorld::new(bug, Some(1), None), what);
    must_find(Bug::Recurses, "delivering recurses");
    must_find(Bug::DeliversOne, "an item is left, and somebody waits for one");
    must_find(Bug::StaysInTheQueue, "the queue holds items or takers that it should not");
    must_find(Bug::DropsRefusedItems, "an item is lost");
    let must_find = |bug, what| super::must_find(ItemQueueWorld::with_returns(bug, None, None), what);
    must_find(Bug::ComesBackLast, "items are delivered out of order");
    must_find(Bug::ComesBackUnseen, "an item is left, and somebody waits for one");
    let must_find = |bug, what| super::must_find(ItemQueueWorld::with_closes(bug, None, None), what);
    must_find(Bug::ClosesUnseen, "the queue is closed, and somebody waits");
}
