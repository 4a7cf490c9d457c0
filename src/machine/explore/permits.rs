//! The semaphore explored: clients that come, wait, give up, keep and give back, also while another is being served.

use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::line::Key;
use crate::machine::permits::{Comes, Given, Permits, TooMany};

/// What a client of the semaphore has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    Nothing,
    /// A place in the line.
    Place(Key),
    /// A permit, and its guard.
    Permit,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// Whoever gives back hands on, also where somebody does already.
    Recurses,
    /// One that is handing on does not look again when it has served one.
    ServesOne,
    /// Whoever gives up leaves its place to be served.
    LeavesItsPlace,
    /// A release from outside is taken for that of a guard.
    ReleasesAnything,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Room {
    bug: Bug,
    permits: Permits<u8>,
    clients: Vec<Client>,
    /// How often each may come, still.
    visits: Vec<u8>,
    /// Those who wait, in the order in which they came.
    order: Vec<u8>,
    kept: usize,
    /// Loops that hand on, one inside another.
    loops: usize,
    violation: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "numbers are there to be printed")]
enum Event {
    Comes(usize),
    GivesUp(usize),
    GivesBack(usize),
    Keeps(usize),
    SomebodyReleases,
    TheNextIsServed,
}

impl Room {
    fn new(bug: Bug, limit: usize, clients: usize, visits: u8) -> Self {
        Self {
            bug,
            permits: Permits::new(limit),
            clients: vec![Client::Nothing; clients],
            visits: vec![visits; clients],
            order: Vec::new(),
            kept: 0,
            loops: 0,
            violation: None,
        }
    }

    fn label(&self) -> &'static str {
        match (self.permits.handing_on(), self.permits.waiting(), self.permits.free()) {
            (true, ..) => "Handing on",
            (false, 0, 0) => "Taken",
            (false, 0, _) => "Free",
            (false, ..) => "Taken, some wait",
        }
    }

    fn row(&self, steps: &mut Steps<'_, Self>, event: &'static str, action: &'static str, to: &Self) {
        steps.row(Row { from: self.label(), event, action, to: to.label() });
    }

    fn owes(&mut self, given: Given) -> &'static str {
        match given {
            Given::HandOn => {
                self.loops += 1;
                "hand on"
            }
            Given::OweNothing if self.bug == Bug::Recurses && !self.order.is_empty() => {
                self.loops += 1;
                "hand on"
            }
            Given::OweNothing => "nothing",
        }
    }

    fn comes(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.visits[id] -= 1;
        let action = match next.permits.come() {
            Comes::Granted => {
                next.clients[id] = Client::Permit;
                if !self.order.is_empty() {
                    next.violation = Some("somebody overtakes");
                }
                "granted"
            }
            Comes::Waits => {
                next.clients[id] = Client::Place(next.permits.next_key());
                next.permits.wait(id as u8);
                next.order.push(id as u8);
                "wait"
            }
        };
        self.row(steps, "acquire", action, &next);
        next
    }

    fn gives_up(&self, id: usize, key: Key, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.clients[id] = Client::Nothing;
        next.order.retain(|waits| usize::from(*waits) != id);
        if self.bug != Bug::LeavesItsPlace {
            let gone = next.permits.give_up(key);
            if gone != Some(id as u8) || next.permits.give_up(key).is_some() {
                next.violation = Some("whoever gives up leaves its own place, once");
            }
        }
        self.row(steps, "give up", "nothing", &next);
        next
    }

    fn gives_back(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.clients[id] = Client::Nothing;
        let given = next.permits.give_back();
        let action = next.owes(given);
        self.row(steps, "give back", action, &next);
        next
    }

    fn release(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let released =
            if self.bug == Bug::ReleasesAnything { Ok(next.permits.give_back()) } else { next.permits.release() };
        let action = match released {
            Ok(given) => {
                next.kept = next.kept.saturating_sub(1);
                next.owes(given)
            }
            Err(TooMany) => "refuse: over-release",
        };
        if released.is_ok() == (self.kept == 0) {
            next.violation = Some("what was kept can be released, and nothing else");
        }
        self.row(steps, "release", action, &next);
        next
    }

    fn serves(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let action = match next.permits.next() {
            Some(id) => {
                if next.order.first() == Some(&id) {
                    next.order.remove(0);
                } else {
                    next.violation = Some("the first who waits is served first");
                }
                next.clients[usize::from(id)] = Client::Permit;
                if self.bug == Bug::ServesOne {
                    next.loops -= 1;
                }
                "serve"
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

impl World for Room {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        for id in 0..self.clients.len() {
            match self.clients[id] {
                Client::Nothing if self.visits[id] > 0 => {
                    let next = self.comes(id, steps);
                    steps.unfair(Event::Comes(id), next);
                }
                Client::Nothing => {}
                Client::Place(key) => {
                    let next = self.gives_up(id, key, steps);
                    steps.unfair(Event::GivesUp(id), next);
                }
                Client::Permit => {
                    let next = self.gives_back(id, steps);
                    steps.user_fair(Event::GivesBack(id), next);
                    let mut next = self.clone();
                    next.permits.keep();
                    next.clients[id] = Client::Nothing;
                    next.kept += 1;
                    self.row(steps, "keep", "nothing", &next);
                    steps.unfair(Event::Keeps(id), next);
                }
            }
        }
        let next = self.release(steps);
        if self.kept > 0 {
            steps.user_fair(Event::SomebodyReleases, next);
        } else {
            steps.unfair(Event::SomebodyReleases, next);
        }
        if self.loops > 0 {
            let next = self.serves(steps);
            steps.fair(Event::TheNextIsServed, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let held = self.clients.iter().filter(|client| **client == Client::Permit).count();
        if held + self.kept > self.permits.limit() {
            return Some("more permits are out than there are");
        }
        if self.permits.waiting() == 0 && held + self.kept + self.permits.free() != self.permits.limit() {
            return Some("a permit is lost, or made");
        }
        if self.loops > 1 {
            return Some("handing on recurses");
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        let held = self.clients.iter().filter(|client| **client == Client::Permit).count();
        let idle = held + self.kept < self.permits.limit();
        (idle && !self.order.is_empty()).then_some("a permit lies idle, and somebody waits")
    }

    fn unfinished(&self) -> Option<&'static str> {
        (!self.order.is_empty()).then_some("all permits are back, and somebody waits")
    }
}

// Checks: B64, P31, R31
#[test]
fn every_permit_is_with_one_client_and_nobody_waits_while_one_lies_idle() {
    let mut rows = Rows::new();
    rows.extend(must_hold(Room::new(Bug::None, 1, 3, 2), 9591, 39938));
    rows.extend(must_hold(Room::new(Bug::None, 2, 4, 1), 730, 3340));
    table_file::assert_current("permits", &table::markdown(&rows));
}

// Checks: B64, P31, R31
#[test]
fn injected_bugs_of_the_semaphore_are_found() {
    let must_find = |bug, what| must_find(Room::new(bug, 1, 3, 2), what);
    must_find(Bug::Recurses, "handing on recurses");
    must_find(Bug::ServesOne, "a permit lies idle, and somebody waits");
    must_find(Bug::LeavesItsPlace, "the first who waits is served first");
    must_find(Bug::ReleasesAnything, "a permit is lost, or made");
}
