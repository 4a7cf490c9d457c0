//! Exhaustive search of the semaphore: clients that acquire permits, wait, cancel, keep and release, also while another
//! is being served, and a limit that moves.

use super::events::semaphore::Event;
use super::{Row, Rows, Steps, World, must_find, must_hold, table, table_file};
use crate::machine::semaphore::{Acquired, NoneKept, Released, Semaphore};
use crate::machine::wait_queue::Key;

/// What a client of the semaphore has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    /// It neither has a permit nor waits for one.
    Nothing,
    /// It waits for a permit.
    Waiting(Key),
    /// A permit with its guard.
    Permit,
}

/// A bug that is put into the world, to check that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bug {
    None,
    /// A release during a serving loop starts another loop.
    Recurses,
    /// The serving loop ends after one waiter.
    ServesOne,
    /// A cancelled waiter stays in the queue.
    StaysInTheQueue,
    /// A release of a kept permit is accepted although none was kept.
    ReleasesAnything,
    /// When the limit rises, nobody is served.
    RaisesUnseen,
    /// When the first waiter is cancelled, nobody is served.
    CancelsUnseen,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SemaphoreWorld {
    bug: Bug,
    semaphore: Semaphore<u8>,
    clients: Vec<Client>,
    /// How many permits each client asks for.
    counts: Vec<usize>,
    /// How many times more each client may acquire.
    acquires: Vec<u8>,
    /// Clients that wait, in the order in which they began to.
    order: Vec<u8>,
    kept: usize,
    /// The limits that are still to be set.
    limits: Vec<usize>,
    /// Serving loops that are running, one inside another.
    loops: usize,
    violation: Option<&'static str>,
}

impl SemaphoreWorld {
    fn new(bug: Bug, limit: usize, clients: usize, acquires: u8) -> Self {
        Self {
            bug,
            semaphore: Semaphore::new(limit),
            clients: vec![Client::Nothing; clients],
            counts: vec![1; clients],
            acquires: vec![acquires; clients],
            order: Vec::new(),
            kept: 0,
            limits: Vec::new(),
            loops: 0,
            violation: None,
        }
    }

    /// Clients that ask for several permits, of which the last two ask for one, while the limit moves.
    fn moving(bug: Bug, limits: &[usize]) -> Self {
        Self { counts: vec![2, 1, 1], limits: limits.to_vec(), ..Self::new(bug, 2, 3, 1) }
    }

    /// Permits that clients hold, or have kept.
    fn held(&self) -> usize {
        let with_guard = self.clients.iter().zip(&self.counts).filter(|(client, _)| **client == Client::Permit);
        with_guard.map(|(_, count)| count).sum::<usize>() + self.kept
    }

    /// A client has got its permits.
    fn granted(&mut self, id: usize) {
        self.clients[id] = Client::Permit;
        if self.held() > self.semaphore.limit() {
            self.violation = Some("more permits are granted than there are");
        }
    }

    fn label(&self) -> &'static str {
        match (self.semaphore.is_serving(), self.semaphore.waiting(), self.semaphore.available()) {
            (true, ..) => "Serving",
            (false, 0, 0) => "Exhausted",
            (false, 0, _) => "Available",
            (false, ..) => "Contended",
        }
    }

    fn row(&self, steps: &mut Steps<'_, Self>, event: &'static str, action: &'static str, to: &Self) {
        steps.row(Row { from: self.label(), event, action, to: to.label() });
    }

    fn carry_out(&mut self, released: Released) -> &'static str {
        match released {
            Released::Serve => {
                self.loops += 1;
                "serve waiters"
            }
            Released::Nothing if self.bug == Bug::Recurses && !self.order.is_empty() => {
                self.loops += 1;
                "serve waiters"
            }
            Released::Nothing => "nothing",
        }
    }

    fn acquire(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.acquires[id] -= 1;
        let action = match next.semaphore.try_acquire(self.counts[id]) {
            Acquired::Granted => {
                next.granted(id);
                if !self.order.is_empty() {
                    next.violation = Some("somebody overtakes a waiter");
                }
                "grant"
            }
            Acquired::MustWait => {
                next.clients[id] = Client::Waiting(next.semaphore.next_key());
                next.semaphore.wait(self.counts[id], id as u8);
                next.order.push(id as u8);
                "wait"
            }
        };
        self.row(steps, "acquire", action, &next);
        next
    }

    fn cancel(&self, id: usize, key: Key, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.clients[id] = Client::Nothing;
        next.order.retain(|waiting| usize::from(*waiting) != id);
        let mut action = "nothing";
        if self.bug != Bug::StaysInTheQueue {
            let (removed, released) = next.semaphore.cancel_wait(key);
            if removed != Some(id as u8) || next.semaphore.clone().cancel_wait(key).0.is_some() {
                next.violation = Some("a cancel removes another waiter than its own, or removes it twice");
            }
            if self.bug != Bug::CancelsUnseen {
                action = next.carry_out(released);
            }
        }
        self.row(steps, "cancel", action, &next);
        next
    }

    fn release(&self, id: usize, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        next.clients[id] = Client::Nothing;
        let released = next.semaphore.release(self.counts[id]);
        let action = next.carry_out(released);
        self.row(steps, "release", action, &next);
        next
    }

    fn release_kept(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let released = if self.bug == Bug::ReleasesAnything {
            Ok(if self.held() > 0 { next.semaphore.release(1) } else { Released::Nothing })
        } else {
            next.semaphore.release_kept()
        };
        let action = match released {
            Ok(released) => {
                next.kept = next.kept.saturating_sub(1);
                next.carry_out(released)
            }
            Err(NoneKept) => "refuse: over-release",
        };
        if released.is_ok() == (self.kept == 0) {
            next.violation = Some("a permit can be released without a guard if it was kept, and only then");
        }
        self.row(steps, "release kept", action, &next);
        next
    }

    fn set_limit(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let limit = next.limits.remove(0);
        let released = next.semaphore.set_limit(limit);
        let action = if self.bug == Bug::RaisesUnseen { "nothing" } else { next.carry_out(released) };
        self.row(steps, "set limit", action, &next);
        next
    }

    fn serve_next(&self, steps: &mut Steps<'_, Self>) -> Self {
        let mut next = self.clone();
        let action = match next.semaphore.next() {
            Some((count, id)) => {
                if next.order.first() == Some(&id) {
                    next.order.remove(0);
                } else {
                    next.violation = Some("waiters are served out of order");
                }
                if count != self.counts[usize::from(id)] {
                    next.violation = Some("a waiter gets another number of permits than it asked for");
                }
                next.granted(usize::from(id));
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

impl World for SemaphoreWorld {
    type Event = Event;

    fn steps(&self, steps: &mut Steps<'_, Self>) {
        for id in 0..self.clients.len() {
            match self.clients[id] {
                Client::Nothing if self.acquires[id] > 0 => {
                    let next = self.acquire(id, steps);
                    steps.unfair(Event::Acquire(id), next);
                }
                Client::Nothing => {}
                Client::Waiting(key) => {
                    let next = self.cancel(id, key, steps);
                    steps.unfair(Event::Cancel(id), next);
                }
                Client::Permit => {
                    let next = self.release(id, steps);
                    steps.user_fair(Event::Release(id), next);
                    let mut next = self.clone();
                    next.semaphore.keep(self.counts[id]);
                    next.clients[id] = Client::Nothing;
                    next.kept += self.counts[id];
                    self.row(steps, "keep", "nothing", &next);
                    steps.unfair(Event::Keep(id), next);
                }
            }
        }
        let next = self.release_kept(steps);
        if self.kept > 0 {
            steps.user_fair(Event::ReleaseKept, next);
        } else {
            steps.unfair(Event::ReleaseKept, next);
        }
        if let Some(&limit) = self.limits.first() {
            let next = self.set_limit(steps);
            steps.user_fair(Event::SetLimit(limit), next);
        }
        if self.loops > 0 {
            let next = self.serve_next(steps);
            steps.fair(Event::ServeNext, next);
        }
    }

    fn violation(&self) -> Option<&'static str> {
        let free = self.semaphore.limit().saturating_sub(self.held());
        if self.semaphore.waiting() == 0 && self.semaphore.available() != free {
            return Some("a permit is lost, or invented");
        }
        if self.loops > 1 {
            return Some("serving recurses");
        }
        self.violation
    }

    fn stuck(&self) -> Option<&'static str> {
        let first = self.counts[usize::from(*self.order.first()?)];
        (self.held() + first <= self.semaphore.limit()).then_some("a permit is available, and somebody waits")
    }

    fn unfinished(&self) -> Option<&'static str> {
        (!self.order.is_empty()).then_some("all permits are released, and somebody waits")
    }
}

// Checks: B64, P31, P119, R31
#[test]
fn each_permit_is_held_once_and_nobody_waits_while_one_is_available() {
    let mut rows = Rows::new();
    rows.extend(must_hold(SemaphoreWorld::new(Bug::None, 1, 3, 2), 3453, 14330));
    rows.extend(must_hold(SemaphoreWorld::new(Bug::None, 2, 4, 1), 654, 2972));
    rows.extend(must_hold(SemaphoreWorld::moving(Bug::None, &[0, 2]), 916, 3723));
    rows.extend(must_hold(SemaphoreWorld::moving(Bug::None, &[1, 3]), 896, 3720));
    table_file::assert_current("semaphore", &table::markdown(&rows));
}

// Checks: B64, P31, P119, R31
#[test]
fn injected_bugs_of_the_semaphore_are_found() {
    let must_find = |bug, what| must_find(SemaphoreWorld::new(bug, 1, 3, 2), what);
    must_find(Bug::Recurses, "serving recurses");
    must_find(Bug::ServesOne, "a permit is available, and somebody waits");
    must_find(Bug::StaysInTheQueue, "waiters are served out of order");
    must_find(Bug::ReleasesAnything, "a permit can be released without a guard if it was kept, and only then");
    let must_find = |bug, what| super::must_find(SemaphoreWorld::moving(bug, &[0, 2]), what);
    must_find(Bug::RaisesUnseen, "a permit is available, and somebody waits");
    must_find(Bug::CancelsUnseen, "a permit is available, and somebody waits");
}
